/* The lines of an httpd configuration, as httpd reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"
#include "support/trial.h"
#include "tools/config_reader.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Each line as "name arguments", "<name arguments" or "/name", with a question mark where it is in doubt. */
static const char *visit(void *baton, const avt_config_line *line)
{
    static const char *const leads[] = { [AVT_DIRECTIVE] = "", [AVT_OPENS] = "<", [AVT_CLOSES] = "/" };
    const char **told = baton;
    *told = apr_pstrcat(pool, *told, **told ? "|" : "", line->doubt ? "?" : "", leads[line->kind], line->name,
                        *line->arguments ? " " : "", line->arguments, NULL);
    return strcmp(line->name, "Stop") == 0 ? "stopped" : NULL;
}

static const char *read_text(const char *text, const char *define, const char **told)
{
    const char *root;
    apr_array_header_t *defines = apr_array_make(pool, 1, sizeof(const char *));

    if (define) {
        *(const char **)apr_array_push(defines) = define;
    }
    *told = "";
    make_file("httpd.conf", av_slice_of(text), 0600);
    make_file("one.conf", AV_SLICE("One 1\n"), 0600);
    make_file("two.conf", AV_SLICE("Two 2"), 0600);
    make_file("open.conf", AV_SLICE("<IfDefine NO>\n"), 0600);
    setenv("AV_TEST_NAME", "environment", 1);
    return avt_config_read(path_of("httpd.conf"), NULL, defines, visit, told, &root, pool);
}

static const struct {
    const char *text, *told;
} configs[] = {
    { "", "" },
    { "A b\n", "A b" },
    { "A b", "A b" },
    { "  A \t b c  \r\n", "A b c" },
    { "# A\n\n\t\nB\n", "B" },
    { "A \\\nb\\\r\n c\nB\n", "A b c|B" },
    { "# A \\\nB\nC", "C" },
    { "A \\", "A" },
    { "<A b>\nC\n</A>\n", "<A b|C|/A" },
    { "<A \"b>c\">", "<A \"b>c\"" },
    { "<A>\n</a>", "<A|/a" },
    { "define X y\nA ${X} ${X}z\n", "A y yz" },
    { "Define X\nA \"${X}\"", "A \"\"" },
    { "Define X 'y'\nA ${X}", "A y" },
    { "Define X y\nUnDefine X\nA ${X}", "A ${X}" },
    { "A ${AV_TEST_NAME} ${NOBODY} ${", "A environment ${NOBODY} ${" },
    { "Define AV_TEST_NAME z\nA ${AV_TEST_NAME}", "A z" },
    { "Define X \"a b\"\nA ${X}\nB", "?A ${X}|B" },
    { "<IfDefine X>\nA\n</IfDefine>\nB", "B" },
    { "<IfDefine !X>\nA\n</IfDefine>\nB", "A|B" },
    { "Define X\n<IfDefine X>\nA\n</IfDefine>", "A" },
    { "<IfDefine GIVEN>\nA ${GIVEN}\n</IfDefine>", "A value" },
    { "<IfDefine X>\n<IfDefine !X>\nA\n</IfDefine>\n<B>\n</B>\nDefine Y\nInclude none\n</IfDefine>\nC ${Y}", "C ${Y}" },
    { "<IfModule authverify_module>\nA\n</IfModule>", "A" },
    { "<IfModule !mod_authverify.c>\nA\n</IfModule>", "" },
    { "<IfModule ssl_module>\nA\n</IfModule>\nB", "?A|B" },
    { "<IfModule !ssl_module>\nA\n</IfModule>\nB", "?A|B" },
    { "LoadModule ssl_module x/mod_ssl.so\n<IfModule mod_ssl.c>\nA\n</IfModule>",
      "LoadModule ssl_module x/mod_ssl.so|A" },
    { "LoadModule ssl_module \"x/mod_ssl.so\"\n<IfModule !mod_ssl.c>\nA\n</IfModule>",
      "LoadModule ssl_module \"x/mod_ssl.so\"" },
    { "<IfModule a>\nLoadModule b c\n</IfModule>\n<IfModule b>\nA\n</IfModule>", "?LoadModule b c|?A" },
    { "<IfVersion >= 2.4>\nA\n</IfVersion>", "?A" },
    { "<IfFile one.conf>\nA\n</IfFile>\n<IfFile \"none.conf\">\nB\n</IfFile>\n<IfFile !none.conf>\nC\n</IfFile>",
      "A|C" },
    { "Include one.conf\nB", "One 1|B" },
    { "Include ???.conf\nB", "One 1|Two 2|B" },
    { "includeoptional none*.conf\nB", "B" },
    { "IncludeOptional \"two.conf\"", "Two 2" },
    { "<IfModule a>\nInclude one.conf\n</IfModule>", "?One 1" },
    { "Define X two\nInclude ${X}.conf", "Two 2" },
};

START_TEST(lines_are_those_that_httpd_reads)
{
    const char *told, *error = read_text(configs[_i].text, "GIVEN=value", &told);

    ck_assert_msg(!error, "%s", error);
    ck_assert_str_eq(told, configs[_i].told);
}
END_TEST

static const struct {
    const char *text, *said;
} mistakes[] = {
    { "A\n\nStop\nB", "httpd.conf line 3: stopped" },
    { "A \\\nb\nStop", "httpd.conf line 3: stopped" },
    { "\nInclude none.conf", "httpd.conf line 2: nothing is there to include" },
    { "Include none*.conf", "nothing is there to include" },
    { "Include .", "which is not followed" },
    { "\nInclude httpd.conf", "too deep" },
    { "<IfDefine !X>\nA", "<IfDefine !X> is not closed" },
    { "</IfDefine>", "httpd.conf line 1: </IfDefine> closes nothing" },
    { "Include open.conf\n</IfDefine>", "open.conf line 2: <IfDefine NO> is not closed" },
};

START_TEST(a_mistake_is_a_sentence_with_its_place)
{
    const char *told;

    assert_sentence(read_text(mistakes[_i].text, NULL, &told), mistakes[_i].said);
}
END_TEST

START_TEST(paths_start_from_the_server_root)
{
    const char *told = "", *root = NULL;

    make_file("httpd.conf", AV_SLICE("ServerRoot \"/nonexistent\"\nIncludeOptional one.conf\n"), 0600);
    ck_assert_ptr_null(avt_config_read(path_of("httpd.conf"), folder, NULL, visit, &told, &root, pool));
    ck_assert_str_eq(root, "/nonexistent");
    ck_assert_str_eq(told, "ServerRoot \"/nonexistent\"");
    make_file("httpd.conf", AV_SLICE("A\n"), 0600);
    ck_assert_ptr_null(avt_config_read(path_of("httpd.conf"), NULL, NULL, visit, &told, &root, pool));
    ck_assert_str_eq(root, folder);
    assert_sentence(avt_config_read(path_of("none"), NULL, NULL, visit, &told, &root, pool), "cannot be opened");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("config_reader");
    TCase *tests = suite_case(suite, "config_reader");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, lines_are_those_that_httpd_reads, 0, ROWS(configs));
    tcase_add_loop_test(tests, a_mistake_is_a_sentence_with_its_place, 0, ROWS(mistakes));
    tcase_add_test(tests, paths_start_from_the_server_root);
    return suite;
}
