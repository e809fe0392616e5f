/* name=value: how every option of every rule is written, and the table that says which there are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_OPTIONS_H
#define AV_OPTIONS_H

#include "digest.h"
#include "secret.h"
#include "words.h"

#include <apr_hash.h>
#include <apr_tables.h>

struct av_presets;        /* preset.h */
struct av_client_source;  /* client.h */
struct av_network_source; /* network.h */
struct av_password_memory;
struct av_key_memory;
struct av_password_source;
struct av_key_location; /* key_source.h */
struct av_key_source;
struct av_token_memory;
struct av_endpoint; /* introspection.h */
struct av_introspector;
struct av_pair_store;

/* What compiling a rule needs besides its words. */
typedef struct av_compiler {
    apr_pool_t *pool; /* everything compiled lives here */
    const av_crypto *crypto;
    av_source_access access; /* how secrets may be read */
    struct av_presets *presets;
    apr_array_header_t *warnings; /* of const char *: sentences about what works but should not be so */
    /* clients= and from=file: open what lies at `location` ("file:PATH"), which lives as long as `pool`. They return
     * NULL or a sentence. NULL where there are no such files here. */
    const char *(*open_clients)(void *baton, const char *location, const struct av_client_source **source);
    const char *(*open_networks)(void *baton, const char *location, const struct av_network_source **source);
    /* issued=: opens what pairs are kept in, which is a list of clients, too. Likewise. */
    const char *(*open_issued)(void *baton, const char *location, const struct av_pair_store **store,
                               const struct av_client_source **source);
    /* Opens keys that are published elsewhere, which live as long as `pool`. Returns NULL or a sentence. NULL where
     * nothing is fetched. */
    const char *(*open_keys)(void *baton, const struct av_key_location *location, const struct av_key_source **source);
    /* Opens an endpoint that is asked about tokens, which lives as long as `pool`. Returns NULL or a sentence. NULL where
     * nobody is asked. */
    const char *(*open_introspection)(void *baton, const struct av_endpoint *endpoint,
                                      const struct av_introspector **introspector);
    void *open_baton;
    /* provider=, users=: whom the server asks for passwords, a comma list of `names`, or NULL: its own choice. Returns NULL
     * or a sentence that begins with the name. NULL where there is no such server. */
    const char *(*open_provider)(const struct av_compiler *compiler, const char *names,
                                 const struct av_password_source **source);
    const void *section;                        /* for it: where the rule stands. NULL: nowhere, as a preset */
    const struct av_password_memory *passwords; /* client.h; NULL: passwords are computed each time */
    const struct av_key_memory *derived_keys;   /* client.h; NULL: keys are derived each time */
    const struct av_token_memory *tokens;       /* token.h; NULL: tokens are proven each time */
    const av_hmac_key *nonce_key;               /* nonce.h; NULL: no nonce is ever right */
    apr_hash_t *loaded;                         /* what each source gave: it is read once, however many rules name it */
} av_compiler;

/* One row for each option. */
typedef struct av_option {
    const char *name;
    /* Takes the value, which is never empty. Returns NULL or a sentence; it need not name the option. */
    const char *(*set)(void *target, const char *value, const av_compiler *compiler);
    bool repeatable;
} av_option;

/* An option as written. */
typedef struct av_setting {
    const char *name;
    const char *value;
} av_setting;

/* A table of options and what they are set on. */
typedef struct av_option_target {
    const av_option *options; /* ends with a row whose name is NULL */
    void *target;
} av_option_target;

/* Splits words from `first` on at their first "=" into an array of av_setting in `pool`. Returns NULL or a sentence: a
 * word without "=", a name that is not made of a-z, 0-9 and hyphens, an empty value. No sentence repeats a word that
 * may hold a secret. */
const char *av_settings_split(const av_words *words, apr_size_t first, apr_array_header_t **settings, apr_pool_t *pool);

/* What is in force where `over` was written on top of `base`: all of `over`, and of `base` whatever `over` does not
 * name. */
apr_array_header_t *av_settings_override(const apr_array_header_t *base, const apr_array_header_t *over,
                                         apr_pool_t *pool);

/* Sets each setting on the first target whose table has its name. Returns NULL or a sentence that names the option:
 * unknown (with the nearest one there is), given twice, or what its setter says. */
const char *av_settings_apply(const apr_array_header_t *settings, const av_option_target *targets, apr_size_t count,
                              const av_compiler *compiler);

/* Of `count` names the one that `name` was probably meant to be; NULL where none is near. */
const char *av_nearest(const char *name, const char *const *names, apr_size_t count);

/* Reads "on" or "off". Returns NULL or a sentence. */
const char *av_option_switch(const char *value, bool *out);

/* Finds `value` in a list of `count` words and gives its index. Returns NULL or a sentence that names them all. */
const char *av_option_choice(const char *value, const char *const *choices, unsigned count, unsigned *index,
                             apr_pool_t *pool);

#endif
