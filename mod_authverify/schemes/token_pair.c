/* The token-pair scheme: a token that names the client and a secret that proves it, in two headers, and perhaps the
 * application they were issued to in a third. The formats are checked before anything is looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/rule.h"
#include "token_pair/format.h"

#include <apr_strings.h>

typedef enum application_use { APPLICATION_OPTIONAL, APPLICATION_REQUIRED, APPLICATION_FORBIDDEN } application_use;

typedef struct token_pair_settings {
    av_selector token, secret, application;
    av_token_format token_format, secret_format;
    application_use use;
    av_slice issued_to; /* the application itself; empty where the rule does not name it */
} token_pair_settings;

static av_selector header(const char *name)
{
    return (av_selector){ AV_SELECT_HEADER, av_slice_of(name) };
}

static void init(void *target)
{
    token_pair_settings *settings = target;
    settings->token = header("X-Auth-Token");
    settings->secret = header("X-Auth-Secret");
    settings->application = header("X-Auth-Application");
    settings->token_format = av_token_format_hex;
    settings->secret_format = av_token_format_alphanumeric;
}

static const char *set_name(av_selector *selector, const char *value, const av_compiler *compiler)
{
    *selector = header(apr_pstrdup(compiler->pool, value));
    return av_slice_is_visible(selector->name) && !strpbrk(value, ":(),;<=>?@[]{}\"\\/")
               ? NULL
               : "cannot be the name of a header";
}

static const char *set_token_header(void *target, const char *value, const av_compiler *compiler)
{
    return set_name(&((token_pair_settings *)target)->token, value, compiler);
}

static const char *set_secret_header(void *target, const char *value, const av_compiler *compiler)
{
    return set_name(&((token_pair_settings *)target)->secret, value, compiler);
}

static const char *set_application_header(void *target, const char *value, const av_compiler *compiler)
{
    return set_name(&((token_pair_settings *)target)->application, value, compiler);
}

static const char *set_token_format(void *target, const char *value, const av_compiler *compiler)
{
    return av_token_format_parse(value, &((token_pair_settings *)target)->token_format, compiler->pool);
}

static const char *set_secret_format(void *target, const char *value, const av_compiler *compiler)
{
    return av_token_format_parse(value, &((token_pair_settings *)target)->secret_format, compiler->pool);
}

static const char *set_application(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const uses[] = { "optional", "required", "forbidden" };
    unsigned index = 0;
    token_pair_settings *settings = target;
    if (av_option_choice(value, uses, 3, &index, compiler->pool)) {
        settings->issued_to = av_slice_of(apr_pstrdup(compiler->pool, value));
        index = APPLICATION_REQUIRED;
    }
    settings->use = (application_use)index;
    return NULL;
}

static const av_option options[] = {
    { "token-header", set_token_header, false },
    { "secret-header", set_secret_header, false },
    { "application-header", set_application_header, false },
    { "token-format", set_token_format, false },
    { "secret-format", set_secret_format, false },
    { "application", set_application, false },
    { NULL, NULL, false },
};

static const char *add_header(av_rule *rule, const av_selector *selector)
{
    av_rule_rely_on(rule, selector);
    return av_rule_add_place(rule, (av_place){ AV_PLACE_HEADER, selector->name });
}

/* A secret= has no list beside it that says to which application the pair was issued. */
static const char *check_application(const token_pair_settings *settings, const av_rule *rule)
{
    if (settings->issued_to.len && !av_token_format_is(&settings->token_format, settings->issued_to)) {
        return "application= is optional, required or forbidden, or an application in the format of token-format=";
    }
    return settings->use == APPLICATION_REQUIRED && !settings->issued_to.len && !rule->clients
               ? "application=required needs clients=, whose lines name the applications; name the one that this pair was "
                 "issued to: application=ID"
               : NULL;
}

static const char *finish(av_rule *rule, const av_compiler *compiler)
{
    const token_pair_settings *settings = rule->settings;
    const char *error = add_header(rule, &settings->token);
    error = error ? error : add_header(rule, &settings->secret);
    if (!error && rule->place_count < 2) {
        error = "token-header= and secret-header= are one header";
    }
    error = error ? error : check_application(settings, rule);
    av_rule_rely_on(rule, &settings->application);
    return error ? error : av_rule_load_keys(rule, NULL, AV_RAW, NULL, compiler);
}

/* A header that must be there once and be of the format. */
static av_reason read_header(const av_selector *selector, const av_token_format *format, const av_view *view,
                             av_slice *value, apr_pool_t *pool)
{
    av_found found = av_selector_read(selector, view, value, pool);
    if (found == AV_TWICE || (found == AV_FOUND && av_value_is_merged(*value))) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    return found == AV_FOUND && av_token_format_is(format, *value) ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

static av_reason read_application(const token_pair_settings *settings, const av_view *view, av_slice *value,
                                  apr_pool_t *pool)
{
    if (av_selector_read(&settings->application, view, value, pool) == AV_ABSENT) {
        return settings->use == APPLICATION_REQUIRED ? AV_MALFORMED_CREDENTIAL : AV_ACCEPTED;
    }
    if (settings->use == APPLICATION_FORBIDDEN) {
        return AV_MALFORMED_CREDENTIAL;
    }
    return read_header(&settings->application, &settings->token_format, view, value, pool);
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const token_pair_settings *settings = claim->rule->settings;
    av_view view = { .request = request };
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    av_slice *application = apr_pcalloc(pool, sizeof(*application));

    claim->proofs = proof;
    claim->proof_count = 1;
    claim->parsed = application;
    av_reason reason = read_header(&settings->token, &settings->token_format, &view, &claim->client_id, pool);
    if (reason == AV_ACCEPTED) {
        reason = read_header(&settings->secret, &settings->secret_format, &view, &proof->bytes, pool);
    }
    return reason == AV_ACCEPTED ? read_application(settings, &view, application, pool) : reason;
}

/* A pair that was issued to an application is valid only with it, and one that was not only without; and where the rule
 * names an application, only pairs of that one are. */
static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    const token_pair_settings *settings = claim->rule->settings;
    const av_slice *application = claim->parsed;
    av_reason reason = av_client_prove(claim, reading, label, pool);
    av_slice issued_to = claim->record ? claim->record->application : settings->issued_to;
    bool is_right = issued_to.len ? av_secret_equal(issued_to, *application) : !application->len;
    if (settings->issued_to.len && !av_secret_equal(settings->issued_to, *application)) {
        is_right = false;
    }
    return reason == AV_ACCEPTED && !is_right ? AV_WRONG_APPLICATION : reason;
}

const av_scheme av_scheme_token_pair = {
    .name = "token-pair",
    .options = options,
    .settings_size = sizeof(token_pair_settings),
    .secret_kind = AV_SECRET_SHA256,
    .init = init,
    .finish = finish,
    .find = find,
    .prove = prove,
};
