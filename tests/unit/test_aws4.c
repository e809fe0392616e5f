/* The aws4 scheme as a whole: its clock, its token, who is unknown, joined fields, and mistakes in its options.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/aws4_builder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define RULE "aws4 access-key=" AWS4_ACCESS_KEY " secret=env:AWS region=us-east-1 service=s3 "
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void set_secrets(void)
{
    setenv("AWS", AWS4_SECRET, 1);
    setenv("TOKEN", "the token of the temporary key", 1);
}

/* "GET /" with the fields, which are written as a canonical request has them ("name:value" lines), all signed. */
static built_request signed_request(const char *access_key, const char *names, const char *fields, const char *payload)
{
    const char *canonical = apr_pstrcat(pool, "GET\n/\n\nhost:h\n", fields, "x-amz-content-sha256:", payload,
                                        "\nx-amz-date:" AWS4_TIME "\n\n", names, "\n", payload, NULL);

    return request_of(apr_pstrcat(
        pool, "GET / HTTP/1.1\nHost: h\n", fields, "x-amz-content-sha256: ", payload,
        "\nx-amz-date: " AWS4_TIME "\nAuthorization: AWS4-HMAC-SHA256 Credential=", access_key,
        "/" AWS4_SCOPE ", SignedHeaders=", names, ", Signature=", aws4_sign_request(canonical, pool), "\n\n", NULL));
}

#define NAMES "host;x-amz-content-sha256;x-amz-date"

static built_request plain_request(void)
{
    return signed_request(AWS4_ACCESS_KEY, NAMES, "", EMPTY);
}

static built_request presigned(const char *expires, const char *token)
{
    const char *query =
        apr_pstrcat(pool,
                    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" AWS4_ACCESS_KEY
                    "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=" AWS4_TIME,
                    expires ? "&X-Amz-Expires=" : "", expires ? expires : "", token ? "&X-Amz-Security-Token=" : "",
                    token ? token : "", "&X-Amz-SignedHeaders=host", NULL);
    const char *canonical = apr_pstrcat(pool, "GET\n/\n", query, "\nhost:h\n\nhost\nUNSIGNED-PAYLOAD", NULL);

    return request_of(apr_pstrcat(pool, "GET /?", query, "&X-Amz-Signature=", aws4_sign_request(canonical, pool),
                                  " HTTP/1.1\nHost: h\n\n", NULL));
}

static av_reason reason_after(const char *rule, built_request request, apr_time_t seconds)
{
    request.head.received_at = apr_time_from_sec(RECEIVED_SECOND + seconds) + 654321;
    return decide(policy_of(rule), &request).reason;
}

static const struct {
    const char *rule;
    apr_time_t seconds;
    av_reason reason;
} clocks[] = {
    { RULE, 0, AV_ACCEPTED },
    { RULE, 900, AV_ACCEPTED },
    { RULE, 901, AV_TOO_LATE },
    { RULE, -900, AV_ACCEPTED },
    { RULE, -901, AV_TOO_EARLY },
    { RULE "tolerance=60:5", 60, AV_ACCEPTED },
    { RULE "tolerance=60:5", 61, AV_TOO_LATE },
    { RULE "tolerance=60:5", -5, AV_ACCEPTED },
    { RULE "tolerance=60:5", -6, AV_TOO_EARLY },
};

START_TEST(a_header_is_good_for_a_while_before_and_after_its_time)
{
    assert_reason(reason_after(clocks[_i].rule, plain_request(), clocks[_i].seconds), clocks[_i].reason,
                  clocks[_i].rule);
}
END_TEST

static const struct {
    const char *rule, *expires;
    apr_time_t seconds;
    av_reason reason;
} lives[] = {
    { RULE, "60", 0, AV_ACCEPTED },
    { RULE, "60", 60, AV_ACCEPTED },
    { RULE, "60", 61, AV_TOO_LATE },
    { RULE, "604800", 604800, AV_ACCEPTED },
    { RULE, "604800", 604801, AV_TOO_LATE },
    { RULE, "60", -900, AV_ACCEPTED },
    { RULE, "60", -901, AV_TOO_EARLY },
    { RULE, NULL, 0, AV_MALFORMED_CREDENTIAL },
    { RULE "expires=optional", NULL, 900, AV_ACCEPTED },
    { RULE "expires=optional", NULL, 901, AV_TOO_LATE },
    { RULE "expires=optional", "60", 61, AV_TOO_LATE },
};

START_TEST(a_url_is_good_until_it_expires)
{
    assert_reason(reason_after(lives[_i].rule, presigned(lives[_i].expires, NULL), lives[_i].seconds), lives[_i].reason,
                  lives[_i].rule);
}
END_TEST

#define WITH_TOKEN RULE "session-token=env:TOKEN "
#define TOKEN_NAMES NAMES ";x-amz-security-token"

/* Its line stands behind that of the date. */
static built_request token_request(const char *token)
{
    const char *canonical = apr_pstrcat(
        pool,
        "GET\n/\n\nhost:h\nx-amz-content-sha256:" EMPTY "\nx-amz-date:" AWS4_TIME "\nx-amz-security-token:", token,
        "\n\n" TOKEN_NAMES "\n" EMPTY, NULL);

    return request_of(apr_pstrcat(pool, "GET / HTTP/1.1\nHost: h\nX-Amz-Security-Token: ", token,
                                  "\nx-amz-content-sha256: " EMPTY "\nx-amz-date: " AWS4_TIME
                                  "\nAuthorization: AWS4-HMAC-SHA256 Credential=" AWS4_ACCESS_KEY "/" AWS4_SCOPE
                                  ", SignedHeaders=" TOKEN_NAMES ", Signature=",
                                  aws4_sign_request(canonical, pool), "\n\n", NULL));
}

START_TEST(a_temporary_key_comes_with_its_token_and_another_with_none)
{
    built_request right = token_request("the token of the temporary key"), other = token_request("another token"),
                  none = plain_request(), url = presigned("60", "the%20token%20of%20the%20temporary%20key");

    ck_assert_int_eq(decide(policy_of(WITH_TOKEN), &right).reason, AV_ACCEPTED);
    ck_assert_int_eq(decide(policy_of(WITH_TOKEN), &url).reason, AV_ACCEPTED);
    ck_assert_int_eq(decide(policy_of(WITH_TOKEN), &other).reason, AV_WRONG_SESSION_TOKEN);
    ck_assert_int_eq(decide(policy_of(WITH_TOKEN), &none).reason, AV_WRONG_SESSION_TOKEN);
    ck_assert_int_eq(decide(policy_of(RULE), &right).reason, AV_WRONG_SESSION_TOKEN);
    ck_assert_int_eq(decide(policy_of(RULE), &url).reason, AV_WRONG_SESSION_TOKEN);
    ck_assert_int_eq(decide(policy_of(RULE), &none).reason, AV_ACCEPTED);
}
END_TEST

START_TEST(a_token_is_looked_at_once_the_head_is_proven)
{
    built_request request = token_request("another token");

    setenv("AWS", "not the secret that the request was signed with", 1);
    ck_assert_int_eq(decide(policy_of(WITH_TOKEN), &request).reason, AV_WRONG_SIGNATURE);
}
END_TEST

START_TEST(another_access_key_is_unknown_whatever_it_was_signed_with)
{
    built_request request = signed_request("AKIDOFNOBODY", NAMES, "", EMPTY);

    ck_assert_int_eq(decide(policy_of(RULE), &request).reason, AV_UNKNOWN_CLIENT);
}
END_TEST

START_TEST(a_claim_that_is_refused_when_it_is_opened_is_named)
{
    built_request request = signed_request("AKIDOFNOBODY", NAMES, "", EMPTY);
    av_claim *claim;
    av_reading reading;

    setenv("SECRET", AWS4_TIME, 1);
    setenv("AWS", "not the secret that the request was signed with", 1);
    av_policy *policy = policy_of("api-key in=header:X-Amz-Date secret=env:SECRET");
    add_also(policy, RULE);
    ck_assert_int_eq(av_find(policy, &request.head, &claim, pool), AV_ACCEPTED);
    ck_assert_int_eq(av_open(claim, &reading, pool), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(reading.refusal, AV_UNKNOWN_CLIENT);
    ck_assert_ptr_eq(reading.refused, claim->also);
    av_verdict verdict = av_prove(claim, &reading, &request.head, pool);
    ck_assert_int_eq(verdict.reason, AV_UNKNOWN_CLIENT);
    ck_assert_ptr_eq(verdict.rule, claim->also->rule);
    ck_assert_ptr_null(verdict.client);
}
END_TEST

START_TEST(another_host_is_none_of_ours)
{
    built_request request = plain_request();

    request.head.host_is_ours = false;
    ck_assert_int_eq(decide(policy_of(RULE), &request).reason, AV_WRONG_HOST);
}
END_TEST

/* --- fields that httpd has joined ----------------------------------------------------------------------------------- */

#define JOINED_NAMES "host;x-a;x-amz-content-sha256;x-amz-date"

static av_reason reason_of_joined(const char *signed_value, const char *sent_value)
{
    built_request request =
        signed_request(AWS4_ACCESS_KEY, JOINED_NAMES, apr_pstrcat(pool, "x-a:", signed_value, "\n", NULL), EMPTY);
    av_header *headers = (av_header *)request.head.headers;

    headers[1].value = av_slice_of(sent_value);
    return decide(policy_of(RULE), &request).reason;
}

static const struct {
    const char *signed_value, *sent_value;
    av_reason reason;
} joined[] = {
    { "1, 2", "1, 2", AV_ACCEPTED },
    { "1,2", "1, 2", AV_ACCEPTED },
    { "1,2, 3", "1, 2, 3", AV_ACCEPTED },
    { "1, 2,3, 4,5, 6,7", "1, 2, 3, 4, 5, 6, 7", AV_ACCEPTED },
    { "1, 2,3, 4,5, 6,7,8", "1, 2, 3, 4, 5, 6, 7, 8", AV_WRONG_SIGNATURE },
    { "1,2,3,4,5,6,7,8", "1, 2, 3, 4, 5, 6, 7, 8", AV_ACCEPTED },
    { "1, 2, 3, 4, 5, 6, 7, 8", "1, 2, 3, 4, 5, 6, 7, 8", AV_ACCEPTED },
    { "1, 2", "1,2", AV_WRONG_SIGNATURE },
    { "12", "1, 2", AV_WRONG_SIGNATURE },
    { "2,1", "1, 2", AV_WRONG_SIGNATURE },
};

START_TEST(joined_fields_may_have_been_several)
{
    assert_reason(reason_of_joined(joined[_i].signed_value, joined[_i].sent_value), joined[_i].reason,
                  joined[_i].signed_value);
}
END_TEST

/* Choosing between joints costs anybody's request as many hashes as there are choices. */
START_TEST(a_large_head_is_tried_with_all_joints_open_or_closed_only)
{
    char *large = apr_palloc(pool, 8192);

    memset(large, 'x', 8191);
    large[8191] = '\0';
    const char *open = apr_pstrcat(pool, large, ", 2, 3, 4, 5, 6, 7", NULL);
    ck_assert_int_eq(reason_of_joined(open, open), AV_ACCEPTED);
    ck_assert_int_eq(reason_of_joined(apr_pstrcat(pool, large, ",2,3,4,5,6,7", NULL), open), AV_ACCEPTED);
    ck_assert_int_eq(reason_of_joined(apr_pstrcat(pool, large, ",2, 3, 4, 5, 6, 7", NULL), open), AV_WRONG_SIGNATURE);
}
END_TEST

/* --- the body ------------------------------------------------------------------------------------------------------- */

START_TEST(a_body_has_the_hash_that_was_signed)
{
    built_request request = plain_request();

    request.body = AV_SLICE("x");
    ck_assert_int_eq(decide(policy_of(RULE), &request).reason, AV_PAYLOAD_MISMATCH);
}
END_TEST

START_TEST(a_token_outside_a_url_is_covered_even_where_it_may_be_unsigned)
{
    built_request request = plain_request();

    request.head.query = AV_SLICE("X-Amz-Security-Token=t");
    ck_assert_int_eq(decide(policy_of(RULE "token=unsigned"), &request).reason, AV_WRONG_SIGNATURE);
}
END_TEST

/* --- what cannot be configured -------------------------------------------------------------------------------------- */

static const struct {
    const char *rule, *sentence;
} faults[] = {
    { "aws4 secret=env:AWS region=a service=s3", "access-key=" },
    { "aws4 access-key=A secret=env:AWS service=s3", "region=" },
    { "aws4 access-key=A secret=env:AWS region=a", "service=" },
    { "aws4 access-key=A secret=env:AWS region=a service=*", "star" },
    { "aws4 access-key=A secret=env:AWS region=a/b service=s3", "slash" },
    { "aws4 access-key=A,B secret=env:AWS region=a service=s3", "commas" },
    { "aws4 access-key=A region=a service=s3", "secret=" },
    { RULE "path=merge", "normalize" },
    { RULE "s3=yes", "on" },
    { RULE "token=none", "signed" },
    { RULE "session-token=abc", "" },
    { RULE "unsigned-payload=maybe", "on" },
};

START_TEST(a_mistake_is_told)
{
    assert_sentence(fault_of(faults[_i].rule), faults[_i].sentence);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4");
    TCase *tests = trial_case(suite, "aws4");

    tcase_add_checked_fixture(tests, set_secrets, NULL);
    tcase_add_loop_test(tests, a_header_is_good_for_a_while_before_and_after_its_time, 0, ROWS(clocks));
    tcase_add_loop_test(tests, a_url_is_good_until_it_expires, 0, ROWS(lives));
    tcase_add_test(tests, a_temporary_key_comes_with_its_token_and_another_with_none);
    tcase_add_test(tests, a_token_is_looked_at_once_the_head_is_proven);
    tcase_add_test(tests, another_access_key_is_unknown_whatever_it_was_signed_with);
    tcase_add_test(tests, a_claim_that_is_refused_when_it_is_opened_is_named);
    tcase_add_test(tests, another_host_is_none_of_ours);
    tcase_add_loop_test(tests, joined_fields_may_have_been_several, 0, ROWS(joined));
    tcase_add_test(tests, a_large_head_is_tried_with_all_joints_open_or_closed_only);
    tcase_add_test(tests, a_body_has_the_hash_that_was_signed);
    tcase_add_test(tests, a_token_outside_a_url_is_covered_even_where_it_may_be_unsigned);
    tcase_add_loop_test(tests, a_mistake_is_told, 0, ROWS(faults));
    return suite;
}
