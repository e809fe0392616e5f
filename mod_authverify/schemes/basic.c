/* The basic scheme (RFC 7617): user and password, in UTF-8, against a list of clients, or whoever the server asks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/authorization.h"
#include "../core/rule.h"

#include <apr_strings.h>

typedef struct basic_settings {
    const char *provider; /* NULL: not said */
} basic_settings;

static void init(void *settings)
{
    (void)settings;
}

static const char *set_provider(void *target, const char *value, const av_compiler *compiler)
{
    ((basic_settings *)target)->provider = apr_pstrdup(compiler->pool, value);
    return av_list_check(av_slice_of(value));
}

static const av_option options[] = {
    { "provider", set_provider, false },
    { NULL, NULL, false },
};

/* Where neither a list nor a secret says who the users are, the server does. */
static const char *open_provider(av_rule *rule, const av_compiler *compiler)
{
    const basic_settings *settings = rule->settings;
    if (!compiler->open_provider) {
        return "provider=, and basic without clients= and secret=, ask the providers of httpd, which are not here; give "
               "clients=file:PATH or secret=SOURCE";
    }
    const char *error = compiler->open_provider(compiler, settings->provider, &rule->provider);
    return error ? apr_pstrcat(compiler->pool, "provider=", error, ", or name the users with clients=file:PATH", NULL)
                 : NULL;
}

static const char *finish(av_rule *rule, const av_compiler *compiler)
{
    const basic_settings *settings = rule->settings;
    bool has_own = rule->clients || rule->sources->nelts;
    const char *error = av_rule_add_place(rule, (av_place){ AV_PLACE_AUTHORIZATION, AV_SLICE("Basic") });
    if (!error && has_own && settings->provider) {
        error = "provider= asks httpd for users and passwords; keep one of provider=, clients= and secret=";
    }
    if (!error && !has_own) {
        return open_provider(rule, compiler);
    }
    return error ? error : av_rule_load_keys(rule, NULL, AV_RAW, NULL, compiler);
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    av_proof *proof = apr_pcalloc(pool, sizeof(*proof));
    claim->proofs = proof;
    claim->proof_count = 1;
    return av_authorization_basic(request, &claim->client_id, &proof->bytes, pool);
}

const av_scheme av_scheme_basic = {
    .name = "basic",
    .challenge = "Basic",
    .options = options,
    .settings_size = sizeof(basic_settings),
    .secret_kind = AV_SECRET_BCRYPT,
    .init = init,
    .finish = finish,
    .find = find,
    .prove = av_client_prove,
};
