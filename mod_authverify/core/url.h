/* URLs of requests that are compared: two texts may name one place.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_URL_H
#define AV_URL_H

#include "slice.h"

/* The one text for an http or https URL without user, query and fragment, NUL-terminated in `pool`: normalised by its
 * syntax (RFC 3986 section 6.2.2: letters of scheme and host in lower case, %XX only where it must be, in upper case,
 * no dot segments) and by its scheme (section 6.2.3: no default port, no empty path). Slashes are not merged. False
 * where `text` is no such URL. */
bool av_url_normalise(av_slice text, av_slice *url, apr_pool_t *pool);

#endif
