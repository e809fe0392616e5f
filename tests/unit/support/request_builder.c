/* Requests and rules from text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/request_builder.h"

#include <stdlib.h>

#define MOST_HEADERS 64

/* "POST /path?query HTTP/1.1" */
static bool read_request_line(av_slice line, av_request *head)
{
    av_slice query;

    if (!av_slice_split(&line, ' ', &head->method) || !av_slice_split(&line, ' ', &head->target) || !line.at) {
        return false;
    }
    query = head->target;
    av_slice_split(&query, '?', &head->path);
    head->query = query.at ? query : AV_SLICE("");
    return true;
}

static bool read_header(av_slice line, av_header *header)
{
    if (!av_slice_split(&line, ':', &header->name) || !line.at) {
        return false;
    }
    header->value = av_slice_trim(line);
    return true;
}

static av_slice origin_of(const av_request *head, apr_pool_t *pool)
{
    av_slice host = AV_SLICE("");

    for (apr_size_t i = 0; i < head->header_count; i++) {
        if (av_slice_equal_nocase(head->headers[i].name, AV_SLICE("Host"))) {
            host = head->headers[i].value;
        }
    }
    char *origin = apr_palloc(pool, 8 + host.len + 1);
    memcpy(origin, "https://", 8);
    memcpy(origin + 8, host.at, host.len);
    return (av_slice){ origin, 8 + host.len };
}

bool request_build(av_slice text, built_request *request, apr_pool_t *pool)
{
    av_slice line;
    av_header *headers = apr_pcalloc(pool, MOST_HEADERS * sizeof(*headers));

    *request = (built_request){ .head = { .headers = headers, .host_is_ours = true, .received_at = RECEIVED_AT },
                                .parse_limit = 1024 * 1024 };
    if (!av_slice_split(&text, '\n', &line) || !read_request_line(line, &request->head)) {
        return false;
    }
    while (av_slice_split(&text, '\n', &line) && line.len) {
        if (request->head.header_count == MOST_HEADERS || !read_header(line, &headers[request->head.header_count++])) {
            return false;
        }
    }
    request->body = text;
    request->head.origin = origin_of(&request->head, pool);
    return text.at != NULL;
}

av_compiler request_compiler(const char *folder, apr_pool_t *pool)
{
    return (av_compiler){ .pool = pool,
                          .crypto = av_crypto_create(pool),
                          .access = { .base = folder },
                          .presets = av_presets_create(pool),
                          .warnings = apr_array_make(pool, 4, sizeof(const char *)),
                          .loaded = apr_hash_make(pool) };
}

const char *request_rule(const char *line, const av_compiler *compiler, av_rule **rule)
{
    av_words words;
    const char *error = av_words_split(line, &words, compiler->pool);

    *rule = NULL;
    if (error || !words.count) {
        return error ? error : "no word";
    }
    return av_rule_compile(words.at[0], &words, compiler, rule);
}

static apr_status_t free_bytes(void *bytes)
{
    free(bytes);
    return APR_SUCCESS;
}

/* The body behind its lead. */
static av_slice keep(av_slice lead, av_slice body, apr_pool_t *pool)
{
    char *bytes = malloc(lead.len + body.len ? lead.len + body.len : 1);

    if (!bytes) {
        abort();
    }
    apr_pool_cleanup_register(pool, bytes, free_bytes, apr_pool_cleanup_null);
    if (lead.len) {
        memcpy(bytes, lead.at, lead.len);
    }
    if (body.len) {
        memcpy(bytes + lead.len, body.at, body.len);
    }
    return (av_slice){ bytes + lead.len, body.len };
}

void request_read_body(const built_request *request, av_reading *reading, apr_pool_t *pool)
{
    apr_size_t step = request->step ? request->step : request->body.len;

    reading->parse_limit = request->parse_limit;
    if (!reading->wants_body) {
        return;
    }
    for (av_slice rest = request->body; rest.len; rest = av_slice_skip(rest, step)) {
        av_feed(reading, rest.at, rest.len < step ? rest.len : step);
    }
    if (reading->keeps_body) {
        reading->body = keep(reading->lead, request->body, pool);
    }
}

av_verdict request_prove(const built_request *request, av_claim *claim, apr_pool_t *pool)
{
    av_reading reading;
    av_reason reason = av_open(claim, &reading, pool);

    if (reason != AV_ACCEPTED) {
        return av_refusal(reason, claim);
    }
    request_read_body(request, &reading, pool);
    return av_prove(claim, &reading, &request->head, pool);
}

av_verdict request_decide(const av_policy *policy, const built_request *request, apr_pool_t *pool)
{
    av_claim *claim;
    av_reason reason = av_find(policy, &request->head, &claim, pool);

    return reason == AV_ACCEPTED ? request_prove(request, claim, pool) : av_refusal(reason, claim);
}
