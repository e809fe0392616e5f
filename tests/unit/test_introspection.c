/* The introspection scheme: what is asked about which token, what its answer must say, and how long it is remembered.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/introspection.h"
#include "core/token.h"
#include "schemes/introspection/form.h"
#include "schemes/introspection/settings.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define WHERE "introspection endpoint=https://issuer.example/introspect"
#define RULE WHERE " client-id=api secret=env:SECRET audience=api"
#define TO "\"aud\":\"api\""
#define JKT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NOW RECEIVED_SECOND

/* The endpoint, and the memory beside it, as the rule that was compiled last knows them. */
static struct {
    const av_endpoint *said;
    const char *answer;
    av_reason reason;
    av_slice form;
    unsigned asked;
} endpoint;

static struct {
    av_token_name name;
    char notes[1024];
    apr_size_t len;
    apr_time_t expires;
    unsigned kept;
} memory;

static bool recall(void *store, const av_token_name *name, apr_time_t now, void *notes, apr_size_t *len)
{
    (void)store;
    ck_assert_uint_ge(*len, memory.len);
    memcpy(notes, memory.notes, memory.len);
    *len = memory.len;
    return memory.kept && now < memory.expires && memcmp(&memory.name, name, sizeof(*name)) == 0;
}

static void keep(void *store, const av_token_name *name, apr_time_t expires, const void *notes, apr_size_t len)
{
    (void)store;
    ck_assert_uint_le(len, sizeof(memory.notes));
    memory.kept++;
    memory.name = *name;
    memory.expires = expires;
    memory.len = len;
    memcpy(memory.notes, notes, len);
}

static const av_token_memory answers = { NULL, sizeof(memory.notes), recall, keep };

static av_reason ask(const av_introspector *introspector, const unsigned char digest[32], av_slice form,
                     av_slice *answer, apr_pool_t *to)
{
    (void)introspector;
    (void)digest;
    endpoint.asked++;
    endpoint.form = (av_slice){ av_slice_string(form, pool), form.len };
    *answer = tight_copy(av_slice_of(apr_pstrdup(to, endpoint.answer)));
    return endpoint.reason;
}

static const av_introspector introspector = { NULL, &answers, ask };

static const char *open_endpoint(void *baton, const av_endpoint *said, const av_introspector **opened)
{
    (void)baton;
    endpoint.said = said;
    *opened = &introspector;
    return NULL;
}

static void set_endpoint(void)
{
    compiler.open_introspection = open_endpoint;
    memset(&endpoint, 0, sizeof(endpoint));
    memset(&memory, 0, sizeof(memory));
    endpoint.reason = AV_ACCEPTED;
    setenv("TOKEN", "a-token-of-this-server", 1);
    setenv("BLANK", "a token with blanks in it", 1);
}

static const char *request_with(const char *token)
{
    return apr_psprintf(pool, "GET / HTTP/1.1\nAuthorization: Bearer %s\n\n", token);
}

/* What the rule says of "opaque" at a time, when the endpoint answers so. */
static av_verdict verdict_at(const av_policy *policy, const char *answer, int seconds)
{
    built_request request = request_of(request_with("opaque"));
    request.head.received_at += apr_time_from_sec(seconds);
    endpoint.answer = answer;
    av_verdict verdict = request_decide(policy, &request, pool);
    note_reason(verdict.reason);
    return verdict;
}

static av_reason reason_for(const char *rule, const char *answer)
{
    return verdict_at(policy_of(rule), answer, 0).reason;
}

/* `options` come besides RULE's. */
static const struct {
    const char *options, *answer;
    av_reason reason;
} rows[] = {
    { "", "{\"active\":true," TO "}", AV_ACCEPTED },
    { "", " {\"active\" : true,\n" TO "}\n", AV_ACCEPTED },
    { "", "{\"active\":true,\"aud\":[\"other\",\"api\"]}", AV_ACCEPTED },
    { "", "{\"active\":true," TO ",\"token_type\":\"bearer\"}", AV_ACCEPTED },
    { "", "{\"active\":true," TO ",\"exp\":4102444800,\"iat\":1,\"nbf\":1,\"iss\":\"x\",\"jti\":\"7\"}", AV_ACCEPTED },
    { "", "{\"active\":false}", AV_INACTIVE_TOKEN },
    { "", "{\"active\":false," TO ",\"sub\":7}", AV_INACTIVE_TOKEN },
    { "", "", AV_INTROSPECTION_MALFORMED },
    { "", "true", AV_INTROSPECTION_MALFORMED },
    { "", "{}", AV_INTROSPECTION_MALFORMED },
    { "", "{" TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":\"true\"," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":1," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":null," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":[true]," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"Active\":true," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":false,\"active\":true," TO "}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":true," TO ",\"a\":1,\"a\":2}", AV_INTROSPECTION_MALFORMED },
    { "", "[{\"active\":true," TO "}]", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":true," TO "}x", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":true," TO ",\"n\":1e999}", AV_INTROSPECTION_MALFORMED },
    { "", "{\"active\":true}", AV_WRONG_AUDIENCE },
    { "", "{\"active\":true,\"aud\":\"other\"}", AV_WRONG_AUDIENCE },
    { "", "{\"active\":true,\"aud\":7}", AV_UNFIT_CLAIM },
    { " issuer=https://a/", "{\"active\":true," TO ",\"iss\":\"https://a/\"}", AV_ACCEPTED },
    { " issuer=https://a/", "{\"active\":true," TO "}", AV_WRONG_ISSUER },
    { " issuer=https://a/", "{\"active\":true," TO ",\"iss\":\"https://b/\"}", AV_WRONG_ISSUER },
    { "", "{\"active\":true," TO ",\"token_type\":7}", AV_UNFIT_CLAIM },
    { "", "{\"active\":true," TO ",\"token_type\":null}", AV_UNFIT_CLAIM },
    { "", "{\"active\":true," TO ",\"token_type\":\"refresh_token\"}", AV_WRONG_TOKEN_TYPE },
    { "", "{\"active\":true," TO ",\"token_type\":\"DPoP\"}", AV_UNPROVEN_BINDING },
    { " dpop=optional", "{\"active\":true," TO ",\"token_type\":\"dpop\"}", AV_UNPROVEN_BINDING },
    { " dpop=optional", "{\"active\":true," TO ",\"token_type\":\"DPoP\",\"cnf\":{\"jkt\":\"" JKT "\"}}",
      AV_UNPROVEN_BINDING }, /* behind Bearer */
    { "", "{\"active\":true," TO ",\"token_type\":\"DPoP\",\"cnf\":{\"jkt\":\"" JKT "\"}}", AV_WRONG_TOKEN_TYPE },
    { " dpop=required", "{\"active\":true," TO "}", AV_UNBOUND_TOKEN },
    { " dpop=optional", "{\"active\":true," TO "}", AV_ACCEPTED },
    { "", "{\"active\":true," TO ",\"token_type\":\"\"}", AV_WRONG_TOKEN_TYPE },
    { " type=access_token", "{\"active\":true," TO ",\"token_type\":\"access_token\"}", AV_ACCEPTED },
    { " type=access_token", "{\"active\":true," TO "}", AV_WRONG_TOKEN_TYPE },
    { "", "{\"active\":true," TO ",\"sub\":7}", AV_UNFIT_CLAIM },
    { "", "{\"active\":true," TO ",\"sub\":\"a\\r\\nb\"}", AV_UNFIT_CLAIM },
    { "", "{\"active\":true," TO ",\"exp\":\"4102444800\"}", AV_UNFIT_CLAIM },
    { "", "{\"active\":true," TO ",\"exp\":1767311970}", AV_TOKEN_EXPIRED }, /* half a minute ago */
    { "", "{\"active\":true," TO ",\"exp\":1767311971}", AV_ACCEPTED },
    { "", "{\"active\":true," TO ",\"nbf\":1767312031}", AV_TOO_EARLY },
    { "", "{\"active\":true," TO ",\"iat\":1767312031}", AV_TOO_EARLY },
    { " require=exp", "{\"active\":true," TO "}", AV_UNFIT_CLAIM },
    { " require=exp", "{\"active\":true," TO ",\"exp\":4102444800}", AV_ACCEPTED },
    { " max-lifetime=60", "{\"active\":true," TO "}", AV_UNFIT_CLAIM },
    { " max-lifetime=60", "{\"active\":true," TO ",\"iat\":1767312000,\"exp\":1767312060}", AV_ACCEPTED },
    { " max-age=60", "{\"active\":true," TO ",\"iat\":1767311909}", AV_TOKEN_EXPIRED },
    { " scopes=read", "{\"active\":true," TO ",\"scope\":\"write read\"}", AV_ACCEPTED },
    { " scopes=read", "{\"active\":true," TO ",\"scope\":\"write\"}", AV_CLIENT_NOT_ALLOWED },
    { "", "{\"active\":true," TO ",\"cnf\":{\"jkt\":\"x\"}}", AV_UNPROVEN_BINDING },
    { "", "{\"active\":true," TO ",\"cnf\":{}}", AV_UNPROVEN_BINDING },
    { "", "{\"active\":true," TO ",\"cnf\":{\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}",
      AV_UNPROVEN_BINDING },
};

START_TEST(an_answer_must_be_one_and_the_token_one_for_this_rule)
{
    set_endpoint();
    assert_reason(reason_for(apr_pstrcat(pool, RULE, rows[_i].options, NULL), rows[_i].answer), rows[_i].reason,
                  rows[_i].answer);
    ck_assert_uint_eq(endpoint.asked, 1);
}
END_TEST

/* The endpoint's own trouble is that of nobody who asks, and is not remembered. */
START_TEST(nobody_is_let_in_while_nobody_answers)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE);

    endpoint.reason = AV_INTROSPECTION_UNAVAILABLE;
    assert_reason(verdict_at(policy, "{\"active\":true," TO "}", 0).reason, AV_INTROSPECTION_UNAVAILABLE, "silent");
    endpoint.reason = AV_INTROSPECTION_MALFORMED;
    assert_reason(verdict_at(policy, "{\"active\":true," TO "}", 0).reason, AV_INTROSPECTION_MALFORMED, "wrong");
    endpoint.reason = AV_ACCEPTED;
    assert_reason(verdict_at(policy, "no JSON", 0).reason, AV_INTROSPECTION_MALFORMED, "garbage");
    ck_assert_uint_eq(memory.kept, 0);
    assert_reason(verdict_at(policy, "{\"active\":true," TO "}", 0).reason, AV_ACCEPTED, "again");
}
END_TEST

#define GOOD "{\"active\":true," TO ",\"sub\":\"alice\",\"jti\":\"7\",\"scope\":\"a b\",\"email\":\"a@b\"}"

START_TEST(what_was_answered_is_known_on_the_second_sight)
{
    av_slice text;
    set_endpoint();
    av_policy *policy = policy_of(RULE);

    for (int i = 0; i < 2; i++) {
        av_verdict verdict = verdict_at(policy, GOOD, i * 59);
        assert_reason(verdict.reason, AV_ACCEPTED, "good");
        ck_assert_str_eq(verdict.client, "alice");
        assert_slice(verdict.id, AV_SLICE("7"), "jti");
        assert_slice(verdict.record->scopes, AV_SLICE("a,b"), "scope");
        ck_assert_int_eq(av_token_claim(verdict.token, "/email", &text, pool), AV_FOUND);
        assert_slice(text, AV_SLICE("a@b"), "email");
        ck_assert_uint_eq(endpoint.asked, 1);
    }
    ck_assert_uint_eq(memory.kept, 1);
    assert_reason(verdict_at(policy, GOOD, 60).reason, AV_ACCEPTED, "a minute later");
    ck_assert_uint_eq(endpoint.asked, 2);
}
END_TEST

START_TEST(what_was_answered_to_one_rule_or_token_is_not_known_to_another)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE), *other = policy_of(RULE);
    built_request request = request_of(request_with("another"));

    assert_reason(verdict_at(policy, GOOD, 0).reason, AV_ACCEPTED, "first");
    assert_reason(verdict_at(other, "{\"active\":false}", 0).reason, AV_INACTIVE_TOKEN, "another rule");
    assert_reason(verdict_at(policy, GOOD, 0).reason, AV_ACCEPTED, "first again");
    endpoint.answer = "{\"active\":false}";
    assert_reason(request_decide(policy, &request, pool).reason, AV_INACTIVE_TOKEN, "another token");
    ck_assert_uint_eq(endpoint.asked, 4);
}
END_TEST

/* Seconds from now that an answer is remembered; 0: not at all. */
static const struct {
    const char *options, *answer;
    int seconds;
} memories[] = {
    { "", GOOD, 60 },
    { " cache=600", GOOD, 600 },
    { " cache=0", GOOD, 0 },
    { " cache=0 negative-cache=9", GOOD, 0 },
    { " cache=0 negative-cache=9", "{\"active\":false}", 9 },
    { " cache=0 negative-cache=9", "{\"active\":true," TO ",\"exp\":1767311990}", 0 },
    { " cache=3 negative-cache=9", "{\"active\":true," TO ",\"exp\":1767311990}", 3 },
    { " cache=600", "{\"active\":true," TO ",\"exp\":1767312100}", 100 },
    { " cache=600", "{\"active\":true," TO ",\"exp\":1767312000.9}", 5 },
    { " cache=600", "{\"active\":true," TO ",\"exp\":1767311990}", 5 }, /* over, but within the tolerance */
    { " cache=60", "{\"active\":true," TO ",\"exp\":1767319999}", 60 },
    { "", "{\"active\":false}", 5 },
    { " negative-cache=30", "{\"active\":false}", 30 },
    { " negative-cache=0", "{\"active\":false}", 0 },
    { " cache=0", "{\"active\":false}", 0 },
    { "", "{\"active\":true,\"aud\":\"other\"}", 5 },
    { "", "{\"active\":true," TO ",\"sub\":7}", 5 },
    { "", "{\"active\":true," TO ",\"cnf\":{}}", 5 },
    { "", "no JSON", 0 },
};

START_TEST(an_answer_is_remembered_as_long_as_the_rule_says)
{
    set_endpoint();
    verdict_at(policy_of(apr_pstrcat(pool, RULE, memories[_i].options, NULL)), memories[_i].answer, 0);
    ck_assert_uint_eq(memory.kept, memories[_i].seconds != 0);
    if (memories[_i].seconds) {
        ck_assert_int_eq(memory.expires - apr_time_from_sec(NOW), apr_time_from_sec(memories[_i].seconds));
    }
}
END_TEST

START_TEST(a_refusal_is_remembered_with_its_reason_alone)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE);

    for (int i = 0; i < 2; i++) {
        assert_reason(verdict_at(policy, "{\"active\":true,\"aud\":\"other\",\"sub\":\"x\"}", i).reason,
                      AV_WRONG_AUDIENCE, "other");
    }
    ck_assert_uint_eq(endpoint.asked, 1);
    ck_assert_uint_eq(memory.len, sizeof(av_reason));
}
END_TEST

START_TEST(what_is_remembered_is_looked_at_all_the_same)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE " cache=600 max-age=100");
    const char *answer = "{\"active\":true," TO ",\"iat\":1767311990,\"scope\":\"a\"}";

    assert_reason(verdict_at(policy, answer, 0).reason, AV_ACCEPTED, "first");
    assert_reason(verdict_at(policy, answer, 120).reason, AV_ACCEPTED, "old");
    assert_reason(verdict_at(policy, answer, 121).reason, AV_TOKEN_EXPIRED, "too old");
    assert_reason(verdict_at(policy, answer, -41).reason, AV_TOO_EARLY, "from the future");
    ck_assert_uint_eq(endpoint.asked, 1);
}
END_TEST

/* Bound to a certificate: whoever shows it is let in, on every sight, and nobody else. */
START_TEST(a_bound_token_is_good_in_its_holders_hands)
{
    static const char bound[] =
        "{\"active\":true," TO ",\"cnf\":{\"x5t#S256\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}}";
    char certificate[32];
    set_endpoint();
    av_policy *policy = policy_of(RULE);
    built_request request = request_of(request_with("opaque"));

    endpoint.answer = bound;
    for (int i = 0; i < 4; i++) {
        memset(certificate, i % 2 ? 2 : 1, sizeof(certificate));
        request.head.certificate = (av_slice){ certificate, sizeof(certificate) };
        assert_reason(request_decide(policy, &request, pool).reason, i % 2 ? AV_UNPROVEN_BINDING : AV_ACCEPTED, bound);
    }
    request.head.certificate = (av_slice){ NULL, 0 };
    assert_reason(request_decide(policy, &request, pool).reason, AV_UNPROVEN_BINDING, "none");
    ck_assert_uint_eq(endpoint.asked, 1);
}
END_TEST

START_TEST(an_answer_without_room_is_good_and_not_remembered)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE);
    char *note = memset(apr_pcalloc(pool, 1001), 'x', 1000);
    const char *answer = apr_psprintf(pool, "{\"active\":true," TO ",\"note\":\"%s\"}", note);

    assert_reason(verdict_at(policy, answer, 0).reason, AV_ACCEPTED, "long");
    assert_reason(verdict_at(policy, answer, 0).reason, AV_ACCEPTED, "long again");
    ck_assert_uint_eq(memory.kept, 0);
    ck_assert_uint_eq(endpoint.asked, 2);
}
END_TEST

static const struct {
    const char *name;
    apr_size_t len;
} notes[] = {
    { "nothing", 0 },
    { "half a reason", 2 },
    { "nothing behind the reason", sizeof(av_reason) },
    { "half of what stands behind it", sizeof(av_reason) + 20 },
    { "texts that are cut off", sizeof(av_reason) + 64 },
};

START_TEST(notes_that_are_none_are_not_believed)
{
    set_endpoint();
    av_policy *policy = policy_of(RULE);

    assert_reason(verdict_at(policy, GOOD, 0).reason, AV_ACCEPTED, "first");
    memory.len = notes[_i].len;
    assert_reason(verdict_at(policy, "{\"active\":false}", 0).reason, AV_INACTIVE_TOKEN, notes[_i].name);
    ck_assert_uint_eq(endpoint.asked, 2);
}
END_TEST

static const struct {
    const char *token;
    av_reason reason;
} tokens[] = {
    { "a", AV_ACCEPTED },
    { "a-b._~+/c==", AV_ACCEPTED },
    { "a.b.c", AV_ACCEPTED },
    { "a b", AV_MALFORMED_CREDENTIAL },
    { "a=b", AV_MALFORMED_CREDENTIAL },
    { "a\"b", AV_MALFORMED_CREDENTIAL },
    { "a%62", AV_MALFORMED_CREDENTIAL },
    { "", AV_MALFORMED_CREDENTIAL },
};

START_TEST(nobody_is_asked_about_what_is_no_token)
{
    set_endpoint();
    built_request request = request_of(request_with(tokens[_i].token));
    endpoint.answer = GOOD;
    av_verdict verdict = request_decide(policy_of(RULE), &request, pool);
    assert_reason(verdict.reason, tokens[_i].reason, tokens[_i].token);
    ck_assert_uint_eq(endpoint.asked, tokens[_i].reason == AV_ACCEPTED);
}
END_TEST

START_TEST(a_token_is_not_too_long)
{
    char *token = memset(apr_pcalloc(pool, 16386), 'a', 16385);
    set_endpoint();
    endpoint.answer = GOOD;
    assert_reason(reason_of(RULE, request_with(token)), AV_MALFORMED_CREDENTIAL, "16385");
    ck_assert_uint_eq(endpoint.asked, 0);
    assert_reason(reason_of(RULE, request_with(token + 1)), AV_ACCEPTED, "16384");
}
END_TEST

/* How the rule shows itself to the endpoint: in the header, or in the form. */
static const struct {
    const char *options, *authorization, *form;
} proofs[] = {
    { " client-id=a:b%20c secret=env:SECRET", "Basic YSUzQWIlMjUyMGM6YSUyMGZpcnN0JTIwc2VjcmV0JTIwb2YlMjAyNiUyMGJ5dGVz",
      "token=a%2Bb&token_type_hint=access_token" },
    { " client-id=api secret=env:SECRET authentication=client_secret_basic",
      "Basic YXBpOmElMjBmaXJzdCUyMHNlY3JldCUyMG9mJTIwMjYlMjBieXRlcw==", "token=a%2Bb&token_type_hint=access_token" },
    { " client-id=a&b secret=env:SECRET authentication=client_secret_post", NULL,
      "token=a%2Bb&token_type_hint=access_token&client_id=a%26b&client_secret=a%20first%20secret%20of%2026%20bytes" },
    { " secret=env:TOKEN authentication=bearer", "Bearer a-token-of-this-server",
      "token=a%2Bb&token_type_hint=access_token" },
};

START_TEST(the_rule_shows_itself)
{
    set_endpoint();
    av_policy *policy = policy_of(apr_pstrcat(pool, WHERE " audience=off", proofs[_i].options, NULL));
    built_request request = request_of(request_with("a+b"));

    endpoint.answer = GOOD;
    assert_reason(request_decide(policy, &request, pool).reason, AV_ACCEPTED, proofs[_i].options);
    assert_slice(endpoint.form, av_slice_of(proofs[_i].form), "form");
    if (proofs[_i].authorization) {
        ck_assert_str_eq(endpoint.said->authorization, proofs[_i].authorization);
    } else {
        ck_assert_ptr_null(endpoint.said->authorization);
    }
}
END_TEST

START_TEST(bytes_of_a_secret_are_encoded_one_by_one)
{
    const char *value = av_form_basic(AV_SLICE("A-z_0.9*~"), AV_SLICE("\xc3\xa9\n"), pool);
    ck_assert_str_eq(value, "Basic QS16XzAuOSolN0U6JUMzJUE5JTBB"); /* A-z_0.9*%7E:%C3%A9%0A */
}
END_TEST

START_TEST(an_endpoint_is_asked_as_its_rule_says)
{
    set_endpoint();
    rule_of(RULE);
    ck_assert_str_eq(endpoint.said->url, "https://issuer.example/introspect");
    ck_assert_int_eq(endpoint.said->timeout, apr_time_from_sec(2));
    ck_assert_ptr_null(endpoint.said->authorities);
    ck_assert(endpoint.said->is_shared);
    rule_of(RULE " timeout=30 cache=0");
    ck_assert_int_eq(endpoint.said->timeout, apr_time_from_sec(30));
    ck_assert(!endpoint.said->is_shared);
}
END_TEST

static const struct {
    const char *line, *sentence;
} faults[] = {
    { "introspection client-id=api secret=env:SECRET audience=api", "endpoint= must say whom to ask" },
    { "introspection endpoint=http://a/ client-id=api secret=env:SECRET audience=api", "names no URL" },
    { "introspection endpoint=https:// client-id=api secret=env:SECRET audience=api", "names no URL" },
    { "introspection endpoint=https://a/#b client-id=api secret=env:SECRET audience=api", "names no URL" },
    { WHERE " client-id=api secret=env:SECRET", "audience= must say" },
    { WHERE " client-id=api audience=api", "no secret= is given, which this server shows" },
    { WHERE " secret=env:SECRET audience=api", "client-id= must say" },
    { RULE " secret=env:SECOND", "keep one of them" },
    { RULE " authentication=bearer", "client-id= has no place" },
    { RULE " authentication=private_key_jwt", "client_secret_basic" },
    { WHERE " secret=env:BLANK authentication=bearer audience=api", "holds what no token may hold" },
    { RULE " timeout=0", "must be seconds, 1 at least" },
    { RULE " timeout=31", "must be 30 seconds at most" },
    { RULE " cache=3601", "must be seconds, 3600 at most, or 0" },
    { RULE " cache=-1", "must be seconds, 3600 at most, or 0" },
    { RULE " cache=00", "must be seconds, 3600 at most, or 0" },
    { RULE " negative-cache=x", "must be seconds, 3600 at most, or 0" },
    { RULE " endpoint-authorities=/nowhere/at.all", "names no file" },
    { RULE " prefix=EN in=query:t", "prefix= is about Authorization" },
    { RULE " algorithms=RS256", "algorithms" },
    { RULE " prefix=DPoP", "dpop= takes it" },
    { RULE " dpop-nonce=on", "are about dpop=optional and dpop=required" },
};

START_TEST(a_rule_that_cannot_ask_is_a_mistake)
{
    set_endpoint();
    assert_sentence(fault_of(faults[_i].line), faults[_i].sentence);
}
END_TEST

START_TEST(where_nobody_can_be_asked_the_rule_is_a_mistake)
{
    set_endpoint();
    compiler.open_introspection = NULL;
    assert_sentence(fault_of(RULE), "nobody can be asked about tokens here");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("introspection");
    TCase *tests = trial_case(suite, "introspection");

    tcase_add_loop_test(tests, an_answer_must_be_one_and_the_token_one_for_this_rule, 0, ROWS(rows));
    tcase_add_test(tests, nobody_is_let_in_while_nobody_answers);
    tcase_add_test(tests, what_was_answered_is_known_on_the_second_sight);
    tcase_add_test(tests, what_was_answered_to_one_rule_or_token_is_not_known_to_another);
    tcase_add_loop_test(tests, an_answer_is_remembered_as_long_as_the_rule_says, 0, ROWS(memories));
    tcase_add_test(tests, a_refusal_is_remembered_with_its_reason_alone);
    tcase_add_test(tests, what_is_remembered_is_looked_at_all_the_same);
    tcase_add_test(tests, a_bound_token_is_good_in_its_holders_hands);
    tcase_add_test(tests, an_answer_without_room_is_good_and_not_remembered);
    tcase_add_loop_test(tests, notes_that_are_none_are_not_believed, 0, ROWS(notes));
    tcase_add_loop_test(tests, nobody_is_asked_about_what_is_no_token, 0, ROWS(tokens));
    tcase_add_test(tests, a_token_is_not_too_long);
    tcase_add_loop_test(tests, the_rule_shows_itself, 0, ROWS(proofs));
    tcase_add_test(tests, bytes_of_a_secret_are_encoded_one_by_one);
    tcase_add_test(tests, an_endpoint_is_asked_as_its_rule_says);
    tcase_add_loop_test(tests, a_rule_that_cannot_ask_is_a_mistake, 0, ROWS(faults));
    tcase_add_test(tests, where_nobody_can_be_asked_the_rule_is_a_mistake);
    return suite;
}
