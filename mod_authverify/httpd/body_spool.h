/* The body: read once, bounded in size and time, fed to who proves it, and handed to the handler unchanged.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_BODY_SPOOL_H
#define AVH_BODY_SPOOL_H

#include "config.h"

typedef struct avh_spool avh_spool;

/* What reading came to. */
typedef struct avh_read_result {
    av_reason reason; /* AV_ACCEPTED, or why the body could not be had */
    int status;       /* what httpd must be told where a filter has answered the client already; else 0 */
} avh_read_result;

/* Registers the filter that hands the body on. For the hook that registers everything. */
void avh_spool_register(void);

/* Reads the whole body of `r`, which must be a main request, feeds it to `reading`, keeps it, and puts the filter in
 * front that hands it on. *spool is set where there is a body; a request without one needs none.
 * Where `observes`, a body that is too large, or cannot be kept or read, is not lost: what was read is handed on and
 * the rest, or the error, follows from the network. The reason is given all the same. */
avh_read_result avh_spool_read(request_rec *r, const avh_section *section, bool observes, av_reading *reading,
                               avh_spool **spool);

/* Feeds a body that was read before to another reading. False: it cannot be read back. */
bool avh_spool_feed(avh_spool *spool, av_reading *reading);

/* Sets reading->body to the whole body in one piece, behind reading->lead. False: it cannot be had so. */
bool avh_spool_keep(avh_spool *spool, const avh_section *section, av_reading *reading);

/* The next reader gets the body from its start. */
void avh_spool_rewind(avh_spool *spool);

/* The request is refused: nobody gets a byte of the body any more, and the connection stays usable or is closed.
 * `spool` may be NULL: the body is unread. */
void avh_spool_drop(request_rec *r, avh_spool *spool);

#endif
