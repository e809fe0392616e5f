/* What rules for tokens have in common, whatever proves them: where a token is, and what it must say.
 *
 * The options are set on the scheme's own settings, whose first member is an av_jwt_terms.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_TERMS_H
#define AV_JWT_TERMS_H

#include "../../core/rule.h"
#include "possession.h"

typedef struct av_jwt_terms {
    bool in_authorization;
    av_slice words[AV_MAX_PLACES + 1]; /* prefix=, and DPoP: that the token may stand behind there; empty: no word */
    apr_size_t word_count;
    av_selector places[AV_MAX_PLACES]; /* other headers, and parameters of the query */
    apr_size_t place_count;

    /* A text that is NULL has not been said. */
    av_slice issuer;                   /* empty: any */
    av_slice audience;                 /* comma list; empty: any */
    av_slice types;                    /* comma list */
    av_slice required;                 /* comma list of claims; empty: none */
    apr_int64_t max_age, max_lifetime; /* seconds; 0: any */

    av_jwt_possession possession;
} av_jwt_terms;

/* Rows of av_scheme.options. */
#define AV_JWT_TERMS_OPTIONS                                                                                    \
    { "in", av_jwt_set_in, false }, { "prefix", av_jwt_set_prefix, false }, { "type", av_jwt_set_type, false }, \
        { "issuer", av_jwt_set_issuer, false }, { "audience", av_jwt_set_audience, false },                     \
        { "require", av_jwt_set_require, false }, { "max-age", av_jwt_set_max_age, false },                     \
    {                                                                                                           \
        "max-lifetime", av_jwt_set_max_lifetime, false                                                          \
    }

const char *av_jwt_set_in(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_prefix(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_type(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_issuer(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_audience(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_require(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_max_age(void *settings, const char *value, const av_compiler *compiler);
const char *av_jwt_set_max_lifetime(void *settings, const char *value, const av_compiler *compiler);

/* For setters: seconds, 1 at least. Returns NULL or a sentence. */
const char *av_jwt_read_seconds(apr_int64_t *to, const char *value);

/* All options are set: says where the token is and what the rule knows of it. Returns NULL or a sentence. */
const char *av_jwt_terms_finish(av_rule *rule, av_jwt_terms *terms, const av_compiler *compiler);

/* The token in the request; *is_bound: it stands behind DPoP. Returns AV_ACCEPTED with *token borrowed or in `pool`,
 * AV_NOT_PRESENTED, AV_AMBIGUOUS_CREDENTIAL where there are two, or AV_MALFORMED_CREDENTIAL where a parameter is not
 * encoded as it must be. */
av_reason av_jwt_terms_find(const av_jwt_terms *terms, const av_request *request, av_slice *token, bool *is_bound,
                            apr_pool_t *pool);

/* A token of that type, NULL where it says none, is one of type=, or without that one of `usual` or of none. */
bool av_jwt_terms_take_type(const av_jwt_terms *terms, av_slice usual, av_slice type);

#endif
