/* Paths that every decoder reads alike, and those that some decoder reads as another one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/strict_path.h"
#include "support/suite.h"

static const av_slice plain[] = {
    TEXT("/"),          TEXT("/a"),         TEXT("/a/"),           TEXT("/a/b"),          TEXT("/a.b"),
    TEXT("/.a"),        TEXT("/..a"),       TEXT("/a.."),          TEXT("/..."),          TEXT("/-._~!$&'()*+,=:@"),
    TEXT("/%20"),       TEXT("/a%41"),      TEXT("/%c3%a9"),       TEXT("/%C3%A9"),       TEXT("/%e0%a0%80"),
    TEXT("/%ed%9f%bf"), TEXT("/%ee%80%80"), TEXT("/%f0%90%80%80"), TEXT("/%f4%8f%bf%bf"), TEXT("/%5b%5d%22%3c%7c"),
};

static const av_slice ambiguous[] = {
    TEXT(""),
    TEXT("a"),
    TEXT("*"),
    TEXT("//"),
    TEXT("//a"),
    TEXT("/a//b"),
    TEXT("/a//"),
    TEXT("/."),
    TEXT("/.."),
    TEXT("/./a"),
    TEXT("/a/./b"),
    TEXT("/a/../b"),
    TEXT("/a/.."),
    TEXT("/a/."),
    TEXT("/%2e"),
    TEXT("/%2E%2e"),
    TEXT("/.%2e/a"),
    TEXT("/%2e./a"),
    TEXT("/;"),
    TEXT("/a;b"),
    TEXT("/a;b=c/d"),
    TEXT("/..;/a"),
    TEXT("/a%3bb"),
    TEXT("/a\\b"),
    TEXT("/a%5cb"),
    TEXT("/a%5Cb"),
    TEXT("/a%2fb"),
    TEXT("/a%2Fb"),
    TEXT("/a%3fb"),
    TEXT("/a%23b"),
    TEXT("/a%25b"),
    TEXT("/%2561pi"),
    TEXT("/%252e%252e/a"),
    TEXT("/a%"),
    TEXT("/a%4"),
    TEXT("/a%4g"),
    TEXT("/a%g4"),
    TEXT("/a%00"),
    TEXT("/a\0"),
    TEXT("/a%0a"),
    TEXT("/a%1f"),
    TEXT("/a%7f"),
    TEXT("/a\x7f"),
    TEXT("/a\t"),
    TEXT("/a b"),
    TEXT("/a\"b"),
    TEXT("/a#b"),
    TEXT("/a?b"),
    TEXT("/a<b"),
    TEXT("/a>b"),
    TEXT("/a[b"),
    TEXT("/a]b"),
    TEXT("/a^b"),
    TEXT("/a`b"),
    TEXT("/a{b"),
    TEXT("/a|b"),
    TEXT("/a}b"),
    TEXT("/\xc3\xa9"),
    TEXT("/%80"),
    TEXT("/%c3"),
    TEXT("/%c3/"),
    TEXT("/%c3a"),
    TEXT("/%c0%af"),
    TEXT("/%c1%81"),
    TEXT("/%e0%80%af"),
    TEXT("/%e0%9f%bf"),
    TEXT("/%ed%a0%80"),
    TEXT("/%f0%80%80%af"),
    TEXT("/%f0%8f%bf%bf"),
    TEXT("/%f4%90%80%80"),
    TEXT("/%f5%80%80%80"),
    TEXT("/%ff"),
    TEXT("/%e0%a0"),
    TEXT("/%u0061"),
};

START_TEST(a_plain_path_is_taken)
{
    ck_assert_msg(av_path_is_plain(tight_copy(plain[_i])), "%s", plain[_i].at);
}
END_TEST

START_TEST(an_ambiguous_path_is_not)
{
    ck_assert_msg(!av_path_is_plain(tight_copy(ambiguous[_i])), "%s", ambiguous[_i].at);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("strict_path");
    TCase *tests = suite_case(suite, "paths");

    tcase_add_loop_test(tests, a_plain_path_is_taken, 0, ROWS(plain));
    tcase_add_loop_test(tests, an_ambiguous_path_is_not, 0, ROWS(ambiguous));
    return suite;
}
