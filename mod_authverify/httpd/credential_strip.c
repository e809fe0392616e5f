/* Takes credentials out of what the handler and the logs see.
 * SPDX-License-Identifier: Apache-2.0 */
#include "credential_strip.h"

#include "../core/authorization.h"

#include <apr_lib.h>
#include <scoreboard.h>

/* The query without the parameter: "a=1&key=x&b=2" becomes "a=1&b=2". The names are compared decoded. */
static const char *without_parameter(const char *query, av_slice name, apr_pool_t *pool)
{
    char *result = apr_palloc(pool, strlen(query) + 1), *end = result;
    av_slice rest = av_slice_of(query), part;
    while (av_slice_split(&rest, '&', &part)) {
        av_slice tail = part, key;
        av_slice_split(&tail, '=', &key);
        if (av_percent_decode(key, true, &key, pool) && av_slice_equal(key, name)) {
            continue;
        }
        if (end != result) {
            *end++ = '&';
        }
        memcpy(end, part.at, part.len);
        end += part.len;
    }
    *end = '\0';
    return result;
}

/* A URL, or a request line that ends in " HTTP/…", without the parameter. */
static char *url_without_parameter(const char *url, av_slice name, apr_pool_t *pool)
{
    const char *query = url ? strchr(url, '?') : NULL;
    if (!query) {
        return (char *)url;
    }
    const char *protocol = strrchr(query, ' ');
    const char *end = protocol ? protocol : query + strlen(query);
    const char *kept = without_parameter(apr_pstrmemdup(pool, query + 1, (apr_size_t)(end - query - 1)), name, pool);
    return apr_pstrcat(pool, apr_pstrmemdup(pool, url, (apr_size_t)(query - url)), *kept ? "?" : "", kept, end, NULL);
}

static void strip_parameter_here(request_rec *r, av_slice name)
{
    if (r->args) {
        const char *kept = without_parameter(r->args, name, r->pool);
        r->args = *kept ? (char *)kept : NULL;
    }
    if (r->parsed_uri.query) {
        const char *kept = without_parameter(r->parsed_uri.query, name, r->pool);
        r->parsed_uri.query = *kept ? (char *)kept : NULL;
    }
    r->unparsed_uri = url_without_parameter(r->unparsed_uri, name, r->pool);
    r->the_request = url_without_parameter(r->the_request, name, r->pool);
    if (r->filename && strncmp(r->filename, "proxy:", 6) == 0) {
        r->filename = url_without_parameter(r->filename, name, r->pool);
    }
}

/* The access log looks at the first request of a chain of redirects, the handler at the last. A subrequest is by
 * itself. */
void avh_strip_parameter(request_rec *r, av_slice name)
{
    for (; r; r = r->prev) {
        strip_parameter_here(r, name);
        if (!r->main && !r->prev) {
            ap_update_child_status(r->connection->sbh, SERVER_BUSY_WRITE, r);
        }
    }
}

static void strip_authorization(request_rec *r, av_slice word)
{
    av_slice credential;
    const char *value = apr_table_get(r->headers_in, "Authorization");
    if (value && av_authorization_has(av_slice_of(value), word, &credential)) {
        apr_table_unset(r->headers_in, "Authorization");
    }
}

static void strip_place(request_rec *r, const av_place *place)
{
    switch (place->kind) {
    case AV_PLACE_HEADER:
        apr_table_unset(r->headers_in, place->name.at);
        break;
    case AV_PLACE_PARAMETER:
        avh_strip_parameter(r, place->name);
        break;
    case AV_PLACE_AUTHORIZATION:
        strip_authorization(r, place->name);
        break;
    }
}

static void strip_list(request_rec *r, const apr_array_header_t *rules)
{
    for (int i = 0; i < rules->nelts; i++) {
        const av_rule *rule = APR_ARRAY_IDX(rules, i, const av_rule *);
        for (apr_size_t j = 0; rule->strip && j < rule->place_count; j++) {
            strip_place(r, &rule->places[j]);
        }
        for (const av_place *place = rule->companions; rule->strip && place && place->name.at; place++) {
            strip_place(r, place);
        }
    }
}

void avh_strip_credentials(request_rec *r, const av_policy *policy)
{
    strip_list(r, policy->rules);
    strip_list(r, policy->also);
}

static bool is_same_name(av_slice a, const char *b)
{
    if (a.len != strlen(b)) {
        return false;
    }
    for (apr_size_t i = 0; i < a.len; i++) {
        char x = a.at[i] == '_' ? '-' : a.at[i], y = b[i] == '_' ? '-' : b[i];
        if (apr_tolower(x) != apr_tolower(y)) {
            return false;
        }
    }
    return true;
}

static void strike_from_connection(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, "Connection");
    av_slice rest = av_slice_of(value), part;
    const char *kept = "";
    bool is_struck = false;
    while (value && av_slice_split(&rest, ',', &part)) {
        part = av_slice_trim(part);
        if (is_same_name(part, name)) {
            is_struck = true;
        } else {
            kept = apr_pstrcat(r->pool, kept, *kept ? ", " : "", av_slice_string(part, r->pool), NULL);
        }
    }
    if (is_struck) {
        apr_table_setn(r->headers_in, "Connection", kept);
    }
}

static void protect_list(request_rec *r, const apr_array_header_t *rules)
{
    for (int i = 0; i < rules->nelts; i++) {
        const apr_array_header_t *names = APR_ARRAY_IDX(rules, i, const av_rule *)->header_names;
        for (int j = 0; j < names->nelts; j++) {
            strike_from_connection(r, APR_ARRAY_IDX(names, j, av_slice).at);
        }
    }
}

void avh_protect_headers(request_rec *r, const av_policy *policy)
{
    if (apr_table_get(r->headers_in, "Connection")) {
        protect_list(r, policy->rules);
        protect_list(r, policy->also);
    }
}

void avh_strip_header(request_rec *r, const char *name)
{
    const apr_array_header_t *table = apr_table_elts(r->headers_in);
    for (int i = 0; i < table->nelts; i++) {
        const char *key = APR_ARRAY_IDX(table, i, apr_table_entry_t).key;
        if (key && is_same_name(av_slice_of(key), name)) {
            apr_table_unset(r->headers_in, key);
            i = -1; /* the table has moved */
        }
    }
    strike_from_connection(r, name);
}

/* "aws-chunked,gzip" becomes "gzip". */
static void strike_content_coding(request_rec *r, const char *name)
{
    av_slice rest = av_slice_of(apr_table_get(r->headers_in, "Content-Encoding")), part;
    const char *kept = "";
    while (rest.at && av_slice_split(&rest, ',', &part)) {
        part = av_slice_trim(part);
        if (!av_slice_equal_nocase(part, av_slice_of(name))) {
            kept = apr_pstrcat(r->pool, kept, *kept ? "," : "", av_slice_string(part, r->pool), NULL);
        }
    }
    if (*kept) {
        apr_table_setn(r->headers_in, "Content-Encoding", kept);
    } else {
        apr_table_unset(r->headers_in, "Content-Encoding");
    }
}

void avh_strip_coding(request_rec *r, const av_coding *coding)
{
    strike_content_coding(r, coding->name);
    for (const char *const *name = coding->headers; *name; name++) {
        apr_table_unset(r->headers_in, *name);
    }
}
