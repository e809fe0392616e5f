/* The memory of what was used: claimed once, by one of many threads and processes, and not forgotten before its time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/replay_shm.h"
#include "support/suite.h"

#include <apr_thread_proc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND APR_USEC_PER_SEC
#define NOW apr_time_from_sec(1767312000)
#define WORKERS 4
#define KEYS 20000u
#define DEATHS 100

static av_replay_shm *memory;
static _Atomic unsigned *claimed; /* over all processes */

static void prepare(void)
{
    memory = av_replay_shm_create(64);
    claimed = mmap(NULL, sizeof(*claimed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_nonnull(memory);
    ck_assert_ptr_ne(claimed, MAP_FAILED);
}

static void forget(void)
{
    av_replay_shm_destroy(memory);
    munmap(claimed, sizeof(*claimed));
}

static av_replay_answer claim(uint64_t number, apr_time_t now, apr_time_t until)
{
    unsigned char key[AV_SHA256_SIZE] = { 0 };

    memcpy(key + 20, &number, sizeof(number));
    return av_replay_shm_claim(memory, key, now, until);
}

START_TEST(a_key_is_claimed_once_until_its_time_is_over)
{
    ck_assert_int_eq(claim(7, NOW, NOW + 2 * SECOND), AV_REPLAY_CLAIMED);
    ck_assert_int_eq(claim(7, NOW, NOW + 2 * SECOND), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(8, NOW, NOW + 2 * SECOND), AV_REPLAY_CLAIMED);
    ck_assert_int_eq(claim(7, NOW + 2 * SECOND - 1, NOW + 60 * SECOND), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(7, NOW + 3 * SECOND, NOW + 60 * SECOND), AV_REPLAY_CLAIMED);
    ck_assert_int_eq(claim(7, NOW + 3 * SECOND, NOW + 60 * SECOND), AV_REPLAY_SEEN);
}
END_TEST

/* By then its slot may be another's: nobody can tell any more. */
START_TEST(what_is_over_is_not_claimed)
{
    ck_assert_int_eq(claim(7, NOW, NOW), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(7, NOW, NOW - SECOND), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(7, -SECOND, NOW), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(7, NOW, INT64_MAX), AV_REPLAY_SEEN);
    ck_assert_int_eq(claim(7, NOW, NOW + 1), AV_REPLAY_CLAIMED);
}
END_TEST

START_TEST(what_holds_is_never_forgotten_for_a_newcomer)
{
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_int_eq(claim(i, NOW, NOW + (i + 1) * SECOND), AV_REPLAY_CLAIMED);
    }
    ck_assert_int_eq(claim(64, NOW, NOW + SECOND), AV_REPLAY_FULL);
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_int_eq(claim(i, NOW, NOW + SECOND), AV_REPLAY_SEEN);
    }
    ck_assert_int_eq(claim(64, NOW + 2 * SECOND, NOW + 90 * SECOND), AV_REPLAY_CLAIMED);
    ck_assert_int_eq(claim(65, NOW + 2 * SECOND, NOW + 90 * SECOND), AV_REPLAY_FULL);
    ck_assert_int_eq(claim(1, NOW + 2 * SECOND, NOW + 90 * SECOND), AV_REPLAY_SEEN);
}
END_TEST

/* Many buckets: each gets about its share, so that the memory holds half of its size with ease. */
START_TEST(keys_are_spread)
{
    av_replay_shm_destroy(memory);
    memory = av_replay_shm_create((apr_size_t)2 * KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        ck_assert_int_eq(claim(i, NOW, NOW + SECOND), AV_REPLAY_CLAIMED);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        ck_assert_int_eq(claim(i, NOW, NOW + SECOND), AV_REPLAY_SEEN);
    }
}
END_TEST

static void claim_all(void)
{
    for (unsigned i = 0; i < KEYS; i++) {
        *claimed += claim(i, NOW, NOW + SECOND) == AV_REPLAY_CLAIMED;
    }
}

static void *run(apr_thread_t *thread, void *data)
{
    (void)thread;
    (void)data;
    claim_all();
    return NULL;
}

START_TEST(of_many_threads_one_gets_a_key)
{
    apr_thread_t *threads[WORKERS];

    av_replay_shm_destroy(memory);
    memory = av_replay_shm_create((apr_size_t)2 * KEYS);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, run, NULL, pool), APR_SUCCESS);
    }
    for (int i = 0; i < WORKERS; i++) {
        apr_status_t status;
        ck_assert_int_eq(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
    ck_assert_uint_eq(*claimed, KEYS);
}
END_TEST

START_TEST(of_many_processes_one_gets_a_key)
{
    pid_t children[WORKERS];

    av_replay_shm_destroy(memory);
    memory = av_replay_shm_create((apr_size_t)2 * KEYS);
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            claim_all();
            _exit(0);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(*claimed, KEYS);
}
END_TEST

/* Killed while it claims the keys of the one bucket, over and over: mostly with the lock in its hands. */
static void die_claiming(unsigned number)
{
    unsigned before = *claimed;
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            claim(number, NOW, NOW + SECOND);
            *claimed += 1;
        }
    }
    while (*claimed == before) {
    }
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(who_dies_holds_up_nobody)
{
    for (unsigned i = 0; i < DEATHS; i++) {
        die_claiming(i % 32);
        ck_assert_int_eq(claim(i % 32, NOW, NOW + SECOND), AV_REPLAY_SEEN);
    }
    ck_assert_int_eq(claim(63, NOW, NOW + SECOND), AV_REPLAY_CLAIMED);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("replay_shm");
    TCase *tests = suite_case(suite, "replay_shm");

    tcase_add_checked_fixture(tests, prepare, forget);
    tcase_add_test(tests, a_key_is_claimed_once_until_its_time_is_over);
    tcase_add_test(tests, what_is_over_is_not_claimed);
    tcase_add_test(tests, what_holds_is_never_forgotten_for_a_newcomer);
    tcase_add_test(tests, keys_are_spread);
    tcase_add_test(tests, of_many_threads_one_gets_a_key);
    tcase_add_test(tests, of_many_processes_one_gets_a_key);
    tcase_add_test(tests, who_dies_holds_up_nobody);
    tcase_set_timeout(tests, 60);
    return suite;
}
