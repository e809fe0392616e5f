/* Keys as they are written down: a JSON Web Key, a set of them (RFC 7517), or public keys in PEM (RFC 7468).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWK_H
#define AV_JWK_H

#include "jws_algorithm.h"

#include <apr_tables.h>
#include <stdint.h>

struct json_t;

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
 * other than sig, "key_ops" without verify; a member missing, of another type, or not base64url of the least length
 * (RFC 7518 section 2); an alg of another kind of key; no alg where several algorithms fit, since one key serves one
 * (RFC 8725 section 3.1). A fault names the key by its kid, or by its place in the set, and never holds a secret.
 *
 * Returns NULL, or a sentence where the text is nothing of the three, or there are too many keys. The set borrows from
 * `crypto` only, and is wiped and freed when `pool` is cleared. */
const char *av_jwk_set_read(av_slice text, const apr_array_header_t *algorithms, const av_crypto *crypto,
                            av_jwk_set *set, apr_pool_t *pool);

/* Makes a key of a shared secret, whose bytes it is. Returns NULL or a sentence: the only HMAC algorithm must be told,
 * and the secret not be shorter than its hash. */
const char *av_jwk_of_secret(av_slice secret, const apr_array_header_t *algorithms, const av_crypto *crypto,
                             av_jws_key *key, apr_pool_t *pool);

/* Makes a key for `algorithm`, which is none with a secret, of one that a message brings along (RFC 7515 section
 * 4.1.3). Fit is what av_jwk_set_read says; besides, it must be of the algorithm's kind, its "alg", if it has one, the
 * same, and nothing of a private key or of a secret may stand in it. Returns NULL or a sentence. Borrows from `jwk`. */
const char *av_jwk_read_public(const struct json_t *jwk, const av_jws_algorithm *algorithm, const av_crypto *crypto,
                               av_jws_key *key, apr_pool_t *pool);

/* The SHA-256 of the members that make a public key what it is (RFC 7638 section 3). False where they are not all
 * there, or hold what no such member may. Whether the key is fit is not looked at. */
bool av_jwk_thumbprint(const struct json_t *jwk, const av_crypto *crypto, unsigned char thumbprint[AV_SHA256_SIZE],
                       apr_pool_t *pool);

#endif
