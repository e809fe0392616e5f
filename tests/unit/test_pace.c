/* Long work leaves the processor again and again, unless nobody is kept waiting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/pace.h"
#include "support/suite.h"

#include <sys/resource.h>
#include <time.h>

#define WORK_MILLISECONDS 20

static long milliseconds_of_work(void)
{
    struct timespec used;
    ck_assert_int_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used), 0);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* How often the thread gave the processor up by itself. */
static long rests(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_nvcsw;
}

static long rests_of_work(av_pace *pace)
{
    long before = rests(), until = milliseconds_of_work() + WORK_MILLISECONDS;
    while (milliseconds_of_work() < until) {
        av_pace_step(pace);
    }
    return rests() - before;
}

START_TEST(no_turn_is_long)
{
    av_pace pace = av_pace_start();
    ck_assert_int_ge(rests_of_work(&pace), 2 * WORK_MILLISECONDS);
}
END_TEST

START_TEST(without_a_pace_it_does_not_rest)
{
    ck_assert_int_eq(rests_of_work(NULL), 0);
}
END_TEST

START_TEST(a_clock_that_was_set_back_ends_the_turn)
{
    av_pace pace = av_pace_start();
    pace.began += apr_time_from_sec(3600);
    ck_assert_int_ge(rests_of_work(&pace), 2 * WORK_MILLISECONDS);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("pace");
    TCase *tests = suite_case(suite, "turns");

    tcase_add_test(tests, no_turn_is_long);
    tcase_add_test(tests, without_a_pace_it_does_not_rest);
    tcase_add_test(tests, a_clock_that_was_set_back_ends_the_turn);
    return suite;
}
