/* The aws4 scheme: AWS Signature Version 4 and 4A, in the Authorization header or in a presigned URL, over a hashed body
 * or a stream of signed chunks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/reading.h"
#include "../core/scheme.h"
#include "aws4/request.h"

#include <openssl/crypto.h>

/* "https://host/prefix" */
static void split_origin(av_slice origin, av_slice *host, av_slice *prefix)
{
    apr_size_t at = 0;
    while (at + 2 < origin.len && !(origin.at[at] == ':' && origin.at[at + 1] == '/' && origin.at[at + 2] == '/')) {
        at++;
    }
    *prefix = av_slice_skip(origin, at + 3);
    apr_size_t len = 0;
    while (len < prefix->len && prefix->at[len] != '/') {
        len++;
    }
    *host = (av_slice){ prefix->at, len };
    *prefix = av_slice_skip(*prefix, len);
}

/* A URL is good from a little before its time until it expires, that second included. */
static av_reason check_url_time(const av_aws4_credential *credential, const av_claim *claim)
{
    apr_time_t now = claim->now - claim->now % APR_USEC_PER_SEC;
    apr_time_t lifetime = credential->lifetime ? apr_time_from_sec(credential->lifetime) : claim->rule->past;
    if (credential->signed_at - now > claim->rule->future) {
        return AV_TOO_EARLY;
    }
    return now - credential->signed_at > lifetime ? AV_TOO_LATE : AV_ACCEPTED;
}

static av_reason check_time(const av_aws4_credential *credential, const av_aws4_settings *settings, av_claim *claim)
{
    if (!credential->in_query) {
        claim->is_timed = true;
        claim->signed_at = credential->signed_at;
        return AV_ACCEPTED;
    }
    return credential->lifetime || settings->needs_no_expires ? check_url_time(credential, claim)
                                                              : AV_MALFORMED_CREDENTIAL;
}

/* A token that was put in after signing stands in no canonical query. */
static av_slice unsigned_parameter(const av_aws4_settings *settings, const av_aws4_credential *credential)
{
    return settings->allows_unsigned_token && credential->in_query ? AV_SLICE("X-Amz-Security-Token") : AV_SLICE("");
}

static av_reason write_canonical(const av_request *request, const av_aws4_settings *settings, av_slice prefix,
                                 av_aws4_request *notes, apr_pool_t *pool)
{
    const av_aws4_credential *credential = &notes->credential;
    av_aws4_path form = av_aws4_path_form(settings, credential->service);
    av_slice path = prefix.len ? av_slice_join(prefix, request->path, pool) : request->path;
    av_slice without = credential->in_query ? AV_SLICE("X-Amz-Signature") : AV_SLICE("");
    notes->canonical = (av_aws4_canonical){
        .method = request->method,
        .path = av_aws4_canonical_path(path, form, settings->plus_is_space, pool),
        .query = av_aws4_canonical_query(request->query, without, unsigned_parameter(settings, credential), pool),
        .headers = &notes->headers,
        .signed_headers = credential->signed_headers,
    };
    if (!notes->canonical.path.at || !notes->canonical.query.at) {
        return AV_MALFORMED_CREDENTIAL;
    }
    av_aws4_canonical_begin(&notes->canonical, pool);
    return AV_ACCEPTED;
}

static void tell_attributes(av_aws4_request *notes, av_claim *claim)
{
    const av_aws4_credential *credential = &notes->credential;
    av_aws4_payload_kind kind = notes->payload.kind;
    bool is_signed = kind != AV_AWS4_UNSIGNED && kind != AV_AWS4_UNSIGNED_CHUNKS;
    notes->attributes[0] =
        (av_attribute){ "REGION", credential->is_ecdsa ? credential->region_set : credential->region };
    notes->attributes[1] = (av_attribute){ "SERVICE", credential->service };
    notes->attributes[2] = (av_attribute){ "PAYLOAD", is_signed ? AV_SLICE("signed") : AV_SLICE("unsigned") };
    claim->attributes = notes->attributes;
    claim->attribute_count = 3;
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const av_aws4_settings *settings = claim->rule->settings;
    av_aws4_request *notes = apr_pcalloc(pool, sizeof(*notes));
    av_slice host, prefix;
    claim->parsed = notes;
    split_origin(request->origin, &host, &prefix);

    av_reason reason = av_aws4_credential_find(request, settings, &notes->credential, pool);
    claim->in_query = notes->credential.in_query;
    claim->client_id = notes->credential.access_key;
    reason = reason == AV_ACCEPTED ? check_time(&notes->credential, settings, claim) : reason;
    if (reason == AV_ACCEPTED) {
        reason = av_aws4_headers_find(request, settings, &notes->credential, host, &notes->headers, pool);
    }
    if (reason == AV_ACCEPTED) {
        reason = av_aws4_payload_find(request, settings, &notes->credential, &notes->payload);
    }
    if (reason == AV_ACCEPTED) {
        reason = write_canonical(request, settings, prefix, notes, pool);
    }
    tell_attributes(notes, claim);
    return reason;
}

/* A temporary key comes with its token, and only with it. */
static bool is_token(const av_aws4_settings *settings, av_slice token)
{
    return settings->session_token.len ? av_secret_equal(settings->session_token, token) : !token.len;
}

/* The signature, and then the token: before it, a wrong token would tell a key that is known from one that is not. */
static av_reason prove_head(av_aws4_request *notes, const av_claim *claim, av_slice payload_line, apr_pool_t *pool)
{
    av_reason reason = av_aws4_prove(notes, claim, payload_line, pool);
    bool has_token = is_token(claim->rule->settings, notes->credential.session_token);
    return reason == AV_ACCEPTED && !has_token ? AV_WRONG_SESSION_TOKEN : reason;
}

static av_reason take_plain(av_reader *reader, const char *bytes, apr_size_t *len, char *out)
{
    av_aws4_request *notes = reader->claim->parsed;
    av_slice slice = { bytes, *len };
    (void)out;
    bool done = (!notes->hash || EVP_DigestUpdate(notes->hash, bytes, *len) == 1) &&
                av_aws4_payload_add(&notes->payload, slice);
    return done ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

static bool open_plain(av_aws4_request *notes, const av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    bool is_hashed = notes->payload.kind != AV_AWS4_UNSIGNED;
    if (!is_hashed && !notes->payload.sum_count) {
        return true;
    }
    notes->hash = is_hashed ? av_digest_context(pool) : NULL;
    notes->reader = (av_reader){ .claim = claim, .take = take_plain };
    return (!is_hashed || (notes->hash && EVP_DigestInit_ex(notes->hash, claim->rule->crypto->sha256, NULL) == 1)) &&
           av_reading_read(reading, &notes->reader);
}

static bool open_stream(av_aws4_request *notes, const av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    notes->stream = av_aws4_stream_create(claim, &notes->payload, notes->signer, pool);
    reading->keeps_coding |= !claim->rule->strip; /* who gets the credential gets what it is about */
    return notes->stream && av_reading_read(reading, av_aws4_stream_reader(notes->stream));
}

static av_reason open_body(av_aws4_request *notes, const av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    av_aws4_payload_kind kind = notes->payload.kind;
    bool is_stream = kind == AV_AWS4_CHUNKS || kind == AV_AWS4_UNSIGNED_CHUNKS;
    reading->fixes_headers = true;
    bool done = av_aws4_payload_prepare(&notes->payload, claim->rule->crypto, pool) &&
                (is_stream ? open_stream(notes, claim, reading, pool) : open_plain(notes, claim, reading, pool));
    return done ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

/* Whatever the head can prove is proven before the body is read. */
static av_reason open(av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    const av_aws4_settings *settings = claim->rule->settings;
    av_aws4_request *notes = claim->parsed;
    if (!claim->record && !av_secret_equal(settings->access_key, claim->client_id)) {
        claim->is_unknown = true;
    }
    av_reason reason = AV_ACCEPTED;
    if (notes->payload.kind != AV_AWS4_COMPUTED) {
        reason = prove_head(notes, claim, notes->payload.line, pool);
    }
    return reason == AV_ACCEPTED ? open_body(notes, claim, reading, pool) : reason;
}

/* The body's hash as text; empty where the library failed. */
static av_slice body_hash(const av_aws4_request *notes, apr_pool_t *pool)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(notes->hash, hash, &size) != 1) {
        return (av_slice){ NULL, 0 };
    }
    return av_encode(AV_HEX, (av_slice){ (const char *)hash, size }, pool);
}

static av_reason prove_body(av_aws4_request *notes, const av_claim *claim, apr_pool_t *pool)
{
    av_slice hash = notes->hash ? body_hash(notes, pool) : (av_slice){ "", 0 };
    av_reason reason = AV_ACCEPTED;
    if (notes->stream) {
        return av_aws4_stream_finish(notes->stream);
    }
    if (!hash.at) {
        return AV_INTERNAL_ERROR;
    }
    if (notes->payload.kind == AV_AWS4_COMPUTED) {
        reason = prove_head(notes, claim, hash, pool);
    } else if (notes->payload.kind == AV_AWS4_HASHED && !av_slice_equal(hash, notes->payload.line)) {
        reason = AV_PAYLOAD_MISMATCH;
    }
    return reason == AV_ACCEPTED && !av_aws4_payload_sums_agree(&notes->payload) ? AV_CHECKSUM_MISMATCH : reason;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    av_aws4_request *notes = claim->parsed;
    av_reason reason = prove_body(notes, claim, pool);
    (void)reading;
    *label = notes->label;
    return reason;
}

const av_scheme av_scheme_aws4 = {
    .name = "aws4",
    .challenge = AV_AWS4_HMAC,
    .options = av_aws4_options,
    .settings_size = sizeof(av_aws4_settings),
    .init = av_aws4_init,
    .finish = av_aws4_finish,
    .find = find,
    .open = open,
    .prove = prove,
};
