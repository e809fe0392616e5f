/* Why a request was accepted or refused, in sentences for whoever runs the program. They hold what was signed, and
 * for HMAC the signature that would have been right; never a secret, a token or a password.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_EXPLANATION_H
#define AVT_EXPLANATION_H

#include "../core/policy.h"
#include "capture.h"

typedef struct avt_explanation {
    apr_array_header_t *steps; /* of const char *, in order */
    const char *signed_text;   /* printable; NULL: none is known */
    av_slice client_text;      /* what the client says it has signed; empty: not said */
    apr_pool_t *pool;
} avt_explanation;

/* In printable ASCII: \\n, \\r, \\t, \\\\ and \\xNN stand for what is not. In `pool`. */
const char *avt_printable(av_slice text, apr_pool_t *pool);

/* Adds a sentence. */
void avt_say(avt_explanation *explanation, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Which rule saw its credential: called after av_find, with what it returned. */
void avt_explain_choice(avt_explanation *explanation, const av_policy *policy, const av_claim *claim, av_reason reason);

/* What the claims say, what was signed and what differed: called last. */
void avt_explain_claims(avt_explanation *explanation, const av_claim *claim, const avt_capture *capture,
                        const av_verdict *verdict);

#endif
