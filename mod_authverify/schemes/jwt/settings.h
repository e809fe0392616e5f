/* The options of a jwt rule, compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_SETTINGS_H
#define AV_JWT_SETTINGS_H

#include "../../core/jwk.h"
#include "../../core/key_source.h"
#include "../../core/rule.h"

typedef struct av_jwt_settings {
    bool in_authorization;
    av_slice words[AV_MAX_PLACES]; /* prefix=: that the token may stand behind there; empty: no word */
    apr_size_t word_count;
    av_selector places[AV_MAX_PLACES]; /* other headers, and parameters of the query */
    apr_size_t place_count;

    av_key_location remote; /* keys=jwks:URL or metadata:URL; its url is NULL where there is none */
    const av_key_source *source_of_keys;
    bool has_source;
    av_source source;               /* keys= */
    apr_array_header_t *algorithms; /* of const av_jws_algorithm * */
    const av_jws_key *keys;
    apr_size_t key_count;

    /* A text that is NULL has not been said. */
    av_slice issuer;                   /* empty: any */
    av_slice audience;                 /* comma list; empty: any */
    av_slice types;                    /* comma list; NULL: a token says "JWT", "at+jwt" or nothing */
    av_slice required;                 /* comma list of claims; empty: none */
    apr_int64_t max_age, max_lifetime; /* seconds; 0: any */
} av_jwt_settings;

extern const av_option av_jwt_options[];

void av_jwt_init(void *settings);

/* See av_scheme.finish. */
const char *av_jwt_finish(av_rule *rule, const av_compiler *compiler);

#endif
