/* Requests for tokens: one that is read names a client and a secret, and says what it is written for. A log-in names an
 * application besides.
 * Input: a line that is the value of Authorization, and of X-Auth-Application, then the body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "issue/token_request.h"

static void try_token(const av_request *request, av_slice body, apr_pool_t *pool)
{
    av_token_request asked;

    if (av_token_request_read(request, body, &asked, pool) == AV_ACCEPTED) {
        REQUIRE(asked.client_id.len && asked.client_secret.len);
        REQUIRE(!memchr(asked.client_id.at, '\0', asked.client_id.len));
        REQUIRE(body.len >= sizeof("grant_type=client_credentials") - 1);
    }
}

static bool is_plain(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f) {
            return false;
        }
    }
    return text.len > 0;
}

static void try_login(const av_request *request, av_slice body, apr_pool_t *pool)
{
    av_token_request asked;

    if (av_token_request_read_login(request, body, &asked, pool) == AV_ACCEPTED) {
        REQUIRE(av_token_request_is_login(request, pool));
        REQUIRE(is_plain(asked.client_id) && is_plain(asked.client_secret));
        REQUIRE(asked.client_id.len <= 256 && asked.application.len == 36);
    }
}

static void try_request(av_slice input, apr_pool_t *pool)
{
    av_slice body = input, named;

    av_slice_split(&body, '\n', &named);
    const av_header headers[] = {
        { AV_SLICE("Content-Type"), AV_SLICE("application/x-www-form-urlencoded") },
        { AV_SLICE("Authorization"), named },
        { AV_SLICE("X-Auth-Application"), named },
    };
    const av_request request = { .headers = headers, .header_count = named.len ? 3 : 1 };
    if (!body.at) {
        body = AV_SLICE("");
    }
    try_token(&request, body, pool);
    try_login(&request, body, pool);
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
