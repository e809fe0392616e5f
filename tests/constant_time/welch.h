/* Welch's t-test over two classes of measurements that come one by one, once as they are and once for each of several
 * limits beyond which a measurement does not count: interruptions are rare and long.
 * (B. L. Welch, The generalization of "Student's" problem, 1947; updated as in B. P. Welford, 1962.)
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_WELCH_H
#define AV_TESTS_WELCH_H

#include <stddef.h>
#include <stdint.h>

#define WELCH_LIMITS 16

/* Below this a class says nothing yet. */
#define WELCH_FEWEST 1000

/* The measurements of two classes so far, under one limit. */
typedef struct welch {
    double count[2], mean[2], squares[2];
} welch;

typedef struct cropped_welch {
    uint64_t limits[WELCH_LIMITS]; /* UINT64_MAX: none */
    welch tests[WELCH_LIMITS];
} cropped_welch;

/* Begins, with limits that leave from all down to a few per cent of `count` first measurements, which are sorted here
 * and do not count themselves. */
void welch_start(cropped_welch *test, uint64_t *first, size_t count);

/* Adds a measurement of class 0 or 1. */
void welch_add(cropped_welch *test, unsigned class, uint64_t measured);

/* The largest |t| under any limit. It grows with the square root of the number of measurements where the classes
 * differ, and stays below 4.5 or so where they do not. */
double welch_largest(const cropped_welch *test);

#endif
