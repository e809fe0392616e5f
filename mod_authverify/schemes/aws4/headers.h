/* The headers that a signature covers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_HEADERS_H
#define AV_AWS4_HEADERS_H

#include "credential.h"

/* A signed header, under the name that the signature gives it. */
typedef struct av_aws4_header_line {
    av_slice name, value;
    bool may_be_joined; /* httpd may have joined repeated fields with ", ", where the signer joined them with "," */
} av_aws4_header_line;

typedef struct av_aws4_headers {
    av_aws4_header_line *lines;
    apr_size_t count;
} av_aws4_headers;

/* Resolves credential->signed_headers and looks at what they leave out. `host` is what Host must be. Returns
 * AV_ACCEPTED; AV_MALFORMED_CREDENTIAL (not in lower case, not in order, twice, empty; or Connection names a header that
 * the proof relies on, which somebody on the way may then drop); AV_HEADER_NOT_SIGNED (host, the date that is used, or
 * an x-amz-… that is not exempt is not signed, or one that is signed is not there). "_" counts as "-": behind CGI they
 * are one. */
av_reason av_aws4_headers_find(const av_request *request, const av_aws4_settings *settings,
                               const av_aws4_credential *credential, av_slice host, av_aws4_headers *headers,
                               apr_pool_t *pool);

#endif
