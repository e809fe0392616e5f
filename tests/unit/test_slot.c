/* Nothing is left of a slot that was discarded.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/slot.h"
#include "support/suite.h"

#include <sys/mman.h>

#define CAPACITY ((apr_size_t)1 << 16)

static av_slot slot;

static void make_slot(void)
{
    void *at = mmap(NULL, CAPACITY * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(at, MAP_FAILED);
    slot = (av_slot){ at, CAPACITY };
}

static void remove_slot(void)
{
    ck_assert_int_eq(munmap((void *)slot.words, CAPACITY * sizeof(uint64_t)), 0);
}

/* Several pieces, exact ones, none, a slot that is full, one whose first word is nonsense. */
static const apr_size_t ends[] = { 0, 1, 8191, 8192, 8193, 30000, CAPACITY - 1, CAPACITY, CAPACITY + 1, SIZE_MAX };

START_TEST(every_word_that_was_written_is_gone)
{
    apr_size_t end = ends[_i], count = end < CAPACITY ? end : CAPACITY;
    for (apr_size_t i = 0; i < count; i++) {
        av_slot_set(slot, i, ~(uint64_t)0);
    }
    av_slot_set(slot, AV_SLOT_END, end);
    av_slot_discard(slot, NULL);
    for (apr_size_t i = 0; i < CAPACITY; i++) {
        ck_assert_msg(!av_slot_get(slot, i), "word %zu of %zu is left", (size_t)i, (size_t)end);
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("slot");
    TCase *tests = suite_case(suite, "discarding");

    tcase_add_checked_fixture(tests, make_slot, remove_slot);
    tcase_add_loop_test(tests, every_word_that_was_written_is_gone, 0, ROWS(ends));
    return suite;
}
