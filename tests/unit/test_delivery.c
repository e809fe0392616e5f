/* A request that is made: what each scheme's sender adds to it, and what must not be sent.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/delivery.h"

#include <apr_strings.h>

#define TOKEN "d3f269a9-932e-eeb0-05e7-14fdff8696b2"

static avt_delivery delivery_to(const char *url)
{
    return (avt_delivery){ .method = AV_SLICE("POST"),
                           .url = url,
                           .headers = apr_array_make(pool, 4, sizeof(av_header)),
                           .body = AV_SLICE("{\"a\":1}"),
                           .client = TOKEN,
                           .id = "id-1",
                           .time = apr_time_from_sec(1767312000) };
}

/* "Name: value|Name: value|URL" */
static const char *written(const avt_delivery *delivery)
{
    const char *text = "";
    for (int i = 0; i < delivery->headers->nelts; i++) {
        const av_header *header = &APR_ARRAY_IDX(delivery->headers, i, av_header);
        text = apr_pstrcat(pool, text, av_slice_string(header->name, pool), ": ", av_slice_string(header->value, pool),
                           "|", NULL);
    }
    return apr_pstrcat(pool, text, delivery->url, NULL);
}

static const struct {
    const char *rule, *written;
} credentials[] = {
    { "token-pair secret=env:SECRET", "X-Auth-Token: " TOKEN "|X-Auth-Secret: " SECRET "|https://h/p" },
    { "bearer secret=env:SECRET", "Authorization: Bearer " SECRET "|https://h/p" },
    { "bearer secret=env:SECRET prefix=EN", "Authorization: EN " SECRET "|https://h/p" },
    { "bearer secret=env:SECRET prefix=none", "Authorization: " SECRET "|https://h/p" },
    { "api-key secret=env:SECRET in=header:X-Key", "X-Key: " SECRET "|https://h/p" },
    { "api-key secret=env:SECRET in=query:key", "https://h/p?key=a%20first%20secret%20of%2026%20bytes" },
    { "basic secret=env:SECRET", "Authorization: Basic ZDNmMjY5YTktOTMyZS1lZWIwLTA1ZTctMTRmZGZmODY5NmIyOmEgZmlyc3Qgc2Vj"
                                 "cmV0IG9mIDI2IGJ5dGVz|https://h/p" },
    { "signature secret=env:SECRET algorithm=token signature=%{header:X-Token}", "X-Token: " SECRET "|https://h/p" },
};

START_TEST(a_credential_stands_where_the_rule_looks)
{
    avt_delivery delivery = delivery_to("https://h/p");

    ck_assert_ptr_null(avt_delivery_sign(&delivery, rule_of(credentials[_i].rule), AV_SLICE(SECRET), pool));
    ck_assert_str_eq(written(&delivery), credentials[_i].written);
}
END_TEST

#define TIMED " timestamp=%{header:X-Time} id=%{header:X-Id} "

static const char *const signatures[] = {
    "signature secret=env:SECRET signature=%{header:X-S}",
    "signature secret=env:SECRET signature=%{header:X-S} prefix=sha256= encoding=base64",
    "signature secret=env:SECRET signature=%{header:X-S} algorithm=hmac-sha512 encoding=base64url",
    "signature secret=env:SECRET signature=%{header:X-S} signed=%{timestamp}.%{id}.%{body}" TIMED,
    "signature secret=env:SECRET signature=%{header:X-S} list=space version=v1 signed=%{method}%{url}%{body}",
    "signature secret=env:SECRET fields=%{header:X-F} signature=%{field:v1} timestamp=%{field:t} "
    "signed=%{timestamp}.%{body}",
    "signature secret=env:SECRET signature=%{query:s} signed=%{body}%{json:/a}",
};

/* The core accepts at that time what was signed, and nothing else. */
START_TEST(what_is_signed_is_accepted)
{
    avt_delivery delivery = delivery_to("https://h/p?a=b");
    built_request request = { 0 };
    av_policy *policy = policy_of(signatures[_i]);

    ck_assert_ptr_null(avt_delivery_sign(&delivery, rule_of(signatures[_i]), AV_SLICE(SECRET), pool));
    ck_assert_ptr_null(avt_delivery_view(&delivery, &request.head, pool));
    request.body = delivery.body;
    request.parse_limit = 1024;
    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, signatures[_i]);
    request.body = AV_SLICE("{\"a\":2}");
    assert_reason(decide(policy, &request).reason, AV_WRONG_SIGNATURE, signatures[_i]);
}
END_TEST

static const struct {
    const char *rule, *url, *header, *secret, *said;
} refused[] = {
    { "bearer secret=env:SECRET", "", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "h/p", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "https://", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "https:///p", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "https://h/a b", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "https://h/\n", NULL, "x", "no URL" },
    { "bearer secret=env:SECRET", "https://u:p@h/", NULL, "x", "user or a fragment" },
    { "bearer secret=env:SECRET", "https://h/#f", NULL, "x", "user or a fragment" },
    { "bearer secret=env:SECRET", "https://h/", NULL, "s3cr3t\nX: y", "control byte" },
    { "bearer secret=env:SECRET", "https://h/", NULL, "s3cr3t\r", "control byte" },
    { "api-key secret=env:SECRET in=header:X", "https://h/", NULL, "s3cr3t\x7f", "control byte" },
    { "bearer secret=env:SECRET", "https://h/", "A: b\r\nC: d", "x", "control byte" },
    { "none methods=POST", "https://h/", NULL, "x", "sends no credential" },
    { "signature secret=env:SECRET signature=%{header:X-S} signed=%{header:X-A}%{body}", "https://h/", NULL, "x",
      "--header" },
    { "signature secret=env:SECRET signature=%{header:X-S} signed=%{json:/b}", "https://h/", NULL, "x", "not there" },
    { "signature secret=env:SECRET signature=%{header:X-S} key-encoding=hex", "https://h/", NULL, "s3cr3t",
      "key-encoding=" },
};

START_TEST(what_cannot_be_sent_as_it_should_be_is_a_sentence)
{
    avt_delivery delivery = delivery_to(refused[_i].url);
    if (strstr(refused[_i].rule, "key-encoding=hex")) {
        setenv("SECRET", "00112233445566778899aabbccddeeff", 1);
    }
    av_rule *rule = rule_of(refused[_i].rule);

    if (refused[_i].header) {
        ck_assert_ptr_null(avt_delivery_add_header(&delivery, refused[_i].header, pool));
    }
    const char *sentence = avt_delivery_sign(&delivery, rule, av_slice_of(refused[_i].secret), pool);
    assert_sentence(sentence, refused[_i].said);
    ck_assert_ptr_null(strstr(sentence, "s3cr3t"));
}
END_TEST

START_TEST(who_sends_must_be_named)
{
    avt_delivery delivery = delivery_to("https://h/");

    delivery.client = NULL;
    assert_sentence(avt_delivery_sign(&delivery, rule_of("token-pair secret=env:SECRET"), AV_SLICE("x"), pool),
                    "--client");
    assert_sentence(avt_delivery_sign(&delivery, rule_of("basic secret=env:SECRET"), AV_SLICE("x"), pool), "--client");
    delivery.client = "a:b";
    assert_sentence(avt_delivery_sign(&delivery, rule_of("basic secret=env:SECRET"), AV_SLICE("x"), pool), "no colon");
}
END_TEST

static const struct {
    const char *text, *name, *value;
} headers[] = {
    { "A:b", "A", "b" }, { "A: b ", "A", "b" },  { "A:", "A", "" }, { "A: b:c", "A", "b:c" }, { "A", NULL, "" },
    { ": b", NULL, "" }, { "A b: c", NULL, "" }, { "", NULL, "" },  { "A\n: b", NULL, "" },
};

START_TEST(a_header_is_a_name_and_a_value)
{
    avt_delivery delivery = delivery_to("https://h/");
    const char *sentence = avt_delivery_add_header(&delivery, headers[_i].text, pool);

    if (!headers[_i].name) {
        assert_sentence(sentence, "is no header");
        return;
    }
    ck_assert_ptr_null(sentence);
    assert_slice(APR_ARRAY_IDX(delivery.headers, 0, av_header).name, av_slice_of(headers[_i].name), "name");
    assert_slice(APR_ARRAY_IDX(delivery.headers, 0, av_header).value, av_slice_of(headers[_i].value), "value");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("delivery");
    TCase *tests = trial_case(suite, "delivery");

    tcase_add_loop_test(tests, a_credential_stands_where_the_rule_looks, 0, ROWS(credentials));
    tcase_add_loop_test(tests, what_is_signed_is_accepted, 0, ROWS(signatures));
    tcase_add_loop_test(tests, what_cannot_be_sent_as_it_should_be_is_a_sentence, 0, ROWS(refused));
    tcase_add_test(tests, who_sends_must_be_named);
    tcase_add_loop_test(tests, a_header_is_a_name_and_a_value, 0, ROWS(headers));
    return suite;
}
