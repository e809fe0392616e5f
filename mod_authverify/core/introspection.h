/* Whom a rule asks about tokens that say nothing themselves: an introspection endpoint (RFC 7662).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_INTROSPECTION_H
#define AV_INTROSPECTION_H

#include "reason.h"
#include "slice.h"

#include <apr_time.h>

struct av_token_memory; /* token.h */

/* An answer that is longer is none. */
#define AV_LARGEST_ANSWER ((apr_size_t)64 * 1024)

/* What a rule says of the endpoint. Everything lives as long as the rule. */
typedef struct av_endpoint {
    const char *url;           /* https://… */
    const char *authorities;   /* a file of certificates, in PEM, that the server's may come from; NULL: the system's */
    const char *authorization; /* a value for the header of that name, which is a secret; NULL: none */
    apr_interval_time_t timeout; /* of a whole question, connecting included */
    bool is_shared;              /* who asks about the same token at the same time may have one answer */
} av_endpoint;

typedef struct av_introspector av_introspector;

struct av_introspector {
    void *store;
    const struct av_token_memory *memory; /* for what was answered; NULL: there is none */

    /* Sends a form (application/x-www-form-urlencoded) about the token of that SHA-256. May block, in the request's own
     * thread, for the endpoint's timeout. Returns AV_ACCEPTED with *answer in `pool`: the body of a 200, whatever it is;
     * AV_INTROSPECTION_UNAVAILABLE where nobody answers, or did not a moment ago; AV_INTROSPECTION_MALFORMED for another
     * status or a longer answer; AV_INTERNAL_ERROR. */
    av_reason (*ask)(const av_introspector *introspector, const unsigned char digest[32], av_slice form,
                     av_slice *answer, apr_pool_t *pool);
};

#endif
