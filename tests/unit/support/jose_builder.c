/* Makes keys and signs tokens with OpenSSL.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/jose_builder.h"
#include "core/codec.h"

#include <apr_strings.h>
#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

typedef struct algorithm {
    const char *name, *hash, *crv, *group;
    int half; /* bytes of each number of an ECDSA signature */
} algorithm;

static const algorithm algorithms[] = {
    { "RS256", "SHA256", NULL, NULL, 0 },        { "RS384", "SHA384", NULL, NULL, 0 },
    { "RS512", "SHA512", NULL, NULL, 0 },        { "PS256", "SHA256", NULL, NULL, 0 },
    { "PS384", "SHA384", NULL, NULL, 0 },        { "PS512", "SHA512", NULL, NULL, 0 },
    { "ES256", "SHA256", "P-256", "P-256", 32 }, { "ES384", "SHA384", "P-384", "P-384", 48 },
    { "ES512", "SHA512", "P-521", "P-521", 66 }, { "EdDSA", NULL, "Ed25519", NULL, 0 },
    { "Ed25519", NULL, "Ed25519", NULL, 0 },     { "HS256", "SHA256", NULL, NULL, 0 },
    { "HS384", "SHA384", NULL, NULL, 0 },        { "HS512", "SHA512", NULL, NULL, 0 },
};

static EVP_PKEY *rsa, *curves[3], *ed25519;

static void replace(EVP_PKEY **key, EVP_PKEY *made)
{
    assert(made);
    EVP_PKEY_free(*key);
    *key = made;
}

void jose_create_keys(void)
{
    replace(&rsa, EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
    replace(&curves[0], EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    replace(&curves[1], EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
    replace(&curves[2], EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"));
    replace(&ed25519, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static const algorithm *find(const char *name)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (strcmp(algorithms[i].name, name) == 0) {
            return &algorithms[i];
        }
    }
    abort();
}

static EVP_PKEY *key_of(const algorithm *of)
{
    return of->half ? curves[of->half == 32 ? 0 : of->half == 48 ? 1 : 2] : of->crv ? ed25519 : rsa;
}

av_slice jose_pem(const char *name, apr_pool_t *pool)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert(PEM_write_bio_PUBKEY(bio, key_of(find(name))) == 1);
    long len = BIO_get_mem_data(bio, &text);
    av_slice pem = av_slice_of(apr_pstrmemdup(pool, text, (apr_size_t)len));
    BIO_free(bio);
    return pem;
}

av_slice jose_private(const char *name, apr_pool_t *pool)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (*name == 'H') {
        BIO_free(bio);
        return AV_SLICE(JOSE_SECRET);
    }
    assert(PEM_write_bio_PrivateKey(bio, key_of(find(name)), NULL, NULL, 0, NULL, NULL) == 1);
    long len = BIO_get_mem_data(bio, &text);
    av_slice pem = av_slice_of(apr_pstrmemdup(pool, text, (apr_size_t)len));
    BIO_free(bio);
    return pem;
}

static const char *number(const EVP_PKEY *key, const char *name, int size, apr_pool_t *pool)
{
    BIGNUM *value = NULL;
    assert(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    size = size ? size : BN_num_bytes(value);
    unsigned char *bytes = apr_palloc(pool, (apr_size_t)size);
    assert(BN_bn2binpad(value, bytes, size) == size);
    BN_free(value);
    return av_encode(AV_BASE64URL, (av_slice){ (char *)bytes, (apr_size_t)size }, pool).at;
}

av_slice jose_jwk(const char *name, const char *more, apr_pool_t *pool)
{
    const algorithm *of = find(name);
    EVP_PKEY *key = key_of(of);
    unsigned char point[32];
    size_t size = sizeof(point);
    if (*name == 'H') {
        return av_slice_of(apr_pstrcat(pool, "{\"kty\":\"oct\",\"k\":\"",
                                       av_encode(AV_BASE64URL, AV_SLICE(JOSE_SECRET), pool).at, "\"", more, "}", NULL));
    }
    if (of->half) {
        return av_slice_of(apr_pstrcat(pool, "{\"kty\":\"EC\",\"crv\":\"", of->crv, "\",\"x\":\"",
                                       number(key, OSSL_PKEY_PARAM_EC_PUB_X, of->half, pool), "\",\"y\":\"",
                                       number(key, OSSL_PKEY_PARAM_EC_PUB_Y, of->half, pool), "\"", more, "}", NULL));
    }
    if (of->crv) {
        assert(EVP_PKEY_get_raw_public_key(key, point, &size) == 1);
        return av_slice_of(apr_pstrcat(pool, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"",
                                       av_encode(AV_BASE64URL, (av_slice){ (char *)point, size }, pool).at, "\"", more,
                                       "}", NULL));
    }
    return av_slice_of(apr_pstrcat(pool, "{\"kty\":\"RSA\",\"n\":\"", number(key, OSSL_PKEY_PARAM_RSA_N, 0, pool),
                                   "\",\"e\":\"", number(key, OSSL_PKEY_PARAM_RSA_E, 0, pool), "\"", more, "}", NULL));
}

static av_slice raw_numbers(const unsigned char *der, size_t len, int half, apr_pool_t *pool)
{
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char *bytes = apr_palloc(pool, 2 * (apr_size_t)half);
    assert(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), bytes, half) == half);
    assert(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), bytes + half, half) == half);
    ECDSA_SIG_free(numbers);
    return (av_slice){ (char *)bytes, 2 * (apr_size_t)half };
}

static av_slice mac_of(const algorithm *of, av_slice text, apr_pool_t *pool)
{
    unsigned char *mac = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    assert(HMAC(EVP_get_digestbyname(of->hash), JOSE_SECRET, sizeof(JOSE_SECRET) - 1, (const unsigned char *)text.at,
                text.len, mac, &size));
    return (av_slice){ (char *)mac, size };
}

av_slice jose_sign(const char *name, av_slice text, apr_pool_t *pool)
{
    const algorithm *of = find(name);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *settings = NULL;
    size_t len = 1024;
    unsigned char *signature = apr_palloc(pool, len);
    if (*name == 'H') {
        EVP_MD_CTX_free(context);
        return mac_of(of, text, pool);
    }
    assert(EVP_DigestSignInit_ex(context, &settings, of->hash, NULL, NULL, key_of(of), NULL) == 1);
    if (*name == 'P') {
        assert(EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1);
        assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    assert(EVP_DigestSign(context, signature, &len, (const unsigned char *)text.at, text.len) == 1);
    EVP_MD_CTX_free(context);
    return of->half ? raw_numbers(signature, len, of->half, pool) : (av_slice){ (char *)signature, len };
}

av_slice jose_token(const char *name, const char *header, const char *payload, apr_pool_t *pool)
{
    av_slice first = av_encode(AV_BASE64URL, av_slice_of(header), pool);
    av_slice second = av_encode(AV_BASE64URL, av_slice_of(payload), pool);
    const char *text = apr_pstrcat(pool, first.at, ".", second.at, NULL);
    av_slice signature = av_encode(AV_BASE64URL, jose_sign(name, av_slice_of(text), pool), pool);
    return av_slice_of(apr_pstrcat(pool, text, ".", signature.at, NULL));
}

av_slice jose_plain_token(const char *name, const char *payload, apr_pool_t *pool)
{
    return jose_token(name, apr_pstrcat(pool, "{\"alg\":\"", name, "\"}", NULL), payload, pool);
}
