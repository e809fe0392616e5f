/* The only place that speaks: the log line, the status and challenge of a refusal, the environment of the handler.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_ANSWER_H
#define AVH_ANSWER_H

#include "verdicts.h"

/* One line for a refusal, or a share in one where there are many (refusal_log.h); for an accepted request a line at
 * debug. */
void avh_log_verdict(request_rec *r, const avh_section *section, const av_verdict *verdict);

/* The same for a refusal that was only looked up at first, and then became the client's answer. */
void avh_log_refusal(request_rec *r, const av_verdict *verdict);

/* Ends the request: nobody gets its body or its credential any more, and the challenge is set. Returns the status for
 * httpd. */
int avh_refuse(request_rec *r, const avh_section *section, const avh_decision *decision);

/* The same for a reason that no verdict holds. */
int avh_refuse_for(request_rec *r, const avh_section *section, av_reason reason);

/* The status of a refusal here. */
int avh_status_of(const avh_section *section, const av_verdict *verdict);

/* The value of Retry-After for a refusal with that status; NULL: it has none. */
const char *avh_retry_after(int status, const av_verdict *verdict, apr_pool_t *pool);

/* The challenge of a rule by its scheme's name for a WWW-Authenticate header. */
const char *avh_challenge_of(request_rec *r, const av_rule *rule, const av_verdict *verdict);

/* Gives the client the nonce that its next proof must hold, where the verdict has one (RFC 9449 section 9). */
void avh_tell_nonce(request_rec *r, const av_verdict *verdict);

/* Tells the handler and the access log how it ended: AUTHVERIFY_RESULT and its companions. */
void avh_export_environment(request_rec *r, const avh_section *section, const av_verdict *verdict);

/* What an environment from before an internal redirect or of the main request says is not this request's. */
void avh_clear_environment(request_rec *r);

/* Hook insert_error_filter: a refusal's body, in the form that AuthVerifyErrorBody says. */
void avh_insert_error_body(request_rec *r);

/* Registers the filter that writes it. */
void avh_answer_register(void);

/* A proven request lacks a scope: should it be refused for that, the challenge says so (RFC 6750 section 3.1). */
void avh_note_missing_scope(request_rec *r);

#endif
