/* What we know of one client request, across its internal redirects and subrequests: what was sent, the body, and one
 * verdict for each policy that was asked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_VERDICTS_H
#define AVH_VERDICTS_H

#include "body_spool.h"

/* One policy's answer. Reached once, never again. */
typedef struct avh_decision {
    const av_policy *policy;
    av_verdict verdict;
    const struct av_throttle *throttle; /* who counts it where it is a failed proof; NULL: nobody */
    int status; /* what httpd must be told where a filter has answered the client already; else 0 */
    struct avh_decision *before;
} avh_decision;

/* Decides what the section that is in force for `r` says of the client's request: from memory, or by proving it now,
 * which reads the body. Logs a refusal, once. `r` may be a subrequest or an internal redirect. */
const avh_decision *avh_decide(request_rec *r, const avh_section *section);

/* Claims, for the client's request, whatever the accepted credential says is good for one alone: call it last, when
 * nothing else can refuse. Returns the decision, or in its place one that refuses, which is the section's from then
 * on. */
const avh_decision *avh_claim(request_rec *r, const avh_section *section, const avh_decision *decision);

/* The decision of the section in force, NULL where there is none yet. Decides nothing. */
const avh_decision *avh_decided(request_rec *r, const avh_section *section);

/* What the client sent, before anything of ours has changed it. */
const av_request *avh_request_of(request_rec *r);

/* The client's path is one that every decoder reads alike. */
bool avh_path_is_plain(request_rec *r);

/* Remembers under which policy the main request was sealed: a lookup that becomes its successor may stand under
 * another. */
void avh_note_seal(request_rec *r, const avh_section *section);
bool avh_is_sealed(request_rec *r, const avh_section *section);

/* The refusal of something that httpd has looked up by itself and passes on to the client as the answer to `r`, the
 * last of its redirects; NULL where it is none. */
const avh_decision *avh_passed_on(request_rec *r);

/* Hook log_transaction: a refusal that httpd met in a lookup of its own, and passed on to the client, is logged as one.
 * */
int avh_log_passed_on(request_rec *r);

/* The next handler, after an internal redirect, gets the body from its start. */
void avh_rewind_body(request_rec *r);

/* Nobody gets the body of this request any more, and the connection stays in step or is closed. */
void avh_drop_body(request_rec *r);

#endif
