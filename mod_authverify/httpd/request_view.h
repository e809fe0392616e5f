/* What the client sent, as the core sees it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_REQUEST_VIEW_H
#define AVH_REQUEST_VIEW_H

#include "config.h"

/* Fills `view` from the request as it stands, which must be before anything of ours has changed it. Borrows from `r`,
 * which must be the client's own request: no subrequest, no internal redirect. Origin and host are those of no section
 * yet. */
void avh_view_take(request_rec *r, av_request *view);

/* The path once more as httpd maps it (av_request.place), whatever has been rewritten since. */
av_slice avh_view_place(const av_request *view, apr_pool_t *pool);

/* The view as a section sees it: what AuthVerifyExternalURL says of the origin, where a rule of the section covers it.
 * */
av_request avh_view_for(const av_request *view, const avh_section *section, request_rec *r);

#endif
