/* Whoever has failed too often must wait: asked before a proof is looked at, told how it ended.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_THROTTLE_H
#define AV_THROTTLE_H

#include "authverify.h"

/* What counts (stores/throttle.h); the core keeps no state. Any number of threads may ask at once; nothing blocks and
 * nothing is allocated. */
typedef struct av_throttle {
    /* How long until a proof from there is looked at again, in the name of whom it says it is from; 0: now. An empty
     * name is nobody's: the network alone is looked at. */
    apr_interval_time_t (*wait)(const struct av_throttle *throttle, const av_address *from, av_slice name,
                                apr_time_t now);

    /* A proof from there, in that name, has failed. */
    void (*count)(const struct av_throttle *throttle, const av_address *from, av_slice name, apr_time_t now);

    /* A client that is proven wants one token more. 0: it is counted; else how long the client must wait for it, and
     * nothing is counted. */
    apr_interval_time_t (*take)(const struct av_throttle *throttle, av_slice client, apr_time_t now);
} av_throttle;

/* How long the sender of the request must wait before it is looked at in that name; 0: not at all, as where
 * request->throttle is NULL. */
apr_interval_time_t av_throttle_wait(const av_request *request, av_slice name);

/* Counts a token for a proven client: 0, or how long the client must wait for it. */
apr_interval_time_t av_throttle_take(const av_request *request, av_slice client);

/* Tells the throttle, which may be NULL, how a request from there ended. `now` is the time of that, not the request's:
 * whoever sends slowly would have his failures forgotten before they are known. Only a failed proof counts: not what was
 * missing or malformed, not a time, not what a proven sender may not do, not our own faults. Returns true where it was
 * counted. */
bool av_throttle_tell(const av_throttle *throttle, const av_address *from, const av_verdict *verdict, apr_time_t now);

#endif
