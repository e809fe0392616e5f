/* What the server remembers of proofs and nonces over all its processes and graceful restarts.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_USED_ONCE_H
#define AVH_USED_ONCE_H

#include "config.h"

/* What nonces are made with: random, and the same in all processes. NULL where the library has no random bytes. */
const av_hmac_key *avh_nonce_key(const av_crypto *crypto, apr_pool_t *pool);

/* Hook post_config: the memory of what was used and may be used once, before the first child is made. One of another
 * size than before the restart is a new one, and empty. */
int avh_replay_memory_open(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
