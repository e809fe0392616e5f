/* Require authverify [scheme X|client X|org X|scope X|environment X|claim X:Y]: grants what a rule has proven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "require.h"
#include "answer.h"
#include "verdicts.h"

#include "../core/token.h"

#include <ap_provider.h>
#include <mod_auth.h>

/* One value of a line. */
typedef struct wanted_value {
    const char *text;
    const char *claim; /* the pointer of the claim that must say so */
} wanted_value;

/* One parsed line. */
typedef struct requirement {
    enum { ANY, SCHEME, CLIENT, ORG, SCOPE, ENVIRONMENT, CLAIM } kind;
    apr_array_header_t *values; /* of wanted_value: any of them */
} requirement;

static const char *parse_value(const requirement *wanted, const char *word, wanted_value *value, apr_pool_t *pool)
{
    const char *colon = strchr(word, ':');
    value->text = word;
    if (wanted->kind == SCHEME && !av_scheme_find(av_slice_of(word))) {
        return apr_psprintf(pool, "Require authverify scheme: \"%s\" is none of %s", word, av_scheme_names(pool));
    }
    if (wanted->kind != CLAIM) {
        return NULL;
    }
    if (!colon || !colon[1]) {
        return "Require authverify claim takes NAME:VALUE; a colon in the name is written %3A";
    }
    value->text = colon + 1;
    const char *error = av_claim_name((av_slice){ word, (apr_size_t)(colon - word) }, &value->claim, pool);
    return error ? apr_pstrcat(pool, "Require authverify claim: ", error, NULL) : NULL;
}

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed)
{
    av_words words = { NULL, 0 };
    requirement *made = apr_pcalloc(cmd->pool, sizeof(*made));
    avh_section *section = ap_get_module_config(cmd->context, &authverify_module);
    const char *error = av_words_split(line, &words, cmd->pool);

    if (error) {
        return apr_pstrcat(cmd->pool, "Require authverify: ", error, NULL);
    }
    if (!section) { /* httpd makes it at the section's first directive of ours, and this is none */
        section = avh_section_create(cmd->pool, NULL);
        ap_set_module_config(cmd->context, &authverify_module, section);
    }
    section->require_seen = AVH_SWITCH_ON;
    made->values = apr_array_make(cmd->pool, 2, sizeof(wanted_value));
    *parsed = made;
    if (!words.count) {
        return NULL;
    }
    static const char *const kinds[] = { "", "scheme", "client", "org", "scope", "environment", "claim" };
    unsigned kind = ANY;
    if (words.count < 2 || av_option_choice(words.at[0], kinds, 7, &kind, cmd->pool)) {
        return "Require authverify takes nothing more, or scheme, client, org, scope, environment or claim, and one name "
               "or several";
    }
    made->kind = kind;
    for (apr_size_t i = 1; !error && i < words.count; i++) {
        error = parse_value(made, words.at[i], apr_array_push(made->values), cmd->pool);
    }
    return error;
}

/* What of the verdict the line is about. Scopes are a list. */
static av_slice asked(const requirement *wanted, const av_verdict *verdict)
{
    const av_client_record *record = verdict->record;
    switch (wanted->kind) {
    case SCHEME:
        return av_slice_of(verdict->rule->scheme->name);
    case CLIENT:
        return av_slice_of(verdict->client);
    case ORG:
        return record ? record->org : (av_slice){ "", 0 };
    case SCOPE:
        return record ? record->scopes : (av_slice){ "", 0 };
    case ENVIRONMENT:
        return record ? record->environment : (av_slice){ "", 0 };
    default:
        return (av_slice){ "", 0 };
    }
}

static bool is_as_wanted(const requirement *wanted, const wanted_value *value, const av_verdict *verdict,
                         apr_pool_t *pool)
{
    av_slice name = av_slice_of(value->text);
    switch (wanted->kind) {
    case SCOPE:
        return av_list_has(asked(wanted, verdict), name);
    case CLAIM:
        return av_token_says(verdict->token, value->claim, name, pool);
    default:
        return av_slice_equal(asked(wanted, verdict), name);
    }
}

static bool holds(const requirement *wanted, const av_verdict *verdict, apr_pool_t *pool)
{
    for (int i = 0; i < wanted->values->nelts; i++) {
        if (is_as_wanted(wanted, &APR_ARRAY_IDX(wanted->values, i, wanted_value), verdict, pool)) {
            return true;
        }
    }
    return wanted->kind == ANY;
}

/* RFC 6750 section 3.1. It is told only where nothing else grants the request. */
static authz_status deny(request_rec *r, const requirement *wanted)
{
    if (wanted->kind == SCOPE) {
        avh_note_missing_scope(r);
    }
    return AUTHZ_DENIED;
}

static authz_status check(request_rec *r, const char *line, const void *parsed)
{
    const avh_section *section = avh_section_of(r);
    (void)line;
    if (!avh_is_protected(section)) {
        return AUTHZ_DENIED;
    }
    const av_verdict *verdict = &avh_decide(r, section)->verdict;
    if (avh_is_observed(section) || avh_is_preflight(section, verdict)) {
        return AUTHZ_GRANTED; /* what is only observed changes no status; a preflight passes where it is let pass */
    }
    if (avh_is_unproven(section, verdict)) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (verdict->reason != AV_ACCEPTED) {
        return AUTHZ_DENIED;
    }
    return holds(parsed, verdict, r->pool) ? AUTHZ_GRANTED : deny(r, parsed);
}

static const authz_provider provider = { check, parse };

void avh_require_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "authverify", AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
