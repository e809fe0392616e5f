/* Keys that sign tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "signing_key.h"
#include "../core/codec.h"
#include "json_writer.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define LARGEST_POINT 66
#define NO_KEY                                                                                                              \
    "it must be one private key in PEM that is not encrypted, such as openssl genpkey writes, of the kind that algorithm= " \
    "wants"

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

/* Its public part, as whoever verifies has it: found fit in the same way. NULL where it is of another kind. */
static const char *read_public_part(EVP_PKEY *private_key, av_key_kind wanted, EVP_PKEY **public_key, apr_pool_t *pool)
{
    av_key_kind kind = AV_KEY_SECRET;
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    const char *error = NO_KEY;
    if (bio && PEM_write_bio_PUBKEY(bio, private_key) == 1) {
        av_slice text = { NULL, 0 };
        text.len = (apr_size_t)BIO_get_mem_data(bio, &bytes);
        text.at = bytes;
        error = av_public_key_pem(&text, public_key, &kind, pool);
    }
    BIO_free(bio);
    return error || kind == wanted ? error : NO_KEY;
}

/* An encrypted key is not asked its password for: httpd has no terminal. */
static int no_password(char *buffer, int size, int writing, void *baton)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)baton;
    return -1;
}

static EVP_PKEY *read_pem(av_slice text)
{
    BIO *bio = text.len < INT_MAX ? BIO_new_mem_buf(text.at, (int)text.len) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

/* Is a signature of the key what its public part says it must be? */
static bool signs(const av_signing_key *key, EVP_PKEY *public_key, apr_pool_t *pool)
{
    const av_jws_key verifier = { .algorithm = key->algorithm, .crypto = key->crypto, .public_key = public_key };
    av_slice text = AV_SLICE("trial");
    av_slice signature = av_signing_key_sign(key, text, pool);
    return signature.len && av_jws_key_verify(&verifier, text, signature) == AV_JWS_RIGHT;
}

static bool set_bytes(json_t *jwk, const char *name, const unsigned char *bytes, apr_size_t len, apr_pool_t *pool)
{
    return av_json_set_text(jwk, name, av_encode(AV_BASE64URL, (av_slice){ (const char *)bytes, len }, pool));
}

/* A number of the key, of `size` bytes, or as few as it has where that is 0. */
static bool set_number(json_t *jwk, const char *name, const EVP_PKEY *key, const char *parameter, int size,
                       apr_pool_t *pool)
{
    BIGNUM *number = NULL;
    bool done = false;
    if (EVP_PKEY_get_bn_param(key, parameter, &number) == 1) {
        size = size ? size : BN_num_bytes(number);
        unsigned char *bytes = apr_palloc(pool, (apr_size_t)size);
        done = BN_bn2binpad(number, bytes, size) == size && set_bytes(jwk, name, bytes, (apr_size_t)size, pool);
    }
    BN_free(number);
    return done;
}

static bool set_point(json_t *jwk, const av_signing_key *key, apr_pool_t *pool)
{
    unsigned char point[LARGEST_POINT];
    size_t len = sizeof(point);
    int size = (int)(key->algorithm->signature_size / 2);
    if (key->algorithm->kind == AV_KEY_ED25519) {
        return EVP_PKEY_get_raw_public_key(key->private_key, point, &len) == 1 && set_bytes(jwk, "x", point, len, pool);
    }
    return set_number(jwk, "x", key->private_key, OSSL_PKEY_PARAM_EC_PUB_X, size, pool) &&
           set_number(jwk, "y", key->private_key, OSSL_PKEY_PARAM_EC_PUB_Y, size, pool);
}

/* The members that make the key what it is (RFC 7638 section 3.2, RFC 8037 section 2). */
static json_t *required_members(const av_signing_key *key, apr_pool_t *pool)
{
    static const struct {
        const char *kty, *crv;
    } kinds[] = {
        [AV_KEY_RSA] = { "RSA", NULL },    [AV_KEY_P256] = { "EC", "P-256" },       [AV_KEY_P384] = { "EC", "P-384" },
        [AV_KEY_P521] = { "EC", "P-521" }, [AV_KEY_ED25519] = { "OKP", "Ed25519" },
    };
    const char *curve = kinds[key->algorithm->kind].crv;
    json_t *jwk = json_object();
    bool done = av_json_set_text(jwk, "kty", av_slice_of(kinds[key->algorithm->kind].kty)) &&
                (!curve || av_json_set_text(jwk, "crv", av_slice_of(curve)));
    if (done && curve) {
        done = set_point(jwk, key, pool);
    } else if (done) {
        done = set_number(jwk, "n", key->private_key, OSSL_PKEY_PARAM_RSA_N, 0, pool) &&
               set_number(jwk, "e", key->private_key, OSSL_PKEY_PARAM_RSA_E, 0, pool);
    }
    if (done) {
        return jwk;
    }
    json_decref(jwk);
    return NULL;
}

static const char *thumbprint(const av_signing_key *key, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_slice text = av_json_write(required_members(key, pool), true, pool);
    return text.len && av_digest(key->crypto->sha256, text, digest, &size)
               ? av_encode(AV_BASE64URL, (av_slice){ (const char *)digest, size }, pool).at
               : NULL;
}

static const char *read_secret(av_slice text, av_signing_key *key, apr_pool_t *pool)
{
    if (text.len < key->algorithm->hash_size) {
        return apr_psprintf(pool, "it is shorter than the hash of %s: %" APR_SIZE_T_FMT " bytes at least",
                            key->algorithm->name, key->algorithm->hash_size);
    }
    key->secret = av_hmac_prepare(av_jws_algorithm_hash(key->algorithm, key->crypto), text, pool);
    return key->secret ? NULL : "it cannot be used as an HMAC key";
}

const char *av_signing_key_read(av_slice text, const av_jws_algorithm *algorithm, const av_crypto *crypto,
                                av_signing_key *key, apr_pool_t *pool)
{
    EVP_PKEY *public_key = NULL;
    *key = (av_signing_key){ .algorithm = algorithm, .crypto = crypto };
    if (algorithm->kind == AV_KEY_SECRET) {
        return read_secret(text, key, pool);
    }
    key->private_key = read_pem(text);
    if (!key->private_key) {
        return NO_KEY;
    }
    apr_pool_cleanup_register(pool, key->private_key, free_key, apr_pool_cleanup_null);
    const char *error = read_public_part(key->private_key, algorithm->kind, &public_key, pool);
    if (!error && !signs(key, public_key, pool)) {
        error = "its private and its public part do not belong together";
    }
    key->kid = error ? NULL : thumbprint(key, pool);
    return error || key->kid ? error : "the library cannot read its numbers";
}

static av_slice make_mac(const av_signing_key *key, av_slice text, apr_pool_t *pool)
{
    unsigned char *mac = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && av_hmac_start(key->secret, context) && EVP_DigestUpdate(context, text.at, text.len) == 1 &&
                av_hmac_finish(key->secret, context, mac, &size);
    EVP_MD_CTX_free(context);
    return (av_slice){ (const char *)mac, done ? size : 0 };
}

static bool start(const av_signing_key *key, EVP_MD_CTX *context)
{
    EVP_PKEY_CTX *settings = NULL; /* the context's own */
    const EVP_MD *hash = av_jws_algorithm_hash(key->algorithm, key->crypto);
    return EVP_DigestSignInit(context, &settings, hash, NULL, key->private_key) == 1 &&
           (!key->algorithm->is_pss || (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1 &&
                                        EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1));
}

/* As the library writes it. */
static av_slice make_signature(const av_signing_key *key, av_slice text, apr_pool_t *pool)
{
    size_t size = (size_t)EVP_PKEY_get_size(key->private_key);
    unsigned char *signature = apr_palloc(pool, size);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && start(key, context) &&
                EVP_DigestSign(context, signature, &size, (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return (av_slice){ (const char *)signature, done ? size : 0 };
}

/* RFC 7518 section 3.4: the two numbers of the library's DER sequence, each of the curve's size. */
static av_slice without_der(av_slice der, apr_size_t size, apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)der.at;
    unsigned char *numbers = apr_palloc(pool, size);
    int half = (int)(size / 2);
    ECDSA_SIG *read = der.len ? d2i_ECDSA_SIG(NULL, &at, (long)der.len) : NULL;
    bool done = read && BN_bn2binpad(ECDSA_SIG_get0_r(read), numbers, half) == half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(read), numbers + half, half) == half;
    ECDSA_SIG_free(read);
    return (av_slice){ (const char *)numbers, done ? size : 0 };
}

av_slice av_signing_key_sign(const av_signing_key *key, av_slice text, apr_pool_t *pool)
{
    switch (key->algorithm->kind) {
    case AV_KEY_SECRET:
        return make_mac(key, text, pool);
    case AV_KEY_P256:
    case AV_KEY_P384:
    case AV_KEY_P521:
        return without_der(make_signature(key, text, pool), key->algorithm->signature_size, pool);
    default:
        return make_signature(key, text, pool);
    }
}

static av_slice write_header(const av_signing_key *key, const char *type, apr_pool_t *pool)
{
    json_t *header = json_object();
    bool done = av_json_set_text(header, "alg", av_slice_of(key->algorithm->name)) &&
                (!key->kid || av_json_set_text(header, "kid", av_slice_of(key->kid))) &&
                av_json_set_text(header, "typ", av_slice_of(type));
    av_slice text = av_json_write(header, false, pool);
    return done ? text : (av_slice){ "", 0 };
}

av_slice av_signing_key_token(const av_signing_key *key, const char *type, av_slice payload, apr_pool_t *pool)
{
    av_slice header = write_header(key, type, pool);
    if (!header.len || !payload.len) {
        return (av_slice){ "", 0 };
    }
    av_slice text = av_slice_of(apr_pstrcat(pool, av_encode(AV_BASE64URL, header, pool).at, ".",
                                            av_encode(AV_BASE64URL, payload, pool).at, NULL));
    av_slice signature = av_signing_key_sign(key, text, pool);
    return signature.len
               ? av_slice_of(apr_pstrcat(pool, text.at, ".", av_encode(AV_BASE64URL, signature, pool).at, NULL))
               : signature;
}

json_t *av_signing_key_jwk(const av_signing_key *key, apr_pool_t *pool)
{
    json_t *jwk = key->private_key ? required_members(key, pool) : NULL;
    if (jwk && av_json_set_text(jwk, "alg", av_slice_of(key->algorithm->name)) &&
        av_json_set_text(jwk, "use", AV_SLICE("sig")) && av_json_set_text(jwk, "kid", av_slice_of(key->kid))) {
        return jwk;
    }
    json_decref(jwk);
    return NULL;
}
