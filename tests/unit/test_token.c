/* Claims by name: what a proven token says, and what of it may be handed on.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/token.h"
#include "support/suite.h"

#include <apr_strings.h>

static const struct {
    const char *name, *pointer; /* NULL: no name */
} names[] = {
    { "sub", "/sub" },
    { "a b", "/a b" },
    { "https%3A//example.com/role", "/https:~1~1example.com~1role" },
    { "a~b", "/a~0b" },
    { "/realm_access/roles", "/realm_access/roles" },
    { "/https%3A~1~1example.com~1role", "/https:~1~1example.com~1role" },
    { "%2Fa", "/a" },
    { "", NULL },
    { "%", NULL },
    { "%zz", NULL },
    { "a%00", NULL },
    { "/a~2", NULL },
};

START_TEST(a_claim_is_named_or_pointed_at)
{
    const char *pointer = NULL, *error = av_claim_name(tight_copy(av_slice_of(names[_i].name)), &pointer, pool);

    ck_assert_msg((error == NULL) == (names[_i].pointer != NULL), "%s: %s", names[_i].name, error);
    if (names[_i].pointer) {
        ck_assert_str_eq(pointer, names[_i].pointer);
    }
}
END_TEST

#define DEL "\x7f"

static const struct {
    const char *payload, *pointer;
    av_found found;
    const char *text;
} claims[] = {
    { "{\"a\":\"b\"}", "/a", AV_FOUND, "b" },
    { "{\"a\":\"\"}", "/a", AV_FOUND, "" },
    { "{\"a\":\"J\xc3\xbcrgen\"}", "/a", AV_FOUND, "J\xc3\xbcrgen" },
    { "{\"a\":\"\xc2\xa0\"}", "/a", AV_FOUND, "\xc2\xa0" },
    { "{\"a\":7}", "/a", AV_FOUND, "7" },
    { "{\"a\":true}", "/a", AV_FOUND, "true" },
    { "{\"a\":[\"x\",\"\xc3\xbc\",1]}", "/a", AV_FOUND, "[\"x\",\"\\u00FC\",1]" },
    { "{\"a\":{\"b\":\"c\\n\"}}", "/a", AV_FOUND, "{\"b\":\"c\\n\"}" },
    { "{\"a\":{\"b\":\"c\"}}", "/a/b", AV_FOUND, "c" },
    { "{\"a\":[]}", "/a", AV_FOUND, "[]" },
    { "{\"a\":null}", "/a", AV_ABSENT, "" },
    { "{\"a\":1}", "/b", AV_ABSENT, "" },
    { "{\"a\":1.5}", "/a", AV_BROKEN, NULL },
    { "{\"a\":\"x\\r\\nSet-Cookie: y\"}", "/a", AV_BROKEN, NULL },
    { "{\"a\":\"x\\ty\"}", "/a", AV_BROKEN, NULL },
    { "{\"a\":\"x" DEL "\"}", "/a", AV_BROKEN, NULL },
    { "{\"a\":[\"x" DEL "\"]}", "/a", AV_BROKEN, NULL },
    { "{\"a\":\"x\\u0085\"}", "/a", AV_BROKEN, NULL },
    { "[]", "/a", AV_BROKEN, NULL },
    { "{\"a\":1,\"a\":2}", "/a", AV_BROKEN, NULL },
};

static av_token token_of(const char *payload)
{
    return (av_token){ .encoded = av_encode(AV_BASE64URL, av_slice_of(payload), pool) };
}

START_TEST(a_claim_is_handed_on_as_text)
{
    av_slice text;
    av_token token = token_of(claims[_i].payload);

    for (int again = 0; again < 2; again++) {
        ck_assert_msg(av_token_claim(&token, claims[_i].pointer, &text, pool) == claims[_i].found, "%s",
                      claims[_i].payload);
        if (claims[_i].text) {
            assert_slice(text, av_slice_of(claims[_i].text), claims[_i].payload);
        }
    }
}
END_TEST

START_TEST(a_claim_that_is_too_long_is_not_handed_on)
{
    av_slice text;
    char *long_text = apr_palloc(pool, AV_MAX_CLAIM_BYTES + 2);

    memset(long_text, 'a', AV_MAX_CLAIM_BYTES + 1);
    long_text[AV_MAX_CLAIM_BYTES + 1] = '\0';
    av_token longer = token_of(apr_psprintf(pool, "{\"a\":\"%s\"}", long_text));
    av_token longest = token_of(apr_psprintf(pool, "{\"a\":\"%s\"}", long_text + 1));
    av_token list = token_of(apr_psprintf(pool, "{\"a\":[\"%s\"]}", long_text));
    ck_assert_int_eq(av_token_claim(&longer, "/a", &text, pool), AV_BROKEN);
    ck_assert_int_eq(av_token_claim(&longest, "/a", &text, pool), AV_FOUND);
    ck_assert_int_eq(av_token_claim(&list, "/a", &text, pool), AV_BROKEN);
}
END_TEST

START_TEST(without_a_token_there_is_no_claim)
{
    av_slice text;

    ck_assert_int_eq(av_token_claim(NULL, "/a", &text, pool), AV_ABSENT);
    ck_assert_uint_eq(text.len, 0);
    ck_assert(!av_token_says(NULL, "/a", AV_SLICE(""), pool));
}
END_TEST

static const struct {
    const char *payload, *wanted;
    bool says;
} sayings[] = {
    { "{\"a\":\"b\"}", "b", true },      { "{\"a\":[\"x\",\"b\"]}", "b", true },
    { "{\"a\":[1]}", "1", true },        { "{\"a\":true}", "true", true },
    { "{\"a\":\"B\"}", "b", false },     { "{\"a\":\"b c\"}", "b", false },
    { "{\"a\":[[\"b\"]]}", "b", false }, { "{\"a\":{\"b\":1}}", "b", false },
    { "{\"a\":null}", "null", false },   { "{\"b\":\"b\"}", "b", false },
    { "{\"a\":[]}", "", false },         { "{\"a\":1.0}", "1", false },
    { "[\"b\"]", "b", false },
};

START_TEST(a_claim_says_a_value_or_has_it_in_its_list)
{
    av_token token = token_of(sayings[_i].payload);

    ck_assert_msg(av_token_says(&token, "/a", av_slice_of(sayings[_i].wanted), pool) == sayings[_i].says, "%s",
                  sayings[_i].payload);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("token");
    TCase *tests = suite_case(suite, "token");

    tcase_add_loop_test(tests, a_claim_is_named_or_pointed_at, 0, ROWS(names));
    tcase_add_loop_test(tests, a_claim_is_handed_on_as_text, 0, ROWS(claims));
    tcase_add_test(tests, a_claim_that_is_too_long_is_not_handed_on);
    tcase_add_test(tests, without_a_token_there_is_no_claim);
    tcase_add_loop_test(tests, a_claim_says_a_value_or_has_it_in_its_list, 0, ROWS(sayings));
    return suite;
}
