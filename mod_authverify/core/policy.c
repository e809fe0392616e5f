/* What is in force in one section.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include <apr_strings.h>

av_policy *av_policy_create(apr_pool_t *pool)
{
    av_policy *policy = apr_pcalloc(pool, sizeof(*policy));
    policy->rules = apr_array_make(pool, 2, sizeof(const av_rule *));
    policy->also = apr_array_make(pool, 1, sizeof(const av_rule *));
    return policy;
}

const char *av_policy_add(av_policy *policy, const av_rule *rule, bool also)
{
    apr_array_header_t *list = also ? policy->also : policy->rules;
    for (int i = 0; i < list->nelts; i++) {
        const av_rule *before = APR_ARRAY_IDX(list, i, const av_rule *);
        if (before->proves_nobody) {
            return apr_psprintf(list->pool,
                                "rule \"%s\" before it takes every request, so rule \"%s\" can never decide; write "
                                "\"%s\" last",
                                before->name, rule->name, before->name);
        }
        if (av_rule_shares_place(before, rule)) {
            return apr_psprintf(list->pool,
                                "rule \"%s\" looks for its credential where rule \"%s\" before it looks, so it can "
                                "never decide; remove one, or put several secret= into one rule",
                                rule->name, before->name);
        }
    }
    *(const av_rule **)apr_array_push(list) = rule;
    policy->covers_host |= rule->covers_host || rule->asks_origin;
    policy->asks_certificate |= rule->asks_certificate;
    policy->has_paths |= rule->clients || av_limits_have_paths(&rule->limits);
    return NULL;
}

const char *av_policy_check(const av_policy *policy)
{
    return policy->rules->nelts
               ? NULL
               : "AuthVerifyAlso adds to an AuthVerify of the same section, and there is none; write one of "
                 "the rules as AuthVerify";
}

bool av_policy_proves_somebody(const av_policy *policy)
{
    for (int i = 0; i < policy->rules->nelts; i++) {
        if (!APR_ARRAY_IDX(policy->rules, i, const av_rule *)->proves_nobody) {
            return true;
        }
    }
    return false;
}
