/* What a rule wants to know of a token's claims (RFC 7519 section 4, RFC 9068 section 2), and whether that will do.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_FACTS_H
#define AV_JWT_FACTS_H

#include "../../core/json.h"
#include "terms.h"

/* Seconds since 1970. What lies further away from then than any calendar is cut to that. */
typedef struct av_jwt_time {
    bool is_said;
    apr_int64_t seconds;
} av_jwt_time;

typedef struct av_jwt_facts {
    av_jwt_time expires, not_before, issued; /* "exp", "nbf", "iat" */
    av_slice name;                           /* "sub", else "client_id", else "azp", else empty */
    av_slice scopes;                         /* "scope", else "scp": a comma list */
    av_slice id;                             /* "jti" */
    /* "cnf": what whoever brings it must show, by its SHA-256: a certificate, or a key by its thumbprint (RFC 7638).
     * Empty: none. */
    av_slice certificate, key;
} av_jwt_facts;

/* Reads the claims and checks what does not change with time: their types, whether those that are required are there,
 * issuer, audience, how long the token lives. A token that is bound ("cnf", RFC 7800) to anything but a certificate
 * (RFC 8705 section 3.1) or a key (RFC 9449 section 6.1), or to more than one thing, is refused. What is in `facts`
 * borrows from `payload` or lives in `pool`. Returns AV_ACCEPTED or the reason. */
av_reason av_jwt_facts_read(const av_json *payload, const av_jwt_terms *terms, av_jwt_facts *facts, apr_pool_t *pool);

/* Is the token in the hands of whom it is bound to, if it is bound? What is bound to a key needs a proof of that
 * besides, which is looked at elsewhere (possession.h): false. */
bool av_jwt_facts_is_holder(const av_jwt_facts *facts, const av_request *request);

/* Is the token in force at `now` (RFC 7519 sections 4.1.4 to 4.1.6), and young enough? */
av_reason av_jwt_facts_check_time(const av_jwt_facts *facts, const av_rule *rule, apr_time_t now);

/* Who the token says its bearer is, as a list of clients would say it. Borrows from `facts`. */
const av_client_record *av_jwt_facts_record(const av_jwt_facts *facts, const av_rule *rule, apr_pool_t *pool);

#endif
