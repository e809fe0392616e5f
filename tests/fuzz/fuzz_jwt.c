/* Claims of tokens that are signed as they should be: who is accepted is named in plain text, and is refused a century
 * later, by another issuer's rule, and for another audience.
 * Input: the header, a line end, and the payload; both are signed with the rule's secret.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"
#include "core/token.h"
#include "fuzz.h"
#include "support/jose_builder.h"
#include "support/request_builder.h"

#include <apr_strings.h>

#define CENTURY apr_time_from_sec(100LL * 366 * 86400)
#define RULE "jwt secret=env:SECRET algorithms=HS256 "

static av_rule *compile(const char *line, apr_pool_t *pool)
{
    av_compiler compiler = request_compiler(NULL, pool);
    av_rule *rule;
    REQUIRE(request_rule(line, &compiler, &rule) == NULL);
    return rule;
}

static av_verdict decide(const char *line, const built_request *request, apr_pool_t *pool)
{
    av_policy *policy = av_policy_create(pool);
    REQUIRE(av_policy_add(policy, compile(line, pool), false) == NULL);
    av_verdict verdict = request_decide(policy, request, pool);

    REQUIRE((verdict.reason == AV_ACCEPTED) == (verdict.client != NULL));
    REQUIRE((verdict.reason == AV_ACCEPTED) == (verdict.token != NULL));
    REQUIRE(verdict.reason != AV_UNDECIDED && verdict.reason != AV_INTERNAL_ERROR &&
            verdict.reason != AV_WRONG_SIGNATURE);
    return verdict;
}

static void require_bound(const av_verdict *verdict, const built_request *request, apr_pool_t *pool)
{
    built_request later = *request;
    av_slice text;

    later.head.received_at += CENTURY;
    REQUIRE(*verdict->client && strlen(verdict->client) <= 256 && av_text_is_plain(av_slice_of(verdict->client)));
    REQUIRE(verdict->record && av_text_is_plain(verdict->record->scopes));
    REQUIRE(decide(RULE "issuer=other audience=api", request, pool).reason == AV_WRONG_ISSUER);
    REQUIRE(decide(RULE "issuer=i audience=other", request, pool).reason == AV_WRONG_AUDIENCE);
    REQUIRE(decide(RULE "issuer=i audience=api max-lifetime=3000000000", &later, pool).reason != AV_ACCEPTED);
    REQUIRE(av_token_claim(verdict->token, "/iss", &text, pool) == AV_FOUND && av_slice_equal(text, AV_SLICE("i")));
    REQUIRE(av_token_says(verdict->token, "/aud", AV_SLICE("api"), pool));
}

static void try_token(const char *header, const char *payload, apr_pool_t *pool)
{
    built_request request;
    av_slice token = jose_token("HS256", header, payload, pool);
    const char *text = apr_pstrcat(pool, "GET / HTTP/1.1\nAuthorization: Bearer ", token.at, "\n\n", NULL);

    REQUIRE(request_build(av_slice_of(text), &request, pool));
    av_verdict verdict = decide(RULE "issuer=i audience=api", &request, pool);
    if (verdict.reason == AV_ACCEPTED) {
        require_bound(&verdict, &request, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice rest = { (const char *)data, size }, header;

    setenv("SECRET", JOSE_SECRET, 1);
    if (size && av_slice_split(&rest, '\n', &header) && rest.at) {
        try_token(av_slice_string(header, pool), av_slice_string(rest, pool), pool);
    }
    apr_pool_clear(pool); /* what the libraries gave is returned now, so that only a leak looks like one */
    return 0;
}
