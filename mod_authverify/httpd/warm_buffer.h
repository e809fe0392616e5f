/* A large buffer for each thread that stays allocated, and so in the caches and page tables, from request to request.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_WARM_BUFFER_H
#define AVH_WARM_BUFFER_H

#include <apr_pools.h>

/* Once in each child, before requests. */
void avh_warm_buffer_init(apr_pool_t *pool);

/* A buffer of at least `size` bytes, until `pool` is cleared, which may happen in another thread. Its bytes are
 * whatever a request before left. NULL where memory is short. Locks nothing. */
char *avh_warm_buffer_take(apr_size_t size, apr_pool_t *pool);

#endif
