/* Credentials: which Authorization headers and which queries carry one, and what is read of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/credential.h"
#include "support/trial.h"

#include <apr_strings.h>

#define SCOPE "/20260102/us-east-1/iam/aws4_request"
#define CREDENTIAL "Credential=AKID" SCOPE
#define HEADERS "SignedHeaders=host;x-amz-date"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SIGNATURE "Signature=" HEX
#define DATE "X-Amz-Date: 20260102T000000Z\n"
#define HMAC "Authorization: AWS4-HMAC-SHA256 "
#define ECDSA "Authorization: AWS4-ECDSA-P256-SHA256 "
#define GOOD HMAC CREDENTIAL ", " HEADERS ", " SIGNATURE "\n"

/* Whoever may sign for these; a test changes what it is about. */
static av_aws4_settings settings;

static void set_settings(void)
{
    settings = (av_aws4_settings){ .regions = AV_SLICE("us-east-1,eu-west-1"), .services = AV_SLICE("iam,s3") };
}

static av_reason find(const char *target, const char *headers, av_aws4_credential *credential)
{
    built_request request = request_of(apr_pstrcat(pool, "GET ", target, " HTTP/1.1\nHost: h\n", headers, "\n", NULL));

    memset(credential, 0xff, sizeof(*credential));
    return av_aws4_credential_find(&request.head, &settings, credential, pool);
}

static const struct {
    const char *headers;
    av_reason reason;
} headers[] = {
    { GOOD DATE, AV_ACCEPTED },
    { HMAC SIGNATURE "," HEADERS "," CREDENTIAL "\n" DATE, AV_ACCEPTED },
    { HMAC HEADERS " ,\t" SIGNATURE " , " CREDENTIAL "\n" DATE, AV_ACCEPTED },
    { HMAC "  " CREDENTIAL "," HEADERS "," SIGNATURE "\n" DATE, AV_ACCEPTED },
    { DATE GOOD "Date: whatever it says\n", AV_ACCEPTED },
    { GOOD "Date: Fri, 02 Jan 2026 00:00:00 GMT\n", AV_ACCEPTED },
    /* the word */
    { "Authorization: aws4-hmac-sha256 " CREDENTIAL ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { "Authorization: AWS4-HMAC-SHA256\n" DATE, AV_MALFORMED_CREDENTIAL },
    { "Authorization: AWS4-HMAC-SHA1 " CREDENTIAL ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { "Authorization: AWS AKID:c2lnbmF0dXJl\n" DATE, AV_MALFORMED_CREDENTIAL },
    /* the fields */
    { HMAC CREDENTIAL ", " HEADERS "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS ", " SIGNATURE ", Extra=1\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS ", " SIGNATURE ", \n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ",, " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL " " HEADERS " " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL "; " HEADERS "; " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS ", Signature=\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=, " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", SignedHeaders=, " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "credential=AKID" SCOPE ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential =AKID" SCOPE ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential= AKID" SCOPE ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=\"AKID" SCOPE "\", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS ", " SIGNATURE ", Bearer b\n" DATE, AV_MALFORMED_CREDENTIAL },
    /* the credential */
    { HMAC "Credential=AKID, " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=" SCOPE ", " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL "/, " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=AKID/20260102/us-east-1/iam/AWS4_REQUEST, " HEADERS ", " SIGNATURE "\n" DATE,
      AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=AKID/20260102/us-east-1/iam/aws4_request2, " HEADERS ", " SIGNATURE "\n" DATE,
      AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=AKID/us-east-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC "Credential=AKID/20260102/us-east-1//aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102//iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID//us-east-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260103/us-east-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/2026010/us-east-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/202601020/us-east-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102/us-east-2/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102/us-east-/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102/US-EAST-1/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102/us-east-1/sts/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    { HMAC "Credential=AKID/20260102/us-east-1/IAM/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, AV_WRONG_SCOPE },
    /* the signature */
    { HMAC CREDENTIAL ", " HEADERS ", " SIGNATURE "0\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS ", Signature=0123\n" DATE, AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS
                      ", Signature=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n" DATE,
      AV_MALFORMED_CREDENTIAL },
    { HMAC CREDENTIAL ", " HEADERS
                      ", Signature=g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" DATE,
      AV_MALFORMED_CREDENTIAL },
    /* the date */
    { GOOD, AV_MALFORMED_CREDENTIAL },
    { GOOD "X-Amz-Date: 2026-01-02T00:00:00Z\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "X-Amz-Date: 20260102T000000\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "X-Amz-Date: 20260102T000060Z\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "X-Amz-Date: 20260102\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "X-Amz-Date: Fri, 02 Jan 2026 00:00:00 GMT\n", AV_AMBIGUOUS_CREDENTIAL },
    { GOOD "X-Amz-Date: 20260102T000000Z, 20260102T000000Z\n", AV_AMBIGUOUS_CREDENTIAL },
    { GOOD "X-Amz-Date:\nDate: Fri, 02 Jan 2026 00:00:00 GMT\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "Date: 20260102T000000Z\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "Date: Thu, 02 Jan 2026 00:00:00 GMT\n", AV_MALFORMED_CREDENTIAL },
    { GOOD "Date: Sat, 03 Jan 2026 00:00:00 GMT\n", AV_WRONG_SCOPE },
    { GOOD DATE DATE, AV_AMBIGUOUS_CREDENTIAL },
    { GOOD "Date: Fri, 02 Jan 2026 00:00:00 GMT\nDate: Fri, 02 Jan 2026 00:00:00 GMT\n", AV_AMBIGUOUS_CREDENTIAL },
    /* what goes with it */
    { GOOD DATE "X-Amz-Security-Token: t\n", AV_ACCEPTED },
    { GOOD DATE "X-Amz-Security-Token:\n", AV_MALFORMED_CREDENTIAL },
    { GOOD DATE "X-Amz-Security-Token: t\nX-Amz-Security-Token: t\n", AV_AMBIGUOUS_CREDENTIAL },
    { GOOD DATE "X-Amz-Content-Sha256: a\nx-amz-content-sha256: a\n", AV_AMBIGUOUS_CREDENTIAL },
    { GOOD DATE "X-Amz-Content-Sha256:\n", AV_MALFORMED_CREDENTIAL },
    { GOOD GOOD DATE, AV_AMBIGUOUS_CREDENTIAL },
    { GOOD "Authorization: Bearer b\n" DATE, AV_AMBIGUOUS_CREDENTIAL },
};

START_TEST(a_header_is_a_credential_or_is_refused)
{
    av_aws4_credential credential;

    assert_reason(find("/", headers[_i].headers, &credential), headers[_i].reason, headers[_i].headers);
    ck_assert(!credential.in_query);
}
END_TEST

START_TEST(a_header_is_read_field_by_field)
{
    av_aws4_credential credential;

    assert_reason(find("/",
                       HMAC HEADERS "," SIGNATURE ",Credential=A/K/ID" SCOPE "\n" DATE
                                    "X-Amz-Security-Token: a token\nX-Amz-Content-Sha256: hash\n",
                       &credential),
                  AV_ACCEPTED, "header");
    ck_assert(!credential.is_ecdsa && !credential.has_date_header);
    assert_slice(credential.access_key, AV_SLICE("A/K/ID"), "access key");
    assert_slice(credential.text, AV_SLICE("A/K/ID" SCOPE), "text");
    assert_slice(credential.scope, AV_SLICE("20260102/us-east-1/iam/aws4_request"), "scope");
    assert_slice(credential.date, AV_SLICE("20260102"), "date");
    assert_slice(credential.region, AV_SLICE("us-east-1"), "region");
    assert_slice(credential.service, AV_SLICE("iam"), "service");
    assert_slice(credential.signed_headers, AV_SLICE("host;x-amz-date"), "signed headers");
    assert_slice(credential.signature, AV_SLICE(HEX), "signature");
    assert_slice(credential.session_token, AV_SLICE("a token"), "token");
    assert_slice(credential.content_sha256, AV_SLICE("hash"), "content");
    ck_assert_str_eq(credential.timestamp, "20260102T000000Z");
    ck_assert_int_eq(credential.signed_at, apr_time_from_sec(RECEIVED_SECOND));
    ck_assert_int_eq(credential.lifetime, 0);
}
END_TEST

START_TEST(a_date_header_gives_the_time_where_there_is_no_other)
{
    av_aws4_credential credential;

    assert_reason(find("/", GOOD "Date: Fri, 02 Jan 2026 00:00:01 GMT\n", &credential), AV_ACCEPTED, "date");
    ck_assert(credential.has_date_header);
    ck_assert_str_eq(credential.timestamp, "20260102T000001Z");
}
END_TEST

#define AT "/?X-Amz-Algorithm=AWS4-HMAC-SHA256"
#define Q_CREDENTIAL "&X-Amz-Credential=AKID%2F20260102%2Fus-east-1%2Fiam%2Faws4_request"
#define Q_DATE "&X-Amz-Date=20260102T000000Z"
#define Q_EXPIRES "&X-Amz-Expires=60"
#define Q_HEADERS "&X-Amz-SignedHeaders=host"
#define Q_SIGNATURE "&X-Amz-Signature=" HEX
#define URL AT Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE

static const struct {
    const char *target, *headers;
    av_reason reason;
} urls[] = {
    { URL, "", AV_ACCEPTED },
    { URL "&other=1&other=2&x-amz-date=3", "", AV_ACCEPTED },
    { URL "&X-Amz-Security-Token=a%2Bb", "", AV_ACCEPTED },
    { AT Q_CREDENTIAL Q_DATE Q_HEADERS Q_SIGNATURE, "", AV_ACCEPTED },
    /* missing */
    { "/?X-Amz-Credential=AKID", "", AV_MALFORMED_CREDENTIAL },
    { "/?X-Amz-Signature=" HEX, "", AV_MALFORMED_CREDENTIAL },
    { AT, "", AV_MALFORMED_CREDENTIAL },
    { "/?a" Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_EXPIRES Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE Q_EXPIRES Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_EXPIRES Q_HEADERS Q_SIGNATURE, DATE, AV_MALFORMED_CREDENTIAL },
    /* empty */
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { URL "&X-Amz-Security-Token=", "", AV_MALFORMED_CREDENTIAL },
    /* how long */
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=1" Q_HEADERS Q_SIGNATURE, "", AV_ACCEPTED },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=604800" Q_HEADERS Q_SIGNATURE, "", AV_ACCEPTED },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=0" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=604801" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=5.5" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=-1" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=%2B60" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=60s" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE "&X-Amz-Expires=18446744073709551676" Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    /* not written as it must be */
    { AT Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS "&X-Amz-Signature=" HEX "00", "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL "&X-Amz-Date=20260102" Q_EXPIRES Q_HEADERS Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { AT Q_CREDENTIAL Q_DATE Q_EXPIRES "&X-Amz-SignedHeaders=%" Q_SIGNATURE, "", AV_MALFORMED_CREDENTIAL },
    { "/?X-Amz-Algorithm=AWS4-HMAC-SHA1" Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "",
      AV_MALFORMED_CREDENTIAL },
    { "/?X-Amz-Algorithm=aws4-hmac-sha256" Q_CREDENTIAL Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "",
      AV_MALFORMED_CREDENTIAL },
    { URL "&%=1", "", AV_MALFORMED_CREDENTIAL },
    /* two places */
    { URL, GOOD DATE, AV_AMBIGUOUS_CREDENTIAL },
    { URL, "Authorization: Bearer b\n", AV_AMBIGUOUS_CREDENTIAL },
    { "/?X-Amz-Signature=1", GOOD DATE, AV_AMBIGUOUS_CREDENTIAL },
    { URL "&X-Amz-Security-Token=t", "X-Amz-Security-Token: t\n", AV_AMBIGUOUS_CREDENTIAL },
    { URL "&X-Amz-Region-Set=*", "X-Amz-Region-Set: *\n", AV_AMBIGUOUS_CREDENTIAL },
    { URL "&X-Amz-Content-Sha256=a", "X-Amz-Content-Sha256: b\n", AV_AMBIGUOUS_CREDENTIAL },
    { URL "&X-Amz-Content-Sha256=a", "X-Amz-Content-Sha256: a\n", AV_ACCEPTED },
    /* of another scope */
    { AT "&X-Amz-Credential=AKID/20260101/us-east-1/iam/aws4_request" Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "",
      AV_WRONG_SCOPE },
    { AT "&X-Amz-Credential=AKID/20260102/us-east-2/iam/aws4_request" Q_DATE Q_EXPIRES Q_HEADERS Q_SIGNATURE, "",
      AV_WRONG_SCOPE },
};

START_TEST(a_url_is_presigned_or_is_refused)
{
    av_aws4_credential credential;

    assert_reason(find(urls[_i].target, urls[_i].headers, &credential), urls[_i].reason, urls[_i].target);
    ck_assert(credential.in_query || *urls[_i].headers);
}
END_TEST

static const char *const twice[] = {
    URL "&X-Amz-Algorithm=AWS4-HMAC-SHA256",
    URL Q_CREDENTIAL,
    URL Q_DATE,
    URL Q_EXPIRES,
    URL Q_HEADERS,
    URL Q_SIGNATURE,
    URL "&X-Amz-%53ignature=1",
    URL "&X-Amz-Security-Token=t&X-Amz-Security-Token=t",
    URL "&X-Amz-Content-Sha256=a&X-Amz-Content-Sha256=a",
    URL "&X-Amz-Expires",
};

START_TEST(a_parameter_that_is_there_twice_is_refused)
{
    av_aws4_credential credential;

    assert_reason(find(twice[_i], "", &credential), AV_AMBIGUOUS_CREDENTIAL, twice[_i]);
}
END_TEST

START_TEST(a_url_is_read_decoded)
{
    av_aws4_credential credential;

    assert_reason(find(URL "&X-Amz-Security-Token=a%2Bb+c&X-Amz-Content-Sha256=x", "", &credential), AV_ACCEPTED,
                  "URL");
    ck_assert(credential.in_query);
    assert_slice(credential.access_key, AV_SLICE("AKID"), "access key");
    assert_slice(credential.session_token, AV_SLICE("a+b c"), "token");
    assert_slice(credential.content_sha256, AV_SLICE("x"), "content");
    ck_assert_int_eq(credential.lifetime, 60);
}
END_TEST

#define A_CREDENTIAL "Credential=AKID/20260102/iam/aws4_request"
#define DER "3006020101020101"

static const struct {
    const char *headers;
    av_reason reason;
} sets[] = {
    { "X-Amz-Region-Set: us-east-1\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: *\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: us-*\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: *-1\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: u*-*-1\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: **1\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: ap-south-1, us-east-1\n", AV_ACCEPTED },
    { "X-Amz-Region-Set: us-east-1*\n", AV_ACCEPTED },
    { "", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: us-east-2\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: us-east-\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: us-east-11\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: US-EAST-1\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: ap-*,sa-*\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: us-east-1,\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set: ,us-east-1\n", AV_WRONG_SCOPE },
    { "X-Amz-Region-Set:\n", AV_MALFORMED_CREDENTIAL },
    { "X-Amz-Region-Set: us-east-1\nX-Amz-Region-Set: us-east-1\n", AV_AMBIGUOUS_CREDENTIAL },
    { "X-Amz-Region-Set: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,us-east-1\n",
      AV_WRONG_SCOPE },
};

START_TEST(a_set_of_regions_names_one_of_ours)
{
    av_aws4_credential credential;
    const char *request =
        apr_pstrcat(pool, ECDSA A_CREDENTIAL ", " HEADERS ", Signature=" DER "\n" DATE, sets[_i].headers, NULL);

    assert_reason(find("/", request, &credential), sets[_i].reason, sets[_i].headers);
    settings.regions = AV_SLICE("*");
    if (sets[_i].reason == AV_ACCEPTED) {
        assert_reason(find("/", request, &credential), AV_ACCEPTED, sets[_i].headers);
        ck_assert(credential.is_ecdsa);
        assert_slice(credential.access_key, AV_SLICE("AKID"), "access key");
        assert_slice(credential.region, AV_SLICE(""), "region");
        assert_slice(credential.scope, AV_SLICE("20260102/iam/aws4_request"), "scope");
    }
}
END_TEST

static const struct {
    const char *signature;
    bool is_one;
} ders[] = {
    { DER, true },
    { "", false },
    { "300", false },
    { "3006020101020101g", false },
    { "3006020101020101AA", false },
    { HEX HEX "0123456789abcdef", true },
    { HEX HEX "0123456789abcdef01", false },
};

START_TEST(an_ecdsa_signature_is_no_longer_than_der_makes_it)
{
    av_aws4_credential credential;
    const char *request = apr_pstrcat(pool, ECDSA A_CREDENTIAL ", " HEADERS ", Signature=", ders[_i].signature,
                                      "\nX-Amz-Region-Set: *\n" DATE, NULL);

    assert_reason(find("/", request, &credential), ders[_i].is_one ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL,
                  ders[_i].signature);
}
END_TEST

START_TEST(a_scope_with_a_region_is_not_one_of_ecdsa)
{
    av_aws4_credential credential;

    assert_reason(
        find("/", ECDSA CREDENTIAL ", " HEADERS ", Signature=" DER "\nX-Amz-Region-Set: *\n" DATE, &credential),
        AV_WRONG_SCOPE, "region");
    assert_reason(find("/", HMAC A_CREDENTIAL ", " HEADERS ", " SIGNATURE "\n" DATE, &credential),
                  AV_MALFORMED_CREDENTIAL, "no region");
}
END_TEST

START_TEST(any_region_is_some_region)
{
    av_aws4_credential credential;

    settings.regions = AV_SLICE("*");
    assert_reason(
        find("/", HMAC "Credential=AKID/20260102/x/iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, &credential),
        AV_ACCEPTED, "x");
    assert_reason(
        find("/", HMAC "Credential=AKID/20260102//iam/aws4_request, " HEADERS ", " SIGNATURE "\n" DATE, &credential),
        AV_WRONG_SCOPE, "none");
}
END_TEST

START_TEST(an_access_key_has_a_longest_length)
{
    av_aws4_credential credential;
    for (apr_size_t len = AV_AWS4_LONGEST_ACCESS_KEY; len <= AV_AWS4_LONGEST_ACCESS_KEY + 1; len++) {
        char *key = apr_pcalloc(pool, len + 1);
        memset(key, 'K', len);
        const char *request =
            apr_pstrcat(pool, HMAC HEADERS ", " SIGNATURE ", Credential=", key, SCOPE "\n" DATE, NULL);
        assert_reason(find("/", request, &credential),
                      len == AV_AWS4_LONGEST_ACCESS_KEY ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL, "length");
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 credential");
    TCase *tests = trial_case(suite, "credential");

    tcase_add_checked_fixture(tests, set_settings, NULL);
    tcase_add_loop_test(tests, a_header_is_a_credential_or_is_refused, 0, ROWS(headers));
    tcase_add_test(tests, a_header_is_read_field_by_field);
    tcase_add_test(tests, a_date_header_gives_the_time_where_there_is_no_other);
    tcase_add_loop_test(tests, a_url_is_presigned_or_is_refused, 0, ROWS(urls));
    tcase_add_loop_test(tests, a_parameter_that_is_there_twice_is_refused, 0, ROWS(twice));
    tcase_add_test(tests, a_url_is_read_decoded);
    tcase_add_loop_test(tests, a_set_of_regions_names_one_of_ours, 0, ROWS(sets));
    tcase_add_loop_test(tests, an_ecdsa_signature_is_no_longer_than_der_makes_it, 0, ROWS(ders));
    tcase_add_test(tests, a_scope_with_a_region_is_not_one_of_ecdsa);
    tcase_add_test(tests, any_region_is_some_region);
    tcase_add_test(tests, an_access_key_has_a_longest_length);
    return suite;
}
