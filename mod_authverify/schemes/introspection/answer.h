/* What an introspection endpoint answers about a token (RFC 7662 section 2.2), and what is remembered of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_INTROSPECTION_ANSWER_H
#define AV_INTROSPECTION_ANSWER_H

#include "../../core/token.h"
#include "../jwt/facts.h"

typedef struct av_answer {
    av_reason reason; /* AV_ACCEPTED: the token is active, and what does not change with time is right */
    av_jwt_facts facts;
    av_slice text;       /* JSON */
    const av_json *json; /* the same; NULL where it was remembered */
} av_answer;

/* Reads an answer, which borrows from `text`; the rest lives in `pool`. Its reason is AV_INTROSPECTION_MALFORMED where it
 * is no JSON object with a boolean "active", AV_INACTIVE_TOKEN, AV_WRONG_TOKEN_TYPE, or what av_jwt_facts_read says. */
void av_answer_read(av_slice text, const av_jwt_terms *terms, av_answer *answer, apr_pool_t *pool);

/* Packs an answer into notes. Returns how long they are; 0: there is not that much room. */
apr_size_t av_answer_pack(const av_answer *answer, char *notes, apr_size_t room);

/* The reverse; texts live in `pool`. False: they are none. */
bool av_answer_unpack(av_slice notes, av_answer *answer, apr_pool_t *pool);

#endif
