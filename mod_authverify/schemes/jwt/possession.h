/* Tokens that are bound to their holder: to a certificate (RFC 8705 section 3), or to a key (RFC 9449), of which a
 * proof comes with each request.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_POSSESSION_H
#define AV_JWT_POSSESSION_H

#include "../../core/dpop.h"
#include "../../core/rule.h"

struct av_jwt_facts;
struct av_jwt_terms;

/* The word before a token that is bound to a key (RFC 9449 section 7.1). */
#define AV_JWT_DPOP AV_SLICE("DPoP")

/* What a rule says of tokens that are bound to a key. */
typedef struct av_jwt_possession {
    enum { AV_DPOP_OFF, AV_DPOP_OPTIONAL, AV_DPOP_REQUIRED } dpop;
    apr_array_header_t *algorithms;   /* of proofs: of const av_jws_algorithm * */
    apr_interval_time_t past, future; /* how old a proof may be, and how far ahead */
    bool has_tolerance, has_nonces;   /* they were said */
    bool wants_nonces;                /* in each proof */
} av_jwt_possession;

/* Rows of av_scheme.options; the target begins with an av_jwt_terms. */
#define AV_JWT_POSSESSION_OPTIONS                                                                 \
    { "dpop", av_jwt_set_dpop, false }, { "dpop-algorithms", av_jwt_set_dpop_algorithms, false }, \
        { "dpop-tolerance", av_jwt_set_dpop_tolerance, false },                                   \
    {                                                                                             \
        "dpop-nonce", av_jwt_set_dpop_nonce, false                                                \
    }

const char *av_jwt_set_dpop(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_dpop_algorithms(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_dpop_tolerance(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_dpop_nonce(void *settings, const char *value, const av_compiler *compiler);

/* All options are set: says what the rule takes besides the token. Returns NULL or a sentence. */
const char *av_jwt_possession_finish(av_rule *rule, struct av_jwt_terms *terms, const av_compiler *compiler);

/* The token of claim->proofs came behind the word: reads its proof into *proof, and checks all of it that the head
 * tells: whether it is for this request and this token, is of these minutes and, where the rule wants that, has a nonce
 * of this server. Sets claim->nonce where the sender needs a new one. Returns AV_ACCEPTED or the reason; nothing is
 * proven yet. */
av_reason av_jwt_possession_find(const av_request *request, av_claim *claim, const av_dpop_proof **proof,
                                 apr_pool_t *pool);

/* Is the token, which is proven, in the hands of whom it is bound to, and bound where the rule wants that? `proof` is
 * NULL where none came with it. One that is right is put into claim->once. Returns AV_ACCEPTED or the reason. */
av_reason av_jwt_possession_check(const av_request *request, av_claim *claim, const struct av_jwt_facts *facts,
                                  const av_dpop_proof *proof, apr_pool_t *pool);

#endif
