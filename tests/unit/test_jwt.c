/* The jwt scheme: what its options may say, which token is whose, and for what each of the others is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/token.h"
#include "support/jose_builder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define ISSUER "https://issuer.example/"
#define SAID " issuer=" ISSUER " audience=api"
#define RULE "jwt keys=env:KEYS algorithms=RS256" SAID
#define NOW RECEIVED_SECOND

static void set_keys(void)
{
    const char *set = apr_pstrcat(pool, "{\"keys\":[", jose_jwk("RS256", ",\"kid\":\"r\",\"alg\":\"RS256\"", pool).at,
                                  ",", jose_jwk("ES256", ",\"kid\":\"e\"", pool).at, ",",
                                  jose_jwk("EdDSA", ",\"kid\":\"o\"", pool).at, "]}", NULL);
    setenv("KEYS", set, 1);
    setenv("PEM", jose_pem("RS256", pool).at, 1);
    setenv("SHARED", JOSE_SECRET, 1);
    setenv("OCT", jose_jwk("HS256", ",\"kid\":\"h\"", pool).at, 1);
    setenv("PRIVATE", jose_jwk("RS256", ",\"d\":\"AQAB\"", pool).at, 1);
    setenv("SMALL", "{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", 1);
    setenv("NOTHING", "{\"keys\":[]}", 1);
}

/* The claims of a token that RULE takes; `more` begins with a comma or is empty. */
static const char *claims_of(const char *more)
{
    return apr_psprintf(pool, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"alice\",\"exp\":%d%s}", NOW + 60,
                        more);
}

static const char *request_with(av_slice token)
{
    return apr_psprintf(pool, "GET / HTTP/1.1\nAuthorization: Bearer %s\n\n", token.at);
}

static av_reason reason_for(const char *rule, const char *header, const char *claims)
{
    return reason_of(rule, request_with(jose_token("RS256", header, claims, pool)));
}

/* What only its own token is right for. */
static const struct {
    const char *algorithm, *rule;
} accepted[] = {
    { "RS256", RULE },
    { "RS256", "jwt keys=env:PEM algorithms=RS256" SAID },
    { "PS384", "jwt keys=env:PEM algorithms=PS384" SAID },
    { "ES256", "jwt keys=env:KEYS algorithms=ES256,RS256" SAID },
    { "EdDSA", "jwt keys=env:KEYS algorithms=EdDSA" SAID },
    { "Ed25519", "jwt keys=env:KEYS algorithms=Ed25519,EdDSA" SAID },
    { "HS256", "jwt keys=env:OCT algorithms=HS256" SAID },
    { "HS256", "jwt secret=env:SHARED algorithms=HS256" SAID },
    { "HS512", "jwt secret=env:SECOND secret=env:SHARED algorithms=HS512" SAID },
};

START_TEST(a_token_is_accepted_under_its_algorithm)
{
    setenv("SECOND", "another secret that is as long as the longest hash is: 64 bytes.", 1);
    av_slice token = jose_plain_token(accepted[_i].algorithm, claims_of(""), pool);
    built_request request = request_of(request_with(token));
    av_verdict verdict = decide(policy_of(accepted[_i].rule), &request);

    assert_reason(verdict.reason, AV_ACCEPTED, accepted[_i].rule);
    ck_assert_str_eq(verdict.client, "alice");
    ck_assert_ptr_nonnull(verdict.token);
    for (int i = 0; i < ROWS(accepted); i++) {
        if (strstr(accepted[_i].rule, accepted[i].algorithm) == NULL) {
            request = request_of(request_with(jose_plain_token(accepted[i].algorithm, claims_of(""), pool)));
            assert_reason(decide(policy_of(accepted[_i].rule), &request).reason, AV_ALGORITHM_NOT_ALLOWED,
                          accepted[i].algorithm);
        }
    }
}
END_TEST

START_TEST(a_changed_token_is_refused)
{
    av_slice token = jose_plain_token("RS256", claims_of(""), pool);
    char *at = strrchr(token.at, '.') + 5;

    *at = *at == 'A' ? 'B' : 'A';
    assert_reason(reason_of(RULE, request_with(token)), AV_WRONG_SIGNATURE, "signature");
    token = jose_plain_token("RS256", claims_of(""), pool);
    at = strchr(token.at, '.') + 5;
    *at = *at == 'A' ? 'B' : 'A';
    assert_reason(reason_of(RULE, request_with(token)), AV_WRONG_SIGNATURE, "payload");
}
END_TEST

static const struct {
    const char *header;
    av_reason reason;
} headers[] = {
    { "{\"alg\":\"RS256\"}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"kid\":\"r\"}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"typ\":\"application/AT+JWT\"}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"zip\":\"DEF\",\"jku\":\"https://example.com/\",\"jwk\":{\"kty\":\"oct\"}}", AV_ACCEPTED },
    { "{\"alg\":\"RS256\",\"kid\":\"R\"}", AV_UNKNOWN_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"e\"}", AV_UNKNOWN_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"\"}", AV_UNKNOWN_KEY },
    { "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", AV_UNKNOWN_KEY },
    { "{\"alg\":\"none\"}", AV_ALGORITHM_NOT_ALLOWED },
    { "{\"alg\":\"rs256\"}", AV_ALGORITHM_NOT_ALLOWED },
    { "{\"alg\":\"ES256\"}", AV_ALGORITHM_NOT_ALLOWED },
    { "{\"alg\":\"HS256\"}", AV_ALGORITHM_NOT_ALLOWED },
    { "{\"alg\":\"\"}", AV_ALGORITHM_NOT_ALLOWED },
    { "{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", AV_WRONG_TOKEN_TYPE },
    { "{\"alg\":\"RS256\",\"typ\":\"secevent+jwt\"}", AV_WRONG_TOKEN_TYPE },
    { "{\"alg\":\"RS256\",\"typ\":\"\"}", AV_WRONG_TOKEN_TYPE },
    { "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", AV_MALFORMED_CREDENTIAL },
    { "{\"alg\":\"RS256\",\"kid\":null}", AV_MALFORMED_CREDENTIAL },
    { "[]", AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_header_chooses_among_what_is_configured)
{
    assert_reason(reason_for(RULE, headers[_i].header, claims_of("")), headers[_i].reason, headers[_i].header);
}
END_TEST

static const struct {
    const char *type, *option;
    av_reason reason;
} types[] = {
    { ",\"typ\":\"at+jwt\"", "at+jwt", AV_ACCEPTED },
    { ",\"typ\":\"AT+JWT\"", "JWT,at+jwt", AV_ACCEPTED },
    { ",\"typ\":\"logout+jwt\"", "logout+jwt", AV_ACCEPTED },
    { ",\"typ\":\"JWT\"", "at+jwt", AV_WRONG_TOKEN_TYPE },
    { "", "at+jwt", AV_WRONG_TOKEN_TYPE },
    { "", "JWT", AV_WRONG_TOKEN_TYPE },
};

START_TEST(a_token_is_of_a_type_that_is_asked_for)
{
    const char *rule = apr_pstrcat(pool, RULE " type=", types[_i].option, NULL);
    const char *header = apr_psprintf(pool, "{\"alg\":\"RS256\"%s}", types[_i].type);

    assert_reason(reason_for(rule, header, claims_of("")), types[_i].reason, header);
}
END_TEST

/* %d is now, moved by the row's seconds. `more` stands after the other claims. */
static const struct {
    const char *options, *more;
    int seconds;
    av_reason reason;
} times[] = {
    { "", ",\"nbf\":%d", 30, AV_ACCEPTED },
    { "", ",\"nbf\":%d", 31, AV_TOO_EARLY },
    { "", ",\"nbf\":%d.5", 30, AV_TOO_EARLY },
    { "", ",\"iat\":%d", 30, AV_ACCEPTED },
    { "", ",\"iat\":%d", 31, AV_TOO_EARLY },
    { "", ",\"iat\":%d", -900000, AV_ACCEPTED },
    { " tolerance=0", ",\"nbf\":%d", 0, AV_ACCEPTED },
    { " tolerance=0", ",\"nbf\":%d", 1, AV_TOO_EARLY },
    { " tolerance=0:5", ",\"nbf\":%d", 5, AV_ACCEPTED },
    { " tolerance=5:0", ",\"nbf\":%d", 1, AV_TOO_EARLY },
    { " max-age=300", ",\"iat\":%d", -330, AV_ACCEPTED },
    { " max-age=300", ",\"iat\":%d", -331, AV_TOKEN_EXPIRED },
    { " max-age=300", ",\"n\":%d", 0, AV_UNFIT_CLAIM },
    { " max-lifetime=120", ",\"iat\":%d", -60, AV_ACCEPTED },
    { " max-lifetime=120", ",\"iat\":%d", -61, AV_UNFIT_CLAIM },
    { " max-lifetime=120", ",\"n\":%d", 0, AV_UNFIT_CLAIM },
};

START_TEST(a_token_is_in_force_for_its_time)
{
    const char *more = apr_psprintf(pool, times[_i].more, NOW + times[_i].seconds);
    const char *rule = apr_pstrcat(pool, RULE, times[_i].options, NULL);

    assert_reason(reason_for(rule, "{\"alg\":\"RS256\"}", claims_of(more)), times[_i].reason, more);
}
END_TEST

static const struct {
    const char *options, *end;
    av_reason reason;
} ends[] = {
    { "", "1767311971", AV_ACCEPTED }, /* 29 seconds ago */
    { "", "1767311970", AV_TOKEN_EXPIRED },
    { " tolerance=0", "1767312001", AV_ACCEPTED },
    { " tolerance=0", "1767312000", AV_TOKEN_EXPIRED },
    { " tolerance=0", "1767312000.9", AV_TOKEN_EXPIRED },
    { " tolerance=0", "1767312001.1", AV_ACCEPTED },
    { " tolerance=0:60", "1767312000", AV_TOKEN_EXPIRED },
    { "", "4102444800.0e0", AV_ACCEPTED },
    { "", "1e300", AV_ACCEPTED },
    { "", "9223372036854775807", AV_ACCEPTED },
    { "", "-1", AV_TOKEN_EXPIRED },
    { "", "-1e300", AV_TOKEN_EXPIRED },
    { "", "-9223372036854775808", AV_TOKEN_EXPIRED },
    { "", "0", AV_TOKEN_EXPIRED },
    { "", "\"4102444800\"", AV_UNFIT_CLAIM },
    { "", "null", AV_UNFIT_CLAIM },
    { "", "true", AV_UNFIT_CLAIM },
    { "", "[4102444800]", AV_UNFIT_CLAIM },
    { "", "{}", AV_UNFIT_CLAIM },
    { " require=none", "null", AV_UNFIT_CLAIM },
    { "", "1e999", AV_MALFORMED_CREDENTIAL },
    { "", "04102444800", AV_MALFORMED_CREDENTIAL },
    { "", "NaN", AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_token_ends)
{
    const char *rule = apr_pstrcat(pool, RULE, ends[_i].options, NULL);
    const char *claims =
        apr_psprintf(pool, "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"alice\",\"exp\":%s}", ends[_i].end);

    assert_reason(reason_for(rule, "{\"alg\":\"RS256\"}", claims), ends[_i].reason, ends[_i].end);
}
END_TEST

#define END "\"exp\":4102444800"
#define FROM "\"iss\":\"" ISSUER "\""
#define TO "\"aud\":\"api\""

static const struct {
    const char *options, *claims;
    av_reason reason;
} rows[] = {
    { "", "{" FROM "," TO "," END "}", AV_ACCEPTED },
    { "", "{" FROM "," TO "}", AV_UNFIT_CLAIM },
    { " require=none", "{" FROM "," TO "}", AV_ACCEPTED },
    { " require=exp,sub", "{" FROM "," TO "," END "}", AV_UNFIT_CLAIM },
    { " require=exp,sub", "{" FROM "," TO "," END ",\"sub\":\"a\"}", AV_ACCEPTED },
    { " require=tenant", "{" FROM "," TO ",\"tenant\":null}", AV_UNFIT_CLAIM },
    { " require=tenant", "{" FROM "," TO ",\"tenant\":0}", AV_ACCEPTED },
    { "", "{" TO "," END "}", AV_WRONG_ISSUER },
    { "", "{\"iss\":\"https://issuer.example\"," TO "," END "}", AV_WRONG_ISSUER },
    { "", "{\"iss\":\"https://ISSUER.example/\"," TO "," END "}", AV_WRONG_ISSUER },
    { "", "{\"iss\":\"" ISSUER "x\"," TO "," END "}", AV_WRONG_ISSUER },
    { "", "{\"iss\":\"\"," TO "," END "}", AV_WRONG_ISSUER },
    { "", "{\"iss\":[\"" ISSUER "\"]," TO "," END "}", AV_UNFIT_CLAIM },
    { "", "{\"iss\":7," TO "," END "}", AV_UNFIT_CLAIM },
    { "", "{\"iss\":null," TO "," END "}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":[\"other\",\"api\"]," END "}", AV_ACCEPTED },
    { "", "{" FROM ",\"aud\":\"API\"," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":\"ap\"," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":\"api2\"," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":\"api other\"," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":\"\"," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":[]," END "}", AV_WRONG_AUDIENCE },
    { "", "{" FROM ",\"aud\":[\"api\",7]," END "}", AV_UNFIT_CLAIM },
    { "", "{" FROM ",\"aud\":[[\"api\"]]," END "}", AV_UNFIT_CLAIM },
    { "", "{" FROM ",\"aud\":{\"api\":1}," END "}", AV_UNFIT_CLAIM },
    { "", "{" FROM ",\"aud\":null," END "}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"sub\":7}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"sub\":\"\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"sub\":null}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"sub\":\"a\\r\\nb\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"sub\":\"a\\u0085b\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"client_id\":[]}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"azp\":1}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"jti\":1}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"nbf\":\"1\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"nbf\":null}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"iat\":\"1\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"scope\":7}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"scope\":[\"a\",7]}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"scope\":\"read,admin\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"scope\":\"a  b\"}", AV_UNFIT_CLAIM },
    { "", "{" FROM "," TO "," END ",\"scope\":\"\"}", AV_ACCEPTED },
    { "", "{" FROM "," TO "," END ",\"cnf\":{\"jkt\":\"x\"}}", AV_UNPROVEN_BINDING },
    { "", "{" FROM "," TO "," END ",\"cnf\":null}", AV_UNPROVEN_BINDING },
    { "", "{" FROM "," TO "," END ",\"note\":\"a\\r\\nb\"}", AV_ACCEPTED },
    { "", "{" FROM "," TO "," END ",\"sub\":\"a\",\"sub\":\"b\"}", AV_MALFORMED_CREDENTIAL },
    { "", "[]", AV_MALFORMED_CREDENTIAL },
    { "", "\"a\"", AV_MALFORMED_CREDENTIAL },
    { "", "null", AV_MALFORMED_CREDENTIAL },
    { "", "{}", AV_UNFIT_CLAIM },
};

START_TEST(a_claim_is_of_its_one_type_and_as_the_rule_says)
{
    const char *rule = apr_pstrcat(pool, RULE, rows[_i].options, NULL);

    assert_reason(reason_for(rule, "{\"alg\":\"RS256\"}", rows[_i].claims), rows[_i].reason, rows[_i].claims);
}
END_TEST

START_TEST(issuer_and_audience_can_be_left_open_aloud)
{
    const char *anybody = "jwt keys=env:KEYS algorithms=RS256 issuer=off audience=off";
    const char *two = "jwt keys=env:KEYS algorithms=RS256 issuer=off audience=a,b";

    assert_reason(reason_for(anybody, "{\"alg\":\"RS256\"}", "{" END "}"), AV_ACCEPTED, "neither");
    assert_reason(reason_for(anybody, "{\"alg\":\"RS256\"}", "{\"aud\":7," END "}"), AV_UNFIT_CLAIM, "type");
    assert_reason(reason_for(two, "{\"alg\":\"RS256\"}", "{\"aud\":\"b\"," END "}"), AV_ACCEPTED, "second");
    assert_reason(reason_for(two, "{\"alg\":\"RS256\"}", "{\"aud\":\"a,b\"," END "}"), AV_WRONG_AUDIENCE, "list");
}
END_TEST

static const struct {
    const char *options, *more, *client;
} identities[] = {
    { "", ",\"sub\":\"alice\",\"client_id\":\"app\"", "alice" },
    { "", ",\"client_id\":\"app\",\"azp\":\"party\"", "app" },
    { "", ",\"azp\":\"party\"", "party" },
    { "", "", "jwt" },
    { " identity=partner", "", "partner" },
    { " identity=partner", ",\"sub\":\"J\xc3\xbcrgen\"", "J\xc3\xbcrgen" },
};

START_TEST(a_token_says_who_it_is_for)
{
    const char *claims = apr_pstrcat(pool, "{" FROM "," TO "," END ",\"jti\":\"7\"", identities[_i].more, "}", NULL);
    av_slice token = jose_plain_token("RS256", claims, pool);
    built_request request = request_of(request_with(token));
    av_verdict verdict = decide(policy_of(apr_pstrcat(pool, RULE, identities[_i].options, NULL)), &request);

    assert_reason(verdict.reason, AV_ACCEPTED, claims);
    ck_assert_str_eq(verdict.client, identities[_i].client);
    ck_assert_str_eq(verdict.label, "r");
    assert_slice(verdict.id, AV_SLICE("7"), "jti");
}
END_TEST

START_TEST(a_name_is_not_too_long)
{
    char *name = apr_palloc(pool, 258);

    memset(name, 'a', 257);
    name[257] = '\0';
    assert_reason(
        reason_for(RULE, "{\"alg\":\"RS256\"}", apr_psprintf(pool, "{" FROM "," TO "," END ",\"sub\":\"%s\"}", name)),
        AV_UNFIT_CLAIM, "257");
    assert_reason(reason_for(RULE, "{\"alg\":\"RS256\"}",
                             apr_psprintf(pool, "{" FROM "," TO "," END ",\"sub\":\"%s\"}", name + 1)),
                  AV_ACCEPTED, "256");
}
END_TEST

static const struct {
    const char *more, *list;
} scopes[] = {
    { ",\"scope\":\"read write\"", "read,write" },
    { ",\"scope\":[\"read\",\"write\"]", "read,write" },
    { ",\"scp\":[\"read\"]", "read" },
    { ",\"scope\":\"read\",\"scp\":\"write\"", "read" },
    { "", "" },
};

START_TEST(a_token_says_what_it_is_for)
{
    const char *claims = apr_pstrcat(pool, "{" FROM "," TO "," END, scopes[_i].more, "}", NULL);
    built_request request = request_of(request_with(jose_plain_token("RS256", claims, pool)));
    av_verdict verdict = decide(policy_of(RULE), &request);

    assert_slice(verdict.record->scopes, av_slice_of(scopes[_i].list), claims);
    bool may_read = av_slice_starts_with(av_slice_of(scopes[_i].list), AV_SLICE("read"));
    verdict = decide(policy_of(RULE " scopes=read"), &request);
    assert_reason(verdict.reason, may_read ? AV_ACCEPTED : AV_CLIENT_NOT_ALLOWED, claims);
    verdict = decide(policy_of(RULE " scopes=read,admin"), &request);
    assert_reason(verdict.reason, AV_CLIENT_NOT_ALLOWED, claims);
}
END_TEST

static const struct {
    const char *options, *request; /* %s is the token */
    av_reason reason;
} places[] = {
    { "", "GET / HTTP/1.1\nAuthorization: bEARER %s\n\n", AV_ACCEPTED },
    { "", "GET / HTTP/1.1\nAuthorization: Bearer  %s\n\n", AV_ACCEPTED },
    { "", "GET / HTTP/1.1\nAuthorization: Token %s\n\n", AV_NOT_PRESENTED },
    { "", "GET / HTTP/1.1\nAuthorization: Bearer %s x\n\n", AV_MALFORMED_CREDENTIAL },
    { "", "GET / HTTP/1.1\nAuthorization: Bearer \"%s\"\n\n", AV_MALFORMED_CREDENTIAL },
    { "", "GET / HTTP/1.1\nAuthorization: Bearer\nX-T: %s\n\n", AV_MALFORMED_CREDENTIAL },
    { "", "GET / HTTP/1.1\nAuthorization: Bearer %s\nAuthorization: Bearer x\n\n", AV_AMBIGUOUS_CREDENTIAL },
    { "", "GET /?access_token=%s HTTP/1.1\n\n", AV_NOT_PRESENTED },
    { " prefix=EN,none", "GET / HTTP/1.1\nAuthorization: EN %s\n\n", AV_ACCEPTED },
    { " prefix=EN,none", "GET / HTTP/1.1\nAuthorization: %s\n\n", AV_ACCEPTED },
    { " prefix=EN", "GET / HTTP/1.1\nAuthorization: Bearer %s\n\n", AV_NOT_PRESENTED },
    { " in=header,query:access_token", "GET /?access_token=%s HTTP/1.1\n\n", AV_ACCEPTED },
    { " in=header,query:access_token", "GET / HTTP/1.1\nAuthorization: Bearer %s\n\n", AV_ACCEPTED },
    { " in=header,query:access_token", "GET /?access_token=x HTTP/1.1\nAuthorization: Bearer %s\n\n",
      AV_AMBIGUOUS_CREDENTIAL },
    { " in=query:access_token", "GET /?access_token=%s&access_token=x HTTP/1.1\n\n", AV_AMBIGUOUS_CREDENTIAL },
    { " in=query:access_token", "GET /?access_token= HTTP/1.1\nX-T: %s\n\n", AV_MALFORMED_CREDENTIAL },
    { " in=query:access_token", "GET /?access_token=%%zz HTTP/1.1\nX-T: %s\n\n", AV_MALFORMED_CREDENTIAL },
    { " in=query:access_token", "GET / HTTP/1.1\nAuthorization: Bearer %s\n\n", AV_NOT_PRESENTED },
    { " in=header:X-T", "GET / HTTP/1.1\nX-T: %s\n\n", AV_ACCEPTED },
    { " in=header:X-T", "GET / HTTP/1.1\nX-T: Bearer %s\n\n", AV_MALFORMED_CREDENTIAL },
    { " in=header:X-T", "GET / HTTP/1.1\nX-T: %s\nX-T: x\n\n", AV_AMBIGUOUS_CREDENTIAL },
};

START_TEST(a_token_is_in_one_place)
{
    const char *rule = apr_pstrcat(pool, RULE, places[_i].options, NULL);
    const char *text = apr_psprintf(pool, places[_i].request, jose_plain_token("RS256", claims_of(""), pool).at);

    assert_reason(reason_of(rule, text), places[_i].reason, places[_i].request);
}
END_TEST

/* A rule whose credential is an opaque token stands beside it, in front or behind. */
static const struct {
    const char *first, *second, *credential, *decides;
    av_reason reason;
} divided[] = {
    { "bearer secret=env:SECRET", RULE, NULL, "jwt", AV_ACCEPTED },
    { RULE, "bearer secret=env:SECRET", NULL, "jwt", AV_ACCEPTED },
    { "bearer secret=env:SECRET", RULE, "opaque", "bearer", AV_WRONG_SECRET },
    { RULE, "bearer secret=env:SECRET", "opaque", "bearer", AV_WRONG_SECRET },
    { RULE, "bearer secret=env:SECRET", "a.b", "bearer", AV_WRONG_SECRET },
    { "bearer secret=env:SECRET", RULE, "a.b.c", "jwt", AV_MALFORMED_CREDENTIAL },
    { "bearer secret=env:SECRET prefix=Bearer,EN", RULE, "a.b.c", "jwt", AV_MALFORMED_CREDENTIAL },
    { "bearer secret=env:SECRET exclusive=on", RULE " exclusive=on", NULL, "jwt", AV_ACCEPTED },
    { "bearer secret=env:SECRET exclusive=on", RULE " exclusive=on", "opaque", "bearer", AV_WRONG_SECRET },
    { "api-key secret=env:SECRET in=header:X-Key", RULE, "opaque", "jwt", AV_MALFORMED_CREDENTIAL },
    { "bearer secret=env:SECRET prefix=EN", RULE, "opaque", "jwt", AV_MALFORMED_CREDENTIAL },
};

START_TEST(opaque_tokens_and_signed_ones_divide_a_header)
{
    av_policy *policy = policy_of(divided[_i].first);
    av_slice token =
        divided[_i].credential ? av_slice_of(divided[_i].credential) : jose_plain_token("RS256", claims_of(""), pool);
    built_request request = request_of(request_with(token));

    ck_assert_ptr_null(av_policy_add(policy, rule_of(divided[_i].second), false));
    av_verdict verdict = decide(policy, &request);
    assert_reason(verdict.reason, divided[_i].reason, divided[_i].first);
    ck_assert_str_eq(verdict.rule->name, divided[_i].decides);
}
END_TEST

START_TEST(two_rules_for_signed_tokens_do_not_share_a_header)
{
    av_policy *policy = policy_of(RULE);

    ck_assert_ptr_nonnull(av_policy_add(policy, rule_of(RULE), false));
    ck_assert_ptr_null(av_policy_add(policy, rule_of(RULE " prefix=EN"), false));
    ck_assert_ptr_null(av_policy_add(policy, rule_of("bearer secret=env:SECRET"), false));
    ck_assert_ptr_nonnull(av_policy_add(policy, rule_of("bearer secret=env:SECRET"), false));
}
END_TEST

/* A token without kid is tried with a few keys only, whatever the set holds. */
START_TEST(a_token_is_tried_with_a_few_keys)
{
    const char *others = "";
    for (int i = 0; i < 9; i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        unsigned char point[32];
        size_t size = sizeof(point);
        ck_assert_int_eq(EVP_PKEY_get_raw_public_key(key, point, &size), 1);
        EVP_PKEY_free(key);
        others = apr_pstrcat(pool, others, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"",
                             av_encode(AV_BASE64URL, (av_slice){ (char *)point, 32 }, pool).at, "\"},", NULL);
        const char *own = jose_jwk("EdDSA", ",\"kid\":\"own\"", pool).at;
        setenv("MANY", apr_pstrcat(pool, "{\"keys\":[", others, own, "]}", NULL), 1);
        compiler.loaded = apr_hash_make(pool);
        assert_reason(reason_of("jwt keys=env:MANY algorithms=EdDSA" SAID,
                                request_with(jose_plain_token("EdDSA", claims_of(""), pool))),
                      i < 3 ? AV_ACCEPTED : AV_WRONG_SIGNATURE, own);
    }
}
END_TEST

/* What was remembered last, and for how many was asked. */
static struct {
    av_token_name name;
    char notes[448];
    apr_size_t len;
    apr_time_t expires;
    unsigned asked, kept;
} memory;

static bool recall(void *store, const av_token_name *name, apr_time_t now, void *notes, apr_size_t *len)
{
    (void)store;
    memory.asked++;
    ck_assert_uint_ge(*len, memory.len);
    memcpy(notes, memory.notes, memory.len);
    *len = memory.len;
    return memory.kept && now < memory.expires && memcmp(&memory.name, name, sizeof(*name)) == 0;
}

static void keep(void *store, const av_token_name *name, apr_time_t expires, const void *notes, apr_size_t len)
{
    (void)store;
    memory.kept++;
    memory.name = *name;
    memory.expires = expires;
    memory.len = len;
    ck_assert_uint_le(len, sizeof(memory.notes));
    memcpy(memory.notes, notes, len);
}

static const av_token_memory tokens = { NULL, sizeof(memory.notes), recall, keep };

/* A rule with a memory, and what it says of a token at a time. */
static av_reason reason_at(const av_policy *policy, av_slice token, int seconds, av_verdict *verdict)
{
    built_request request = request_of(request_with(token));

    request.head.received_at += apr_time_from_sec(seconds);
    *verdict = request_decide(policy, &request, pool);
    note_reason(verdict->reason);
    return verdict->reason;
}

START_TEST(a_token_that_was_taken_is_known)
{
    av_verdict verdict, again;
    av_slice text;
    compiler.tokens = &tokens;
    av_policy *policy = policy_of(RULE " scopes=read");
    av_slice token = jose_token("RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}",
                                claims_of(",\"scope\":\"read write\",\"jti\":\"7\",\"email\":\"a@b\""), pool);

    assert_reason(reason_at(policy, token, 0, &verdict), AV_ACCEPTED, "first");
    ck_assert_uint_eq(memory.kept, 1);
    assert_reason(reason_at(policy, token, 0, &again), AV_ACCEPTED, "again");
    ck_assert_uint_eq(memory.kept, 1);
    ck_assert_uint_eq(memory.asked, 2);
    ck_assert_str_eq(again.client, verdict.client);
    ck_assert_str_eq(again.label, "r");
    assert_slice(again.id, AV_SLICE("7"), "jti");
    assert_slice(again.record->scopes, AV_SLICE("read,write"), "scope");
    ck_assert_int_eq(av_token_claim(again.token, "/email", &text, pool), AV_FOUND);
    assert_slice(text, AV_SLICE("a@b"), "email");
}
END_TEST

/* The memory is believed: what it says takes the place of the signature, and of nothing that changes. */
START_TEST(a_token_that_is_known_is_looked_at_all_the_same)
{
    av_verdict verdict;
    compiler.tokens = &tokens;
    av_policy *policy = policy_of(RULE), *other = policy_of(RULE), *narrow = policy_of(RULE " scopes=admin");
    av_slice token = jose_plain_token("RS256", claims_of(",\"nbf\":1767311990"), pool), forged;

    assert_reason(reason_at(policy, token, 0, &verdict), AV_ACCEPTED, "first");
    ck_assert_int_eq(memory.expires == RECEIVED_AT - RECEIVED_AT % APR_USEC_PER_SEC + apr_time_from_sec(90), 1);
    forged = av_slice_join((av_slice){ token.at, token.len - 8 }, AV_SLICE("AAAAAAAA"), pool);
    assert_reason(reason_at(policy, forged, 0, &verdict), AV_WRONG_SIGNATURE, "another token");
    assert_reason(reason_at(policy, token, 89, &verdict), AV_ACCEPTED, "before its end");
    memory.expires += apr_time_from_sec(1000);
    assert_reason(reason_at(policy, token, 90, &verdict), AV_TOKEN_EXPIRED, "after its end");
    assert_reason(reason_at(policy, token, -41, &verdict), AV_TOO_EARLY, "before its beginning");
    ck_assert_uint_eq(memory.kept, 1);
    assert_reason(reason_at(other, token, 0, &verdict), AV_ACCEPTED, "another rule proves it again");
    ck_assert_uint_eq(memory.kept, 2);
    assert_reason(reason_at(narrow, token, 0, &verdict), AV_CLIENT_NOT_ALLOWED, "limits");
}
END_TEST

START_TEST(what_the_memory_says_takes_the_place_of_the_signature)
{
    av_verdict verdict;
    compiler.tokens = &tokens;
    av_policy *policy = policy_of(RULE);
    av_slice token = jose_plain_token("RS256", claims_of(""), pool), forged;

    assert_reason(reason_at(policy, token, 0, &verdict), AV_ACCEPTED, "first");
    forged = av_slice_join((av_slice){ token.at, token.len - 8 }, AV_SLICE("AAAAAAAA"), pool);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ck_assert(av_digest(compiler.crypto->sha256, forged, digest, &size));
    memcpy(memory.name.digest, digest, sizeof(memory.name.digest));
    assert_reason(reason_at(policy, forged, 0, &verdict), AV_ACCEPTED, "as if it had been proven");
}
END_TEST

static const struct {
    const char *options, *claims;
} forgotten[] = {
    { " require=none", "{" FROM "," TO "}" },
    { "", "{" FROM "," TO "," END ",\"sub\":7}" },
    { "", "{" FROM "," TO ",\"exp\":1}" },
    { "", "{" FROM ",\"aud\":\"other\"," END "}" },
    { "", "{" FROM "," TO "," END ",\"cnf\":{}}" },
    { " scopes=read", "{" FROM "," TO ",\"exp\":1,\"scope\":\"read\"}" },
};

START_TEST(a_token_that_is_refused_or_never_ends_is_not_remembered)
{
    av_verdict verdict;
    compiler.tokens = &tokens;
    av_policy *policy = policy_of(apr_pstrcat(pool, RULE, forgotten[_i].options, NULL));

    reason_at(policy, jose_plain_token("RS256", forgotten[_i].claims, pool), 0, &verdict);
    reason_at(policy, AV_SLICE("a.b.c"), 0, &verdict);
    ck_assert_uint_eq(memory.kept, 0);
}
END_TEST

START_TEST(a_token_that_says_much_is_not_remembered)
{
    av_verdict verdict;
    char *scope = apr_palloc(pool, 401);
    compiler.tokens = &tokens;
    av_policy *policy = policy_of(RULE);

    memset(scope, 's', 400);
    scope[400] = '\0';
    av_slice token = jose_plain_token("RS256", claims_of(apr_psprintf(pool, ",\"scope\":\"%s\"", scope)), pool);
    assert_reason(reason_at(policy, token, 0, &verdict), AV_ACCEPTED, "much");
    ck_assert_uint_eq(memory.kept, 0);
    scope[300] = '\0';
    token = jose_plain_token("RS256", claims_of(apr_psprintf(pool, ",\"scope\":\"%s\"", scope)), pool);
    assert_reason(reason_at(policy, token, 0, &verdict), AV_ACCEPTED, "less");
    ck_assert_uint_eq(memory.kept, 1);
}
END_TEST

static const struct {
    const char *line, *part;
} faults[] = {
    { "jwt keys=env:KEYS" SAID, "algorithms= must say" },
    { "jwt keys=env:KEYS algorithms=none" SAID, "\"none\" is none of RS256" },
    { "jwt keys=env:KEYS algorithms=RS256,rs256" SAID, "\"rs256\" is none of" },
    { "jwt keys=env:KEYS algorithms=RS256,HS256" SAID, "keep one kind" },
    { "jwt keys=env:KEYS algorithms=RS256 audience=api", "issuer= must say" },
    { "jwt keys=env:KEYS algorithms=RS256 issuer=" ISSUER, "audience= must say" },
    { "jwt keys=env:KEYS algorithms=RS256 issuer=a,b audience=api", "must be one issuer" },
    { "jwt algorithms=RS256" SAID, "no key is given" },
    { "jwt keys=env:KEYS secret=env:SHARED algorithms=RS256" SAID, "exclude each other" },
    { "jwt keys=env:KEYS algorithms=PS256" SAID, "no key in it serves" },
    { "jwt keys=env:KEYS algorithms=ES384" SAID, "no key in it serves" },
    { "jwt keys=env:NOTHING algorithms=RS256" SAID, "no key in it serves" },
    { "jwt keys=env:SMALL algorithms=RS256" SAID, "key \"small\": its modulus" },
    { "jwt keys=env:PEM algorithms=RS256,PS256" SAID, "one key serves one algorithm" },
    { "jwt keys=env:SHARED algorithms=RS256" SAID, "neither a JSON Web Key" },
    { "jwt keys=env:GONE algorithms=RS256" SAID, "GONE is not set" },
    { "jwt keys=jwks:https://issuer.example/jwks algorithms=RS256" SAID, "cannot be had here" },
    { "jwt keys=jwks:http://issuer.example/jwks algorithms=RS256" SAID, "of the form https://host/path" },
    { "jwt keys=jwks:https:// algorithms=RS256" SAID, "of the form https://host/path" },
    { "jwt keys=jwks:https://user@issuer.example/ algorithms=RS256" SAID, "without user and fragment" },
    { "jwt keys=metadata:https://issuer.example/ algorithms=RS256" SAID, "/.well-known/" },
    { "jwt keys=jwks:https://issuer.example/jwks algorithms=HS256" SAID, "nobody may publish" },
    { "jwt keys=jwks:https://issuer.example/jwks keys-refresh=9 algorithms=RS256" SAID, "ten seconds at least" },
    { "jwt keys=jwks:https://issuer.example/jwks keys-stale=599 algorithms=RS256" SAID, "less than keys-refresh=" },
    { "jwt keys=jwks:https://issuer.example/jwks keys-authorities=/there/is/none algorithms=RS256" SAID, "no file" },
    { "jwt keys=env:SECRET keys-refresh=60 algorithms=RS256" SAID, "are about keys=jwks:" },
    { "jwt secret=env:SHARED algorithms=HS256,HS512" SAID, "one key serves one algorithm" },
    { "jwt secret=env:SECRET algorithms=HS256" SAID, "shorter than the hash" },
    { "jwt secret=env:SHARED algorithms=RS256" SAID, "shorter than the hash" },
    { RULE " clients=file:x", "clients=" },
    { RULE " type=application/at+jwt", "without \"application/\"" },
    { RULE " type=a,,b", "type=" },
    { RULE " require=exp,,sub", "require=" },
    { RULE " max-age=0", "seconds" },
    { RULE " max-age=1s", "seconds" },
    { RULE " max-lifetime=-1", "seconds" },
    { RULE " max-lifetime=99999999999999999999", "seconds" },
    { RULE " in=cookie:token", "must be header" },
    { RULE " in=query:", "must be header" },
    { RULE " in=query:a prefix=EN", "in=header besides" },
    { RULE " prefix=a,b,c,d,e,f,g,h,i", "up to 8 words" },
    { RULE " org=acme", "clients=" },
};

START_TEST(a_mistake_is_told)
{
    assert_sentence(fault_of(faults[_i].line), faults[_i].part);
}
END_TEST

START_TEST(a_key_that_is_not_needed_is_warned_of)
{
    rule_of("jwt keys=env:PRIVATE algorithms=RS256" SAID);
    ck_assert_int_eq(compiler.warnings->nelts, 1);
    assert_sentence(APR_ARRAY_IDX(compiler.warnings, 0, const char *), "PRIVATE holds a secret or a private key");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("jwt");
    TCase *tests = trial_case(suite, "jwt");

    jose_create_keys();
    tcase_add_checked_fixture(tests, set_keys, NULL);
    tcase_add_loop_test(tests, a_token_is_accepted_under_its_algorithm, 0, ROWS(accepted));
    tcase_add_test(tests, a_changed_token_is_refused);
    tcase_add_loop_test(tests, a_header_chooses_among_what_is_configured, 0, ROWS(headers));
    tcase_add_loop_test(tests, a_token_is_of_a_type_that_is_asked_for, 0, ROWS(types));
    tcase_add_loop_test(tests, a_token_is_in_force_for_its_time, 0, ROWS(times));
    tcase_add_loop_test(tests, a_token_ends, 0, ROWS(ends));
    tcase_add_loop_test(tests, a_claim_is_of_its_one_type_and_as_the_rule_says, 0, ROWS(rows));
    tcase_add_test(tests, issuer_and_audience_can_be_left_open_aloud);
    tcase_add_loop_test(tests, a_token_says_who_it_is_for, 0, ROWS(identities));
    tcase_add_test(tests, a_name_is_not_too_long);
    tcase_add_loop_test(tests, a_token_says_what_it_is_for, 0, ROWS(scopes));
    tcase_add_loop_test(tests, a_token_is_in_one_place, 0, ROWS(places));
    tcase_add_loop_test(tests, opaque_tokens_and_signed_ones_divide_a_header, 0, ROWS(divided));
    tcase_add_test(tests, two_rules_for_signed_tokens_do_not_share_a_header);
    tcase_add_test(tests, a_token_is_tried_with_a_few_keys);
    tcase_add_test(tests, a_token_that_was_taken_is_known);
    tcase_add_test(tests, a_token_that_is_known_is_looked_at_all_the_same);
    tcase_add_test(tests, what_the_memory_says_takes_the_place_of_the_signature);
    tcase_add_loop_test(tests, a_token_that_is_refused_or_never_ends_is_not_remembered, 0, ROWS(forgotten));
    tcase_add_test(tests, a_token_that_says_much_is_not_remembered);
    tcase_add_loop_test(tests, a_mistake_is_told, 0, ROWS(faults));
    tcase_add_test(tests, a_key_that_is_not_needed_is_warned_of);
    return suite;
}
