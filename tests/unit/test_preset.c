/* Presets: those of the configuration, those shipped as files, and what may not be called or written so.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/preset.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <sys/stat.h>
#include <unistd.h>

static av_presets *presets;

static void create_presets(void)
{
    presets = av_presets_create(pool);
    av_presets_set_path(presets, folder);
}

static const char *add(const char *line)
{
    av_words words;

    ck_assert_ptr_null(av_words_split(line, &words, pool));
    return av_presets_add(presets, &words, "line 7 of httpd.conf");
}

static void ship(const char *name, const char *content)
{
    make_file(apr_pstrcat(pool, name, ".conf", NULL), av_slice_of(content), 0644);
}

static const av_preset *found(const char *name)
{
    const av_preset *preset = NULL;
    const char *error = av_presets_find(presets, name, &preset);

    ck_assert_msg(!error, "%s: %s", name, error);
    return preset;
}

static const char *words_text(const av_words *words)
{
    const char *text = "";

    for (apr_size_t i = 0; i < words->count; i++) {
        text = apr_pstrcat(pool, text, i ? "|" : "", words->at[i], NULL);
    }
    return text;
}

static const char *const names[] = { "x", "github", "standard-webhooks-v1a", "0", "a1-2" };

START_TEST(a_preset_is_a_name_and_words)
{
    char name[32] = "", scheme[] = "signature", option[] = "signed=%{method} %{body}",
         origin[] = "line 7 of httpd.conf";
    av_words words = { (const char *const[]){ name, scheme, option, "prefix=a=b" }, 4 };

    memcpy(name, names[_i], strlen(names[_i]));
    ck_assert_ptr_null(av_presets_add(presets, &words, origin));
    name[0] = scheme[0] = option[0] = origin[0] = '?';
    const av_preset *preset = found(names[_i]);
    ck_assert_ptr_nonnull(preset);
    ck_assert_str_eq(preset->name, names[_i]);
    ck_assert_str_eq(words_text(&preset->words), "signature|signed=%{method} %{body}|prefix=a=b");
    ck_assert_str_eq(preset->origin, "line 7 of httpd.conf");
    ck_assert(!preset->is_shipped);
    ck_assert_ptr_null(preset->rule);
}
END_TEST

static const struct {
    const char *line, *fault;
} refused[] = {
    { "", "write AuthVerifyPreset NAME SCHEME name=value" },
    { "name", "write AuthVerifyPreset NAME SCHEME name=value" },
    { "Github signature", "\"Github\" cannot be a preset's name: use a-z, 0-9 and hyphens between them" },
    { "a_b signature", "cannot be a preset's name" },
    { "a.b signature", "cannot be a preset's name" },
    { "../secret signature", "cannot be a preset's name" },
    { "a/b signature", "cannot be a preset's name" },
    { "-a signature", "cannot be a preset's name" },
    { "a- signature", "cannot be a preset's name" },
    { "- signature", "cannot be a preset's name" },
    { "\"\" signature", "cannot be a preset's name" },
    { "\xc3\xa4 signature", "cannot be a preset's name" },
    { "off signature", "a preset cannot be called \"off\", which has a meaning of its own" },
    { "signature signature", "a preset cannot be called \"signature\", which has a meaning of its own" },
};

START_TEST(what_cannot_be_a_preset_is_refused)
{
    assert_sentence(add(refused[_i].line), refused[_i].fault);
    ck_assert_ptr_null(av_presets_at(presets, 0));
}
END_TEST

START_TEST(a_name_is_given_once)
{
    ck_assert_ptr_null(add("one signature"));
    ck_assert_ptr_null(add("two signature"));
    assert_sentence(add("one signature prefix=x"), "preset \"one\" is there already, from line 7 of httpd.conf");
    ck_assert_str_eq(words_text(&found("one")->words), "signature");
}
END_TEST

START_TEST(presets_are_kept_in_order)
{
    ck_assert_ptr_null(av_presets_at(presets, 0));
    ck_assert_ptr_null(add("one signature"));
    ck_assert_ptr_null(add("two signature"));
    ck_assert_str_eq(av_presets_at(presets, 0)->name, "one");
    ck_assert_str_eq(av_presets_at(presets, 1)->name, "two");
    ck_assert_ptr_null(av_presets_at(presets, 2));
}
END_TEST

static const struct {
    const char *content, *words, *line;
} files[] = {
    { "AuthVerifyPreset shipped signature prefix=x\n", "signature|prefix=x", "1" },
    { "AuthVerifyPreset shipped signature prefix=x", "signature|prefix=x", "1" },
    { "AuthVerifyPreset shipped signature prefix=x\r\n", "signature|prefix=x", "1" },
    { "# a comment\n\n  \n\tAUTHVERIFYPRESET shipped signature\n# the end\n", "signature", "4" },
    { "# it's a comment: \"\nAuthVerifyPreset shipped signature\n", "signature", "2" },
    { "# a comment \\\nthat goes on\nAuthVerifyPreset shipped signature\n", "signature", "3" },
    { "AuthVerifyPreset shipped signature \\\n    prefix=x \\\n    list=comma\n", "signature|prefix=x|list=comma",
      "3" },
    { "AuthVerifyPreset shipped signature \\\r\n    prefix=x\r\n", "signature|prefix=x", "2" },
    { "AuthVerifyPreset shipped signature pre\\\nfix=x\n", "signature|prefix=x", "2" },
    { "AuthVerifyPreset shipped signature \\", "signature", "1" },
    { "AuthVerifyPreset shipped other-preset \"signed=%{method} %{body}\"\n", "other-preset|signed=%{method} %{body}",
      "1" },
};

START_TEST(a_shipped_preset_is_read_when_it_is_first_named)
{
    ship("shipped", files[_i].content);
    ck_assert_ptr_null(av_presets_at(presets, 0));
    const av_preset *preset = found("shipped");
    ck_assert_ptr_nonnull(preset);
    ck_assert_str_eq(preset->name, "shipped");
    ck_assert_str_eq(words_text(&preset->words), files[_i].words);
    ck_assert_str_eq(preset->origin, apr_psprintf(pool, "line %s of %s", files[_i].line, path_of("shipped.conf")));
    ck_assert(preset->is_shipped);
    ck_assert_ptr_eq(found("shipped"), preset);
    ck_assert_ptr_null(av_presets_at(presets, 1));
}
END_TEST

static const struct {
    const char *content, *line, *fault;
} wrong_files[] = {
    { "", "", "wrong.conf holds no AuthVerifyPreset line" },
    { "# nothing\n", "", "wrong.conf holds no AuthVerifyPreset line" },
    { "AuthVerifyPreset other signature\n", "1", "only \"AuthVerifyPreset wrong ..." },
    { "AuthVerifyPreset wrongs signature\n", "1", "only \"AuthVerifyPreset wrong ..." },
    { "\nAuthVerify wrong\n", "2", "only \"AuthVerifyPreset wrong ..." },
    { "\"# no comment\"\n", "1", "only \"AuthVerifyPreset wrong ..." },
    { "AuthVerifyPreset\n", "1", "only \"AuthVerifyPreset wrong ..." },
    { "AuthVerifyPreset wrong\n", "1", "write AuthVerifyPreset NAME SCHEME" },
    { "AuthVerifyPreset wrong signature\nAuthVerifyPreset wrong signature\n", "2",
      "preset \"wrong\" is there already" },
    { "AuthVerifyPreset wrong signature\nLoadModule x y\n", "2", "only \"AuthVerifyPreset wrong ..." },
    { "AuthVerifyPreset wrong signature prefix=\"x\"\n", "1", "word 4 (prefix=) contains a quote" },
    { "AuthVerifyPreset wrong signature \\\n \"prefix=x\n", "2", "opens a quote that is not closed" },
};

START_TEST(a_shipped_file_that_is_wrong_is_named_with_its_line)
{
    const av_preset *preset = NULL;

    ship("wrong", wrong_files[_i].content);
    const char *error = av_presets_find(presets, "wrong", &preset);
    assert_sentence(error, wrong_files[_i].fault);
    if (*wrong_files[_i].line) {
        assert_sentence(error, apr_psprintf(pool, "line %s of %s: ", wrong_files[_i].line, path_of("wrong.conf")));
    }
}
END_TEST

START_TEST(a_line_that_is_too_long_is_not_cut_in_silence)
{
    char *line = apr_palloc(pool, 70001);
    const av_preset *preset = NULL;

    memset(line, ' ', 70000);
    line[70000] = '\0';
    ship("long", apr_pstrcat(pool, "AuthVerifyPreset long signature", line, "prefix=x\n", NULL));
    assert_sentence(av_presets_find(presets, "long", &preset), "only \"AuthVerifyPreset long ...");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error)
{
    const av_preset *preset = NULL;

    ck_assert_int_eq(symlink("loop.conf", path_of("loop.conf")), 0);
    assert_sentence(av_presets_find(presets, "loop", &preset), "loop.conf cannot be read: ");
    ck_assert_ptr_null(preset);
}
END_TEST

static const char *const absent[] = { "missing", "", "..", "/etc/passwd", "a/b", "Shipped", "shipped.conf" };

START_TEST(a_preset_that_is_nowhere_is_no_error)
{
    ship("shipped", "AuthVerifyPreset shipped signature\n");
    make_file("Shipped.conf", AV_SLICE("AuthVerifyPreset Shipped signature\n"), 0644);
    ck_assert_ptr_null(found(absent[_i]));
    ck_assert(!av_presets_ships(presets, absent[_i]));
}
END_TEST

START_TEST(nothing_is_shipped_without_a_folder)
{
    ship("shipped", "AuthVerifyPreset shipped signature\n");
    ck_assert(av_presets_ships(presets, "shipped"));
    ck_assert_str_eq(av_presets_path(presets), folder);
    presets = av_presets_create(pool);
    ck_assert(!av_presets_ships(presets, "shipped"));
    ck_assert_ptr_null(found("shipped"));
    assert_sentence(av_presets_path(presets), "AuthVerifyPresetPath is not set");
}
END_TEST

START_TEST(the_configuration_s_preset_shadows_the_shipped_one)
{
    ship("both", "AuthVerifyPreset both signature prefix=shipped\n");
    ck_assert_ptr_null(add("both signature prefix=mine"));
    ck_assert_str_eq(words_text(&found("both")->words), "signature|prefix=mine");
    ck_assert(!found("both")->is_shipped);
    ck_assert(av_presets_ships(presets, "both"));
}
END_TEST

START_TEST(all_names_are_listed)
{
    ship("listed", "AuthVerifyPreset listed signature\n");
    make_file("listed-not.txt", AV_SLICE(""), 0644);
    make_file(".conf", AV_SLICE(""), 0644);
    ck_assert_ptr_null(add("mine signature"));
    const char *all = apr_array_pstrcat(pool, av_presets_names(presets, pool), ' ');
    assert_sentence(apr_pstrcat(pool, " ", all, " ", NULL), " mine ");
    assert_sentence(apr_pstrcat(pool, " ", all, " ", NULL), " listed ");
    ck_assert_ptr_null(strstr(all, "listed-not"));
    ck_assert_ptr_null(strstr(all, ".conf"));
    ck_assert_ptr_null(strstr(all, "  "));
    ck_assert_int_ne(all[strlen(all) - 1], ' ');
    ck_assert_ptr_null(av_presets_at(presets, 1));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("preset");
    TCase *tests = suite_case(suite, "preset");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_checked_fixture(tests, create_presets, NULL);
    tcase_add_loop_test(tests, a_preset_is_a_name_and_words, 0, ROWS(names));
    tcase_add_loop_test(tests, what_cannot_be_a_preset_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, a_name_is_given_once);
    tcase_add_test(tests, presets_are_kept_in_order);
    tcase_add_loop_test(tests, a_shipped_preset_is_read_when_it_is_first_named, 0, ROWS(files));
    tcase_add_loop_test(tests, a_shipped_file_that_is_wrong_is_named_with_its_line, 0, ROWS(wrong_files));
    tcase_add_test(tests, a_line_that_is_too_long_is_not_cut_in_silence);
    tcase_add_test(tests, a_file_that_cannot_be_read_is_an_error);
    tcase_add_loop_test(tests, a_preset_that_is_nowhere_is_no_error, 0, ROWS(absent));
    tcase_add_test(tests, nothing_is_shipped_without_a_folder);
    tcase_add_test(tests, the_configuration_s_preset_shadows_the_shipped_one);
    tcase_add_test(tests, all_names_are_listed);
    return suite;
}
