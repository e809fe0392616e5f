/* The hooks that decide before a handler runs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_GATE_H
#define AVH_GATE_H

#include "private.h"

/* Hook access_checker, last: decides. Refuses, or leaves the rest of httpd's authorisation to httpd. */
int avh_gate(request_rec *r);

/* Hook check_authn, first: says who the user is where AuthType is AuthVerify or not set. Under another AuthType that
 * one must hold as well. */
int avh_check_authn(request_rec *r);

/* Hook map_to_storage, first: TRACE under a rule, which httpd would answer before any gate. */
int avh_refuse_trace(request_rec *r);

#endif
