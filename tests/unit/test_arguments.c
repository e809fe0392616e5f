/* The words of a command line, and times as they are written there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/arguments.h"

#include <apr_strings.h>

typedef struct target {
    bool flag;
    const char *text;
    apr_array_header_t *texts;
} target;

static const avt_option options[] = {
    { "--flag", AVT_SWITCH, offsetof(target, flag) },
    { "--text", AVT_TEXT, offsetof(target, text) },
    { "--texts", AVT_TEXTS, offsetof(target, texts) },
    { NULL, AVT_SWITCH, 0 },
};

/* "a b" is two arguments, and "''" an empty one. */
static const char *read_words(const char *line, target *into, apr_array_header_t **operands)
{
    const char *arguments[16];
    int count = 0;
    av_slice rest = av_slice_of(line), word;

    memset(into, 0, sizeof(*into));
    while (*line && av_slice_split(&rest, ' ', &word)) {
        arguments[count++] = av_slice_equal(word, AV_SLICE("''")) ? "" : av_slice_string(word, pool);
    }
    return avt_arguments_read(count, arguments, options, into, operands, pool);
}

static const char *joined(const apr_array_header_t *list)
{
    return list ? apr_array_pstrcat(pool, list, '|') : "";
}

static const struct {
    const char *line;
    bool flag;
    const char *text, *texts, *operands;
} lines[] = {
    { "", false, NULL, "", "" },
    { "a b", false, NULL, "", "a|b" },
    { "--flag a", true, NULL, "", "a" },
    { "a --flag", true, NULL, "", "a" },
    { "--flag --flag", true, NULL, "", "" },
    { "--text x a", false, "x", "", "a" },
    { "--text=x a", false, "x", "", "a" },
    { "--text=a=b", false, "a=b", "", "" },
    { "--text --flag", false, "--flag", "", "" },
    { "--text - -", false, "-", "", "-" },
    { "--texts a --texts=b", false, NULL, "a|b", "" },
    { "-- --flag --text", false, NULL, "", "--flag|--text" },
    { "--flag -- -- a", true, NULL, "", "--|a" },
    { "'' a", false, NULL, "", "|a" },
};

START_TEST(options_and_operands_are_told_apart)
{
    target found;
    apr_array_header_t *operands;

    ck_assert_ptr_null(read_words(lines[_i].line, &found, &operands));
    ck_assert_int_eq(found.flag, lines[_i].flag);
    ck_assert_pstr_eq(found.text, lines[_i].text);
    ck_assert_str_eq(joined(found.texts), lines[_i].texts);
    ck_assert_str_eq(joined(operands), lines[_i].operands);
}
END_TEST

static const struct {
    const char *line, *said;
} mistakes[] = {
    { "--nothing", "there is no option --nothing" },
    { "--nothing=x", "there is no option --nothing" },
    { "-f", "there is no option -f" },
    { "--fla", "there is no option --fla" },
    { "--FLAG", "there is no option --FLAG" },
    { "--flag=yes", "--flag takes no value" },
    { "--flag=", "--flag takes no value" },
    { "--text", "--text needs a value" },
    { "--text=", "--text needs a value" },
    { "--text ''", "--text needs a value" },
    { "--texts", "--texts needs a value" },
    { "--text a --text b", "--text is given twice" },
};

START_TEST(a_mistake_is_a_sentence)
{
    target found;
    apr_array_header_t *operands;

    assert_sentence(read_words(mistakes[_i].line, &found, &operands), mistakes[_i].said);
}
END_TEST

static const struct {
    const char *text;
    apr_int64_t seconds;
} times[] = {
    { "0", 0 },
    { "1767312000", 1767312000 },
    { "2026-01-02", 1767312000 },
    { "2026-01-02T00:00:00Z", 1767312000 },
    { "2026-01-02T01:00:00+01:00", 1767312000 },
};

START_TEST(a_time_is_read)
{
    apr_time_t found = -1;

    ck_assert_ptr_null(avt_time_read(times[_i].text, &found, pool));
    ck_assert_int_eq(found, apr_time_from_sec(times[_i].seconds));
}
END_TEST

static const struct {
    const char *text;
    apr_int64_t seconds;
} spans[] = { { "now", 0 },    { "+0s", 0 },           { "+90s", 90 },       { "+2m", 120 },
              { "+1h", 3600 }, { "+30d", 30 * 86400 }, { "+2w", 14 * 86400 } };

START_TEST(a_span_begins_now)
{
    apr_time_t before = apr_time_now(), found = 0;

    ck_assert_ptr_null(avt_time_read(spans[_i].text, &found, pool));
    ck_assert_int_ge(found, before + apr_time_from_sec(spans[_i].seconds));
    ck_assert_int_le(found, apr_time_now() + apr_time_from_sec(spans[_i].seconds));
}
END_TEST

static const char *const no_times[] = {
    "",    "soon", "yesterday",  "-1",         "+",          "+d",
    "+1",  "+1y",  "+1dd",       "+-1d",       "+ 1d",       "+99999999999999999999d",
    "1.5", "+1D",  "2026-13-01", "2026-02-30", "2026-1-2  ", "2026-01-02T00:00:00",
};

START_TEST(what_is_no_time_is_a_sentence)
{
    apr_time_t found;

    assert_sentence(avt_time_read(no_times[_i], &found, pool), "is no time");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("arguments");
    TCase *tests = suite_case(suite, "arguments");

    tcase_add_loop_test(tests, options_and_operands_are_told_apart, 0, ROWS(lines));
    tcase_add_loop_test(tests, a_mistake_is_a_sentence, 0, ROWS(mistakes));
    tcase_add_loop_test(tests, a_time_is_read, 0, ROWS(times));
    tcase_add_loop_test(tests, a_span_begins_now, 0, ROWS(spans));
    tcase_add_loop_test(tests, what_is_no_time_is_a_sentence, 0, ROWS(no_times));
    return suite;
}
