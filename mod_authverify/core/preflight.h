/* The question that a browser asks before a page of another site may send a request here (Fetch standard, "CORS-preflight
 * fetch").
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PREFLIGHT_H
#define AV_PREFLIGHT_H

#include "authverify.h"

/* The head of the request is that of a preflight: OPTIONS, one Origin that is an origin or "null", and one
 * Access-Control-Request-Method that is a method, which is set in *method. Browsers send no body and no credential with
 * it: neither may be announced, and neither Authorization nor Cookie may be there. Values are read in `pool`. */
bool av_preflight_read(const av_request *request, av_slice *method, apr_pool_t *pool);

#endif
