/* A JSON Web Signature in its compact form (RFC 7515 section 7.1): taken apart and read strictly, and proven.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWS_H
#define AV_JWS_H

#include "json.h"
#include "jws_algorithm.h"

/* Bytes of a token that are looked at; one that is longer is malformed. */
#define AV_MAX_JWS_BYTES 16384

typedef struct av_jws {
    av_slice text;      /* what is signed: header and payload as they were sent, with the dot between them */
    av_slice encoded;   /* the payload as it was sent */
    av_slice payload;   /* decoded, and not believed before av_jws_verify says so */
    av_slice signature; /* decoded */
    const av_json *header;
    av_slice algorithm; /* "alg" */
    bool has_kid, has_type;
    av_slice kid;  /* "kid" */
    av_slice type; /* "typ", without its application/ (RFC 7515 section 4.1.9) */
} av_jws;

/* Three parts of base64url characters, none of them empty, with dots between them: enough to tell a JWS from an opaque
 * token. */
bool av_jws_has_form(av_slice text);

/* Takes `text` apart and reads its header. False where it is malformed: not of the form, too long, not base64url to the
 * letter; a header that is not a JSON object (see av_json_load), whose alg, kid or typ is no string; "crit", since no
 * extension is understood (RFC 7515 section 4.1.11); "b64" (RFC 7797 section 7); a "cty" that announces a token within
 * (RFC 7519 section 5.2). Keys and addresses of keys in the header are not looked at (RFC 8725 section 3.10).
 * Borrows from `text`; what is decoded lives in `pool`. */
bool av_jws_parse(av_slice text, av_jws *jws, apr_pool_t *pool);

/* Is it signed by the key? The key's algorithm must be that of the header, too. */
av_jws_result av_jws_verify(const av_jws *jws, const av_jws_key *key);

/* A decoded payload as a JSON object; NULL where it is none. */
const av_json *av_jws_claims(av_slice payload, apr_pool_t *pool);

#endif
