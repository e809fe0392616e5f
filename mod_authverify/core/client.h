/* Who may come, where many may: a client's secrets and limits, and where clients are looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENT_H
#define AV_CLIENT_H

#include "limits.h"

/* Secrets of one client that are looked at. */
#define AV_MAX_CLIENT_SECRETS 8

/* How a secret is kept. */
typedef enum av_secret_kind {
    AV_SECRET_PLAIN,  /* plain:…   as it is: for whoever signs */
    AV_SECRET_SHA256, /* sha256:…  base64 of the digest: for random tokens */
    AV_SECRET_BCRYPT  /* bcrypt:…  "$2y$…" (crypt(3)): for passwords */
} av_secret_kind;

typedef struct av_client_secret {
    av_secret_kind kind;
    av_slice value;                 /* SHA256: the 32 bytes; otherwise the text; NUL-terminated */
    const char *label;              /* "" where it has none */
    apr_time_t not_before, expires; /* 0: not said */
} av_client_secret;

/* One line of a clients file. Slices and strings live in the pool of whoever looked it up. */
typedef struct av_client_record {
    const char *id;
    av_client_secret secrets[AV_MAX_CLIENT_SECRETS];
    apr_size_t secret_count;
    av_limits limits; /* from, methods, paths */
    av_slice schemes, scopes, org, environment, application, user;
    apr_time_t not_before, expires; /* 0: not said */
} av_client_record;

/* Where clients are looked up. The functions may be called by any number of threads at once; they never block. */
typedef struct av_client_source av_client_source;

struct av_client_source {
    const void *store;

    /* The client of that name. Returns AV_ACCEPTED with *record filled in `pool`, AV_UNKNOWN_CLIENT, or
     * AV_STORE_UNAVAILABLE. */
    av_reason (*find_by_id)(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *pool);

    /* The client that has a sha256: or plain: secret of that digest; for schemes whose credential is all there is. */
    av_reason (*find_by_digest)(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                                av_client_record *record, apr_pool_t *pool);

    /* A secret of the kind that nobody knows and that costs what the dearest one here costs. */
    av_client_secret (*dummy)(const av_client_source *source, av_secret_kind kind, apr_pool_t *pool);
};

/* Passwords that the server itself knows, or knows whom to ask for: provider=. */
typedef struct av_password_source av_password_source;

struct av_password_source {
    const void *store;

    /* Is it that user's password? `server` is av_request.server. May block, in the request's own thread. Returns
     * AV_ACCEPTED with *name set, in `pool`, to what the user is called from now on; or AV_UNKNOWN_CLIENT, at the cost of
     * a known one as far as that can be had, AV_WRONG_SECRET, AV_STORE_UNAVAILABLE. */
    av_reason (*check)(const av_password_source *source, void *server, av_slice user, av_slice password,
                       const char **name, apr_pool_t *pool);
};

/* A token pair that is issued to a user of an application: what a token-pair rule is to know of it. */
typedef struct av_issued_pair {
    av_slice token, secret;
    av_slice application, user; /* neither is empty */
    av_slice scopes, org, environment;
    apr_time_t expires; /* of which whole seconds count */
} av_issued_pair;

/* Where pairs that are issued are kept: issued=. */
typedef struct av_pair_store av_pair_store;

struct av_pair_store {
    const void *store;

    /* Keeps a pair, of which not more than `most` of the same user and application may be valid at `now`, and has it in
     * force in all processes. May block, no longer than some seconds. Returns AV_ACCEPTED, AV_TOO_MANY_PAIRS, or
     * AV_STORE_UNAVAILABLE: nothing is kept then, or nobody knows what. *why is NULL, or a sentence for the log. */
    av_reason (*keep)(const av_pair_store *store, const av_issued_pair *pair, apr_size_t most, apr_time_t now,
                      const char **why, apr_pool_t *pool);
};

/* Looks the claim's client up in the rule's lists: by its name, or where it has none by the digest of what it presents.
 * Sets claim->record and claim->client; a client that no list has gets a dummy's secret and claim->is_unknown.
 * Returns AV_ACCEPTED, AV_STORE_UNAVAILABLE, AV_INTERNAL_ERROR. */
av_reason av_clients_identify(av_claim *claim, apr_pool_t *pool);

/* For schemes whose credential is the secret itself (claim->proofs[0]): see av_scheme.prove. A rule with secret= has
 * one sender, whose name is its identity=; one with a provider asks it. */
av_reason av_client_prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool);

/* What a client is called once it is proven: its user= limit, else its id. */
const char *av_client_name(const av_client_record *record);

/* Remembers that a password was right (stores/verdict_cache.h); the core keeps no state. */
typedef struct av_password_memory {
    void *store;
    bool (*knows)(void *store, av_slice client, av_slice hash, av_slice password);
    void (*learn)(void *store, av_slice client, av_slice hash, av_slice password);
} av_password_memory;

/* Remembers keys that were derived from a secret for some purpose (stores/key_cache.h). A key has at most
 * AV_LARGEST_DERIVED_KEY bytes. */
#define AV_LARGEST_DERIVED_KEY 64
typedef struct av_key_memory {
    void *store;
    bool (*recall)(void *store, av_slice secret, av_slice purpose, unsigned char *key, apr_size_t size);
    void (*keep)(void *store, av_slice secret, av_slice purpose, const unsigned char *key, apr_size_t size);
} av_key_memory;

/* What somebody shows. */
typedef struct av_presented {
    av_slice secret;
    av_slice digest; /* its SHA-256, where somebody has computed it already; else empty */
} av_presented;

/* Which of the client's secrets that are valid at `now` is `presented`, in constant time for each of them: NULL for
 * none. Every secret costs the same work whether it matches or not. *failed is set where the library refused to work.
 * A bcrypt: secret that `passwords` (may be NULL) knows to be right is not computed again. */
const av_client_secret *av_client_match(const av_client_record *record, const av_crypto *crypto,
                                        const av_password_memory *passwords, const av_presented *presented,
                                        apr_time_t now, bool *failed);

/* What a client may do, asked once it is proven: its time, its schemes, whether it is one for this rule, its limits.
 * Returns
 * AV_ACCEPTED or the reason. */
av_reason av_client_check(const av_client_record *record, const av_rule *rule, const av_request *request);

#endif
