/* The value of AuthVerifyHeader.
 * SPDX-License-Identifier: Apache-2.0 */
#include "header_value.h"

#include "../core/rule.h"
#include "../core/token.h"

#define CLAIM_PREFIX "%{claim:"

typedef enum part_kind { LITERAL, CLIENT, SCHEME, RULE, ORG, ENVIRONMENT, SCOPES, CLAIM } part_kind;

struct avh_value {
    part_kind kind;
    const char *literal; /* of a claim, its pointer */
    const avh_value *next;
};

static const struct {
    const char *text;
    part_kind kind;
} selectors[] = {
    { "%{client}", CLIENT },           { "%{scheme}", SCHEME }, { "%{rule}", RULE }, { "%{org}", ORG },
    { "%{environment}", ENVIRONMENT }, { "%{scopes}", SCOPES }, { "%%", LITERAL },
};

static const char *take_claim(const char *text, avh_value *part, apr_size_t *taken, apr_pool_t *pool)
{
    const char *name = text + strlen(CLAIM_PREFIX), *end = strchr(name, '}');
    part->kind = CLAIM;
    *taken = end ? (apr_size_t)(end - text) + 1 : 0;
    return end ? av_claim_name((av_slice){ name, (apr_size_t)(end - name) }, &part->literal, pool)
               : "the brace of %{claim:NAME} is not closed";
}

static const char *take_selector(const char *text, avh_value *part, apr_size_t *taken, apr_pool_t *pool)
{
    if (strncmp(text, CLAIM_PREFIX, strlen(CLAIM_PREFIX)) == 0) {
        return take_claim(text, part, taken, pool);
    }
    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        *taken = strlen(selectors[i].text);
        if (strncmp(text, selectors[i].text, *taken) == 0) {
            part->kind = selectors[i].kind;
            part->literal = "%";
            return NULL;
        }
    }
    return "in a header's value there are %{client}, %{scheme}, %{rule}, %{org}, %{environment}, %{scopes}, "
           "%{claim:NAME}, and %% for a percent sign";
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
            const char *error = take_selector(text, part, &taken, pool);
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

/* NULL for a claim that cannot be handed on. Nothing where there is none. */
static const char *claim_text(const avh_value *part, const av_verdict *verdict, apr_pool_t *pool)
{
    av_slice text;
    av_found found = av_token_claim(verdict->token, part->literal, &text, pool);
    return found == AV_BROKEN ? NULL : av_slice_string(text, pool);
}

static const char *part_text(const avh_value *part, const av_verdict *verdict, apr_pool_t *pool)
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
    case CLAIM:
        return claim_text(part, verdict, pool);
    default:
        return part->literal;
    }
}

const char *avh_value_of(const avh_value *value, const av_verdict *verdict, apr_pool_t *pool)
{
    const char *text = part_text(value, verdict, pool);
    for (value = value->next; text && value; value = value->next) {
        const char *more = part_text(value, verdict, pool);
        text = more ? apr_pstrcat(pool, text, more, NULL) : NULL;
    }
    return text;
}
