/* Whoever has failed too often must wait.
 * SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

apr_interval_time_t av_throttle_wait(const av_request *request, av_slice name)
{
    const av_throttle *throttle = request->throttle;
    return throttle ? throttle->wait(throttle, &request->address, name, request->received_at) : 0;
}

apr_interval_time_t av_throttle_take(const av_request *request, av_slice client)
{
    const av_throttle *throttle = request->throttle;
    return throttle ? throttle->take(throttle, client, request->received_at) : 0;
}

/* What somebody is refused for who tries what he does not know. */
static bool is_failed_proof(av_reason reason)
{
    switch (reason) {
    case AV_UNKNOWN_CLIENT:
    case AV_WRONG_APPLICATION:
    case AV_WRONG_SECRET:
    case AV_WRONG_SIGNATURE:
    case AV_WRONG_SESSION_TOKEN:
    case AV_UNPROVEN_BINDING:
    case AV_WRONG_PROOF:
    case AV_INACTIVE_TOKEN:
        return true;
    default:
        return false;
    }
}

bool av_throttle_tell(const av_throttle *throttle, const av_address *from, const av_verdict *verdict, apr_time_t now)
{
    bool counts = throttle && is_failed_proof(verdict->reason);
    if (counts) {
        throttle->count(throttle, from, verdict->claimed, now);
    }
    return counts;
}
