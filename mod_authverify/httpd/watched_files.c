/* The files that rules name and that may change while httpd runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "watched_files.h"

#include "../stores/clients_file.h"
#include "../stores/issued_file.h"
#include "../stores/networks_file.h"

#include <mod_watchdog.h>
#include <mpm_common.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unixd.h>

#define RETAINED "authverify-watched-files"
#define WATCHDOG "_authverify_files_"
#define WATCH_INTERVAL apr_time_from_msec(250)
#define LONGEST_SENTENCE 8192

/* What opens a kind of file. Returns NULL with *file and *source set, or a sentence. */
typedef const char *opener(const av_watch *watch, const avh_server *server, const av_watched_file **file,
                           const void **source, apr_pool_t *pool);

/* path, after its kind -> av_shared_memory *, over all restarts of the server. Nothing of it points into this module,
 * which each restart loads anew, perhaps elsewhere. */
static apr_hash_t *retained(const server_rec *s)
{
    apr_hash_t **memory = ap_retained_data_get(RETAINED);
    if (!memory) {
        memory = ap_retained_data_create(RETAINED, sizeof(*memory));
        *memory = apr_hash_make(s->process->pool);
    }
    return *memory;
}

static av_shared_memory memory_of(const server_rec *s, const char *key, const char *path)
{
    apr_pool_t *pool = s->process->pool;
    av_shared_memory *memory = apr_hash_get(retained(s), key, APR_HASH_KEY_STRING);
    if (!memory) {
        memory = apr_palloc(pool, sizeof(*memory));
        *memory = av_shared_memory_reserve(path);
        apr_hash_set(retained(s), apr_pstrdup(pool, key), APR_HASH_KEY_STRING, memory);
    }
    return *memory;
}

/* Every mistake of a file is a line, and names the file. */
static void log_lines(const char *noun, const char *message, server_rec *s)
{
    av_slice rest = av_slice_of(message), line;
    while (av_slice_split(&rest, '\n', &line)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     "AuthVerify: a list of %s is not right, and the %s from before stay in force: %.*s", noun, noun,
                     (int)line.len, line.at);
    }
}

static void refresh(const avh_watched *watched, server_rec *s, apr_pool_t *pool)
{
    const char *message = NULL;
    av_refresh what = av_watched_file_refresh(watched->file, &message, pool);
    if (what == AV_REFRESH_REFUSED) {
        log_lines(watched->noun, message, s);
    } else if (what == AV_REFRESH_LOADED) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "AuthVerify: %s", message);
    }
}

static avh_watched *find_opened(const avh_server *server, const char *noun, const char *path)
{
    for (int i = 0; i < server->watched->nelts; i++) {
        avh_watched *watched = &APR_ARRAY_IDX(server->watched, i, avh_watched);
        if (strcmp(watched->noun, noun) == 0 && strcmp(av_watched_file_path(watched->file), path) == 0) {
            return watched;
        }
    }
    return NULL;
}

/* Who is not root stays who it is, whatever User says. */
static uid_t runner(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

static const char *open_once(server_rec *s, const char *noun, const char *location, opener *open, const void **source)
{
    avh_server *server = avh_server_of(s);
    apr_pool_t *pool = s->process->pconf;
    const char *path = ap_server_root_relative(pool, location);
    if (!path) {
        return "has a path that cannot be made absolute";
    }
    const avh_watched *before = find_opened(server, noun, path);
    avh_watched watched = { .noun = noun };
    if (before) {
        *source = before->source;
        return NULL;
    }
    av_watch watch = { path, runner(), memory_of(s, apr_pstrcat(pool, noun, ":", path, NULL), path) };
    const char *error = open(&watch, server, &watched.file, &watched.source, pool);
    if (error) {
        return error;
    }
    refresh(&watched, s, pool);
    *(avh_watched *)apr_array_push(server->watched) = watched;
    *source = watched.source;
    return NULL;
}

static const char *open_clients(const av_watch *watch, const avh_server *server, const av_watched_file **file,
                                const void **source, apr_pool_t *pool)
{
    av_clients_file *opened = NULL;
    const char *error = av_clients_file_open(watch, server->crypto, pool, &opened);
    if (!error) {
        *file = av_clients_file_watched(opened);
        *source = av_clients_file_source(opened);
    }
    return error;
}

static const char *open_networks(const av_watch *watch, const avh_server *server, const av_watched_file **file,
                                 const void **source, apr_pool_t *pool)
{
    av_networks_file *opened = NULL;
    const char *error = av_networks_file_open(watch, pool, &opened);
    (void)server;
    if (!error) {
        *file = av_networks_file_watched(opened);
        *source = av_networks_file_source(opened);
    }
    return error;
}

const char *avh_clients_open(void *baton, const char *location, const av_client_source **source)
{
    const void *found = NULL;
    if (strncmp(location, "file:", 5) != 0 || !location[5]) {
        return "names lists as file:PATH, several of them separated by commas";
    }
    const char *error = open_once(baton, "clients", location + 5, open_clients, &found);
    *source = found;
    return error;
}

const char *avh_networks_open(void *baton, const char *location, const av_network_source **source)
{
    const void *found = NULL;
    if (strncmp(location, "file:", 5) != 0 || !location[5]) {
        return "names a file as file:PATH";
    }
    const char *error = open_once(baton, "networks", location + 5, open_networks, &found);
    *source = found;
    return error;
}

static const char *open_issued(server_rec *s, const char *path, const av_pair_store **store,
                               const av_client_source **source)
{
    avh_server *server = avh_server_of(s);
    apr_pool_t *pool = s->process->pconf;
    const char *error = path ? av_issued_file_check(path, runner(), pool) : "has a path that cannot be made absolute";
    error = error ? error : avh_clients_open(s, apr_pstrcat(pool, "file:", path, NULL), source);
    avh_watched *watched = error ? NULL : find_opened(server, "clients", path);
    if (watched) {
        watched->is_issued = true;
        *store = av_issued_file_store(watched->file, server->crypto, pool);
    }
    return error;
}

const char *avh_issued_open(void *baton, const char *location, const av_pair_store **store,
                            const av_client_source **source)
{
    server_rec *s = baton;
    if (strncmp(location, "file:", 5) != 0 || !location[5]) {
        return "names a file as file:PATH";
    }
    return open_issued(s, ap_server_root_relative(s->process->pconf, location + 5), store, source);
}

/* In the one child that has the watchdog. */
static apr_status_t watch(int state, void *data, apr_pool_t *pool)
{
    server_rec *s = data;
    const apr_array_header_t *watched = avh_server_of(s)->watched;
    for (int i = 0; state == AP_WATCHDOG_STATE_RUNNING && i < watched->nelts; i++) {
        refresh(&APR_ARRAY_IDX(watched, i, avh_watched), s, pool);
    }
    return APR_SUCCESS;
}

/* Whoever was named before a restart and is not any more. */
static void forget_unnamed(const server_rec *s, apr_pool_t *pool)
{
    for (apr_hash_index_t *at = apr_hash_first(pool, retained(s)); at; at = apr_hash_next(at)) {
        const char *key = apr_hash_this_key(at), *path = strchr(key, ':') + 1;
        const char *noun = apr_pstrmemdup(pool, key, (apr_size_t)(path - 1 - key));
        if (!find_opened(avh_server_of(s), noun, path)) {
            av_shared_memory_release(*(av_shared_memory *)apr_hash_this_val(at));
            apr_hash_set(retained(s), key, APR_HASH_KEY_STRING, NULL);
        }
    }
}

int avh_watched_files_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog = NULL;
    (void)plog;
    forget_unnamed(s, ptemp);
    if (!avh_server_of(s)->watched->nelts || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    if (!get || !add || get(&watchdog, WATCHDOG, 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, WATCH_INTERVAL, s, watch) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
                     "AuthVerify: clients= and from=file: need mod_watchdog, which sees when a file changes; add: "
                     "LoadModule watchdog_module modules/mod_watchdog.so");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* What whoever calls cannot do with a file: NULL or a sentence. */
typedef const char *reach(const avh_watched *watched, apr_pool_t *pool);

static const char *read_again(const avh_watched *watched, apr_pool_t *pool)
{
    return av_watched_file_reach(watched->file, pool);
}

static const char *write_anew(const avh_watched *watched, apr_pool_t *pool)
{
    return av_issued_file_reach(av_watched_file_path(watched->file), pool);
}

/* In a process of its own, which becomes what a child becomes. Writes what it has to say of the file. */
static _Noreturn void say_reach(reach *asked, const avh_watched *watched, int to, server_rec *s, apr_pool_t *pool)
{
    const char *sentence = ap_run_drop_privileges(pool, s) == OK ? asked(watched, pool) : NULL;
    _exit(sentence && write(to, sentence, strlen(sentence)) < 0);
}

/* NULL, or why the children could not do it. */
static const char *ask_child(reach *asked, const avh_watched *watched, server_rec *s, apr_pool_t *pool)
{
    char *sentence = apr_pcalloc(pool, LONGEST_SENTENCE);
    int ends[2], status;
    if (pipe(ends) != 0) {
        return NULL;
    }
    pid_t child = fork();
    if (child == 0) {
        say_reach(asked, watched, ends[1], s, pool);
    }
    close(ends[1]);
    ssize_t len = child > 0 ? read(ends[0], sentence, LONGEST_SENTENCE - 1) : 0;
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return len > 0 ? sentence : NULL;
}

static void check_file(const avh_watched *watched, server_rec *s, apr_pool_t *pool)
{
    const char *unread = ask_child(read_again, watched, s, pool);
    const char *unwritten = watched->is_issued ? ask_child(write_anew, watched, s, pool) : NULL;
    if (unread) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "AuthVerify: %s; until that is done no change of the file will be seen but by a restart", unread);
        av_watched_file_note(watched->file, unread);
    }
    if (unwritten) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "AuthVerify: %s; until that is done expired pairs stay in the file", unwritten);
    }
}

void avh_watched_files_check(server_rec *s, apr_pool_t *pool)
{
    const apr_array_header_t *all = avh_server_of(s)->watched;
    for (int i = 0; geteuid() == 0 && i < all->nelts; i++) {
        check_file(&APR_ARRAY_IDX(all, i, avh_watched), s, pool);
    }
}
