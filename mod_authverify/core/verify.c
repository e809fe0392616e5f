/* The only place that orders the checks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"
#include "reading.h"

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

/* A rule sees its credential when one of its places is there, even empty. */
static bool sees_credential(const av_rule *rule, const av_request *request, apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < rule->place_count; i++) {
        const av_place *place = &rule->places[i];
        if (place->kind == AV_PLACE_HEADER ? sees_header(place->name, request)
                                           : sees_parameter(place->name, request, pool)) {
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
        if (sees_credential(rule, request, pool)) {
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

/* Format, host, and the clock where the head carries the time. */
static av_reason find_claim(const av_rule *rule, const av_request *request, av_claim **made, apr_pool_t *pool)
{
    av_claim *claim = apr_pcalloc(pool, sizeof(*claim));
    claim->rule = rule;
    *made = claim;
    av_reason reason = rule->scheme->find(request, claim, pool);
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
        if (!sees_credential(rule, request, pool)) {
            return AV_NOT_PRESENTED;
        }
        reason = find_claim(rule, request, &claim->also, pool);
        claim = claim->also;
    }
    return reason;
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
    if (rule->exclusive && first_that_sees(policy->rules, index + 1, request, &other, pool)) {
        *claim = apr_pcalloc(pool, sizeof(**claim));
        (*claim)->rule = rule;
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    av_reason reason = find_claim(rule, request, claim, pool);
    return reason == AV_ACCEPTED ? find_also(policy, request, *claim, pool) : reason;
}


av_reason av_open(av_claim *claim, av_reading *reading, apr_pool_t *pool)
{
    memset(reading, 0, sizeof(*reading));
    for (; claim; claim = claim->also) {
        claim->client = &claim->rule->sender;
        if (!claim->client->key_count || !av_reading_open(reading, claim, pool)) {
            return AV_INTERNAL_ERROR;
        }
    }
    return AV_ACCEPTED;
}

void av_feed(av_reading *reading, const char *bytes, apr_size_t len)
{
    av_reading_feed(reading, bytes, len);
}

av_verdict av_refusal(av_reason reason, const av_claim *claim)
{
    av_verdict verdict = { .reason = reason };
    if (claim) {
        verdict.rule = claim->rule;
        verdict.id = claim->id.len ? claim->id : claim->unsigned_id;
    }
    return verdict;
}

/* The proof, then what stands inside the body, then the time that may stand there. */
static av_reason prove_claim(av_claim *claim, const av_reading *reading, const av_request *request, const av_key **key,
                             apr_pool_t *pool)
{
    const av_scheme *scheme = claim->rule->scheme;
    av_reason reason = scheme->prove(claim, reading, key, pool);
    if (reason != AV_ACCEPTED || !claim->rule->looks_inside) {
        return reason;
    }
    reason = scheme->inspect(request, reading, claim, pool);
    return reason == AV_ACCEPTED && claim->is_timed ? check_time(claim, request) : reason;
}

av_verdict av_prove(av_claim *claim, const av_reading *reading, const av_request *request, apr_pool_t *pool)
{
    const av_key *decided = NULL;
    for (av_claim *each = claim; each; each = each->also) {
        const av_key *key = NULL;
        av_reason reason = reading->failed ? AV_INTERNAL_ERROR : prove_claim(each, reading, request, &key, pool);
        if (reason != AV_ACCEPTED) {
            return av_refusal(reason, each);
        }
        decided = decided ? decided : key;
    }
    av_verdict verdict = av_refusal(AV_ACCEPTED, claim);
    verdict.client = claim->client->id;
    verdict.label = decided ? decided->label : NULL;
    return verdict;
}
