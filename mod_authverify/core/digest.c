/* Message digests and HMAC on EVP.
 * SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#define LARGEST_BLOCK 144 /* SHA3-224's; the digests used here have 64 and 128 */
#define SHA256_BLOCK 64

static apr_status_t free_digest(void *digest)
{
    EVP_MD_free(digest);
    return APR_SUCCESS;
}

static EVP_MD *fetch(const char *name, apr_pool_t *pool)
{
    EVP_MD *digest = EVP_MD_fetch(NULL, name, NULL);
    if (digest) {
        apr_pool_cleanup_register(pool, digest, free_digest, apr_pool_cleanup_null);
    } else {
        ERR_clear_error();
    }
    return digest;
}

const av_crypto *av_crypto_create(apr_pool_t *pool)
{
    av_crypto *crypto = apr_palloc(pool, sizeof(*crypto));
    crypto->sha1 = fetch("SHA1", pool);
    crypto->sha256 = fetch("SHA256", pool);
    crypto->sha384 = fetch("SHA384", pool);
    crypto->sha512 = fetch("SHA512", pool);
    crypto->md5 = fetch("MD5", pool);
    av_crc_prepare(&crypto->crc);
    return crypto->sha1 && crypto->sha256 && crypto->sha384 && crypto->sha512 ? crypto : NULL;
}

static apr_status_t free_context(void *context)
{
    EVP_MD_CTX_free(context);
    return APR_SUCCESS;
}

EVP_MD_CTX *av_digest_context(apr_pool_t *pool)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context) {
        apr_pool_cleanup_register(pool, context, free_context, apr_pool_cleanup_null);
    }
    return context;
}

bool av_digest(const EVP_MD *digest, av_slice text, unsigned char out[EVP_MAX_MD_SIZE], unsigned *size)
{
    if (EVP_Digest(text.at, text.len, out, size, digest, NULL) == 1) {
        return true;
    }
    ERR_clear_error();
    return false;
}

/* A context that has read the key's block, each byte combined with `pad`: RFC 2104 section 2, step 2 or 5. */
static EVP_MD_CTX *padded(const EVP_MD *digest, const unsigned char *key, unsigned char pad, apr_pool_t *pool)
{
    unsigned char block[LARGEST_BLOCK];
    size_t size = (size_t)EVP_MD_get_block_size(digest);
    EVP_MD_CTX *context = av_digest_context(pool);
    for (size_t i = 0; i < size; i++) {
        block[i] = key[i] ^ pad;
    }
    bool done = context && EVP_DigestInit_ex(context, digest, NULL) == 1 && EVP_DigestUpdate(context, block, size) == 1;
    OPENSSL_cleanse(block, sizeof(block));
    return done ? context : NULL;
}

const av_hmac_key *av_hmac_prepare(const EVP_MD *digest, av_slice secret, apr_pool_t *pool)
{
    unsigned char key[LARGEST_BLOCK] = { 0 };
    unsigned size = 0;
    av_hmac_key *prepared = apr_palloc(pool, sizeof(*prepared));
    bool done = secret.len > 0;

    if (secret.len > (size_t)EVP_MD_get_block_size(digest)) {
        done = av_digest(digest, secret, key, &size);
    } else if (done) {
        memcpy(key, secret.at, secret.len);
    }
    if (done) {
        prepared->inner = padded(digest, key, 0x36, pool);
        prepared->outer = padded(digest, key, 0x5c, pool);
        done = prepared->inner && prepared->outer;
    }
    OPENSSL_cleanse(key, sizeof(key));
    return done ? prepared : NULL;
}

bool av_hmac_start(const av_hmac_key *key, EVP_MD_CTX *context)
{
    return EVP_MD_CTX_copy_ex(context, key->inner) == 1;
}

bool av_hmac_finish(const av_hmac_key *key, EVP_MD_CTX *context, unsigned char mac[EVP_MAX_MD_SIZE], unsigned *size)
{
    unsigned char inner[EVP_MAX_MD_SIZE];
    unsigned inner_size = 0;
    bool done = EVP_DigestFinal_ex(context, inner, &inner_size) == 1 && EVP_MD_CTX_copy_ex(context, key->outer) == 1 &&
                EVP_DigestUpdate(context, inner, inner_size) == 1 && EVP_DigestFinal_ex(context, mac, size) == 1;
    OPENSSL_cleanse(inner, sizeof(inner));
    if (!done) {
        ERR_clear_error();
    }
    return done;
}

/* One of the two halves of HMAC: the key's block, each byte combined with `pad`, and then the text. */
static bool half(const av_crypto *crypto, EVP_MD_CTX *context, const unsigned char block[SHA256_BLOCK],
                 unsigned char pad, av_slice text, unsigned char out[AV_SHA256_SIZE])
{
    unsigned char combined[SHA256_BLOCK];
    unsigned size = 0;
    for (size_t i = 0; i < sizeof(combined); i++) {
        combined[i] = block[i] ^ pad;
    }
    bool done = EVP_DigestInit_ex(context, crypto->sha256, NULL) == 1 &&
                EVP_DigestUpdate(context, combined, sizeof(combined)) == 1 &&
                EVP_DigestUpdate(context, text.at, text.len) == 1 && EVP_DigestFinal_ex(context, out, &size) == 1;
    OPENSSL_cleanse(combined, sizeof(combined));
    return done;
}

bool av_hmac_sha256(const av_crypto *crypto, EVP_MD_CTX *context, av_slice key, av_slice text,
                    unsigned char mac[AV_SHA256_SIZE])
{
    unsigned char block[SHA256_BLOCK] = { 0 }, inner[AV_SHA256_SIZE];
    unsigned size = 0;
    bool done = true;
    if (key.len > sizeof(block)) {
        done = av_digest(crypto->sha256, key, block, &size);
    } else if (key.len) {
        memcpy(block, key.at, key.len);
    }
    done = done && half(crypto, context, block, 0x36, text, inner) &&
           half(crypto, context, block, 0x5c, (av_slice){ (const char *)inner, sizeof(inner) }, mac);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(inner, sizeof(inner));
    if (!done) {
        ERR_clear_error();
    }
    return done;
}
