/* The options of an introspection rule, compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_INTROSPECTION_SETTINGS_H
#define AV_INTROSPECTION_SETTINGS_H

#include "../../core/introspection.h"
#include "../jwt/terms.h"

/* How we tell the endpoint who we are (RFC 7662 section 2.1). */
typedef enum av_introspection_proof {
    AV_CLIENT_SECRET_BASIC, /* RFC 6749 section 2.3.1 */
    AV_CLIENT_SECRET_POST,  /* the same */
    AV_BEARER               /* RFC 6750 */
} av_introspection_proof;

typedef struct av_introspection_settings {
    av_jwt_terms terms; /* stands first */
    av_endpoint endpoint;
    av_introspection_proof proof;
    av_slice client_id;                             /* NULL: not said */
    av_slice credentials;                           /* what a form ends with; empty: nothing. A secret */
    apr_int64_t remembered, refused_are_remembered; /* seconds; 0: not at all; less: not said */
    const av_introspector *introspector;
} av_introspection_settings;

extern const av_option av_introspection_options[];

void av_introspection_init(void *settings);

/* See av_scheme.finish. */
const char *av_introspection_finish(av_rule *rule, const av_compiler *compiler);

#endif
