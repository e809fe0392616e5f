/* Questions that several threads have at the same time: one asks, all are told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/questions.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define WAIT apr_time_from_sec(20)
#define THREADS 8

static av_questions *questions;
static _Atomic int waiting, asked, told, empty_handed;
static av_reason outcome;
static const char *answer_text;

static const unsigned char *name_of(char letter)
{
    static unsigned char names[256][AV_QUESTION_NAME];
    memset(names[(unsigned char)letter], letter, AV_QUESTION_NAME);
    return names[(unsigned char)letter];
}

/* Wants to know, and waits for who asks already. */
static void *want(void *data)
{
    apr_pool_t *own;
    av_reason reason = AV_UNDECIDED;
    av_slice answer = { NULL, 0 };
    apr_pool_create(&own, NULL);
    waiting++;
    av_question *question = av_question_open(questions, name_of(*(const char *)data), WAIT, &reason, &answer, own);
    if (question) {
        asked++;
        av_question_close(questions, question, AV_ACCEPTED, AV_SLICE("own"));
    } else if (reason == AV_ACCEPTED && av_slice_equal(answer, av_slice_of(answer_text))) {
        told++;
    } else if (reason == outcome) {
        empty_handed++;
    }
    apr_pool_destroy(own);
    return NULL;
}

/* Asks about "a" until all others wait for it, and tells them. */
static void ask_before_all(av_reason reason, const char *text, const char *wanted)
{
    pthread_t threads[THREADS];
    av_reason unused;
    av_slice nothing;
    outcome = reason;
    answer_text = text;
    waiting = asked = told = empty_handed = 0;
    questions = av_questions_create(pool);
    av_question *question = av_question_open(questions, name_of('a'), WAIT, &unused, &nothing, pool);
    ck_assert_ptr_nonnull(question);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, want, (void *)wanted), 0);
    }
    while (waiting < THREADS) {
        usleep(1000);
    }
    usleep(100000); /* from there into the wait there is nothing that could be looked at */
    av_question_close(questions, question, reason, av_slice_of(text));
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

START_TEST(who_waits_is_told)
{
    ask_before_all(AV_ACCEPTED, "the answer", "a");
    ck_assert_int_eq(told, THREADS);
    ck_assert_int_eq(asked, 0);
    ask_before_all(AV_ACCEPTED, "", "a");
    ck_assert_int_eq(told, THREADS);
}
END_TEST

START_TEST(who_waits_is_told_that_nobody_answered)
{
    ask_before_all(AV_INTROSPECTION_UNAVAILABLE, "", "a");
    ck_assert_int_eq(empty_handed, THREADS);
    ck_assert_int_eq(told + asked, 0);
}
END_TEST

START_TEST(who_wants_to_know_something_else_does_not_wait)
{
    answer_text = "own";
    ask_before_all(AV_ACCEPTED, "own", "b");
    ck_assert_int_ge(asked, 1);
    ck_assert_int_eq(asked + told, THREADS);
}
END_TEST

START_TEST(who_comes_afterwards_asks_himself)
{
    av_reason reason;
    av_slice answer;

    questions = av_questions_create(pool);
    for (int i = 0; i < 3; i++) {
        av_question *question = av_question_open(questions, name_of('a'), WAIT, &reason, &answer, pool);
        ck_assert_ptr_nonnull(question);
        av_question *other = av_question_open(questions, name_of('b'), WAIT, &reason, &answer, pool);
        ck_assert_ptr_nonnull(other);
        av_question_close(questions, question, AV_ACCEPTED, AV_SLICE("x"));
        av_question_close(questions, other, AV_ACCEPTED, AV_SLICE("x"));
    }
}
END_TEST

START_TEST(nobody_waits_for_ever)
{
    av_reason reason;
    av_slice answer;

    questions = av_questions_create(pool);
    av_question *question = av_question_open(questions, name_of('a'), WAIT, &reason, &answer, pool);
    apr_time_t began = apr_time_now();
    ck_assert_ptr_null(av_question_open(questions, name_of('a'), apr_time_from_msec(1050), &reason, &answer, pool));
    ck_assert_int_eq(reason, AV_INTROSPECTION_UNAVAILABLE);
    ck_assert_int_ge(apr_time_now() - began, apr_time_from_msec(1000));
    av_question_close(questions, question, AV_ACCEPTED, AV_SLICE("too late"));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("questions");
    TCase *tests = suite_case(suite, "questions");

    tcase_add_test(tests, who_waits_is_told);
    tcase_add_test(tests, who_waits_is_told_that_nobody_answered);
    tcase_add_test(tests, who_wants_to_know_something_else_does_not_wait);
    tcase_add_test(tests, who_comes_afterwards_asks_himself);
    tcase_add_test(tests, nobody_waits_for_ever);
    return suite;
}
