/* Written keys: every key that is taken serves a configured algorithm, says nothing false, and proves no signature of
 * zeros; no sentence is empty.
 * Input: the text of a key, of a set of keys, or PEM.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/jwk.h"
#include "fuzz.h"

static void require_fit(const av_jws_key *key)
{
    static const char zeros[4096];
    apr_size_t size = key->algorithm->signature_size;
    bool is_secret = key->algorithm->kind == AV_KEY_SECRET;

    REQUIRE(is_secret == (key->secret != NULL) && is_secret == (key->public_key == NULL));
    REQUIRE(key->label && *key->label && (!key->kid || *key->kid));
    REQUIRE(is_secret || key->algorithm->kind != AV_KEY_RSA || EVP_PKEY_get_bits(key->public_key) >= 2048);
    size = size ? size : (apr_size_t)EVP_PKEY_get_size(key->public_key);
    REQUIRE(av_jws_key_verify(key, AV_SLICE("text"), (av_slice){ zeros, size }) == AV_JWS_WRONG);
}

static void try_keys(av_slice text, const char *const *names, apr_size_t count, apr_pool_t *pool)
{
    av_jwk_set set;
    apr_array_header_t *algorithms = apr_array_make(pool, 4, sizeof(av_jws_algorithm *));

    for (apr_size_t i = 0; i < count; i++) {
        *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(av_slice_of(names[i]));
    }
    const char *error = av_jwk_set_read(text, algorithms, av_crypto_create(pool), &set, pool);
    REQUIRE(!error || *error);
    REQUIRE(set.count <= AV_MAX_JWKS_KEYS);
    for (apr_size_t i = 0; !error && i < set.count; i++) {
        require_fit(&set.keys[i]);
    }
    for (int i = 0; i < set.faults->nelts; i++) {
        REQUIRE(*APR_ARRAY_IDX(set.faults, i, const char *));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const public_keys[] = { "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "Ed25519" };
    static const char *const secrets[] = { "HS256" };
    apr_pool_t *pool = fresh_pool();
    av_slice text = tight_copy(data, size);

    try_keys(text, public_keys, 7, pool);
    try_keys(text, secrets, 1, pool);
    apr_pool_clear(pool); /* what the libraries gave is returned now, so that only a leak looks like one */
    free((char *)text.at);
    return 0;
}
