/* Require authverify [scheme X|client X|org X|scope X|environment X]: grants what a rule has proven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "require.h"
#include "verdicts.h"

#include <ap_provider.h>
#include <mod_auth.h>

/* One parsed line. */
typedef struct requirement {
    enum { ANY, SCHEME, CLIENT, ORG, SCOPE, ENVIRONMENT } kind;
    apr_array_header_t *values; /* of const char *: any of them */
} requirement;

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
    made->values = apr_array_make(cmd->pool, 2, sizeof(const char *));
    *parsed = made;
    if (!words.count) {
        return NULL;
    }
    static const char *const kinds[] = { "", "scheme", "client", "org", "scope", "environment" };
    unsigned kind = ANY;
    if (words.count < 2 || av_option_choice(words.at[0], kinds, 6, &kind, cmd->pool)) {
        return "Require authverify takes nothing more, or scheme, client, org, scope or environment, and one name or several";
    }
    made->kind = kind;
    for (apr_size_t i = 1; i < words.count; i++) {
        if (made->kind == SCHEME && !av_scheme_find(av_slice_of(words.at[i]))) {
            return apr_psprintf(cmd->pool, "Require authverify scheme: \"%s\" is none of %s", words.at[i],
                                av_scheme_names(cmd->pool));
        }
        *(const char **)apr_array_push(made->values) = words.at[i];
    }
    return NULL;
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

static bool holds(const requirement *wanted, const av_verdict *verdict)
{
    av_slice value = asked(wanted, verdict);
    for (int i = 0; i < wanted->values->nelts; i++) {
        av_slice name = av_slice_of(APR_ARRAY_IDX(wanted->values, i, const char *));
        if (wanted->kind == SCOPE ? av_list_has(value, name) : av_slice_equal(value, name)) {
            return true;
        }
    }
    return wanted->kind == ANY;
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
    return verdict->reason == AV_ACCEPTED && holds(parsed, verdict) ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

static const authz_provider provider = { check, parse };

void avh_require_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "authverify", AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
