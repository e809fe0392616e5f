/* The introspection scheme: an opaque token (RFC 6750), about which whoever issued it is asked (RFC 7662).
 *
 * What is answered is remembered for a while, so that the next request with the token waits for nobody.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/authorization.h"
#include "../core/jws.h"
#include "../core/token.h"
#include "introspection/answer.h"
#include "introspection/form.h"
#include "introspection/settings.h"

#include <openssl/crypto.h>

/* What is known of one request's token. */
typedef struct notes {
    av_token_name name;
    av_answer answer;
    av_token token;
    const av_dpop_proof *proof; /* that its holder has its key; NULL: none came with it */
} notes;

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const av_introspection_settings *settings = claim->rule->settings;
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    av_reason reason = av_jwt_terms_find(&settings->terms, request, &proof->bytes, &claim->is_bound, pool);
    notes *kept = apr_pcalloc(pool, sizeof(*kept));
    claim->parsed = kept;
    claim->proofs = proof;
    claim->proof_count = 1;
    bool is_token = av_is_token68(proof->bytes) && proof->bytes.len <= AV_MAX_JWS_BYTES;
    if (reason == AV_ACCEPTED && !is_token) {
        return AV_MALFORMED_CREDENTIAL;
    }
    return reason == AV_ACCEPTED && claim->is_bound ? av_jwt_possession_find(request, claim, &kept->proof, pool)
                                                    : reason;
}

static bool recall(const av_introspection_settings *settings, apr_time_t now, notes *kept, apr_pool_t *pool)
{
    char noted[AV_MOST_TOKEN_NOTES];
    apr_size_t len = sizeof(noted);
    const av_token_memory *memory = settings->introspector->memory;
    return memory && memory->recall(memory->store, &kept->name, now, noted, &len) &&
           av_answer_unpack((av_slice){ noted, len }, &kept->answer, pool);
}

/* An active token until it ends, as the endpoint says; one that is over, and a refused one, for a moment. */
static apr_time_t end_of(const av_introspection_settings *settings, const av_answer *answer, apr_time_t now)
{
    apr_int64_t second = apr_time_sec(now), kept = settings->remembered, refused = settings->refused_are_remembered;
    const av_jwt_time *expires = &answer->facts.expires;
    if (answer->reason != AV_ACCEPTED) {
        kept = refused;
    } else if (expires->is_said && expires->seconds <= second) {
        kept = kept < refused ? kept : refused;
    } else if (expires->is_said && expires->seconds - second < kept) {
        kept = expires->seconds - second;
    }
    return apr_time_from_sec(second + kept);
}

static void keep(const av_introspection_settings *settings, apr_time_t now, const notes *kept)
{
    char noted[AV_MOST_TOKEN_NOTES];
    const av_token_memory *memory = settings->introspector->memory;
    apr_time_t end = end_of(settings, &kept->answer, now);
    if (!memory || end <= now) {
        return;
    }
    apr_size_t len = av_answer_pack(&kept->answer, noted, memory->room);
    if (len) {
        memory->keep(memory->store, &kept->name, end, noted, len);
    }
}

static av_reason ask(const av_introspection_settings *settings, av_slice token, notes *kept, apr_pool_t *pool)
{
    const av_introspector *introspector = settings->introspector;
    av_slice form = av_form_question(token, settings->credentials, pool), text;
    av_reason reason = introspector->ask(introspector, kept->name.digest, form, &text, pool);
    OPENSSL_cleanse((char *)form.at, form.len);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    av_answer_read(text, &settings->terms, &kept->answer, pool);
    return kept->answer.reason;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    const av_introspection_settings *settings = claim->rule->settings;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    notes *kept = claim->parsed;
    (void)reading;
    *label = ""; /* no secret of ours has matched */
    if (!av_digest(claim->rule->crypto->sha256, claim->proofs[0].bytes, digest, &size)) {
        return AV_INTERNAL_ERROR;
    }
    memcpy(kept->name.digest, digest, sizeof(kept->name.digest));
    kept->name.owner = settings;
    if (recall(settings, claim->now, kept, pool)) {
        return kept->answer.reason;
    }
    av_reason reason = ask(settings, claim->proofs[0].bytes, kept, pool);
    if (reason == AV_ACCEPTED || av_reason_class(reason) == AV_CLASS_WRONG) {
        keep(settings, claim->now, kept);
    }
    return reason;
}

/* What changes from request to request, whether it was asked or remembered. */
static av_reason inspect(const av_request *request, const av_reading *reading, av_claim *claim, apr_pool_t *pool)
{
    notes *kept = claim->parsed;
    const av_jwt_facts *facts = &kept->answer.facts;
    (void)reading;
    av_reason reason = av_jwt_facts_check_time(facts, claim->rule, request->received_at);
    reason = reason == AV_ACCEPTED ? av_jwt_possession_check(request, claim, facts, kept->proof, pool) : reason;
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    kept->token = (av_token){ .text = kept->answer.text, .json = kept->answer.json };
    claim->record = av_jwt_facts_record(facts, claim->rule, pool);
    claim->token = &kept->token;
    claim->id = facts->id;
    return AV_ACCEPTED;
}

const av_scheme av_scheme_introspection = {
    .name = "introspection",
    .challenge = "Bearer",
    .options = av_introspection_options,
    .settings_size = sizeof(av_introspection_settings),
    .init = av_introspection_init,
    .finish = av_introspection_finish,
    .find = find,
    .prove = prove,
    .inspect = inspect,
};
