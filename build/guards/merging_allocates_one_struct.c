/* Merging happens on every request: counts what it allocates, which is the merged struct and nothing else.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "httpd/config.h"

#include <apr_strings.h>

#include <stdio.h>
#include <stdlib.h>

/* More than one merge can ask for. */
#define STORE_BYTES (64 * 1024)

static int calls;
static apr_size_t bytes;

/* Nobody looks inside. */
static void *const pool = &calls;

/* Stands before APR's own: each of APR's other allocating functions comes down to this one. */
void *apr_palloc(apr_pool_t *unused, apr_size_t size)
{
    static _Alignas(max_align_t) char store[STORE_BYTES];
    (void)unused;
    calls++;
    bytes += size;
    return bytes <= sizeof(store) ? store + bytes - size : NULL;
}

/* A count that misses what APR's own functions allocate would count nothing. */
static bool counts_all(void)
{
    calls = 0;
    bytes = 0;
    return apr_pstrdup(pool, "four") && calls == 1 && bytes == sizeof("four");
}

/* True if merging the two allocates once, and only the struct. */
static bool is_one_struct(const char *what, avh_section *outer, avh_section *inner)
{
    calls = 0;
    bytes = 0;
    avh_section_merge(pool, outer, inner);
    printf("%s: %d allocations, %zu bytes of %zu\n", what, calls, bytes, sizeof(avh_section));
    return calls == 1 && bytes == sizeof(avh_section);
}

int main(void)
{
    avh_header header = { .name = "X-Client" };
    avh_section empty = { 0 };
    avh_section full = { .protection = AVH_ON,
                         .mode = AVH_OPTIONAL,
                         .override = AVH_SWITCH_ON,
                         .body_limit = 1,
                         .body_memory = 1,
                         .spool = "/spool",
                         .origin = "https://hooks.example",
                         .headers = &header };
    avh_section off = { .protection = AVH_OFF_BY_HTACCESS };
    bool right = counts_all();
    right = is_one_struct("nothing into nothing", &empty, &empty) && right;
    right = is_one_struct("nothing into a full section", &full, &empty) && right;
    right = is_one_struct("a full section into nothing", &empty, &full) && right;
    right = is_one_struct("a full section into its like", &full, &full) && right;
    right = is_one_struct(".htaccess into a full section", &full, &off) && right;
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
