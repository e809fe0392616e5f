/* A secret as a clients file keeps it: made, and its word looked at.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_SECRET_WORD_H
#define AVT_SECRET_WORD_H

#include "../core/client.h"

#define AVT_DEFAULT_COST 10

/* "sha256:…", "bcrypt:…" (with 2 to the power of `cost` rounds) or "plain:…". Returns NULL or a sentence that does not
 * hold the secret: too short to be hashed without being stretched, longer than bcrypt looks at. */
const char *avt_secret_word(av_secret_kind kind, av_slice secret, int cost, const char **word, apr_pool_t *pool);

/* Reads a cost, 4 to 17. Returns NULL or a sentence. */
const char *avt_cost_read(const char *text, int *cost);

#endif
