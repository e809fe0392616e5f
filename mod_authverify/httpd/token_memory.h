/* The memory for tokens that were proven, as the core asks it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_TOKEN_MEMORY_H
#define AVH_TOKEN_MEMORY_H

#include "../core/token.h"

/* Lives as long as `pool`. NULL where there is no memory for one: tokens are proven each time then. */
const av_token_memory *avh_token_memory_create(apr_pool_t *pool);

#endif
