/* What a signature says of the body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#define HASH_TEXT 64

/* The five words of chunked uploads. */
static const struct streaming {
    av_slice word;
    bool is_ecdsa, is_signed, has_trailers;
} streamings[] = {
    { { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 34 }, false, true, false },
    { { "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 42 }, false, true, true },
    { { "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", 40 }, true, true, false },
    { { "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", 48 }, true, true, true },
    { { "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34 }, false, false, true },
};

static const struct streaming *find_streaming(av_slice word)
{
    for (size_t i = 0; i < sizeof(streamings) / sizeof(streamings[0]); i++) {
        if (av_slice_equal(word, streamings[i].word)) {
            return &streamings[i];
        }
    }
    return NULL;
}

static bool add_sum(av_aws4_payload *payload, av_slice name, av_slice value)
{
    if (payload->sum_count == AV_AWS4_MOST_SUMS) {
        return false;
    }
    payload->sums[payload->sum_count++] = (av_aws4_sum){ .name = name, .value = value };
    return true;
}

/* x-amz-trailer names what follows the chunks: at least one, each once. */
static av_reason find_trailers(const av_request *request, av_aws4_payload *payload)
{
    av_slice list = { NULL, 0 }, name;
    if (av_aws4_header(request, AV_SLICE("x-amz-trailer"), &list) != AV_FOUND) {
        return AV_MALFORMED_CREDENTIAL;
    }
    payload->has_trailers = true;
    while (av_slice_split(&list, ',', &name)) {
        name = av_slice_trim(name);
        for (apr_size_t i = 0; i < payload->sum_count; i++) {
            if (av_slice_equal_nocase(payload->sums[i].name, name)) {
                return AV_MALFORMED_CREDENTIAL;
            }
        }
        if (!av_slice_is_visible(name) || !add_sum(payload, name, (av_slice){ NULL, 0 })) {
            return AV_MALFORMED_CREDENTIAL;
        }
    }
    payload->trailer_count = payload->sum_count;
    return AV_ACCEPTED;
}

static av_reason find_length(const av_request *request, const av_aws4_settings *settings, apr_int64_t *length)
{
    av_slice text = { NULL, 0 };
    av_found found = av_aws4_header(request, AV_SLICE("x-amz-decoded-content-length"), &text);
    *length = -1;
    if (found == AV_ABSENT) {
        return settings->needs_no_decoded_length ? AV_ACCEPTED : AV_LENGTH_REQUIRED;
    }
    if (found != AV_FOUND || !text.len || text.len > 18) {
        return AV_MALFORMED_CREDENTIAL;
    }
    apr_int64_t value = 0;
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return AV_MALFORMED_CREDENTIAL;
        }
        value = value * 10 + (text.at[i] - '0');
    }
    *length = value;
    return AV_ACCEPTED;
}

static av_reason find_chunks(const av_request *request, const av_aws4_settings *settings,
                             const av_aws4_credential *credential, const struct streaming *streaming,
                             av_aws4_payload *payload)
{
    if (credential->in_query || (streaming->is_signed && streaming->is_ecdsa != credential->is_ecdsa)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    if (!streaming->is_signed && !settings->allows_unsigned_payload) {
        return AV_PAYLOAD_NOT_SIGNED;
    }
    payload->kind = streaming->is_signed ? AV_AWS4_CHUNKS : AV_AWS4_UNSIGNED_CHUNKS;
    av_reason reason = find_length(request, settings, &payload->decoded_length);
    return reason == AV_ACCEPTED && streaming->has_trailers ? find_trailers(request, payload) : reason;
}

/* Without x-amz-content-sha256: S3 wants it in headers, and signs no body in URLs. */
static av_reason find_unsaid(const av_aws4_settings *settings, const av_aws4_credential *credential,
                             av_aws4_payload *payload)
{
    bool is_s3 = av_aws4_is_s3(settings, credential->service);
    payload->kind = AV_AWS4_COMPUTED;
    if (is_s3 && credential->in_query) {
        payload->kind = AV_AWS4_UNSIGNED;
        payload->line = AV_SLICE("UNSIGNED-PAYLOAD");
    }
    return is_s3 && !credential->in_query && !settings->needs_no_content_sha256 ? AV_PAYLOAD_NOT_SIGNED : AV_ACCEPTED;
}

static bool is_hash(av_slice text)
{
    unsigned char bytes[AV_SHA256_SIZE];
    apr_size_t len = 0;
    return text.len == HASH_TEXT && av_decode(AV_HEX, text, bytes, sizeof(bytes), &len);
}

static av_reason find_line(const av_request *request, const av_aws4_settings *settings,
                           const av_aws4_credential *credential, av_aws4_payload *payload)
{
    av_slice said = credential->content_sha256;
    const struct streaming *streaming = find_streaming(said);
    payload->line = said;
    if (!said.at) {
        return find_unsaid(settings, credential, payload);
    }
    if (streaming) {
        return find_chunks(request, settings, credential, streaming, payload);
    }
    if (av_slice_equal(said, AV_SLICE("UNSIGNED-PAYLOAD"))) {
        payload->kind = AV_AWS4_UNSIGNED;
        bool is_usual = credential->in_query && av_aws4_is_s3(settings, credential->service);
        return settings->allows_unsigned_payload || is_usual ? AV_ACCEPTED : AV_PAYLOAD_NOT_SIGNED;
    }
    payload->kind = AV_AWS4_HASHED;
    return is_hash(said) ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

av_reason av_aws4_payload_find(const av_request *request, const av_aws4_settings *settings,
                               const av_aws4_credential *credential, av_aws4_payload *payload)
{
    av_reason reason = find_line(request, settings, credential, payload);
    for (apr_size_t i = 0; reason == AV_ACCEPTED && i < request->header_count; i++) {
        const av_header *header = &request->headers[i];
        if (av_aws4_checksum_is_one(header->name) && !add_sum(payload, header->name, av_slice_trim(header->value))) {
            reason = AV_MALFORMED_CREDENTIAL;
        }
    }
    return reason;
}

bool av_aws4_payload_prepare(av_aws4_payload *payload, const av_crypto *crypto, apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < payload->sum_count; i++) {
        av_aws4_sum *sum = &payload->sums[i];
        sum->checksum = av_aws4_checksum_create(sum->name, crypto, pool);
        if (!sum->checksum && av_aws4_checksum_is_one(sum->name)) {
            return false;
        }
    }
    return true;
}

bool av_aws4_payload_add(av_aws4_payload *payload, av_slice bytes)
{
    for (apr_size_t i = 0; i < payload->sum_count; i++) {
        if (payload->sums[i].checksum && !av_aws4_checksum_add(payload->sums[i].checksum, bytes)) {
            return false;
        }
    }
    return true;
}

bool av_aws4_payload_sums_agree(av_aws4_payload *payload)
{
    for (apr_size_t i = 0; i < payload->sum_count; i++) {
        av_aws4_sum *sum = &payload->sums[i];
        if (sum->checksum && !av_aws4_checksum_check(sum->checksum, sum->value)) {
            return false;
        }
    }
    return true;
}
