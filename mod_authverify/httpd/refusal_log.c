/* Keeps a flood of refusals from filling the log.
 * SPDX-License-Identifier: Apache-2.0 */
#include "refusal_log.h"

#include <apr_thread_mutex.h>

#define SLOTS 1024 /* networks and reasons counted at once; a newcomer takes the place of whoever is in its slot */

typedef struct network {
    bool is_ipv6;
    unsigned char prefix[8];
} network;

typedef struct slot {
    apr_time_t second; /* 0: free */
    network from;
    av_reason reason;
    int level;
    unsigned count;
} slot;

typedef struct refusal_log {
    apr_thread_mutex_t *lock; /* only refusals take it, and only to count */
    server_rec *server;
    apr_time_t swept; /* the second in which all slots were last looked at */
    slot slots[SLOTS];
} refusal_log;

static refusal_log *counters; /* of this child */

static network network_of(const apr_sockaddr_t *address)
{
    network from = { false, { 0 } };
#if APR_HAVE_IPV6
    if (address->family == APR_INET6) {
        const unsigned char *bytes = (const unsigned char *)&address->sa.sin6.sin6_addr;
        from.is_ipv6 = !IN6_IS_ADDR_V4MAPPED(&address->sa.sin6.sin6_addr);
        memcpy(from.prefix, from.is_ipv6 ? bytes : bytes + 12, from.is_ipv6 ? 8 : 3);
        return from;
    }
#endif
    memcpy(from.prefix, &address->sa.sin.sin_addr, 3);
    return from;
}

static bool is_same(const slot *counted, const network *from, av_reason reason)
{
    return counted->reason == reason && counted->from.is_ipv6 == from->is_ipv6 &&
           memcmp(counted->from.prefix, from->prefix, sizeof(from->prefix)) == 0;
}

/* FNV-1a: spreads the slots, protects nothing. */
static unsigned slot_index(const network *from, av_reason reason)
{
    unsigned hash = 2166136261u ^ (unsigned)reason;
    for (size_t i = 0; i < sizeof(from->prefix); i++) {
        hash = (hash ^ from->prefix[i]) * 16777619u;
    }
    return hash % SLOTS;
}

static const char *network_text(const network *from, char *text, apr_size_t room)
{
    const unsigned char *at = from->prefix;
    if (from->is_ipv6) {
        apr_snprintf(text, room, "%x:%x:%x:%x::/64", at[0] << 8 | at[1], at[2] << 8 | at[3], at[4] << 8 | at[5],
                     at[6] << 8 | at[7]);
    } else {
        apr_snprintf(text, room, "%u.%u.%u.0/24", at[0], at[1], at[2]);
    }
    return text;
}

/* Says what was not said line by line, and frees the slot. */
static void sum_up(slot *counted)
{
    char text[64];
    if (counted->second && counted->count > AVH_REFUSAL_LINES) {
        ap_log_error(APLOG_MARK, counted->level, 0, counters->server,
                     "refused reason=%s network=%s count=%u: more in one second", av_reason_name(counted->reason),
                     network_text(&counted->from, text, sizeof(text)), counted->count - AVH_REFUSAL_LINES);
    }
    counted->second = 0;
}

static void sweep(apr_time_t now)
{
    for (int i = 0; i < SLOTS; i++) {
        if (counters->slots[i].second && counters->slots[i].second != now) {
            sum_up(&counters->slots[i]);
        }
    }
    counters->swept = now;
}

static apr_status_t finish(void *unused)
{
    (void)unused;
    sweep(0);
    counters = NULL;
    return APR_SUCCESS;
}

void avh_refusal_log_init(apr_pool_t *pool, server_rec *s)
{
    refusal_log *made = apr_pcalloc(pool, sizeof(*made));
    made->server = s;
    if (apr_thread_mutex_create(&made->lock, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS) {
        counters = made;
        apr_pool_cleanup_register(pool, made, finish, apr_pool_cleanup_null);
    }
}

bool avh_refusal_is_logged(request_rec *r, av_reason reason, int level)
{
    network from = network_of(r->useragent_addr);
    apr_time_t now = apr_time_sec(apr_time_now());
    if (!counters || APLOG_R_IS_LEVEL(r, APLOG_DEBUG)) {
        return true;
    }
    slot *counted = &counters->slots[slot_index(&from, reason)];
    apr_thread_mutex_lock(counters->lock);
    if (counters->swept != now) {
        sweep(now);
    }
    if (counted->second != now || !is_same(counted, &from, reason)) {
        sum_up(counted);
        *counted = (slot){ .second = now, .from = from, .reason = reason, .level = level };
    }
    bool is_logged = ++counted->count <= AVH_REFUSAL_LINES;
    apr_thread_mutex_unlock(counters->lock);
    return is_logged;
}
