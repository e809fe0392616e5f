/* The bearer scheme: an opaque token in Authorization (RFC 6750 section 2.1), also under another word or none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/authorization.h"
#include "../core/rule.h"

#include <apr_strings.h>

typedef struct bearer_settings {
    av_slice words[AV_MAX_PLACES]; /* empty: no word */
    apr_size_t count;
} bearer_settings;

static void init(void *settings)
{
    (void)settings;
}

/* "Bearer", "EN,none": the words under which the token may stand. */
static const char *set_prefix(void *target, const char *value, const av_compiler *compiler)
{
    bearer_settings *settings = target;
    av_slice rest = av_slice_of(apr_pstrdup(compiler->pool, value)), word;
    while (av_slice_split(&rest, ',', &word)) {
        if (settings->count == AV_MAX_PLACES || !av_is_token68(word)) {
            return "must be up to 8 words separated by commas, such as Bearer or EN,none";
        }
        settings->words[settings->count++] = av_slice_equal(word, AV_SLICE("none")) ? (av_slice){ "", 0 } : word;
    }
    return NULL;
}

static const av_option options[] = {
    { "prefix", set_prefix, false },
    { NULL, NULL, false },
};

static const char *finish(av_rule *rule, const av_compiler *compiler)
{
    bearer_settings *settings = rule->settings;
    const char *error = NULL;
    if (!settings->count) {
        settings->words[settings->count++] = AV_SLICE("Bearer");
    }
    for (apr_size_t i = 0; !error && i < settings->count; i++) {
        av_slice name = av_slice_of(av_slice_string(settings->words[i], compiler->pool));
        error = av_rule_add_place(rule, (av_place){ AV_PLACE_AUTHORIZATION, name });
    }
    return error ? error : av_rule_load_keys(rule, NULL, AV_RAW, NULL, compiler);
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const bearer_settings *settings = claim->rule->settings;
    av_reason reason = AV_NOT_PRESENTED;
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    for (apr_size_t i = 0; i < settings->count && reason == AV_NOT_PRESENTED; i++) {
        reason = av_authorization_find(request, settings->words[i], &proof->bytes);
    }
    claim->proofs = proof;
    claim->proof_count = 1;
    return reason == AV_ACCEPTED && !av_is_token68(proof->bytes) ? AV_MALFORMED_CREDENTIAL : reason;
}

const av_scheme av_scheme_bearer = {
    .name = "bearer",
    .challenge = "Bearer",
    .options = options,
    .settings_size = sizeof(bearer_settings),
    .secret_kind = AV_SECRET_SHA256,
    .init = init,
    .finish = finish,
    .find = find,
    .prove = av_client_prove,
};
