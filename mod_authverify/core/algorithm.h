/* What turns a key and a text into a proof: one row for each algorithm. The configuration chooses the row, never a
 * request.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_ALGORITHM_H
#define AV_ALGORITHM_H

#include "digest.h"
#include "slice.h"

/* Candidates that one request may offer under one rule. */
#define AV_MAX_PROOFS 16

typedef struct av_algorithm av_algorithm;

/* A secret or public key made ready at start. Read-only afterwards, shared by all threads. */
typedef struct av_key {
    const av_algorithm *algorithm;
    const av_crypto *crypto;
    const char *label; /* which of several secrets this is: for who looks at the log; never the secret */
    const void *ready; /* the algorithm's own */
} av_key;

/* What a request offers as its proof. */
typedef struct av_proof {
    av_slice bytes; /* decoded */
} av_proof;

struct av_algorithm {
    const char *name;
    bool reads_text;       /* false: the proof is the secret itself */
    bool streams;          /* false: the text is needed in one piece */
    bool public_key;       /* what is configured is no secret: others may read it */
    apr_size_t proof_size; /* bytes; 0: any */

    /* Makes key->ready from the decoded secret. Returns NULL or a sentence; the sentence never holds the secret. */
    const char *(*prepare)(av_key *key, av_slice secret, apr_pool_t *pool);

    /* Streams only: sets the context to "nothing read yet". The text is then fed with EVP_DigestUpdate.
     * False: the library failed. */
    bool (*start)(const av_key *key, EVP_MD_CTX *context);

    /* Is one of the proofs that of what was fed to the context (streams) or of `text` (otherwise)? Returns its index,
     * AV_NO_PROOF, or AV_CANNOT_TELL where the library failed. Compares in constant time. Ends the context. */
    int (*match)(const av_key *key, EVP_MD_CTX *context, av_slice text, const av_proof *proofs, apr_size_t count);
};

enum { AV_NO_PROOF = -1, AV_CANNOT_TELL = -2 };

/* The row of that name, NULL where there is none. */
const av_algorithm *av_algorithm_find(av_slice name);

/* All names, separated by ", ", for a sentence. Static. */
const char *av_algorithm_names(void);

#endif
