/* The rules of one <Location>.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config_section.h"
#include "file_input.h"

#include <apr_strings.h>

typedef struct config_reader {
    const char *path, *location;
    avt_section *section;
    av_presets *presets;
    int depth;  /* sections that are open, but for conditions */
    int inside; /* the depth of the one that is looked for while it is open, otherwise 0 */
    int found;  /* how often it was there */
    int number; /* of the line */
    apr_pool_t *pool;
} config_reader;

/* The next line, joined with those that it is continued in. */
static bool take_line(config_reader *reader, av_slice *text, const char **line)
{
    av_slice part;
    bool is_open = true;
    const char *joined = apr_pstrdup(reader->pool, "");
    while (is_open && av_slice_split(text, '\n', &part)) {
        reader->number++;
        part.len -= part.len && part.at[part.len - 1] == '\r';
        is_open = part.len && part.at[part.len - 1] == '\\';
        part.len -= is_open;
        joined = apr_pstrcat(reader->pool, joined, av_slice_string(part, reader->pool), NULL);
    }
    *line = joined + strspn(joined, " \t");
    return text->at || **line;
}

/* Cuts the first word off, which is a directive's name. */
static av_slice take_name(const char **line)
{
    av_slice name = { *line, strcspn(*line, " \t>") };
    *line += name.len;
    *line += strspn(*line, " \t");
    return name;
}

static bool is_called(av_slice name, const char *directive)
{
    return av_slice_equal_nocase(name, av_slice_of(directive));
}

static bool is_condition(av_slice name)
{
    return is_called(name, "IfModule") || is_called(name, "IfDefine") || is_called(name, "IfVersion");
}

static const char *open_section(config_reader *reader, const char *line)
{
    av_words words = { NULL, 0 };
    av_slice name = take_name(&line);
    if (is_condition(name)) {
        return NULL;
    }
    reader->depth++;
    const char *end = strrchr(line, '>');
    if (!is_called(name, "Location") || !end) {
        return NULL;
    }
    const char *error =
        av_words_split(apr_pstrmemdup(reader->pool, line, (apr_size_t)(end - line)), &words, reader->pool);
    if (!error && words.count == 1 && strcmp(words.at[0], reader->location) == 0) {
        reader->inside = reader->depth;
        reader->found++;
    }
    return error;
}

static void close_section(config_reader *reader, const char *line)
{
    if (!is_condition(take_name(&line))) {
        reader->inside = reader->inside == reader->depth ? 0 : reader->inside;
        reader->depth -= reader->depth > 0;
    }
}

static const char *take_preset(config_reader *reader, const char *line)
{
    av_words words;
    const char *origin = apr_psprintf(reader->pool, "line %d of %s", reader->number, reader->path);
    const char *error = av_words_split(line, &words, reader->pool);
    return error ? error : av_presets_add(reader->presets, &words, origin);
}

static const char *take_value(config_reader *reader, const char *line, const char **value)
{
    av_words words;
    const char *error = av_words_split(line, &words, reader->pool);
    if (!error && words.count == 1) {
        *value = words.at[0];
    }
    return error;
}

static const char *take_rule(config_reader *reader, const char *line, apr_array_header_t *rules)
{
    if (reader->depth != reader->inside) {
        return "stands in a section inside of the location; name it with --rule instead";
    }
    if (is_called(av_slice_trim(av_slice_of(line)), "off")) {
        return "AuthVerify off: nothing is verified there";
    }
    *(const char **)apr_array_push(rules) = line;
    return NULL;
}

/* What matters of a directive: presets everywhere, the server's own outside of all sections, rules inside the
 * location. */
static const char *take_directive(config_reader *reader, const char *line)
{
    avt_section *section = reader->section;
    av_slice name = take_name(&line);
    bool is_whole_server = reader->depth == 0;
    if (is_called(name, "AuthVerifyPreset")) {
        return take_preset(reader, line);
    }
    if (is_whole_server && is_called(name, "AuthVerifyPresetPath")) {
        return take_value(reader, line, &section->preset_path);
    }
    if (is_whole_server && is_called(name, "ServerRoot")) {
        return take_value(reader, line, &section->server_root);
    }
    if (!reader->inside) {
        return NULL;
    }
    if (is_called(name, "AuthVerifyExternalURL")) {
        return strcmp(line, "as-registered") == 0 ? NULL : take_value(reader, line, &section->origin);
    }
    if (is_called(name, "AuthVerify")) {
        return take_rule(reader, line, section->rules);
    }
    return is_called(name, "AuthVerifyAlso") ? take_rule(reader, line, section->also) : NULL;
}

static const char *take(config_reader *reader, const char *line)
{
    if (!*line || *line == '#') {
        return NULL;
    }
    if (line[0] == '<' && line[1] == '/') {
        close_section(reader, line + 2);
        return NULL;
    }
    return *line == '<' ? open_section(reader, line + 1) : take_directive(reader, line);
}

static const char *judge(const config_reader *reader)
{
    if (reader->found != 1) {
        return apr_psprintf(reader->pool, "%s has %s <Location \"%s\">", reader->path,
                            reader->found ? "more than one" : "no", reader->location);
    }
    return reader->section->rules->nelts
               ? NULL
               : apr_psprintf(reader->pool, "<Location \"%s\"> of %s has no AuthVerify of its own", reader->location,
                              reader->path);
}

const char *avt_section_read(const char *path, const char *location, av_presets *presets, avt_section *section,
                             apr_pool_t *pool)
{
    av_slice text = { "", 0 };
    const char *line;
    config_reader reader = { .path = path, .location = location, .section = section, .presets = presets, .pool = pool };
    memset(section, 0, sizeof(*section));
    section->rules = apr_array_make(pool, 4, sizeof(const char *));
    section->also = apr_array_make(pool, 4, sizeof(const char *));
    const char *error = avt_file_read(path, &text, pool);
    while (!error && take_line(&reader, &text, &line)) {
        error = take(&reader, line);
        error = error ? apr_psprintf(pool, "%s line %d: %s", path, reader.number, error) : NULL;
    }
    return error ? error : judge(&reader);
}
