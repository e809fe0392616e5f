/* The algorithms of JSON Web Signatures. Which one a signature is checked with is the configuration's to say, and a
 * key's: what a token says is only compared with that (RFC 8725 section 3.1).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWS_ALGORITHM_H
#define AV_JWS_ALGORITHM_H

#include "digest.h"
#include "public_key.h"

#include <apr_tables.h>

typedef struct av_jws_algorithm {
    const char *name; /* RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2 */
    av_key_kind kind; /* of its keys */
    bool is_pss;      /* RSASSA-PSS; otherwise RSASSA-PKCS1-v1_5 */
    /* Of its hash, in bytes; 0 where it has none to choose. An HMAC key is not shorter (RFC 7518 section 3.2). */
    apr_size_t hash_size;
    apr_size_t signature_size; /* bytes; 0: as long as the key's modulus */
} av_jws_algorithm;

/* The row of that name, to the letter; NULL where there is none. There is no "none". */
const av_jws_algorithm *av_jws_algorithm_find(av_slice name);

/* Reads a comma list of names into an array of const av_jws_algorithm *. Returns NULL or a sentence. */
const char *av_jws_algorithms_read(const char *names, apr_array_header_t **list, apr_pool_t *pool);

/* One of them is made with a shared secret, or with a key pair. */
bool av_jws_algorithms_have(const apr_array_header_t *list, bool for_secrets);

/* All names, separated by ", ", for a sentence. */
const char *av_jws_algorithm_names(apr_pool_t *pool);

/* Both are the same computation, perhaps under two names (EdDSA and Ed25519). */
bool av_jws_algorithm_equal(const av_jws_algorithm *a, const av_jws_algorithm *b);

/* Its hash; NULL where it has none to choose. */
const EVP_MD *av_jws_algorithm_hash(const av_jws_algorithm *algorithm, const av_crypto *crypto);

/* A key, and the one algorithm that it serves. Read-only, shared by all threads. */
typedef struct av_jws_key {
    const av_jws_algorithm *algorithm;
    const av_crypto *crypto;
    const char *kid;           /* NULL: it has none */
    const char *label;         /* which of several keys this is, for who looks at the log; never the key */
    EVP_PKEY *public_key;      /* NULL for AV_KEY_SECRET */
    const EVP_MD_CTX *started; /* by av_jws_key_start; NULL: each verification starts anew */
    const av_hmac_key *secret; /* for AV_KEY_SECRET */
} av_jws_key;

typedef enum av_jws_result { AV_JWS_WRONG, AV_JWS_RIGHT, AV_JWS_CANNOT_TELL } av_jws_result;

/* Starts once what every verification under a public key starts with, for a key that is used again and again: the
 * library then looks nothing up and locks nothing for each. Lives as long as `pool`. False: the library refused. */
bool av_jws_key_start(av_jws_key *key, apr_pool_t *pool);

/* Is `signature` that of `text` under the key? ECDSA signatures are the two numbers, each of the curve's size (RFC 7518
 * section 3.4); an RSA-PSS salt is as long as the hash (section 3.5). MACs are compared in constant time. */
av_jws_result av_jws_key_verify(const av_jws_key *key, av_slice text, av_slice signature);

#endif
