/* Compact tokens: what is read of one borrows from it, no token is proven by a key that did not sign it, and what has
 * not the form is no token.
 * Input: the token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/jwk.h"
#include "core/jws.h"
#include "fuzz.h"

/* Published with RFC 8037, appendix A.2; nobody signs with it here. */
#define KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

/* Its token, as RFC 8037 appendix A.4 signs it: the only one that may be right. */
#define TOKEN                                                                                                   \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhi" \
    "jcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

static av_jws_key read_key(apr_pool_t *pool)
{
    av_jwk_set set;
    apr_array_header_t *algorithms = apr_array_make(pool, 1, sizeof(av_jws_algorithm *));
    *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(AV_SLICE("EdDSA"));
    REQUIRE(!av_jwk_set_read(AV_SLICE(KEY), algorithms, av_crypto_create(pool), &set, pool) && set.count == 1);
    return set.keys[0];
}

static void try_token(av_slice token, apr_pool_t *pool)
{
    av_jws jws;
    bool is_read = av_jws_parse(token, &jws, pool);

    REQUIRE(!is_read || av_jws_has_form(token));
    if (is_read) {
        av_jws_key key = read_key(pool);
        REQUIRE(jws.text.at == token.at && jws.text.len < token.len);
        REQUIRE(token.len <= AV_MAX_JWS_BYTES);
        REQUIRE(jws.encoded.at + jws.encoded.len == jws.text.at + jws.text.len);
        REQUIRE(jws.algorithm.at && jws.signature.len > 0);
        REQUIRE((av_jws_verify(&jws, &key) == AV_JWS_RIGHT) == av_slice_equal(token, AV_SLICE(TOKEN)));
        av_jws_claims(jws.payload, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice token = tight_copy(data, size);

    try_token(token, pool);
    apr_pool_clear(pool); /* what the libraries gave is returned now, so that only a leak looks like one */
    free((char *)token.at);
    return 0;
}
