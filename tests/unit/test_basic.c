/* basic with a provider: the server is asked, and what it says is what counts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

#include <apr_strings.h>

/* Of "alice:right", "alice:wrong", "mallory:right", "nobody:right" and ":right". */
#define REQUEST(credential) "GET / HTTP/1.1\nHost: example.org\nAuthorization: Basic " credential "\n\n"
#define ALICE REQUEST("YWxpY2U6cmlnaHQ=")
#define WRONG REQUEST("YWxpY2U6d3Jvbmc=")
#define MALLORY REQUEST("bWFsbG9yeTpyaWdodA==")
#define NOBODY REQUEST("bm9ib2R5OnJpZ2h0")
#define UNNAMED REQUEST("OnJpZ2h0")

static int server; /* stands for the server's own request */
static unsigned asked;
static const char *names;

/* Knows alice, cannot tell of mallory. */
static av_reason check(const av_password_source *source, void *given, av_slice user, av_slice password,
                       const char **name, apr_pool_t *to)
{
    ck_assert_ptr_eq(given, &server);
    ck_assert_ptr_eq(source->store, &server);
    asked++;
    *name = apr_pstrcat(to, "called ", av_slice_string(user, to), NULL);
    if (av_slice_equal(user, AV_SLICE("mallory"))) {
        return AV_STORE_UNAVAILABLE;
    }
    if (!av_slice_equal(user, AV_SLICE("alice"))) {
        return AV_UNKNOWN_CLIENT;
    }
    return av_slice_equal(password, AV_SLICE("right")) ? AV_ACCEPTED : AV_WRONG_SECRET;
}

static const av_password_source users = { &server, check };

static const char *open_users(const av_compiler *given, const char *wanted, const av_password_source **source)
{
    ck_assert_ptr_eq(given, &compiler);
    names = wanted;
    *source = &users;
    return wanted && strcmp(wanted, "broken") == 0 ? "is broken" : NULL;
}

static av_verdict decide_at_server(const av_policy *policy, const char *text)
{
    built_request request = request_of(text);

    request.head.server = &server;
    asked = 0;
    av_verdict verdict = request_decide(policy, &request, pool);
    note_reason(verdict.reason);
    return verdict;
}

static const struct {
    const char *name, *request;
    av_reason reason;
    unsigned asked;
} requests[] = {
    { "right", ALICE, AV_ACCEPTED, 1 },
    { "wrong", WRONG, AV_WRONG_SECRET, 1 },
    { "unknown", NOBODY, AV_UNKNOWN_CLIENT, 1 },
    { "cannot be told", MALLORY, AV_STORE_UNAVAILABLE, 1 },
    { "malformed", UNNAMED, AV_MALFORMED_CREDENTIAL, 0 },
    { "nothing", "GET / HTTP/1.1\nHost: example.org\n\n", AV_NOT_PRESENTED, 0 },
};

START_TEST(what_the_server_says_counts)
{
    compiler.open_provider = open_users;
    av_policy *policy = policy_of("basic provider=users");
    av_verdict verdict = decide_at_server(policy, requests[_i].request);

    assert_reason(verdict.reason, requests[_i].reason, requests[_i].name);
    ck_assert_uint_eq(asked, requests[_i].asked);
    ck_assert_pstr_eq(verdict.client, verdict.reason == AV_ACCEPTED ? "called alice" : NULL);
    ck_assert_ptr_null(verdict.record);
}
END_TEST

START_TEST(the_limits_of_the_rule_come_first)
{
    compiler.open_provider = open_users;
    assert_reason(decide_at_server(policy_of("basic provider=users methods=POST"), ALICE).reason, AV_METHOD_NOT_ALLOWED,
                  "method");
    ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_rule_besides_may_ask_too)
{
    compiler.open_provider = open_users;
    av_policy *policy = policy_of("none methods=GET");

    add_also(policy, "basic provider=users");
    assert_reason(decide_at_server(policy, ALICE).reason, AV_ACCEPTED, "right");
    assert_reason(decide_at_server(policy, WRONG).reason, AV_WRONG_SECRET, "wrong");
}
END_TEST

START_TEST(the_server_is_asked_where_nothing_else_is_named)
{
    compiler.open_provider = open_users;
    ck_assert_ptr_eq(rule_of("basic")->provider, &users);
    ck_assert_ptr_null(names);
    ck_assert_ptr_eq(rule_of("basic provider=one,two")->provider, &users);
    ck_assert_str_eq(names, "one,two");
    ck_assert_ptr_null(rule_of("basic secret=env:SECRET")->provider);
    assert_sentence(fault_of("basic provider=broken"), "is broken");
}
END_TEST

START_TEST(a_preset_that_names_a_provider_has_all_that_it_needs)
{
    av_words words;

    ck_assert_ptr_null(av_words_split("basic provider=users", &words, pool));
    ck_assert(av_rule_has_secret(&words, &compiler));
    ck_assert_ptr_null(av_words_split("basic", &words, pool));
    ck_assert(!av_rule_has_secret(&words, &compiler));
}
END_TEST

static const struct {
    const char *line, *sentence;
} faults[] = {
    { "basic provider=users secret=env:SECRET", "keep one of provider=, clients= and secret=" },
    { "basic provider=a,,b", "without an empty word" },
    { "basic provider=users org=acme", "are about the clients of clients=" },
    { "bearer provider=users", "provider" },
};

START_TEST(a_line_that_cannot_be_right_is_refused)
{
    compiler.open_provider = open_users;
    assert_sentence(fault_of(faults[_i].line), faults[_i].sentence);
}
END_TEST

START_TEST(nobody_is_asked_where_there_is_no_server)
{
    assert_sentence(fault_of("basic"), "which are not here; give clients=file:PATH or secret=SOURCE");
    assert_sentence(fault_of("basic provider=users"), "which are not here");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("basic");
    TCase *tests = trial_case(suite, "basic");

    tcase_add_loop_test(tests, what_the_server_says_counts, 0, ROWS(requests));
    tcase_add_test(tests, the_limits_of_the_rule_come_first);
    tcase_add_test(tests, a_rule_besides_may_ask_too);
    tcase_add_test(tests, the_server_is_asked_where_nothing_else_is_named);
    tcase_add_test(tests, a_preset_that_names_a_provider_has_all_that_it_needs);
    tcase_add_loop_test(tests, a_line_that_cannot_be_right_is_refused, 0, ROWS(faults));
    tcase_add_test(tests, nobody_is_asked_where_there_is_no_server);
    return suite;
}
