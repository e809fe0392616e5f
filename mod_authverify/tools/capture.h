/* A captured request: what stands in a file, as the server would hand it to the core.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CAPTURE_H
#define AVT_CAPTURE_H

#include "../core/authverify.h"

typedef struct avt_capture {
    av_request request; /* received_at and address are the caller's to set */
    av_slice body;
    const char *note; /* NULL, or a sentence about a body that is not as long as the head says */
} avt_capture;

/* Reads a request line, header fields, an empty line and a body. Lines end in LF or CRLF; the body is all that follows,
 * cut to Content-Length. Fields of one name are joined with ", " as httpd does. The origin is "https://" and Host.
 * Borrows from `text`. Returns NULL or a sentence that names the line: no request line, a folded or malformed field, a
 * body in chunks. */
const char *avt_capture_read(av_slice text, avt_capture *capture, apr_pool_t *pool);

#endif
