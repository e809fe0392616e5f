/* The configuration: of a section, and of the whole server while it starts.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_CONFIG_H
#define AVH_CONFIG_H

#include "private.h"

#include "../core/policy.h"
#include "../core/preset.h"
#include "../issue/issuer.h"

/* Whether a section has rules, says "off", or says nothing. */
typedef enum avh_protection {
    AVH_INHERITED,
    AVH_OFF,
    AVH_OFF_BY_HTACCESS, /* counts only where AuthVerifyOverride is on */
    AVH_ON,
    AVH_CONTRADICTED /* merged into something that must not be served */
} avh_protection;

typedef enum avh_mode { AVH_MODE_UNSET, AVH_ENFORCE, AVH_OPTIONAL, AVH_OBSERVE } avh_mode;

typedef enum avh_switch { AVH_SWITCH_UNSET, AVH_SWITCH_ON, AVH_SWITCH_OFF } avh_switch;

typedef enum avh_error_body { AVH_ERROR_BODY_UNSET, AVH_PROBLEM, AVH_HTML, AVH_EMPTY, AVH_AWS } avh_error_body;

/* An AuthVerifyThrottle line. One of "off" has neither. */
typedef struct avh_throttle {
    struct av_throttle_line *line;    /* stores/throttle.h */
    const struct av_throttle *counts; /* since post_config */
} avh_throttle;

/* AuthVerifyHeader NAME VALUE: one line, and the next. */
typedef struct avh_header {
    const char *name;
    const struct avh_value *value;
    struct avh_header *next;
} avh_header;

/* One section. Merging copies pointers and numbers; it happens on every request. 0 and NULL mean "not said". */
typedef struct avh_section {
    avh_protection protection;
    av_policy *policy;
    avh_mode mode;
    avh_switch override;
    avh_switch strict_path;
    avh_switch preflight;
    avh_switch require_seen; /* a Require authverify stands here or above */
    avh_error_body error_body;
    apr_off_t body_limit;
    apr_size_t body_memory;
    apr_size_t body_parse;
    apr_interval_time_t body_timeout;
    const char *spool;
    const char *origin;           /* AuthVerifyExternalURL: what stands before the target, without a slash at its end */
    avh_switch registered;        /* AuthVerifyExternalURL as-registered */
    const av_issuer *issuer;      /* AuthVerifyToken, its own or an outer one's; NULL: there is none */
    const avh_throttle *throttle; /* AuthVerifyThrottle, its own or an outer one's; NULL: there is none */
    avh_header *headers;          /* of this section alone, in order */
    const struct avh_section *outer, *inner; /* what this was merged from, for the headers of both */
} avh_section;

void *avh_section_create(apr_pool_t *pool, char *path);
void *avh_section_merge(apr_pool_t *pool, void *outer, void *inner);

/* The section that is in force for the request. Never NULL. */
static inline const avh_section *avh_section_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &authverify_module);
}

/* Rules are in force for the request (or it must not be served at all). */
static inline bool avh_is_protected(const avh_section *section)
{
    return section->protection == AVH_ON || section->protection == AVH_CONTRADICTED;
}

/* Only looked at: nothing is refused and nothing changed. */
static inline bool avh_is_observed(const avh_section *section)
{
    return section->mode == AVH_OBSERVE && section->protection == AVH_ON;
}

/* The request is a preflight, and those pass here. */
static inline bool avh_is_preflight(const avh_section *section, const av_verdict *verdict)
{
    return verdict->is_preflight && section->preflight == AVH_SWITCH_ON && section->protection == AVH_ON;
}

/* The request goes on unproven: a preflight, or one that showed no credential at all in a section where "Require
 * authverify" has the last word on that. */
static inline bool avh_is_unproven(const avh_section *section, const av_verdict *verdict)
{
    bool is_optional = section->mode == AVH_OPTIONAL && section->protection == AVH_ON;
    return (is_optional && verdict->reason == AV_NOT_PRESENTED && !verdict->rule) || avh_is_preflight(section, verdict);
}

/* Who counts in this section what fails; NULL: nobody does. */
static inline const struct av_throttle *avh_counts_of(const avh_section *section)
{
    return section->throttle ? section->throttle->counts : NULL;
}

/* Paths that a second decoder may read differently are refused. */
static inline bool avh_wants_plain_path(const avh_section *section)
{
    return section->strict_path == AVH_SWITCH_ON && !avh_is_observed(section);
}

#define AVH_DEFAULT_SPOOL "/var/tmp"
#define AVH_DEFAULT_REPLAY_MEMORY ((apr_off_t)10 * 1024 * 1024)

/* Values with their defaults. */
static inline apr_off_t avh_body_limit(const avh_section *section)
{
    return section->body_limit ? section->body_limit : 25 * 1024 * 1024;
}

static inline apr_size_t avh_body_memory(const avh_section *section)
{
    return section->body_memory ? section->body_memory : 128 * 1024;
}

static inline apr_size_t avh_body_parse(const avh_section *section)
{
    return section->body_parse ? section->body_parse : 1024 * 1024;
}

static inline apr_interval_time_t avh_body_timeout(const avh_section *section)
{
    return section->body_timeout ? section->body_timeout : apr_time_from_sec(60);
}

static inline const char *avh_spool_folder(const avh_section *section)
{
    return section->spool ? section->spool : AVH_DEFAULT_SPOOL;
}

/* An AuthVerify or AuthVerifyAlso line that is compiled once the whole configuration is read. */
typedef struct avh_line {
    const char *directive;
    const char *where; /* "line 3 of /etc/…" */
    av_words words;
    av_policy *policy; /* the rule goes here */
    avh_section *section;
    bool also;
    const ap_directive_t *at;         /* the line in the configuration's tree */
    const ap_conf_vector_t *sections; /* what the modules have of the section where it stands */
} avh_line;

/* An AuthVerifyToken line, likewise. */
typedef struct avh_token_line {
    const char *where;
    av_words words;
    av_issuer *issuer; /* what becomes of it */
} avh_token_line;

/* A name that AuthVerifyHeader sets, somewhere. */
typedef struct avh_exported {
    const char *name;
    const char *where;
} avh_exported;

/* A file that a rule names and that is watched: see watched_files.h. */
typedef struct avh_watched {
    const char *noun; /* what it is a list of */
    const struct av_watched_file *file;
    const void *source; /* where rules look things up */
    bool is_issued;     /* the children write it */
} avh_watched;

/* What belongs to the whole server, not to a section. Lives as long as the configuration. */
typedef struct avh_server {
    const av_crypto *crypto;
    const av_password_memory *passwords;
    const av_key_memory *derived_keys;
    const struct av_token_memory *token_memory;
    const struct av_token_memory *answers; /* about tokens; NULL: nobody is asked */
    const av_hmac_key *nonce_key;          /* NULL: no nonce is ever right */
    struct av_replay_shm *replays;         /* what was used once; NULL: nothing that may be is taken */
    apr_size_t replay_memory;              /* bytes of it */
    av_presets *presets;
    apr_array_header_t *lines;       /* of avh_line */
    apr_array_header_t *tokens;      /* of avh_token_line */
    apr_array_header_t *throttles;   /* of avh_throttle *: every line but "off", in order */
    apr_array_header_t *exported;    /* of avh_exported */
    apr_array_header_t *watched;     /* of avh_watched: the files of clients= and from=, each once */
    apr_array_header_t *remote_keys; /* of what remote_keys.c knows of them: each once */
    bool has_cache;                  /* mod_cache is there */
    apr_array_header_t *spools;      /* of const char *: the folders of AuthVerifyBody spool= */
} avh_server;

void *avh_server_create(apr_pool_t *pool, server_rec *s);
void *avh_server_merge(apr_pool_t *pool, void *base, void *add);

static inline avh_server *avh_server_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &authverify_module);
}

/* What rules are compiled with. `pool` is where the result lives. */
av_compiler avh_compiler(const server_rec *s, apr_pool_t *pool);

/* Hook check_config: compiles every rule and looks at what only the whole configuration shows. The only hook of ours
 * that a configuration test runs. Logs each mistake with its line; returns OK or HTTP_INTERNAL_SERVER_ERROR. */
int avh_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
