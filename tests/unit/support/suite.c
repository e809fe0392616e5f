/* The main function of every unit test program.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/suite.h"
#include "core/codec.h"

#include <apr_escape.h>
#include <apr_general.h>
#include <stdlib.h>

apr_pool_t *pool;

static void create_pool(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void destroy_pool(void)
{
    apr_pool_destroy(pool);
}

TCase *suite_case(Suite *suite, const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_checked_fixture(tests, create_pool, destroy_pool);
    suite_add_tcase(suite, tests);
    return tests;
}

static apr_status_t free_copy(void *copy)
{
    free(copy);
    return APR_SUCCESS;
}

av_slice tight_copy(av_slice slice)
{
    char *copy = malloc(slice.len);

    if (slice.len == 0 || !copy) {
        free(copy);
        return (av_slice){ "", 0 };
    }
    memcpy(copy, slice.at, slice.len);
    apr_pool_cleanup_register(pool, copy, free_copy, apr_pool_cleanup_null);
    return (av_slice){ copy, slice.len };
}

av_slice from_hex(const char *digits)
{
    apr_size_t len = 0;
    char *bytes = apr_palloc(pool, strlen(digits) / 2 + 1);

    ck_assert_msg(av_decode(AV_HEX, av_slice_of(digits), (unsigned char *)bytes, strlen(digits) / 2, &len),
                  "%s is not hexadecimal", digits);
    return tight_copy((av_slice){ bytes, len });
}

static const char *printable(av_slice slice)
{
    return apr_pescape_echo(pool, av_slice_string(slice, pool), 1);
}

void assert_slice(av_slice found, av_slice wanted, const char *name)
{
    ck_assert_msg(av_slice_equal(found, wanted), "%s: found \"%s\" (%zu bytes), wanted \"%s\" (%zu bytes)", name,
                  printable(found), found.len, printable(wanted), wanted.len);
}

int main(void)
{
    /* Check's own limit of 4 seconds is too short for a busy machine. */
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
    apr_initialize();
    SRunner *runner = srunner_create(unit_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    apr_terminate();
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
