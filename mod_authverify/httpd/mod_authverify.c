/* mod_authverify: proves each request before a handler sees it. This file is the table of contents: which hook does
 * what.
 * SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "body_spool.h"
#include "directives.h"
#include "gate.h"
#include "pages.h"
#include "refusal_log.h"
#include "remote_keys.h"
#include "require.h"
#include "seal.h"
#include "throttles.h"
#include "token_endpoint.h"
#include "used_once.h"
#include "verdicts.h"
#include "warm_buffer.h"
#include "watched_files.h"

#include <unistd.h>

#define EARLIEST_TIME apr_time_from_sec(1704067200) /* 2024 */

static int look_for_cache(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    avh_server *server = avh_server_of(s);
    server->has_cache = ap_find_linked_module("mod_cache.c") != NULL;
    if (server->has_cache && server->lines->nelts && ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
                     "AuthVerify: mod_cache is loaded; answers under a rule are not cached");
    }
    return OK;
}

/* Whoever has waited for a battery to run dry sends what was captured years ago. */
static int look_at_clock(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    if (apr_time_now() < EARLIEST_TIME && avh_server_of(s)->lines->nelts &&
        ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "AuthVerify: the system's clock says a year before 2024, and what is signed with a time is judged "
                     "by it; set the clock");
    }
    return OK;
}

/* As the user that requests run as: a folder it cannot write to is better known now than by the first large body. */
static void check_spools(const avh_server *server, server_rec *s)
{
    for (int i = 0; i < server->spools->nelts && server->lines->nelts; i++) {
        const char *folder = APR_ARRAY_IDX(server->spools, i, const char *);
        if (access(folder, W_OK | X_OK) != 0) {
            ap_log_error(APLOG_MARK, APLOG_ERR, errno, s,
                         "AuthVerifyBody spool=%s: this user cannot write there; bodies "
                         "beyond memory= will be refused",
                         folder);
        }
    }
}

static void start_child(apr_pool_t *pool, server_rec *s)
{
    avh_warm_buffer_init(pool);
    avh_refusal_log_init(pool, s);
    check_spools(avh_server_of(s), s);
}

static void register_hooks(apr_pool_t *pool)
{
    avh_spool_register();
    avh_answer_register();
    avh_require_register(pool);

    /* start */
    ap_hook_check_config(avh_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(avh_watched_files_watch, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(avh_remote_keys_watch, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(avh_throttles_make, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(avh_replay_memory_open, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(look_for_cache, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(look_at_clock, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(start_child, NULL, NULL, APR_HOOK_MIDDLE);

    /* a request, in the order of its phases. The gate is last in its phase: who refuses for less goes first. */
    ap_hook_post_read_request(avh_begin, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(avh_refuse_trace, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_perdir_config(avh_hide_query_secret, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access(avh_gate, NULL, NULL, APR_HOOK_LAST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(avh_check_authn, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(avh_seal, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(avh_check_seal, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(avh_token_endpoint, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(avh_published_page, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(avh_whoami_page, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(avh_log_passed_on, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_insert_error_filter(avh_insert_error_body, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA authverify_module = {
    STANDARD20_MODULE_STUFF, avh_section_create, avh_section_merge, avh_server_create,
    avh_server_merge,        avh_directives,     register_hooks,    AP_MODULE_FLAG_NONE,
};
