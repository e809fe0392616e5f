/* The value of AuthVerifyHeader.
 * SPDX-License-Identifier: Apache-2.0 */
#include "header_value.h"

#include "../core/rule.h"

typedef enum part_kind { LITERAL, CLIENT, SCHEME, RULE, ORG, ENVIRONMENT, SCOPES } part_kind;

struct avh_value {
    part_kind kind;
    const char *literal;
    const avh_value *next;
};

static const struct {
    const char *text;
    part_kind kind;
} selectors[] = {
    { "%{client}", CLIENT },           { "%{scheme}", SCHEME }, { "%{rule}", RULE }, { "%{org}", ORG },
    { "%{environment}", ENVIRONMENT }, { "%{scopes}", SCOPES }, { "%%", LITERAL },
};

static const char *take_selector(const char *text, avh_value *part, apr_size_t *taken)
{
    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        *taken = strlen(selectors[i].text);
        if (strncmp(text, selectors[i].text, *taken) == 0) {
            part->kind = selectors[i].kind;
            part->literal = "%";
            return NULL;
        }
    }
    return "in a header's value there are %{client}, %{scheme}, %{rule}, %{org}, %{environment}, %{scopes}, and %% for a percent "
           "sign";
}

const char *avh_value_parse(const char *text, const avh_value **value, apr_pool_t *pool)
{
    const avh_value **end = value;
    *value = NULL;
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return "a header's value holds no control characters";
        }
    }
    while (*text) {
        avh_value *part = apr_pcalloc(pool, sizeof(*part));
        apr_size_t taken = strcspn(text, "%");
        if (taken) {
            part->literal = apr_pstrmemdup(pool, text, taken);
        } else {
            const char *error = take_selector(text, part, &taken);
            if (error) {
                return error;
            }
        }
        text += taken;
        *end = part;
        end = &part->next;
    }
    return *value ? NULL : "the value is empty";
}

/* NUL-terminated: it comes from a list of clients. Nothing where there is no list. */
static const char *or_empty(const av_slice *text)
{
    return text && text->len ? text->at : "";
}

static const char *part_text(const avh_value *part, const av_verdict *verdict)
{
    const av_client_record *record = verdict->record;
    switch (part->kind) {
    case CLIENT:
        return verdict->client;
    case SCHEME:
        return verdict->rule->scheme->name;
    case RULE:
        return verdict->rule->name;
    case ORG:
        return or_empty(record ? &record->org : NULL);
    case ENVIRONMENT:
        return or_empty(record ? &record->environment : NULL);
    case SCOPES:
        return or_empty(record ? &record->scopes : NULL);
    default:
        return part->literal;
    }
}

const char *avh_value_of(const avh_value *value, const av_verdict *verdict, apr_pool_t *pool)
{
    const char *text = part_text(value, verdict);
    for (value = value->next; value; value = value->next) {
        text = apr_pstrcat(pool, text, part_text(value, verdict), NULL);
    }
    return text;
}
