/* Keys that others publish.
 *
 * Their text lies in shared memory (remote_document.h). The child that has the watchdog fetches and looks at it before
 * it counts; every process makes its own keys of it, when a request first asks after the text has changed. Keys that
 * are replaced stay for a while, since another thread may be using them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "remote_keys.h"
#include "document_fetch.h"
#include "https_transfer.h"

#include "../core/json.h"
#include "../stores/remote_document.h"

#include <mod_watchdog.h>
#include <pthread.h>
#include <stdatomic.h>

#define RETAINED "authverify-remote-keys"
#define WATCHDOG "_authverify_keys_"
#define WATCH_INTERVAL apr_time_from_msec(250)
#define RUN_TIME apr_time_from_msec(500)        /* of one turn, so that a child that ends need not wait long */
#define PAUSE_BEFORE_FIRST apr_time_from_sec(5) /* between two questions, as long as there are no keys */
#define PAUSE apr_time_from_sec(30)             /* between two questions that nobody answers */
#define LEAST apr_time_from_sec(60)             /* between two for the sake of a key that a token names */
#define KEPT apr_time_from_sec(120)             /* keys that were replaced */

/* Keys made of one text, in a pool of their own. */
typedef struct parsed_keys {
    av_jwk_set set;
    apr_pool_t *pool;
    apr_time_t replaced_at;
    struct parsed_keys *next; /* replaced earlier */
} parsed_keys;

typedef struct remote_keys {
    av_key_source source;
    const av_key_location *location;
    const char *name; /* the URL, and what the keys must serve */
    const av_crypto *crypto;
    av_remote_document *document;

    /* of each process */
    pthread_mutex_t making;
    _Atomic uint64_t seen; /* the generation that `current` was made of */
    _Atomic(parsed_keys *) current;
    parsed_keys *replaced;

    /* of the process that fetches */
    avh_fetch *fetch;
    bool has_metadata;      /* what is being fetched is the keys that metadata named */
    apr_uint64_t complaint; /* hash of what was said last; 0: all is well */
} remote_keys;

static avh_fetcher *fetcher; /* of the one child that has the watchdog */

/* Making keys. */

static void free_old(remote_keys *keys, apr_time_t now)
{
    parsed_keys **at = &keys->replaced;
    while (*at && now - (*at)->replaced_at < KEPT) {
        at = &(*at)->next;
    }
    parsed_keys *old = *at;
    *at = NULL;
    while (old) {
        parsed_keys *next = old->next;
        apr_pool_destroy(old->pool);
        old = next;
    }
}

static void replace(remote_keys *keys, parsed_keys *made)
{
    apr_time_t now = apr_time_now();
    parsed_keys *old = atomic_exchange_explicit(&keys->current, made, memory_order_acq_rel);
    free_old(keys, now);
    if (old) {
        old->replaced_at = now;
        old->next = keys->replaced;
        keys->replaced = old;
    }
}

static void make_keys(remote_keys *keys)
{
    apr_pool_t *pool;
    uint64_t generation = 0;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return;
    }
    parsed_keys *made = apr_pcalloc(pool, sizeof(*made));
    av_slice text = av_remote_document_copy(keys->document, &generation, pool);
    made->pool = pool;
    if (text.at && !av_jwk_set_read(text, keys->location->algorithms, keys->crypto, &made->set, pool)) {
        replace(keys, made);
        atomic_store_explicit(&keys->seen, generation, memory_order_release);
    } else {
        apr_pool_destroy(pool);
    }
}

static bool is_behind(remote_keys *keys)
{
    return atomic_load_explicit(&keys->seen, memory_order_acquire) != av_remote_document_generation(keys->document);
}

/* One thread makes the keys of a new text, and the others go on with those they have; only where there are none do they
 * wait for it. */
static const av_jwk_set *current_keys(const av_key_source *source, apr_time_t now)
{
    remote_keys *keys = (remote_keys *)source->store;
    if (is_behind(keys)) {
        bool has_keys = atomic_load_explicit(&keys->current, memory_order_acquire) != NULL;
        if ((has_keys ? pthread_mutex_trylock(&keys->making) : pthread_mutex_lock(&keys->making)) == 0) {
            if (is_behind(keys)) {
                make_keys(keys);
            }
            pthread_mutex_unlock(&keys->making);
        }
    }
    const parsed_keys *current = atomic_load_explicit(&keys->current, memory_order_acquire);
    bool is_young = now - av_remote_document_time(keys->document) <= keys->location->stale;
    return current && is_young ? &current->set : NULL;
}

static void miss(const av_key_source *source)
{
    av_remote_document_want(((const remote_keys *)source->store)->document);
}

/* Opening. */

/* name -> av_remote_document *, over all restarts of the server. */
static apr_hash_t *retained(const server_rec *s)
{
    apr_hash_t **documents = ap_retained_data_get(RETAINED);
    if (!documents) {
        documents = ap_retained_data_create(RETAINED, sizeof(*documents));
        *documents = apr_hash_make(s->process->pool);
    }
    return *documents;
}

static av_remote_document *document_of(const server_rec *s, const char *name)
{
    av_remote_document *document = apr_hash_get(retained(s), name, APR_HASH_KEY_STRING);
    if (!document && (document = av_remote_document_create())) {
        apr_hash_set(retained(s), apr_pstrdup(s->process->pool, name), APR_HASH_KEY_STRING, document);
    }
    return document;
}

/* What tells one source from another. */
static const char *name_of(const av_key_location *location, apr_pool_t *pool)
{
    const char *name =
        apr_psprintf(pool, "%s %s %s %s %" APR_TIME_T_FMT " %" APR_TIME_T_FMT, location->url,
                     location->is_metadata ? "metadata" : "jwks", location->issuer ? location->issuer : "-",
                     location->authorities ? location->authorities : "-", location->refresh, location->stale);
    for (int i = 0; i < location->algorithms->nelts; i++) {
        name =
            apr_pstrcat(pool, name, " ", APR_ARRAY_IDX(location->algorithms, i, const av_jws_algorithm *)->name, NULL);
    }
    return name;
}

static remote_keys *find_opened(const avh_server *server, const char *name)
{
    for (int i = 0; i < server->remote_keys->nelts; i++) {
        remote_keys *keys = APR_ARRAY_IDX(server->remote_keys, i, remote_keys *);
        if (strcmp(keys->name, name) == 0) {
            return keys;
        }
    }
    return NULL;
}

const char *avh_remote_keys_open(void *baton, const av_key_location *location, const av_key_source **source)
{
    server_rec *s = baton;
    avh_server *server = avh_server_of(s);
    apr_pool_t *pool = s->process->pconf;
    const char *missing = avh_https_missing(), *name = name_of(location, pool);
    remote_keys *keys = find_opened(server, name);
    if (!keys && !missing) {
        keys = apr_pcalloc(pool, sizeof(*keys));
        *keys = (remote_keys){ .source = { keys, current_keys, miss },
                               .location = location,
                               .name = name,
                               .crypto = server->crypto,
                               .document = document_of(s, name) };
        if (!keys->document || pthread_mutex_init(&keys->making, NULL) != 0) {
            return "no memory can be set aside for the keys";
        }
        *(remote_keys **)apr_array_push(server->remote_keys) = keys;
    }
    *source = keys ? &keys->source : NULL;
    return missing;
}

/* Fetching. */

/* Each mistake once, until all is well or another takes its place. */
static void complain(remote_keys *keys, const char *message, server_rec *s)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    apr_uint64_t hash = (apr_uint64_t)apr_hashfunc_default(message, &len) + 1;
    bool has_keys = av_remote_document_generation(keys->document) > 0;
    if (hash != keys->complaint) {
        ap_log_error(APLOG_MARK, has_keys ? APLOG_WARNING : APLOG_ERR, 0, s, "AuthVerify: keys of %s: %s; %s",
                     keys->location->url, message,
                     has_keys ? "those from before stay in force for a while"
                              : "tokens are refused with 503 until then");
        keys->complaint = hash;
    }
}

static void log_faults(const remote_keys *keys, const av_jwk_set *set, server_rec *s)
{
    for (int i = 0; i < set->faults->nelts; i++) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "AuthVerify: keys of %s: %s; it is left out", keys->location->url,
                     APR_ARRAY_IDX(set->faults, i, const char *));
    }
}

/* Keys that nobody could use replace none. */
static void take_keys(remote_keys *keys, av_slice text, server_rec *s, apr_pool_t *pool)
{
    av_jwk_set set;
    uint64_t before = av_remote_document_generation(keys->document);
    const char *error = av_jwk_set_read(text, keys->location->algorithms, keys->crypto, &set, pool);
    error = !error && !set.count ? "no key there serves one of algorithms=" : error;
    if (error) {
        complain(keys, error, s);
        return;
    }
    av_remote_document_publish(keys->document, text, apr_time_now());
    if (before != av_remote_document_generation(keys->document) || keys->complaint) {
        log_faults(keys, &set, s);
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s, "AuthVerify: keys of %s: %" APR_SIZE_T_FMT " are in force",
                     keys->location->url, set.count);
    }
    keys->complaint = 0;
}

/* RFC 8414 section 3.3: who calls itself otherwise speaks for somebody else. Returns NULL with *url set, or a
 * sentence. */
static const char *read_metadata(const remote_keys *keys, av_slice text, const char **url, apr_pool_t *pool)
{
    av_slice issuer, keys_url;
    const char *wanted = keys->location->issuer;
    const av_json *json = av_json_load(text, pool);
    if (!json) {
        return "what it answers is not JSON";
    }
    if (wanted && (!av_json_text(json, "/issuer", &issuer, pool) || !av_slice_equal(issuer, av_slice_of(wanted)))) {
        return "the \"issuer\" that it names is not issuer=";
    }
    if (!av_json_text(json, "/jwks_uri", &keys_url, pool) || !av_slice_is_visible(keys_url) ||
        !av_slice_starts_with(keys_url, AV_SLICE("https://"))) {
        return "it names no \"jwks_uri\" that begins with https://";
    }
    *url = av_slice_string(keys_url, pool);
    return NULL;
}

static void begin(remote_keys *keys, const char *url, bool has_metadata, server_rec *s)
{
    keys->has_metadata = has_metadata;
    keys->fetch = avh_fetch_begin(fetcher, url, keys->location->authorities);
    if (!keys->fetch) {
        complain(keys, "libcurl refuses to begin", s);
    }
}

/* What was fetched is keys, or says where they are. */
static void finish(remote_keys *keys, av_slice text, const char *error, server_rec *s, apr_pool_t *pool)
{
    const char *url = NULL;
    bool is_metadata = keys->location->is_metadata && !keys->has_metadata;
    avh_fetch_end(fetcher, keys->fetch);
    keys->fetch = NULL;
    error = !error && is_metadata ? read_metadata(keys, text, &url, pool) : error;
    if (error) {
        complain(keys, error, s);
    } else if (is_metadata) {
        begin(keys, url, true, s);
    } else {
        take_keys(keys, text, s, pool);
    }
}

static void attend(remote_keys *keys, server_rec *s, apr_pool_t *pool)
{
    av_slice text;
    const char *error;
    apr_time_t had = av_remote_document_time(keys->document);
    if (keys->fetch) {
        if (avh_fetch_is_done(keys->fetch, &text, &error, pool)) {
            finish(keys, text, error, s, pool);
        }
    } else if (av_remote_document_is_due(keys->document, apr_time_now(), keys->location->refresh,
                                         had ? PAUSE : PAUSE_BEFORE_FIRST, LEAST)) {
        begin(keys, keys->location->url, false, s);
    }
}

static bool attend_all(server_rec *s, apr_pool_t *pool)
{
    const apr_array_header_t *all = avh_server_of(s)->remote_keys;
    bool is_busy = false;
    for (int i = 0; i < all->nelts; i++) {
        remote_keys *keys = APR_ARRAY_IDX(all, i, remote_keys *);
        attend(keys, s, pool);
        is_busy |= keys->fetch != NULL;
    }
    return is_busy;
}

static void stop(server_rec *s)
{
    const apr_array_header_t *all = avh_server_of(s)->remote_keys;
    for (int i = 0; fetcher && i < all->nelts; i++) {
        remote_keys *keys = APR_ARRAY_IDX(all, i, remote_keys *);
        if (keys->fetch) {
            avh_fetch_end(fetcher, keys->fetch);
            keys->fetch = NULL;
        }
    }
    if (fetcher) {
        avh_fetcher_destroy(fetcher);
        fetcher = NULL;
    }
}

/* In the one child that has the watchdog. */
static apr_status_t watch(int state, void *data, apr_pool_t *pool)
{
    server_rec *s = data;
    apr_time_t end = apr_time_now() + RUN_TIME;
    if (state == AP_WATCHDOG_STATE_STOPPING) {
        stop(s);
        return APR_SUCCESS;
    }
    fetcher = fetcher ? fetcher : avh_fetcher_create();
    while (state == AP_WATCHDOG_STATE_RUNNING && fetcher && attend_all(s, pool) && apr_time_now() < end) {
        avh_fetcher_run(fetcher, RUN_TIME / 5);
    }
    return APR_SUCCESS;
}

/* What was named before a restart and is not any more. */
static void forget_unnamed(const server_rec *s, apr_pool_t *pool)
{
    for (apr_hash_index_t *at = apr_hash_first(pool, retained(s)); at; at = apr_hash_next(at)) {
        const char *name = apr_hash_this_key(at);
        if (!find_opened(avh_server_of(s), name)) {
            av_remote_document_destroy(apr_hash_this_val(at));
            apr_hash_set(retained(s), name, APR_HASH_KEY_STRING, NULL);
        }
    }
}

int avh_remote_keys_watch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog = NULL;
    (void)plog;
    forget_unnamed(s, ptemp);
    if (!avh_server_of(s)->remote_keys->nelts || ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    if (!get || !add || get(&watchdog, WATCHDOG, 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, WATCH_INTERVAL, s, watch) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
                     "AuthVerify: keys=jwks: and keys=metadata: need mod_watchdog, which fetches them; add: LoadModule "
                     "watchdog_module modules/mod_watchdog.so");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}
