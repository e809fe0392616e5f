/* What a known user's password costs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "password_cost.h"

#include <apr_md5.h>
#include <apr_shm.h>
#include <stdatomic.h>
#include <time.h>

#define USUAL_HASH "$2y$05$mqhhUtdcNQUSRDNIMBHcJ.KhQGtbyZLEbiKXbb0uWB1OmUYPZFEMC" /* of nothing that is known */

struct av_password_cost {
    _Atomic uint64_t dear; /* 0: none was seen yet */
    uint64_t usual;
};

av_password_cost *av_password_cost_create(apr_pool_t *pool)
{
    apr_shm_t *shared = NULL;
    if (apr_shm_create(&shared, sizeof(av_password_cost), NULL, pool) != APR_SUCCESS) {
        return NULL;
    }
    av_password_cost *cost = apr_shm_baseaddr_get(shared);
    uint64_t begun = av_password_cost_now();
    (void)apr_password_validate("", USUAL_HASH);
    cost->usual = av_password_cost_now() - begun;
    atomic_init(&cost->dear, 0);
    return cost;
}

uint64_t av_password_cost_now(void)
{
    struct timespec now = { 0, 0 };
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A dearer kind of hash counts at once, its own costs are averaged, and cheaper ones wear it down slowly: it may be gone
 * from the file. */
void av_password_cost_learn(av_password_cost *cost, uint64_t spent)
{
    uint64_t dear = atomic_load_explicit(&cost->dear, memory_order_relaxed), quarter = dear / 4;
    if (!dear || spent > dear + quarter) {
        dear = spent;
    } else if (spent < dear - quarter) {
        dear -= (dear - spent) / 64;
    } else {
        dear = dear - dear / 16 + spent / 16;
    }
    atomic_store_explicit(&cost->dear, dear, memory_order_relaxed);
}

void av_password_cost_spend(const av_password_cost *cost, uint64_t begun)
{
    uint64_t dear = atomic_load_explicit(&cost->dear, memory_order_relaxed);
    while (av_password_cost_now() - begun < (dear ? dear : cost->usual)) {
        continue; /* asking for the time is work enough */
    }
}
