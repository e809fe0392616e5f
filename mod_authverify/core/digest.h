/* Message digests, fetched once at start, and HMAC (RFC 2104) from key states prepared at start.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_DIGEST_H
#define AV_DIGEST_H

#include "crc.h"
#include "slice.h"
#include <openssl/evp.h>

/* The library's algorithms: fetching one costs more than hashing a small body, so it happens once. Read-only
 * afterwards. */
typedef struct av_crypto {
    EVP_MD *sha1, *sha256, *sha384, *sha512;
    EVP_MD *md5; /* for checksums alone; NULL where the library refuses it */
    av_crc_tables crc;
} av_crypto;

/* Fetches the algorithms; they are freed when `pool` is cleared. NULL where the library has one of them not. */
const av_crypto *av_crypto_create(apr_pool_t *pool);

/* An HMAC key as the two digest states that it comes to: nothing is keyed per request. Read-only, shared by threads. */
typedef struct av_hmac_key {
    EVP_MD_CTX *inner, *outer;
} av_hmac_key;

/* Prepares a key of any length but 0. Wiped when `pool` is cleared. NULL where the library failed. */
const av_hmac_key *av_hmac_prepare(const EVP_MD *digest, av_slice secret, apr_pool_t *pool);

/* Sets `context` to a MAC of which nothing is read yet. Feed it with EVP_DigestUpdate. False: the library failed. */
bool av_hmac_start(const av_hmac_key *key, EVP_MD_CTX *context);

/* Writes the MAC of what was fed into `mac` and its size into *size. False: the library failed. Ends the context. */
bool av_hmac_finish(const av_hmac_key *key, EVP_MD_CTX *context, unsigned char mac[EVP_MAX_MD_SIZE], unsigned *size);

/* HMAC-SHA-256 of one text under a key that is used once. Uses `context`, which may be in any state. False: the library
 * failed. */
#define AV_SHA256_SIZE 32
bool av_hmac_sha256(const av_crypto *crypto, EVP_MD_CTX *context, av_slice key, av_slice text,
                    unsigned char mac[AV_SHA256_SIZE]);

/* A new context that is freed when `pool` is cleared. NULL where the library failed. */
EVP_MD_CTX *av_digest_context(apr_pool_t *pool);

/* The digest of one text. False: the library failed. */
bool av_digest(const EVP_MD *digest, av_slice text, unsigned char out[EVP_MAX_MD_SIZE], unsigned *size);

#endif
