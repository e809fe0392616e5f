/* What all fuzz targets share: an oracle that ends the program, and a pool for each input.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_FUZZ_H
#define AV_TESTS_FUZZ_H

#include "core/slice.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What must hold for every input. abort() is what a fuzzer takes for a finding. */
#define REQUIRE(condition)                                                                 \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An empty pool, the same for every input: what the one before put into it is gone. */
static inline apr_pool_t *fresh_pool(void)
{
    static apr_pool_t *pool;

    if (!pool) {
        apr_initialize();
        apr_pool_create(&pool, NULL);
    }
    apr_pool_clear(pool);
    return pool;
}

/* A copy that ends where its memory ends, so that a sanitizer sees a read past the end. The caller frees copy.at. */
static inline av_slice tight_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    REQUIRE(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return (av_slice){ copy, size };
}

#endif
