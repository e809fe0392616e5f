/* The options of a jwt rule, compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_SETTINGS_H
#define AV_JWT_SETTINGS_H

#include "../../core/jwk.h"
#include "../../core/key_source.h"
#include "terms.h"

typedef struct av_jwt_settings {
    av_jwt_terms terms;     /* stands first */
    av_key_location remote; /* keys=jwks:URL or metadata:URL; its url is NULL where there is none */
    const av_key_source *source_of_keys;
    bool has_source;
    av_source source;               /* keys= */
    apr_array_header_t *algorithms; /* of const av_jws_algorithm * */
    const av_jws_key *keys;
    apr_size_t key_count;
} av_jwt_settings;

extern const av_option av_jwt_options[];

void av_jwt_init(void *settings);

/* See av_scheme.finish. */
const char *av_jwt_finish(av_rule *rule, const av_compiler *compiler);

#endif
