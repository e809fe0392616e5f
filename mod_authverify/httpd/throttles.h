/* AuthVerifyThrottle: its lines, and the memory that they count in.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_THROTTLES_H
#define AVH_THROTTLES_H

#include "config.h"

/* Reads the words of a line, the directive's name first, or "off". Returns NULL with *throttle set, in the
 * configuration's pool, or a sentence. */
const char *avh_throttle_read(cmd_parms *cmd, const av_words *words, const avh_throttle **throttle);

/* Hook post_config: the memory, which is made before the children are forked. It stays over graceful restarts, as long
 * as there are as many lines as before: the first line counts on where the first one stopped. */
int avh_throttles_make(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

#endif
