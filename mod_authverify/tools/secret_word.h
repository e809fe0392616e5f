/* A secret as a clients file keeps it: made, and its word looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_SECRET_WORD_H
#define AVT_SECRET_WORD_H

#include "../core/client.h"

#define AVT_DEFAULT_COST 10

/* A new secret of 50 letters and digits, as token-pair wants it and bearer and api-key take it; wiped with `pool`.
 * Empty where the library has no random bytes. */
av_slice avt_secret_generate(apr_pool_t *pool);

/* A new id of 36 characters of [0-9a-f-]: a UUID of version 4 (RFC 9562 section 5.4). Empty where there are no random
 * bytes. */
av_slice avt_token_generate(apr_pool_t *pool);

/* Percent-encodes what may not stand in a word as it is, and the bytes of `also`. */
const char *avt_percent_encode(av_slice text, const char *also, apr_pool_t *pool);

/* "sha256:…", "bcrypt:…" (with 2 to the power of `cost` rounds) or "plain:…". Returns NULL or a sentence that does not
 * hold the secret: too short to be hashed without being stretched, longer than bcrypt looks at. */
const char *avt_secret_word(av_secret_kind kind, av_slice secret, int cost, const char **word, apr_pool_t *pool);

/* Reads a cost, 4 to 17. Returns NULL or a sentence. */
const char *avt_cost_read(const char *text, int *cost);

#endif
