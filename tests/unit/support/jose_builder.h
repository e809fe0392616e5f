/* Keys and signed tokens for tests, made anew in each program: nothing here uses what is tested but the encoder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_JOSE_BUILDER_H
#define AV_TESTS_JOSE_BUILDER_H

#include "core/slice.h"

/* What HS256, HS384 and HS512 tokens are signed with. */
#define JOSE_SECRET "a shared secret that is as long as the longest hash: 64 bytes ..."

/* Makes the keys. Before tests fork: RSA takes its time. */
void jose_create_keys(void);

/* The public key of the algorithm as PEM, and as a JWK whose members are followed by `more` (",\"kid\":\"1\"", or
 * ""). For an HS algorithm the JWK of JOSE_SECRET. */
av_slice jose_pem(const char *algorithm, apr_pool_t *pool);
av_slice jose_jwk(const char *algorithm, const char *more, apr_pool_t *pool);

/* What av_signing_key_read takes: the private key as PEM, for an HS algorithm JOSE_SECRET. */
av_slice jose_private(const char *algorithm, apr_pool_t *pool);

/* The signature of the text as RFC 7518 writes it, in bytes. */
av_slice jose_sign(const char *algorithm, av_slice text, apr_pool_t *pool);

/* A token of these JSON texts, which may be anything. */
av_slice jose_token(const char *algorithm, const char *header, const char *payload, apr_pool_t *pool);

/* A token whose header says its algorithm alone. */
av_slice jose_plain_token(const char *algorithm, const char *payload, apr_pool_t *pool);

#endif
