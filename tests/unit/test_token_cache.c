/* The memory for proven tokens: who is found again, for how long, and that it stays as large as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/token_cache.h"
#include "support/suite.h"

#include <apr_thread_proc.h>

#define NOW apr_time_from_sec(1767312000)

static int owner, other_owner;

static av_token_name name_of(unsigned number, const void *whose)
{
    av_token_name name = { .owner = whose };

    memcpy(name.digest, &number, sizeof(number));
    memcpy(name.digest + 16, &number, sizeof(number));
    return name;
}

static av_token_notes notes_of(uint64_t number)
{
    av_token_notes notes;

    for (size_t i = 0; i < sizeof(notes.words) / sizeof(notes.words[0]); i++) {
        notes.words[i] = number;
    }
    return notes;
}

static bool is_found(const av_token_cache *cache, const av_token_name *name, apr_time_t now, uint64_t number)
{
    av_token_notes found, wanted = notes_of(number);

    return av_token_cache_find(cache, name, now, &found) && memcmp(&found, &wanted, sizeof(found)) == 0;
}

START_TEST(a_token_is_found_by_its_name_until_it_ends)
{
    av_token_cache *cache = av_token_cache_create(pool);
    av_token_name name = name_of(7, &owner), longer = name, elsewhere = name_of(7, &other_owner);
    av_token_notes notes = notes_of(70);

    longer.digest[31] ^= 1;
    ck_assert(!is_found(cache, &name, NOW, 0));
    av_token_cache_add(cache, &name, NOW + 2, &notes);
    ck_assert(is_found(cache, &name, NOW, 70));
    ck_assert(is_found(cache, &name, NOW + 1, 70));
    ck_assert(!is_found(cache, &name, NOW + 2, 70));
    ck_assert(!is_found(cache, &longer, NOW, 70));
    ck_assert(!is_found(cache, &elsewhere, NOW, 70));
}
END_TEST

START_TEST(what_is_known_of_a_token_can_change)
{
    av_token_cache *cache = av_token_cache_create(pool);
    av_token_name name = name_of(7, &owner);
    av_token_notes first = notes_of(1), second = notes_of(2);

    av_token_cache_add(cache, &name, NOW + 1, &first);
    av_token_cache_add(cache, &name, NOW + 9, &second);
    ck_assert(is_found(cache, &name, NOW + 5, 2));
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_another)
{
    av_token_cache *cache = av_token_cache_create(pool);
    unsigned found = 0, known = 20000;

    for (unsigned i = 0; i < known; i++) {
        av_token_name name = name_of(i, &owner);
        av_token_notes notes = notes_of(i);
        av_token_cache_add(cache, &name, NOW + 1, &notes);
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
        av_token_notes notes = notes_of(number), found;
        if (i % 4 == own) {
            av_token_cache_add(shared, &name, NOW + 1, &notes);
        }
        torn += av_token_cache_find(shared, &name, NOW, &found) && memcmp(&found, &notes, sizeof(found)) != 0;
    }
    return NULL;
}

START_TEST(threads_see_whole_notes)
{
    apr_thread_t *threads[4];
    unsigned numbers[4] = { 0, 1, 2, 3 };

    shared = av_token_cache_create(pool);
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
    tcase_add_test(tests, what_is_known_of_a_token_can_change);
    tcase_add_test(tests, a_newcomer_takes_the_place_of_another);
    tcase_add_test(tests, threads_see_whole_notes);
    return suite;
}
