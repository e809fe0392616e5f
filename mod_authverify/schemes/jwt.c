/* The jwt scheme: a signed JSON Web Token (RFC 7519), such as an OAuth 2.0 access token (RFC 6750, RFC 9068).
 *
 * The algorithm and the key come from the configuration. What the token says of either only chooses among what is
 * configured, and nothing else of it is read before its signature is right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/jws.h"
#include "../core/token.h"
#include "jwt/facts.h"
#include "jwt/memory.h"
#include "jwt/settings.h"

#include <apr_strings.h>

#define MOST_TRIALS 4 /* keys that one token is tried with, where its kid does not tell which */

/* What is known of one request's token: that it was proven before; or its header, and by and by the rest. */
typedef struct notes {
    const av_jws_key *keys; /* in force; NULL: none can be had */
    apr_size_t key_count;
    bool is_known, has_name;
    av_token_name name;
    av_jws jws;
    av_jwt_facts facts;
    const char *label;
    av_token token;
    const av_dpop_proof *proof; /* that its holder has its key; NULL: none came with it */
} notes;

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
    return av_jwt_terms_take_type(&settings->terms, AV_SLICE("JWT,at+jwt"),
                                  jws->has_type ? jws->type : (av_slice){ NULL, 0 });
}

/* The keys in force: those of the configuration, or those that are published. Returns what tells them from others. */
static uint64_t find_keys(const av_jwt_settings *settings, apr_time_t now, notes *kept)
{
    const av_key_source *published = settings->source_of_keys;
    const av_jwk_set *set = published ? published->current(published, now) : NULL;
    kept->keys = published ? (set ? set->keys : NULL) : settings->keys;
    kept->key_count = published ? (set ? set->count : 0) : settings->key_count;
    return set ? set->mark : 0;
}

/* A token that this rule has taken before, under the same keys: its form and its header were right then. */
static bool is_known(const av_rule *rule, av_slice text, apr_time_t now, notes *kept, apr_pool_t *pool)
{
    av_slice rest = text, part;
    uint64_t mark = find_keys(rule->settings, now, kept);
    kept->has_name = kept->keys && text.len <= AV_MAX_JWS_BYTES && av_jwt_memory_name(rule, text, mark, &kept->name);
    kept->is_known = kept->has_name && av_jwt_memory_recall(rule, &kept->name, now, &kept->facts, &kept->label, pool);
    av_slice_split(&rest, '.', &part);
    av_slice_split(&rest, '.', &kept->token.encoded);
    return kept->is_known;
}

static av_reason find_header(const av_jwt_settings *settings, av_slice text, notes *kept, apr_pool_t *pool)
{
    if (!av_jws_parse(text, &kept->jws, pool)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    if (!is_allowed(settings, kept->jws.algorithm)) {
        return AV_ALGORITHM_NOT_ALLOWED;
    }
    return has_type(settings, &kept->jws) ? AV_ACCEPTED : AV_WRONG_TOKEN_TYPE;
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const av_jwt_settings *settings = claim->rule->settings;
    notes *kept = apr_pcalloc(pool, sizeof(*kept));
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    av_reason reason = av_jwt_terms_find(&settings->terms, request, &proof->bytes, &claim->is_bound, pool);
    claim->parsed = kept;
    claim->proofs = proof;
    claim->proof_count = 1;
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (!is_known(claim->rule, proof->bytes, request->received_at, kept, pool)) {
        reason = find_header(settings, proof->bytes, kept, pool);
    }
    return reason == AV_ACCEPTED && claim->is_bound ? av_jwt_possession_find(request, claim, &kept->proof, pool)
                                                    : reason;
}

/* A key that has no name may be the one that the token means. */
static bool is_meant(const av_jws_key *key, const av_jws *jws)
{
    return (!jws->has_kid || !key->kid || av_slice_equal(jws->kid, av_slice_of(key->kid))) &&
           av_jws_algorithm_equal(key->algorithm, av_jws_algorithm_find(jws->algorithm));
}

static av_reason try_keys(notes *kept)
{
    av_reason reason = AV_UNKNOWN_KEY;
    for (apr_size_t i = 0, tried = 0; i < kept->key_count && tried < MOST_TRIALS; i++) {
        const av_jws_key *key = &kept->keys[i];
        if (!is_meant(key, &kept->jws)) {
            continue;
        }
        av_jws_result result = av_jws_verify(&kept->jws, key);
        if (result != AV_JWS_WRONG) {
            kept->label = key->label;
            return result == AV_JWS_RIGHT ? AV_ACCEPTED : AV_INTERNAL_ERROR;
        }
        reason = AV_WRONG_SIGNATURE;
        tried++;
    }
    return reason;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    const av_key_source *published = ((const av_jwt_settings *)claim->rule->settings)->source_of_keys;
    notes *kept = claim->parsed;
    (void)reading;
    if (!kept->keys) {
        return AV_KEYS_UNAVAILABLE;
    }
    av_reason reason = kept->is_known ? AV_ACCEPTED : try_keys(kept);
    if (published && reason == AV_UNKNOWN_KEY) {
        published->miss(published);
    }
    *label = kept->label ? apr_pstrdup(pool, kept->label) : NULL; /* the keys may be replaced */
    return reason;
}

/* What the token says, now that it may be believed. */
static av_reason read_facts(const av_rule *rule, notes *kept, apr_pool_t *pool)
{
    kept->token.json = av_jws_claims(kept->jws.payload, pool);
    return kept->token.json ? av_jwt_facts_read(kept->token.json, rule->settings, &kept->facts, pool)
                            : AV_MALFORMED_CREDENTIAL;
}

static av_reason inspect(const av_request *request, const av_reading *reading, av_claim *claim, apr_pool_t *pool)
{
    notes *kept = claim->parsed;
    av_reason reason = kept->is_known ? AV_ACCEPTED : read_facts(claim->rule, kept, pool);
    (void)reading;
    if (reason == AV_ACCEPTED) {
        reason = av_jwt_facts_check_time(&kept->facts, claim->rule, request->received_at);
    }
    if (reason == AV_ACCEPTED) {
        reason = av_jwt_possession_check(request, claim, &kept->facts, kept->proof, pool);
    }
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (kept->has_name && !kept->is_known) {
        av_jwt_memory_keep(claim->rule, &kept->name, &kept->facts, kept->label);
    }
    claim->record = av_jwt_facts_record(&kept->facts, claim->rule, pool);
    claim->token = &kept->token;
    claim->id = kept->facts.id;
    return AV_ACCEPTED;
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
