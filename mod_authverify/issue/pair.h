/* A token and a secret as token-pair wants them, made of random bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PAIR_H
#define AV_PAIR_H

#include "../core/slice.h"

/* A new secret of 50 letters and digits, as token-pair wants it and bearer and api-key take it; wiped with `pool`.
 * Empty where the library has no random bytes. */
av_slice av_pair_secret(apr_pool_t *pool);

/* A new id of 36 characters of [0-9a-f-]: a UUID of version 4 (RFC 9562 section 5.4). Empty where there are no random
 * bytes. */
av_slice av_pair_token(apr_pool_t *pool);

#endif
