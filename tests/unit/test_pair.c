/* Token pairs that are made.
 * SPDX-License-Identifier: Apache-2.0 */
#include "issue/pair.h"
#include "support/suite.h"

static bool is_of(av_slice text, const char *alphabet)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if (!strchr(alphabet, text.at[i])) {
            return false;
        }
    }
    return true;
}

START_TEST(a_new_secret_is_fifty_letters_and_digits_and_no_other)
{
    av_slice one = av_pair_secret(pool), other = av_pair_secret(pool);

    ck_assert_uint_eq(one.len, 50);
    ck_assert(is_of(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"));
    ck_assert(!av_slice_equal(one, other));
}
END_TEST

START_TEST(a_new_token_is_a_uuid_of_version_4)
{
    av_slice one = av_pair_token(pool), other = av_pair_token(pool);

    ck_assert_uint_eq(one.len, 36);
    ck_assert(is_of(one, "0123456789abcdef-"));
    ck_assert_int_eq(one.at[14], '4');
    ck_assert_ptr_nonnull(strchr("89ab", one.at[19]));
    ck_assert(one.at[8] == '-' && one.at[13] == '-' && one.at[18] == '-' && one.at[23] == '-');
    ck_assert(!av_slice_equal(one, other));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("pair");
    TCase *tests = suite_case(suite, "pairs");

    tcase_add_test(tests, a_new_secret_is_fifty_letters_and_digits_and_no_other);
    tcase_add_test(tests, a_new_token_is_a_uuid_of_version_4);
    return suite;
}
