/* Requests for tokens: one that is read names a client and a secret, and says what it is written for.
 * Input: a line that is the value of Authorization, then the body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "issue/token_request.h"

static void try_request(av_slice input, apr_pool_t *pool)
{
    av_slice body = input, authorization;
    av_token_request asked;

    av_slice_split(&body, '\n', &authorization);
    const av_header headers[] = {
        { AV_SLICE("Content-Type"), AV_SLICE("application/x-www-form-urlencoded") },
        { AV_SLICE("Authorization"), authorization },
    };
    const av_request request = { .headers = headers, .header_count = authorization.len ? 2 : 1 };
    if (!body.at) {
        body = AV_SLICE("");
    }
    if (av_token_request_read(&request, body, &asked, pool) == AV_ACCEPTED) {
        REQUIRE(asked.client_id.len && asked.client_secret.len);
        REQUIRE(!memchr(asked.client_id.at, '\0', asked.client_id.len));
        REQUIRE(body.len >= sizeof("grant_type=client_credentials") - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice input = tight_copy(data, size);

    try_request(input, pool);
    apr_pool_clear(pool); /* which wipes secrets in it, and not in the input */
    free((char *)input.at);
    return 0;
}
