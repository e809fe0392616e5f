/* The lines of an httpd configuration.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config_reader.h"
#include "../core/words.h"
#include "file_input.h"

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#define DEEPEST_INCLUDE 20 /* as httpd */

typedef enum truth { NO, YES, UNKNOWN } truth;

typedef struct condition {
    truth truth;
    const char *text; /* "<IfModule ssl_module>" */
} condition;

typedef struct config_reader {
    apr_table_t *defined; /* NAME: value */
    apr_table_t *modules; /* "ssl_module" and "mod_ssl.c" of what is loaded */
    apr_array_header_t *conditions;
    const char *root;
    int depth;      /* of files */
    bool is_placed; /* the error says where */
    avt_config_visitor visit;
    void *baton;
    apr_pool_t *pool;
} config_reader;

/* One file of it. */
typedef struct config_file {
    config_reader *reader;
    const char *path;
    av_slice rest;
    int number; /* of the line */
    int open;   /* conditions that were open before it */
} config_file;

static const char *read_file(config_reader *reader, const char *path);

/* --- lines --- */

/* The next line, joined with those that it is continued in, without blanks at its ends. */
static bool take_line(config_file *file, char **line)
{
    av_slice part;
    bool is_open = true, is_there = false;
    const char *joined = "";
    while (is_open && av_slice_split(&file->rest, '\n', &part)) {
        file->number++;
        is_there = true;
        part.len -= part.len && part.at[part.len - 1] == '\r';
        is_open = part.len && part.at[part.len - 1] == '\\';
        part.len -= is_open;
        joined = apr_pstrcat(file->reader->pool, joined, av_slice_string(part, file->reader->pool), NULL);
    }
    *line = av_slice_string(av_slice_trim(av_slice_of(joined)), file->reader->pool);
    return is_there;
}

/* Cuts the first word off, which is a directive's name or a section's. */
static const char *take_name(const char **line, apr_pool_t *pool)
{
    size_t len = strcspn(*line, " \t>");
    const char *name = apr_pstrmemdup(pool, *line, len);
    *line += len;
    *line += strspn(*line, " \t");
    return name;
}

static const char *value_of(const config_reader *reader, const char *name)
{
    const char *value = apr_table_get(reader->defined, name);
    return value ? value : getenv(name);
}

/* httpd puts values into words, this into the line: they are the same unless a value would be several words. What is
 * not defined stays, as in httpd. */
static const char *put_variables(const config_reader *reader, const char *line, const char **doubt)
{
    const char *made = "", *start, *end;
    while ((start = strstr(line, "${")) && (end = strchr(start, '}'))) {
        const char *name = apr_pstrmemdup(reader->pool, start + 2, (apr_size_t)(end - start - 2));
        const char *value = value_of(reader, name);
        if (value && value[strcspn(value, " \t\"'\\")]) {
            *doubt = apr_psprintf(reader->pool, "the value of ${%s} has blanks, quotes or backslashes", name);
            value = NULL;
        }
        const char *before = apr_pstrmemdup(reader->pool, line, (apr_size_t)(start - line));
        made = apr_pstrcat(reader->pool, made, before, value ? value : apr_psprintf(reader->pool, "${%s}", name), NULL);
        line = end + 1;
    }
    return apr_pstrcat(reader->pool, made, line, NULL);
}

/* --- conditions --- */

static bool has_module(const config_reader *reader, const char *name)
{
    static const char *const always[] = { "authverify_module", "mod_authverify.c", "core_module", "core.c",
                                          "http_module",       "http_core.c",      "so_module",   "mod_so.c" };
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        if (strcmp(always[i], name) == 0) {
            return true;
        }
    }
    return apr_table_get(reader->modules, name) != NULL;
}

static const char *from_root(const config_reader *reader, const char *path)
{
    return *path == '/' ? path : apr_pstrcat(reader->pool, reader->root, "/", path, NULL);
}

static truth judge(const config_reader *reader, const char *name, const char *word)
{
    truth plain = UNKNOWN;
    bool is_negated = *word == '!';
    word += is_negated;
    if (strcasecmp(name, "IfDefine") == 0) {
        plain = apr_table_get(reader->defined, word) ? YES : NO;
    } else if (strcasecmp(name, "IfFile") == 0) {
        plain = access(from_root(reader, word), F_OK) == 0 ? YES : NO;
    } else if (strcasecmp(name, "IfModule") == 0) {
        plain = has_module(reader, word) ? YES : UNKNOWN;
    }
    return plain == UNKNOWN || !is_negated ? plain : plain == YES ? NO : YES;
}

static bool is_condition(const char *name)
{
    static const char *const names[] = { "IfDefine", "IfModule", "IfFile", "IfVersion", "IfDirective", "IfSection" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_left_out(const config_reader *reader)
{
    for (int i = 0; i < reader->conditions->nelts; i++) {
        if (APR_ARRAY_IDX(reader->conditions, i, condition).truth == NO) {
            return true;
        }
    }
    return false;
}

static const char *doubt_of(const config_reader *reader)
{
    for (int i = 0; i < reader->conditions->nelts; i++) {
        const condition *open = &APR_ARRAY_IDX(reader->conditions, i, condition);
        if (open->truth == UNKNOWN) {
            return apr_psprintf(reader->pool, "it stands in %s, and whether that holds the files do not tell",
                                open->text);
        }
    }
    return NULL;
}

static const char *unquoted(const char *text, apr_pool_t *pool)
{
    av_slice word = av_slice_trim(av_slice_of(text));
    bool is_quoted = word.len > 1 && (*word.at == '"' || *word.at == '\'') && word.at[word.len - 1] == *word.at;
    return av_slice_string(is_quoted ? (av_slice){ word.at + 1, word.len - 2 } : word, pool);
}

static const char *without_bracket(const char *arguments, apr_pool_t *pool)
{
    const char *end = strrchr(arguments, '>');
    return end ? apr_pstrmemdup(pool, arguments, (apr_size_t)(end - arguments)) : arguments;
}

/* --- directives that say what is read --- */

static const char *define(config_reader *reader, const char *arguments, bool is_there)
{
    const char *rest = arguments, *name = take_name(&rest, reader->pool);
    if (is_there) {
        apr_table_set(reader->defined, name, unquoted(rest, reader->pool));
    } else {
        apr_table_unset(reader->defined, name);
    }
    return NULL;
}

/* LoadModule ssl_module modules/mod_ssl.so */
static void note_module(config_reader *reader, const char *arguments)
{
    const char *rest = arguments, *name = take_name(&rest, reader->pool);
    const char *path = unquoted(rest, reader->pool), *slash = strrchr(path, '/');
    char *file = apr_pstrdup(reader->pool, slash ? slash + 1 : path);
    char *dot = strrchr(file, '.');
    apr_table_setn(reader->modules, name, "");
    if (dot) {
        *dot = '\0';
        apr_table_setn(reader->modules, apr_pstrcat(reader->pool, file, ".c", NULL), "");
    }
}

static const char *read_matches(config_reader *reader, const char *pattern, const glob_t *found)
{
    const char *error = NULL;
    for (size_t i = 0; !error && i < found->gl_pathc; i++) {
        apr_finfo_t info;
        const char *path = apr_pstrdup(reader->pool, found->gl_pathv[i]);
        bool is_folder = apr_stat(&info, path, APR_FINFO_TYPE, reader->pool) == APR_SUCCESS && info.filetype == APR_DIR;
        error = is_folder ? apr_psprintf(reader->pool, "%s includes the folder %s, which is not followed; write %s/*",
                                         pattern, path, path)
                          : read_file(reader, path);
    }
    return error;
}

static const char *include(config_reader *reader, const char *arguments, bool is_optional)
{
    glob_t found;
    const char *pattern = from_root(reader, unquoted(arguments, reader->pool));
    if (glob(pattern, 0, NULL, &found) != 0) {
        return is_optional ? NULL : apr_psprintf(reader->pool, "nothing is there to include as %s", pattern);
    }
    const char *error = read_matches(reader, pattern, &found);
    globfree(&found);
    return error;
}

/* --- reading --- */

static const char *hand_on(config_file *file, avt_config_kind kind, const char *name, const char *arguments,
                           const char *doubt)
{
    config_reader *reader = file->reader;
    const avt_config_line line = { .kind = kind,
                                   .name = name,
                                   .arguments = arguments,
                                   .place = apr_psprintf(reader->pool, "%s line %d", file->path, file->number),
                                   .doubt = doubt ? doubt : doubt_of(reader) };
    return reader->visit(reader->baton, &line);
}

static const char *take_section(config_file *file, const char *line, const char *doubt)
{
    config_reader *reader = file->reader;
    bool closes = *line == '/';
    line += closes;
    const char *name = take_name(&line, reader->pool), *arguments = without_bracket(line, reader->pool);
    if (!is_condition(name)) {
        return is_left_out(reader) ? NULL : hand_on(file, closes ? AVT_CLOSES : AVT_OPENS, name, arguments, doubt);
    }
    if (!closes) {
        *(condition *)apr_array_push(reader->conditions) =
            (condition){ judge(reader, name, unquoted(arguments, reader->pool)),
                         apr_psprintf(reader->pool, "<%s %s>", name, arguments) };
    } else if (reader->conditions->nelts == file->open) {
        return apr_psprintf(reader->pool, "</%s> closes nothing", name);
    } else {
        apr_array_pop(reader->conditions);
    }
    return NULL;
}

static const char *take_directive(config_file *file, const char *line, const char *doubt)
{
    config_reader *reader = file->reader;
    const char *name = take_name(&line, reader->pool);
    if (strcasecmp(name, "Define") == 0 || strcasecmp(name, "UnDefine") == 0) {
        return define(reader, line, apr_tolower(*name) == 'd');
    }
    if (strcasecmp(name, "Include") == 0 || strcasecmp(name, "IncludeOptional") == 0) {
        return include(reader, line, strcasecmp(name, "Include") != 0);
    }
    if (strcasecmp(name, "LoadModule") == 0 && !doubt_of(reader)) {
        note_module(reader, line);
    }
    if (strcasecmp(name, "ServerRoot") == 0) {
        reader->root = unquoted(line, reader->pool);
    }
    return hand_on(file, AVT_DIRECTIVE, name, line, doubt);
}

static const char *take(config_file *file, const char *line)
{
    const char *doubt = NULL;
    if (!*line || *line == '#') {
        return NULL;
    }
    line = put_variables(file->reader, line, &doubt);
    if (*line == '<') {
        return take_section(file, line + 1, doubt);
    }
    return is_left_out(file->reader) ? NULL : take_directive(file, line, doubt);
}

/* The innermost file's place is the one that helps. */
static const char *with_place(const config_file *file, const char *error)
{
    config_reader *reader = file->reader;
    if (!error || reader->is_placed) {
        return error;
    }
    reader->is_placed = true;
    return apr_psprintf(reader->pool, "%s line %d: %s", file->path, file->number, error);
}

static const char *check_end(const config_file *file)
{
    const apr_array_header_t *conditions = file->reader->conditions;
    if (conditions->nelts == file->open) {
        return NULL;
    }
    const char *text = APR_ARRAY_IDX(conditions, conditions->nelts - 1, condition).text;
    return with_place(file, apr_psprintf(conditions->pool, "%s is not closed", text));
}

static const char *read_file(config_reader *reader, const char *path)
{
    config_file file = { .reader = reader, .path = path, .open = reader->conditions->nelts };
    char *line;
    if (reader->depth == DEEPEST_INCLUDE) {
        return "files are included in one another too deep";
    }
    const char *error = avt_file_read(path, &file.rest, reader->pool);
    reader->depth++;
    while (!error && take_line(&file, &line)) {
        error = with_place(&file, take(&file, line));
    }
    reader->depth--;
    return error ? error : check_end(&file);
}

static const char *folder_of(const char *path, apr_pool_t *pool)
{
    char *real = realpath(path, NULL);
    const char *whole = apr_pstrdup(pool, real ? real : path), *slash = strrchr(whole, '/');
    free(real);
    return slash ? apr_pstrmemdup(pool, whole, (apr_size_t)(slash - whole)) : ".";
}

const char *avt_config_read(const char *path, const char *root, const apr_array_header_t *defines,
                            avt_config_visitor visit, void *baton, const char **root_found, apr_pool_t *pool)
{
    config_reader reader = { .defined = apr_table_make(pool, 16),
                             .modules = apr_table_make(pool, 64),
                             .conditions = apr_array_make(pool, 8, sizeof(condition)),
                             .root = root ? root : folder_of(path, pool),
                             .visit = visit,
                             .baton = baton,
                             .pool = pool };
    for (int i = 0; defines && i < defines->nelts; i++) {
        av_slice value = av_slice_of(APR_ARRAY_IDX(defines, i, const char *)), name;
        av_slice_split(&value, '=', &name);
        apr_table_set(reader.defined, av_slice_string(name, pool), value.at ? value.at : "");
    }
    const char *error = read_file(&reader, path);
    *root_found = reader.root;
    return error;
}
