/* What an application asks the token endpoint for (RFC 6749 sections 2.3.1 and 4.4.2), parsed and not believed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_REQUEST_H
#define AV_TOKEN_REQUEST_H

#include "../core/authverify.h"

/* Bytes of a body that are read; one that is longer is refused. */
#define AV_MAX_TOKEN_REQUEST 16384

/* In which form it is asked for, and answered. */
typedef enum av_token_form {
    AV_FORM_OAUTH,
    AV_FORM_LEGACY, /* username and secret, of a client */
    AV_FORM_LOGIN   /* username and password, of a user of an application */
} av_token_form;

typedef struct av_token_request {
    av_token_form form;
    av_slice client_id, client_secret; /* neither is empty; of a log-in those of the user */
    av_slice scope;                    /* separated by blanks; empty: not said */
    av_slice application;              /* of a log-in: its token; else empty */
} av_token_request;

/* Reads a POST to the endpoint. Each parameter stands in the body, once; one without a value counts as not sent (section
 * 3.2), one that is not known is passed over. The client is named in Authorization: Basic, where both parts are
 * form-encoded (section 2.3.1), or in the body, not in both; client_id may be repeated in the body.
 *
 * Returns AV_ACCEPTED, where nothing is proven yet; AV_MALFORMED_TOKEN_REQUEST, AV_UNSUPPORTED_GRANT; AV_NOT_PRESENTED,
 * AV_MALFORMED_CREDENTIAL, AV_AMBIGUOUS_CREDENTIAL. The secret is wiped when `pool` is cleared, unless it is a part of
 * `body`. */
av_reason av_token_request_read(const av_request *request, av_slice body, av_token_request *asked, apr_pool_t *pool);

/* The older form: username and secret in the query of a GET, or in the form-encoded body of a POST. */

/* A GET that brings one of the two. */
bool av_token_request_is_legacy_get(const av_request *request, apr_pool_t *pool);

/* Such a GET, or a POST that names no grant; `body` as it was sent. */
bool av_token_request_is_legacy(const av_request *request, av_slice body, apr_pool_t *pool);

/* Reads one, likewise. A POST with its secret in the query is none. */
av_reason av_token_request_read_legacy(const av_request *request, av_slice body, av_token_request *asked,
                                       apr_pool_t *pool);

/* A user's log-in: his name and his password, in the form-encoded body of a POST, whose header X-Auth-Application has the
 * application's token. */

/* The header is there. */
bool av_token_request_is_login(const av_request *request, apr_pool_t *pool);

/* Reads one, likewise. A password in the query, a token that is not 36 of [0-9a-f-], and a control byte in a name or a
 * password are refused. */
av_reason av_token_request_read_login(const av_request *request, av_slice body, av_token_request *asked,
                                      apr_pool_t *pool);

#endif
