/* Requests for tokens: what is read of them, and which are none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "issue/token_request.h"
#include "support/trial.h"

#include <apr_strings.h>

#define FORM "Content-Type: application/x-www-form-urlencoded\n"
#define GRANT "grant_type=client_credentials"

/* "a:b", "a%3Ab:c%25%2B+%C3%A4", "a:", "a:b%zz", "a:b\x01" */
#define A_B "Authorization: Basic YTpi\n"
#define ESCAPED "Authorization: Basic YSUzQWI6YyUyNSUyQislQzMlQTQ=\n"
#define NO_SECRET "Authorization: Basic YTo=\n"
#define NOT_ESCAPED "Authorization: Basic YTpiJXp6\n"
#define CONTROL "Authorization: Basic YTpiAQ==\n"

static av_reason read_request(const char *query, const char *headers, const char *body, av_token_request *asked)
{
    built_request request =
        request_of(apr_pstrcat(pool, "POST /token", query, " HTTP/1.1\nHost: h\n", headers, "\n", body, NULL));

    return av_token_request_read(&request.head, request.body, asked, pool);
}

static const struct {
    const char *headers, *body;
    const char *id, *secret, *scope;
} right[] = {
    { FORM, GRANT "&client_id=a&client_secret=b", "a", "b", "" },
    { FORM, "client_secret=b&client_id=a&" GRANT, "a", "b", "" },
    { FORM, GRANT "&client_id=a%3Ab&client_secret=c%25%2B+%C3%A4", "a:b", "c%+ \xc3\xa4", "" },
    { FORM A_B, GRANT, "a", "b", "" },
    { FORM ESCAPED, GRANT, "a:b", "c%+ \xc3\xa4", "" },
    { FORM A_B, GRANT "&client_id=a", "a", "b", "" },
    { FORM A_B, GRANT "&client_id=&client_secret=", "a", "b", "" },
    { FORM A_B, GRANT "&scope=x+y%20z", "a", "b", "x y z" },
    { FORM A_B, GRANT "&scope=", "a", "b", "" },
    { FORM A_B, GRANT "&resource=1&resource=2", "a", "b", "" },
    { FORM "Authorization: Bearer x\n", GRANT "&client_id=a&client_secret=b", "a", "b", "" },
    { "content-type: Application/X-www-form-urlencoded; charset=utf-8\n" A_B, GRANT, "a", "b", "" },
};

START_TEST(a_request_is_read)
{
    av_token_request asked;

    assert_reason(read_request("", right[_i].headers, right[_i].body, &asked), AV_ACCEPTED, right[_i].body);
    assert_slice(asked.client_id, av_slice_of(right[_i].id), right[_i].body);
    assert_slice(asked.client_secret, av_slice_of(right[_i].secret), right[_i].body);
    assert_slice(asked.scope, av_slice_of(right[_i].scope), right[_i].body);
}
END_TEST

static const struct {
    const char *headers, *body;
    av_reason reason;
} wrong[] = {
    { FORM A_B, "", AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, "grant_type=", AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, GRANT "&" GRANT, AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, GRANT "&grant%5ftype=client_credentials", AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, GRANT "&scope=a&scope=b", AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, GRANT "&scope=%", AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, GRANT "&%=", AV_MALFORMED_TOKEN_REQUEST },
    { A_B, GRANT, AV_MALFORMED_TOKEN_REQUEST },
    { "Content-Type: application/json\n" A_B, GRANT, AV_MALFORMED_TOKEN_REQUEST },
    { "Content-Type: application/x-www-form-urlencoded2\n" A_B, GRANT, AV_MALFORMED_TOKEN_REQUEST },
    { FORM FORM A_B, GRANT, AV_MALFORMED_TOKEN_REQUEST },
    { FORM A_B, "grant_type=password", AV_UNSUPPORTED_GRANT },
    { FORM A_B, "grant_type=client_credentials%20", AV_UNSUPPORTED_GRANT },
    { FORM A_B, "grant_type=Client_Credentials", AV_UNSUPPORTED_GRANT },
    { FORM, GRANT, AV_NOT_PRESENTED },
    { FORM, GRANT "&client_id=a", AV_NOT_PRESENTED },
    { FORM, GRANT "&client_secret=b", AV_NOT_PRESENTED },
    { FORM, GRANT "&client_id=&client_secret=b", AV_NOT_PRESENTED },
    { FORM, GRANT "&client_id=a&client_secret=b%00", AV_MALFORMED_CREDENTIAL },
    { FORM, GRANT "&client_id=a%0&client_secret=b", AV_MALFORMED_CREDENTIAL },
    { FORM, GRANT "&client_id=a&client_id=a&client_secret=b", AV_AMBIGUOUS_CREDENTIAL },
    { FORM, GRANT "&client_id=a&client_secret=b&client_secret=c", AV_AMBIGUOUS_CREDENTIAL },
    { FORM A_B, GRANT "&client_secret=b", AV_AMBIGUOUS_CREDENTIAL },
    { FORM A_B, GRANT "&client_id=c", AV_AMBIGUOUS_CREDENTIAL },
    { FORM A_B A_B, GRANT, AV_AMBIGUOUS_CREDENTIAL },
    { FORM NO_SECRET, GRANT, AV_MALFORMED_CREDENTIAL },
    { FORM NO_SECRET, GRANT "&client_id=a&client_secret=b", AV_MALFORMED_CREDENTIAL },
    { FORM NOT_ESCAPED, GRANT, AV_MALFORMED_CREDENTIAL },
    { FORM CONTROL, GRANT, AV_MALFORMED_CREDENTIAL },
    { FORM "Authorization: Basic YTpi=\n", GRANT, AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_wrong_request_is_refused)
{
    av_token_request asked;

    assert_reason(read_request("", wrong[_i].headers, wrong[_i].body, &asked), wrong[_i].reason, wrong[_i].body);
}
END_TEST

static const struct {
    const char *line, *headers, *body;
    bool is_legacy;
    av_reason reason;
} older[] = {
    { "GET /t?username=a%3Ab&secret=c%25+", "", "", true, AV_ACCEPTED },
    { "POST /t", FORM, "username=a%3Ab&secret=c%25+", true, AV_ACCEPTED },
    { "POST /t", FORM, "secret=c%25%20&x=1&username=a:b", true, AV_ACCEPTED },
    { "GET /t?username=a", "", "", true, AV_NOT_PRESENTED },
    { "GET /t?username=a&secret=", "", "", true, AV_NOT_PRESENTED },
    { "GET /t?username=a&secret=b&secret=c", "", "", true, AV_AMBIGUOUS_CREDENTIAL },
    { "GET /t?username=a&username=a&secret=c", "", "", true, AV_AMBIGUOUS_CREDENTIAL },
    { "GET /t?username=a&secret=c%00", "", "", true, AV_MALFORMED_CREDENTIAL },
    { "POST /t?secret=b", FORM, "username=a&secret=b", true, AV_MALFORMED_TOKEN_REQUEST },
    { "POST /t?username=a&secret=b", FORM, "", true, AV_MALFORMED_TOKEN_REQUEST },
    { "POST /t", "Content-Type: application/json\n", "username=a&secret=b", true, AV_MALFORMED_TOKEN_REQUEST },
    { "POST /t", FORM, "", true, AV_NOT_PRESENTED },
    { "POST /t", FORM, GRANT "&username=a&secret=b", false, AV_ACCEPTED },
};

START_TEST(the_older_form_is_read)
{
    av_token_request asked;
    built_request request = request_of(
        apr_pstrcat(pool, older[_i].line, " HTTP/1.1\nHost: h\n", older[_i].headers, "\n", older[_i].body, NULL));

    ck_assert_int_eq(av_token_request_is_legacy(&request.head, request.body, pool), older[_i].is_legacy);
    ck_assert_int_eq(av_token_request_is_legacy_get(&request.head, pool), *older[_i].line == 'G');
    if (older[_i].is_legacy) {
        av_reason reason = av_token_request_read_legacy(&request.head, request.body, &asked, pool);
        assert_reason(reason, older[_i].reason, older[_i].line);
        ck_assert_int_eq(asked.form, AV_FORM_LEGACY);
    }
    if (older[_i].is_legacy && older[_i].reason == AV_ACCEPTED) {
        assert_slice(asked.client_id, AV_SLICE("a:b"), "username");
        assert_slice(asked.client_secret, AV_SLICE("c% "), "secret");
    }
}
END_TEST

#define APPLICATION "X-Auth-Application: 5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10\n"

static const struct {
    const char *query, *headers, *body;
    av_reason reason;
} logins[] = {
    { "", FORM APPLICATION, "username=j%C3%A4ne+d&password=p%26+%25", AV_ACCEPTED },
    { "", FORM APPLICATION, "password=p%26+%25&x=%&username=j%C3%A4ne+d&password2=", AV_ACCEPTED },
    { "", FORM APPLICATION, "username=a&password=%", AV_MALFORMED_CREDENTIAL },
    { "", FORM APPLICATION, "account=x&password=p%26+%25&username=j%C3%A4ne+d&two_factor_code=", AV_ACCEPTED },
    { "?username=x", FORM APPLICATION, "username=j%C3%A4ne+d&password=p%26+%25", AV_ACCEPTED },
    { "?password=x", FORM APPLICATION, "username=a&password=b", AV_MALFORMED_TOKEN_REQUEST },
    { "?pass%77ord", FORM APPLICATION, "username=a&password=b", AV_MALFORMED_TOKEN_REQUEST },
    { "", APPLICATION, "username=a&password=b", AV_MALFORMED_TOKEN_REQUEST },
    { "", "Content-Type: application/json\n" APPLICATION, "username=a&password=b", AV_MALFORMED_TOKEN_REQUEST },
    { "", FORM, "username=a&password=b", AV_NOT_PRESENTED },
    { "", FORM "X-Auth-Application:\n", "username=a&password=b", AV_MALFORMED_CREDENTIAL },
    { "", FORM "X-Auth-Application: short\n", "username=a&password=b", AV_MALFORMED_CREDENTIAL },
    { "", FORM "X-Auth-Application: 5B1C9E02-77AA-4D1F-B0C3-8E2F4A6D9C10\n", "username=a&password=b",
      AV_MALFORMED_CREDENTIAL },
    { "", FORM APPLICATION APPLICATION, "username=a&password=b", AV_AMBIGUOUS_CREDENTIAL },
    { "", FORM "X-Auth-Application: 5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10, 5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c11\n",
      "username=a&password=b", AV_AMBIGUOUS_CREDENTIAL },
    { "", FORM APPLICATION, "username=a", AV_NOT_PRESENTED },
    { "", FORM APPLICATION, "username=a&password=", AV_NOT_PRESENTED },
    { "", FORM APPLICATION, "username=&password=b", AV_NOT_PRESENTED },
    { "", FORM APPLICATION, "", AV_NOT_PRESENTED },
    { "", FORM APPLICATION, "username=a&username=a&password=b", AV_AMBIGUOUS_CREDENTIAL },
    { "", FORM APPLICATION, "username=a&password=b&pass%77ord=b", AV_AMBIGUOUS_CREDENTIAL },
    { "", FORM APPLICATION, "username=a&password=b%00", AV_MALFORMED_CREDENTIAL },
    { "", FORM APPLICATION, "username=a&password=b%1F", AV_MALFORMED_CREDENTIAL },
    { "", FORM APPLICATION, "username=a%0A&password=b", AV_MALFORMED_CREDENTIAL },
    { "", FORM APPLICATION, "username=a%7F&password=b", AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_log_in_is_read)
{
    av_token_request asked;
    built_request request = request_of(apr_pstrcat(pool, "POST /t", logins[_i].query, " HTTP/1.1\nHost: h\n",
                                                   logins[_i].headers, "\n", logins[_i].body, NULL));
    av_reason reason = av_token_request_read_login(&request.head, request.body, &asked, pool);

    assert_reason(reason, logins[_i].reason, logins[_i].body);
    ck_assert_int_eq(asked.form, AV_FORM_LOGIN);
    ck_assert_int_eq(av_token_request_is_login(&request.head, pool),
                     strstr(logins[_i].headers, "X-Auth-Application") != NULL);
    if (reason == AV_ACCEPTED) {
        assert_slice(asked.client_id, AV_SLICE("j\xc3\xa4ne d"), "username");
        assert_slice(asked.client_secret, AV_SLICE("p& %"), "password");
        assert_slice(asked.application, AV_SLICE("5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10"), "application");
    }
}
END_TEST

START_TEST(a_name_has_its_length)
{
    av_token_request asked;
    const char *name = apr_psprintf(pool, "%0256d", 0);

    for (int more = 0; more < 2; more++) {
        built_request request =
            request_of(apr_pstrcat(pool, "POST /t HTTP/1.1\nHost: h\n" FORM APPLICATION "\nusername=", name,
                                   more ? "0" : "", "&password=b", NULL));
        assert_reason(av_token_request_read_login(&request.head, request.body, &asked, pool),
                      more ? AV_MALFORMED_CREDENTIAL : AV_ACCEPTED, "length");
    }
}
END_TEST

static const char *const queries[] = { "?client_secret=b", "?a=1&client_secret", "?client%5fsecret=", "?%zz=1" };

START_TEST(a_secret_does_not_travel_in_the_query)
{
    av_token_request asked;

    assert_reason(read_request(queries[_i], FORM A_B, GRANT, &asked), AV_MALFORMED_TOKEN_REQUEST, queries[_i]);
    assert_reason(read_request("?client_secrets=b", FORM A_B, GRANT, &asked), AV_ACCEPTED, "another name");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("token_request");
    TCase *tests = trial_case(suite, "requests");

    tcase_add_loop_test(tests, a_request_is_read, 0, ROWS(right));
    tcase_add_loop_test(tests, a_wrong_request_is_refused, 0, ROWS(wrong));
    tcase_add_loop_test(tests, the_older_form_is_read, 0, ROWS(older));
    tcase_add_loop_test(tests, a_log_in_is_read, 0, ROWS(logins));
    tcase_add_test(tests, a_name_has_its_length);
    tcase_add_loop_test(tests, a_secret_does_not_travel_in_the_query, 0, ROWS(queries));
    return suite;
}
