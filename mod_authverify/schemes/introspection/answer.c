/* Reads, packs and unpacks answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "../jwt/memory.h"

#include <jansson.h>

/* RFC 6749 section 7.1: a token of a type that is not known is of no use. What an endpoint calls a refresh token is no
 * access token. RFC 9449 section 6.2: one of the type DPoP is bound to a key. */
static av_reason check_type(const json_t *root, const av_jwt_terms *terms, const av_jwt_facts *facts)
{
    const json_t *member = json_object_get(root, "token_type");
    av_slice type = { json_string_value(member), json_string_length(member) };
    av_slice usual = terms->possession.dpop ? AV_SLICE("Bearer,DPoP") : AV_SLICE("Bearer");
    if (member && !json_is_string(member)) {
        return AV_UNFIT_CLAIM;
    }
    if (av_slice_equal_nocase(type, AV_JWT_DPOP) && !facts->key.len) {
        return AV_UNPROVEN_BINDING;
    }
    return av_jwt_terms_take_type(terms, usual, type) ? AV_ACCEPTED : AV_WRONG_TOKEN_TYPE;
}

static av_reason check(av_answer *answer, const av_jwt_terms *terms, apr_pool_t *pool)
{
    const json_t *root = answer->json ? av_json_root(answer->json) : NULL;
    const json_t *active = json_object_get(root, "active");
    if (!json_is_boolean(active)) {
        return AV_INTROSPECTION_MALFORMED;
    }
    if (!json_is_true(active)) {
        return AV_INACTIVE_TOKEN;
    }
    av_reason reason = av_jwt_facts_read(answer->json, terms, &answer->facts, pool);
    return reason == AV_ACCEPTED ? check_type(root, terms, &answer->facts) : reason;
}

void av_answer_read(av_slice text, const av_jwt_terms *terms, av_answer *answer, apr_pool_t *pool)
{
    *answer = (av_answer){ .text = text, .json = av_json_load(text, pool) };
    answer->reason = check(answer, terms, pool);
}

/* The reason stands first. What a token that is refused says is nobody's business. */
apr_size_t av_answer_pack(const av_answer *answer, char *notes, apr_size_t room)
{
    apr_size_t at = sizeof(answer->reason), len = 0;
    if (room < at) {
        return 0;
    }
    memcpy(notes, &answer->reason, at);
    if (answer->reason != AV_ACCEPTED) {
        return at;
    }
    len = av_jwt_memory_pack(&answer->facts, NULL, notes + at, room - at);
    if (!len || answer->text.len > room - at - len) {
        return 0;
    }
    memcpy(notes + at + len, answer->text.at, answer->text.len);
    return at + len + answer->text.len;
}

bool av_answer_unpack(av_slice notes, av_answer *answer, apr_pool_t *pool)
{
    const char *label;
    *answer = (av_answer){ .reason = AV_UNDECIDED };
    if (notes.len < sizeof(answer->reason)) {
        return false;
    }
    memcpy(&answer->reason, notes.at, sizeof(answer->reason));
    if (answer->reason != AV_ACCEPTED) {
        return true;
    }
    notes = av_slice_skip(notes, sizeof(answer->reason));
    apr_size_t len = av_jwt_memory_unpack(notes, &answer->facts, &label, pool);
    notes = av_slice_skip(notes, len);
    answer->text = (av_slice){ av_slice_string(notes, pool), notes.len };
    return len > 0;
}
