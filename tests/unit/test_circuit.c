/* Who may ask somebody who may be down: all, or one a second.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/circuit.h"
#include "support/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000
#define NOW (100 * (int64_t)SECOND)

START_TEST(everybody_asks_who_answers)
{
    av_circuit *circuit = av_circuit_create(pool);

    ck_assert(av_circuit_lets_ask(circuit, NOW));
    ck_assert(av_circuit_lets_ask(circuit, NOW));
    ck_assert(!av_circuit_note_answer(circuit));
    ck_assert(av_circuit_lets_ask(circuit, NOW));
}
END_TEST

START_TEST(one_a_second_asks_who_is_silent)
{
    av_circuit *circuit = av_circuit_create(pool);

    ck_assert(av_circuit_note_silence(circuit, NOW));
    ck_assert(!av_circuit_lets_ask(circuit, NOW));
    ck_assert(!av_circuit_lets_ask(circuit, NOW + SECOND - 1));
    ck_assert(av_circuit_lets_ask(circuit, NOW + SECOND));
    ck_assert(!av_circuit_lets_ask(circuit, NOW + SECOND));
    ck_assert(!av_circuit_lets_ask(circuit, NOW + 2 * SECOND - 1));
    ck_assert(!av_circuit_note_silence(circuit, NOW + 2 * SECOND - 1));
    ck_assert(!av_circuit_lets_ask(circuit, NOW + 2 * SECOND));
    ck_assert(av_circuit_lets_ask(circuit, NOW + 3 * SECOND - 1));
    ck_assert(av_circuit_note_answer(circuit));
    ck_assert(!av_circuit_note_answer(circuit));
    ck_assert(av_circuit_lets_ask(circuit, NOW + 3 * SECOND));
    ck_assert(av_circuit_lets_ask(circuit, NOW + 3 * SECOND));
    ck_assert(av_circuit_note_silence(circuit, NOW + 4 * SECOND));
}
END_TEST

START_TEST(a_complaint_is_made_once_a_minute)
{
    av_circuit *circuit = av_circuit_create(pool);

    ck_assert(av_circuit_lets_complain(circuit, NOW));
    ck_assert(!av_circuit_lets_complain(circuit, NOW + 59 * (int64_t)SECOND));
    ck_assert(av_circuit_lets_complain(circuit, NOW + 60 * (int64_t)SECOND));
    ck_assert(!av_circuit_lets_complain(circuit, NOW + 60 * (int64_t)SECOND));
    ck_assert(av_circuit_lets_ask(circuit, NOW));
}
END_TEST

START_TEST(processes_know_of_each_others_silence)
{
    av_circuit *circuit = av_circuit_create(pool);
    pid_t child = fork();

    if (child == 0) {
        _exit(av_circuit_note_silence(circuit, NOW) ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(!av_circuit_lets_ask(circuit, NOW));
    ck_assert(!av_circuit_note_silence(circuit, NOW));
}
END_TEST

#define THREADS 8

static av_circuit *shared;
static _Atomic int allowed;

static void *try_to_ask(void *data)
{
    (void)data;
    for (int64_t now = NOW; now < NOW + 20 * (int64_t)SECOND; now += SECOND / 500) {
        allowed += av_circuit_lets_ask(shared, now);
    }
    return NULL;
}

START_TEST(threads_take_turns)
{
    pthread_t threads[THREADS];

    shared = av_circuit_create(pool);
    av_circuit_note_silence(shared, NOW - SECOND);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, try_to_ask, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(allowed, 20);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("circuit");
    TCase *tests = suite_case(suite, "circuit");

    tcase_add_test(tests, everybody_asks_who_answers);
    tcase_add_test(tests, one_a_second_asks_who_is_silent);
    tcase_add_test(tests, a_complaint_is_made_once_a_minute);
    tcase_add_test(tests, processes_know_of_each_others_silence);
    tcase_add_test(tests, threads_take_turns);
    return suite;
}
