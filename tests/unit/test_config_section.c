/* What is in force for a host and a path of a configuration.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"
#include "support/trial.h"
#include "tools/config_section.h"

#include <apr_strings.h>

#define IN(section, path, text) "<" section " " path ">\n" text "\n</" section ">\n"
#define LOCATION(path, name) IN("Location", path, "AuthVerify " name)
#define HOST(address, text) IN("VirtualHost", address, text)

static const char *look(const char *text, const char *host, const char *path, avt_section *found)
{
    const avt_config_query query = { .file = path_of("httpd.conf"), .host = av_slice_of(host), .path = path };

    make_file("httpd.conf", av_slice_of(text), 0600);
    return avt_section_read(&query, av_presets_create(pool), found, pool);
}

static const struct {
    const char *text, *path, *rules;
} paths[] = {
    { LOCATION("/", "all"), "/x/y", "all" },
    { LOCATION("/x", "x"), "/x", "x" },
    { LOCATION("/x", "x"), "/x/", "x" },
    { LOCATION("\"/x\"", "x"), "/x/y", "x" },
    { LOCATION("/x/", "x"), "/x/y", "x" },
    { LOCATION("/x", "x") LOCATION("/x/y", "y"), "/x", "x" },
    { LOCATION("/x", "x") LOCATION("/x/y", "y"), "/x/y/z", "y" },
    { LOCATION("/x/y", "y") LOCATION("/x", "x"), "/x/y/z", "x" },
    { LOCATION("/*/y", "y"), "/x/y", "y" },
    { LOCATION("/x", "x") LOCATION("/?/y", "y"), "/x/z/y", "x" },
    { LOCATION("/x", "a\nAuthVerify b"), "/x", "a|b" },
    { LOCATION("/x", "a\nAuthVerify b") LOCATION("/x", "c"), "/x", "c" },
    { LOCATION("/x", "a") IN("Location", "/x", "Require all granted"), "/x", "a" },
    { "AuthVerify server\n" IN("Location", "/x", "Require all granted"), "/x", "server" },
    { "AuthVerify server\n" LOCATION("/x", "x"), "/x", "x" },
    { "AuthVerify server\n" LOCATION("/x", "x"), "/y", "server" },
    { LOCATION("/", "off") LOCATION("/x", "x"), "/x", "x" },
    { IN("directory", "/", "AuthVerify d") LOCATION("/x", "x"), "/x", "x" },
    { LOCATION("/x", "x") IN("Proxy", "http://a", "AuthVerify p"), "/x", "x" },
    { IN("LocationMatch", "x", "AuthVerify r") LOCATION("/x", "x"), "/x", "x" },
    { HOST("*:1", "ServerName a\n" LOCATION("/x", "x")), "/x", "x" },
    { HOST("*:1", "AuthVerify host") "AuthVerify server\n", "/x", "host" },
    { HOST("*:1", LOCATION("/x", "host")) LOCATION("/x", "server"), "/x", "host" },
    { HOST("*:1", "ServerName a\nAuthVerify a") HOST("*:1", "ServerName h\nAuthVerify h"), "/", "h" },
    { HOST("*:1", "ServerName a\nAuthVerify a") HOST("*:1", "ServerName b\nServerAlias c *\nAuthVerify b"), "/", "b" },
};

START_TEST(the_last_section_with_rules_has_the_word)
{
    avt_section found;
    const char *error = look(paths[_i].text, "h", paths[_i].path, &found);

    ck_assert_msg(!error, "%s", error);
    ck_assert_str_eq(apr_array_pstrcat(pool, found.rules, '|'), paths[_i].rules);
}
END_TEST

static const struct {
    const char *text, *said;
} mistakes[] = {
    { "", "no rule that is in force" },
    { LOCATION("/xx", "x"), "no rule that is in force" },
    { LOCATION("/x/y", "x"), "no rule that is in force" },
    { LOCATION("/x*", "x") LOCATION("/x", "off"), "says AuthVerify off" },
    { LOCATION("/x", "x") IN("If", "\"true\"", "AuthVerify i"), "expression" },
    { LOCATION("/x", "x") IN("Else", "", "AuthVerifyAlso i"), "expression" },
    { LOCATION("/x", "x") IN("LocationMatch", "x", "AuthVerify r"), "regular expressions" },
    { LOCATION("/x", "x") IN("Location", "~ x", "AuthVerify off"), "regular expressions" },
    { LOCATION("/x", "x") HOST("*:1", IN("LocationMatch", "x", "AuthVerify r")), "regular expressions" },
    { HOST("*:1", LOCATION("/x", "x") IN("LocationMatch", "y", "AuthVerify r")), "regular expressions" },
    { IN("Files", "x", "AuthVerify f"), "which file or backend" },
    { "AuthVerify server\n" IN("Directory", "/", "AuthVerify d"), "which file or backend" },
    { IN("Location", "/x", IN("Limit", "POST", "AuthVerify l")), "inside of it has rules" },
    { HOST("*:1", "AuthVerify a") HOST("*:2", "AuthVerify b"), "several virtual hosts" },
    { IN("IfModule", "x", LOCATION("/x", "x")), "<IfModule x>" },
    { LOCATION("/x", "x") IN("IfModule", "x", IN("Location", "/x", "AuthVerifyMode observe")), "<IfModule x>" },
    { IN("IfModule", "x", HOST("*:1", LOCATION("/x", "x"))), "<IfModule x>" },
    { IN("IfModule", "x", "AuthVerifyPreset p bearer"), "cannot be used" },
    { "AuthVerifyPreset p\n", "line 1" },
    { "</Location>\n", "closes nothing" },
    { "<Location /x>\nAuthVerify x\n", "is not closed" },
};

START_TEST(what_cannot_be_told_is_a_sentence)
{
    avt_section found;

    assert_sentence(look(mistakes[_i].text, "h", "/x", &found), mistakes[_i].said);
}
END_TEST

START_TEST(settings_are_merged_one_by_one)
{
    avt_section found;
    const char *text =
        "ServerName www\nAuthVerify x\nAuthVerifyAlso y\nAuthVerifyMode observe\nAuthVerifyStrictPath on\n"
        "AuthVerifyPresetPath /presets\nAuthVerifyPreflight on\n" IN(
            "Location", "/x", "AuthVerifyMode enforce\nAuthVerifyPreflight off\nAuthVerifyBody limit=1k");

    ck_assert_ptr_null(look(text, "h", "/x", &found));
    ck_assert_str_eq(found.mode, "enforce");
    ck_assert_str_eq(found.preset_path, "/presets");
    ck_assert_str_eq(apr_array_pstrcat(pool, found.also, '|'), "y");
    ck_assert(found.strict_path && !found.preflight && !found.host_is_ours && !found.origin);
    ck_assert_ptr_nonnull(strstr(apr_array_pstrcat(pool, found.notes, '|'), "are not looked at"));
    ck_assert_ptr_null(look(text, "WWW", "/y", &found));
    ck_assert_str_eq(found.mode, "observe");
    ck_assert(found.host_is_ours && found.preflight);
}
END_TEST

static const struct {
    const char *outer, *inner, *origin;
    bool is_ours;
} origins[] = {
    { "https://a/", "", "https://a", true },
    { "https://a", "AuthVerifyExternalURL https://b/p/", "https://b/p", true },
    { "https://a", "AuthVerifyExternalURL as-registered", NULL, true },
    { "as-registered", "", NULL, true },
};

START_TEST(what_senders_call_the_server_is_taken_from_the_inner_section)
{
    avt_section found;
    const char *text = apr_pstrcat(pool, "ServerName www\nAuthVerify x\nAuthVerifyExternalURL ", origins[_i].outer,
                                   "\n<Location /x>\n", origins[_i].inner, "\n</Location>\n", NULL);

    ck_assert_ptr_null(look(text, "h", "/x", &found));
    ck_assert_pstr_eq(found.origin, origins[_i].origin);
    ck_assert_int_eq(found.host_is_ours, origins[_i].is_ours);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("config_section");
    TCase *tests = suite_case(suite, "config_section");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, the_last_section_with_rules_has_the_word, 0, ROWS(paths));
    tcase_add_loop_test(tests, what_cannot_be_told_is_a_sentence, 0, ROWS(mistakes));
    tcase_add_test(tests, settings_are_merged_one_by_one);
    tcase_add_loop_test(tests, what_senders_call_the_server_is_taken_from_the_inner_section, 0, ROWS(origins));
    return suite;
}
