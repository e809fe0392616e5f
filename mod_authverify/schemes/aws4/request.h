/* What the scheme knows of one request: the notes it leaves in the claim.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_REQUEST_H
#define AV_AWS4_REQUEST_H

#include "canonical.h"
#include "stream.h"

typedef struct av_aws4_request {
    av_aws4_credential credential;
    av_aws4_headers headers;
    av_aws4_canonical canonical;
    av_aws4_payload payload;
    const char *label;      /* of the secret that has proven the head; NULL until then */
    av_aws4_signer *signer; /* with that key */
    av_reader reader;       /* of a body without chunks: feeds `hash` and the checksums */
    EVP_MD_CTX *hash;       /* NULL: the body's hash is not asked for */
    av_aws4_stream *stream; /* of a body of chunks */
    av_attribute attributes[3];
} av_aws4_request;

/* The string to sign, in `pool`: algorithm, time, scope and the canonical request's hash in hexadecimal. */
av_slice av_aws4_string_to_sign(const av_aws4_credential *credential, av_slice hash, apr_pool_t *pool);

/* The canonical request's hash in hexadecimal, in `pool`. Empty where the library failed. */
av_slice av_aws4_canonical_hash(const av_crypto *crypto, av_slice canonical, av_slice payload_line, apr_pool_t *pool);

/* Is the request's signature that of its canonical request with this payload line, under one of the client's keys? Sets
 * request->label and request->signer. Returns AV_ACCEPTED, AV_WRONG_SIGNATURE, AV_INTERNAL_ERROR. A wrong signature
 * costs the same whether the key was remembered or not. */
av_reason av_aws4_prove(av_aws4_request *request, const av_claim *claim, av_slice payload_line, apr_pool_t *pool);

#endif
