/* Asks httpd's own authentication providers for passwords.
 * SPDX-License-Identifier: Apache-2.0 */
#include "passwords_authn.h"

#include "../stores/password_cost.h"

#include <ap_provider.h>
#include <mod_auth.h>
#include <openssl/crypto.h>
#include <util_cfgtree.h>

typedef struct provider {
    const char *name;
    const authn_provider *functions;
    const module
        *keeper; /* whose settings are all that its answer depends on, besides user and password; NULL: unknown */
    const void *settings; /* of the rule's own section; NULL: there are none */
} provider;

typedef struct provider_list {
    av_password_source source;
    const av_password_memory *memory; /* NULL: there is none */
    av_password_cost *cost;
    apr_array_header_t *providers; /* of provider, in order */
} provider_list;

/* Asking. */

/* What a provider may change of the request, besides the environment of the handler, is not its own to say here. */
typedef struct request_state {
    char *user, *type;
    int status;
    apr_table_t *environment; /* NULL: it may say something there */
} request_state;

static request_state take_state(request_rec *r, char *user)
{
    bool is_observed = avh_is_observed(avh_section_of(r));
    request_state state = { r->user, r->ap_auth_type, r->status,
                            is_observed ? apr_table_copy(r->pool, r->subprocess_env) : NULL };
    r->user = user;
    r->ap_auth_type = "Basic";
    return state;
}

static void give_back(request_rec *r, const request_state *state)
{
    r->user = state->user;
    r->ap_auth_type = state->type;
    r->status = state->status;
    r->subprocess_env = state->environment ? state->environment : r->subprocess_env;
}

/* <AuthnProviderAlias> learns from the note which of its names is asked. */
static authn_status ask_in_order(request_rec *r, const apr_array_header_t *providers, const char *password)
{
    const char *user = r->user;
    authn_status status = AUTH_USER_NOT_FOUND;
    for (int i = 0; i < providers->nelts && status == AUTH_USER_NOT_FOUND; i++) {
        const provider *asked = &APR_ARRAY_IDX(providers, i, provider);
        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, asked->name);
        status = asked->functions->check_password(r, user, password);
        apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    }
    return status;
}

/* A provider may give the user another name (AuthLDAPRemoteUserAttribute), which becomes a header's value, too. */
static const char *name_of(request_rec *r, apr_pool_t *pool)
{
    for (const char *at = r->user ? r->user : ""; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return NULL;
        }
    }
    return r->user && *r->user ? apr_pstrdup(pool, r->user) : NULL;
}

static av_reason reason_of(authn_status status, const char *name)
{
    switch (status) {
    case AUTH_GRANTED:
        return name ? AV_ACCEPTED : AV_STORE_UNAVAILABLE;
    case AUTH_DENIED:
        return AV_WRONG_SECRET;
    case AUTH_USER_NOT_FOUND:
        return AV_UNKNOWN_CLIENT;
    default:
        return AV_STORE_UNAVAILABLE;
    }
}

static av_reason ask(const provider_list *list, request_rec *r, av_slice user, av_slice password, const char **name,
                     apr_pool_t *pool)
{
    char *secret = av_slice_string(password, pool);
    request_state state = take_state(r, av_slice_string(user, r->pool));
    uint64_t begun = av_password_cost_now();
    authn_status status = ask_in_order(r, list->providers, secret);
    if (status == AUTH_GRANTED || status == AUTH_DENIED) {
        av_password_cost_learn(list->cost, av_password_cost_now() - begun);
    } else if (status == AUTH_USER_NOT_FOUND) {
        av_password_cost_spend(list->cost, begun);
    }
    *name = name_of(r, pool);
    give_back(r, &state);
    OPENSSL_cleanse(secret, password.len);
    return reason_of(status, *name);
}

/* Remembering. */

/* A module that merges nothing hands the settings of a section on as they are: with the rule's own there, what was
 * remembered under the rule was remembered under the same settings. Their memory is the configuration's, which no
 * request has the address of, .htaccess included. */
static bool is_as_written(const provider_list *list, request_rec *r)
{
    for (int i = 0; i < list->providers->nelts; i++) {
        const provider *each = &APR_ARRAY_IDX(list->providers, i, provider);
        if (!each->settings || ap_get_module_config(r->per_dir_config, each->keeper) != each->settings) {
            return false;
        }
    }
    return list->memory != NULL;
}

/* What is remembered in one second is not found in the next. */
typedef struct moment {
    const provider_list *list;
    apr_time_t second;
} moment;

static av_reason check(const av_password_source *source, void *server, av_slice user, av_slice password,
                       const char **name, apr_pool_t *pool)
{
    const provider_list *list = source->store;
    request_rec *r = server;
    moment now = { list, apr_time_sec(apr_time_now()) };
    av_slice when = { (const char *)&now, sizeof(now) };
    bool is_remembered = is_as_written(list, r);
    if (is_remembered && list->memory->knows(list->memory->store, user, when, password)) {
        *name = av_slice_string(user, pool);
        return AV_ACCEPTED;
    }
    av_reason reason = ask(list, r, user, password, name, pool);
    if (is_remembered && reason == AV_ACCEPTED) {
        list->memory->learn(list->memory->store, user, when, password);
    }
    return reason;
}

/* Opening. */

/* The modules whose providers look at a file of theirs and at nothing else, and do nothing besides. */
static const module *keeper_of(const char *name)
{
    const module *keeper = NULL;
    if (strcmp(name, "file") == 0) {
        keeper = ap_find_linked_module("mod_authn_file.c");
    } else if (strcmp(name, "dbm") == 0) {
        keeper = ap_find_linked_module("mod_authn_dbm.c");
    }
    return keeper && !keeper->merge_dir_config ? keeper : NULL;
}

static const char *registered_names(apr_pool_t *pool)
{
    apr_array_header_t *list = ap_list_provider_names(pool, AUTHN_PROVIDER_GROUP, AUTHN_PROVIDER_VERSION);
    const char *names = "";
    for (int i = 0; i < list->nelts; i++) {
        const char *name = APR_ARRAY_IDX(list, i, ap_list_provider_names_t).provider_name;
        names = apr_pstrcat(pool, names, *names ? ", " : "", name, NULL);
    }
    return *names ? names : "none";
}

static const char *add_provider(provider_list *list, const avh_line *line, const char *name, apr_pool_t *pool)
{
    const authn_provider *found = ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
    if (!found || !found->check_password) {
        return apr_psprintf(
            pool,
            "%s: no module that is loaded knows passwords under this name; there are: %s. Load its module, such as "
            "mod_authn_file for file",
            name, registered_names(pool));
    }
    const module *keeper = keeper_of(name);
    const void *settings = keeper && line && line->sections ? ap_get_module_config(line->sections, keeper) : NULL;
    *(provider *)apr_array_push(list->providers) = (provider){ name, found, keeper, settings };
    return NULL;
}

/* mod_auth_basic keeps its list to itself; the configuration's text has it. */
static const char *names_beside(const avh_line *line, apr_pool_t *pool)
{
    const ap_directive_t *section = line && line->at ? line->at->parent : NULL;
    const char *names = NULL;
    for (const ap_directive_t *each = section ? section->first_child : NULL; each; each = each->next) {
        const char *rest = each->args;
        while (ap_cstr_casecmp(each->directive, "AuthBasicProvider") == 0 && *rest) {
            const char *name = ap_getword_conf(pool, &rest);
            names = names ? apr_pstrcat(pool, names, ",", name, NULL) : name;
        }
    }
    return names ? names : AUTHN_DEFAULT_PROVIDER;
}

const char *avh_provider_open(const av_compiler *compiler, const char *names, const av_password_source **source)
{
    const avh_line *line = compiler->section;
    apr_pool_t *pool = compiler->pool;
    provider_list *list = apr_pcalloc(pool, sizeof(*list));
    const char *error = NULL;
    av_slice rest, name;

    names = names ? names : names_beside(line, pool);
    rest = av_slice_of(names);
    list->source = (av_password_source){ list, check };
    list->memory = compiler->passwords;
    list->cost = av_password_cost_create(pool);
    list->providers = apr_array_make(pool, 2, sizeof(provider));
    while (!error && av_slice_split(&rest, ',', &name)) {
        error = add_provider(list, line, av_slice_string(name, pool), pool);
    }
    *source = &list->source;
    return error || list->cost ? error
                               : apr_pstrcat(pool, names, ": no memory that all processes share can be had", NULL);
}
