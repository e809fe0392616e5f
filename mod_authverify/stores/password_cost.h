/* What it costs to tell whether a known user's password is right, where somebody else computes it: so much is then
 * spent on a user that nobody knows, too.
 *
 * It is counted in processor time of the thread, which neither other threads nor a wait adds to. What the dearest kind
 * of password hash lately cost on the average is what counts; before any was seen, it is bcrypt as htpasswd -B makes it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PASSWORD_COST_H
#define AV_PASSWORD_COST_H

#include <apr_pools.h>
#include <stdint.h>

typedef struct av_password_cost av_password_cost;

/* One for this process and all that are forked from it. NULL where there is no memory that they can share. Any number of
 * threads may use it; nothing is locked. */
av_password_cost *av_password_cost_create(apr_pool_t *pool);

/* The processor time of this thread, in nanoseconds from some beginning. */
uint64_t av_password_cost_now(void);

/* A known user's password cost so many nanoseconds. */
void av_password_cost_learn(av_password_cost *cost, uint64_t spent);

/* Computes until this thread has spent as much since `begun` as a known user's password costs. */
void av_password_cost_spend(const av_password_cost *cost, uint64_t begun);

#endif
