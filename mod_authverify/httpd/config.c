/* Makes, merges and finishes configurations.
 * SPDX-License-Identifier: Apache-2.0 */
#include "derived_keys.h"
#include "introspection.h"
#include "passwords.h"
#include "passwords_authn.h"
#include "remote_keys.h"
#include "token_memory.h"
#include "used_once.h"
#include "watched_files.h"

#include <http_main.h>

#define SERVER_KEY "authverify-server"

void *avh_section_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(avh_section));
}

/* "off" in .htaccess counts only where the server's configuration allows it. Elsewhere the section is not served:
 * dropping the line would surprise who wrote it, obeying it would surprise who runs the server. */
static avh_protection merged_protection(const avh_section *outer, const avh_section *inner)
{
    if (inner->protection == AVH_INHERITED) {
        return outer->protection;
    }
    if (inner->protection == AVH_OFF_BY_HTACCESS && outer->protection == AVH_ON) {
        /* httpd merges a folder with its .htaccess first, and both with the server last */
        avh_switch override = inner->override ? inner->override : outer->override;
        return override == AVH_SWITCH_ON ? AVH_OFF : AVH_CONTRADICTED;
    }
    return inner->protection;
}

#define PICK(member) merged->member = inner->member ? inner->member : outer->member

void *avh_section_merge(apr_pool_t *pool, void *outer_section, void *inner_section)
{
    const avh_section *outer = outer_section, *inner = inner_section;
    avh_section *merged = apr_palloc(pool, sizeof(*merged));
    merged->protection = merged_protection(outer, inner);
    merged->policy = inner->protection == AVH_INHERITED ? outer->policy : inner->policy;
    PICK(mode);
    PICK(override);
    PICK(strict_path);
    PICK(preflight);
    PICK(require_seen);
    PICK(error_body);
    PICK(body_limit);
    PICK(body_memory);
    PICK(body_parse);
    PICK(body_timeout);
    PICK(spool);
    PICK(issuer);
    PICK(throttle);
    merged->origin = inner->origin || inner->registered ? inner->origin : outer->origin;
    merged->registered = inner->origin || inner->registered ? inner->registered : outer->registered;
    merged->headers = NULL;
    merged->outer = outer;
    merged->inner = inner;
    return merged;
}

/* The first server that is created is the main one; every virtual host shares what it has. */
void *avh_server_create(apr_pool_t *pool, server_rec *s)
{
    void *shared = NULL;
    (void)s;
    apr_pool_userdata_get(&shared, SERVER_KEY, pool);
    if (!shared) {
        avh_server *server = apr_pcalloc(pool, sizeof(*server));
        server->crypto = av_crypto_create(pool);
        server->passwords = avh_passwords_create(server->crypto, pool);
        server->derived_keys = avh_derived_keys_create(pool);
        server->token_memory = avh_token_memory_create(pool);
        server->nonce_key = avh_nonce_key(server->crypto, pool);
        server->replay_memory = (apr_size_t)AVH_DEFAULT_REPLAY_MEMORY;
        server->presets = av_presets_create(pool);
        av_presets_set_path(server->presets, AV_PRESET_PATH);
        server->lines = apr_array_make(pool, 8, sizeof(avh_line));
        server->tokens = apr_array_make(pool, 2, sizeof(avh_token_line));
        server->throttles = apr_array_make(pool, 2, sizeof(avh_throttle *));
        server->exported = apr_array_make(pool, 4, sizeof(avh_exported));
        server->watched = apr_array_make(pool, 2, sizeof(avh_watched));
        server->remote_keys = apr_array_make(pool, 2, sizeof(void *));
        server->spools = apr_array_make(pool, 2, sizeof(const char *));
        *(const char **)apr_array_push(server->spools) = AVH_DEFAULT_SPOOL;
        apr_pool_userdata_setn(server, SERVER_KEY, NULL, pool);
        shared = server;
    }
    return shared;
}

void *avh_server_merge(apr_pool_t *pool, void *base, void *add)
{
    (void)pool;
    (void)add;
    return base;
}

static bool is_config_test(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
}

/* httpd reads its configuration twice when it starts; the first time is only to see whether it can. */
static bool is_rehearsal(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

av_compiler avh_compiler(const server_rec *s, apr_pool_t *pool)
{
    const avh_server *server = avh_server_of(s);
    bool may_execute = !is_config_test() && !is_rehearsal();
    return (
        av_compiler){ .pool = pool,
                      .crypto = server->crypto,
                      .access = { .base = ap_server_root, .tests_only = is_config_test(), .may_execute = may_execute },
                      .presets = server->presets,
                      .passwords = server->passwords,
                      .derived_keys = server->derived_keys,
                      .tokens = server->token_memory,
                      .nonce_key = server->nonce_key,
                      .warnings = apr_array_make(pool, 2, sizeof(const char *)),
                      .open_clients = avh_clients_open,
                      .open_networks = avh_networks_open,
                      .open_issued = avh_issued_open,
                      .open_keys = avh_remote_keys_open,
                      .open_introspection = avh_introspection_open,
                      .open_baton = (void *)s,
                      .open_provider = avh_provider_open,
                      .loaded = apr_hash_make(pool) };
}

static void log_warnings(const av_compiler *compiler, const char *where, server_rec *s)
{
    for (int i = 0; i < compiler->warnings->nelts && (is_config_test() || !is_rehearsal()); i++) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "AuthVerify: %s: %s", where,
                     APR_ARRAY_IDX(compiler->warnings, i, const char *));
    }
    apr_array_clear(compiler->warnings);
}

/* A file of clients may have many mistakes, a line each. */
static int log_mistake(const char *directive, const char *where, const char *error, server_rec *s)
{
    av_slice rest = av_slice_of(error), line;
    while (av_slice_split(&rest, '\n', &line)) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s, "Syntax error on %s: %s: %.*s", where, directive,
                     (int)line.len, line.at);
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* A header that only we may set is taken from every request: a rule that needs it from the sender can never succeed. */
static const char *check_exported(const avh_server *server, const av_rule *rule, apr_pool_t *pool)
{
    for (int i = 0; i < server->exported->nelts; i++) {
        const avh_exported *exported = &APR_ARRAY_IDX(server->exported, i, avh_exported);
        for (int j = 0; j < rule->header_names->nelts; j++) {
            if (ap_cstr_casecmp(exported->name, APR_ARRAY_IDX(rule->header_names, j, av_slice).at) == 0) {
                return apr_psprintf(
                    pool,
                    "Syntax error on %s: AuthVerifyHeader: %s is a header that rule \"%s\" needs from the "
                    "sender, and only this server may set it; choose another name",
                    exported->where, exported->name, rule->name);
            }
        }
    }
    return NULL;
}

static int compile_line(const avh_line *line, av_compiler *compiler, server_rec *s)
{
    av_rule *rule = NULL;
    compiler->section = line;
    const char *error = av_rule_compile(line->words.at[0], &line->words, compiler, &rule);
    error = error ? error : av_policy_add(line->policy, rule, line->also);
    log_warnings(compiler, line->where, s);
    const char *contradiction = error ? NULL : check_exported(avh_server_of(s), rule, compiler->pool);
    if (contradiction) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s, "%s", contradiction);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return error ? log_mistake(line->directive, line->where, error, s) : OK;
}

/* What a section's lines say together. Asked once for each section, at its last line. */
static int check_section(const avh_server *server, int index, server_rec *s)
{
    const avh_line *line = &APR_ARRAY_IDX(server->lines, index, avh_line);
    for (int i = index + 1; i < server->lines->nelts; i++) {
        if (APR_ARRAY_IDX(server->lines, i, avh_line).policy == line->policy) {
            return OK;
        }
    }
    const char *error = av_policy_check(line->policy);
    if (!error && line->section->mode == AVH_OPTIONAL && line->section->require_seen != AVH_SWITCH_ON) {
        error =
            "AuthVerifyMode optional lets a request without a credential through to \"Require authverify\", and this "
            "section has none; add one, inside <RequireAny> beside what else may let a request in";
    }
    return error ? log_mistake(line->directive, line->where, error, s) : OK;
}

/* Every preset is looked at, used or not; one that brings its secret is compiled once: .htaccess uses it by pointer. */
static int compile_presets(const avh_server *server, av_compiler *compiler, server_rec *s)
{
    int status = OK;
    av_preset *preset;
    for (int i = 0; (preset = av_presets_at(server->presets, i)); i++) {
        const char *error = NULL;
        if (!preset->is_shipped && av_presets_ships(server->presets, preset->name) && !is_rehearsal()) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                         "AuthVerify: the preset \"%s\" of %s stands before the shipped one", preset->name,
                         preset->origin);
        }
        if (!preset->is_shipped) {
            error = av_rule_check(&preset->words, compiler);
        }
        if (!error && av_rule_has_secret(&preset->words, compiler)) {
            error = av_rule_compile(preset->name, &preset->words, compiler, &preset->rule);
        }
        log_warnings(compiler, preset->origin, s);
        status = error ? log_mistake("AuthVerifyPreset", preset->origin, error, s) : status;
    }
    return status;
}

static int compile_token_line(const avh_token_line *line, const av_compiler *compiler, server_rec *s)
{
    const char *error = av_issuer_compile(&line->words, compiler, line->issuer);
    log_warnings(compiler, line->where, s);
    return error ? log_mistake("AuthVerifyToken", line->where, error, s) : OK;
}

int avh_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const avh_server *server = avh_server_of(s);
    (void)plog;
    if (!server->crypto) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
                     "AuthVerify: OpenSSL has no SHA-1, SHA-256, SHA-384 or SHA-512");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    av_compiler compiler = avh_compiler(s, pconf);
    int status = OK;
    /* first: what they issue may be a list of clients for the rules, and half a line in it is put right here */
    for (int i = 0; i < server->tokens->nelts; i++) {
        int line_status = compile_token_line(&APR_ARRAY_IDX(server->tokens, i, avh_token_line), &compiler, s);
        status = line_status == OK ? status : line_status;
    }
    int preset_status = compile_presets(server, &compiler, s);
    status = preset_status == OK ? status : preset_status;
    for (int i = 0; i < server->lines->nelts; i++) {
        int line_status = compile_line(&APR_ARRAY_IDX(server->lines, i, avh_line), &compiler, s);
        line_status = line_status == OK ? check_section(server, i, s) : line_status;
        status = line_status == OK ? status : line_status;
    }
    if (!is_rehearsal() || is_config_test()) {
        avh_watched_files_check(s, ptemp);
    }
    return status;
}
