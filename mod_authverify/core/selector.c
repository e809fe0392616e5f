/* %{…}: one value of a request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "selector.h"
#include "codec.h"

#include <apr_strings.h>

/* Indexed by av_selector_kind. */
static const struct {
    const char *word;
    bool takes_name;
} kinds[] = {
    [AV_SELECT_BODY] = { "body", false },
    [AV_SELECT_BODY_SHA256] = { "body-sha256", false },
    [AV_SELECT_METHOD] = { "method", false },
    [AV_SELECT_URL] = { "url", false },
    [AV_SELECT_TARGET] = { "target", false },
    [AV_SELECT_PATH] = { "path", false },
    [AV_SELECT_QUERY] = { "query", false },
    [AV_SELECT_HEADER] = { "header", true },
    [AV_SELECT_PARAMETER] = { "query", true },
    [AV_SELECT_FORM] = { "form", true },
    [AV_SELECT_JSON] = { "json", true },
    [AV_SELECT_FIELD] = { "field", true },
    [AV_SELECT_TIMESTAMP] = { "timestamp", false },
    [AV_SELECT_ID] = { "id", false },
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static bool has_blank_or_brace(av_slice name)
{
    return av_slice_contains(name, ' ') || av_slice_contains(name, '\t') || av_slice_contains(name, '}') ||
           av_slice_contains(name, '{') || av_slice_contains(name, '\0');
}

const char *av_selector_parse(av_slice text, av_selector *selector, apr_pool_t *pool)
{
    av_slice rest = text, word;
    av_slice_split(&rest, ':', &word);
    bool named = rest.at != NULL;
    const char *written = av_slice_string(text, pool);

    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        if (kinds[kind].takes_name == named && av_slice_equal(word, av_slice_of(kinds[kind].word))) {
            *selector = (av_selector){ (av_selector_kind)kind, av_slice_of(named ? av_slice_string(rest, pool) : "") };
            if (has_blank_or_brace(rest)) {
                return apr_psprintf(pool, "%%{%s}: a name holds neither blanks nor braces", written);
            }
            if (kind == AV_SELECT_JSON) {
                return rest.len && av_json_pointer_is_valid(selector->name.at)
                           ? NULL
                           : apr_psprintf(pool, "%%{%s}: after json: stands a pointer such as /data/id", written);
            }
            return !named || rest.len ? NULL : apr_psprintf(pool, "%%{%s}: a name must follow the colon", written);
        }
    }
    return apr_psprintf(
        pool,
        "%%{%s} is no selector; there are %%{body} %%{body-sha256} %%{method} %%{url} %%{target} %%{path} %%{query} "
        "%%{header:NAME} %%{query:NAME} %%{form:NAME} %%{json:/POINTER} %%{field:NAME} %%{timestamp} "
        "%%{id} %%{lf}",
        written);
}

static const char *kinds_text(unsigned allowed, apr_pool_t *pool)
{
    const char *text = "";
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        if (allowed & (1u << kind)) {
            text = apr_pstrcat(pool, text, *text ? ", " : "", "%{", kinds[kind].word,
                               kinds[kind].takes_name ? ":..." : "", "}", NULL);
        }
    }
    return text;
}

const char *av_selector_parse_only(const char *value, unsigned allowed, av_selector *selector, apr_pool_t *pool)
{
    av_slice text = av_slice_of(value);
    const char *error = NULL;
    bool braced = av_slice_starts_with(text, AV_SLICE("%{")) && text.at[text.len - 1] == '}';
    if (braced) {
        error = av_selector_parse((av_slice){ text.at + 2, text.len - 3 }, selector, pool);
    }
    if (!error && (!braced || !(allowed & (1u << selector->kind)))) {
        error = apr_psprintf(pool, "\"%s\" must be one of %s", value, kinds_text(allowed, pool));
    }
    return error;
}

static av_found read_header(av_slice name, const av_request *request, av_slice *value)
{
    av_found found = AV_ABSENT;
    for (apr_size_t i = 0; i < request->header_count; i++) {
        if (av_slice_equal_nocase(name, request->headers[i].name)) {
            if (found == AV_FOUND) {
                return AV_TWICE;
            }
            found = AV_FOUND;
            *value = request->headers[i].value;
        }
    }
    return found;
}

/* One parameter of name=value&name=value. The names are compared decoded, so that none hides behind an escape. */
static av_found read_parameter(av_slice name, av_slice text, av_slice *value, apr_pool_t *pool)
{
    av_found found = AV_ABSENT;
    av_slice part, key;
    while (av_slice_split(&text, '&', &part)) {
        av_slice raw = part;
        av_slice_split(&raw, '=', &key);
        if (!av_percent_decode(key, true, &key, pool)) {
            return AV_BROKEN;
        }
        if (part.len == 0 || !av_slice_equal(name, key)) {
            continue;
        }
        if (found == AV_FOUND) {
            return AV_TWICE;
        }
        if (!av_percent_decode(raw.at ? raw : (av_slice){ "", 0 }, true, value, pool)) {
            return AV_BROKEN;
        }
        found = AV_FOUND;
    }
    return found;
}

static av_found read_field(av_slice name, const av_fields *fields, av_slice *value)
{
    switch (fields ? av_fields_get(fields, name, value) : 0) {
    case 0:
        return AV_ABSENT;
    case 1:
        return AV_FOUND;
    default:
        return AV_BROKEN; /* the sender's own grammar is broken: a value that may stand there once stands there twice */
    }
}

static av_found known(av_slice text, av_slice *value)
{
    *value = text;
    return AV_FOUND;
}

av_found av_selector_read(const av_selector *selector, const av_view *view, av_slice *value, apr_pool_t *pool)
{
    const av_request *request = view->request;
    *value = (av_slice){ "", 0 };
    switch (selector->kind) {
    case AV_SELECT_BODY:
        return view->body ? known(*view->body, value) : AV_ABSENT;
    case AV_SELECT_BODY_SHA256:
        return view->body_sha256.len ? known(view->body_sha256, value) : AV_ABSENT;
    case AV_SELECT_METHOD:
        return known(request->method, value);
    case AV_SELECT_URL:
        return known(av_slice_join(request->origin, request->target, pool), value);
    case AV_SELECT_TARGET:
        return known(request->target, value);
    case AV_SELECT_PATH:
        return known(request->path, value);
    case AV_SELECT_QUERY:
        return known(request->query, value);
    case AV_SELECT_HEADER:
        return read_header(selector->name, request, value);
    case AV_SELECT_PARAMETER:
        return read_parameter(selector->name, request->query, value, pool);
    case AV_SELECT_FORM:
        return view->body ? read_parameter(selector->name, *view->body, value, pool) : AV_ABSENT;
    case AV_SELECT_JSON:
        return view->json && av_json_text(view->json, selector->name.at, value, pool) ? AV_FOUND : AV_ABSENT;
    case AV_SELECT_FIELD:
        return read_field(selector->name, view->fields, value);
    case AV_SELECT_TIMESTAMP:
        return known(view->timestamp, value);
    case AV_SELECT_ID:
        return known(view->id, value);
    }
    return AV_BROKEN;
}

bool av_value_is_merged(av_slice value)
{
    av_slice part;
    while (av_slice_split(&value, ',', &part)) {
        if (value.len && value.at[0] == ' ') {
            return true;
        }
    }
    return false;
}

bool av_selector_is_in_body(const av_selector *selector)
{
    return ((1u << selector->kind) &
            (AV_SELECTS(BODY) | AV_SELECTS(BODY_SHA256) | AV_SELECTS(FORM) | AV_SELECTS(JSON))) != 0;
}

bool av_selector_equal(const av_selector *a, const av_selector *b)
{
    return a->kind == b->kind &&
           (a->kind == AV_SELECT_HEADER ? av_slice_equal_nocase(a->name, b->name) : av_slice_equal(a->name, b->name));
}

const char *av_selector_text(const av_selector *selector, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "%{", kinds[selector->kind].word, selector->name.len ? ":" : "", selector->name.at, "}",
                       NULL);
}
