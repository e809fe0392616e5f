/* Options: name=value words, what overrides what, and each way in which an option is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/options.h"
#include "support/trial.h"

#include <apr_strings.h>

static const char *split(const char *line, apr_array_header_t **settings)
{
    av_words words;

    ck_assert_ptr_null(av_words_split(line, &words, pool));
    return av_settings_split(&words, 1, settings, pool);
}

static apr_array_header_t *settings_of(const char *line)
{
    apr_array_header_t *settings;
    const char *error = split(line, &settings);

    ck_assert_msg(!error, "%s: %s", line, error);
    return settings;
}

/* <name=value><name=value> */
static const char *settings_text(const apr_array_header_t *settings)
{
    const char *text = "";

    for (int i = 0; i < settings->nelts; i++) {
        const av_setting *setting = &APR_ARRAY_IDX(settings, i, av_setting);
        text = apr_pstrcat(pool, text, "<", setting->name, "=", setting->value, ">", NULL);
    }
    return text;
}

static const struct {
    const char *line, *settings;
} lines[] = {
    { "scheme", "" },
    { "scheme a=1 b=2", "<a=1><b=2>" },
    { "scheme a=b=c", "<a=b=c>" },
    { "scheme any-v2=1", "<any-v2=1>" },
    { "scheme a==", "<a==>" },
    { "scheme key-prefix=whsec_ prefix=sha256=", "<key-prefix=whsec_><prefix=sha256=>" },
    { "scheme \"signed=%{method} %{path}\"", "<signed=%{method} %{path}>" },
    { "scheme a=1 a=2", "<a=1><a=2>" },
};

START_TEST(a_word_is_split_at_its_first_equals_sign)
{
    ck_assert_str_eq(settings_text(settings_of(lines[_i].line)), lines[_i].settings);
}
END_TEST

static const struct {
    const char *line, *fault;
} no_settings[] = {
    { "scheme a=1 word", "word 2 after \"scheme\" is not written name=value" },
    { "scheme word a=1", "word 1 after \"scheme\" is not written name=value" },
    { "scheme =value", "word 1 after \"scheme\" is not written name=value" },
    { "scheme =", "word 1 after \"scheme\" is not written name=value" },
    { "scheme \"\"", "word 1 after \"scheme\" is not written name=value" },
    { "scheme a=", "a= has no value; give it one or leave it out" },
    { "scheme a=1 key-prefix=", "key-prefix= has no value" },
};

START_TEST(what_is_not_name_and_value_is_refused)
{
    apr_array_header_t *settings;

    assert_sentence(split(no_settings[_i].line, &settings), no_settings[_i].fault);
}
END_TEST

static const struct {
    const char *base, *over, *result;
} overrides[] = {
    { "scheme a=1 b=2", "preset", "<a=1><b=2>" },
    { "scheme", "preset a=1", "<a=1>" },
    { "scheme a=1 b=2", "preset a=3", "<b=2><a=3>" },
    { "scheme a=1 a=2 b=2", "preset a=3 a=4 c=5", "<b=2><a=3><a=4><c=5>" },
    { "scheme a=1", "preset b=2", "<a=1><b=2>" },
};

/* Each could be a secret that was written where none belongs. */
static const char *const perhaps_secrets[] = {
    "c2VjcmV0IQ==", "c2VjcmV0ISE=", "c2VjcmV0IQ==x", "Ab3=x", "secret_1=", "a.b=c", "hunter2", "\"two words=x\"",
};

START_TEST(what_does_not_look_like_an_option_is_not_repeated)
{
    apr_array_header_t *settings;
    const char *error = split(apr_pstrcat(pool, "scheme ", perhaps_secrets[_i], NULL), &settings);

    ck_assert_str_eq(error,
                     "word 1 after \"scheme\" is not written name=value, with a name of small letters, digits and "
                     "hyphens");
}
END_TEST

START_TEST(what_is_written_on_top_replaces_all_of_its_name)
{
    apr_array_header_t *result =
        av_settings_override(settings_of(overrides[_i].base), settings_of(overrides[_i].over), pool);

    ck_assert_str_eq(settings_text(result), overrides[_i].result);
}
END_TEST

/* What the options below write: their target's name, and each value. */
typedef struct record {
    const char *text;
} record;

static const char *append(void *target, const char *value, const av_compiler *with)
{
    record *made = target;

    made->text = apr_pstrcat(with->pool, made->text, value, ";", NULL);
    return strcmp(value, "bad") == 0 ? "is bad" : NULL;
}

static const av_option first_options[] = {
    { "secret", append, true },
    { "signature", append, false },
    { NULL, NULL, false },
};

static const av_option second_options[] = {
    { "signature", append, false },
    { "tolerance", append, false },
    { NULL, NULL, false },
};

static const struct {
    const char *line, *first, *second, *fault;
} applied[] = {
    { "s secret=1 tolerance=2", "1;", "2;", NULL },
    { "s tolerance=2 secret=1 secret=3", "1;3;", "2;", NULL },
    { "s signature=1", "1;", "", NULL },
    { "s signature=1 signature=1", NULL, NULL, "signature= is given twice; keep one" },
    { "s tolerance=1 secret=1 tolerance=2", NULL, NULL, "tolerance= is given twice; keep one" },
    { "s tolerance=bad", NULL, NULL, "tolerance=: is bad" },
    { "s secret=bad", NULL, NULL, "secret=: is bad" },
    { "s tolerence=1", NULL, NULL, "there is no option \"tolerence\"; did you mean \"tolerance\"?" },
    { "s secrets=1", NULL, NULL, "there is no option \"secrets\"; did you mean \"secret\"?" },
    { "s secre=1", NULL, NULL, "did you mean \"secret\"?" },
    { "s signatuer=1", NULL, NULL, "did you mean \"signature\"?" },
    { "s colour=1", NULL, NULL, "there is no option \"colour\"; there are: secret signature signature tolerance" },
    { "s t=1", NULL, NULL, "there is no option \"t\"; there are: secret" },
    { "s an-option-with-a-name-that-is-much-longer-than-any-other=1", NULL, NULL, "there are: secret" },
};

START_TEST(an_option_is_set_once_on_the_first_that_has_it)
{
    record first = { "" }, second = { "" };
    const av_option_target targets[] = { { first_options, &first }, { second_options, &second } };
    const char *error = av_settings_apply(settings_of(applied[_i].line), targets, 2, &compiler);

    if (applied[_i].fault) {
        assert_sentence(error, applied[_i].fault);
    } else {
        ck_assert_msg(!error, "%s", error);
        ck_assert_str_eq(first.text, applied[_i].first);
        ck_assert_str_eq(second.text, applied[_i].second);
    }
}
END_TEST

static const struct {
    const char *name, *nearest;
} typos[] = {
    { "github", "github" },
    { "githbu", "github" },
    { "gihub", "github" },
    { "gitthub", "github" },
    { "gitlib", "gitlab" },
    { "hub", NULL },
    { "", NULL },
    { "GITHUB", NULL },
    { "xxgithub", "github" },
    { "xxxgithub", NULL },
    { "githubxx", "github" },
};

START_TEST(the_nearest_name_differs_in_two_letters_at_most)
{
    static const char *const names[] = { "a-name-of-more-than-thirty-two-letters-in-all", "github", "gitlab" };
    const char *nearest = av_nearest(typos[_i].name, names, 3);

    ck_assert_pstr_eq(nearest, typos[_i].nearest);
    ck_assert_ptr_null(av_nearest(typos[_i].name, names, 0));
}
END_TEST

START_TEST(a_switch_is_on_or_off)
{
    bool is_on = false;

    ck_assert_ptr_null(av_option_switch("on", &is_on));
    ck_assert(is_on);
    ck_assert_ptr_null(av_option_switch("off", &is_on));
    ck_assert(!is_on);
    ck_assert_str_eq(av_option_switch("On", &is_on), "must be on or off");
    ck_assert_str_eq(av_option_switch("1", &is_on), "must be on or off");
    ck_assert_str_eq(av_option_switch("offx", &is_on), "must be on or off");
    ck_assert(!is_on);
}
END_TEST

START_TEST(a_choice_is_one_of_its_words)
{
    static const char *const words[] = { "lower", "any" };
    unsigned index = 7;

    ck_assert_ptr_null(av_option_choice("any", words, 2, &index, pool));
    ck_assert_uint_eq(index, 1);
    ck_assert_ptr_null(av_option_choice("lower", words, 2, &index, pool));
    ck_assert_uint_eq(index, 0);
    ck_assert_str_eq(av_option_choice("Any", words, 2, &index, pool), "\"Any\" is none of lower, any");
    ck_assert_str_eq(av_option_choice("an", words, 2, &index, pool), "\"an\" is none of lower, any");
    ck_assert_str_eq(av_option_choice("any", words, 1, &index, pool), "\"any\" is none of lower");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = trial_case(suite, "options");

    tcase_add_loop_test(tests, a_word_is_split_at_its_first_equals_sign, 0, ROWS(lines));
    tcase_add_loop_test(tests, what_is_not_name_and_value_is_refused, 0, ROWS(no_settings));
    tcase_add_loop_test(tests, what_does_not_look_like_an_option_is_not_repeated, 0, ROWS(perhaps_secrets));
    tcase_add_loop_test(tests, what_is_written_on_top_replaces_all_of_its_name, 0, ROWS(overrides));
    tcase_add_loop_test(tests, an_option_is_set_once_on_the_first_that_has_it, 0, ROWS(applied));
    tcase_add_loop_test(tests, the_nearest_name_differs_in_two_letters_at_most, 0, ROWS(typos));
    tcase_add_test(tests, a_switch_is_on_or_off);
    tcase_add_test(tests, a_choice_is_one_of_its_words);
    return suite;
}
