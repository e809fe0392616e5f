/* The Authorization header: which word stands in front, and what follows it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/authorization.h"
#include "support/trial.h"

#define REQUEST(headers) "GET / HTTP/1.1\nHost: a\n" headers "\n"

static const struct {
    av_slice value, word;
    bool has_it;
    av_slice credential;
} values[] = {
    { TEXT("Bearer abc"), TEXT("Bearer"), true, TEXT("abc") },
    { TEXT("bEARER abc"), TEXT("Bearer"), true, TEXT("abc") },
    { TEXT("Bearer"), TEXT("Bearer"), true, TEXT("") },
    { TEXT("Bearer "), TEXT("Bearer"), true, TEXT("") },
    { TEXT("Bearer  abc"), TEXT("Bearer"), true, TEXT("abc") },
    { TEXT("Bearer   "), TEXT("Bearer"), true, TEXT("") },
    { TEXT("Bearer \tabc"), TEXT("Bearer"), true, TEXT("\tabc") },
    { TEXT("Bearer a b"), TEXT("Bearer"), true, TEXT("a b") },
    { TEXT("Bearerabc"), TEXT("Bearer"), false, TEXT("") },
    { TEXT("Bearer\tabc"), TEXT("Bearer"), false, TEXT("") },
    { TEXT("Bear abc"), TEXT("Bearer"), false, TEXT("") },
    { TEXT("Bearer1 abc"), TEXT("Bearer"), false, TEXT("") },
    { TEXT("Basic abc"), TEXT("Bearer"), false, TEXT("") },
    { TEXT(""), TEXT("Bearer"), false, TEXT("") },
    { TEXT("abc"), TEXT(""), true, TEXT("abc") },
    { TEXT("Bearer abc"), TEXT(""), false, TEXT("") },
    { TEXT("abc "), TEXT(""), false, TEXT("") },
};

START_TEST(a_word_stands_in_front_or_not)
{
    av_slice credential;
    ck_assert_int_eq(av_authorization_has(tight_copy(values[_i].value), values[_i].word, &credential),
                     values[_i].has_it);
    if (values[_i].has_it) {
        assert_slice(credential, values[_i].credential, values[_i].value.at);
    }
}
END_TEST

static const struct {
    const char *request;
    av_reason reason;
} requests[] = {
    { REQUEST("Authorization: Bearer abc\n"), AV_ACCEPTED },
    { REQUEST("aUTHORIZATION: bearer abc\n"), AV_ACCEPTED },
    { REQUEST(""), AV_NOT_PRESENTED },
    { REQUEST("Authorization: Basic abc\n"), AV_NOT_PRESENTED },
    { REQUEST("Proxy-Authorization: Bearer abc\n"), AV_NOT_PRESENTED },
    { REQUEST("Authorization: Bearer abc\nAuthorization: Bearer abc\n"), AV_AMBIGUOUS_CREDENTIAL },
    { REQUEST("Authorization: Bearer abc\nAuthorization: Basic abc\n"), AV_AMBIGUOUS_CREDENTIAL },
    { REQUEST("Authorization: Basic abc\nAuthorization: Bearer abc\n"), AV_AMBIGUOUS_CREDENTIAL },
    { REQUEST("Authorization: Basic abc\nAuthorization: Digest abc\n"), AV_NOT_PRESENTED },
    { REQUEST("Authorization: Bearer abc, Bearer abc\n"), AV_AMBIGUOUS_CREDENTIAL },
};

START_TEST(one_header_has_the_credential)
{
    built_request request = request_of(requests[_i].request);
    av_slice credential = { NULL, 0 };
    assert_reason(av_authorization_find(&request.head, AV_SLICE("Bearer"), &credential), requests[_i].reason,
                  requests[_i].request);
    if (requests[_i].reason == AV_ACCEPTED) {
        assert_slice(credential, AV_SLICE("abc"), "credential");
    }
}
END_TEST

static const struct {
    av_slice text;
    bool is_token68;
} tokens[] = {
    { TEXT("a"), true },    { TEXT("aZ09-._~+/"), true }, { TEXT("a="), true },   { TEXT("a==="), true },
    { TEXT(""), false },    { TEXT("="), false },         { TEXT("a=b"), false }, { TEXT("a b"), false },
    { TEXT(" a"), false },  { TEXT("a,b"), false },       { TEXT("a\0"), false }, { TEXT("\xc3\xa9"), false },
    { TEXT("a\""), false }, { TEXT("a:"), false },
};

START_TEST(a_token_is_of_its_characters)
{
    ck_assert_int_eq(av_is_token68(tight_copy(tokens[_i].text)), tokens[_i].is_token68);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("authorization");
    TCase *tests = trial_case(suite, "headers");

    tcase_add_loop_test(tests, a_word_stands_in_front_or_not, 0, ROWS(values));
    tcase_add_loop_test(tests, one_header_has_the_credential, 0, ROWS(requests));
    tcase_add_loop_test(tests, a_token_is_of_its_characters, 0, ROWS(tokens));
    return suite;
}
