/* Where a secret comes from: standard input and sources. Never a byte of it is in a sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"
#include "support/trial.h"
#include "tools/secret_input.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *read_standard_input(av_slice text, const char *source, av_slice *secret)
{
    make_file("input", text, 0600);
    int file = open(path_of("input"), O_RDONLY);

    ck_assert_int_ge(dup2(file, STDIN_FILENO), 0);
    close(file);
    return avt_secret_read(source, false, secret, pool);
}

static const struct {
    av_slice text, secret;
} inputs[] = {
    { TEXT("secret"), TEXT("secret") },
    { TEXT("secret\n"), TEXT("secret") },
    { TEXT("secret\r\n"), TEXT("secret") },
    { TEXT("secret\n\n"), TEXT("secret\n") },
    { TEXT("secret\r"), TEXT("secret\r") },
    { TEXT(" secret "), TEXT(" secret ") },
    { TEXT("\xc3\xa4\xff"), TEXT("\xc3\xa4\xff") },
    { TEXT("a\nb\n"), TEXT("a\nb") },
};

START_TEST(one_line_end_is_cut_and_nothing_else)
{
    av_slice secret;

    ck_assert_ptr_null(read_standard_input(inputs[_i].text, "-", &secret));
    assert_slice(secret, inputs[_i].secret, "told to read standard input");
    ck_assert_ptr_null(read_standard_input(inputs[_i].text, NULL, &secret));
    assert_slice(secret, inputs[_i].secret, "no terminal to ask at");
}
END_TEST

static const struct {
    av_slice text;
    const char *said;
} bad_inputs[] = {
    { TEXT(""), "is empty" },     { TEXT("\n"), "is empty" }, { TEXT("\r\n"), "is empty" },
    { TEXT("s3cr3t\0x"), "NUL" }, { TEXT("\0"), "NUL" },
};

START_TEST(what_is_no_secret_is_a_sentence_without_it)
{
    av_slice secret;
    const char *sentence = read_standard_input(bad_inputs[_i].text, "-", &secret);

    assert_sentence(sentence, bad_inputs[_i].said);
    ck_assert_ptr_null(strstr(sentence, "s3cr3t"));
}
END_TEST

START_TEST(a_secret_is_at_most_64_kib)
{
    char *text = apr_palloc(pool, 65537);
    av_slice secret;

    memset(text, 'x', 65537);
    ck_assert_ptr_null(read_standard_input((av_slice){ text, 65536 }, "-", &secret));
    ck_assert_uint_eq(secret.len, 65536);
    assert_sentence(read_standard_input((av_slice){ text, 65537 }, "-", &secret), "longer than 64 KiB");
}
END_TEST

START_TEST(a_source_is_read_as_in_a_rule)
{
    av_slice secret;
    const char *source = apr_pstrcat(pool, "file:", path_of("secret"), NULL);

    make_file("secret", AV_SLICE("a secret of some length\n"), 0600);
    ck_assert_ptr_null(avt_secret_read(source, false, &secret, pool));
    assert_slice(secret, AV_SLICE("a secret of some length"), "file:");
    ck_assert_ptr_null(avt_secret_read("env:SECRET", false, &secret, pool));
    assert_slice(secret, AV_SLICE(SECRET), "env:");
}
END_TEST

static const struct {
    const char *source, *said;
} sources[] = {
    { "s3cr3t", "file:" },       { "file:", "" }, { "plain:s3cr3t", "file:" }, { "env:NOBODY_HAS_SET_IT", "" },
    { "file:/nonexistent", "" }, { "", "" },
};

START_TEST(what_is_no_source_is_a_sentence_without_it)
{
    av_slice secret;
    const char *sentence = avt_secret_read(sources[_i].source, false, &secret, pool);

    assert_sentence(sentence, sources[_i].said);
    ck_assert_ptr_null(strstr(sentence, "s3cr3t"));
}
END_TEST

START_TEST(a_file_that_others_may_read_is_refused)
{
    av_slice secret;
    const char *source = apr_pstrcat(pool, "file:", path_of("open"), NULL);

    make_file("open", AV_SLICE("a secret of some length\n"), 0644);
    ck_assert_ptr_nonnull(avt_secret_read(source, false, &secret, pool));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("secret_input");
    TCase *tests = trial_case(suite, "secret_input");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, one_line_end_is_cut_and_nothing_else, 0, ROWS(inputs));
    tcase_add_loop_test(tests, what_is_no_secret_is_a_sentence_without_it, 0, ROWS(bad_inputs));
    tcase_add_test(tests, a_secret_is_at_most_64_kib);
    tcase_add_test(tests, a_source_is_read_as_in_a_rule);
    tcase_add_loop_test(tests, what_is_no_source_is_a_sentence_without_it, 0, ROWS(sources));
    tcase_add_test(tests, a_file_that_others_may_read_is_refused);
    return suite;
}
