/* Takes credentials out of what the handler and the logs see.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_CREDENTIAL_STRIP_H
#define AVH_CREDENTIAL_STRIP_H

#include "config.h"

/* Removes the places of every rule of the policy from the headers and from the query, wherever httpd keeps a copy of
 * it: args, unparsed_uri, parsed_uri, the_request, a proxied filename, the scoreboard. Other parameters stay as they
 * are, in order. Rules with strip=off keep theirs. */
void avh_strip_credentials(request_rec *r, const av_policy *policy);

/* Removes one parameter of the query, likewise. */
void avh_strip_parameter(request_rec *r, av_slice name);

/* The header names that the policy's rules rely on are struck from Connection: nobody on the way to the backend may
 * drop them (RFC 9110 section 7.6.1). */
void avh_protect_headers(request_rec *r, const av_policy *policy);

/* Removes every header called `name`, where - and _ are one: behind CGI and its kin they are. Struck from Connection,
 * too. */
void avh_strip_header(request_rec *r, const char *name);

/* The body has been taken out of `coding`: nothing of it stays in the headers. */
void avh_strip_coding(request_rec *r, const av_coding *coding);

#endif
