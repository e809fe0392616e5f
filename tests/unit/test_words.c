/* Words of a configuration line: as httpd splits them, less what httpd would take for something else in silence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/words.h"
#include "support/suite.h"

#include <apr_strings.h>

/* What httpd 2.4's ap_getword_conf gave for each of these lines. */
static const struct {
    const char *line;
    const char *words[4];
} lines[] = {
    { "", { NULL } },
    { " \t ", { NULL } },
    { "a", { "a" } },
    { "a b", { "a", "b" } },
    { "  a\t b  ", { "a", "b" } },
    { "a\vb\fc", { "a", "b", "c" } },
    { "a\r\nb", { "a", "b" } },
    { "\"a b\" c", { "a b", "c" } },
    { "'a b' c", { "a b", "c" } },
    { "\"n=a b\"\tc", { "n=a b", "c" } },
    { "\"\" a", { "", "a" } },
    { "a ''", { "a", "" } },
    { "a\\\\b", { "a\\b" } },
    { "a\\b", { "a\\b" } },
    { "a\\\\\\b", { "a\\\\b" } },
    { "a\\", { "a\\" } },
    { "\\ a", { "\\", "a" } },
    { "\"a\\\\\"", { "a\\" } },
    { "\"\\\\\" x", { "\\", "x" } },
    { "\"a\\b\"", { "a\\b" } },
    { "'a\\nb'", { "a\\nb" } },
    { "a#b #", { "a#b", "#" } },
    { "x\xa0y", { "x\xa0y" } },
    { "n=%{header:X-Key} $ { $x", { "n=%{header:X-Key}", "$", "{", "$x" } },
};

START_TEST(words_are_split_as_httpd_splits_them)
{
    av_words words;
    apr_size_t count = 0;

    ck_assert_ptr_null(av_words_split(lines[_i].line, &words, pool));
    for (; count < ROWS(lines[_i].words) && lines[_i].words[count]; count++) {
        ck_assert_uint_lt(count, words.count);
        ck_assert_str_eq(words.at[count], lines[_i].words[count]);
    }
    ck_assert_uint_eq(words.count, count);
}
END_TEST

#define NOT_CLOSED "opens a quote that is not closed"
#define FOLLOWED "is followed by text right after its closing quote"
#define HAS_QUOTE "contains a quote"
#define HAS_VARIABLE "contains ${"

static const struct {
    const char *line;
    const char *subject;
    const char *fault;
} mistakes[] = {
    { "\"a", "word 1 ", NOT_CLOSED },           { "'", "word 1 ", NOT_CLOSED },
    { "a 'b", "word 2 ", NOT_CLOSED },          { "\"a\\", "word 1 ", NOT_CLOSED },
    { "\"a\\\"", "word 1 ", NOT_CLOSED },       { "'a\\'", "word 1 ", NOT_CLOSED },
    { "\"a'", "word 1 ", NOT_CLOSED },          { "a \"signed=%{body}", "word 2 (signed=) ", NOT_CLOSED },
    { "\"a\"b", "word 1 ", FOLLOWED },          { "\"a\"\"b\"", "word 1 ", FOLLOWED },
    { "'a'\\ b", "word 1 ", FOLLOWED },         { "x 'key-encoding=a'b", "word 2 (key-encoding=) ", FOLLOWED },
    { "n=\"a b\"", "word 1 (n=) ", HAS_QUOTE }, { "n='a'", "word 1 (n=) ", HAS_QUOTE },
    { "a\"b", "word 1 ", HAS_QUOTE },           { "a\\\"b", "word 1 ", HAS_QUOTE },
    { "\\\"a", "word 1 ", HAS_QUOTE },          { "=\"a", "word 1 ", HAS_QUOTE },
    { "it's", "word 1 ", HAS_QUOTE },           { "\"it's\"", "word 1 ", HAS_QUOTE },
    { "\"a\\\"b\"", "word 1 ", HAS_QUOTE },     { "'a\\'b'", "word 1 ", HAS_QUOTE },
    { "\"a\\\\\\\"b\"", "word 1 ", HAS_QUOTE }, { "secret=file:${DIR}/x", "word 1 (secret=) ", HAS_VARIABLE },
    { "a \"b ${\"", "word 2 ", HAS_VARIABLE },  { "$${", "word 1 ", HAS_VARIABLE },
};

START_TEST(what_httpd_lets_pass_is_refused)
{
    av_words words;
    const char *sentence = av_words_split(mistakes[_i].line, &words, pool);
    const char *wanted = apr_pstrcat(pool, mistakes[_i].subject, mistakes[_i].fault, NULL);

    ck_assert_ptr_nonnull(sentence);
    ck_assert_msg(av_slice_starts_with(av_slice_of(sentence), av_slice_of(wanted)), "%s: %s", wanted, sentence);
    ck_assert_uint_eq(words.count, 0);
}
END_TEST

/* A secret that is written where it does not belong stays out of the error log. */
static const char *const careless_lines[] = {
    "secret=\"s3cr3t",  "\"secret=s3cr3t",     "'secret=s3cr3t'x", "s3cr3t\"",
    "s3cr3t=\"",        "secret=${s3cr3t}",    "\"s3cr3t",         "\"s3cr3t\"s3cr3t",
    "'s3cr3t=s3cr3t'x", "x=\"secret= s3cr3t'", "S3CR3T=\"",        "\"s3cr3t\"s3cr3t=\"",
};

START_TEST(a_sentence_never_repeats_a_value)
{
    av_words words;
    const char *sentence = av_words_split(careless_lines[_i], &words, pool);

    ck_assert_ptr_nonnull(sentence);
    ck_assert_msg(!strstr(sentence, "s3cr3t") && !strstr(sentence, "S3CR3T"), "%s", sentence);
}
END_TEST

static const char *line_of(int count)
{
    const char *line = "w";

    for (int i = 1; i < count; i++) {
        line = apr_pstrcat(pool, line, " w", NULL);
    }
    return line;
}

START_TEST(the_last_word_that_httpd_hands_on_is_taken)
{
    av_words words;

    ck_assert_ptr_null(av_words_split(line_of(AV_MAX_WORDS - 1), &words, pool));
    ck_assert_uint_eq(words.count, AV_MAX_WORDS - 1);
    ck_assert_ptr_null(av_words_split(apr_pstrcat(pool, line_of(AV_MAX_WORDS - 1), "  ", NULL), &words, pool));
}
END_TEST

START_TEST(a_word_that_httpd_would_drop_is_refused)
{
    av_words words;
    const char *sentence = av_words_split(line_of(AV_MAX_WORDS), &words, pool);

    ck_assert_ptr_nonnull(sentence);
    ck_assert_ptr_nonnull(strstr(sentence, "more than 63 words"));
    ck_assert_uint_eq(words.count, 0);
}
END_TEST

START_TEST(words_are_copies)
{
    av_words words;
    char line[] = "a \"b c\"";

    ck_assert_ptr_null(av_words_split(line, &words, pool));
    memset(line, 'x', sizeof(line) - 1);
    ck_assert_str_eq(words.at[0], "a");
    ck_assert_str_eq(words.at[1], "b c");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("words");
    TCase *tests = suite_case(suite, "words");

    tcase_add_loop_test(tests, words_are_split_as_httpd_splits_them, 0, ROWS(lines));
    tcase_add_loop_test(tests, what_httpd_lets_pass_is_refused, 0, ROWS(mistakes));
    tcase_add_loop_test(tests, a_sentence_never_repeats_a_value, 0, ROWS(careless_lines));
    tcase_add_test(tests, the_last_word_that_httpd_hands_on_is_taken);
    tcase_add_test(tests, a_word_that_httpd_would_drop_is_refused);
    tcase_add_test(tests, words_are_copies);
    return suite;
}
