/* Chunk streams: decoded in place and in pieces of any size they give what they give byte by byte, nothing is written
 * beyond a piece, and no signed stream is right but one that was signed.
 * Input: a byte that says what the stream is (bit 0: signed, bit 1: with trailers, bit 2: the length is announced), a
 * byte that seeds the sizes of the pieces, and the body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "schemes/aws4/stream.h"
#include "support/aws4_builder.h"
#include "support/request_builder.h"

#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define ANNOUNCED 20 /* bytes */

/* How a stream ended, and what came out of it. */
typedef struct outcome {
    av_reason reason;
    char *carried;
    apr_size_t len;
} outcome;

static av_aws4_payload payload_of(uint8_t what, const av_crypto *crypto, apr_pool_t *pool)
{
    av_aws4_payload payload = { .kind = what & 1 ? AV_AWS4_CHUNKS : AV_AWS4_UNSIGNED_CHUNKS,
                                .has_trailers = what & 2,
                                .decoded_length = what & 4 ? ANNOUNCED : -1 };
    if (payload.has_trailers) {
        payload.sums[0].name = AV_SLICE("x-amz-checksum-crc32");
        payload.sums[1].name = AV_SLICE("first");
        payload.trailer_count = payload.sum_count = 2;
    }
    REQUIRE(av_aws4_payload_prepare(&payload, crypto, pool));
    return payload;
}

static av_aws4_stream *open_stream(av_aws4_payload *payload, const av_crypto *crypto, apr_pool_t *pool)
{
    static const av_claim claim;
    static const av_aws4_credential credential = { .scope = { AWS4_SCOPE, sizeof(AWS4_SCOPE) - 1 },
                                                   .date = { "20260102", 8 },
                                                   .region = { "us-east-1", 9 },
                                                   .service = { "s3", 2 },
                                                   .signature = { SEED, sizeof(SEED) - 1 },
                                                   .timestamp = AWS4_TIME };
    av_key key = { .algorithm = &av_aws4_algorithm, .crypto = crypto };

    REQUIRE(av_aws4_algorithm.prepare(&key, AV_SLICE(AWS4_SECRET), pool) == NULL);
    av_aws4_signer *signer = av_aws4_signer_create(crypto, &credential, pool);
    REQUIRE(signer && av_aws4_signer_derive(signer, &key));
    av_aws4_stream *stream = av_aws4_stream_create(&claim, payload, signer, pool);
    REQUIRE(stream != NULL);
    return stream;
}

/* Feeds one piece in place, in memory of its own size. */
static void feed(av_aws4_stream *stream, av_slice piece, outcome *made)
{
    av_slice copy = tight_copy((const uint8_t *)piece.at, piece.len);
    av_reader *reader = av_aws4_stream_reader(stream);
    apr_size_t len = piece.len;

    made->reason = reader->take(reader, copy.at, &len, (char *)copy.at);
    REQUIRE(len <= piece.len);
    memcpy(made->carried + made->len, copy.at, len);
    made->len += len;
    free((char *)copy.at);
}

/* `seed` 0: byte by byte; else pieces of 1 to 64 bytes. */
static outcome read_stream(uint8_t what, unsigned seed, av_slice body, apr_pool_t *pool)
{
    const av_crypto *crypto = av_crypto_create(pool);
    av_aws4_payload payload = payload_of(what, crypto, pool);
    av_aws4_stream *stream = open_stream(&payload, crypto, pool);
    outcome made = { AV_ACCEPTED, apr_palloc(pool, body.len + 1), 0 };

    for (unsigned state = seed; body.len && made.reason == AV_ACCEPTED;) {
        state = state * 1103515245 + 12345;
        apr_size_t size = seed ? 1 + state / 65536 % 64 : 1;
        av_slice piece = { body.at, size < body.len ? size : body.len };
        feed(stream, piece, &made);
        body = av_slice_skip(body, piece.len);
    }
    made.reason = made.reason == AV_ACCEPTED ? av_aws4_stream_finish(stream) : made.reason;
    return made;
}

/* A right stream of signed chunks is the one that its text and the sizes of its chunks make: cut anew into one chunk, it
 * is right as well. */
static void require_signed(uint8_t what, const outcome *made, apr_pool_t *pool)
{
    av_slice text = { made->carried, made->len };

    if (made->reason == AV_ACCEPTED && (what & 3) == 1) {
        av_slice body = aws4_chunks(SEED, text, text.len ? text.len : 1, NULL, pool);
        outcome again = read_stream(what, 0, body, pool);
        REQUIRE(again.reason == AV_ACCEPTED && av_slice_equal(text, (av_slice){ again.carried, again.len }));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();

    if (size >= 2) {
        av_slice body = { (const char *)data + 2, size - 2 };
        outcome bytes = read_stream(data[0], 0, body, pool), pieces = read_stream(data[0], data[1] + 1u, body, pool);
        av_slice one = { bytes.carried, bytes.len }, other = { pieces.carried, pieces.len };
        REQUIRE(bytes.reason == pieces.reason && bytes.reason != AV_INTERNAL_ERROR);
        REQUIRE(av_slice_equal(one, other));
        REQUIRE(bytes.reason != AV_ACCEPTED || !(data[0] & 4) || bytes.len == ANNOUNCED);
        require_signed(data[0], &bytes, pool);
    }
    apr_pool_clear(pool); /* what OpenSSL gave is returned now, so that only a leak looks like one */
    return 0;
}
