/* What an introspection endpoint may answer: who is accepted is named in plain text, and the second sight, from memory,
 * ends as the first. Notes that nobody made are believed or not, and no more.
 * Input: an answer; or "notes" and a line end, and notes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"
#include "core/introspection.h"
#include "core/token.h"
#include "fuzz.h"
#include "schemes/introspection/answer.h"
#include "support/request_builder.h"

#define RULE "introspection endpoint=https://i.example/ client-id=api secret=env:SECRET audience=api"
#define REQUEST "GET / HTTP/1.1\nAuthorization: Bearer opaque\n\n"

static av_slice answered;
static unsigned asked;

static struct {
    char notes[AV_MOST_TOKEN_NOTES];
    apr_size_t len;
} memory;

static bool recall(void *store, const av_token_name *name, apr_time_t now, void *notes, apr_size_t *len)
{
    (void)store;
    (void)name;
    (void)now;
    memcpy(notes, memory.notes, memory.len);
    *len = memory.len;
    return memory.len > 0;
}

static void keep(void *store, const av_token_name *name, apr_time_t expires, const void *notes, apr_size_t len)
{
    (void)store;
    (void)name;
    REQUIRE(expires > RECEIVED_AT && len <= sizeof(memory.notes));
    memcpy(memory.notes, notes, len);
    memory.len = len;
}

static av_reason ask(const av_introspector *introspector, const unsigned char digest[32], av_slice form,
                     av_slice *answer, apr_pool_t *pool)
{
    (void)introspector;
    (void)digest;
    (void)form;
    (void)pool;
    *answer = answered;
    asked++;
    return AV_ACCEPTED;
}

static const av_token_memory answers = { NULL, sizeof(memory.notes), recall, keep };
static const av_introspector introspector = { NULL, &answers, ask };

static const char *open_endpoint(void *baton, const av_endpoint *said, const av_introspector **opened)
{
    (void)baton;
    (void)said;
    *opened = &introspector;
    return NULL;
}

static av_verdict decide(const av_policy *policy, apr_pool_t *pool)
{
    built_request request;
    REQUIRE(request_build(AV_SLICE(REQUEST), &request, pool));
    av_verdict verdict = request_decide(policy, &request, pool);

    REQUIRE((verdict.reason == AV_ACCEPTED) == (verdict.client != NULL));
    REQUIRE(verdict.reason != AV_UNDECIDED && verdict.reason != AV_INTERNAL_ERROR);
    return verdict;
}

static void require_plain(const av_verdict *verdict, apr_pool_t *pool)
{
    REQUIRE(*verdict->client && strlen(verdict->client) <= 256 && av_text_is_plain(av_slice_of(verdict->client)));
    REQUIRE(av_text_is_plain(verdict->record->scopes));
    REQUIRE(av_token_says(verdict->token, "/active", AV_SLICE("true"), pool));
    REQUIRE(av_token_says(verdict->token, "/aud", AV_SLICE("api"), pool));
}

static void try_answer(av_slice answer, apr_pool_t *pool)
{
    av_compiler compiler = request_compiler(NULL, pool);
    av_policy *policy = av_policy_create(pool);
    av_rule *rule;
    compiler.open_introspection = open_endpoint;
    REQUIRE(request_rule(RULE, &compiler, &rule) == NULL);
    REQUIRE(av_policy_add(policy, rule, false) == NULL);
    memory.len = asked = 0;
    answered = answer;
    av_verdict first = decide(policy, pool), second = decide(policy, pool);

    REQUIRE(first.reason == second.reason);
    REQUIRE(asked == (memory.len ? 1 : 2));
    if (first.reason == AV_ACCEPTED) {
        require_plain(&first, pool);
        require_plain(&second, pool);
        REQUIRE(strcmp(first.client, second.client) == 0 && av_slice_equal(first.id, second.id));
        REQUIRE(av_slice_equal(first.record->scopes, second.record->scopes));
    }
}

static void try_notes(av_slice notes, apr_pool_t *pool)
{
    av_answer answer;
    if (av_answer_unpack(notes, &answer, pool) && answer.reason == AV_ACCEPTED) {
        REQUIRE(answer.text.len + answer.facts.name.len + answer.facts.scopes.len + answer.facts.id.len <= notes.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const av_slice mark = { "notes\n", 6 };
    apr_pool_t *pool = fresh_pool();
    av_slice input = { (const char *)data, size };

    setenv("SECRET", "a secret that is long enough", 1);
    if (size && av_slice_starts_with(input, mark)) {
        try_notes(av_slice_skip(input, mark.len), pool);
    } else if (size) {
        try_answer(input, pool);
    }
    apr_pool_clear(pool); /* what the libraries gave is returned now, so that only a leak looks like one */
    return 0;
}
