/* One AuthVerify line, compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_RULE_H
#define AV_RULE_H

#include "client.h"
#include "codec.h"
#include "limits.h"
#include "scheme.h"
#include "selector.h"

/* Where a credential travels: a rule sees its credential when one of its places is there, even empty. */
typedef struct av_place {
    enum {
        AV_PLACE_HEADER,
        AV_PLACE_PARAMETER,
        AV_PLACE_AUTHORIZATION
    } kind;        /* the last: a scheme word in that header */
    av_slice name; /* NUL-terminated */
} av_place;

#define AV_MAX_PLACES 8

struct av_rule {
    const av_scheme *scheme;
    const char *name;     /* the preset's or scheme's name: what the log calls it */
    const char *identity; /* who it proves */
    const char *realm;    /* NULL: the section's AuthName */
    av_client sender;     /* the identity and the keys of secret= */

    const av_client_source *const *clients; /* clients=, in order, NULL at the end; NULL: the rule has one sender */
    const av_password_source *provider;     /* provider=: who is asked for passwords; NULL: nobody */
    const av_crypto *crypto;
    const av_password_memory *passwords;
    const av_key_memory *derived_keys;
    const struct av_token_memory *tokens;
    const av_hmac_key *nonce_key;  /* of the server */
    const av_algorithm *algorithm; /* signing schemes: how a client's plain: secret becomes a key */
    av_encoding key_encoding;
    const char *key_prefix;
    av_slice org, environment, scopes; /* what its clients must be of; empty: anything */
    bool any_client;                   /* an AuthVerifyAlso may name another client */
    bool tells_scopes;                 /* its credential says what it is for: scopes= needs no list of clients */
    const char *proof_algorithms; /* of proofs that a token is in its holder's hands, with blanks between; NULL: none */
    bool needs_proof;             /* only such tokens are taken (RFC 9449) */
    const char *resource_metadata; /* the URL that its challenge names (RFC 9728 section 5.1); NULL: none */

    bool has_time;                    /* its scheme says when the request was signed */
    bool has_tolerance;               /* tolerance= was written */
    apr_interval_time_t past, future; /* how far from now that may be */
    int default_tolerance;            /* seconds, where none is written */
    apr_time_t time_unit;             /* ages are compared in the sender's own unit */
    bool strip;                       /* the places are taken out of what the handler sees */
    bool exclusive;                   /* a request that shows another rule's credential too is refused */
    bool asks_certificate;            /* what it proves may be bound to a certificate of the client */
    bool covers_host;                 /* what is signed names the host */
    bool asks_origin;                 /* what is signed may name the host */
    bool looks_inside;                /* after the proof, values inside the body are looked at */

    av_limits limits;   /* looked at before the credential is */
    bool proves_nobody; /* it needs no credential and takes every request: it must be the last of its list */

    av_place places[AV_MAX_PLACES];
    apr_size_t place_count;
    const av_place
        *companions; /* taken out with the credential, though they show none; no name at the end. May be NULL */
    apr_array_header_t *header_names; /* of av_slice, NUL-terminated: headers that the proof relies on */
    apr_array_header_t *sources;      /* of av_source: secret=, in order. For the start only */
    void *settings;                   /* the scheme's own */
};

/* Compiles the words that follow AuthVerify or AuthVerifyAlso: a scheme or preset, and its options. The rule is called
 * `name`. Everything, the words too, is copied into compiler->pool, and secrets are read. Returns NULL with *rule set,
 * or a sentence with the remedy. */
const char *av_rule_compile(const char *name, const av_words *words, const av_compiler *compiler, av_rule **rule);

/* A rule of `scheme` with its defaults and no option set, called `name`: for who compiles a line that is no AuthVerify. */
av_rule *av_rule_create(const char *name, const av_scheme *scheme, const av_compiler *compiler);

/* Of every rule's options those that say who may come, and from where: clients org environment realm from. Their target
 * is an av_rule. */
extern const av_option av_rule_entry_options[];

/* Looks at the options of a preset that no rule uses yet, and at those that it builds on. Reads no secret. Returns NULL
 * or a sentence. */
const char *av_rule_check(const av_words *words, const av_compiler *compiler);

/* Makes a rule from one that was compiled before, as .htaccess may: words name the preset and narrow it, nothing else.
 * Shares all of `base`, which must outlive it. Returns NULL with *rule set, or a sentence. */
const char *av_rule_narrow(const av_rule *base, const av_words *words, const av_compiler *compiler, av_rule **rule);

/* True if the words give secrets, clients or a provider of their own, themselves or through the presets they build on: such a
 * preset can be compiled once and used by pointer. */
bool av_rule_has_secret(const av_words *words, const av_compiler *compiler);

/* For schemes: who may prove itself. With clients= this only keeps how their secrets become keys (`algorithm` NULL:
 * they are compared, not keyed). With secret= it loads the rule's secrets, cuts `prefix` (NULL: none) off each, decodes
 * it, and prepares a key of `algorithm`.
 * Returns NULL or a sentence: no secret= at all, unreadable, not of the encoding, empty, unfit. */
const char *av_rule_load_keys(av_rule *rule, const av_algorithm *algorithm, av_encoding encoding, const char *prefix,
                              const av_compiler *compiler);

/* For schemes: what a source gives, which is read once however many rules name it. `is_public`: it is no secret.
 * Returns NULL with *text set, whose bytes are NULL where they must not be known now (av_source_load), or a sentence. */
const char *av_rule_read_source(const av_source *source, bool is_public, av_slice *text, const av_compiler *compiler);

/* Makes a key of a secret as it is written: cuts the rule's prefix, decodes, prepares. Returns NULL or a sentence. */
const char *av_rule_prepare_key(const av_rule *rule, av_key *key, av_slice secret, apr_pool_t *pool);

/* Reads "300" or "300:30", in seconds: PAST, which is FUTURE too where that is not said. Returns NULL or a sentence. */
const char *av_tolerance_parse(const char *value, apr_interval_time_t *past, apr_interval_time_t *future);

/* For schemes: adds a place, unless it is there already. Returns NULL or a sentence: too many. */
const char *av_rule_add_place(av_rule *rule, av_place place);

/* For schemes: the proof relies on what the selector names. */
void av_rule_rely_on(av_rule *rule, const av_selector *selector);

/* Both rules see their credential in the same place: the second of them could never decide. A scheme that takes tokens
 * divides the places of Authorization with one that does not (av_rule_divides). */
bool av_rule_shares_place(const av_rule *a, const av_rule *b);

/* Both look at `place`, and tell their credentials apart by form: one takes JSON Web Signatures, the other all else. */
bool av_rule_divides(const av_rule *a, const av_rule *b, const av_place *place);

#endif
