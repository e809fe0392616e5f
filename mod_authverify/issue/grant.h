/* Decides whether an application gets a token, and writes it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_GRANT_H
#define AV_GRANT_H

#include "issuer.h"
#include "token_request.h"

typedef struct av_grant {
    av_verdict verdict; /* who it is for: as for any request, under issuer->door */
    av_slice scopes;    /* a comma list; empty: none */
    apr_time_t expires; /* of the token; not later than the client's own */
} av_grant;

/* Before the body is read: is it a POST, or a GET of the older form where that is taken, with TLS unless insecure=on, from a network of the issuer's? Returns AV_ACCEPTED,
 * AV_INSECURE_TRANSPORT, AV_NETWORK_REFUSED, AV_METHOD_REFUSED (RFC 6749 section 3.2). */
av_reason av_grant_open(const av_issuer *issuer, const av_request *request, bool is_secure, apr_pool_t *pool);

/* Is the client who it says, may it come here, and may it have the scopes? Without a scope asked for it gets all that it
 * may have. What an unknown client costs is what a known one does. The reason is AV_ACCEPTED, or AV_UNKNOWN_CLIENT,
 * AV_WRONG_SECRET, AV_STORE_UNAVAILABLE, AV_INTERNAL_ERROR; after the proof what av_client_check says, or
 * AV_SCOPE_NOT_ALLOWED. */
av_grant av_grant_decide(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                         apr_pool_t *pool);

/* Of the client's scopes those that the issuer gives, or all that are asked for. False: one of those it may not have. */
bool av_grant_scopes(const av_issuer *issuer, const av_client_record *client, av_slice asked, av_slice *scopes,
                     apr_pool_t *pool);

/* The access token (RFC 9068), a JWT that the issuer's first key signs: iss sub aud exp iat jti client_id, scope,
 * environment and org where there are any. Empty where the library failed, or a name is not UTF-8. */
av_slice av_grant_token(const av_grant *grant, const av_issuer *issuer, apr_time_t now, apr_pool_t *pool);

/* The answer of RFC 6749 section 5.1 with that token. Empty likewise. */
av_slice av_grant_answer(const av_grant *grant, av_slice token, apr_time_t now, apr_pool_t *pool);

/* The same in the older form: the token, and the header's value that it goes into. Empty likewise. */
av_slice av_grant_legacy_answer(const av_issuer *issuer, av_slice token, apr_pool_t *pool);

/* What the client is told of a refusal: RFC 6749 section 5.2. */
typedef struct av_token_error {
    int status;
    const char *code;
} av_token_error;

av_token_error av_token_error_of(av_reason reason);

/* The same as JSON; empty where the library failed. */
av_slice av_token_error_answer(av_reason reason, apr_pool_t *pool);

#endif
