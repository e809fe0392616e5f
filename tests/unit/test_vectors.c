/* The cases of tests/vectors through the core, each preset as it is shipped; and of each that is accepted, the twins
 * that must not be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/cases.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define CASES "tests/vectors/signature"

static int case_count;

typedef struct vector {
    const char *name;
    av_rule *rule;
    av_policy *policy;
    built_request request;
    const av_slice *signed_text; /* NULL: nothing is signed */
    case_end end;
} vector;

static vector read_vector(int index)
{
    vector read = { .name = case_name(index), .rule = case_rule(index), .end = case_expectation(index) };

    read.policy = av_policy_create(pool);
    ck_assert_ptr_null(av_policy_add(read.policy, read.rule, false));
    ck_assert(request_build(tight_copy(*case_part(index, "request.txt")), &read.request, pool));
    if (read.end.at) {
        read.request.head.received_at = read.end.at;
    }
    read.signed_text = case_part(index, "signed.txt");
    return read;
}

START_TEST(a_case_ends_as_it_says)
{
    vector read = read_vector(_i);
    av_verdict verdict = decide(read.policy, &read.request);

    ck_assert_msg(strcmp(av_reason_name(verdict.reason), read.end.reason) == 0, "%s: found %s, wanted %s", read.name,
                  av_reason_name(verdict.reason), read.end.reason);
    ck_assert_pstr_eq(verdict.label, read.end.label);
}
END_TEST

/* What the claim says was signed; presets sign nothing that is taken out of the body. */
static av_slice text_of(const vector *read)
{
    av_claim *claim;
    av_slice text = AV_SLICE("");

    assert_reason(av_find(read->policy, &read->request.head, &claim, pool), AV_ACCEPTED, read->name);
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        ck_assert_int_ne(claim->pieces[i].kind, AV_PIECE_DERIVED);
        text = av_slice_join(text, claim->pieces[i].kind == AV_PIECE_BODY ? read->request.body : claim->pieces[i].bytes,
                             pool);
    }
    return text;
}

START_TEST(what_is_accepted_signs_the_text_of_its_case)
{
    vector read = read_vector(_i);

    if (read.end.label) {
        assert_slice(text_of(&read), read.signed_text ? *read.signed_text : AV_SLICE(""), read.name);
    }
}
END_TEST

/* The header in which the rule looks for its credential. */
static av_header *credential_of(const vector *read)
{
    av_request *head = (av_request *)&read->request.head;

    for (apr_size_t i = 0; i < head->header_count; i++) {
        if (av_slice_equal_nocase(head->headers[i].name, read->rule->places[0].name)) {
            return (av_header *)&head->headers[i];
        }
    }
    ck_abort_msg("%s: no credential", read->name);
    return NULL;
}

static void assert_refused(const vector *read, av_reason reason, const char *twin)
{
    assert_reason(decide(read->policy, &read->request).reason, reason, apr_pstrcat(pool, read->name, ": ", twin, NULL));
}

START_TEST(what_is_accepted_is_refused_without_its_credential)
{
    vector read = read_vector(_i);

    if (read.end.label) {
        av_header *credential = credential_of(&read), before = *credential;
        credential->name = AV_SLICE("X-Other");
        assert_refused(&read, AV_NOT_PRESENTED, "elsewhere");
        *credential = (av_header){ before.name, AV_SLICE("") };
        assert_refused(&read, AV_MALFORMED_CREDENTIAL, "empty");
        *credential = before;
        ((av_header *)read.request.head.headers)[read.request.head.header_count++] = before;
        assert_refused(&read, AV_AMBIGUOUS_CREDENTIAL, "twice");
    }
}
END_TEST

START_TEST(what_is_accepted_is_refused_with_another_body)
{
    vector read = read_vector(_i);

    if (read.end.label && read.signed_text) {
        av_slice body = read.request.body;
        read.request.body = av_slice_join(body, AV_SLICE("\n"), pool);
        assert_refused(&read, AV_WRONG_SIGNATURE, "longer");
        for (apr_size_t i = 0; i < body.len; i++) {
            read.request.body = av_slice_join(body, AV_SLICE(""), pool);
            ((char *)read.request.body.at)[i] ^= 1;
            assert_refused(&read, AV_WRONG_SIGNATURE, "a bit is another");
        }
    }
}
END_TEST

START_TEST(what_is_accepted_is_refused_under_another_secret)
{
    vector read = read_vector(_i);

    if (read.end.label && !read.rule->sender.keys[0].algorithm->public_key) {
        const char *preset = read.rule->name;
        setenv("OTHER", "whsec_YW5vdGhlciBzZWNyZXQgb2YgMjcgYnl0ZXM=", 1);
        av_verdict verdict = decide(policy_of(apr_pstrcat(pool, preset, " secret=env:OTHER", NULL)), &read.request);
        ck_assert_int_eq(av_reason_class(verdict.reason), AV_CLASS_WRONG);
    }
}
END_TEST

/* Without its folder this program would test nothing. */
START_TEST(there_are_cases)
{
    ck_assert_msg(case_count > 0, "no case in %s", source_path(CASES));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tests = trial_case(suite, "vectors");

    case_count = cases_find(CASES);
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, a_case_ends_as_it_says, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_signs_the_text_of_its_case, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_without_its_credential, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_with_another_body, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_under_another_secret, 0, case_count);
    return suite;
}
