/* AWS4-HMAC-SHA256 as its documentation has it, for tests: nothing here uses what is tested but the encoder.
 * Everything is signed at RECEIVED_SECOND, for S3 in us-east-1.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_AWS4_BUILDER_H
#define AV_TESTS_AWS4_BUILDER_H

#include "core/slice.h"

#define AWS4_ACCESS_KEY "AKIDOFTHETESTS000001"
#define AWS4_SECRET "secretOfTheTests/0123456789+abcdefghijkl"
#define AWS4_TIME "20260102T000000Z"
#define AWS4_SCOPE "20260102/us-east-1/s3/aws4_request"

/* The signature of a canonical request, whose last line says the payload's hash. In hexadecimal, in `pool`. */
const char *aws4_sign_request(const char *canonical, apr_pool_t *pool);

/* The signature of a chunk, and of trailers as "name:value" lines that end in LF: each builds on the one before. */
const char *aws4_sign_chunk(const char *before, av_slice bytes, apr_pool_t *pool);
const char *aws4_sign_trailers(const char *before, const char *lines, apr_pool_t *pool);

/* A body of signed chunks that carry `text`, at most `size` bytes each, behind the head's signature. Trailers (NULL:
 * none) stand behind it, signed. */
av_slice aws4_chunks(const char *seed, av_slice text, apr_size_t size, const char *trailers, apr_pool_t *pool);

#endif
