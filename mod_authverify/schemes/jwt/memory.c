/* Packs what is known of a token into notes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#define MOST_NOTES 1024 /* of a token that was proven */

/* What stands before the texts, which follow one after the other. */
typedef struct packing {
    av_jwt_time expires, not_before, issued;
    uint16_t name_len, scopes_len, id_len, certificate_len, key_len, label_len;
} packing;

static char *put_text(char *at, av_slice text)
{
    if (text.len) {
        memcpy(at, text.at, text.len);
    }
    return at + text.len;
}

apr_size_t av_jwt_memory_pack(const av_jwt_facts *facts, const char *label, char *notes, apr_size_t room)
{
    av_slice named = av_slice_of(label);
    apr_size_t len =
        facts->name.len + facts->scopes.len + facts->id.len + facts->certificate.len + facts->key.len + named.len;
    packing packed = { .expires = facts->expires, .not_before = facts->not_before, .issued = facts->issued };
    if (len > UINT16_MAX || sizeof(packed) + len > room) {
        return 0;
    }
    packed.name_len = (uint16_t)facts->name.len;
    packed.scopes_len = (uint16_t)facts->scopes.len;
    packed.id_len = (uint16_t)facts->id.len;
    packed.certificate_len = (uint16_t)facts->certificate.len;
    packed.key_len = (uint16_t)facts->key.len;
    packed.label_len = (uint16_t)named.len;
    memcpy(notes, &packed, sizeof(packed));
    char *at = put_text(notes + sizeof(packed), facts->name);
    at = put_text(put_text(put_text(at, facts->scopes), facts->id), facts->certificate);
    put_text(put_text(at, facts->key), named);
    return sizeof(packed) + len;
}

static av_slice take_text(const char **at, apr_size_t len, apr_pool_t *pool)
{
    av_slice text = { len ? av_slice_string((av_slice){ *at, len }, pool) : "", len };
    *at += len;
    return text;
}

apr_size_t av_jwt_memory_unpack(av_slice notes, av_jwt_facts *facts, const char **label, apr_pool_t *pool)
{
    packing packed = { .name_len = 0 };
    if (notes.len < sizeof(packed)) {
        return 0;
    }
    memcpy(&packed, notes.at, sizeof(packed));
    apr_size_t len = (apr_size_t)packed.name_len + packed.scopes_len + packed.id_len + packed.certificate_len +
                     packed.key_len + packed.label_len;
    const char *at = notes.at + sizeof(packed);
    if (len > notes.len - sizeof(packed)) {
        return 0;
    }
    *facts = (av_jwt_facts){ .expires = packed.expires, .not_before = packed.not_before, .issued = packed.issued };
    facts->name = take_text(&at, packed.name_len, pool);
    facts->scopes = take_text(&at, packed.scopes_len, pool);
    facts->id = take_text(&at, packed.id_len, pool);
    facts->certificate = take_text(&at, packed.certificate_len, pool);
    facts->key = take_text(&at, packed.key_len, pool);
    *label = take_text(&at, packed.label_len, pool).at;
    return sizeof(packed) + len;
}

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

bool av_jwt_memory_recall(const av_rule *rule, const av_token_name *name, apr_time_t now, av_jwt_facts *facts,
                          const char **label, apr_pool_t *pool)
{
    char notes[MOST_NOTES];
    apr_size_t len = sizeof(notes);
    return rule->tokens->recall(rule->tokens->store, name, now, notes, &len) &&
           av_jwt_memory_unpack((av_slice){ notes, len }, facts, label, pool);
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
    char notes[MOST_NOTES];
    apr_size_t room = rule->tokens->room < sizeof(notes) ? rule->tokens->room : sizeof(notes);
    apr_size_t len = facts->expires.is_said ? av_jwt_memory_pack(facts, label, notes, room) : 0;
    if (len) {
        rule->tokens->keep(rule->tokens->store, name, end_of(rule, facts), notes, len);
    }
}
