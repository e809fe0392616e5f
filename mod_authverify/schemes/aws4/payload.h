/* What a signature says of the body, and the body held against it.
 * Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header" and the pages on chunked
 * uploads it leads to.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_PAYLOAD_H
#define AV_AWS4_PAYLOAD_H

#include "checksum.h"
#include "credential.h"

#define AV_AWS4_MOST_SUMS 8

/* The last line of the canonical request. */
typedef enum av_aws4_payload_kind {
    AV_AWS4_HASHED,         /* a hash that the request names: the body must have it */
    AV_AWS4_COMPUTED,       /* the hash that the body has */
    AV_AWS4_UNSIGNED,       /* UNSIGNED-PAYLOAD */
    AV_AWS4_CHUNKS,         /* STREAMING-…: chunks, each signed */
    AV_AWS4_UNSIGNED_CHUNKS /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
} av_aws4_payload_kind;

/* A checksum that the body must have. */
typedef struct av_aws4_sum {
    av_slice name;
    av_slice value;             /* in base64; empty as long as a trailer has not brought it */
    av_aws4_checksum *checksum; /* NULL: a trailer that is no checksum */
} av_aws4_sum;

typedef struct av_aws4_payload {
    av_aws4_payload_kind kind;
    av_slice line;     /* as it stands in the canonical request; empty where it is to be computed */
    bool has_trailers; /* the chunks are followed by the first `trailer_count` of `sums` */
    apr_size_t trailer_count;
    av_aws4_sum sums[AV_AWS4_MOST_SUMS];
    apr_size_t sum_count;
    apr_int64_t decoded_length; /* of what the chunks carry; -1: not said */
} av_aws4_payload;

/* Reads what the request says. Returns AV_ACCEPTED, AV_MALFORMED_CREDENTIAL, AV_AMBIGUOUS_CREDENTIAL,
 * AV_PAYLOAD_NOT_SIGNED (and must be), AV_LENGTH_REQUIRED. */
av_reason av_aws4_payload_find(const av_request *request, const av_aws4_settings *settings,
                               const av_aws4_credential *credential, av_aws4_payload *payload);

/* Makes the checksums ready. False: the library failed, or refuses one of them. */
bool av_aws4_payload_prepare(av_aws4_payload *payload, const av_crypto *crypto, apr_pool_t *pool);

/* Feeds all checksums. False: the library failed. */
bool av_aws4_payload_add(av_aws4_payload *payload, av_slice bytes);

/* After the body: every checksum has been brought, and is that of the body. */
bool av_aws4_payload_sums_agree(av_aws4_payload *payload);

#endif
