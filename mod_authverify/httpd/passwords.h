/* The memory for passwords that were right, as the core asks it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_PASSWORDS_H
#define AVH_PASSWORDS_H

#include "../core/client.h"

/* Lives as long as `pool`. NULL where the library cannot make one: passwords are computed each time then. */
const av_password_memory *avh_passwords_create(const av_crypto *crypto, apr_pool_t *pool);

#endif
