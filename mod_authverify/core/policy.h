/* What is in force in one section: the rules that are alternatives, and those that must hold besides.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_POLICY_H
#define AV_POLICY_H

#include "rule.h"

struct av_policy {
    apr_array_header_t *rules; /* of const av_rule *: the first that sees its credential decides */
    apr_array_header_t *also;  /* of const av_rule *: every one must hold */
    bool is_passing;           /* made for one request: its address may name another one afterwards */
    bool asks_certificate;     /* one of them asks for the client's certificate */
    bool covers_host;          /* what one of them signs names the host, or may */
    bool has_paths;            /* one of them, or a client of one, may look at the path */
};

av_policy *av_policy_create(apr_pool_t *pool);

/* Adds a rule at the end of its list. Returns NULL or a sentence: it looks where a rule before it looks. */
const char *av_policy_add(av_policy *policy, const av_rule *rule, bool also);

/* Looks at the finished policy as a whole. Returns NULL or a sentence: no alternative at all. */
const char *av_policy_check(const av_policy *policy);

/* One of the alternatives proves somebody: there may be a user. */
bool av_policy_proves_somebody(const av_policy *policy);

#endif
