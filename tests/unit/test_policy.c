/* Policies: which rules can stand beside each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

#include <apr_strings.h>

#define RULE(signature) "signature secret=env:SECRET signature=" signature
#define TWO(first, second) RULE(first) " signature=" second
#define FIELDS(header, field) RULE("%{field:" field "}") " fields=%{header:" header "}"

static const struct {
    const char *first, *second;
    bool is_unreachable;
} pairs[] = {
    { RULE("%{header:X-A}"), RULE("%{header:X-B}"), false },
    { RULE("%{header:X-A}"), RULE("%{header:X-A}"), true },
    { RULE("%{header:X-A}"), RULE("%{header:x-a}"), true },
    { RULE("%{query:a}"), RULE("%{query:a}"), true },
    { RULE("%{query:a}"), RULE("%{query:A}"), false },
    { RULE("%{query:a}"), RULE("%{header:a}"), false },
    { TWO("%{header:X-A}", "%{header:X-B}"), RULE("%{header:X-B}"), true },
    { RULE("%{header:X-B}"), TWO("%{header:X-A}", "%{header:X-B}"), true },
    { TWO("%{header:X-A}", "%{query:b}"), TWO("%{header:X-C}", "%{query:d}"), false },
    { FIELDS("X-A", "v1"), FIELDS("X-A", "v2"), true },
    { FIELDS("X-A", "v1"), FIELDS("X-B", "v1"), false },
    { FIELDS("X-A", "v1"), RULE("%{header:X-A}"), true },
};

START_TEST(a_rule_that_looks_where_one_before_it_looks_is_refused)
{
    av_policy *policy = av_policy_create(pool);
    const char *error;

    ck_assert_ptr_null(av_policy_add(policy, rule_of(pairs[_i].first), false));
    error = av_policy_add(policy, rule_of(pairs[_i].second), false);
    ck_assert_int_eq(policy->rules->nelts, error ? 1 : 2);
    ck_assert_int_eq(error != NULL, pairs[_i].is_unreachable);
    if (error) {
        assert_sentence(error, "rule \"signature\" looks for its credential where rule \"signature\" before it looks");
    }
}
END_TEST

START_TEST(a_rule_that_must_hold_besides_may_look_where_an_alternative_looks)
{
    av_policy *policy = policy_of(pairs[1].first);

    ck_assert_ptr_null(av_policy_add(policy, rule_of(pairs[1].second), true));
    assert_sentence(av_policy_add(policy, rule_of(pairs[1].second), true), "so it can never decide");
    ck_assert_int_eq(policy->rules->nelts, 1);
    ck_assert_int_eq(policy->also->nelts, 1);
}
END_TEST

START_TEST(every_rule_before_it_is_looked_at)
{
    av_policy *policy = policy_of(RULE("%{header:X-A}"));

    ck_assert_ptr_null(av_policy_add(policy, rule_of(RULE("%{header:X-B}")), false));
    ck_assert_ptr_null(av_policy_add(policy, rule_of(RULE("%{header:X-C}")), false));
    assert_sentence(av_policy_add(policy, rule_of(RULE("%{header:X-B}")), false), "so it can never decide");
}
END_TEST

START_TEST(a_policy_needs_an_alternative)
{
    av_policy *policy = av_policy_create(pool);

    assert_sentence(av_policy_check(policy), "AuthVerifyAlso adds to an AuthVerify of the same section");
    add_also(policy, RULE("%{header:X-A}"));
    assert_sentence(av_policy_check(policy), "AuthVerifyAlso adds to an AuthVerify of the same section");
    ck_assert_ptr_null(av_policy_add(policy, rule_of(RULE("%{header:X-B}")), false));
    ck_assert_ptr_null(av_policy_check(policy));
}
END_TEST

START_TEST(a_policy_covers_the_host_if_one_of_its_rules_does)
{
    av_policy *policy = policy_of(RULE("%{header:X-A}"));

    ck_assert(!policy->covers_host);
    add_also(policy, RULE("%{header:X-B}") " signed=%{url}%{body}");
    ck_assert(policy->covers_host);
    add_also(policy, RULE("%{header:X-C}"));
    ck_assert(policy->covers_host);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = trial_case(suite, "policy");

    tcase_add_loop_test(tests, a_rule_that_looks_where_one_before_it_looks_is_refused, 0, ROWS(pairs));
    tcase_add_test(tests, a_rule_that_must_hold_besides_may_look_where_an_alternative_looks);
    tcase_add_test(tests, every_rule_before_it_is_looked_at);
    tcase_add_test(tests, a_policy_needs_an_alternative);
    tcase_add_test(tests, a_policy_covers_the_host_if_one_of_its_rules_does);
    return suite;
}
