/* CORS preflights: what one looks like, and which may pass unproven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/preflight.h"
#include "support/trial.h"

#include <apr_strings.h>

#define ASKS "Origin: https://app.example\nAccess-Control-Request-Method: PUT\n"
#define HEAD(first) first " /api/x HTTP/1.1\nHost: example.org\n"
#define OPTIONS HEAD("OPTIONS")

static const struct {
    const char *name, *request, *method; /* NULL: no preflight */
} heads[] = {
    { "what browsers send", OPTIONS ASKS "Access-Control-Request-Headers: x-api-key\nAccept: */*\n", "PUT" },
    { "names in any case", OPTIONS "origin: null\naccess-control-request-method: x\n", "x" },
    { "an origin with a port", OPTIONS "Origin: http://[::1]:8443\nAccess-Control-Request-Method: GET\n", "GET" },
    { "another kind of origin", OPTIONS "Origin: moz-extension://4a-b\nAccess-Control-Request-Method: GET\n", "GET" },
    { "an announced body of nothing", OPTIONS ASKS "Content-Length: 0\n", "PUT" },
    { "another method", HEAD("GET") ASKS, NULL },
    { "another case of the method", HEAD("options") ASKS, NULL },
    { "a method that begins so", HEAD("OPTIONSX") ASKS, NULL },
    { "neither header", OPTIONS, NULL },
    { "no origin", OPTIONS "Access-Control-Request-Method: PUT\n", NULL },
    { "no method asked about", OPTIONS "Origin: https://app.example\n", NULL },
    { "only the headers asked about", OPTIONS "Origin: https://a\nAccess-Control-Request-Headers: x\n", NULL },
    { "an empty origin", OPTIONS "Origin:\nAccess-Control-Request-Method: PUT\n", NULL },
    { "an origin without a scheme", OPTIONS "Origin: //a\nAccess-Control-Request-Method: PUT\n", NULL },
    { "an origin without a host", OPTIONS "Origin: https://\nAccess-Control-Request-Method: PUT\n", NULL },
    { "a word for an origin", OPTIONS "Origin: app.example\nAccess-Control-Request-Method: PUT\n", NULL },
    { "a path behind the origin", OPTIONS "Origin: https://a/b\nAccess-Control-Request-Method: PUT\n", NULL },
    { "a user in the origin", OPTIONS "Origin: https://a@b\nAccess-Control-Request-Method: PUT\n", NULL },
    { "null in another case", OPTIONS "Origin: Null\nAccess-Control-Request-Method: PUT\n", NULL },
    { "two origins", OPTIONS "Origin: https://a\n" ASKS, NULL },
    { "two origins that were merged", OPTIONS "Origin: https://a, https://b\nAccess-Control-Request-Method: PUT\n",
      NULL },
    { "two origins without a blank", OPTIONS "Origin: https://a,https://b\nAccess-Control-Request-Method: PUT\n",
      NULL },
    { "an empty method", OPTIONS "Origin: https://a\nAccess-Control-Request-Method:\n", NULL },
    { "two methods", OPTIONS ASKS "Access-Control-Request-Method: PUT\n", NULL },
    { "two methods that were merged", OPTIONS "Origin: https://a\nAccess-Control-Request-Method: PUT, GET\n", NULL },
    { "two methods without a blank", OPTIONS "Origin: https://a\nAccess-Control-Request-Method: PUT,GET\n", NULL },
    { "no token for a method", OPTIONS "Origin: https://a\nAccess-Control-Request-Method: PUT/1\n", NULL },
    { "a body", OPTIONS ASKS "Content-Length: 2\n\n{}", NULL },
    { "a length that is none", OPTIONS ASKS "Content-Length: 00\n", NULL },
    { "two lengths", OPTIONS ASKS "Content-Length: 0\nContent-Length: 0\n", NULL },
    { "a body without a length", OPTIONS ASKS "Transfer-Encoding: chunked\n", NULL },
    { "a user and password", OPTIONS ASKS "Authorization: Basic YTpi\n", NULL },
    { "a cookie", OPTIONS ASKS "Cookie: session=1\n", NULL },
};

START_TEST(a_preflight_is_what_browsers_send_and_nothing_else)
{
    built_request request =
        request_of(apr_pstrcat(pool, heads[_i].request, strstr(heads[_i].request, "\n\n") ? "" : "\n", NULL));
    av_slice method = { "", 0 };

    ck_assert_msg(av_preflight_read(&request.head, &method, pool) == (heads[_i].method != NULL), "%s", heads[_i].name);
    if (heads[_i].method) {
        assert_slice(method, av_slice_of(heads[_i].method), heads[_i].name);
    }
}
END_TEST

#define BEARER "bearer secret=env:SECRET "
#define KEY "api-key in=header:X-Key,query:key secret=env:SECRET "

/* Every request comes from no address of 192.0.2.0/24. */
static const struct {
    const char *name, *rules[2], *also, *more;
    bool passes;
} cases[] = {
    { "a rule", { BEARER }, NULL, "", true },
    { "a rule that sees an empty credential", { KEY }, NULL, "X-Key:\n", false },
    { "the second rule sees its credential", { BEARER, KEY }, NULL, "X-Key: x\n", false },
    { "a rule besides sees its credential", { BEARER }, KEY, "X-Key: x\n", false },
    { "a rule besides", { BEARER }, KEY, "", true },
    { "the network of the only rule", { BEARER "from=192.0.2.0/24" }, NULL, "", false },
    { "the network of one of two", { BEARER "from=192.0.2.0/24", KEY }, NULL, "", true },
    { "the network of a rule besides", { BEARER }, KEY "from=192.0.2.0/24", "", false },
    { "the network for all", { BEARER }, "none from=192.0.2.0/24", "", false },
    { "the method that is asked about", { BEARER "methods=GET,PUT" }, NULL, "", true },
    { "another method than is asked about", { BEARER "methods=GET,OPTIONS" }, NULL, "", false },
    { "another method for all", { BEARER }, "none methods=OPTIONS", "", false },
    { "the path", { BEARER "paths=/api/x" }, NULL, "", true },
    { "another path", { BEARER "paths=/api/y" }, NULL, "", false },
    { "nobody is proven", { "none methods=PUT" }, NULL, "", false },
    { "or nobody is proven", { BEARER, "none methods=GET" }, NULL, "", true },
    { "nobody's limits are not those of others", { BEARER "methods=GET", "none methods=PUT" }, NULL, "", false },
};

START_TEST(a_preflight_passes_where_the_request_that_it_asks_about_could_be_proven)
{
    built_request request = request_of(apr_pstrcat(pool, OPTIONS ASKS, cases[_i].more, "\n", NULL));
    av_policy *policy = policy_of(cases[_i].rules[0]);

    request.head.place = request.head.path;
    if (cases[_i].rules[1]) {
        ck_assert_ptr_null(av_policy_add(policy, rule_of(cases[_i].rules[1]), false));
    }
    if (cases[_i].also) {
        add_also(policy, cases[_i].also);
    }
    ck_assert_msg(av_is_preflight(policy, &request.head, pool) == cases[_i].passes, "%s", cases[_i].name);
}
END_TEST

START_TEST(a_credential_in_the_query_is_one)
{
    av_policy *policy = policy_of(KEY);
    built_request request = request_of("OPTIONS /api/x?%6bey= HTTP/1.1\nHost: example.org\n" ASKS "\n");

    ck_assert(!av_is_preflight(policy, &request.head, pool));
}
END_TEST

START_TEST(what_is_no_preflight_passes_under_no_rule)
{
    built_request request = request_of(OPTIONS "\n");

    ck_assert(!av_is_preflight(policy_of(BEARER), &request.head, pool));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("preflight");
    TCase *tests = trial_case(suite, "preflight");

    tcase_add_loop_test(tests, a_preflight_is_what_browsers_send_and_nothing_else, 0, ROWS(heads));
    tcase_add_loop_test(tests, a_preflight_passes_where_the_request_that_it_asks_about_could_be_proven, 0, ROWS(cases));
    tcase_add_test(tests, a_credential_in_the_query_is_one);
    tcase_add_test(tests, what_is_no_preflight_passes_under_no_rule);
    return suite;
}
