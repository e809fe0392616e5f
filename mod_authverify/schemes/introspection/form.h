/* What is sent to an introspection endpoint. All that is made here lives in `pool`, NUL-terminated, and is wiped with it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_INTROSPECTION_FORM_H
#define AV_INTROSPECTION_FORM_H

#include "../../core/slice.h"

/* The question about a token (RFC 7662 section 2.1), which `credentials` end. */
av_slice av_form_question(av_slice token, av_slice credentials, apr_pool_t *pool);

/* The credentials of a client that shows them in the form (RFC 6749 section 2.3.1). */
av_slice av_form_credentials(av_slice id, av_slice secret, apr_pool_t *pool);

/* A value for Authorization: "Basic" and a client's id and secret, each form-encoded first (RFC 6749 section 2.3.1). */
const char *av_form_basic(av_slice id, av_slice secret, apr_pool_t *pool);

/* The same with "Bearer" and a token (RFC 6750 section 2.1). */
const char *av_form_bearer(av_slice token, apr_pool_t *pool);

#endif
