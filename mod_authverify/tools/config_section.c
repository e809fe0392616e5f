/* What is in force for a path.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config_section.h"
#include "config_reader.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>

#define MAIN_SERVER 0

typedef enum part_kind {
    PART_SERVER,   /* what a server or a virtual host says for all of itself */
    PART_LOCATION, /* <Location PATH> */
    PART_REGEX,    /* <LocationMatch>, <Location ~> */
    PART_FOLDER,   /* what is merged before locations are: <Directory>, <Files>, <Proxy> */
    PART_IF        /* what is merged after them */
} part_kind;

/* A section, and what it says itself. */
typedef struct part {
    part_kind kind;
    const char *title;       /* "<Location "/api"> (httpd.conf line 3)" */
    const char *path;        /* of PART_LOCATION */
    int host;                /* index of the virtual host that it stands in */
    const char *doubt;       /* NULL, or why what it says about verification is not known */
    const char *inner;       /* NULL, or the title of a section inside of it that has rules */
    bool is_off, has_others; /* has_others: directives that are not looked at */
    apr_array_header_t *rules, *also;
    const char *origin, *mode;
    bool as_registered;
    int strict_path, preflight; /* -1: not said */
} part;

typedef struct virtual_host {
    const char *title, *address;
    apr_array_header_t *names; /* of const char *, without ports, as ServerName and ServerAlias have them */
} virtual_host;

typedef struct config {
    const avt_config_query *query;
    avt_section *section;
    av_presets *presets;
    apr_array_header_t *parts; /* of part *, in the order of the files */
    apr_array_header_t *hosts; /* of virtual_host; the first is the main server */
    apr_array_header_t
        *open; /* of part *: the sections around the line; of a section inside of a part, the same part */
    apr_array_header_t *inner; /* of const char *: titles of the sections inside of a part */
    int host;                  /* that the line stands in */
    apr_pool_t *pool;
} config;

static bool is_called(const char *name, const char *directive)
{
    return av_slice_equal_nocase(av_slice_of(name), av_slice_of(directive));
}

/* --- collecting --- */

static part *add_part(config *all, part_kind kind, const char *title)
{
    part *made = apr_pcalloc(all->pool, sizeof(*made));
    *made = (part){ .kind = kind,
                    .title = title,
                    .host = all->host,
                    .rules = apr_array_make(all->pool, 4, sizeof(const char *)),
                    .also = apr_array_make(all->pool, 4, sizeof(const char *)),
                    .strict_path = -1,
                    .preflight = -1 };
    *(part **)apr_array_push(all->parts) = made;
    return made;
}

static part *innermost(const config *all)
{
    return APR_ARRAY_IDX(all->open, all->open->nelts - 1, part *);
}

static void add_host(config *all, const char *title, const char *address)
{
    *(virtual_host *)apr_array_push(all->hosts) =
        (virtual_host){ title, address, apr_array_make(all->pool, 4, sizeof(const char *)) };
}

/* "https://www.example.com:443" is the host "www.example.com". */
static void add_name(const config *all, const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    virtual_host *own = &APR_ARRAY_IDX(all->hosts, all->host, virtual_host);
    *(const char **)apr_array_push(own->names) = apr_pstrmemdup(all->pool, host, strcspn(host, ":"));
}

static part_kind kind_of(const char *name, const av_words *words)
{
    if (is_called(name, "Location")) {
        return words->count == 1 ? PART_LOCATION : PART_REGEX;
    }
    if (is_called(name, "LocationMatch")) {
        return PART_REGEX;
    }
    bool is_if = is_called(name, "If") || is_called(name, "ElseIf") || is_called(name, "Else");
    return is_if ? PART_IF : PART_FOLDER;
}

/* The words of a line that may hold anything; none where they are not well-formed. */
static av_words words_of(const config *all, const char *text)
{
    av_words words = { NULL, 0 };
    return av_words_split(text, &words, all->pool) ? (av_words){ NULL, 0 } : words;
}

static void open_part(config *all, const avt_config_line *line)
{
    const char *title = apr_psprintf(all->pool, "<%s %s> (%s)", line->name, line->arguments, line->place);
    part *around = innermost(all), *made = around;
    av_words words = words_of(all, line->arguments);
    if (around->kind == PART_SERVER && is_called(line->name, "VirtualHost")) {
        all->host = all->hosts->nelts;
        add_host(all, title, line->arguments);
        made = add_part(all, PART_SERVER, title);
        made->doubt = line->doubt;
    } else if (around->kind == PART_SERVER) {
        made = add_part(all, kind_of(line->name, &words), title);
        made->path = words.count ? words.at[0] : "";
    }
    *(part **)apr_array_push(all->open) = made;
    *(const char **)apr_array_push(all->inner) = made == around ? title : NULL;
}

static const char *close_part(config *all, const avt_config_line *line)
{
    if (all->open->nelts == 1) {
        return apr_psprintf(all->pool, "</%s> closes nothing", line->name);
    }
    all->host = is_called(line->name, "VirtualHost") ? MAIN_SERVER : all->host;
    apr_array_pop(all->open);
    apr_array_pop(all->inner);
    return NULL;
}

static const char *take_preset(const config *all, const avt_config_line *line)
{
    av_words words;
    if (line->doubt) {
        return apr_psprintf(all->pool, "this preset cannot be used: %s", line->doubt);
    }
    const char *error = av_words_split(line->arguments, &words, all->pool);
    return error ? error : av_presets_add(all->presets, &words, line->place);
}

static void take_rule(const config *all, part *own, const avt_config_line *line)
{
    const char *inner = APR_ARRAY_IDX(all->inner, all->inner->nelts - 1, const char *);
    bool is_also = is_called(line->name, "AuthVerifyAlso");
    if (inner) {
        own->inner = inner;
    } else if (!is_also && is_called(line->arguments, "off")) {
        own->is_off = true;
    } else {
        *(const char **)apr_array_push(is_also ? own->also : own->rules) = line->arguments;
    }
}

static void take_origin(const config *all, part *own, const char *url)
{
    size_t len = strlen(url);
    own->as_registered = is_called(url, "as-registered");
    own->origin =
        own->as_registered ? NULL : apr_pstrmemdup(all->pool, url, len && url[len - 1] == '/' ? len - 1 : len);
}

/* What a section says about verification, beyond its rules. */
static void take_setting(const config *all, part *own, const avt_config_line *line)
{
    av_words words = words_of(all, line->arguments);
    const char *value = words.count == 1 ? words.at[0] : "";
    if (is_called(line->name, "AuthVerifyExternalURL")) {
        take_origin(all, own, value);
    } else if (is_called(line->name, "AuthVerifyMode")) {
        own->mode = value;
    } else if (is_called(line->name, "AuthVerifyStrictPath")) {
        own->strict_path = is_called(value, "on");
    } else if (is_called(line->name, "AuthVerifyPreflight")) {
        own->preflight = is_called(value, "on");
    } else if (is_called(line->name, "AuthVerifyPresetPath")) {
        all->section->preset_path = value;
    } else if (is_called(line->name, "AuthVerifyBody")) {
        own->has_others = true;
    }
}

static const char *take_directive(const config *all, const avt_config_line *line)
{
    part *own = innermost(all);
    av_words words = words_of(all, line->arguments);
    bool is_ours = av_slice_starts_with(av_slice_of(line->name), AV_SLICE("AuthVerify"));
    if (is_called(line->name, "AuthVerifyPreset")) {
        return take_preset(all, line);
    }
    if (is_called(line->name, "Use")) {
        *(const char **)apr_array_push(all->section->notes) =
            apr_psprintf(all->pool, "%s: Use of a macro is not followed", line->place);
    }
    if (own->kind == PART_SERVER && (is_called(line->name, "ServerName") || is_called(line->name, "ServerAlias"))) {
        for (apr_size_t i = 0; i < words.count; i++) {
            add_name(all, words.at[i]);
        }
    }
    own->has_others |= is_called(line->name, "Require") && words.count && is_called(words.at[0], "authverify");
    own->doubt = is_ours && line->doubt ? apr_psprintf(all->pool, "%s: %s", line->place, line->doubt) : own->doubt;
    if (is_called(line->name, "AuthVerify") || is_called(line->name, "AuthVerifyAlso")) {
        take_rule(all, own, line);
    } else if (is_ours) {
        take_setting(all, own, line);
    }
    return NULL;
}

static const char *take(void *baton, const avt_config_line *line)
{
    config *all = baton;
    if (line->kind == AVT_OPENS) {
        open_part(all, line);
        return NULL;
    }
    return line->kind == AVT_CLOSES ? close_part(all, line) : take_directive(all, line);
}

/* --- choosing the virtual host --- */

static bool is_named(const virtual_host *host, av_slice name, apr_pool_t *pool)
{
    const char *text = av_slice_string(name, pool);
    for (int i = 0; i < host->names->nelts; i++) {
        if (apr_fnmatch(APR_ARRAY_IDX(host->names, i, const char *), text, APR_FNM_CASE_BLIND) == APR_SUCCESS) {
            return true;
        }
    }
    return false;
}

/* Candidates: of the address that was told, and called as the request's host; where none is, all of that address. */
static apr_array_header_t *candidates(const config *all, bool by_name)
{
    const avt_config_query *query = all->query;
    apr_array_header_t *found = apr_array_make(all->pool, 4, sizeof(int));
    for (int i = MAIN_SERVER + 1; i < all->hosts->nelts; i++) {
        const virtual_host *host = &APR_ARRAY_IDX(all->hosts, i, virtual_host);
        bool is_there = !query->virtual_host || strcmp(query->virtual_host, host->address) == 0;
        if (is_there && (!by_name || is_named(host, query->host, all->pool))) {
            *(int *)apr_array_push(found) = i;
        }
    }
    return found;
}

static const char *which_host(const config *all, const apr_array_header_t *found)
{
    const char *list = "";
    for (int i = 0; i < found->nelts; i++) {
        const virtual_host *host = &APR_ARRAY_IDX(all->hosts, APR_ARRAY_IDX(found, i, int), virtual_host);
        list = apr_pstrcat(all->pool, list, i ? ", " : "", host->title, NULL);
    }
    return apr_psprintf(all->pool,
                        "several virtual hosts may answer for the host \"%s\": %s. Name one by what stands behind its "
                        "<VirtualHost, with --virtual-host",
                        av_slice_string(all->query->host, all->pool), list);
}

static void note(const config *all, const char *text)
{
    *(const char **)apr_array_push(all->section->notes) = text;
}

/* The main server answers only where there is no virtual host, as far as can be known without addresses. */
static const char *choose_host(const config *all, int *chosen)
{
    const char *told = all->query->virtual_host;
    *chosen = MAIN_SERVER;
    if (all->hosts->nelts == 1 && (!told || is_called(told, "none"))) {
        return NULL;
    }
    if (told && is_called(told, "none")) {
        return NULL;
    }
    apr_array_header_t *found = candidates(all, true);
    found = found->nelts ? found : candidates(all, false);
    if (found->nelts != 1) {
        return found->nelts ? which_host(all, found)
                            : apr_psprintf(all->pool, "there is no <VirtualHost %s>", told ? told : "");
    }
    *chosen = APR_ARRAY_IDX(found, 0, int);
    note(all, apr_psprintf(all->pool, "the host \"%s\" is served by %s", av_slice_string(all->query->host, all->pool),
                           APR_ARRAY_IDX(all->hosts, *chosen, virtual_host).title));
    return NULL;
}

/* --- merging --- */

/* As ap_location_walk: by segments, or as a pattern whose "*" does not match a slash. */
static bool covers(const part *location, const char *path)
{
    size_t len = strlen(location->path);
    if (apr_fnmatch_test(location->path)) {
        return apr_fnmatch(location->path, path, APR_FNM_PATHNAME) == APR_SUCCESS;
    }
    bool begins = strncmp(location->path, path, len) == 0;
    return begins && (!len || location->path[len - 1] == '/' || path[len] == '/' || !path[len]);
}

static bool has_rules(const part *one)
{
    return one->is_off || one->rules->nelts || one->also->nelts || one->inner;
}

static bool is_ours(const part *one)
{
    return has_rules(one) || one->origin || one->as_registered || one->mode || one->strict_path >= 0 ||
           one->preflight >= 0 || one->has_others;
}

static const char *undecided(const config *all, const part *one, const char *why)
{
    return apr_psprintf(all->pool, "%s: %s; write the rules that are in force with --rule", one->title, why);
}

static void take_settings(avt_section *section, const part *one)
{
    if (one->origin || one->as_registered) {
        section->origin = one->origin;
        section->host_is_ours = true;
    }
    section->mode = one->mode ? one->mode : section->mode;
    section->strict_path = one->strict_path >= 0 ? one->strict_path : section->strict_path;
    section->preflight = one->preflight >= 0 ? one->preflight : section->preflight;
}

/* A section with rules, of either kind, replaces the whole set of what is around it. */
static const char *merge(const config *all, const part *one, const part **source)
{
    if (!is_ours(one)) {
        return NULL;
    }
    if (one->doubt) {
        return undecided(all, one, one->doubt);
    }
    if (one->inner) {
        return undecided(all, one, apr_psprintf(all->pool, "%s inside of it has rules", one->inner));
    }
    take_settings(all->section, one);
    *source = has_rules(one) ? one : *source;
    if (one->has_others) {
        note(all,
             apr_psprintf(all->pool, "%s: AuthVerifyBody and \"Require authverify\" are not looked at", one->title));
    }
    return NULL;
}

/* All sections of a kind that count for this host, the main server's first. */
static const char *merge_kind(const config *all, part_kind kind, int host, const part **source)
{
    const char *error = NULL;
    for (int turn = 0; turn < (host == MAIN_SERVER ? 1 : 2); turn++) {
        for (int i = 0; !error && i < all->parts->nelts; i++) {
            const part *one = APR_ARRAY_IDX(all->parts, i, const part *);
            bool counts = one->kind == kind && one->host == (turn ? host : MAIN_SERVER);
            if (counts && (kind != PART_LOCATION || covers(one, all->query->path))) {
                error = merge(all, one, source);
            }
        }
    }
    return error;
}

/* The first section of a kind that has rules, and stands behind `after` in the order of merging; NULL: none. */
static const part *with_rules(const config *all, part_kind kind, int host, const part *after)
{
    bool is_behind = !after || after->kind != PART_LOCATION;
    for (int i = 0; i < all->parts->nelts; i++) {
        const part *one = APR_ARRAY_IDX(all->parts, i, const part *);
        bool counts = one->kind == kind && (one->host == host || one->host == MAIN_SERVER) && has_rules(one);
        bool is_later = after && one->host != after->host ? one->host > after->host : is_behind;
        if (counts && is_later) {
            return one;
        }
        is_behind = is_behind || one == after;
    }
    return NULL;
}

/* What cannot be evaluated must not matter. */
static const char *check_others(const config *all, int host, const part *source)
{
    const part *found = with_rules(all, PART_IF, host, NULL);
    if (found) {
        return undecided(all, found, "whether its expression is true is not known here");
    }
    found = with_rules(all, PART_REGEX, host, source);
    if (found) {
        return undecided(all, found, "regular expressions are not looked at");
    }
    found = with_rules(all, PART_FOLDER, host, NULL);
    if (!found) {
        return NULL;
    }
    if (!source || source->kind == PART_SERVER) {
        return undecided(all, found, "which file or backend a request is for is not known here");
    }
    note(all, apr_psprintf(all->pool, "%s has rules, too; those of %s replace them", found->title, source->title));
    return NULL;
}

static const char *take_result(const config *all, const part *source)
{
    const char *path = all->query->path, *file = all->query->file;
    if (!source) {
        return apr_psprintf(all->pool, "%s has no rule that is in force for \"%s\"", file, path);
    }
    if (source->is_off) {
        return apr_psprintf(all->pool, "%s says AuthVerify off: nothing is verified for \"%s\"", source->title, path);
    }
    all->section->rules = source->rules;
    all->section->also = source->also;
    note(all, apr_psprintf(all->pool, "the rules in force for \"%s\" are those of %s", path, source->title));
    return NULL;
}

static const char *resolve(const config *all)
{
    int host = MAIN_SERVER;
    const part *source = NULL;
    const char *error = choose_host(all, &host);
    const virtual_host *own = &APR_ARRAY_IDX(all->hosts, host, virtual_host);
    all->section->host_is_ours = !own->names->nelts || is_named(own, all->query->host, all->pool);
    error = error ? error : merge_kind(all, PART_SERVER, host, &source);
    error = error ? error : merge_kind(all, PART_LOCATION, host, &source);
    error = error ? error : check_others(all, host, source);
    return error ? error : take_result(all, source);
}

const char *avt_section_read(const avt_config_query *query, av_presets *presets, avt_section *section, apr_pool_t *pool)
{
    config all = { .query = query,
                   .section = section,
                   .presets = presets,
                   .parts = apr_array_make(pool, 32, sizeof(part *)),
                   .hosts = apr_array_make(pool, 4, sizeof(virtual_host)),
                   .open = apr_array_make(pool, 4, sizeof(part *)),
                   .inner = apr_array_make(pool, 4, sizeof(const char *)),
                   .pool = pool };
    *section = (avt_section){ .notes = apr_array_make(pool, 4, sizeof(const char *)) };
    add_host(&all, "the main server", "");
    *(part **)apr_array_push(all.open) = add_part(&all, PART_SERVER, "the main server");
    *(const char **)apr_array_push(all.inner) = NULL;
    const char *error = avt_config_read(query->file, query->root, query->defines, take, &all, &section->root, pool);
    if (!error && all.open->nelts > 1) {
        error = apr_psprintf(pool, "%s is not closed", innermost(&all)->title);
    }
    return error ? error : resolve(&all);
}
