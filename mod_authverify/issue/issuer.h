/* An AuthVerifyToken line, compiled: who may have tokens, what they say, what they are signed with; and who may have a
 * token pair for a user of his.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_ISSUER_H
#define AV_ISSUER_H

#include "../core/rule.h"
#include "signing_key.h"

/* Signing keys of one issuer. */
#define AV_MAX_SIGNING_KEYS 8

typedef struct av_issuer {
    const av_rule *door;        /* what a client must meet before it gets a token */
    const av_signing_key *keys; /* the first signs, all are published. NULL: there are only pairs for users */
    apr_size_t key_count;       /* 0 only where no secret must be known yet (av_source_load) */
    const av_jws_algorithm *algorithm;
    av_slice issuer;    /* "iss": a URL without a slash at its end */
    av_slice audience;  /* "aud", a comma list */
    av_slice scopes;    /* the most that is given, a comma list; empty: all that the client has */
    int lifetime;       /* seconds */
    const char *legacy; /* the word before a token that is asked for in the older form; NULL: that is not taken */
    bool insecure;      /* tokens are given without TLS, too */

    /* Pairs for users; all NULL where there are none. */
    const av_rule *login; /* what an application must meet that logs its users in */
    const av_password_source *users;
    const av_pair_store *pairs;
    int user_lifetime;     /* seconds */
    apr_size_t user_pairs; /* valid ones that a user may have of one application */

    /* What is published, as JSON texts: RFC 7517 section 5, RFC 8414 section 3.2. */
    av_slice key_set, metadata;

    /* For the start only. */
    apr_array_header_t *sources; /* of av_source: key= */
    const char *token_endpoint, *jwks_uri;
    const char *user_providers, *issued; /* users=, issued= */
} av_issuer;

/* The issuer signs tokens. */
static inline bool av_issuer_signs(const av_issuer *issuer)
{
    return issuer->keys != NULL;
}

/* Compiles the words of the line, the directive's name first, into *issuer. Everything lives in compiler->pool, and the
 * keys are read. Returns NULL or a sentence with the remedy. */
const char *av_issuer_compile(const av_words *words, const av_compiler *compiler, av_issuer *issuer);

#endif
