/* The memory for derived keys: found under their secret, purpose and size alone, by many threads at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/key_cache.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <pthread.h>

#define MANY 5000
#define SIZE AV_LARGEST_DERIVED_KEY

static av_slice secret_of(int number)
{
    return av_slice_of(apr_psprintf(pool, "secret %d", number));
}

/* A key whose bytes are one and the same: a mixture of two shows. */
static void fill(unsigned char key[SIZE], int number)
{
    memset(key, number & 0xff, SIZE);
}

START_TEST(a_key_is_found_as_it_was_added)
{
    av_key_cache *cache = av_key_cache_create(pool);
    unsigned char key[SIZE], found[SIZE + 1];

    for (apr_size_t size = 1; size <= SIZE; size++) {
        fill(key, (int)size);
        memset(found, 0xee, sizeof(found));
        av_key_cache_add(cache, AV_SLICE("secret"), AV_SLICE("purpose"), key, size);
        ck_assert(av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purpose"), found, size));
        ck_assert_mem_eq(found, key, size);
        ck_assert_int_eq(found[size], 0xee);
    }
}
END_TEST

START_TEST(a_key_is_found_under_its_own_names_alone)
{
    av_key_cache *cache = av_key_cache_create(pool), *other = av_key_cache_create(pool);
    unsigned char key[SIZE], found[SIZE];

    fill(key, 1);
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purpose"), found, 32));
    av_key_cache_add(cache, AV_SLICE("secret"), AV_SLICE("purpose"), key, 32);
    ck_assert(av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purpose"), found, 32));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secreu"), AV_SLICE("purpose"), found, 32));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purposf"), found, 32));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secretp"), AV_SLICE("urpose"), found, 32));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("purpose"), AV_SLICE("secret"), found, 32));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purpose"), found, 64));
    ck_assert(!av_key_cache_find(cache, AV_SLICE("secret"), AV_SLICE("purpose"), found, 31));
    ck_assert(!av_key_cache_find(other, AV_SLICE("secret"), AV_SLICE("purpose"), found, 32));
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_another_and_nobody_gets_a_strangers_key)
{
    av_key_cache *cache = av_key_cache_create(pool);
    unsigned char key[SIZE], found[SIZE];
    int kept = 0;

    for (int i = 0; i < MANY; i++) {
        fill(key, i);
        av_key_cache_add(cache, secret_of(i), AV_SLICE("purpose"), key, SIZE);
        ck_assert_msg(av_key_cache_find(cache, secret_of(i), AV_SLICE("purpose"), found, SIZE), "%d", i);
    }
    for (int i = 0; i < MANY; i++) {
        fill(key, i);
        if (av_key_cache_find(cache, secret_of(i), AV_SLICE("purpose"), found, SIZE)) {
            ck_assert_mem_eq(found, key, SIZE);
            kept++;
        }
    }
    ck_assert_int_gt(kept, 100);
    ck_assert_int_lt(kept, MANY / 2);
}
END_TEST

#define THREADS 4
#define ROUNDS 40000
#define SECRETS 2000 /* more than there is room for: threads meet in the same slots */

static av_key_cache *shared;
static av_slice secrets[SECRETS];

/* Writes and reads by turns, and counts the keys that are not whole or another's. */
static void *write_and_read(void *seed)
{
    unsigned state = *(unsigned *)seed;
    unsigned char key[SIZE], found[SIZE];
    uintptr_t wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        state = state * 1103515245 + 12345;
        int number = (int)(state >> 16) % SECRETS;
        fill(key, number);
        if (state & 0x8000) {
            av_key_cache_add(shared, secrets[number], AV_SLICE("purpose"), key, SIZE);
        } else if (av_key_cache_find(shared, secrets[number], AV_SLICE("purpose"), found, SIZE)) {
            wrong += memcmp(found, key, SIZE) != 0;
        }
    }
    return (void *)wrong;
}

START_TEST(threads_that_write_and_read_at_once_find_whole_keys)
{
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    void *wrong = NULL;

    shared = av_key_cache_create(pool);
    for (int i = 0; i < SECRETS; i++) {
        secrets[i] = secret_of(i);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_and_read, &seeds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
}
END_TEST

#define CACHE_SIZE (1024 * 96 + 64) /* slots of twelve words, behind the keys of their names and their shape */

/* What is registered before the cache's own wiping runs after it, while the memory is still there. */
typedef struct wiped {
    const unsigned char *cache;
    bool is_clean;
} wiped;

static apr_status_t look_for_the_key(void *data)
{
    wiped *noted = data;
    static const unsigned char key[8] = { 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab };
    noted->is_clean = memmem(noted->cache, CACHE_SIZE, key, sizeof(key)) == NULL;
    return APR_SUCCESS;
}

START_TEST(a_cache_is_wiped_with_its_pool)
{
    apr_pool_t *inner;
    unsigned char key[SIZE];
    wiped noted = { NULL, false };

    apr_pool_create(&inner, pool);
    apr_pool_cleanup_register(inner, &noted, look_for_the_key, apr_pool_cleanup_null);
    av_key_cache *cache = av_key_cache_create(inner);
    noted.cache = (const unsigned char *)cache;
    memset(key, 0xab, sizeof(key));
    av_key_cache_add(cache, AV_SLICE("secret"), AV_SLICE("purpose"), key, SIZE);
    look_for_the_key(&noted);
    ck_assert(!noted.is_clean);
    apr_pool_destroy(inner);
    ck_assert(noted.is_clean);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("key cache");
    TCase *tests = suite_case(suite, "key cache");

    tcase_add_test(tests, a_key_is_found_as_it_was_added);
    tcase_add_test(tests, a_key_is_found_under_its_own_names_alone);
    tcase_add_test(tests, a_newcomer_takes_the_place_of_another_and_nobody_gets_a_strangers_key);
    tcase_add_test(tests, threads_that_write_and_read_at_once_find_whole_keys);
    tcase_add_test(tests, a_cache_is_wiped_with_its_pool);
    return suite;
}
