/* Packs what is known of a token into notes of a fixed size.
 * SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

/* The texts stand one after the other. */
typedef struct packing {
    av_jwt_time expires, not_before, issued;
    uint16_t name_len, scopes_len, id_len, label_len;
    char texts[sizeof(av_token_notes) - 3 * sizeof(av_jwt_time) - 4 * sizeof(uint16_t)];
} packing;

_Static_assert(sizeof(packing) <= sizeof(av_token_notes), "notes hold what is packed");

bool av_jwt_memory_name(const av_rule *rule, av_slice token, uint64_t mark, av_token_name *name)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!rule->tokens || !av_digest(rule->crypto->sha256, token, digest, &size)) {
        return false;
    }
    memcpy(name->digest, digest, sizeof(name->digest));
    name->owner = rule->settings;
    name->mark = mark;
    return true;
}

static av_slice take_text(const char **at, apr_size_t len, apr_pool_t *pool)
{
    av_slice text = { len ? av_slice_string((av_slice){ *at, len }, pool) : "", len };
    *at += len;
    return text;
}

bool av_jwt_memory_recall(const av_rule *rule, const av_token_name *name, apr_time_t now, av_jwt_facts *facts,
                          const char **label, apr_pool_t *pool)
{
    av_token_notes notes;
    packing packed;
    if (!rule->tokens->recall(rule->tokens->store, name, now, &notes)) {
        return false;
    }
    memcpy(&packed, &notes, sizeof(packed));
    const char *at = packed.texts;
    *facts = (av_jwt_facts){ .expires = packed.expires, .not_before = packed.not_before, .issued = packed.issued };
    facts->name = take_text(&at, packed.name_len, pool);
    facts->scopes = take_text(&at, packed.scopes_len, pool);
    facts->id = take_text(&at, packed.id_len, pool);
    *label = take_text(&at, packed.label_len, pool).at;
    return true;
}

static char *put_text(char *at, av_slice text)
{
    if (text.len) {
        memcpy(at, text.at, text.len);
    }
    return at + text.len;
}

/* When nobody takes the token any more, whatever his clock says. */
static apr_time_t end_of(const av_rule *rule, const av_jwt_facts *facts)
{
    apr_int64_t most = apr_time_sec(INT64_MAX) - apr_time_sec(rule->past);
    apr_int64_t end = facts->expires.seconds < most ? facts->expires.seconds + apr_time_sec(rule->past) : most;
    return apr_time_from_sec(end);
}

void av_jwt_memory_keep(const av_rule *rule, const av_token_name *name, const av_jwt_facts *facts, const char *label)
{
    av_token_notes notes = { { 0 } };
    packing packed = { facts->expires, facts->not_before, facts->issued, 0, 0, 0, 0, "" };
    av_slice named = av_slice_of(label);
    apr_size_t len = facts->name.len + facts->scopes.len + facts->id.len + named.len;
    if (!facts->expires.is_said || len > sizeof(packed.texts)) {
        return;
    }
    packed.name_len = (uint16_t)facts->name.len;
    packed.scopes_len = (uint16_t)facts->scopes.len;
    packed.id_len = (uint16_t)facts->id.len;
    packed.label_len = (uint16_t)named.len;
    put_text(put_text(put_text(put_text(packed.texts, facts->name), facts->scopes), facts->id), named);
    memcpy(&notes, &packed, sizeof(packed));
    rule->tokens->keep(rule->tokens->store, name, end_of(rule, facts), &notes);
}
