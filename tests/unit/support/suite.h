/* What all unit tests share: the main function, a pool for each test, slices in tables and in comparisons.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_SUITE_H
#define AV_TESTS_SUITE_H

#include "core/slice.h"

#include <check.h>

/* Each test program defines the one suite that it runs. */
Suite *unit_suite(void);

/* Fresh in each test of a case that suite_case made, and destroyed after it. */
extern apr_pool_t *pool;

/* A new case of the suite, with a pool for each of its tests. */
TCase *suite_case(Suite *suite, const char *name);

/* The number of rows in a table, as tcase_add_loop_test takes it. */
#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* A slice in a static table. Its bytes may be NUL. */
#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* A copy that ends where its memory ends, so that a sanitizer sees a read past the end. Lives as long as `pool`. */
av_slice tight_copy(av_slice slice);

/* The bytes that lower-case hexadecimal digits stand for, as a tight copy. */
av_slice from_hex(const char *digits);

/* Fails with both texts, escaped, and `name` unless the bytes are the same. */
void assert_slice(av_slice found, av_slice wanted, const char *name);

#endif
