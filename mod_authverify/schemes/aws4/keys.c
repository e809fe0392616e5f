/* Signing keys and signatures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#define SCALAR_SIZE 32
#define POINT_SIZE (1 + 2 * SCALAR_SIZE) /* uncompressed: 4, x, y */
#define LAST_COUNTER 254

/* Both derivations begin with a word of their own in front of the secret. */
typedef struct first_key {
    av_slice hmac, ecdsa;
} first_key;

static const char *prepare(av_key *key, av_slice secret, apr_pool_t *pool)
{
    first_key *first = apr_palloc(pool, sizeof(*first));
    first->hmac = av_secret_keep(av_slice_join(AV_SLICE("AWS4"), secret, pool), pool);
    first->ecdsa = av_secret_keep(av_slice_join(AV_SLICE("AWS4A"), secret, pool), pool);
    key->ready = first;
    return NULL;
}

const av_algorithm av_aws4_algorithm = { .name = "aws4", .reads_text = true, .prepare = prepare };

static apr_status_t free_signer(void *data)
{
    av_aws4_signer *signer = data;
    EVP_PKEY_free(signer->public_key);
    OPENSSL_cleanse(signer, sizeof(*signer));
    return APR_SUCCESS;
}

av_aws4_signer *av_aws4_signer_create(const av_crypto *crypto, const av_aws4_credential *credential, apr_pool_t *pool)
{
    av_aws4_signer *signer = apr_pcalloc(pool, sizeof(*signer));
    signer->crypto = crypto;
    signer->credential = credential;
    signer->context = av_digest_context(pool);
    apr_pool_cleanup_register(pool, signer, free_signer, apr_pool_cleanup_null);
    return signer->context ? signer : NULL;
}

static bool chain(av_aws4_signer *signer, av_slice text)
{
    av_slice key = { (const char *)signer->key, AV_SHA256_SIZE };
    return av_hmac_sha256(signer->crypto, signer->context, key, text, signer->key);
}

static bool derive_hmac(av_aws4_signer *signer, av_slice secret)
{
    const av_aws4_credential *credential = signer->credential;
    return av_hmac_sha256(signer->crypto, signer->context, secret, credential->date, signer->key) &&
           chain(signer, credential->region) && chain(signer, credential->service) &&
           chain(signer, AV_SLICE("aws4_request"));
}

/* The text under the counter: SP 800-108 with one block of 256 bits, whose context is the access key and the counter. */
static bool candidate(av_aws4_signer *signer, av_slice secret, unsigned counter, unsigned char out[SCALAR_SIZE],
                      char *text)
{
    av_slice access_key = signer->credential->access_key;
    apr_size_t len = 4;
    memcpy(text, "\0\0\0\1", 4);
    memcpy(text + len, AV_AWS4_ECDSA, sizeof(AV_AWS4_ECDSA)); /* its NUL is part of the text */
    len += sizeof(AV_AWS4_ECDSA);
    memcpy(text + len, access_key.at, access_key.len);
    len += access_key.len;
    text[len++] = (char)counter;
    memcpy(text + len, "\0\0\1\0", 4);
    return av_hmac_sha256(signer->crypto, signer->context, secret, (av_slice){ text, len + 4 }, out);
}

/* The scalar is the candidate plus one, where the candidate is at most the order less two; else the next is tried. */
static bool is_scalar(const EC_GROUP *group, const unsigned char bytes[SCALAR_SIZE], BIGNUM *scalar)
{
    BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
    bool is_small = limit && BN_sub_word(limit, 2) && BN_bin2bn(bytes, SCALAR_SIZE, scalar) &&
                    BN_cmp(scalar, limit) <= 0 && BN_add_word(scalar, 1);
    BN_free(limit);
    return is_small;
}

static bool multiply(const EC_GROUP *group, const BIGNUM *scalar, unsigned char out[POINT_SIZE])
{
    EC_POINT *point = EC_POINT_new(group);
    bool done = point && EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
                EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, POINT_SIZE, NULL) == POINT_SIZE;
    EC_POINT_free(point);
    return done;
}

static bool derive_point(av_aws4_signer *signer, av_slice secret, char *text)
{
    unsigned char bytes[SCALAR_SIZE], point[POINT_SIZE];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *scalar = BN_secure_new();
    bool found = false;
    for (unsigned counter = 1; group && scalar && !found && counter <= LAST_COUNTER; counter++) {
        found = candidate(signer, secret, counter, bytes, text) && is_scalar(group, bytes, scalar);
    }
    found = found && multiply(group, scalar, point);
    if (found) {
        memcpy(signer->key, point + 1, sizeof(point) - 1);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    BN_clear_free(scalar);
    EC_GROUP_free(group);
    return found;
}

/* The point as a key that OpenSSL verifies with. */
static EVP_PKEY *import_point(const unsigned char at[2 * SCALAR_SIZE])
{
    unsigned char octets[POINT_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    memcpy(octets + 1, at, sizeof(octets) - 1);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof(octets)),
        OSSL_PARAM_construct_end(),
    };
    if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return key;
}

static bool use_point(av_aws4_signer *signer)
{
    EVP_PKEY_free(signer->public_key);
    signer->public_key = import_point(signer->key);
    return signer->public_key != NULL;
}

static av_slice purpose_of(const av_aws4_credential *credential)
{
    return credential->is_ecdsa ? credential->access_key : credential->text;
}

static apr_size_t key_size(const av_aws4_credential *credential)
{
    return credential->is_ecdsa ? 2 * SCALAR_SIZE : AV_SHA256_SIZE;
}

/* The generator of P-256 (SEC 2, section 2.4.2) stands in for a key that is not known: checking costs the same. */
static const unsigned char nobodys_point[2 * SCALAR_SIZE] = {
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

bool av_aws4_signer_recall(av_aws4_signer *signer, const av_key *key, const av_key_memory *memory, bool *is_known)
{
    const first_key *first = key->ready;
    const av_aws4_credential *credential = signer->credential;
    *is_known = memory && memory->recall(memory->store, credential->is_ecdsa ? first->ecdsa : first->hmac,
                                         purpose_of(credential), signer->key, key_size(credential));
    if (!*is_known && credential->is_ecdsa) {
        memcpy(signer->key, nobodys_point, sizeof(nobodys_point));
    }
    return !credential->is_ecdsa || use_point(signer);
}

bool av_aws4_signer_derive(av_aws4_signer *signer, const av_key *key)
{
    const first_key *first = key->ready;
    char text[sizeof("\0\0\0\1") + sizeof(AV_AWS4_ECDSA) + AV_AWS4_LONGEST_ACCESS_KEY + 5];
    return signer->credential->is_ecdsa ? derive_point(signer, first->ecdsa, text) && use_point(signer)
                                        : derive_hmac(signer, first->hmac);
}

void av_aws4_signer_keep(const av_aws4_signer *signer, const av_key *key, const av_key_memory *memory)
{
    const first_key *first = key->ready;
    const av_aws4_credential *credential = signer->credential;
    if (memory) {
        memory->keep(memory->store, credential->is_ecdsa ? first->ecdsa : first->hmac, purpose_of(credential),
                     signer->key, key_size(credential));
    }
}

static bool check_hmac(av_aws4_signer *signer, av_slice text, av_slice signature)
{
    unsigned char mac[AV_SHA256_SIZE];
    av_slice key = { (const char *)signer->key, AV_SHA256_SIZE };
    bool is_right = av_hmac_sha256(signer->crypto, signer->context, key, text, mac) &&
                    av_secret_equal((av_slice){ (const char *)mac, sizeof(mac) }, signature);
    OPENSSL_cleanse(mac, sizeof(mac));
    return is_right;
}

static bool check_ecdsa(av_aws4_signer *signer, av_slice text, av_slice signature)
{
    EVP_MD_CTX_reset(signer->context);
    bool is_right =
        EVP_DigestVerifyInit_ex(signer->context, NULL, "SHA256", NULL, NULL, signer->public_key, NULL) == 1 &&
        EVP_DigestVerify(signer->context, (const unsigned char *)signature.at, signature.len,
                         (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_reset(signer->context);
    ERR_clear_error();
    return is_right;
}

bool av_aws4_signer_check(av_aws4_signer *signer, av_slice text, av_slice signature)
{
    unsigned char bytes[AV_AWS4_LARGEST_SIGNATURE];
    apr_size_t len = 0;
    if (!av_decode(AV_HEX, signature, bytes, sizeof(bytes), &len)) {
        return false;
    }
    av_slice decoded = { (const char *)bytes, len };
    return signer->credential->is_ecdsa ? check_ecdsa(signer, text, decoded) : check_hmac(signer, text, decoded);
}

av_slice av_aws4_signer_sign(av_aws4_signer *signer, av_slice text, apr_pool_t *pool)
{
    unsigned char mac[AV_SHA256_SIZE];
    av_slice key = { (const char *)signer->key, AV_SHA256_SIZE };
    if (signer->credential->is_ecdsa || !av_hmac_sha256(signer->crypto, signer->context, key, text, mac)) {
        return (av_slice){ "", 0 };
    }
    return av_encode(AV_HEX, (av_slice){ (const char *)mac, sizeof(mac) }, pool);
}
