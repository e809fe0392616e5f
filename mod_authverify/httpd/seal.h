/* The hooks that look again right before a handler runs, and hand the identity on.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_SEAL_H
#define AVH_SEAL_H

#include "private.h"

/* Hook post_read_request: what only we may say is taken from what the client says; a redirect's body starts anew. */
int avh_begin(request_rec *r);

/* Hook fixups, first: the verdict once more, because other phases can be bypassed (Satisfy Any, redirects that skip the
 * authorisation hooks); then user, environment, headers, and the credential out of sight. */
int avh_seal(request_rec *r);

/* Hook handler, first: nothing runs without the seal, whatever fixups have made of the request since. Declines
 * otherwise. */
int avh_check_seal(request_rec *r);

#endif
