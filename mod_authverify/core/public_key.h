/* Public keys for signatures, from their numbers or from PEM. Each is looked at before it is used: whoever wrote it is
 * not trusted to know what is fit.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PUBLIC_KEY_H
#define AV_PUBLIC_KEY_H

#include "slice.h"

#include <openssl/evp.h>

/* Which signatures a key can make; AV_KEY_SECRET is no public key but what an HMAC is made with. */
typedef enum av_key_kind {
    AV_KEY_RSA,
    AV_KEY_P256, /* NIST curves, FIPS 186-4 appendix D.1.2 */
    AV_KEY_P384,
    AV_KEY_P521,
    AV_KEY_ED25519, /* RFC 8032 */
    AV_KEY_SECRET
} av_key_kind;

/* Fit is: RSA of 2048 to 16384 bits (RFC 7518 section 3.3) whose exponent is odd, 3 at least and 64 bits at most, and
 * whose modulus is not one of CVE-2017-15361; a point on its curve (RFC 8725 section 3.4); and what the library's own
 * check of public keys says.
 * Each returns NULL with *key set, which is freed when `pool` is cleared, or a sentence. Numbers are big-endian. */
const char *av_public_key_rsa(av_slice modulus, av_slice exponent, EVP_PKEY **key, apr_pool_t *pool);

/* `kind` is one of the NIST curves; both coordinates have exactly the curve's size. */
const char *av_public_key_ec(av_key_kind kind, av_slice x, av_slice y, EVP_PKEY **key, apr_pool_t *pool);

const char *av_public_key_ed25519(av_slice point, EVP_PKEY **key, apr_pool_t *pool);

/* Reads the first "PUBLIC KEY" (RFC 7468 section 13) of `*text` and leaves in it what follows; *key is NULL where there
 * is none any more. Another block, such as a certificate or a private key, is a mistake. */
const char *av_public_key_pem(av_slice *text, EVP_PKEY **key, av_key_kind *kind, apr_pool_t *pool);

#endif
