/* The algorithms of JSON Web Signatures on EVP.
 * SPDX-License-Identifier: Apache-2.0 */
#include "jws_algorithm.h"
#include "secret.h"

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define LARGEST_DER_SIGNATURE 160 /* two numbers of 66 bytes, their heads, the sequence's */

static const av_jws_algorithm algorithms[] = {
    { "RS256", AV_KEY_RSA, false, 32, 0 },       { "RS384", AV_KEY_RSA, false, 48, 0 },
    { "RS512", AV_KEY_RSA, false, 64, 0 },       { "PS256", AV_KEY_RSA, true, 32, 0 },
    { "PS384", AV_KEY_RSA, true, 48, 0 },        { "PS512", AV_KEY_RSA, true, 64, 0 },
    { "ES256", AV_KEY_P256, false, 32, 64 },     { "ES384", AV_KEY_P384, false, 48, 96 },
    { "ES512", AV_KEY_P521, false, 64, 132 },    { "EdDSA", AV_KEY_ED25519, false, 0, 64 },
    { "Ed25519", AV_KEY_ED25519, false, 0, 64 }, { "HS256", AV_KEY_SECRET, false, 32, 32 },
    { "HS384", AV_KEY_SECRET, false, 48, 48 },   { "HS512", AV_KEY_SECRET, false, 64, 64 },
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

const av_jws_algorithm *av_jws_algorithm_find(av_slice name)
{
    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        if (av_slice_equal(name, av_slice_of(algorithms[i].name))) {
            return &algorithms[i];
        }
    }
    return NULL;
}

const char *av_jws_algorithm_names(apr_pool_t *pool)
{
    const char *names = algorithms[0].name;
    for (size_t i = 1; i < ALGORITHM_COUNT; i++) {
        names = apr_pstrcat(pool, names, ", ", algorithms[i].name, NULL);
    }
    return names;
}

const char *av_jws_algorithms_read(const char *names, apr_array_header_t **list, apr_pool_t *pool)
{
    av_slice rest = av_slice_of(names), name;
    *list = apr_array_make(pool, 4, sizeof(const av_jws_algorithm *));
    while (av_slice_split(&rest, ',', &name)) {
        const av_jws_algorithm *algorithm = av_jws_algorithm_find(name);
        if (!algorithm) {
            return apr_psprintf(pool, "\"%s\" is none of %s", av_slice_string(name, pool),
                                av_jws_algorithm_names(pool));
        }
        *(const av_jws_algorithm **)apr_array_push(*list) = algorithm;
    }
    return NULL;
}

bool av_jws_algorithms_have(const apr_array_header_t *list, bool for_secrets)
{
    for (int i = 0; i < list->nelts; i++) {
        const av_jws_algorithm *each = APR_ARRAY_IDX(list, i, const av_jws_algorithm *);
        if ((each->kind == AV_KEY_SECRET) == for_secrets) {
            return true;
        }
    }
    return false;
}

bool av_jws_algorithm_equal(const av_jws_algorithm *a, const av_jws_algorithm *b)
{
    return a->kind == b->kind && a->is_pss == b->is_pss && a->hash_size == b->hash_size;
}

const EVP_MD *av_jws_algorithm_hash(const av_jws_algorithm *algorithm, const av_crypto *crypto)
{
    switch (algorithm->hash_size) {
    case 32:
        return crypto->sha256;
    case 48:
        return crypto->sha384;
    case 64:
        return crypto->sha512;
    default:
        return NULL;
    }
}

static av_jws_result verify_mac(const av_jws_key *key, av_slice text, av_slice signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_jws_result result = AV_JWS_CANNOT_TELL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && av_hmac_start(key->secret, context) && EVP_DigestUpdate(context, text.at, text.len) == 1 &&
        av_hmac_finish(key->secret, context, mac, &size)) {
        result = av_secret_equal((av_slice){ (const char *)mac, size }, signature) ? AV_JWS_RIGHT : AV_JWS_WRONG;
    }
    EVP_MD_CTX_free(context);
    OPENSSL_cleanse(mac, sizeof(mac));
    return result;
}

/* The library wants a DER sequence. 0 where there can be none. */
static apr_size_t encode_ecdsa(av_slice signature, unsigned char der[LARGEST_DER_SIGNATURE])
{
    int half = (int)(signature.len / 2), len = 0;
    const unsigned char *bytes = (const unsigned char *)signature.at;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, half, NULL), *s = BN_bin2bn(bytes + half, half, NULL);
    if (!numbers || ECDSA_SIG_set0(numbers, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(numbers);
        return 0;
    }
    len = i2d_ECDSA_SIG(numbers, NULL);
    len = len > 0 && len <= LARGEST_DER_SIGNATURE ? i2d_ECDSA_SIG(numbers, &der) : 0;
    ECDSA_SIG_free(numbers);
    return len > 0 ? (apr_size_t)len : 0;
}

static bool start(const av_jws_key *key, EVP_MD_CTX *context)
{
    EVP_PKEY_CTX *settings = NULL; /* the context's own */
    const EVP_MD *hash = av_jws_algorithm_hash(key->algorithm, key->crypto);
    return EVP_DigestVerifyInit(context, &settings, hash, NULL, key->public_key) == 1 &&
           (!key->algorithm->is_pss || (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
                                        EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1));
}

static apr_status_t free_context(void *context)
{
    EVP_MD_CTX_free(context);
    return APR_SUCCESS;
}

bool av_jws_key_start(av_jws_key *key, apr_pool_t *pool)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && start(key, context);
    apr_pool_cleanup_register(pool, context, free_context, apr_pool_cleanup_null);
    key->started = done ? context : NULL;
    ERR_clear_error();
    return done;
}

static av_jws_result verify_signature(const av_jws_key *key, av_slice text, av_slice signature)
{
    av_jws_result result = AV_JWS_CANNOT_TELL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && (key->started ? EVP_MD_CTX_copy_ex(context, key->started) == 1 : start(key, context))) {
        EVP_MD_CTX_set_flags(context, EVP_MD_CTX_FLAG_FINALISE); /* nothing follows: no copy of it is made */
        bool is_right = EVP_DigestVerify(context, (const unsigned char *)signature.at, signature.len,
                                         (const unsigned char *)text.at, text.len) == 1;
        result = is_right ? AV_JWS_RIGHT : AV_JWS_WRONG;
    }
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return result;
}

static bool is_nist_curve(av_key_kind kind)
{
    return kind == AV_KEY_P256 || kind == AV_KEY_P384 || kind == AV_KEY_P521;
}

av_jws_result av_jws_key_verify(const av_jws_key *key, av_slice text, av_slice signature)
{
    unsigned char der[LARGEST_DER_SIGNATURE];
    const av_jws_algorithm *algorithm = key->algorithm;
    apr_size_t size =
        algorithm->signature_size ? algorithm->signature_size : (apr_size_t)EVP_PKEY_get_size(key->public_key);
    if (signature.len != size) {
        return AV_JWS_WRONG;
    }
    if (algorithm->kind == AV_KEY_SECRET) {
        return verify_mac(key, text, signature);
    }
    if (is_nist_curve(algorithm->kind)) {
        signature = (av_slice){ (const char *)der, encode_ecdsa(signature, der) };
    }
    return signature.len ? verify_signature(key, text, signature) : AV_JWS_CANNOT_TELL;
}
