/* Keys that sign tokens, and what the world is told of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SIGNING_KEY_H
#define AV_SIGNING_KEY_H

#include "../core/jws_algorithm.h"

#include <jansson.h>

/* Read-only once it is read, shared by all threads. */
typedef struct av_signing_key {
    const av_jws_algorithm *algorithm;
    const av_crypto *crypto;
    const char *kid; /* of its public part (RFC 7638, SHA-256); NULL for a secret, whose digest is nobody's business */
    EVP_PKEY *private_key;     /* NULL for AV_KEY_SECRET */
    const av_hmac_key *secret; /* for AV_KEY_SECRET */
} av_signing_key;

/* Reads a key of `algorithm`: one private key in PEM (RFC 7468: "PRIVATE KEY", and the older "RSA PRIVATE KEY" and "EC
 * PRIVATE KEY"), not encrypted; or for HMAC the bytes of the secret, not fewer than the hash has. Public numbers must be
 * fit (public_key.h), and a signature made with the key must be right. Returns NULL or a sentence, which never holds a
 * byte of the text. Freed when `pool` is cleared. */
const char *av_signing_key_read(av_slice text, const av_jws_algorithm *algorithm, const av_crypto *crypto,
                                av_signing_key *key, apr_pool_t *pool);

/* The signature of `text` as RFC 7518 and RFC 8037 write it, in bytes. Empty where the library failed. */
av_slice av_signing_key_sign(const av_signing_key *key, av_slice text, apr_pool_t *pool);

/* A compact JWS (RFC 7515 section 7.1) of `payload` with the header alg, kid where the key has one, typ. Empty where the
 * library failed. */
av_slice av_signing_key_token(const av_signing_key *key, const char *type, av_slice payload, apr_pool_t *pool);

/* The public part as a JWK (RFC 7517) with alg, use and kid. The caller frees it. NULL for a secret, or where the library
 * failed. */
json_t *av_signing_key_jwk(const av_signing_key *key, apr_pool_t *pool);

#endif
