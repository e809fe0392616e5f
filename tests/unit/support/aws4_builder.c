/* AWS4-HMAC-SHA256 for tests.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/aws4_builder.h"
#include "core/codec.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static av_slice mac(av_slice key, const char *text, apr_pool_t *pool)
{
    unsigned char *out = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;

    HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)text, strlen(text), out, &size);
    return (av_slice){ (const char *)out, size };
}

static const char *hash(av_slice text, apr_pool_t *pool)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_Digest(text.at, text.len, out, &size, EVP_sha256(), NULL);
    return av_encode(AV_HEX, (av_slice){ (const char *)out, size }, pool).at;
}

static const char *sign(const char *text, apr_pool_t *pool)
{
    static const char *const steps[] = { "20260102", "us-east-1", "s3", "aws4_request" };
    av_slice key = AV_SLICE("AWS4" AWS4_SECRET);

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        key = mac(key, steps[i], pool);
    }
    return av_encode(AV_HEX, mac(key, text, pool), pool).at;
}

const char *aws4_sign_request(const char *canonical, apr_pool_t *pool)
{
    return sign(apr_pstrcat(pool, "AWS4-HMAC-SHA256\n" AWS4_TIME "\n" AWS4_SCOPE "\n",
                            hash(av_slice_of(canonical), pool), NULL),
                pool);
}

const char *aws4_sign_chunk(const char *before, av_slice bytes, apr_pool_t *pool)
{
    return sign(apr_pstrcat(pool, "AWS4-HMAC-SHA256-PAYLOAD\n" AWS4_TIME "\n" AWS4_SCOPE "\n", before,
                            "\n" EMPTY_HASH "\n", hash(bytes, pool), NULL),
                pool);
}

const char *aws4_sign_trailers(const char *before, const char *lines, apr_pool_t *pool)
{
    return sign(apr_pstrcat(pool, "AWS4-HMAC-SHA256-TRAILER\n" AWS4_TIME "\n" AWS4_SCOPE "\n", before, "\n",
                            hash(av_slice_of(lines), pool), NULL),
                pool);
}

static av_slice add(av_slice body, const char *text, apr_pool_t *pool)
{
    return av_slice_join(body, av_slice_of(text), pool);
}

/* "name:value" lines as they are sent. */
static const char *sent(const char *lines, apr_pool_t *pool)
{
    const char *written = "";
    av_slice rest = av_slice_of(lines), line;

    while (av_slice_split(&rest, '\n', &line) && line.len) {
        written = apr_pstrcat(pool, written, av_slice_string(line, pool), "\r\n", NULL);
    }
    return written;
}

av_slice aws4_chunks(const char *seed, av_slice text, apr_size_t size, const char *trailers, apr_pool_t *pool)
{
    av_slice body = { "", 0 };
    const char *signature = seed;

    for (bool is_last = false; !is_last; text = av_slice_skip(text, size)) {
        av_slice part = { text.at, text.len < size ? text.len : size };
        is_last = !part.len;
        signature = aws4_sign_chunk(signature, part, pool);
        body = add(body, apr_psprintf(pool, "%lx;chunk-signature=%s\r\n", (unsigned long)part.len, signature), pool);
        body = av_slice_join(body, part, pool);
        body = is_last && trailers ? body : add(body, "\r\n", pool);
    }
    if (trailers) {
        body = add(body, sent(trailers, pool), pool);
        body =
            add(body,
                apr_psprintf(pool, "x-amz-trailer-signature:%s\r\n\r\n", aws4_sign_trailers(signature, trailers, pool)),
                pool);
    }
    return body;
}
