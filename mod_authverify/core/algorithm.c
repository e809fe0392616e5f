/* The algorithms. A new one is a row at the end and the three functions it names.
 * SPDX-License-Identifier: Apache-2.0 */
#include "algorithm.h"
#include "secret.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define ED25519_KEY_SIZE 32
#define ED25519_SIGNATURE_SIZE 64

/* The index of the proof that equals `expected`. All are looked at, so that time does not tell which one it is. */
static int index_of(av_slice expected, const av_proof *proofs, apr_size_t count)
{
    int found = AV_NO_PROOF;
    for (apr_size_t i = 0; i < count; i++) {
        if (av_secret_equal(expected, proofs[i].bytes)) {
            found = (int)i;
        }
    }
    return found;
}

/* HMAC, RFC 2104 */

static const char *prepare_hmac(av_key *key, const EVP_MD *digest, av_slice secret, apr_pool_t *pool)
{
    key->ready = av_hmac_prepare(digest, secret, pool);
    return key->ready ? NULL : "the secret cannot be used as an HMAC key";
}

static const char *prepare_hmac_sha1(av_key *key, av_slice secret, apr_pool_t *pool)
{
    return prepare_hmac(key, key->crypto->sha1, secret, pool);
}

static const char *prepare_hmac_sha256(av_key *key, av_slice secret, apr_pool_t *pool)
{
    return prepare_hmac(key, key->crypto->sha256, secret, pool);
}

static const char *prepare_hmac_sha512(av_key *key, av_slice secret, apr_pool_t *pool)
{
    return prepare_hmac(key, key->crypto->sha512, secret, pool);
}

static bool start_hmac(const av_key *key, EVP_MD_CTX *context)
{
    return av_hmac_start(key->ready, context);
}

static int match_hmac(const av_key *key, EVP_MD_CTX *context, av_slice text, const av_proof *proofs, apr_size_t count)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    int found = AV_CANNOT_TELL;
    (void)text;
    if (av_hmac_finish(key->ready, context, mac, &size)) {
        found = index_of((av_slice){ (const char *)mac, size }, proofs, count);
    }
    OPENSSL_cleanse(mac, sizeof(mac));
    return found;
}

/* Ed25519, RFC 8032. OpenSSL takes the text in one call only. */

static apr_status_t free_public_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static EVP_PKEY *read_pem(av_slice text)
{
    EVP_PKEY *key = NULL;
    BIO *bio = text.len < INT_MAX ? BIO_new_mem_buf(text.at, (int)text.len) : NULL;
    if (bio) {
        key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    return key;
}

static const char *prepare_ed25519(av_key *key, av_slice secret, apr_pool_t *pool)
{
    EVP_PKEY *public_key =
        av_slice_starts_with(secret, AV_SLICE("-----BEGIN"))
            ? read_pem(secret)
            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)secret.at, secret.len);
    ERR_clear_error();
    if (public_key) {
        apr_pool_cleanup_register(pool, public_key, free_public_key, apr_pool_cleanup_null);
    }
    if (!public_key || EVP_PKEY_get_id(public_key) != EVP_PKEY_ED25519) {
        return apr_psprintf(pool,
                            "the key is not an Ed25519 public key: it must be a PEM \"PUBLIC KEY\" or come to %d bytes "
                            "under key-encoding=",
                            ED25519_KEY_SIZE);
    }
    key->ready = public_key;
    return NULL;
}

static int match_ed25519(const av_key *key, EVP_MD_CTX *context, av_slice text, const av_proof *proofs,
                         apr_size_t count)
{
    EVP_PKEY *public_key = (EVP_PKEY *)key->ready; /* EVP only counts references to it */
    for (apr_size_t i = 0; i < count; i++) {
        EVP_MD_CTX_reset(context);
        if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) != 1) {
            ERR_clear_error();
            return AV_CANNOT_TELL;
        }
        if (EVP_DigestVerify(context, (const unsigned char *)proofs[i].bytes.at, proofs[i].bytes.len,
                             (const unsigned char *)text.at, text.len) == 1) {
            return (int)i;
        }
        ERR_clear_error();
    }
    return AV_NO_PROOF;
}

/* A shared token: both sides are hashed first, so that not even its length shows in the time. */

typedef struct token_digest {
    unsigned char at[EVP_MAX_MD_SIZE];
    unsigned size;
} token_digest;

static const char *prepare_token(av_key *key, av_slice secret, apr_pool_t *pool)
{
    token_digest digest = { { 0 }, 0 };
    if (!av_digest(key->crypto->sha256, secret, digest.at, &digest.size)) {
        return "the token cannot be hashed";
    }
    av_slice kept = av_secret_keep((av_slice){ (const char *)&digest, sizeof(digest) }, pool);
    OPENSSL_cleanse(&digest, sizeof(digest));
    key->ready = kept.at;
    return NULL;
}

static int match_token(const av_key *key, EVP_MD_CTX *context, av_slice text, const av_proof *proofs, apr_size_t count)
{
    const token_digest *expected = key->ready;
    int found = AV_NO_PROOF;
    (void)context;
    (void)text;
    for (apr_size_t i = 0; i < count; i++) {
        token_digest sent = { { 0 }, 0 };
        if (!av_digest(key->crypto->sha256, proofs[i].bytes, sent.at, &sent.size)) {
            return AV_CANNOT_TELL;
        }
        if (CRYPTO_memcmp(sent.at, expected->at, expected->size) == 0) {
            found = (int)i;
        }
        OPENSSL_cleanse(&sent, sizeof(sent));
    }
    return found;
}

static const av_algorithm algorithms[] = {
    { .name = "hmac-sha256",
      .reads_text = true,
      .streams = true,
      .proof_size = 32,
      .prepare = prepare_hmac_sha256,
      .start = start_hmac,
      .match = match_hmac },
    { .name = "hmac-sha1",
      .reads_text = true,
      .streams = true,
      .proof_size = 20,
      .prepare = prepare_hmac_sha1,
      .start = start_hmac,
      .match = match_hmac },
    { .name = "hmac-sha512",
      .reads_text = true,
      .streams = true,
      .proof_size = 64,
      .prepare = prepare_hmac_sha512,
      .start = start_hmac,
      .match = match_hmac },
    { .name = "ed25519",
      .reads_text = true,
      .streams = false,
      .public_key = true,
      .proof_size = ED25519_SIGNATURE_SIZE,
      .prepare = prepare_ed25519,
      .match = match_ed25519 },
    { .name = "token",
      .reads_text = false,
      .streams = false,
      .proof_size = 0,
      .prepare = prepare_token,
      .match = match_token },
};

const av_algorithm *av_algorithm_find(av_slice name)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (av_slice_equal(name, av_slice_of(algorithms[i].name))) {
            return &algorithms[i];
        }
    }
    return NULL;
}

const char *av_algorithm_names(void)
{
    return "hmac-sha256, hmac-sha1, hmac-sha512, ed25519, token";
}
