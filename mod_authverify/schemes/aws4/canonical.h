/* The canonical request: what a signer saw of the request, written as one text.
 * Source: AWS Signature Version 4, "Create a signed request", step 1.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_CANONICAL_H
#define AV_AWS4_CANONICAL_H

#include "headers.h"

/* The parts. Each is a function of its arguments, and lives in `pool`. */

/* The path, by `form` (not IMPLIED). The empty path is "/". `out.at` is NULL where a path cannot be decoded. */
av_slice av_aws4_canonical_path(av_slice path, av_aws4_path form, bool plus_is_space, apr_pool_t *pool);

/* The query: decoded and encoded again, sorted by name and then by value; parameters called `without` (encoded; empty:
 * none) and, where it is not empty, `besides` are left out. `out.at` is NULL where it cannot be decoded. */
av_slice av_aws4_canonical_query(av_slice query, av_slice without, av_slice besides, apr_pool_t *pool);

/* The canonical request up to its last line, which says the payload's hash. */
typedef struct av_aws4_canonical {
    av_slice method, path, query;
    const av_aws4_headers *headers;
    av_slice signed_headers;
    char *text;        /* room for the whole */
    apr_size_t room;   /* bytes of it */
    apr_size_t joints; /* places where httpd may have joined two fields */
} av_aws4_canonical;

/* Makes room for the text, and counts its joints. */
void av_aws4_canonical_begin(av_aws4_canonical *canonical, apr_pool_t *pool);

/* Writes the text; joint i is written "," where bit i of `joined` is set, and as it stands otherwise. With ALL_JOINED
 * every one is. The text is there until the next call. */
#define AV_AWS4_ALL_JOINED (~0u)
av_slice av_aws4_canonical_write(const av_aws4_canonical *canonical, unsigned joined);

#endif
