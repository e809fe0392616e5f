/* Entries in slots: what is found by which name, what fits, and that nobody finds halves of two.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/entries.h"
#include "support/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOM 64
#define SLOTS 16

static const av_entries_shape shape = { SLOTS, 2, ROOM };

static av_entries *fresh(void)
{
    return av_entries_create(apr_pcalloc(pool, av_entries_size(shape)), shape);
}

static void add(av_entries *entries, uint64_t number, const char *text)
{
    uint64_t name[2] = { number, ~number };
    av_entries_add(entries, name, text, strlen(text));
}

static bool holds(const av_entries *entries, uint64_t number, const char *text)
{
    uint64_t name[2] = { number, ~number };
    char value[ROOM];
    apr_size_t len = sizeof(value);
    return av_entries_find(entries, name, value, &len) && len == strlen(text) && memcmp(value, text, len) == 0;
}

START_TEST(a_value_is_found_by_its_whole_name)
{
    av_entries *entries = fresh();
    uint64_t name[2] = { 7, 1 };
    char value[ROOM];
    apr_size_t len = sizeof(value);

    ck_assert(!holds(entries, 7, ""));
    add(entries, 7, "seven");
    ck_assert(holds(entries, 7, "seven"));
    ck_assert(!av_entries_find(entries, name, value, &len));
    ck_assert(!holds(entries, 7 + SLOTS, "seven"));
    add(entries, 7, "");
    ck_assert(holds(entries, 7, ""));
}
END_TEST

START_TEST(a_name_of_zeros_is_nobody_before_it_is_added)
{
    av_entries *entries = fresh();
    uint64_t name[2] = { 0, 0 };
    char value[ROOM];
    apr_size_t len = sizeof(value);

    ck_assert(!av_entries_find(entries, name, value, &len));
}
END_TEST

START_TEST(values_of_every_length_come_back_as_they_were)
{
    av_entries *entries = fresh();
    char text[ROOM + 1] = "";

    for (int len = 1; len <= ROOM; len++) {
        text[len - 1] = (char)('a' + len % 26);
        add(entries, 3, text);
        ck_assert_msg(holds(entries, 3, text), "%d", len);
    }
}
END_TEST

START_TEST(a_value_does_not_go_where_it_has_no_room)
{
    av_entries *entries = fresh();
    uint64_t name[2] = { 5, ~(uint64_t)5 };
    char value[6] = "xxxxx";
    apr_size_t len = 4;

    add(entries, 5, "five!");
    ck_assert(!av_entries_find(entries, name, value, &len));
    ck_assert_str_eq(value, "xxxxx");
    len = 5;
    ck_assert(av_entries_find(entries, name, value, &len));
    ck_assert_str_eq(value, "five!");
}
END_TEST

START_TEST(a_newcomer_takes_the_place_of_another)
{
    av_entries *entries = fresh();

    for (uint64_t i = 0; i < SLOTS; i++) {
        add(entries, i, "first");
    }
    add(entries, 2 + SLOTS, "second");
    ck_assert(holds(entries, 2 + SLOTS, "second"));
    ck_assert(!holds(entries, 2, "first"));
    ck_assert(holds(entries, 1, "first"));
    ck_assert(holds(entries, 3, "first"));
}
END_TEST

START_TEST(processes_share_what_lies_in_shared_memory)
{
    void *memory = mmap(NULL, av_entries_size(shape), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    ck_assert_ptr_ne(memory, MAP_FAILED);
    av_entries *entries = av_entries_create(memory, shape);
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        add(entries, 9, "from a child");
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(holds(entries, 9, "from a child"));
    munmap(memory, av_entries_size(shape));
}
END_TEST

#define READERS 3
#define ROUNDS 50000
#define LARGE 4096

static const av_entries_shape large = { 1, 1, LARGE };
static av_entries *hammered;
static _Atomic bool is_over;

/* Each name's value is one letter, of a length of its own. Returns how much of what is found is another's. */
static uint64_t find_and_compare(uint64_t name)
{
    char value[LARGE];
    apr_size_t len = sizeof(value);
    uint64_t wrong = 0;
    if (av_entries_find(hammered, &name, value, &len)) {
        wrong = len != LARGE - name;
        for (apr_size_t i = 0; i < len; i++) {
            wrong += value[i] != (char)('a' + name);
        }
    }
    return wrong;
}

static void *read_all_the_time(void *data)
{
    uint64_t wrong = 0;
    (void)data;
    for (uint64_t i = 0; !is_over; i++) {
        wrong += find_and_compare(i % 2);
    }
    return (void *)(uintptr_t)wrong;
}

START_TEST(threads_find_whole_values_in_a_slot_that_is_written)
{
    pthread_t readers[READERS];
    char value[LARGE];
    void *wrong = NULL;

    hammered = av_entries_create(apr_pcalloc(pool, av_entries_size(large)), large);
    is_over = false;
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all_the_time, NULL), 0);
    }
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t name = i % 2;
        memset(value, (int)('a' + name), sizeof(value));
        av_entries_add(hammered, &name, value, LARGE - name);
        ck_assert_uint_eq(find_and_compare(name), 0);
    }
    is_over = true;
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_join(readers[i], &wrong), 0);
        ck_assert_ptr_null(wrong);
    }
}
END_TEST

static void *write_all_the_time(void *data)
{
    uint64_t name = *(const uint64_t *)data;
    char value[LARGE];
    memset(value, (int)('a' + name), sizeof(value));
    for (uint64_t i = 0; i < ROUNDS; i++) {
        av_entries_add(hammered, &name, value, LARGE - name);
    }
    return NULL;
}

START_TEST(threads_that_write_into_one_slot_do_not_mix)
{
    pthread_t writers[2];
    uint64_t names[2] = { 0, 1 };

    hammered = av_entries_create(apr_pcalloc(pool, av_entries_size(large)), large);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&writers[i], NULL, write_all_the_time, &names[i]), 0);
    }
    for (uint64_t i = 0; i < ROUNDS; i++) {
        ck_assert_uint_eq(find_and_compare(i % 2), 0);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(writers[i], NULL), 0);
    }
    ck_assert_uint_eq(find_and_compare(0) + find_and_compare(1), 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("entries");
    TCase *tests = suite_case(suite, "entries");

    tcase_add_test(tests, a_value_is_found_by_its_whole_name);
    tcase_add_test(tests, a_name_of_zeros_is_nobody_before_it_is_added);
    tcase_add_test(tests, values_of_every_length_come_back_as_they_were);
    tcase_add_test(tests, a_value_does_not_go_where_it_has_no_room);
    tcase_add_test(tests, a_newcomer_takes_the_place_of_another);
    tcase_add_test(tests, processes_share_what_lies_in_shared_memory);
    tcase_add_test(tests, threads_find_whole_values_in_a_slot_that_is_written);
    tcase_add_test(tests, threads_that_write_into_one_slot_do_not_mix);
    return suite;
}
