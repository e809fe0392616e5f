/* Keeps a flood of refusals from filling the log: the first few of a second are lines of their own, the rest are one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_REFUSAL_LOG_H
#define AVH_REFUSAL_LOG_H

#include "private.h"

#include "../core/reason.h"

/* Lines a second for one reason and one network: /24 of IPv4, /64 of IPv6. */
#define AVH_REFUSAL_LINES 10

/* In each child, before requests. What is still to be summed when `pool` is cleared is logged then. */
void avh_refusal_log_init(apr_pool_t *pool, server_rec *s);

/* Counts the refusal. True: it gets a line of its own. False: a line says once a second how many there were. At
 * LogLevel debug every refusal gets its line. Sums whose second is over are logged by the next refusal, whatever its
 * reason. */
bool avh_refusal_is_logged(request_rec *r, av_reason reason, int level);

#endif
