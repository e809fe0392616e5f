/* SetHandler authverify-jwks, authverify-metadata and authverify-whoami: what the module tells of itself and of a caller.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_PAGES_H
#define AVH_PAGES_H

#include "private.h"

/* Hook handler: the public keys of AuthVerifyToken (RFC 7517 section 5), and its metadata (RFC 8414 section 3.2). */
int avh_published_page(request_rec *r);

/* Hook handler: who the caller is under the rules of the section, as JSON. */
int avh_whoami_page(request_rec *r);

#endif
