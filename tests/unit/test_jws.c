/* Compact tokens: which texts are one, what their header may say, and what proves them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/jwk.h"
#include "core/jws.h"
#include "support/jose_builder.h"
#include "support/suite.h"

#include <apr_strings.h>

static const struct {
    const char *text;
    bool has_form;
} forms[] = {
    { "a.b.c", true },      { "eyJ_-9.AZaz09.x", true },
    { "", false },          { ".", false },
    { "..", false },        { "a", false },
    { "a.b", false },       { "a.b.", false },
    { ".b.c", false },      { "a..c", false },
    { "a.b.c.d", false },   { "a.b.c.", false },
    { "a.b.c.d.e", false }, { "a.b.c=", false },
    { "a.b.c+", false },    { "a.b.c/", false },
    { "a.b.c ", false },    { " a.b.c", false },
    { "a.b.c\n", false },   { "a%2eb.c", false },
    { "\"a.b.c\"", false }, { "a.b.\xc3\xa4", false },
};

START_TEST(three_parts_of_base64url_are_the_form)
{
    ck_assert_int_eq(av_jws_has_form(tight_copy(av_slice_of(forms[_i].text))), forms[_i].has_form);
}
END_TEST

static bool parse(av_slice text, av_jws *jws)
{
    return av_jws_parse(tight_copy(text), jws, pool);
}

static av_slice token_of(const char *header)
{
    return jose_token("HS256", header, "{}", pool);
}

START_TEST(a_header_is_read)
{
    av_jws jws;
    av_slice token =
        token_of("{\"alg\":\"HS256\",\"kid\":\"k 1\",\"typ\":\"application/at+JWT\",\"jku\":\"http://x/\"}");

    ck_assert(parse(token, &jws));
    assert_slice(jws.algorithm, AV_SLICE("HS256"), "alg");
    ck_assert(jws.has_kid && jws.has_type);
    assert_slice(jws.kid, AV_SLICE("k 1"), "kid");
    assert_slice(jws.type, AV_SLICE("at+JWT"), "typ");
    assert_slice(jws.encoded, AV_SLICE("e30"), "payload");
    assert_slice(jws.payload, AV_SLICE("{}"), "payload");
    ck_assert_uint_eq(jws.signature.len, 32);
    ck_assert_uint_eq(jws.text.len, token.len - 44);
    ck_assert(parse(token_of("{\"alg\":\"none\"}"), &jws));
    ck_assert(!jws.has_kid && !jws.has_type);
}
END_TEST

static const struct {
    const char *type, *read;
} types[] = {
    { "JWT", "JWT" },
    { "application/jwt", "jwt" },
    { "APPLICATION/jwt", "jwt" },
    { "application/a/b", "application/a/b" },
    { "text/jwt", "text/jwt" },
    { "application", "application" },
    { "", "" },
};

START_TEST(a_type_is_read_without_its_application)
{
    av_jws jws;

    ck_assert(parse(token_of(apr_psprintf(pool, "{\"alg\":\"HS256\",\"typ\":\"%s\"}", types[_i].type)), &jws));
    assert_slice(jws.type, av_slice_of(types[_i].read), types[_i].type);
}
END_TEST

static const char *const bad_headers[] = {
    "",
    "null",
    "[]",
    "[\"HS256\"]",
    "\"HS256\"",
    "HS256",
    "{}",
    "{\"alg\":null}",
    "{\"alg\":256}",
    "{\"alg\":{}}",
    "{\"alg\":[\"HS256\"]}",
    "{\"Alg\":\"HS256\"}",
    "{\"alg\":\"HS256\",\"alg\":\"none\"}",
    "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}",
    "{\"alg\":\"HS256\\u0000\"}",
    "{\"alg\":\"HS256\",\"kid\":null}",
    "{\"alg\":\"HS256\",\"kid\":7}",
    "{\"alg\":\"HS256\",\"typ\":7}",
    "{\"alg\":\"HS256\",\"typ\":null}",
    "{\"alg\":\"HS256\",\"cty\":\"JWT\"}",
    "{\"alg\":\"HS256\",\"cty\":\"application/jwt\"}",
    "{\"alg\":\"HS256\",\"cty\":true}",
    "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
    "{\"alg\":\"HS256\",\"crit\":[]}",
    "{\"alg\":\"HS256\",\"crit\":null}",
    "{\"alg\":\"HS256\",\"crit\":\"alg\"}",
    "{\"alg\":\"HS256\",\"b64\":true}",
    "{\"alg\":\"HS256\",\"b64\":false}",
    "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
    "{\"alg\":\"HS256\"}{}",
    "{\"alg\":\"HS256\",}",
    "{'alg':'HS256'}",
    "/**/{\"alg\":\"HS256\"}",
    "\xef\xbb\xbf{\"alg\":\"HS256\"}",
    "{\"alg\":\"HS256\",\"x\":\"\xff\"}",
    "{\"alg\":\"HS256\",\"x\":\"\xed\xa0\x80\"}",
    "{\"alg\":\"HS256\",\"x\":1e999}",
};

START_TEST(a_header_that_may_be_read_in_two_ways_is_malformed)
{
    av_jws jws;

    ck_assert_msg(!parse(token_of(bad_headers[_i]), &jws), "%s", bad_headers[_i]);
}
END_TEST

START_TEST(a_header_with_a_nul_is_malformed)
{
    av_jws jws;

    ck_assert(!parse(AV_SLICE("eyJhbGciOiJIUzI1NiIsIngiOjEAfQ.e30.AA"), &jws)); /* {"alg":"HS256","x":1NUL} */
}
END_TEST

START_TEST(a_header_is_not_nested_deeply)
{
    av_jws jws;
    char *deep = apr_palloc(pool, 201);

    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    deep[200] = '\0';
    ck_assert(!parse(token_of(apr_pstrcat(pool, "{\"alg\":\"HS256\",\"x\":", deep, "}", NULL)), &jws));
}
END_TEST

/* "eyJhbGciOiJIUzI1NiJ9" is {"alg":"HS256"}; of its last character two bits are unused. */
static const char *const bad_texts[] = {
    "eyJhbGciOiJIUzI1NiJ9.e30",        "eyJhbGciOiJIUzI1NiJ9.e30.",     "eyJhbGciOiJIUzI1NiJ9..AA",
    "eyJhbGciOiJIUzI1NiJ9.e30.AA=",    "eyJhbGciOiJIUzI1NiJ9=.e30.AA",  "eyJhbGciOiJIUzI1NiJ9.e30.AB",
    "eyJhbGciOiJIUzI1NiJ9.e30.A",      "eyJhbGciOiJIUzI1NiJ9.e31.AA",   "eyJhbGciOiJIUzI1NiJ9.e30e3.AA",
    "eyJhbGciOiJIUzI1NiJ.e30.AA",      "eyJhbGciOiJIUzI1NiJ9.e30.AA\n", "eyJhbGciOiJIUzI1NiJ9.e30.AA.AA",
    "eyJhbGciOiJIUzI1NiJ9.e30.AA.A.A",
};

START_TEST(a_token_is_base64url_to_the_letter)
{
    av_jws jws;

    ck_assert(parse(AV_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.AA"), &jws));
    ck_assert_msg(!parse(av_slice_of(bad_texts[_i]), &jws), "%s", bad_texts[_i]);
}
END_TEST

START_TEST(a_token_is_no_longer_than_its_limit)
{
    av_jws jws;
    av_slice head = AV_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.");
    char *text = apr_palloc(pool, AV_MAX_JWS_BYTES + 4);

    memset(text, 'A', AV_MAX_JWS_BYTES + 4);
    memcpy(text, head.at, head.len);
    ck_assert(parse((av_slice){ text, AV_MAX_JWS_BYTES }, &jws) ||
              parse((av_slice){ text, AV_MAX_JWS_BYTES - 1 }, &jws));
    for (apr_size_t i = 1; i <= 4; i++) {
        ck_assert(!parse((av_slice){ text, AV_MAX_JWS_BYTES + i }, &jws));
    }
}
END_TEST

static av_jws_key key_of(const char *name)
{
    av_jwk_set set;
    const char *alg = apr_psprintf(pool, ",\"alg\":\"%s\"", name);
    apr_array_header_t *algorithms = apr_array_make(pool, 1, sizeof(av_jws_algorithm *));

    *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(av_slice_of(name));
    ck_assert_ptr_null(av_jwk_set_read(jose_jwk(name, alg, pool), algorithms, av_crypto_create(pool), &set, pool));
    ck_assert_uint_eq(set.count, 1);
    return set.keys[0];
}

START_TEST(a_token_is_proven_under_the_algorithm_of_its_key)
{
    av_jws jws;
    av_jws_key key = key_of("RS256"), ed25519 = key_of("EdDSA");

    ck_assert(parse(jose_plain_token("RS256", "{}", pool), &jws));
    ck_assert_int_eq(av_jws_verify(&jws, &key), AV_JWS_RIGHT);
    ck_assert(parse(jose_token("RS256", "{\"alg\":\"PS256\"}", "{}", pool), &jws));
    ck_assert_int_eq(av_jws_verify(&jws, &key), AV_JWS_WRONG);
    ck_assert(parse(jose_token("RS256", "{\"alg\":\"rs256\"}", "{}", pool), &jws));
    ck_assert_int_eq(av_jws_verify(&jws, &key), AV_JWS_WRONG);
    ck_assert(parse(jose_token("RS256", "{\"alg\":\"none\"}", "{}", pool), &jws));
    ck_assert_int_eq(av_jws_verify(&jws, &key), AV_JWS_WRONG);
    ck_assert(parse(jose_plain_token("Ed25519", "{}", pool), &jws));
    ck_assert_int_eq(av_jws_verify(&jws, &ed25519), AV_JWS_RIGHT);
    ck_assert_int_eq(av_jws_verify(&jws, &key), AV_JWS_WRONG);
}
END_TEST

static const struct {
    const char *text;
    bool is_object;
} payloads[] = {
    { "{}", true },         { " {\"a\":1}\n", true },
    { "[]", false },        { "null", false },
    { "\"a\"", false },     { "1", false },
    { "{", false },         { "{}{}", false },
    { "", false },          { "{\"a\":1,\"a\":2}", false },
    { "\xff\xfe{", false },
};

START_TEST(a_payload_is_an_object)
{
    av_jws jws;
    av_slice token = jose_plain_token("HS256", *payloads[_i].text ? payloads[_i].text : " ", pool);

    ck_assert(parse(token, &jws));
    ck_assert_int_eq(av_jws_claims(jws.payload, pool) != NULL, payloads[_i].is_object);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("jws");
    TCase *tests = suite_case(suite, "jws");

    jose_create_keys();
    tcase_add_loop_test(tests, three_parts_of_base64url_are_the_form, 0, ROWS(forms));
    tcase_add_test(tests, a_header_is_read);
    tcase_add_loop_test(tests, a_type_is_read_without_its_application, 0, ROWS(types));
    tcase_add_loop_test(tests, a_header_that_may_be_read_in_two_ways_is_malformed, 0, ROWS(bad_headers));
    tcase_add_test(tests, a_header_with_a_nul_is_malformed);
    tcase_add_test(tests, a_header_is_not_nested_deeply);
    tcase_add_loop_test(tests, a_token_is_base64url_to_the_letter, 0, ROWS(bad_texts));
    tcase_add_test(tests, a_token_is_no_longer_than_its_limit);
    tcase_add_test(tests, a_token_is_proven_under_the_algorithm_of_its_key);
    tcase_add_loop_test(tests, a_payload_is_an_object, 0, ROWS(payloads));
    return suite;
}
