/* Limits: comma lists, networks, methods, paths, and limits besides limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/limits.h"
#include "support/trial.h"

static const struct {
    av_slice list, word;
    bool has_it;
} lists[] = {
    { TEXT("GET,HEAD"), TEXT("GET"), true },
    { TEXT("GET,HEAD"), TEXT("HEAD"), true },
    { TEXT("GET"), TEXT("GET"), true },
    { TEXT("GET,HEAD"), TEXT("get"), false },
    { TEXT("GET,HEAD"), TEXT("GE"), false },
    { TEXT("GET,HEAD"), TEXT("GETS"), false },
    { TEXT("GET,HEAD"), TEXT("GET,HEAD"), false },
    { TEXT("GET,HEAD"), TEXT(""), false },
    { TEXT(""), TEXT(""), false },
    { TEXT(""), TEXT("GET"), false },
};

START_TEST(a_list_has_a_word_or_not)
{
    ck_assert_int_eq(av_list_has(tight_copy(lists[_i].list), tight_copy(lists[_i].word)), lists[_i].has_it);
}
END_TEST

static const struct {
    const char *paths, *path;
    bool is_allowed;
} paths[] = {
    { "/reports", "/reports", true },
    { "/reports", "/reports/", false },
    { "/reports", "/reports2", false },
    { "/reports", "/Reports", false },
    { "/reports/*", "/reports/", true },
    { "/reports/*", "/reports/a/b", true },
    { "/reports/*", "/reports", false },
    { "/reports/*", "/reports2", false },
    { "/reports/*", "/", false },
    { "/*", "/", true },
    { "/*", "/a", true },
    { "/", "/", true },
    { "/", "/a", false },
    { "/a,/b/*", "/b/c", true },
    { "/a,/b/*", "/a", true },
    { "/a,/b/*", "/c", false },
    { "/reports/*", "/reports//a", false },
    { "/reports/*", "/reports/%2e%2e/a", false },
    { "/reports/*", "/reports/..;/a", false },
    { "/reports/*", "/reports/%252e%252e/a", false },
};

/* A request for a path whose place the server found to be the path itself. */
static av_request asks_for(const char *path)
{
    av_slice text = tight_copy(av_slice_of(path));
    return (av_request){ .method = AV_SLICE("GET"), .path = text, .place = text };
}

START_TEST(a_path_is_allowed_or_not)
{
    av_limits limits = { .paths = tight_copy(av_slice_of(paths[_i].paths)) };
    av_request request = asks_for(paths[_i].path);
    assert_reason(av_limits_check(&limits, &request), paths[_i].is_allowed ? AV_ACCEPTED : AV_PATH_NOT_ALLOWED,
                  paths[_i].path);
}
END_TEST

START_TEST(the_place_counts_and_not_how_it_was_written)
{
    av_limits limits = { .paths = AV_SLICE("/reports/*") };
    av_request request = asks_for("/%72eports/a");
    assert_reason(av_limits_check(&limits, &request), AV_PATH_NOT_ALLOWED, "not decoded");
    request.place = AV_SLICE("/reports/a");
    assert_reason(av_limits_check(&limits, &request), AV_ACCEPTED, "decoded");
}
END_TEST

START_TEST(network_then_method_then_path_is_looked_at)
{
    av_networks *networks = av_networks_create(pool);
    ck_assert_ptr_null(av_networks_add(networks, AV_SLICE("192.0.2.0/24")));
    ck_assert_ptr_null(av_networks_finish(networks));
    const unsigned char inside[4] = { 192, 0, 2, 1 };
    av_limits limits = { .from = networks, .methods = AV_SLICE("POST"), .paths = AV_SLICE("/b") };
    av_request request = asks_for("/a");
    assert_reason(av_limits_check(&limits, &request), AV_NETWORK_REFUSED, "network");
    request.address = av_address_of_ipv4(inside);
    assert_reason(av_limits_check(&limits, &request), AV_METHOD_NOT_ALLOWED, "method");
    request.method = AV_SLICE("POST");
    assert_reason(av_limits_check(&limits, &request), AV_PATH_NOT_ALLOWED, "path");
    request.path = request.place = AV_SLICE("/b");
    assert_reason(av_limits_check(&limits, &request), AV_ACCEPTED, "all");
}
END_TEST

START_TEST(limits_besides_hold_too)
{
    av_limits inner = { .methods = AV_SLICE("GET,HEAD"), .paths = AV_SLICE("/a") };
    av_limits outer = { .methods = AV_SLICE("GET,POST"), .besides = &inner };
    av_request request = asks_for("/a");
    assert_reason(av_limits_check(&outer, &request), AV_ACCEPTED, "both");
    request.method = AV_SLICE("POST");
    assert_reason(av_limits_check(&outer, &request), AV_METHOD_NOT_ALLOWED, "the outer alone");
    request.method = AV_SLICE("HEAD");
    assert_reason(av_limits_check(&outer, &request), AV_METHOD_NOT_ALLOWED, "the inner alone");
    ck_assert(av_limits_have_paths(&outer));
    inner.paths.len = 0;
    ck_assert(!av_limits_have_paths(&outer));
}
END_TEST

START_TEST(no_limit_allows_anything)
{
    av_limits limits = { 0 };
    av_request request = asks_for("//..;/%");
    assert_reason(av_limits_check(&limits, &request), AV_ACCEPTED, "nothing");
    ck_assert(!av_limits_have_paths(&limits));
}
END_TEST

static const struct {
    av_slice text;
    bool is_list, is_paths;
} texts[] = {
    { TEXT("GET"), true, false },     { TEXT("GET,HEAD"), true, false },   { TEXT("/a,/b/*"), true, true },
    { TEXT("/"), true, true },        { TEXT("/*"), true, true },          { TEXT(""), false, false },
    { TEXT(","), false, false },      { TEXT("/a,"), false, false },       { TEXT(",/a"), false, false },
    { TEXT("/a,,/b"), false, false }, { TEXT("/a, /b"), false, false },    { TEXT("/a\n"), false, false },
    { TEXT("/a\0"), false, false },   { TEXT("/\xc3\xa9"), false, false }, { TEXT("/a*"), true, false },
    { TEXT("/*/a"), true, false },    { TEXT("/a/**"), true, false },      { TEXT("*"), true, false },
    { TEXT("/a,b"), true, false },
};

START_TEST(a_list_is_checked_when_it_is_configured)
{
    ck_assert_int_eq(av_list_check(tight_copy(texts[_i].text)) == NULL, texts[_i].is_list);
    ck_assert_int_eq(av_paths_check(tight_copy(texts[_i].text)) == NULL, texts[_i].is_paths);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *tests = suite_case(suite, "limits");

    tcase_add_loop_test(tests, a_list_has_a_word_or_not, 0, ROWS(lists));
    tcase_add_loop_test(tests, a_path_is_allowed_or_not, 0, ROWS(paths));
    tcase_add_test(tests, the_place_counts_and_not_how_it_was_written);
    tcase_add_test(tests, network_then_method_then_path_is_looked_at);
    tcase_add_test(tests, limits_besides_hold_too);
    tcase_add_test(tests, no_limit_allows_anything);
    tcase_add_loop_test(tests, a_list_is_checked_when_it_is_configured, 0, ROWS(texts));
    return suite;
}
