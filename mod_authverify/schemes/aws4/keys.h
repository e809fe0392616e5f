/* Signing keys: derived from a secret for one day, region and service, or for SigV4A for the access key alone.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_KEYS_H
#define AV_AWS4_KEYS_H

#include "credential.h"

/* Keeps the secret as the derivation begins with it. Not in the table of algorithms: it proves nothing by itself. */
extern const av_algorithm av_aws4_algorithm;

/* Checks signatures of one credential. */
typedef struct av_aws4_signer {
    const av_crypto *crypto;
    const av_aws4_credential *credential;
    EVP_MD_CTX *context;
    unsigned char key[AV_LARGEST_DERIVED_KEY]; /* the signing key; SigV4A: x and y of the public point */
    EVP_PKEY *public_key;                      /* SigV4A: the same, ready for use */
} av_aws4_signer;

/* A signer without a key, wiped and freed with `pool`. NULL where the library failed. */
av_aws4_signer *av_aws4_signer_create(const av_crypto *crypto, const av_aws4_credential *credential, apr_pool_t *pool);

/* Gives the signer the key that comes of the client's: from memory (may be NULL), or derived. Where memory has none, the
 * signer gets one that is nobody's, so that checking with it costs the same. False: the library failed.
 * Sources: "Create a signed request", step "Derive a signing key"; SigV4A as the AWS Common Runtime derives it (NIST
 * SP 800-108 counter mode to a scalar of P-256). */
bool av_aws4_signer_recall(av_aws4_signer *signer, const av_key *key, const av_key_memory *memory, bool *is_known);
bool av_aws4_signer_derive(av_aws4_signer *signer, const av_key *key);

/* Keeps the signer's key in memory (may be NULL). */
void av_aws4_signer_keep(const av_aws4_signer *signer, const av_key *key, const av_key_memory *memory);

/* Is `signature`, as it is written in hexadecimal, that of `text`? False where the library failed, too. HMAC is compared
 * in constant time. ECDSA: DER with nothing before or behind it (X.690 section 10); s need not be the lower of two. */
bool av_aws4_signer_check(av_aws4_signer *signer, av_slice text, av_slice signature);

/* The HMAC signature of `text` under the signer's key, in hexadecimal, in `pool`: for who explains a refusal, or signs.
 * Empty for SigV4A, and where the library failed. */
av_slice av_aws4_signer_sign(av_aws4_signer *signer, av_slice text, apr_pool_t *pool);

#endif
