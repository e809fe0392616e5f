/* The headers that a signature covers, and those that it may not leave out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/headers.h"
#include "support/trial.h"

#include <apr_strings.h>

static av_aws4_settings settings;

static void set_settings(void)
{
    settings = (av_aws4_settings){ .unsigned_headers = AV_SLICE("x-amz-cf-id,x-amz-other") };
}

static av_reason find_for(const char *list, const char *host, const char *fields, bool has_date_header,
                          av_aws4_headers *found)
{
    built_request request = request_of(apr_pstrcat(pool, "GET / HTTP/1.1\nHost: h\n", fields, "\n", NULL));
    av_aws4_credential credential = { .signed_headers = tight_copy(av_slice_of(list)),
                                      .has_date_header = has_date_header };

    return av_aws4_headers_find(&request.head, &settings, &credential, av_slice_of(host), found, pool);
}

static const struct {
    const char *list, *fields;
    av_reason reason;
} cases[] = {
    { "host", "", AV_ACCEPTED },
    { "a;host;z", "Z: 1\nA: 2\n", AV_ACCEPTED },
    { ":authority", "", AV_ACCEPTED },
    { ":authority;host", "", AV_ACCEPTED },
    { "host;x", "X:\n", AV_ACCEPTED },
    { "host", "Content-Type: text/plain\nRange: bytes=0-1\nX-Amzn-Trace-Id: 1\nX-Amazon: 1\n", AV_ACCEPTED },
    { "a.b;a0;a_b;host", "A.B: 1\na0: 1\nA_b: 1\n", AV_ACCEPTED },
    /* how the list is written */
    { "", "", AV_MALFORMED_CREDENTIAL },
    { "host;", "", AV_MALFORMED_CREDENTIAL },
    { ";host", "", AV_MALFORMED_CREDENTIAL },
    { "a;;host", "A: 1\n", AV_MALFORMED_CREDENTIAL },
    { "host;a", "A: 1\n", AV_MALFORMED_CREDENTIAL },
    { "host;host", "", AV_MALFORMED_CREDENTIAL },
    { "a;a;host", "A: 1\n", AV_MALFORMED_CREDENTIAL },
    { "Host", "", AV_MALFORMED_CREDENTIAL },
    { "a;Host", "A: 1\n", AV_MALFORMED_CREDENTIAL },
    { "host; x", "X: 1\n", AV_MALFORMED_CREDENTIAL },
    { "host,x", "X: 1\n", AV_MALFORMED_CREDENTIAL },
    { ":path;host", "", AV_MALFORMED_CREDENTIAL },
    { "host;x\n", "X: 1\n", AV_MALFORMED_CREDENTIAL },
    { "host;\xc3\xa4", "", AV_MALFORMED_CREDENTIAL },
    /* what is signed and not there */
    { "a;host", "", AV_HEADER_NOT_SIGNED },
    { "a;host", "A: 1\nA: 2\n", AV_HEADER_NOT_SIGNED },
    { "a;host", "Ab: 1\n", AV_HEADER_NOT_SIGNED },
    { "a-b;host", "A_b: 1\n", AV_HEADER_NOT_SIGNED },
    /* what is there and not signed */
    { "a", "A: 1\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-Acl: public-read\n", AV_HEADER_NOT_SIGNED },
    { "host", "x_amz_acl: public-read\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-AMZ_Acl: public-read\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-: 1\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-Date: 20260102T000000Z\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-Security-Token: t\n", AV_HEADER_NOT_SIGNED },
    { "host;x-amz-acl", "X-Amz-Acl: private\nX_Amz_Acl: public-read\n", AV_HEADER_NOT_SIGNED },
    { "host;x-amz-acl;x_amz_acl", "X-Amz-Acl: private\nX_Amz_Acl: public-read\n", AV_ACCEPTED },
    { "host", "X-Amz-Content-Sha256: 1\n", AV_ACCEPTED },
    { "host", "X_Amz_Content_Sha256: 1\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-Cf-Id: 1\nx-amz-OTHER: 2\n", AV_ACCEPTED },
    { "host", "X-Amz-Cf-Id2: 1\n", AV_HEADER_NOT_SIGNED },
    { "host", "X-Amz-Cf: 1\n", AV_HEADER_NOT_SIGNED },
    /* what somebody on the way may drop */
    { "host", "Connection: close\n", AV_ACCEPTED },
    { "host", "Connection: keep-alive, te\n", AV_ACCEPTED },
    { "a;host", "A: 1\nConnection: close, A\n", AV_MALFORMED_CREDENTIAL },
    { "a;host", "A: 1\nConnection: a\n", AV_MALFORMED_CREDENTIAL },
    { "host", "Connection: Host\n", AV_MALFORMED_CREDENTIAL },
    { "host", "Connection: authorization\n", AV_MALFORMED_CREDENTIAL },
    { "host", "Connection: x-amz-anything\n", AV_MALFORMED_CREDENTIAL },
    { "host", "Connection: close,\tX_AMZ_ACL\n", AV_MALFORMED_CREDENTIAL },
    { "host;x-amz-acl", "X-Amz-Acl: private\nConnection: x-amz-acl\n", AV_MALFORMED_CREDENTIAL },
    { "host", "Connection: close\nConnection: close\n", AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_list_of_signed_headers_covers_what_it_must)
{
    av_aws4_headers found;

    assert_reason(find_for(cases[_i].list, "h", cases[_i].fields, false, &found), cases[_i].reason,
                  apr_pstrcat(pool, cases[_i].list, " of ", cases[_i].fields, NULL));
}
END_TEST

START_TEST(a_date_that_is_used_must_be_signed)
{
    av_aws4_headers found;

    assert_reason(find_for("host", "h", "Date: d\n", true, &found), AV_HEADER_NOT_SIGNED, "unsigned");
    assert_reason(find_for("date;host", "h", "Date: d\n", true, &found), AV_ACCEPTED, "signed");
    assert_reason(find_for("host", "h", "Date: d\n", false, &found), AV_ACCEPTED, "not used");
}
END_TEST

START_TEST(a_token_may_be_unsigned_where_the_rule_says_so)
{
    av_aws4_headers found;

    settings.allows_unsigned_token = true;
    assert_reason(find_for("host", "h", "X-Amz-Security-Token: t\n", false, &found), AV_ACCEPTED, "token");
    assert_reason(find_for("host", "h", "X-Amz-Security: t\n", false, &found), AV_HEADER_NOT_SIGNED, "another");
}
END_TEST

START_TEST(a_line_says_the_name_as_signed_and_the_value_as_sent)
{
    av_aws4_headers found;

    assert_reason(find_for("a;content-type;host;x-amz-content-sha256;x-amz-date", "host.example:8443",
                           "A: 1, 2\nContent-Type:  text/plain \nX-Amz-Date: d\nX-Amz-Content-Sha256: s\n", false,
                           &found),
                  AV_ACCEPTED, "lines");
    const av_aws4_header_line wanted[] = {
        { AV_SLICE("a"), AV_SLICE("1, 2"), true },
        { AV_SLICE("content-type"), AV_SLICE("text/plain"), true },
        { AV_SLICE("host"), AV_SLICE("host.example:8443"), false },
        { AV_SLICE("x-amz-content-sha256"), AV_SLICE("s"), false },
        { AV_SLICE("x-amz-date"), AV_SLICE("d"), false },
    };
    ck_assert_uint_eq(found.count, (apr_size_t)ROWS(wanted));
    for (int i = 0; i < ROWS(wanted); i++) {
        assert_slice(found.lines[i].name, wanted[i].name, "name");
        assert_slice(found.lines[i].value, wanted[i].value, "value");
        ck_assert_int_eq(found.lines[i].may_be_joined, wanted[i].may_be_joined);
    }
}
END_TEST

START_TEST(a_request_without_a_host_has_none_to_sign)
{
    av_aws4_headers found;

    assert_reason(find_for("host", "", "", false, &found), AV_HEADER_NOT_SIGNED, "host");
    assert_reason(find_for(":authority", "", "", false, &found), AV_HEADER_NOT_SIGNED, ":authority");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 headers");
    TCase *tests = trial_case(suite, "headers");

    tcase_add_checked_fixture(tests, set_settings, NULL);
    tcase_add_loop_test(tests, a_list_of_signed_headers_covers_what_it_must, 0, ROWS(cases));
    tcase_add_test(tests, a_date_that_is_used_must_be_signed);
    tcase_add_test(tests, a_token_may_be_unsigned_where_the_rule_says_so);
    tcase_add_test(tests, a_line_says_the_name_as_signed_and_the_value_as_sent);
    tcase_add_test(tests, a_request_without_a_host_has_none_to_sign);
    return suite;
}
