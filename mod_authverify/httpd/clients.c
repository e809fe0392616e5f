/* The lists of clients that rules name.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients.h"

#include "../stores/clients_file.h"

#include <mod_watchdog.h>
#include <unixd.h>

#define RETAINED "authverify-clients"
#define WATCHDOG "_authverify_clients_"
#define WATCH_INTERVAL apr_time_from_msec(250)

/* Over all restarts of the server, in the process's own pool. */
typedef struct retained_files {
    apr_pool_t *pool;
    apr_hash_t *files; /* path -> av_clients_file */
    av_crypto *crypto; /* theirs: the configuration's own ends with it */
} retained_files;

static retained_files *retained(const server_rec *s)
{
    retained_files *all = ap_retained_data_get(RETAINED);
    if (!all) {
        all = ap_retained_data_create(RETAINED, sizeof(*all));
        apr_pool_create(&all->pool, s->process->pool);
        all->files = apr_hash_make(all->pool);
        all->crypto = (av_crypto *)av_crypto_create(all->pool);
    }
    return all;
}

/* Every mistake of a file is a line, and names the file. */
static void log_lines(const char *what, const char *message, server_rec *s)
{
    av_slice rest = av_slice_of(message), line;
    while (av_slice_split(&rest, '\n', &line)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "AuthVerify: a list of clients %s: %.*s", what, (int)line.len,
                     line.at);
    }
}

static void log_refresh(av_refresh what, const char *path, const av_clients_file *file, const char *message,
                        server_rec *s)
{
    if (what == AV_REFRESH_REFUSED) {
        log_lines("is not right, and the clients from before stay in force", message, s);
    } else if (what == AV_REFRESH_LOADED) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "AuthVerify: %s: %" APR_SIZE_T_FMT " clients are in force", path,
                     av_clients_file_count(file));
    }
}

static void refresh(av_clients_file *file, const char *path, server_rec *s, apr_pool_t *pool)
{
    const char *message = NULL;
    av_refresh what = av_clients_file_refresh(file, &message, pool);
    log_refresh(what, path, file, message, s);
}

const char *avh_clients_open(void *baton, const char *location, const av_client_source **source)
{
    server_rec *s = baton;
    retained_files *all = retained(s);
    if (strncmp(location, "file:", 5) != 0 || !location[5]) {
        return "names lists as file:PATH, several of them separated by commas";
    }
    const char *path = ap_server_root_relative(all->pool, location + 5);
    av_clients_file *file = path ? apr_hash_get(all->files, path, APR_HASH_KEY_STRING) : NULL;
    if (file) {
        refresh(file, path, s, all->pool);
    } else {
        const char *error = path ? av_clients_file_open(path, ap_unixd_config.user_id, all->crypto, all->pool, &file)
                                 : "has a path that cannot be made absolute";
        if (error) {
            return error;
        }
        apr_hash_set(all->files, path, APR_HASH_KEY_STRING, file);
    }
    *(const char **)apr_array_push(avh_server_of(s)->clients) = path;
    *source = av_clients_file_source(file);
    return NULL;
}

/* In the one child that has the watchdog. */
static apr_status_t watch(int state, void *data, apr_pool_t *pool)
{
    server_rec *s = data;
    const apr_array_header_t *paths = avh_server_of(s)->clients;
    for (int i = 0; state == AP_WATCHDOG_STATE_RUNNING && i < paths->nelts; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);
        refresh(apr_hash_get(retained(s)->files, path, APR_HASH_KEY_STRING), path, s, pool);
    }
    return APR_SUCCESS;
}

int avh_clients_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog = NULL;
    (void)plog;
    (void)ptemp;
    if (!avh_server_of(s)->clients->nelts || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    if (!get || !add || get(&watchdog, WATCHDOG, 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, WATCH_INTERVAL, s, watch) != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
            "AuthVerify: clients= needs mod_watchdog, which sees when a file changes; add: LoadModule watchdog_module "
            "modules/mod_watchdog.so");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}
