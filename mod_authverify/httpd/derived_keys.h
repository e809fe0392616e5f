/* The memory for derived keys, as the core asks it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_DERIVED_KEYS_H
#define AVH_DERIVED_KEYS_H

#include "../core/client.h"

/* Lives as long as `pool`. NULL where the library cannot make one: keys are derived each time then. */
const av_key_memory *avh_derived_keys_create(apr_pool_t *pool);

#endif
