/* URLs: which are one, and which are none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/url.h"
#include "support/suite.h"

static const struct {
    const char *text, *wanted; /* NULL: it is none */
} rows[] = {
    { "https://api.example/hooks", "https://api.example/hooks" },
    { "HTTPS://API.example/Hooks", "https://api.example/Hooks" },
    { "http://api.example/hooks", "http://api.example/hooks" },
    { "https://api.example:443/", "https://api.example/" },
    { "https://api.example:/", "https://api.example/" },
    { "https://api.example", "https://api.example/" },
    { "https://api.example:80/", "https://api.example:80/" },
    { "http://api.example:80/", "http://api.example/" },
    { "http://api.example:443/", "http://api.example:443/" },
    { "https://api.example:8443/x", "https://api.example:8443/x" },
    { "https://[2001:DB8::1]/x", "https://[2001:db8::1]/x" },
    { "https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x" },
    { "https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x" },
    { "https://a/%7euser/%2d%41", "https://a/~user/-A" },
    { "https://a/%2f%3a%c3%bc", "https://a/%2F%3A%C3%BC" },
    { "https://a/a%252e", "https://a/a%252e" },
    { "https://a/b/./c", "https://a/b/c" },
    { "https://a/b/../c", "https://a/c" },
    { "https://a/b/%2e%2E/c", "https://a/c" },
    { "https://a/b/c/..", "https://a/b/" },
    { "https://a/b/c/.", "https://a/b/c/" },
    { "https://a/../../b", "https://a/b" },
    { "https://a/..", "https://a/" },
    { "https://a/.", "https://a/" },
    { "https://a/...", "https://a/..." },
    { "https://a/b//c", "https://a/b//c" },
    { "https://a//../b", "https://a/b" },
    { "https://a/b/..//c", "https://a//c" },
    { "https://a/b/", "https://a/b/" },
    { "https://a/b;x=1:2@3", "https://a/b;x=1:2@3" },
    { "https://a/b?x=1", NULL },
    { "https://a/b?", NULL },
    { "https://a/b#x", NULL },
    { "https://user@a/b", NULL },
    { "https://user:pass@a/b", NULL },
    { "https://a%2eexample/b", NULL },
    { "https://a:x/b", NULL },
    { "https://a:4 43/b", NULL },
    { "https:///b", NULL },
    { "https://:443/b", NULL },
    { "https://", NULL },
    { "https:/a/b", NULL },
    { "ftp://a/b", NULL },
    { "//a/b", NULL },
    { "/b", NULL },
    { "", NULL },
    { "https://a/b c", NULL },
    { "https://a/b\tc", NULL },
    { "https://a/\xc3\xbc", NULL },
    { "https://a/%", NULL },
    { "https://a/%4", NULL },
    { "https://a/%4g", NULL },
    { "https://a/%g4", NULL },
};

START_TEST(a_url_has_one_text)
{
    av_slice url = { NULL, 0 }, again;
    bool is_url = av_url_normalise(tight_copy(av_slice_of(rows[_i].text)), &url, pool);

    ck_assert_msg(is_url == (rows[_i].wanted != NULL), "%s", rows[_i].text);
    if (is_url) {
        assert_slice(url, av_slice_of(rows[_i].wanted), rows[_i].text);
        ck_assert(av_url_normalise(url, &again, pool));
        assert_slice(again, url, "it stays as it is");
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("url");
    TCase *tests = suite_case(suite, "url");

    tcase_add_loop_test(tests, a_url_has_one_text, 0, ROWS(rows));
    return suite;
}
