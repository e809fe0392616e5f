/* A request that is made here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "delivery.h"
#include "../core/codec.h"

#include <apr_lib.h>
#include <apr_strings.h>

const char *avt_delivery_add_header(avt_delivery *delivery, const char *text, apr_pool_t *pool)
{
    av_slice value = av_slice_of(text), name;
    av_slice_split(&value, ':', &name);
    if (!value.at || !av_slice_is_visible(name)) {
        return apr_psprintf(pool, "\"%s\" is no header; write Name:value", text);
    }
    *(av_header *)apr_array_push(delivery->headers) = (av_header){ name, av_slice_trim(value) };
    return NULL;
}

static const av_header *find_header(const avt_delivery *delivery, av_slice name)
{
    for (int i = 0; i < delivery->headers->nelts; i++) {
        const av_header *header = &APR_ARRAY_IDX(delivery->headers, i, av_header);
        if (av_slice_equal_nocase(header->name, name)) {
            return header;
        }
    }
    return NULL;
}

/* https://host/path?query: the authority becomes Host where no other was given. */
const char *avt_delivery_view(const avt_delivery *delivery, av_request *request, apr_pool_t *pool)
{
    const char *authority = strstr(delivery->url, "://");
    size_t len = authority ? strcspn(authority + 3, "/?") : 0;
    if (!len || !av_slice_is_visible(av_slice_of(delivery->url))) {
        return apr_psprintf(pool, "\"%s\" is no URL; write https://host/path", delivery->url);
    }
    if (memchr(authority + 3, '@', len) || strchr(authority, '#')) {
        return "the URL names a user or a fragment, which are not part of what is sent";
    }
    const char *target = authority + 3 + len;
    apr_array_header_t *headers = apr_array_copy(pool, delivery->headers);
    if (!find_header(delivery, AV_SLICE("Host"))) {
        *(av_header *)apr_array_push(headers) = (av_header){ AV_SLICE("Host"), { authority + 3, len } };
    }
    *request = (av_request){ .method = delivery->method,
                             .target = av_slice_of(*target == '/' ? target : apr_pstrcat(pool, "/", target, NULL)),
                             .origin = { delivery->url, (apr_size_t)(target - delivery->url) },
                             .host_is_ours = true,
                             .headers = (const av_header *)headers->elts,
                             .header_count = (apr_size_t)headers->nelts,
                             .received_at = delivery->time };
    request->query = request->target;
    av_slice_split(&request->query, '?', &request->path);
    request->query = request->query.at ? request->query : (av_slice){ "", 0 };
    return NULL;
}

static void put_parameter(avt_delivery *delivery, av_slice name, av_slice value, apr_pool_t *pool)
{
    delivery->url = apr_pstrcat(pool, delivery->url, strchr(delivery->url, '?') ? "&" : "?",
                                av_percent_encode(name, "&=+", pool), "=", av_percent_encode(value, "&=+", pool), NULL);
}

void avt_delivery_put(avt_delivery *delivery, const av_selector *place, av_slice value, apr_pool_t *pool)
{
    if (place->kind == AV_SELECT_PARAMETER) {
        put_parameter(delivery, place->name, value, pool);
    } else {
        *(av_header *)apr_array_push(delivery->headers) = (av_header){ place->name, value };
    }
}

static void put_header(avt_delivery *delivery, av_slice name, const char *value)
{
    *(av_header *)apr_array_push(delivery->headers) = (av_header){ name, av_slice_of(value) };
}

/* Schemes whose credential is sent as it is. */

static const char *add_pair(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    (void)pool;
    if (!delivery->client) {
        return "which client? name its token with --client";
    }
    put_header(delivery, rule->places[0].name, delivery->client);
    put_header(delivery, rule->places[1].name, secret.at);
    return NULL;
}

static const char *add_password(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    (void)rule;
    if (!delivery->client || strchr(delivery->client, ':')) {
        return delivery->client ? "a user's name holds no colon" : "which user? name it with --client";
    }
    const char *both = apr_pstrcat(pool, delivery->client, ":", secret.at, NULL);
    put_header(delivery, AV_SLICE("Authorization"),
               apr_pstrcat(pool, "Basic ", av_encode(AV_BASE64, av_slice_of(both), pool).at, NULL));
    return NULL;
}

static const char *add_token(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    const char *word = rule->places[0].name.at;
    put_header(delivery, AV_SLICE("Authorization"), apr_pstrcat(pool, word, *word ? " " : "", secret.at, NULL));
    return NULL;
}

static const char *add_key(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    const av_place *place = &rule->places[0];
    const av_selector selector = { place->kind == AV_PLACE_PARAMETER ? AV_SELECT_PARAMETER : AV_SELECT_HEADER,
                                   place->name };
    avt_delivery_put(delivery, &selector, secret, pool);
    return NULL;
}

static const struct sender {
    const char *scheme;
    const char *(*sign)(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool);
} senders[] = {
    { "signature", avt_sign_text }, { "aws4", avt_sign_aws4 }, { "token-pair", add_pair },
    { "basic", add_password },      { "bearer", add_token },   { "api-key", add_key },
};

/* What is not checked here would be another header, or another request. */
static const char *check_lines(const avt_delivery *delivery, apr_pool_t *pool)
{
    for (int i = 0; i < delivery->headers->nelts; i++) {
        const av_header *header = &APR_ARRAY_IDX(delivery->headers, i, av_header);
        for (apr_size_t at = 0; at < header->value.len; at++) {
            if (apr_iscntrl(header->value.at[at]) && header->value.at[at] != '\t') {
                return apr_psprintf(pool, "the value of %s holds a line end or another control byte",
                                    av_slice_string(header->name, pool));
            }
        }
    }
    return av_slice_is_visible(delivery->method) ? NULL : "the method is no word";
}

static const char *add_credential(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        if (strcmp(senders[i].scheme, rule->scheme->name) == 0) {
            return senders[i].sign(delivery, rule, secret, pool);
        }
    }
    return apr_psprintf(pool, "the scheme %s sends no credential", rule->scheme->name);
}

const char *avt_delivery_sign(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    av_request seen;
    const char *error = avt_delivery_view(delivery, &seen, pool);
    error = error ? error : add_credential(delivery, rule, secret, pool);
    return error ? error : check_lines(delivery, pool);
}
