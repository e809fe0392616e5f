/* Formats of tokens: how they are written, and what is of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/token_pair/format.h"
#include "support/suite.h"

#define FIFTY "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"

static const struct {
    const char *format;
    av_slice text;
    bool is_of_it;
} rows[] = {
    { "3[abc]", TEXT("abc"), true },         { "3[abc]", TEXT("ab"), false },
    { "3[abc]", TEXT("abca"), false },       { "3[abc]", TEXT("abd"), false },
    { "3[abc]", TEXT("ABC"), false },        { "3[abc]", TEXT(""), false },
    { "2-4[a-f]", TEXT("a"), false },        { "2-4[a-f]", TEXT("af"), true },
    { "2-4[a-f]", TEXT("afaf"), true },      { "2-4[a-f]", TEXT("afafa"), false },
    { "2-4[a-f]", TEXT("ag"), false },       { "2-4[a-f]", TEXT("a-"), false },
    { "2[a-f-]", TEXT("a-"), true },         { "2[-a-f]", TEXT("a-"), true },
    { "2[A-Za-z0-9_]", TEXT("Z_"), true },   { "2[A-Za-z0-9_]", TEXT("Z\0"), false },
    { "2[A-Za-z0-9_]", TEXT("Z\n"), false }, { "2[A-Za-z0-9_]", TEXT("Z\xc1"), false },
    { "2[!-~]", TEXT("\x7f!"), false },      { "1[x]", TEXT("x"), true },
    { "256[x]", TEXT("x"), false },
};

START_TEST(a_text_is_of_a_format_or_not)
{
    av_token_format format;
    ck_assert_ptr_null(av_token_format_parse(rows[_i].format, &format, pool));
    ck_assert_int_eq(av_token_format_is(&format, tight_copy(rows[_i].text)), rows[_i].is_of_it);
}
END_TEST

static const char *const refused[] = {
    "",       "36",       "[a]",   "0[a]",   "257[a]", "99999999999999999999[a]",
    "5-3[a]", "1-257[a]", "1-[a]", "-5[a]",  "3[]",    "3[a",
    "3a]",    "3[a]b",    "3[a]]", "3[f-a]", "3[a b]", "3[\xc3\xa9]",
    "3 [a]",  "3[\x7f]",  "3[",    "3[a-",   "0-3[a]",
};

START_TEST(what_is_no_format_is_refused)
{
    av_token_format format;
    ck_assert_msg(av_token_format_parse(refused[_i], &format, pool) != NULL, "%s", refused[_i]);
}
END_TEST

START_TEST(the_usual_formats_are_as_they_are_said_to_be)
{
    ck_assert(av_token_format_is(&av_token_format_hex, AV_SLICE("d3f269a9-932e-eeb0-05e7-14fdff8696b2")));
    ck_assert(!av_token_format_is(&av_token_format_hex, AV_SLICE("D3f269a9-932e-eeb0-05e7-14fdff8696b2")));
    ck_assert(!av_token_format_is(&av_token_format_hex, AV_SLICE("d3f269a9-932e-eeb0-05e7-14fdff8696b")));
    ck_assert(!av_token_format_is(&av_token_format_hex, AV_SLICE("d3f269a9-932e-eeb0-05e7-14fdff8696b2a")));
    ck_assert(!av_token_format_is(&av_token_format_hex, AV_SLICE("g3f269a9-932e-eeb0-05e7-14fdff8696b2")));
    ck_assert(av_token_format_is(&av_token_format_alphanumeric, AV_SLICE(FIFTY)));
    ck_assert(!av_token_format_is(&av_token_format_alphanumeric, AV_SLICE(FIFTY "0")));
    ck_assert(!av_token_format_is(&av_token_format_alphanumeric,
                                  AV_SLICE("-bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX")));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("token_format");
    TCase *tests = suite_case(suite, "formats");

    tcase_add_loop_test(tests, a_text_is_of_a_format_or_not, 0, ROWS(rows));
    tcase_add_loop_test(tests, what_is_no_format_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, the_usual_formats_are_as_they_are_said_to_be);
    return suite;
}
