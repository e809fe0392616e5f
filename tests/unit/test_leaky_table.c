/* Counters that leak: when there is room, who takes whose place, and that nothing is lost between threads and processes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/leaky_table.h"
#include "support/suite.h"

#include <apr_thread_proc.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW apr_time_from_sec(1767312000)
#define MSEC(count) apr_time_from_msec(count)
#define LEAK 1000

static const av_leaky_limit three = { 3, LEAK };
static av_leaky_table *table;

static void make_table(void)
{
    table = av_leaky_tables_create(1);
    ck_assert_ptr_nonnull(table);
}

static void release_table(void)
{
    av_leaky_tables_release(table, 1);
}

static av_slice key_of(const unsigned *number)
{
    return (av_slice){ (const char *)number, sizeof(*number) };
}

static void add(unsigned number, unsigned times, apr_time_t now)
{
    while (times--) {
        av_leaky_add(table, 0, key_of(&number), three, now);
    }
}

static apr_interval_time_t wait_for(unsigned number, apr_time_t now)
{
    return av_leaky_wait(table, 0, key_of(&number), three, now);
}

/* How much a key is counted, by the largest limit that it fills. */
static unsigned count_of(unsigned number, unsigned group, uint32_t leak, apr_time_t now)
{
    unsigned count = 0;
    while (av_leaky_wait(table, group, key_of(&number), (av_leaky_limit){ count + 1, leak }, now)) {
        count++;
    }
    return count;
}

START_TEST(there_is_room_up_to_the_limit)
{
    ck_assert_int_eq(wait_for(7, NOW), 0);
    add(7, 2, NOW);
    ck_assert_int_eq(wait_for(7, NOW), 0);
    add(7, 1, NOW);
    ck_assert_int_eq(wait_for(7, NOW), MSEC(LEAK));
    ck_assert_int_eq(wait_for(8, NOW), 0);
}
END_TEST

START_TEST(one_after_the_other_leaks_away)
{
    add(7, 3, NOW);
    ck_assert_int_eq(wait_for(7, NOW + MSEC(1)), MSEC(LEAK - 1));
    ck_assert_int_eq(wait_for(7, NOW + MSEC(LEAK)), 0);
    add(7, 1, NOW + MSEC(LEAK));
    ck_assert_int_eq(wait_for(7, NOW + MSEC(LEAK)), MSEC(LEAK));
    add(7, 3, NOW + MSEC(10 * LEAK));
    ck_assert_int_eq(wait_for(7, NOW + MSEC(10 * LEAK)), MSEC(LEAK));
}
END_TEST

START_TEST(what_was_too_much_is_paid_off)
{
    add(7, 5, NOW);
    ck_assert_int_eq(wait_for(7, NOW), MSEC(3 * LEAK));
    add(7, 50, NOW);
    ck_assert_int_eq(wait_for(7, NOW), MSEC(4 * LEAK));
    ck_assert_int_eq(wait_for(7, NOW + MSEC(4 * LEAK)), 0);
}
END_TEST

START_TEST(what_is_taken_is_counted_where_there_is_room)
{
    unsigned number = 7;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(av_leaky_take(table, 0, key_of(&number), three, NOW), 0);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(av_leaky_take(table, 0, key_of(&number), three, NOW), MSEC(LEAK));
    }
    ck_assert_int_eq(av_leaky_take(table, 0, key_of(&number), three, NOW + MSEC(LEAK)), 0);
    ck_assert_int_eq(wait_for(7, NOW + MSEC(LEAK)), MSEC(LEAK));
}
END_TEST

START_TEST(groups_and_tables_are_apart)
{
    unsigned number = 7;
    av_leaky_table *two = av_leaky_tables_create(2);

    add(7, 3, NOW);
    for (unsigned group = 1; group < AV_LEAKY_GROUPS; group++) {
        ck_assert_int_eq(av_leaky_take(table, group, key_of(&number), three, NOW), 0);
    }
    ck_assert_int_eq(wait_for(7, NOW), MSEC(LEAK));
    for (int i = 0; i < 3; i++) {
        av_leaky_add(av_leaky_tables_at(two, 1), AV_LEAKY_GROUPS - 1, key_of(&number), three, NOW);
    }
    ck_assert_int_eq(av_leaky_wait(two, AV_LEAKY_GROUPS - 1, key_of(&number), three, NOW), 0);
    ck_assert_int_ne(av_leaky_wait(av_leaky_tables_at(two, 1), AV_LEAKY_GROUPS - 1, key_of(&number), three, NOW), 0);
    av_leaky_tables_release(two, 2);
}
END_TEST

START_TEST(a_clock_that_is_put_back_a_little_forgets_nothing)
{
    add(7, 3, NOW);
    ck_assert_int_eq(wait_for(7, NOW - MSEC(5)), MSEC(LEAK + 5));
    ck_assert_int_eq(wait_for(7, NOW - apr_time_from_sec(60)), MSEC(LEAK) + apr_time_from_sec(60));
}
END_TEST

START_TEST(a_clock_that_is_put_back_much_forgets_all)
{
    add(7, 3, NOW);
    ck_assert_int_eq(wait_for(7, NOW - apr_time_from_sec(3600)), 0);
    add(7, 3, NOW - apr_time_from_sec(3600));
    ck_assert_int_eq(wait_for(7, NOW - apr_time_from_sec(3600)), MSEC(LEAK));
}
END_TEST

START_TEST(milliseconds_go_round)
{
    apr_time_t round = MSEC(((apr_time_t)412 << 32) - 2 * LEAK);

    add(7, 3, round);
    ck_assert_int_eq(wait_for(7, round), MSEC(LEAK));
    ck_assert_int_eq(wait_for(7, round + MSEC(LEAK) - MSEC(1)), MSEC(1));
    ck_assert_int_eq(wait_for(7, round + MSEC(LEAK)), 0);
    ck_assert_int_eq(wait_for(8, round + MSEC(LEAK)), 0);
    ck_assert_uint_eq(count_of(7, 0, LEAK, round + MSEC(LEAK)), 2);
}
END_TEST

/* CX-002: a flood of a million others, each of which has failed once. */
START_TEST(who_has_counted_twice_is_not_pushed_out)
{
    add(1, 3, NOW);
    add(2, 2, NOW);
    for (unsigned number = 1000; number < 1001000; number++) {
        add(number, 1, NOW);
    }
    ck_assert_int_eq(wait_for(1, NOW), MSEC(LEAK));
    ck_assert_uint_eq(count_of(2, 0, LEAK, NOW), 2);
}
END_TEST

START_TEST(a_newcomer_takes_the_place_that_is_nearest_to_empty)
{
    unsigned found = 0;

    for (unsigned number = 0; number < 100000; number++) {
        apr_time_t now = NOW + number; /* a tenth of a second in all */
        add(number, 1, now);
        ck_assert_uint_eq(count_of(number, 0, LEAK, now), 1);
    }
    for (unsigned number = 100000 - AV_LEAKY_GROUP_SIZE / 2; number < 100000; number++) {
        found += count_of(number, 0, LEAK, NOW + 100000) == 1;
    }
    ck_assert_uint_ge(found, AV_LEAKY_GROUP_SIZE / 2 * 9 / 10);
}
END_TEST

START_TEST(where_all_are_fuller_a_newcomer_is_not_counted)
{
    unsigned newcomers = 0;

    for (unsigned number = 0; number < 200000; number++) {
        add(number, 1, NOW);
        add(number, 1, NOW);
    }
    for (unsigned number = 300000; number < 300100; number++) {
        add(number, 2, NOW);
        newcomers += count_of(number, 0, LEAK, NOW);
    }
    ck_assert_uint_eq(newcomers, 0);
    add(300000, 1, NOW + MSEC(LEAK));
    ck_assert_uint_eq(count_of(300000, 0, LEAK, NOW + MSEC(LEAK)), 1);
}
END_TEST

#define ROUNDS 5000
#define WORKERS 4

static const av_leaky_limit many = { WORKERS * ROUNDS, 1 };

static void count_many(void)
{
    static const unsigned numbers[] = { 7, 8 };
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        av_leaky_take(table, 0, key_of(&numbers[i % 2]), many, NOW);
    }
}

/* Not one was lost, not one too many counted. */
static void assert_counted(void)
{
    for (unsigned number = 7; number <= 8; number++) {
        av_leaky_limit more = { many.most + 1, many.leak };
        ck_assert_int_eq(av_leaky_wait(table, 0, key_of(&number), many, NOW), MSEC(1));
        ck_assert_int_eq(av_leaky_wait(table, 0, key_of(&number), more, NOW), 0);
    }
}

static void *work(apr_thread_t *thread, void *data)
{
    (void)thread;
    (void)data;
    count_many();
    return NULL;
}

START_TEST(threads_lose_nothing)
{
    apr_thread_t *threads[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, work, NULL, pool), APR_SUCCESS);
    }
    for (int i = 0; i < WORKERS; i++) {
        apr_status_t status;
        ck_assert_int_eq(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
    assert_counted();
}
END_TEST

START_TEST(processes_lose_nothing)
{
    pid_t children[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            count_many();
            _exit(0);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    assert_counted();
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("leaky_table");
    TCase *tests = suite_case(suite, "leaky_table");

    tcase_add_checked_fixture(tests, make_table, release_table);
    tcase_add_test(tests, there_is_room_up_to_the_limit);
    tcase_add_test(tests, one_after_the_other_leaks_away);
    tcase_add_test(tests, what_was_too_much_is_paid_off);
    tcase_add_test(tests, what_is_taken_is_counted_where_there_is_room);
    tcase_add_test(tests, groups_and_tables_are_apart);
    tcase_add_test(tests, a_clock_that_is_put_back_a_little_forgets_nothing);
    tcase_add_test(tests, a_clock_that_is_put_back_much_forgets_all);
    tcase_add_test(tests, milliseconds_go_round);
    tcase_add_test(tests, who_has_counted_twice_is_not_pushed_out);
    tcase_add_test(tests, a_newcomer_takes_the_place_that_is_nearest_to_empty);
    tcase_add_test(tests, where_all_are_fuller_a_newcomer_is_not_counted);
    tcase_add_test(tests, threads_lose_nothing);
    tcase_add_test(tests, processes_lose_nothing);
    return suite;
}
