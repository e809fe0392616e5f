/* SetHandler authverify-token: the token endpoint (RFC 6749 section 3.2).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_TOKEN_ENDPOINT_H
#define AVH_TOKEN_ENDPOINT_H

#include "private.h"

/* Hook post_perdir_config: a secret in the query of the endpoint is kept for it, and gone from everything that is logged.
 * Before any other module can refuse the request, which is logged then, too. */
int avh_hide_query_secret(request_rec *r);

/* Hook handler. */
int avh_token_endpoint(request_rec *r);

#endif
