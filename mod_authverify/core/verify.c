/* The only place that orders the checks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "authorization.h"
#include "client.h"
#include "jws.h"
#include "policy.h"
#include "preflight.h"
#include "reading.h"
#include "throttle.h"

static bool sees_header(av_slice name, const av_request *request)
{
    for (apr_size_t i = 0; i < request->header_count; i++) {
        if (av_slice_equal_nocase(name, request->headers[i].name)) {
            return true;
        }
    }
    return false;
}

static bool sees_parameter(av_slice name, const av_request *request, apr_pool_t *pool)
{
    av_slice rest = request->query, part;
    while (av_slice_split(&rest, '&', &part)) {
        av_slice key;
        av_slice_split(&part, '=', &key);
        if (av_percent_decode(key, true, &key, pool) && av_slice_equal(name, key)) {
            return true;
        }
    }
    return false;
}

/* Where a rule beside it takes the credentials of the other form. */
static bool is_divided(const av_rule *rule, const av_place *place, const apr_array_header_t *rules)
{
    for (int i = 0; i < rules->nelts; i++) {
        if (av_rule_divides(rule, APR_ARRAY_IDX(rules, i, const av_rule *), place)) {
            return true;
        }
    }
    return false;
}

static bool sees_word(const av_rule *rule, const av_place *place, const apr_array_header_t *rules,
                      const av_request *request)
{
    av_slice credential;
    return av_authorization_find(request, place->name, &credential) != AV_NOT_PRESENTED &&
           (!is_divided(rule, place, rules) || av_jws_has_form(credential) == rule->scheme->takes_jws);
}

static bool sees_place(const av_rule *rule, const av_place *place, const apr_array_header_t *rules,
                       const av_request *request, apr_pool_t *pool)
{
    switch (place->kind) {
    case AV_PLACE_HEADER:
        return sees_header(place->name, request);
    case AV_PLACE_AUTHORIZATION:
        return sees_word(rule, place, rules, request);
    default:
        return sees_parameter(place->name, request, pool);
    }
}

/* A rule sees its credential when one of its places is there, even empty. `rules` are those beside it. */
static bool sees_credential(const av_rule *rule, const apr_array_header_t *rules, const av_request *request,
                            apr_pool_t *pool)
{
    if (rule->proves_nobody) {
        return true;
    }
    for (apr_size_t i = 0; i < rule->place_count; i++) {
        if (sees_place(rule, &rule->places[i], rules, request, pool)) {
            return true;
        }
    }
    return false;
}

static const av_rule *first_that_sees(const apr_array_header_t *rules, int from, const av_request *request, int *index,
                                      apr_pool_t *pool)
{
    for (*index = from; *index < rules->nelts; ++*index) {
        const av_rule *rule = APR_ARRAY_IDX(rules, *index, const av_rule *);
        if (sees_credential(rule, rules, request, pool)) {
            return rule;
        }
    }
    return NULL;
}

/* Ages count in the sender's own unit: a second's time says nothing about its fraction. */
static av_reason check_time(const av_claim *claim, const av_request *request)
{
    const av_rule *rule = claim->rule;
    apr_time_t now = request->received_at - request->received_at % rule->time_unit;
    apr_time_t age = now - claim->signed_at;
    if (age > rule->past) {
        return AV_TOO_LATE;
    }
    return -age > rule->future ? AV_TOO_EARLY : AV_ACCEPTED;
}

/* Network, method, path; then format, host, and the clock where the head carries the time. */
static av_reason find_claim(const av_rule *rule, const av_request *request, av_claim **made, apr_pool_t *pool)
{
    av_claim *claim = apr_pcalloc(pool, sizeof(*claim));
    claim->rule = rule;
    claim->now = request->received_at;
    claim->server = request->server;
    *made = claim;
    av_reason reason = av_limits_check(&rule->limits, request);
    if (reason == AV_ACCEPTED) {
        reason = rule->scheme->find(request, claim, pool);
    }
    if (reason == AV_ACCEPTED && rule->covers_host && !request->host_is_ours) {
        return AV_WRONG_HOST;
    }
    return reason == AV_ACCEPTED && claim->is_timed ? check_time(claim, request) : reason;
}

static av_reason find_also(const av_policy *policy, const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    av_reason reason = AV_ACCEPTED;
    for (int i = 0; reason == AV_ACCEPTED && i < policy->also->nelts; i++) {
        const av_rule *rule = APR_ARRAY_IDX(policy->also, i, const av_rule *);
        if (!sees_credential(rule, policy->also, request, pool)) {
            return AV_NOT_PRESENTED;
        }
        reason = find_claim(rule, request, &claim->also, pool);
        claim = claim->also;
    }
    return reason;
}

/* For each rule that wants a proof, before one is looked at. */
static av_reason check_throttle(const av_request *request, av_claim *first)
{
    for (const av_claim *claim = first; request->throttle && claim; claim = claim->also) {
        apr_interval_time_t wait = claim->rule->proves_nobody ? 0 : av_throttle_wait(request, claim->client_id);
        first->wait = wait > first->wait ? wait : first->wait;
    }
    return first->wait ? AV_THROTTLED : AV_ACCEPTED;
}

av_reason av_find(const av_policy *policy, const av_request *request, av_claim **claim, apr_pool_t *pool)
{
    int index;
    *claim = NULL;
    const av_rule *rule = first_that_sees(policy->rules, 0, request, &index, pool);
    if (!rule) {
        return AV_NOT_PRESENTED;
    }
    int other;
    const av_rule *second = rule->exclusive ? first_that_sees(policy->rules, index + 1, request, &other, pool) : NULL;
    if (second && !second->proves_nobody) {
        *claim = apr_pcalloc(pool, sizeof(**claim));
        (*claim)->rule = rule;
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    av_reason reason = find_claim(rule, request, claim, pool);
    reason = reason == AV_ACCEPTED ? find_also(policy, request, *claim, pool) : reason;
    return reason == AV_ACCEPTED ? check_throttle(request, *claim) : reason;
}

/* The request asked about could be one of the rule's: what it shows cannot be known yet, its limits can. */
static bool may_ask(const av_rule *rule, const av_request *asked)
{
    return av_limits_check(&rule->limits, asked) == AV_ACCEPTED;
}

static bool sees_any_credential(const apr_array_header_t *rules, const av_request *request, apr_pool_t *pool)
{
    for (int i = 0; i < rules->nelts; i++) {
        const av_rule *rule = APR_ARRAY_IDX(rules, i, const av_rule *);
        if (!rule->proves_nobody && sees_credential(rule, rules, request, pool)) {
            return true;
        }
    }
    return false;
}

bool av_is_preflight(const av_policy *policy, const av_request *request, apr_pool_t *pool)
{
    av_request asked = *request;
    bool may_any = false;
    if (!av_preflight_read(request, &asked.method, pool) || sees_any_credential(policy->rules, request, pool) ||
        sees_any_credential(policy->also, request, pool)) {
        return false;
    }
    for (int i = 0; i < policy->also->nelts; i++) {
        if (!may_ask(APR_ARRAY_IDX(policy->also, i, const av_rule *), &asked)) {
            return false;
        }
    }
    for (int i = 0; i < policy->rules->nelts; i++) {
        const av_rule *rule = APR_ARRAY_IDX(policy->rules, i, const av_rule *);
        may_any |= !rule->proves_nobody && may_ask(rule, &asked);
    }
    return may_any;
}

/* Who the claim must be: the rule's one sender, whoever the server says, or whoever the list of clients has. A client that is not there is
 * proven against a dummy all the same, and refused afterwards: time tells nothing. */
static av_reason identify(av_claim *claim, apr_pool_t *pool)
{
    claim->client = &claim->rule->sender;
    if (claim->rule->provider) {
        claim->client = claim->asked = apr_pcalloc(pool, sizeof(*claim->asked));
    }
    return claim->rule->clients ? av_clients_identify(claim, pool) : AV_ACCEPTED;
}

/* What a client that no list has is refused for, whatever its proof came to. */
static av_reason reason_for(const av_claim *claim, av_reason reason)
{
    bool tells = reason == AV_ACCEPTED || av_reason_class(reason) == AV_CLASS_WRONG;
    return claim->is_unknown && tells ? AV_UNKNOWN_CLIENT : reason;
}

static av_reason open_lanes(av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    bool reads = claim->piece_count || claim->rule->looks_inside;
    return reads && (!claim->client->key_count || !av_reading_open(reading, claim, pool)) ? AV_INTERNAL_ERROR
                                                                                          : AV_ACCEPTED;
}

static av_reason open_claim(av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    av_reason reason = identify(claim, pool);
    if (reason != AV_ACCEPTED || !claim->rule->scheme->open) {
        return reason == AV_ACCEPTED ? open_lanes(claim, reading, pool) : reason;
    }
    reason = claim->rule->scheme->open(claim, reading, pool);
    return reason == AV_ACCEPTED ? reason : reason_for(claim, reason);
}

/* Where one rule decodes the body as it comes, and another must look inside, nobody has what was sent. */
static av_reason check_reading(const av_reading *reading)
{
    bool is_replaced = reading->coding && !reading->keeps_coding;
    return is_replaced && reading->keeps_body ? AV_BODY_NOT_UNDERSTOOD : AV_ACCEPTED;
}

av_reason av_open(av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    memset(reading, 0, sizeof(*reading));
    for (; claim; claim = claim->also) {
        av_reason reason = open_claim(claim, reading, pool);
        reason = reason == AV_ACCEPTED ? check_reading(reading) : reason;
        if (reason != AV_ACCEPTED) {
            reading->refusal = reason;
            reading->refused = claim;
            return reason;
        }
    }
    return AV_ACCEPTED;
}

void av_feed(av_reading *reading, const char *bytes, apr_size_t len)
{
    av_reading_feed(reading, bytes, len, NULL);
}

apr_size_t av_feed_in_place(av_reading *reading, char *bytes, apr_size_t len)
{
    return av_reading_feed(reading, bytes, len, bytes);
}

av_verdict av_refusal(av_reason reason, const av_claim *claim)
{
    av_verdict verdict = { .reason = reason };
    if (claim) {
        verdict.rule = claim->rule;
        verdict.id = claim->id.len ? claim->id : claim->unsigned_id;
        verdict.is_empty = claim->proof_count == 1 && !claim->proofs[0].bytes.len;
        verdict.in_query = claim->in_query;
        verdict.claimed = claim->client_id;
        verdict.wait = claim->wait;
        verdict.is_bound = claim->is_bound;
        verdict.nonce = claim->nonce;
    }
    return verdict;
}

/* The proof; then what stands inside the body, and the time that may stand there; then what this client may do. */
static av_reason prove_claim(av_claim *claim, const av_reading *reading, const av_request *request, const char **label,
                             apr_pool_t *pool)
{
    const av_scheme *scheme = claim->rule->scheme;
    av_reason reason = reason_for(claim, scheme->prove(claim, reading, label, pool));
    if (reason == AV_ACCEPTED && scheme->inspect) {
        reason = scheme->inspect(request, reading, claim, pool);
        reason = reason == AV_ACCEPTED && claim->is_timed ? check_time(claim, request) : reason;
    }
    if (reason == AV_ACCEPTED && claim->record) {
        reason = av_client_check(claim->record, claim->rule, request);
    }
    return reason;
}

/* Rules that must both hold, each with its list of clients, must name one client. */
static bool is_other_client(const av_claim *first, const av_claim *other)
{
    return first->rule->clients && other->rule->clients && !first->rule->any_client && !other->rule->any_client &&
           strcmp(first->record->id, other->record->id) != 0;
}

av_verdict av_prove(av_claim *claim, const av_reading *reading, const av_request *request, apr_pool_t *pool)
{
    const char *decided = NULL;
    const av_once *once = NULL;
    if (reading->refusal) {
        return av_refusal(reading->refusal, reading->refused);
    }
    for (av_claim *each = claim; each; each = each->also) {
        const char *label = NULL;
        av_reason reason = prove_claim(each, reading, request, &label, pool);
        if (reason == AV_ACCEPTED && is_other_client(claim, each)) {
            reason = AV_CLIENT_MISMATCH;
        }
        if (reason != AV_ACCEPTED) {
            av_verdict refusal = av_refusal(reason, each);
            refusal.proven = av_reason_class(reason) == AV_CLASS_LIMIT && each->record ? each->record->id : NULL;
            return refusal;
        }
        decided = decided ? decided : label;
        if (each->once) {
            each->once->next = once;
            once = each->once;
        }
    }
    av_verdict verdict = av_refusal(AV_ACCEPTED, claim);
    verdict.record = claim->record;
    verdict.token = claim->token;
    verdict.once = once;
    verdict.client = claim->rule->proves_nobody ? ""
                     : claim->record            ? av_client_name(claim->record)
                                                : claim->client->id;
    verdict.label = decided;
    verdict.attributes = claim->attributes;
    verdict.attribute_count = claim->attribute_count;
    return verdict;
}
