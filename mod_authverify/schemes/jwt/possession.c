/* Looks at who holds a token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "possession.h"
#include "../../core/nonce.h"
#include "../../core/secret.h"
#include "facts.h"

#include <apr_strings.h>

#define DEFAULT_TOLERANCE apr_time_from_sec(60)
#define MOST_TOLERANCE apr_time_from_sec(3600)

static av_jwt_possession *possession_of(void *settings)
{
    return &((av_jwt_terms *)settings)->possession;
}

const char *av_jwt_set_dpop(void *settings, const char *value, const av_compiler *compiler)
{
    static const char *const words[] = { "off", "optional", "required" };
    unsigned index = AV_DPOP_OFF;
    const char *error = av_option_choice(value, words, 3, &index, compiler->pool);
    possession_of(settings)->dpop = index;
    return error;
}

const char *av_jwt_set_dpop_algorithms(void *settings, const char *value, const av_compiler *compiler)
{
    apr_array_header_t **list = &possession_of(settings)->algorithms;
    const char *error = av_jws_algorithms_read(value, list, compiler->pool);
    return error || !av_jws_algorithms_have(*list, true)
               ? error
               : "names HMAC (HS...), whose key would have to stand in the proof";
}

const char *av_jwt_set_dpop_tolerance(void *settings, const char *value, const av_compiler *compiler)
{
    av_jwt_possession *possession = possession_of(settings);
    const char *error = av_tolerance_parse(value, &possession->past, &possession->future);
    (void)compiler;
    possession->has_tolerance = true;
    return error || (possession->past <= MOST_TOLERANCE && possession->future <= MOST_TOLERANCE)
               ? error
               : "is an hour at most: every proof is remembered for so long";
}

const char *av_jwt_set_dpop_nonce(void *settings, const char *value, const av_compiler *compiler)
{
    av_jwt_possession *possession = possession_of(settings);
    (void)compiler;
    possession->has_nonces = true;
    return av_option_switch(value, &possession->wants_nonces);
}

static void set_defaults(av_jwt_possession *possession, apr_pool_t *pool)
{
    if (!possession->algorithms) {
        av_jws_algorithms_read("ES256,EdDSA", &possession->algorithms, pool);
    }
    if (!possession->has_tolerance) {
        possession->past = possession->future = DEFAULT_TOLERANCE;
    }
}

/* The proof goes with the token, and nobody on the way to the backend may drop it. */
static void add_proof(av_rule *rule, const av_jwt_possession *possession, apr_pool_t *pool)
{
    static const av_place proof[] = { { AV_PLACE_HEADER, { "DPoP", 4 } }, { AV_PLACE_HEADER, { NULL, 0 } } };
    rule->proof_algorithms = "";
    for (int i = 0; i < possession->algorithms->nelts; i++) {
        const char *name = APR_ARRAY_IDX(possession->algorithms, i, const av_jws_algorithm *)->name;
        rule->proof_algorithms = apr_pstrcat(pool, rule->proof_algorithms, i ? " " : "", name, NULL);
    }
    rule->needs_proof = possession->dpop == AV_DPOP_REQUIRED;
    rule->asks_origin = true;
    rule->companions = proof;
    *(av_slice *)apr_array_push(rule->header_names) = proof->name;
}

const char *av_jwt_possession_finish(av_rule *rule, av_jwt_terms *terms, const av_compiler *compiler)
{
    av_jwt_possession *possession = &terms->possession;
    if (!possession->dpop) {
        return possession->algorithms || possession->has_tolerance || possession->has_nonces
                   ? "dpop-algorithms=, dpop-tolerance= and dpop-nonce= are about dpop=optional and dpop=required"
                   : NULL;
    }
    if (!terms->in_authorization) {
        return "dpop= is about Authorization, which in= leaves out; write in=header besides";
    }
    set_defaults(possession, compiler->pool);
    add_proof(rule, possession, compiler->pool);
    return NULL;
}

static av_reason check_nonce(const av_request *request, av_claim *claim, const av_dpop_proof *proof, apr_pool_t *pool)
{
    const av_hmac_key *key = claim->rule->nonce_key;
    av_nonce_age age = key ? av_nonce_check(key, proof->nonce, request->received_at, pool) : AV_NONCE_NONE;
    if (key && age != AV_NONCE_NEW) {
        claim->nonce = av_nonce_make(key, request->received_at, pool);
    }
    return age == AV_NONCE_NONE ? AV_NONCE_REQUIRED : AV_ACCEPTED;
}

av_reason av_jwt_possession_find(const av_request *request, av_claim *claim, const av_dpop_proof **found,
                                 apr_pool_t *pool)
{
    const av_jwt_possession *possession = possession_of(claim->rule->settings);
    const av_crypto *crypto = claim->rule->crypto;
    av_dpop_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    av_reason reason = av_dpop_find(request, possession->algorithms, crypto, proof, pool);
    if (reason == AV_ACCEPTED && !request->host_is_ours) {
        reason = AV_WRONG_HOST;
    }
    if (reason == AV_ACCEPTED) {
        reason = av_dpop_check_target(proof, request, claim->proofs->bytes, crypto, pool);
    }
    if (reason == AV_ACCEPTED) {
        reason = av_dpop_check_time(proof, request->received_at, possession->past, possession->future);
    }
    if (reason == AV_ACCEPTED && possession->wants_nonces) {
        reason = check_nonce(request, claim, proof, pool);
    }
    *found = proof;
    return reason;
}

static bool shows_key(const av_jwt_facts *facts, const av_dpop_proof *proof)
{
    return proof && av_secret_equal(facts->key, (av_slice){ (const char *)proof->thumbprint, AV_SHA256_SIZE });
}

static av_reason check_key(av_claim *claim, const av_jwt_facts *facts, const av_dpop_proof *proof, apr_pool_t *pool)
{
    const av_crypto *crypto = claim->rule->crypto;
    if (!shows_key(facts, proof)) {
        return AV_UNPROVEN_BINDING;
    }
    av_reason reason = av_dpop_verify(proof, crypto, pool);
    claim->once = apr_palloc(pool, sizeof(*claim->once));
    return av_dpop_once(proof, possession_of(claim->rule->settings)->past, crypto, claim->once) ? reason
                                                                                                : AV_INTERNAL_ERROR;
}

av_reason av_jwt_possession_check(const av_request *request, av_claim *claim, const av_jwt_facts *facts,
                                  const av_dpop_proof *proof, apr_pool_t *pool)
{
    if (facts->key.len) {
        return check_key(claim, facts, proof, pool);
    }
    if (!av_jwt_facts_is_holder(facts, request)) {
        return AV_UNPROVEN_BINDING;
    }
    return proof || claim->rule->needs_proof ? AV_UNBOUND_TOKEN : AV_ACCEPTED;
}
