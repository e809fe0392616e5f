/* The memories for tokens, as the core asks them. Both live as long as `pool`.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_TOKEN_MEMORY_H
#define AVH_TOKEN_MEMORY_H

#include "../core/token.h"

/* For tokens that were proven, each process its own. NULL where there is no memory for one: tokens are proven each time
 * then. */
const av_token_memory *avh_token_memory_create(apr_pool_t *pool);

/* For tokens that an endpoint was asked about, one for all processes. NULL where there is no memory for it. */
const av_token_memory *avh_answer_memory_create(apr_pool_t *pool);

#endif
