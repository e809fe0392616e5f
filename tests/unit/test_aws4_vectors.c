/* The cases of tests/vectors/aws4 through the core: their ends, the texts on the way to their signatures, and of each that
 * is accepted the twins that must not be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/request.h"
#include "support/cases.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_lib.h>

#define CASES "tests/vectors/aws4"

static int case_count;

typedef struct vector {
    const char *name;
    av_policy *policy;
    av_slice text; /* of the request; may be changed before it is built */
    case_end end;
} vector;

static vector read_vector(int index)
{
    vector read = { .name = case_name(index), .end = case_expectation(index) };

    read.policy = av_policy_create(pool);
    ck_assert_ptr_null(av_policy_add(read.policy, case_rule(index), false));
    read.text = tight_copy(*case_part(index, "request.txt"));
    return read;
}

static built_request build(const vector *read)
{
    built_request request;

    ck_assert(request_build(read->text, &request, pool));
    request.head.received_at = read->end.at;
    return request;
}

START_TEST(a_case_ends_as_it_says)
{
    vector read = read_vector(_i);
    built_request request = build(&read);
    av_verdict verdict = decide(read.policy, &request);

    ck_assert_msg(strcmp(av_reason_name(verdict.reason), read.end.reason) == 0, "%s: found %s, wanted %s", read.name,
                  av_reason_name(verdict.reason), read.end.reason);
    ck_assert_pstr_eq(verdict.label, read.end.label);
}
END_TEST

/* The texts of a case whose payload line the head says, which is the last of the canonical request. */
static void assert_texts(const vector *read, int index, av_slice canonical)
{
    built_request request = build(read);
    av_claim *claim;

    assert_reason(av_find(read->policy, &request.head, &claim, pool), AV_ACCEPTED, read->name);
    av_aws4_request *notes = claim->parsed;
    av_slice line = { canonical.at + canonical.len, 0 };
    while (line.at > canonical.at && line.at[-1] != '\n') {
        line = (av_slice){ line.at - 1, line.len + 1 };
    }
    av_slice head = av_aws4_canonical_write(&notes->canonical, 0);
    assert_slice(av_slice_join(head, line, pool), canonical, read->name);
    av_slice hash = av_aws4_canonical_hash(compiler.crypto, head, line, pool);
    assert_slice(av_aws4_string_to_sign(&notes->credential, hash, pool), *case_part(index, "string-to-sign.txt"),
                 read->name);
}

START_TEST(what_is_accepted_has_the_texts_of_its_case)
{
    vector read = read_vector(_i);

    if (read.end.label) {
        assert_texts(&read, _i, *case_part(_i, "canonical.txt"));
    }
}
END_TEST

/* What stands before a signature, wherever it is. */
static const char *const before_signatures[] = { "ignature=", "ignature:" };

static void assert_refused_without(vector *read, char *digit)
{
    char right = *digit;

    *digit = right == '0' ? '1' : '0';
    built_request request = build(read);
    ck_assert_msg(decide(read->policy, &request).reason != AV_ACCEPTED, "%s: digit at %d", read->name,
                  (int)(digit - read->text.at));
    *digit = right;
}

/* Every seventh digit of each signature in the request. */
static void assert_digits_count(vector *read, const char *before)
{
    char *end = (char *)read->text.at + read->text.len;
    apr_size_t len = strlen(before);

    for (char *at = (char *)read->text.at; at + len < end; at++) {
        if (memcmp(at, before, len) == 0) {
            char *digit = at + len;
            for (int i = 0; digit < end && apr_isxdigit(*digit); i++, digit++) {
                if (i % 7 == 0) {
                    assert_refused_without(read, digit);
                }
            }
        }
    }
}

START_TEST(what_is_accepted_is_refused_with_another_digit_in_a_signature)
{
    vector read = read_vector(_i);

    for (int i = 0; read.end.label && i < ROWS(before_signatures); i++) {
        assert_digits_count(&read, before_signatures[i]);
    }
}
END_TEST

/* A stream that is cut off anywhere has not come to its end. */
START_TEST(a_stream_is_refused_wherever_it_is_cut_off)
{
    vector read = read_vector(_i);

    if (read.end.label && case_part(_i, "body.txt")) {
        built_request request = build(&read);
        while (request.body.len) {
            request.body.len--;
            ck_assert_msg(decide(read.policy, &request).reason != AV_ACCEPTED, "%s: %d", read.name,
                          (int)request.body.len);
        }
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
    Suite *suite = suite_create("aws4_vectors");
    TCase *tests = trial_case(suite, "aws4_vectors");

    case_count = cases_find(CASES);
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, a_case_ends_as_it_says, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_has_the_texts_of_its_case, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_with_another_digit_in_a_signature, 0, case_count);
    tcase_add_loop_test(tests, a_stream_is_refused_wherever_it_is_cut_off, 0, case_count);
    return suite;
}
