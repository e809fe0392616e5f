/* A proof that its sender holds a key, made for one request and one token (DPoP, RFC 9449 section 4).
 *
 * It brings its public key along and vouches for nothing by itself: whoever takes it must know the key's thumbprint
 * from a token that was proven, and claim its name, so that it is good once.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_DPOP_H
#define AV_DPOP_H

#include "authverify.h"
#include "jws.h"

#include <apr_tables.h>

struct json_t;

typedef struct av_dpop_proof {
    av_jws jws;
    const av_jws_algorithm *algorithm;
    const struct json_t *jwk;
    unsigned char thumbprint[AV_SHA256_SIZE]; /* of the key (RFC 7638) */

    /* What it says, and nobody has proven before av_dpop_verify. */
    av_slice id, method, url; /* "jti", "htm", "htu" */
    av_slice nonce;           /* its `at` is NULL where there is none */
    apr_int64_t issued;       /* "iat": seconds since 1970 */
    unsigned char token_digest[AV_SHA256_SIZE];
} av_dpop_proof;

/* The proof of the request's only DPoP header: a JWT of the type dpop+jwt, under one of `algorithms` (an array of const
 * av_jws_algorithm *, none of them with a secret), with a public key of that algorithm in its header, and the claims
 * jti (256 bytes at most, no control characters), htm, htu, iat and ath, each of its type (section 4.2). Returns
 * AV_ACCEPTED, AV_MALFORMED_PROOF (also where there is none), AV_AMBIGUOUS_CREDENTIAL where there are two, or
 * AV_INTERNAL_ERROR. Borrows from the request; the rest lives in `pool`. */
av_reason av_dpop_find(const av_request *request, const apr_array_header_t *algorithms, const av_crypto *crypto,
                       av_dpop_proof *proof, apr_pool_t *pool);

/* Is it for the request's method and URL, and for this token? The URL is compared as section 4.3 says, normalised; it
 * stands there without a query. Returns AV_ACCEPTED, AV_WRONG_PROOF_TARGET, AV_WRONG_PROOF or AV_INTERNAL_ERROR. */
av_reason av_dpop_check_target(const av_dpop_proof *proof, const av_request *request, av_slice token,
                               const av_crypto *crypto, apr_pool_t *pool);

/* Was it made at most so long before `now`, or after? Returns AV_ACCEPTED or AV_PROOF_OUT_OF_TIME. */
av_reason av_dpop_check_time(const av_dpop_proof *proof, apr_time_t now, apr_interval_time_t past,
                             apr_interval_time_t future);

/* Is its key fit (see av_jwk_read_public), and has it signed the proof? Returns AV_ACCEPTED, AV_MALFORMED_PROOF,
 * AV_WRONG_PROOF or AV_INTERNAL_ERROR. */
av_reason av_dpop_verify(const av_dpop_proof *proof, const av_crypto *crypto, apr_pool_t *pool);

/* Sets what is good for one request alone: this key's proof of this jti. It is over when av_dpop_check_time says so
 * with the same `past`. False: the library failed. */
bool av_dpop_once(const av_dpop_proof *proof, apr_interval_time_t past, const av_crypto *crypto, av_once *once);

#endif
