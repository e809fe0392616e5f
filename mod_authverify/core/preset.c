/* Named sets of options. A shipped preset's file is httpd configuration with AuthVerifyPreset lines only.
 * SPDX-License-Identifier: Apache-2.0 */
#include "preset.h"
#include "scheme.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define LARGEST_FILE 65536

struct av_presets {
    apr_pool_t *pool;
    const char *path;
    apr_array_header_t *list; /* of av_preset * */
};

av_presets *av_presets_create(apr_pool_t *pool)
{
    av_presets *presets = apr_pcalloc(pool, sizeof(*presets));
    presets->pool = pool;
    presets->list = apr_array_make(pool, 8, sizeof(av_preset *));
    return presets;
}

void av_presets_set_path(av_presets *presets, const char *path)
{
    presets->path = apr_pstrdup(presets->pool, path);
}

const char *av_presets_path(const av_presets *presets)
{
    return presets->path ? presets->path : "no folder (AuthVerifyPresetPath is not set)";
}

/* A name is also a file's name: nothing in it may leave the folder. */
static bool is_name(const char *name)
{
    for (const char *at = name; *at; at++) {
        bool inner = at != name && at[1];
        if (!(apr_islower(*at) || apr_isdigit(*at) || (*at == '-' && inner))) {
            return false;
        }
    }
    return *name != '\0';
}

static av_preset *find_loaded(const av_presets *presets, const char *name)
{
    for (int i = 0; i < presets->list->nelts; i++) {
        av_preset *preset = APR_ARRAY_IDX(presets->list, i, av_preset *);
        if (strcmp(preset->name, name) == 0) {
            return preset;
        }
    }
    return NULL;
}

static av_words copy_words(const av_words *words, apr_size_t first, apr_pool_t *pool)
{
    const char **copies = apr_palloc(pool, words->count * sizeof(*copies));
    for (apr_size_t i = first; i < words->count; i++) {
        copies[i - first] = apr_pstrdup(pool, words->at[i]);
    }
    return (av_words){ copies, words->count - first };
}

static const char *add(av_presets *presets, const av_words *words, const char *origin, bool is_shipped)
{
    apr_pool_t *pool = presets->pool;
    if (words->count < 2) {
        return "write AuthVerifyPreset NAME SCHEME name=value ...";
    }
    const char *name = words->at[0];
    if (!is_name(name)) {
        return apr_psprintf(pool, "\"%s\" cannot be a preset's name: use a-z, 0-9 and hyphens between them", name);
    }
    if (strcmp(name, "off") == 0 || av_scheme_find(av_slice_of(name))) {
        return apr_psprintf(pool, "a preset cannot be called \"%s\", which has a meaning of its own", name);
    }
    const av_preset *other = find_loaded(presets, name);
    if (other) {
        return apr_psprintf(pool, "preset \"%s\" is there already, from %s", name, other->origin);
    }
    av_preset *preset = apr_pcalloc(pool, sizeof(*preset));
    *preset =
        (av_preset){ apr_pstrdup(pool, name), copy_words(words, 1, pool), apr_pstrdup(pool, origin), is_shipped, NULL };
    *(av_preset **)apr_array_push(presets->list) = preset;
    return NULL;
}

const char *av_presets_add(av_presets *presets, const av_words *words, const char *origin)
{
    return add(presets, words, origin, false);
}

static const char *file_of(const av_presets *presets, const char *name)
{
    return apr_pstrcat(presets->pool, presets->path, "/", name, ".conf", NULL);
}

bool av_presets_ships(const av_presets *presets, const char *name)
{
    apr_finfo_t info;
    return presets->path && is_name(name) &&
           apr_stat(&info, file_of(presets, name), APR_FINFO_TYPE, presets->pool) == APR_SUCCESS;
}

/* Reads one logical line, joining those that end in a backslash, as httpd does. Returns false at the end of the file.
 * */
static bool read_line(apr_file_t *file, char *line, int room, int *number)
{
    int len = 0;
    while (len < room - 1 && apr_file_gets(line + len, room - len, file) == APR_SUCCESS) {
        ++*number;
        len += (int)strlen(line + len);
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r')) {
            line[--len] = '\0';
        }
        if (!len || line[len - 1] != '\\') {
            return true;
        }
        line[--len] = '\0';
    }
    return len > 0;
}

/* One line of a preset's file. Only AuthVerifyPreset with the file's own name may stand there. */
static const char *take_line(av_presets *presets, const char *name, const char *line, const char *origin)
{
    av_words words;
    const char *error = av_words_split(line, &words, presets->pool);
    if (error || !words.count) {
        return error;
    }
    if (apr_strnatcasecmp(words.at[0], "AuthVerifyPreset") != 0 || words.count < 2 || strcmp(words.at[1], name) != 0) {
        return apr_psprintf(presets->pool, "only \"AuthVerifyPreset %s ...\" may stand in this file", name);
    }
    words = (av_words){ words.at + 1, words.count - 1 };
    return add(presets, &words, origin, true);
}

static const char *read_file(av_presets *presets, const char *name, apr_file_t *file, const char *path)
{
    char *line = apr_palloc(presets->pool, LARGEST_FILE);
    int number = 0;
    const char *error = NULL;
    while (!error && read_line(file, line, LARGEST_FILE, &number)) {
        const char *origin = apr_psprintf(presets->pool, "line %d of %s", number, path);
        const char *start = line;
        while (*start == ' ' || *start == '\t') {
            start++;
        }
        error = *start == '#' ? NULL : take_line(presets, name, start, origin);
        error = error ? apr_psprintf(presets->pool, "%s: %s", origin, error) : NULL;
    }
    return error;
}

const char *av_presets_find(av_presets *presets, const char *name, const av_preset **preset)
{
    apr_file_t *file;
    *preset = find_loaded(presets, name);
    if (*preset || !presets->path || !is_name(name)) {
        return NULL;
    }
    const char *path = file_of(presets, name);
    apr_status_t status = apr_file_open(&file, path, APR_READ | APR_BUFFERED, APR_OS_DEFAULT, presets->pool);
    if (APR_STATUS_IS_ENOENT(status)) {
        return NULL;
    }
    if (status != APR_SUCCESS) {
        return apr_psprintf(presets->pool, "%s cannot be read: %pm", path, &status);
    }
    const char *error = read_file(presets, name, file, path);
    apr_file_close(file);
    *preset = find_loaded(presets, name);
    return error || *preset ? error : apr_psprintf(presets->pool, "%s holds no AuthVerifyPreset line", path);
}

av_preset *av_presets_at(const av_presets *presets, int index)
{
    return index < presets->list->nelts ? APR_ARRAY_IDX(presets->list, index, av_preset *) : NULL;
}

apr_array_header_t *av_presets_names(const av_presets *presets, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 32, sizeof(const char *));
    apr_dir_t *folder;
    apr_finfo_t info;
    for (int i = 0; i < presets->list->nelts; i++) {
        *(const char **)apr_array_push(names) = APR_ARRAY_IDX(presets->list, i, av_preset *)->name;
    }
    if (!presets->path || apr_dir_open(&folder, presets->path, pool) != APR_SUCCESS) {
        return names;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, folder) == APR_SUCCESS) {
        apr_size_t len = strlen(info.name);
        if (len > 5 && strcmp(info.name + len - 5, ".conf") == 0) {
            *(const char **)apr_array_push(names) = apr_pstrmemdup(pool, info.name, len - 5);
        }
    }
    apr_dir_close(folder);
    return names;
}
