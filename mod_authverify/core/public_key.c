/* Imports public keys into OpenSSL and looks at them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "public_key.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define LEAST_RSA_BITS 2048
#define MOST_RSA_BITS 16384
#define MOST_EXPONENT_BITS 64
#define LARGEST_COORDINATE 66
#define ED25519_POINT_SIZE 32
#define NO_KEY "its numbers are no public key"

static const struct {
    av_key_kind kind;
    const char *group; /* as the library calls it */
    apr_size_t coordinate_size;
} curves[] = {
    { AV_KEY_P256, "prime256v1", 32 },
    { AV_KEY_P384, "secp384r1", 48 },
    { AV_KEY_P521, "secp521r1", 66 },
};

#define CURVE_COUNT (sizeof(curves) / sizeof(curves[0]))

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

/* CVE-2017-15361: a chip's primes were powers of 65537 modulo many small primes, and so is their product. Of other
 * moduli one in 2^27 looks like that. */
static bool has_weak_primes(const BIGNUM *modulus)
{
    static const unsigned primes[] = { 11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157 };
    for (size_t i = 0; i < sizeof(primes) / sizeof(primes[0]); i++) {
        BN_ULONG rest = BN_mod_word(modulus, primes[i]), power = 1;
        do {
            power = power * 65537 % primes[i];
        } while (power != 1 && power != rest);
        if (power != rest) {
            return false;
        }
    }
    return true;
}

/* The library imports an exponent of 1, under which every signature is right. */
static const char *check_rsa(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL, *modulus = NULL;
    const char *error = NULL;
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1) {
        error = NO_KEY;
    } else if (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS) {
        error = "its modulus must have 2048 bits at least and 16384 at most";
    } else if (!BN_is_odd(exponent) || BN_is_one(exponent) || BN_num_bits(exponent) > MOST_EXPONENT_BITS) {
        error = "its exponent must be odd, 3 at least, and have 64 bits at most";
    } else if (has_weak_primes(modulus)) {
        error = "its primes can be found (CVE-2017-15361)";
    }
    BN_free(exponent);
    BN_free(modulus);
    return error;
}

static bool is_fit(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool done = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* The last step of every import: takes `made` over. */
static const char *keep(EVP_PKEY *made, EVP_PKEY **key, apr_pool_t *pool)
{
    const char *error = made ? NULL : NO_KEY;
    *key = NULL;
    if (made) {
        apr_pool_cleanup_register(pool, made, free_key, apr_pool_cleanup_null);
        error = EVP_PKEY_get_base_id(made) == EVP_PKEY_RSA ? check_rsa(made) : NULL;
        error = error || is_fit(made) ? error : NO_KEY;
    }
    *key = error ? NULL : made;
    ERR_clear_error();
    return error;
}

static EVP_PKEY *import(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *numbers = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!numbers || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, numbers) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(numbers);
    return key;
}

static BIGNUM *number(av_slice bytes)
{
    return bytes.len <= MOST_RSA_BITS / 8 ? BN_bin2bn((const unsigned char *)bytes.at, (int)bytes.len, NULL) : NULL;
}

const char *av_public_key_rsa(av_slice modulus, av_slice exponent, EVP_PKEY **key, apr_pool_t *pool)
{
    EVP_PKEY *made = NULL;
    BIGNUM *n = number(modulus), *e = number(exponent);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        made = import("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return keep(made, key, pool);
}

static EVP_PKEY *import_point(const char *group, const unsigned char *point, apr_size_t size)
{
    EVP_PKEY *made = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, size) == 1) {
        made = import("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return made;
}

const char *av_public_key_ec(av_key_kind kind, av_slice x, av_slice y, EVP_PKEY **key, apr_pool_t *pool)
{
    unsigned char point[1 + 2 * LARGEST_COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
    *key = NULL;
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        apr_size_t size = curves[i].coordinate_size;
        if (curves[i].kind != kind) {
            continue;
        }
        if (x.len != size || y.len != size) {
            return "its coordinates have not the size of the curve's";
        }
        memcpy(point + 1, x.at, size);
        memcpy(point + 1 + size, y.at, size);
        return keep(import_point(curves[i].group, point, 1 + 2 * size), key, pool);
    }
    return "no such curve is known";
}

const char *av_public_key_ed25519(av_slice point, EVP_PKEY **key, apr_pool_t *pool)
{
    bool has_size = point.len == ED25519_POINT_SIZE;
    return keep(has_size
                    ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)point.at, point.len)
                    : NULL,
                key, pool);
}

/* Explicit parameters in the place of a curve's name are none of ours: CVE-2020-0601. */
static bool find_kind(const EVP_PKEY *key, av_key_kind *kind)
{
    char group[64] = "";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        *kind = AV_KEY_RSA;
        return true;
    case EVP_PKEY_ED25519:
        *kind = AV_KEY_ED25519;
        return true;
    default:
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
    }
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        if (strcmp(group, curves[i].group) == 0) {
            *kind = curves[i].kind;
            return true;
        }
    }
    return false;
}

static const char *keep_block(const char *name, const unsigned char *bytes, long len, EVP_PKEY **key, av_key_kind *kind,
                              apr_pool_t *pool)
{
    if (strcmp(name, PEM_STRING_PUBLIC) != 0) {
        return apr_psprintf(pool,
                            "it is a \"%s\" where a \"PUBLIC KEY\" must be; openssl x509 -pubkey -noout makes one of a "
                            "certificate, openssl pkey -pubout of a private key",
                            name);
    }
    const unsigned char *end = bytes;
    EVP_PKEY *made = d2i_PUBKEY(NULL, &end, len);
    if (made && (end != bytes + len || !find_kind(made, kind))) {
        EVP_PKEY_free(made);
        ERR_clear_error();
        return "it must be an RSA, P-256, P-384, P-521 or Ed25519 key";
    }
    return keep(made, key, pool);
}

const char *av_public_key_pem(av_slice *text, EVP_PKEY **key, av_key_kind *kind, apr_pool_t *pool)
{
    char *name = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long len = 0;
    const char *error = NULL;
    BIO *bio = text->len < INT_MAX ? BIO_new_mem_buf(text->at, (int)text->len) : NULL;
    *key = NULL;
    if (bio && PEM_read_bio(bio, &name, &header, &bytes, &len) == 1) {
        error = keep_block(name, bytes, len, key, kind, pool);
    } else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        error = "it is not PEM to its end";
    }
    *text = av_slice_skip(*text, text->len - (bio ? BIO_ctrl_pending(bio) : 0));
    BIO_free(bio);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, (size_t)len);
    ERR_clear_error();
    return error;
}
