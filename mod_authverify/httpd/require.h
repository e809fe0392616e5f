/* Require authverify …
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_REQUIRE_H
#define AVH_REQUIRE_H

#include <apr_pools.h>

/* Registers the authorisation provider. */
void avh_require_register(apr_pool_t *pool);

#endif
