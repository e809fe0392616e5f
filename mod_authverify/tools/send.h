/* Sends a request that was made here, and takes the answer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_SEND_H
#define AVT_SEND_H

#include "delivery.h"

typedef struct avt_answer {
    long status; /* of the last response; interim ones are not shown */
    av_slice body;
} avt_answer;

/* NULL, or why nothing can be sent: the program was built without libcurl. */
const char *avt_send_missing(void);

/* Sends the delivery, whose URL begins with http:// or https://, as it is and once: no redirect is followed, and dot
 * segments of the path stay.
 * Over https the server's certificate must be valid for the host, under the system's authorities or those of the file
 * `authorities` (PEM; NULL: the system's). Returns NULL with *answer set, whatever its status, or a sentence without
 * the request's query: no connection, a certificate that is not right, silence for a minute,
 * an answer above 16 MiB. */
const char *avt_send(const avt_delivery *delivery, const char *authorities, avt_answer *answer, apr_pool_t *pool);

#endif
