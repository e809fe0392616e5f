/* The api-key scheme: a key in a header or in a query parameter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/rule.h"

#define LONGEST_KEY 4096

typedef struct api_key_settings {
    av_selector places[AV_MAX_PLACES];
    apr_size_t count;
} api_key_settings;

static void init(void *settings)
{
    (void)settings;
}

static const char *add_place(api_key_settings *settings, av_slice text, apr_pool_t *pool)
{
    unsigned allowed = AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER);
    av_selector *selector = &settings->places[settings->count];
    if (settings->count == AV_MAX_PLACES) {
        return "names more than 8 places";
    }
    if (av_selector_parse(text, selector, pool) || !(allowed & (1u << selector->kind))) {
        return "must be header:NAME or query:NAME, or several of them separated by commas";
    }
    settings->count++;
    return NULL;
}

static const char *set_in(void *target, const char *value, const av_compiler *compiler)
{
    const char *error = NULL;
    av_slice rest = av_slice_of(value), text;
    while (!error && av_slice_split(&rest, ',', &text)) {
        error = add_place(target, text, compiler->pool);
    }
    return error;
}

static const av_option options[] = {
    { "in", set_in, false },
    { NULL, NULL, false },
};

static const char *finish(av_rule *rule, const av_compiler *compiler)
{
    const api_key_settings *settings = rule->settings;
    const char *error = settings->count ? NULL : "in= must say where the key is: in=header:NAME or in=query:NAME";
    for (apr_size_t i = 0; !error && i < settings->count; i++) {
        const av_selector *place = &settings->places[i];
        error = av_rule_add_place(
            rule, (av_place){ place->kind == AV_SELECT_HEADER ? AV_PLACE_HEADER : AV_PLACE_PARAMETER, place->name });
        av_rule_rely_on(rule, place);
    }
    return error ? error : av_rule_load_keys(rule, NULL, AV_RAW, NULL, compiler);
}

/* A key given in two places, or twice in one, may be read as one by us and as the other behind us. */
static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const api_key_settings *settings = claim->rule->settings;
    av_view view = { .request = request };
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    apr_size_t found = 0;
    for (apr_size_t i = 0; i < settings->count; i++) {
        av_slice key;
        switch (av_selector_read(&settings->places[i], &view, &key, pool)) {
        case AV_ABSENT:
            break;
        case AV_FOUND:
            if (av_value_is_merged(key)) {
                return AV_AMBIGUOUS_CREDENTIAL;
            }
            proof->bytes = key;
            found++;
            break;
        case AV_TWICE:
            return AV_AMBIGUOUS_CREDENTIAL;
        case AV_BROKEN:
            return AV_MALFORMED_CREDENTIAL;
        }
    }
    claim->proofs = proof;
    claim->proof_count = 1;
    if (found > 1) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    return av_slice_is_visible(proof->bytes) && proof->bytes.len <= LONGEST_KEY ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

const av_scheme av_scheme_api_key = {
    .name = "api-key",
    .options = options,
    .settings_size = sizeof(api_key_settings),
    .secret_kind = AV_SECRET_SHA256,
    .init = init,
    .finish = finish,
    .find = find,
    .prove = av_client_prove,
};
