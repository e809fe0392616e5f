/* The memory for proven tokens: who is found again, for how long, and that it stays as large as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/token_cache.h"
#include "support/suite.h"

#include <apr_thread_proc.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW apr_time_from_sec(1767312000)

static int owner, other_owner;

static av_token_name name_of(unsigned number, const void *whose)
{
    av_token_name name = { .owner = whose };

    memcpy(name.digest, &number, sizeof(number));
    memcpy(name.digest + 16, &number, sizeof(number));
    return name;
}

/* Notes of a token, and their lengths differ. */
typedef struct token_notes {
    uint64_t words[56];
} token_notes;

static const av_token_cache_shape private = { 4096, sizeof(token_notes), false };

static apr_size_t length_of(uint64_t number)
{
    return sizeof(token_notes) - number % 8;
}

static token_notes notes_of(uint64_t number)
{
    token_notes notes;

    for (size_t i = 0; i < sizeof(notes.words) / sizeof(notes.words[0]); i++) {
        notes.words[i] = number;
    }
    return notes;
}

static bool is_found(const av_token_cache *cache, const av_token_name *name, apr_time_t now, uint64_t number)
{
    token_notes found, wanted = notes_of(number);
    apr_size_t len = sizeof(found);

    return av_token_cache_find(cache, name, now, &found, &len) && len == length_of(number) &&
           memcmp(&found, &wanted, len) == 0;
}

START_TEST(a_token_is_found_by_its_name_until_it_ends)
{
    av_token_cache *cache = av_token_cache_create(private, pool);
    av_token_name name = name_of(7, &owner), longer = name, elsewhere = name_of(7, &other_owner);
    token_notes notes = notes_of(70);

    longer.digest[31] ^= 1;
    ck_assert(!is_found(cache, &name, NOW, 0));
    av_token_cache_add(cache, &name, NOW + 2, &notes, length_of(70));
    ck_assert(is_found(cache, &name, NOW, 70));
    ck_assert(is_found(cache, &name, NOW + 1, 70));
    ck_assert(!is_found(cache, &name, NOW + 2, 70));
    ck_assert(!is_found(cache, &longer, NOW, 70));
    ck_assert(!is_found(cache, &elsewhere, NOW, 70));
}
END_TEST

START_TEST(notes_that_are_too_long_are_not_kept_or_given)
{
    av_token_cache *cache = av_token_cache_create((av_token_cache_shape){ 16, 64, false }, pool);
    av_token_name name = name_of(7, &owner);
    token_notes notes = notes_of(7);
    apr_size_t len = sizeof(notes);

    av_token_cache_add(cache, &name, NOW + 1, &notes, 65);
    ck_assert(!av_token_cache_find(cache, &name, NOW, &notes, &len));
    av_token_cache_add(cache, &name, NOW + 1, &notes, 64);
    len = 63;
    ck_assert(!av_token_cache_find(cache, &name, NOW, &notes, &len));
    len = 64;
    ck_assert(av_token_cache_find(cache, &name, NOW, &notes, &len));
}
END_TEST

/* What a child remembers, and another process finds where the memory is shared and only there. */
static bool finds_what_a_child_adds(bool is_shared)
{
    av_token_cache *cache = av_token_cache_create((av_token_cache_shape){ 16, sizeof(token_notes), is_shared }, pool);
    av_token_name name = name_of(7, &owner);
    token_notes notes = notes_of(70);
    pid_t child = fork();
    if (child == 0) {
        av_token_cache_add(cache, &name, NOW + 1, &notes, length_of(70));
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    return is_found(cache, &name, NOW, 70);
}

START_TEST(processes_share_what_is_shared)
{
    ck_assert(finds_what_a_child_adds(true));
    ck_assert(!finds_what_a_child_adds(false));
}
END_TEST

START_TEST(what_is_known_of_a_token_can_change)
{
    av_token_cache *cache = av_token_cache_create(private, pool);
    av_token_name name = name_of(7, &owner);
    token_notes first = notes_of(1), second = notes_of(2);

    av_token_cache_add(cache, &name, NOW + 1, &first, length_of(1));
    av_token_cache_add(cache, &name, NOW + 9, &second, length_of(2));
    ck_assert(is_found(cache, &name, NOW + 5, 2));
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_another)
{
    av_token_cache *cache = av_token_cache_create(private, pool);
    unsigned found = 0, known = 20000;

    for (unsigned i = 0; i < known; i++) {
        av_token_name name = name_of(i, &owner);
        token_notes notes = notes_of(i);
        av_token_cache_add(cache, &name, NOW + 1, &notes, length_of(i));
        ck_assert(is_found(cache, &name, NOW, i));
    }
    for (unsigned i = 0; i < known; i++) {
        av_token_name name = name_of(i, &owner);
        found += is_found(cache, &name, NOW, i);
    }
    ck_assert_uint_eq(found, 4096);
}
END_TEST

static av_token_cache *shared;
static _Atomic unsigned torn;

/* Notes of one token are never mixed with those of another in the same slot. */
static void *hammer(apr_thread_t *thread, void *data)
{
    unsigned own = *(const unsigned *)data;
    (void)thread;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned number = (i + own) % 4 * 4096;
        av_token_name name = name_of(number, &owner);
        token_notes notes = notes_of(number), found;
        if (i % 4 == own) {
            av_token_cache_add(shared, &name, NOW + 1, &notes, length_of(number));
        }
        apr_size_t len = sizeof(found);
        torn += av_token_cache_find(shared, &name, NOW, &found, &len) && memcmp(&found, &notes, len) != 0;
    }
    return NULL;
}

START_TEST(threads_see_whole_notes)
{
    apr_thread_t *threads[4];
    unsigned numbers[4] = { 0, 1, 2, 3 };

    shared = av_token_cache_create(private, pool);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, hammer, &numbers[i], pool), APR_SUCCESS);
    }
    for (int i = 0; i < 4; i++) {
        apr_status_t status;
        ck_assert_int_eq(apr_thread_join(&status, threads[i]), APR_SUCCESS);
    }
    ck_assert_uint_eq(torn, 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("token_cache");
    TCase *tests = suite_case(suite, "token_cache");

    tcase_add_test(tests, a_token_is_found_by_its_name_until_it_ends);
    tcase_add_test(tests, notes_that_are_too_long_are_not_kept_or_given);
    tcase_add_test(tests, processes_share_what_is_shared);
    tcase_add_test(tests, what_is_known_of_a_token_can_change);
    tcase_add_test(tests, a_newcomer_takes_the_place_of_another);
    tcase_add_test(tests, threads_see_whole_notes);
    return suite;
}
