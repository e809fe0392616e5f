/* A whole rule and a whole request: who is accepted is named and nobody else is, and what was accepted is refused once
 * its proof, its signed body, its time or its host is another.
 * Input: what follows AuthVerify, a line end, and a request as request_build takes it. Secrets are env:SECRET,
 * env:SECOND and env:ED25519, the public key of RFC 8032 section 7.1, TEST 1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "support/request_builder.h"

#include <apr_strings.h>

#define SECRET "a first secret of 26 bytes"

static void set_secrets(void)
{
    setenv("SECRET", SECRET, 1);
    setenv("SECOND", "a second secret of 27 bytes", 1);
    setenv("ED25519", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 1);
}

/* A rule may name any file of the machine; one that is tried here names none. */
static bool names_no_file(const char *line)
{
    for (const char *at = strstr(line, "secret="); at; at = strstr(at + 1, "secret=")) {
        if (!av_slice_starts_with(av_slice_of(at), AV_SLICE("secret=env:"))) {
            return false;
        }
    }
    return true;
}

static av_rule *compile(const char *line, apr_pool_t *pool)
{
    av_compiler compiler = request_compiler(NULL, pool);
    av_rule *rule;
    const char *sentence = request_rule(line, &compiler, &rule);

    REQUIRE((sentence == NULL) == (rule != NULL));
    REQUIRE(!sentence || (*sentence && (!strstr(sentence, SECRET) || strstr(line, SECRET))));
    REQUIRE(!rule || (rule->place_count > 0 && rule->sender.key_count > 0 && rule->sender.id));
    return rule;
}

static av_verdict decide(const av_policy *policy, const built_request *request, apr_pool_t *pool)
{
    av_verdict verdict = request_decide(policy, request, pool);

    REQUIRE((verdict.reason == AV_ACCEPTED) == (verdict.client != NULL));
    REQUIRE((verdict.reason == AV_ACCEPTED) == (verdict.label != NULL));
    REQUIRE((verdict.rule == NULL) == (verdict.reason == AV_NOT_PRESENTED));
    REQUIRE(verdict.reason != AV_UNDECIDED && verdict.reason != AV_INTERNAL_ERROR);
    return verdict;
}

/* A copy with one bit changed, chosen by what is left of the input. */
static av_slice with_bit_changed(av_slice bytes, apr_size_t choice, apr_pool_t *pool)
{
    char *changed = apr_pmemdup(pool, bytes.at, bytes.len);

    changed[choice / 8 % bytes.len] ^= (char)(1 << choice % 8);
    return (av_slice){ changed, bytes.len };
}

static bool is_proven_by(const av_policy *policy, const built_request *request, apr_size_t index, bool changed,
                         apr_pool_t *pool)
{
    av_claim *claim;
    REQUIRE(av_find(policy, &request->head, &claim, pool) == AV_ACCEPTED);
    av_proof only = claim->proofs[index];

    if (changed) {
        only.bytes = with_bit_changed(only.bytes, request->body.len * 5 + request->head.header_count, pool);
    }
    claim->proofs = &only;
    claim->proof_count = 1;
    return request_prove(request, claim, pool).reason == AV_ACCEPTED;
}

/* At least one proof holds by itself, and none of those that do holds with a bit changed. */
static void require_proof(const av_policy *policy, const built_request *request, apr_pool_t *pool)
{
    av_claim *claim;
    apr_size_t holding = 0;

    REQUIRE(av_find(policy, &request->head, &claim, pool) == AV_ACCEPTED);
    REQUIRE(claim->proof_count <= AV_MAX_PROOFS);
    for (apr_size_t i = 0; i < claim->proof_count; i++) {
        if (is_proven_by(policy, request, i, false, pool)) {
            REQUIRE(!is_proven_by(policy, request, i, true, pool));
            holding++;
        }
    }
    REQUIRE(holding > 0);
}

static bool signs_body(const av_policy *policy, const built_request *request, apr_pool_t *pool)
{
    av_claim *claim;

    REQUIRE(av_find(policy, &request->head, &claim, pool) == AV_ACCEPTED);
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        const av_piece *piece = &claim->pieces[i];
        if (piece->kind == AV_PIECE_BODY ||
            (piece->kind == AV_PIECE_DERIVED && piece->selector->kind == AV_SELECT_BODY_SHA256)) {
            return true;
        }
    }
    return false;
}

static void require_refused(const av_policy *policy, built_request request, apr_pool_t *pool)
{
    REQUIRE(decide(policy, &request, pool).reason != AV_ACCEPTED);
}

/* What was accepted, with one thing changed at a time. */
static void require_bound(const av_policy *policy, const av_rule *rule, const built_request *request, apr_pool_t *pool)
{
    built_request other = *request;

    if (signs_body(policy, request, pool)) {
        if (request->body.len) {
            other.body = with_bit_changed(request->body, request->body.len * 3, pool);
            require_refused(policy, other, pool);
            other.body = (av_slice){ request->body.at, request->body.len - 1 };
        } else {
            other.body = AV_SLICE("x");
        }
        require_refused(policy, other, pool);
    }
    if (rule->has_time) {
        other = *request;
        other.head.received_at += rule->past + rule->future + APR_USEC_PER_SEC;
        require_refused(policy, other, pool);
        other.head.received_at = request->head.received_at - rule->past - rule->future - APR_USEC_PER_SEC;
        require_refused(policy, other, pool);
    }
    if (rule->covers_host) {
        other = *request;
        other.head.host_is_ours = false;
        require_refused(policy, other, pool);
    }
}

static void try_request(const av_rule *rule, av_slice text, apr_pool_t *pool)
{
    av_policy *policy = av_policy_create(pool);
    built_request request;

    if (!request_build(text, &request, pool)) {
        return;
    }
    REQUIRE(av_policy_add(policy, rule, false) == NULL);
    REQUIRE(av_policy_add(policy, rule, false) != NULL);
    av_verdict verdict = decide(policy, &request, pool);
    request.step = 1;
    REQUIRE(decide(policy, &request, pool).reason == verdict.reason);
    if (verdict.reason == AV_ACCEPTED) {
        require_proof(policy, &request, pool);
        require_bound(policy, rule, &request, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice input = tight_copy(data, size), rest = input, line;

    set_secrets();
    av_slice_split(&rest, '\n', &line);
    const char *words = av_slice_string(line, pool);
    av_rule *rule = rest.at && names_no_file(words) ? compile(words, pool) : NULL;
    if (rule) {
        try_request(rule, rest, pool);
    }
    apr_pool_clear(pool); /* what OpenSSL gave is returned now, so that only a leak looks like one */
    free((char *)input.at);
    return 0;
}
