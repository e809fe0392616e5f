/* Keys as they are written down: a JSON Web Key, a set of them (RFC 7517), or public keys in PEM (RFC 7468).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWK_H
#define AV_JWK_H

#include "jws_algorithm.h"

#include <apr_tables.h>
#include <stdint.h>

/* Keys of a set that are looked at; a set with more of them is refused. */
#define AV_MAX_JWKS_KEYS 256

typedef struct av_jwk_set {
    const av_jws_key *keys; /* that serve one of the algorithms, in order */
    apr_size_t count;
    apr_array_header_t *faults; /* of const char *: a sentence for each key that was left out because it is unfit */
    uint64_t mark;              /* of the text: another text has another one */
    bool has_secret;            /* a secret or a private key stands in the text: others must not read it */
} av_jwk_set;

/* Reads the keys that serve one of `algorithms`, an array of const av_jws_algorithm *: where a key says its "alg", that
 * one; otherwise the only one that its kind and, for a secret, its length fit.
 *
 * A key is left out in silence where its kty, crv or alg is not known or serves none of the algorithms. It is left out
 * with a fault where it is unfit: see public_key.h; a secret shorter than its hash (RFC 7518 section 3.2); a "use"
 * other than sig, "key_ops" without verify; a member missing, of another type, or not base64url of the least length (RFC 7518
 * section 2); an alg of another kind of key; no alg where several algorithms fit, since one key serves one (RFC 8725
 * section 3.1). A fault names the key by its kid, or by its place in the set, and never holds a secret.
 *
 * Returns NULL, or a sentence where the text is nothing of the three, or there are too many keys. The set borrows from
 * `crypto` only, and is wiped and freed when `pool` is cleared. */
const char *av_jwk_set_read(av_slice text, const apr_array_header_t *algorithms, const av_crypto *crypto,
                            av_jwk_set *set, apr_pool_t *pool);

/* Makes a key of a shared secret, whose bytes it is. Returns NULL or a sentence: the only HMAC algorithm must be told,
 * and the secret not be shorter than its hash. */
const char *av_jwk_of_secret(av_slice secret, const apr_array_header_t *algorithms, const av_crypto *crypto,
                             av_jws_key *key, apr_pool_t *pool);

#endif
