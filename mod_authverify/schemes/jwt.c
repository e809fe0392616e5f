/* The jwt scheme: a signed JSON Web Token (RFC 7519), such as an OAuth 2.0 access token (RFC 6750, RFC 9068).
 *
 * The algorithm and the key come from the configuration. What the token says of either only chooses among what is
 * configured, and nothing else of it is read before its signature is right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/authorization.h"
#include "../core/jws.h"
#include "../core/token.h"
#include "jwt/facts.h"

#include <apr_strings.h>

#define MOST_TRIALS 8 /* keys that one token is tried with, where its kid does not tell which */

/* What is known of one request's token: first its head, then by whom it is signed. */
typedef struct notes {
    av_jws jws;
    av_token token;
} notes;

/* A header's or parameter's whole value. */
static av_reason find_in_place(const av_selector *place, const av_view *view, av_slice *token, apr_pool_t *pool)
{
    switch (av_selector_read(place, view, token, pool)) {
    case AV_ABSENT:
        return AV_NOT_PRESENTED;
    case AV_FOUND:
        return av_value_is_merged(*token) ? AV_AMBIGUOUS_CREDENTIAL : AV_ACCEPTED;
    case AV_TWICE:
        return AV_AMBIGUOUS_CREDENTIAL;
    default:
        return AV_MALFORMED_CREDENTIAL;
    }
}

static av_reason find_in_authorization(const av_jwt_settings *settings, const av_request *request, av_slice *token)
{
    av_reason reason = AV_NOT_PRESENTED;
    for (apr_size_t i = 0; settings->in_authorization && i < settings->word_count && reason == AV_NOT_PRESENTED; i++) {
        reason = av_authorization_find(request, settings->words[i], token);
    }
    return reason;
}

/* A token in two places may be read as one by us and as the other behind us (RFC 6750 section 2). */
static av_reason find_token(const av_request *request, const av_jwt_settings *settings, av_slice *token,
                            apr_pool_t *pool)
{
    av_view view = { .request = request };
    av_reason reason = find_in_authorization(settings, request, token);
    for (apr_size_t i = 0; i < settings->place_count; i++) {
        av_slice other;
        av_reason found = find_in_place(&settings->places[i], &view, &other, pool);
        if (found != AV_NOT_PRESENTED && reason != AV_NOT_PRESENTED) {
            return AV_AMBIGUOUS_CREDENTIAL;
        }
        if (found != AV_NOT_PRESENTED) {
            reason = found;
            *token = other;
        }
    }
    return reason;
}

static bool is_allowed(const av_jwt_settings *settings, av_slice name)
{
    const av_jws_algorithm *algorithm = av_jws_algorithm_find(name);
    for (int i = 0; algorithm && i < settings->algorithms->nelts; i++) {
        if (algorithm == APR_ARRAY_IDX(settings->algorithms, i, const av_jws_algorithm *)) {
            return true;
        }
    }
    return false;
}

/* RFC 8725 section 3.11. Tokens of another type are signed with the same keys and mean something else. */
static bool has_type(const av_jwt_settings *settings, const av_jws *jws)
{
    av_slice rest = settings->types.at ? settings->types : AV_SLICE("JWT,at+jwt"), type;
    while (jws->has_type && av_slice_split(&rest, ',', &type)) {
        if (av_slice_equal_nocase(type, jws->type)) {
            return true;
        }
    }
    return !jws->has_type && !settings->types.at;
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const av_jwt_settings *settings = claim->rule->settings;
    notes *kept = apr_pcalloc(pool, sizeof(*kept));
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    av_reason reason = find_token(request, settings, &proof->bytes, pool);
    claim->parsed = kept;
    claim->proofs = proof;
    claim->proof_count = 1;
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (!av_jws_parse(proof->bytes, &kept->jws, pool)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    kept->token.encoded = kept->jws.encoded;
    if (!is_allowed(settings, kept->jws.algorithm)) {
        return AV_ALGORITHM_NOT_ALLOWED;
    }
    return has_type(settings, &kept->jws) ? AV_ACCEPTED : AV_WRONG_TOKEN_TYPE;
}

/* A key that has no name may be the one that the token means. */
static bool is_meant(const av_jws_key *key, const av_jws *jws)
{
    return (!jws->has_kid || !key->kid || av_slice_equal(jws->kid, av_slice_of(key->kid))) &&
           av_jws_algorithm_equal(key->algorithm, av_jws_algorithm_find(jws->algorithm));
}

/* The keys in force: those of the configuration, or those that are published. */
static bool find_keys(const av_jwt_settings *settings, const av_claim *claim, const av_jws_key **keys,
                      apr_size_t *count)
{
    *keys = settings->keys;
    *count = settings->key_count;
    if (!settings->source_of_keys) {
        return true;
    }
    const av_jwk_set *set = settings->source_of_keys->current(settings->source_of_keys, claim->now);
    *keys = set ? set->keys : NULL;
    *count = set ? set->count : 0;
    return set != NULL;
}

static av_reason try_keys(const av_jws *jws, const av_jws_key *keys, apr_size_t count, const char **label)
{
    av_reason reason = AV_UNKNOWN_KEY;
    for (apr_size_t i = 0, tried = 0; i < count && tried < MOST_TRIALS; i++) {
        const av_jws_key *key = &keys[i];
        if (!is_meant(key, jws)) {
            continue;
        }
        av_jws_result result = av_jws_verify(jws, key);
        if (result != AV_JWS_WRONG) {
            *label = key->label;
            return result == AV_JWS_RIGHT ? AV_ACCEPTED : AV_INTERNAL_ERROR;
        }
        reason = AV_WRONG_SIGNATURE;
        tried++;
    }
    return reason;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    const av_jwt_settings *settings = claim->rule->settings;
    const av_jws *jws = &((const notes *)claim->parsed)->jws;
    const av_jws_key *keys;
    apr_size_t count;
    (void)reading;
    if (!find_keys(settings, claim, &keys, &count)) {
        return AV_KEYS_UNAVAILABLE;
    }
    av_reason reason = try_keys(jws, keys, count, label);
    if (settings->source_of_keys && reason == AV_ACCEPTED) {
        *label = *label ? apr_pstrdup(pool, *label) : NULL; /* the keys may be replaced */
    }
    if (settings->source_of_keys && reason == AV_UNKNOWN_KEY) {
        settings->source_of_keys->miss(settings->source_of_keys);
    }
    return reason;
}

/* Who the token says its bearer is, as a list of clients would say it. */
static const av_client_record *record_of(const av_rule *rule, const av_jwt_facts *facts, apr_pool_t *pool)
{
    av_client_record *record = apr_pcalloc(pool, sizeof(*record));
    record->id = facts->name.len ? av_slice_string(facts->name, pool) : rule->identity;
    record->scopes = facts->scopes;
    return record;
}

static av_reason inspect(const av_request *request, const av_reading *reading, av_claim *claim, apr_pool_t *pool)
{
    notes *kept = claim->parsed;
    av_jwt_facts facts = { 0 };
    (void)reading;
    kept->token.json = av_jws_claims(kept->jws.payload, pool);
    if (!kept->token.json) {
        return AV_MALFORMED_CREDENTIAL;
    }
    av_reason reason = av_jwt_facts_read(kept->token.json, claim->rule->settings, &facts, pool);
    if (reason == AV_ACCEPTED) {
        reason = av_jwt_facts_check_time(&facts, claim->rule, request->received_at);
    }
    if (reason == AV_ACCEPTED) {
        claim->record = record_of(claim->rule, &facts, pool);
        claim->token = &kept->token;
        claim->id = facts.id;
    }
    return reason;
}

const av_scheme av_scheme_jwt = {
    .name = "jwt",
    .challenge = "Bearer",
    .options = av_jwt_options,
    .settings_size = sizeof(av_jwt_settings),
    .takes_jws = true,
    .init = av_jwt_init,
    .finish = av_jwt_finish,
    .find = find,
    .prove = prove,
    .inspect = inspect,
};
