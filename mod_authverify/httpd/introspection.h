/* Introspection endpoints, asked by requests in their own threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_INTROSPECTION_H
#define AVH_INTROSPECTION_H

#include "config.h"

#include "../core/introspection.h"

/* av_compiler.open_introspection; the baton is the server_rec. */
const char *avh_introspection_open(void *baton, const av_endpoint *endpoint, const av_introspector **introspector);

#endif
