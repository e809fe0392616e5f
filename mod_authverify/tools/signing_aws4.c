/* Signs a request as the clients of AWS do: the other end of schemes/aws4.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/secret.h"
#include "../schemes/aws4/request.h"
#include "delivery.h"
#include "secret_word.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <stdlib.h>

typedef struct signing {
    const av_rule *rule;
    const av_aws4_settings *settings;
    avt_delivery *delivery;
    av_aws4_credential credential;
    av_slice payload_line;
    apr_pool_t *pool;
} signing;

/* The first of a list, which must name one. */
static const char *first_of(av_slice list, const char *option, av_slice *word, apr_pool_t *pool)
{
    av_slice_split(&list, ',', word);
    return av_slice_equal(*word, AV_SLICE("*")) ? apr_psprintf(pool, "which %s? name one with %s=", option, option)
                                                : NULL;
}

static const char *name_scope(signing *sign)
{
    av_aws4_credential *credential = &sign->credential;
    const char *key = sign->settings->access_key.len ? sign->settings->access_key.at : sign->delivery->client;
    if (!key) {
        return "which access key? name it with access-key= or --client";
    }
    const char *error = first_of(sign->settings->regions, "region", &credential->region, sign->pool);
    error = error ? error : first_of(sign->settings->services, "service", &credential->service, sign->pool);
    if (error || !av_timestamp_basic(sign->delivery->time, credential->timestamp)) {
        return error ? error : "the time is outside of any calendar";
    }
    credential->signed_at = sign->delivery->time;
    credential->date = (av_slice){ credential->timestamp, 8 };
    credential->access_key = av_slice_of(key);
    credential->text = av_slice_of(apr_psprintf(
        sign->pool, "%s/%.8s/%.*s/%.*s/aws4_request", key, credential->timestamp, (int)credential->region.len,
        credential->region.at, (int)credential->service.len, credential->service.at));
    credential->scope = av_slice_skip(credential->text, credential->access_key.len + 1);
    return NULL;
}

static void put_header(const signing *sign, av_slice name, av_slice value)
{
    *(av_header *)apr_array_push(sign->delivery->headers) = (av_header){ name, value };
}

static void put_parameter(const signing *sign, const char *name, av_slice value)
{
    const av_selector place = { AV_SELECT_PARAMETER, av_slice_of(name) };
    avt_delivery_put(sign->delivery, &place, value, sign->pool);
}

/* In a URL S3 signs no body; everywhere else the body's hash is signed, and S3 wants it said. */
static void hash_body(signing *sign)
{
    bool is_s3 = av_aws4_is_s3(sign->settings, sign->credential.service);
    if (sign->credential.in_query && is_s3) {
        sign->payload_line = AV_SLICE("UNSIGNED-PAYLOAD");
        return;
    }
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_digest(sign->rule->crypto->sha256, sign->delivery->body, hash, &size);
    sign->payload_line = av_encode(AV_HEX, (av_slice){ (const char *)hash, size }, sign->pool);
    if (is_s3) {
        put_header(sign, AV_SLICE("X-Amz-Content-Sha256"), sign->payload_line);
    }
}

static int by_name(const void *left, const void *right)
{
    return av_slice_compare(*(const av_slice *)left, *(const av_slice *)right);
}

/* Every header that is sent, and Host. */
static av_slice name_headers(const signing *sign)
{
    const apr_array_header_t *headers = sign->delivery->headers;
    apr_array_header_t *names = apr_array_make(sign->pool, headers->nelts + 1, sizeof(av_slice));
    const char *list = "";
    *(av_slice *)apr_array_push(names) = AV_SLICE("host");
    for (int i = 0; i < headers->nelts; i++) {
        char *name = av_slice_string(APR_ARRAY_IDX(headers, i, av_header).name, sign->pool);
        for (char *at = name; *at; at++) {
            *at = (char)apr_tolower(*at);
        }
        if (strcmp(name, "host") != 0) {
            *(av_slice *)apr_array_push(names) = av_slice_of(name);
        }
    }
    qsort(names->elts, (size_t)names->nelts, sizeof(av_slice), by_name);
    for (int i = 0; i < names->nelts; i++) {
        list = apr_pstrcat(sign->pool, list, i ? ";" : "", APR_ARRAY_IDX(names, i, av_slice).at, NULL);
    }
    return av_slice_of(list);
}

/* What a presigned URL says of its signature, before the signature itself. */
static void put_parameters(const signing *sign)
{
    const av_aws4_credential *credential = &sign->credential;
    put_parameter(sign, "X-Amz-Algorithm", AV_SLICE(AV_AWS4_HMAC));
    put_parameter(sign, "X-Amz-Credential", credential->text);
    put_parameter(sign, "X-Amz-Date", av_slice_of(credential->timestamp));
    put_parameter(sign, "X-Amz-Expires", av_slice_of(sign->delivery->expires));
    put_parameter(sign, "X-Amz-SignedHeaders", credential->signed_headers);
    if (sign->settings->session_token.len) {
        put_parameter(sign, "X-Amz-Security-Token", sign->settings->session_token);
    }
}

static void put_credential(signing *sign)
{
    sign->credential.in_query = sign->delivery->expires != NULL;
    hash_body(sign);
    if (!sign->credential.in_query) {
        put_header(sign, AV_SLICE("X-Amz-Date"), av_slice_of(sign->credential.timestamp));
        if (sign->settings->session_token.len) {
            put_header(sign, AV_SLICE("X-Amz-Security-Token"), sign->settings->session_token);
        }
    }
    sign->credential.signed_headers = name_headers(sign);
    if (sign->credential.in_query) {
        put_parameters(sign);
    }
}

static av_slice host_of(const av_request *request)
{
    for (apr_size_t i = 0; i < request->header_count; i++) {
        if (av_slice_equal_nocase(request->headers[i].name, AV_SLICE("Host"))) {
            return request->headers[i].value;
        }
    }
    return (av_slice){ "", 0 };
}

static const char *string_to_sign(signing *sign, av_slice *text)
{
    av_request request;
    av_aws4_headers headers;
    const char *error = avt_delivery_view(sign->delivery, &request, sign->pool);
    if (error) {
        return error;
    }
    if (av_aws4_headers_find(&request, sign->settings, &sign->credential, host_of(&request), &headers, sign->pool) !=
        AV_ACCEPTED) {
        return "a header is there twice, or its name is no name";
    }
    av_aws4_canonical canonical = {
        .method = request.method,
        .path = av_aws4_canonical_path(request.path, av_aws4_path_form(sign->settings, sign->credential.service),
                                       sign->settings->plus_is_space, sign->pool),
        .query = av_aws4_canonical_query(request.query, AV_SLICE(""), AV_SLICE(""), sign->pool),
        .headers = &headers,
        .signed_headers = sign->credential.signed_headers,
    };
    if (!canonical.path.at || !canonical.query.at) {
        return "the URL has a percent sign that two digits do not follow";
    }
    av_aws4_canonical_begin(&canonical, sign->pool);
    av_slice hash = av_aws4_canonical_hash(sign->rule->crypto, av_aws4_canonical_write(&canonical, 0),
                                           sign->payload_line, sign->pool);
    *text = av_aws4_string_to_sign(&sign->credential, hash, sign->pool);
    return hash.len ? NULL : "the library refused to hash";
}

static void put_signature(const signing *sign, av_slice signature)
{
    const av_aws4_credential *credential = &sign->credential;
    if (credential->in_query) {
        put_parameter(sign, "X-Amz-Signature", signature);
        return;
    }
    put_header(sign, AV_SLICE("Authorization"),
               av_slice_of(apr_pstrcat(sign->pool, AV_AWS4_HMAC " Credential=", credential->text.at, ", SignedHeaders=",
                                       credential->signed_headers.at, ", Signature=", signature.at, NULL)));
}

/* What is put into the delivery borrows from `sign`, which therefore lives as long. */
const char *avt_sign_aws4(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    signing *sign = apr_pcalloc(pool, sizeof(*sign));
    av_slice text = { "", 0 };
    av_key key = { .algorithm = &av_aws4_algorithm, .crypto = rule->crypto };
    *sign = (signing){ .rule = rule, .settings = rule->settings, .delivery = delivery, .pool = pool };
    const char *error = name_scope(sign);
    if (!error) {
        put_credential(sign);
        error = string_to_sign(sign, &text);
    }
    error = error ? error : key.algorithm->prepare(&key, secret, pool);
    if (error) {
        return error;
    }
    av_aws4_signer *signer = av_aws4_signer_create(rule->crypto, &sign->credential, pool);
    if (!signer || !av_aws4_signer_derive(signer, &key)) {
        return "the library refused to sign";
    }
    put_signature(sign, av_aws4_signer_sign(signer, text, pool));
    return NULL;
}
