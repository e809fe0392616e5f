/* Welch's t-test, cropped.
 * SPDX-License-Identifier: Apache-2.0 */
#include "welch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

void welch_start(cropped_welch *test, uint64_t *first, size_t count)
{
    memset(test, 0, sizeof(*test));
    qsort(first, count, sizeof(*first), compare);
    test->limits[0] = UINT64_MAX;
    for (size_t i = 1; i < WELCH_LIMITS; i++) {
        double share = 1 - pow(0.5, 10 * (double)(WELCH_LIMITS - i) / WELCH_LIMITS);
        test->limits[i] = first[(size_t)(share * (double)(count - 1))];
    }
}

static void add(welch *test, unsigned class, double measured)
{
    double difference = measured - test->mean[class];
    test->count[class]++;
    test->mean[class] += difference / test->count[class];
    test->squares[class] += difference * (measured - test->mean[class]);
}

void welch_add(cropped_welch *test, unsigned class, uint64_t measured)
{
    for (size_t i = 0; i < WELCH_LIMITS; i++) {
        if (measured <= test->limits[i]) {
            add(&test->tests[i], class, (double)measured);
        }
    }
}

static double t_of(const welch *test)
{
    if (test->count[0] < WELCH_FEWEST || test->count[1] < WELCH_FEWEST) {
        return 0;
    }
    double error = 0;
    for (unsigned class = 0; class < 2; class ++) {
        error += test->squares[class] / (test->count[class] - 1) / test->count[class];
    }
    return error > 0 ? fabs(test->mean[0] - test->mean[1]) / sqrt(error) : 0;
}

double welch_largest(const cropped_welch *test)
{
    double largest = 0;
    for (size_t i = 0; i < WELCH_LIMITS; i++) {
        largest = fmax(largest, t_of(&test->tests[i]));
    }
    return largest;
}
