/* What a known user's password costs, and that an unknown one's costs as much.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/password_cost.h"
#include "support/suite.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000

static uint64_t spend(const av_password_cost *cost)
{
    uint64_t begun = av_password_cost_now();

    av_password_cost_spend(cost, begun);
    return av_password_cost_now() - begun;
}

static void learn(av_password_cost *cost, uint64_t spent, int times)
{
    for (int i = 0; i < times; i++) {
        av_password_cost_learn(cost, spent);
    }
}

/* The nearest milliseconds; what is spent is never less than what was learned. */
static void assert_spends(const av_password_cost *cost, uint64_t from, uint64_t to)
{
    uint64_t spent = spend(cost);

    ck_assert_uint_ge(spent, from * MILLISECOND);
    ck_assert_uint_lt(spent, to * MILLISECOND);
}

START_TEST(before_any_was_seen_it_is_a_usual_one)
{
    ck_assert_uint_gt(spend(av_password_cost_create(pool)), MILLISECOND / 4);
}
END_TEST

START_TEST(the_first_that_is_seen_counts)
{
    av_password_cost *cost = av_password_cost_create(pool);

    av_password_cost_learn(cost, 20 * MILLISECOND);
    assert_spends(cost, 20, 30);
    cost = av_password_cost_create(pool);
    av_password_cost_learn(cost, 1);
    ck_assert_uint_lt(spend(cost), MILLISECOND / 4);
}
END_TEST

START_TEST(a_dearer_one_counts_at_once)
{
    av_password_cost *cost = av_password_cost_create(pool);

    learn(cost, 5 * MILLISECOND, 1000);
    av_password_cost_learn(cost, 30 * MILLISECOND);
    assert_spends(cost, 30, 40);
}
END_TEST

START_TEST(those_of_one_kind_are_averaged)
{
    av_password_cost *cost = av_password_cost_create(pool);

    av_password_cost_learn(cost, 22 * MILLISECOND);
    learn(cost, 18 * MILLISECOND, 100);
    assert_spends(cost, 18, 20);
}
END_TEST

START_TEST(a_dearer_one_that_does_not_come_again_wears_off)
{
    av_password_cost *cost = av_password_cost_create(pool);

    av_password_cost_learn(cost, 30 * MILLISECOND);
    learn(cost, 3 * MILLISECOND, 10);
    assert_spends(cost, 20, 35);
    learn(cost, 3 * MILLISECOND, 1000);
    assert_spends(cost, 3, 8);
}
END_TEST

START_TEST(what_a_child_has_seen_its_parent_knows)
{
    av_password_cost *cost = av_password_cost_create(pool);
    pid_t child = fork();

    if (!child) {
        av_password_cost_learn(cost, 25 * MILLISECOND);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    assert_spends(cost, 25, 35);
}
END_TEST

START_TEST(waiting_costs_nothing)
{
    uint64_t begun = av_password_cost_now();

    nanosleep(&(struct timespec){ 0, 50 * MILLISECOND }, NULL);
    ck_assert_uint_lt(av_password_cost_now() - begun, 25 * MILLISECOND);
}
END_TEST

START_TEST(who_has_spent_it_already_spends_nothing_more)
{
    av_password_cost *cost = av_password_cost_create(pool);
    uint64_t begun = av_password_cost_now();

    av_password_cost_learn(cost, 5 * MILLISECOND);
    av_password_cost_spend(cost, begun);
    uint64_t spent = av_password_cost_now();
    av_password_cost_spend(cost, begun);
    ck_assert_uint_lt(av_password_cost_now() - spent, MILLISECOND);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("password_cost");
    TCase *tests = suite_case(suite, "password_cost");

    tcase_add_test(tests, before_any_was_seen_it_is_a_usual_one);
    tcase_add_test(tests, the_first_that_is_seen_counts);
    tcase_add_test(tests, a_dearer_one_counts_at_once);
    tcase_add_test(tests, those_of_one_kind_are_averaged);
    tcase_add_test(tests, a_dearer_one_that_does_not_come_again_wears_off);
    tcase_add_test(tests, what_a_child_has_seen_its_parent_knows);
    tcase_add_test(tests, waiting_costs_nothing);
    tcase_add_test(tests, who_has_spent_it_already_spends_nothing_more);
    return suite;
}
