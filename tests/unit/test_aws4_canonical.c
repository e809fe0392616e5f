/* The canonical request, a part at a time: the path in its four forms, the query, the values of headers, joined fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/canonical.h"
#include "support/suite.h"

#include <apr_strings.h>

#define CANNOT NULL /* the path or query cannot be decoded */

static const struct {
    const char *path, *normalize, *raw, *s3, *s3_merge;
} paths[] = {
    { "", "/", "/", "/", "/" },
    { "/", "/", "/", "/", "/" },
    { "/a", "/a", "/a", "/a", "/a" },
    { "/a/", "/a/", "/a/", "/a/", "/a/" },
    { "//", "/", "//", "//", "//" },
    { "//a", "/a", "//a", "//a", "//a" },
    { "/a//b", "/a/b", "/a//b", "/a//b", "/a//b" },
    { "/a///", "/a/", "/a///", "/a///", "/a///" },
    { "/.", "/", "/.", "/.", "/." },
    { "/..", "/", "/..", "/..", "/.." },
    { "/a/.", "/a/", "/a/.", "/a/.", "/a/." },
    { "/a/..", "/", "/a/..", "/a/..", "/a/.." },
    { "/a/./b", "/a/b", "/a/./b", "/a/./b", "/a/./b" },
    { "/a/../b", "/b", "/a/../b", "/a/../b", "/a/../b" },
    { "/a/b/../../c", "/c", "/a/b/../../c", "/a/b/../../c", "/a/b/../../c" },
    { "/../../a", "/a", "/../../a", "/../../a", "/../../a" },
    { "/a/...", "/a/...", "/a/...", "/a/...", "/a/..." },
    { "/..a/.b", "/..a/.b", "/..a/.b", "/..a/.b", "/..a/.b" },
    { "/a/%2e%2e/b", "/a/%252e%252e/b", "/a/%2e%2e/b", "/a/../b", "/a/../b" },
    { "/a%20b", "/a%2520b", "/a%20b", "/a%20b", "/a%20b" },
    { "/a b", "/a%20b", "/a%20b", "/a%20b", "/a%20b" },
    { "/a%2fb", "/a%252fb", "/a%2fb", "/a%2Fb", "/a/b" },
    { "/a%2Fb/c", "/a%252Fb/c", "/a%2Fb/c", "/a%2Fb/c", "/a/b/c" },
    { "/%41%7E", "/%2541%257E", "/%41%7E", "/A~", "/A~" },
    { "/a+b", "/a%2Bb", "/a%2Bb", "/a%2Bb", "/a%2Bb" },
    { "/-._~", "/-._~", "/-._~", "/-._~", "/-._~" },
    { "/!$&'()*,;=:@", "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40", "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40",
      "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40", "/%21%24%26%27%28%29%2A%2C%3B%3D%3A%40" },
    { "/\xe1\x88\xb4", "/%E1%88%B4", "/%E1%88%B4", "/%E1%88%B4", "/%E1%88%B4" },
    { "/%e1%88%b4", "/%25e1%2588%25b4", "/%e1%88%b4", "/%E1%88%B4", "/%E1%88%B4" },
    { "/%ff\xff", "/%25ff%FF", "/%ff%FF", "/%FF%FF", "/%FF%FF" },
    { "/%00", "/%2500", "/%00", "/%00", "/%00" },
    { "/%25", "/%2525", "/%25", "/%25", "/%25" },
    { "/%2541", "/%252541", "/%2541", "/%2541", "/%2541" },
    { "/%", "/%25", "/%", CANNOT, CANNOT },
    { "/%4", "/%254", "/%4", CANNOT, CANNOT },
    { "/%4g", "/%254g", "/%4g", CANNOT, CANNOT },
    { "/%g4", "/%25g4", "/%g4", CANNOT, CANNOT },
};

static void assert_text(av_slice found, const char *wanted, const char *name)
{
    ck_assert_msg((found.at == NULL) == (wanted == NULL), "%s: can it be decoded?", name);
    assert_slice(found, av_slice_of(wanted), name);
}

START_TEST(a_path_has_four_forms)
{
    av_slice path = tight_copy(av_slice_of(paths[_i].path));

    assert_text(av_aws4_canonical_path(path, AV_AWS4_PATH_NORMALIZE, false, pool), paths[_i].normalize, paths[_i].path);
    assert_text(av_aws4_canonical_path(path, AV_AWS4_PATH_RAW, false, pool), paths[_i].raw, paths[_i].path);
    assert_text(av_aws4_canonical_path(path, AV_AWS4_PATH_S3, false, pool), paths[_i].s3, paths[_i].path);
    assert_text(av_aws4_canonical_path(path, AV_AWS4_PATH_S3_MERGE, false, pool), paths[_i].s3_merge, paths[_i].path);
}
END_TEST

START_TEST(a_plus_in_a_decoded_path_is_a_space_where_that_is_asked)
{
    assert_text(av_aws4_canonical_path(AV_SLICE("/a+b%2B"), AV_AWS4_PATH_S3, true, pool), "/a%20b%2B", "s3");
    assert_text(av_aws4_canonical_path(AV_SLICE("/a+b%2B"), AV_AWS4_PATH_S3_MERGE, true, pool), "/a%20b%2B", "merge");
}
END_TEST

static const struct {
    const char *query, *canonical;
} queries[] = {
    { "", "" },
    { "a", "a=" },
    { "a=", "a=" },
    { "a=b", "a=b" },
    { "b=2&a=1", "a=1&b=2" },
    { "a=2&a=1&a=10", "a=1&a=10&a=2" },
    { "a=&a", "a=&a=" },
    { "aa=1&a=2", "a=2&aa=1" },
    { "a-=1&a=2&a0=3", "a=2&a-=1&a0=3" },
    { "A=1&a=2&B=3", "A=1&B=3&a=2" },
    { "a=b=c", "a=b%3Dc" },
    { "=b", "=b" },
    { "=", "=" },
    { "&", "" },
    { "&&a=1&&b=2&", "a=1&b=2" },
    { "a;b=1;c=2", "a%3Bb=1%3Bc%3D2" },
    { "a=1?b", "a=1%3Fb" },
    { "a=x+y", "a=x%20y" },
    { "a+b=1", "a%20b=1" },
    { "a=%2B", "a=%2B" },
    { "a=%20%41%2f/", "a=%20A%2F%2F" },
    { "p%5Bx%5D=1&p0=2", "p%5Bx%5D=1&p0=2" },
    { "p[x]=1&p%5bx%5d=0", "p%5Bx%5D=0&p%5Bx%5D=1" },
    { "\xc3\xa4=1&z=2", "%C3%A4=1&z=2" },
    { "a=-._~*", "a=-._~%2A" },
    { "a=%00", "a=%00" },
    { "X-Amz-Signature=1", "" },
    { "a=1&X-Amz-Signature=1&b=2", "a=1&b=2" },
    { "a=1&X-Amz-Signature", "a=1" },
    { "a=1&X-Amz-%53ignature=1", "a=1" },
    { "a=1&x-amz-signature=1", "a=1&x-amz-signature=1" },
    { "a=1&X-Amz-Signature%20=1", "X-Amz-Signature%20=1&a=1" },
    { "X-Amz-Date=1&X-Amz-Security-Token=t", "X-Amz-Date=1&X-Amz-Security-Token=t" },
    { "a=%", CANNOT },
    { "a=%4", CANNOT },
    { "%zz=1", CANNOT },
    { "a=1&X-Amz-Signature=%", CANNOT },
};

START_TEST(a_query_is_encoded_anew_and_sorted_without_its_signature)
{
    assert_text(av_aws4_canonical_query(tight_copy(av_slice_of(queries[_i].query)), AV_SLICE("X-Amz-Signature"),
                                        AV_SLICE(""), pool),
                queries[_i].canonical, queries[_i].query);
}
END_TEST

START_TEST(a_query_keeps_what_is_not_left_out)
{
    av_slice query = AV_SLICE("X-Amz-Signature=1&X-Amz-Security-Token=t&a=1");

    assert_text(av_aws4_canonical_query(query, AV_SLICE(""), AV_SLICE(""), pool),
                "X-Amz-Security-Token=t&X-Amz-Signature=1&a=1", "all");
    assert_text(av_aws4_canonical_query(query, AV_SLICE("X-Amz-Signature"), AV_SLICE("X-Amz-Security-Token"), pool),
                "a=1", "two left out");
}
END_TEST

/* The text of a request with one header besides. */
static av_slice text_with(const char *value, bool may_be_joined, unsigned joined, apr_size_t *joints)
{
    av_aws4_header_line lines[] = { { AV_SLICE("host"), AV_SLICE("example.org"), false },
                                    { AV_SLICE("x"), tight_copy(av_slice_of(value)), may_be_joined } };
    av_aws4_headers headers = { lines, 2 };
    av_aws4_canonical canonical = { .method = AV_SLICE("GET"),
                                    .path = AV_SLICE("/p"),
                                    .query = AV_SLICE("q="),
                                    .headers = &headers,
                                    .signed_headers = AV_SLICE("host;x") };

    av_aws4_canonical_begin(&canonical, pool);
    *joints = canonical.joints;
    av_slice text = av_aws4_canonical_write(&canonical, joined);
    ck_assert_uint_le(text.len, canonical.room);
    return text;
}

static void assert_value(const char *value, bool may_be_joined, unsigned joined, apr_size_t joints, const char *wanted)
{
    apr_size_t found = 0;
    const char *text = apr_pstrcat(pool, "GET\n/p\nq=\nhost:example.org\nx:", wanted, "\n\nhost;x\n", NULL);

    assert_slice(text_with(value, may_be_joined, joined, &found), av_slice_of(text), value);
    ck_assert_msg(found == joints, "%s: %zu joints", value, found);
}

static const struct {
    const char *value, *canonical;
} values[] = {
    { "", "" },
    { "a", "a" },
    { "a b", "a b" },
    { "  a  ", "a" },
    { "\t a \t", "a" },
    { "a  b   c", "a b c" },
    { "a\tb", "a b" },
    { "a\t \tb", "a b" },
    { "\"a  b\"", "\"a b\"" },
    { "a,b", "a,b" },
    { "a ,b", "a ,b" },
    { "\xc3\xa4  \xff", "\xc3\xa4 \xff" },
    { "a\x0b\x0c  b", "a\x0b\x0c b" },
};

START_TEST(blanks_in_a_value_become_one_space)
{
    assert_value(values[_i].value, true, 0, 0, values[_i].canonical);
    assert_value(values[_i].value, true, AV_AWS4_ALL_JOINED, 0, values[_i].canonical);
}
END_TEST

static const struct {
    const char *value;
    unsigned joined;
    apr_size_t joints;
    const char *canonical;
} joints[] = {
    { "a, b", 0, 1, "a, b" },
    { "a, b", 1, 1, "a,b" },
    { "a, b", 2, 1, "a, b" },
    { "a, b", AV_AWS4_ALL_JOINED, 1, "a,b" },
    { "a, b, c", 0, 2, "a, b, c" },
    { "a, b, c", 1, 2, "a,b, c" },
    { "a, b, c", 2, 2, "a, b,c" },
    { "a, b, c", 3, 2, "a,b,c" },
    { "a,  b", 1, 1, "a,b" },
    { "a,\tb", 1, 0, "a, b" },
    { ", ", 1, 0, "," },
    { ", , a", 1, 2, ",, a" },
    { "a, ", 1, 0, "a," },
};

START_TEST(fields_that_httpd_joined_may_have_been_two)
{
    /* the value is trimmed where it is found: only what stands inside it can be a joint */
    av_slice value = av_slice_trim(av_slice_of(joints[_i].value));

    assert_value(av_slice_string(value, pool), true, joints[_i].joined, joints[_i].joints, joints[_i].canonical);
}
END_TEST

START_TEST(a_field_that_nobody_sends_twice_is_not_taken_apart)
{
    assert_value("a, b", false, AV_AWS4_ALL_JOINED, 0, "a, b");
    assert_value("a, b", false, 1, 0, "a, b");
}
END_TEST

START_TEST(joints_are_counted_over_all_headers)
{
    av_aws4_header_line lines[] = { { AV_SLICE("a"), AV_SLICE("1, 2"), true },
                                    { AV_SLICE("host"), AV_SLICE("h"), false },
                                    { AV_SLICE("z"), AV_SLICE("3, 4"), true } };
    av_aws4_headers headers = { lines, 3 };
    av_aws4_canonical canonical = { .method = AV_SLICE("GET"),
                                    .path = AV_SLICE("/"),
                                    .query = AV_SLICE(""),
                                    .headers = &headers,
                                    .signed_headers = AV_SLICE("a;host;z") };

    av_aws4_canonical_begin(&canonical, pool);
    ck_assert_uint_eq(canonical.joints, 2);
    assert_slice(av_aws4_canonical_write(&canonical, 2), AV_SLICE("GET\n/\n\na:1, 2\nhost:h\nz:3,4\n\na;host;z\n"),
                 "second");
    assert_slice(av_aws4_canonical_write(&canonical, 1), AV_SLICE("GET\n/\n\na:1,2\nhost:h\nz:3, 4\n\na;host;z\n"),
                 "first");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 canonical");
    TCase *tests = suite_case(suite, "canonical");

    tcase_add_loop_test(tests, a_path_has_four_forms, 0, ROWS(paths));
    tcase_add_test(tests, a_plus_in_a_decoded_path_is_a_space_where_that_is_asked);
    tcase_add_loop_test(tests, a_query_is_encoded_anew_and_sorted_without_its_signature, 0, ROWS(queries));
    tcase_add_test(tests, a_query_keeps_what_is_not_left_out);
    tcase_add_loop_test(tests, blanks_in_a_value_become_one_space, 0, ROWS(values));
    tcase_add_loop_test(tests, fields_that_httpd_joined_may_have_been_two, 0, ROWS(joints));
    tcase_add_test(tests, a_field_that_nobody_sends_twice_is_not_taken_apart);
    tcase_add_test(tests, joints_are_counted_over_all_headers);
    return suite;
}
