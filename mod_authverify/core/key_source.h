/* Where keys come from that change while the server runs: whoever issues tokens publishes them (RFC 7517, RFC 8414).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_KEY_SOURCE_H
#define AV_KEY_SOURCE_H

#include "jwk.h"

#include <apr_time.h>

/* What a rule says of them. Everything lives as long as the rule. */
typedef struct av_key_location {
    const char *url;         /* https://… */
    bool is_metadata;        /* what is there names the URL of the keys as "jwks_uri" */
    const char *issuer;      /* what metadata must call itself; NULL: anything */
    const char *authorities; /* a file of certificates, in PEM, that the server's may come from; NULL: the system's */
    apr_interval_time_t refresh;          /* how long keys are used before they are asked for again */
    apr_interval_time_t stale;            /* how long they are used when nobody answers */
    const apr_array_header_t *algorithms; /* that they must serve; see av_jwk_set_read */
} av_key_location;

/* Any number of threads may call these; they never block and never wait for a network. */
typedef struct av_key_source av_key_source;

struct av_key_source {
    const void *store;

    /* The keys in force at `now`. They stay as they are for a minute at least. NULL: none could be had yet, or they are
     * too old. */
    const av_jwk_set *(*current)(const av_key_source *source, apr_time_t now);

    /* A token names a key that is not among them: there may be newer ones. */
    void (*miss)(const av_key_source *source);
};

#endif
