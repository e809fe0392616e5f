/* Tokens: who gets one, what it says, and what a refused client is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/jws.h"
#include "issue/grant.h"
#include "support/clients.h"
#include "support/jose_builder.h"

#include <apr_strings.h>
#include <stdlib.h>

#define LINE "clients=file:c issuer=https://id.example audience=https://api.example key=env:ES256 algorithm=ES256 "

static const char *const lines = "a n:plain:one m:plain:two;expires=2026-01-02 scopes=r,w\n"
                                 "b plain:bee user=Bea org=acme environment=test\n"
                                 "far plain:far from=192.0.2.0/24\n"
                                 "old plain:old expires=2026-01-02\n"
                                 "soon plain:soon expires=2026-01-02T00:05:00Z\n"
                                 "other plain:other schemes=bearer\n"
                                 "this plain:this schemes=client-credentials\n"
                                 "post plain:post methods=POST paths=/t";

static av_issuer issuer;

static void compile(const char *more)
{
    av_words words;
    const char *error = av_words_split(apr_pstrcat(pool, "AuthVerifyToken " LINE, more, NULL), &words, pool);

    use_clients(lines);
    setenv("ES256", jose_private("ES256", pool).at, 1);
    error = error ? error : av_issuer_compile(&words, &compiler, &issuer);
    ck_assert_msg(!error, "%s", error);
}

static const av_request request = {
    .method = AV_SLICE("POST"), .path = AV_SLICE("/t"), .place = AV_SLICE("/t"), .received_at = RECEIVED_AT
};

static av_grant decide_for(const char *id, const char *secret, const char *scope)
{
    av_token_request asked = { .form = AV_FORM_OAUTH,
                               .client_id = tight_copy(av_slice_of(id)),
                               .client_secret = tight_copy(av_slice_of(secret)),
                               .scope = av_slice_of(scope) };
    av_grant grant = av_grant_decide(&issuer, &asked, &request, pool);

    ck_assert_ptr_eq(grant.verdict.rule, issuer.door);
    ck_assert_int_eq(grant.verdict.client != NULL, grant.verdict.reason == AV_ACCEPTED);
    ck_assert_int_eq(grant.verdict.record != NULL, grant.verdict.reason == AV_ACCEPTED);
    note_reason(grant.verdict.reason);
    return grant;
}

static const struct {
    const char *more, *id, *secret, *scope;
    av_reason reason;
    const char *scopes;
} rows[] = {
    { "", "a", "one", "", AV_ACCEPTED, "r,w" },
    { "", "a", "one", "w", AV_ACCEPTED, "w" },
    { "", "a", "one", "w r w", AV_ACCEPTED, "w,r" },
    { "scopes=w,x", "a", "one", "", AV_ACCEPTED, "w" },
    { "scopes=x", "a", "one", "", AV_ACCEPTED, "" },
    { "scopes=w,x", "a", "one", "r", AV_SCOPE_NOT_ALLOWED, "" },
    { "scopes=w,x", "a", "one", "x", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "a", "one", "r x", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "a", "one", "r  w", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "a", "one", " ", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "a", "one", "r,w", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "a", "one", "R", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "b", "bee", "r", AV_SCOPE_NOT_ALLOWED, "" },
    { "", "b", "bee", "", AV_ACCEPTED, "" },
    { "", "a", "two", "", AV_WRONG_SECRET, "" },
    { "", "a", "bee", "", AV_WRONG_SECRET, "" },
    { "", "a", "on", "", AV_WRONG_SECRET, "" },
    { "", "A", "one", "", AV_UNKNOWN_CLIENT, "" },
    { "", "nobody", "nobody's", "", AV_UNKNOWN_CLIENT, "" },
    { "", "far", "far", "", AV_NETWORK_REFUSED, "" },
    { "", "old", "old", "", AV_CLIENT_EXPIRED, "" },
    { "", "old", "young", "", AV_WRONG_SECRET, "" },
    { "", "other", "other", "", AV_SCHEME_NOT_ALLOWED, "" },
    { "", "this", "this", "", AV_ACCEPTED, "" },
    { "", "post", "post", "", AV_ACCEPTED, "" },
    { "environment=test", "b", "bee", "", AV_ACCEPTED, "" },
    { "environment=live", "b", "bee", "", AV_CLIENT_NOT_ALLOWED, "" },
    { "environment=test", "a", "one", "", AV_CLIENT_NOT_ALLOWED, "" },
    { "org=other", "b", "bee", "", AV_CLIENT_NOT_ALLOWED, "" },
};

START_TEST(who_gets_a_token)
{
    compile(rows[_i].more);
    av_grant grant = decide_for(rows[_i].id, rows[_i].secret, rows[_i].scope);
    assert_reason(grant.verdict.reason, rows[_i].reason, rows[_i].id);
    if (grant.verdict.reason == AV_ACCEPTED) {
        assert_slice(grant.scopes, av_slice_of(rows[_i].scopes), rows[_i].id);
    }
}
END_TEST

static const char *payload_of(const char *id, const char *secret, av_grant *grant)
{
    av_jws jws;

    *grant = decide_for(id, secret, "");
    ck_assert(av_jws_parse(av_grant_token(grant, &issuer, RECEIVED_AT, pool), &jws, pool));
    return av_slice_string(jws.payload, pool);
}

START_TEST(a_token_says_who_and_what_for)
{
    av_grant grant;
    const char *payload;

    compile("");
    payload = payload_of("a", "one", &grant);
    assert_sentence(payload, "{\"iss\":\"https://id.example\",\"sub\":\"a\",\"aud\":\"https://api.example\","
                             "\"exp\":1767312600,\"iat\":1767312000,\"jti\":\"");
    assert_sentence(payload, "\",\"client_id\":\"a\",\"scope\":\"r w\"}");
    assert_sentence(payload_of("b", "bee", &grant), "\"sub\":\"Bea\"");
    assert_sentence(payload_of("b", "bee", &grant), "\"client_id\":\"b\",\"environment\":\"test\",\"org\":\"acme\"}");
    ck_assert_str_eq(grant.verdict.client, "Bea");
    ck_assert_str_eq(grant.verdict.proven, "b");
    assert_sentence(payload_of("soon", "soon", &grant), "\"exp\":1767312300,");
}
END_TEST

START_TEST(several_audiences_are_a_list)
{
    av_grant grant;

    compile("");
    issuer.audience = AV_SLICE("https://a,https://b");
    assert_sentence(payload_of("a", "one", &grant), "\"aud\":[\"https://a\",\"https://b\"]");
}
END_TEST

START_TEST(an_answer_holds_the_token)
{
    av_grant grant;

    compile("");
    grant = decide_for("a", "one", "w r");
    assert_slice(
        av_grant_answer(&grant, AV_SLICE("x.y.z"), RECEIVED_AT, pool),
        AV_SLICE("{\"access_token\":\"x.y.z\",\"token_type\":\"Bearer\",\"expires_in\":600,\"scope\":\"w r\"}"),
        "answer");
    grant = decide_for("soon", "soon", "");
    assert_slice(av_grant_answer(&grant, AV_SLICE("x.y.z"), RECEIVED_AT, pool),
                 AV_SLICE("{\"access_token\":\"x.y.z\",\"token_type\":\"Bearer\",\"expires_in\":300}"), "answer");
    assert_slice(av_grant_answer(&grant, AV_SLICE(""), RECEIVED_AT, pool), AV_SLICE(""), "no token");
}
END_TEST

/* A name that JSON cannot hold, or no key to sign with: no token rather than another one. */
START_TEST(what_cannot_be_written_is_no_token)
{
    compile("");
    av_grant grant = decide_for("a", "one", "");
    av_client_record record = *grant.verdict.record;

    record.id = "\xff";
    grant.verdict.record = &record;
    ck_assert_uint_eq(av_grant_token(&grant, &issuer, RECEIVED_AT, pool).len, 0);
    record.id = "a";
    ck_assert_uint_gt(av_grant_token(&grant, &issuer, RECEIVED_AT, pool).len, 0);
    issuer.key_count = 0;
    ck_assert_uint_eq(av_grant_token(&grant, &issuer, RECEIVED_AT, pool).len, 0);
}
END_TEST

START_TEST(before_the_body_transport_network_and_method_are_looked_at)
{
    av_request get = request, legacy = request;

    get.method = AV_SLICE("GET");
    compile("");
    ck_assert_int_eq(av_grant_open(&issuer, &request, true, pool), AV_ACCEPTED);
    ck_assert_int_eq(av_grant_open(&issuer, &request, false, pool), AV_INSECURE_TRANSPORT);
    ck_assert_int_eq(av_grant_open(&issuer, &get, true, pool), AV_METHOD_REFUSED);
    compile("insecure=on");
    ck_assert_int_eq(av_grant_open(&issuer, &request, false, pool), AV_ACCEPTED);
    legacy.method = AV_SLICE("GET");
    legacy.query = AV_SLICE("secret=b");
    ck_assert_int_eq(av_grant_open(&issuer, &legacy, true, pool), AV_METHOD_REFUSED);
    compile("legacy=EN");
    ck_assert_int_eq(av_grant_open(&issuer, &legacy, true, pool), AV_ACCEPTED);
    ck_assert_int_eq(av_grant_open(&issuer, &legacy, false, pool), AV_INSECURE_TRANSPORT);
    ck_assert_int_eq(av_grant_open(&issuer, &get, true, pool), AV_METHOD_REFUSED);
    assert_slice(av_grant_legacy_answer(&issuer, AV_SLICE("x.y.z"), pool),
                 AV_SLICE("{\"Value\":\"x.y.z\",\"AuthHeader\":\"EN x.y.z\"}"), "answer");
    assert_slice(av_grant_legacy_answer(&issuer, AV_SLICE(""), pool), AV_SLICE(""), "no token");
    compile("from=192.0.2.0/24");
    ck_assert_int_eq(av_grant_open(&issuer, &request, true, pool), AV_NETWORK_REFUSED);
}
END_TEST

static const struct {
    av_reason reason;
    int status;
    const char *code;
} errors[] = {
    { AV_NOT_PRESENTED, 401, "invalid_client" },
    { AV_MALFORMED_CREDENTIAL, 401, "invalid_client" },
    { AV_UNKNOWN_CLIENT, 401, "invalid_client" },
    { AV_WRONG_SECRET, 401, "invalid_client" },
    { AV_AMBIGUOUS_CREDENTIAL, 400, "invalid_request" },
    { AV_MALFORMED_TOKEN_REQUEST, 400, "invalid_request" },
    { AV_MALFORMED_REQUEST, 400, "invalid_request" },
    { AV_BODY_TOO_LARGE, 413, "invalid_request" },
    { AV_BODY_TOO_SLOW, 408, "invalid_request" },
    { AV_METHOD_REFUSED, 405, "invalid_request" },
    { AV_UNSUPPORTED_GRANT, 400, "unsupported_grant_type" },
    { AV_SCOPE_NOT_ALLOWED, 400, "invalid_scope" },
    { AV_CLIENT_EXPIRED, 400, "unauthorized_client" },
    { AV_SCHEME_NOT_ALLOWED, 400, "unauthorized_client" },
    { AV_CLIENT_NOT_ALLOWED, 400, "unauthorized_client" },
    { AV_NETWORK_REFUSED, 403, "unauthorized_client" },
    { AV_INSECURE_TRANSPORT, 403, "unauthorized_client" },
    { AV_STORE_UNAVAILABLE, 503, "temporarily_unavailable" },
    { AV_INTERNAL_ERROR, 500, "server_error" },
    { AV_UNDECIDED, 500, "server_error" },
};

START_TEST(a_refusal_has_its_error)
{
    av_token_error error = av_token_error_of(errors[_i].reason);

    ck_assert_str_eq(error.code, errors[_i].code);
    ck_assert_int_eq(error.status, errors[_i].status);
    assert_sentence(av_token_error_answer(errors[_i].reason, pool).at,
                    apr_pstrcat(pool, "{\"error\":\"", error.code, "\",\"error_description\":\"", NULL));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("grant");
    TCase *tests = trial_case(suite, "tokens");

    jose_create_keys();
    tcase_add_loop_test(tests, who_gets_a_token, 0, ROWS(rows));
    tcase_add_test(tests, a_token_says_who_and_what_for);
    tcase_add_test(tests, several_audiences_are_a_list);
    tcase_add_test(tests, an_answer_holds_the_token);
    tcase_add_test(tests, what_cannot_be_written_is_no_token);
    tcase_add_test(tests, before_the_body_transport_network_and_method_are_looked_at);
    tcase_add_loop_test(tests, a_refusal_has_its_error, 0, ROWS(errors));
    return suite;
}
