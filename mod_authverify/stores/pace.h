/* Long work beside requests, in short turns: whoever waits for the processor meanwhile waits for one turn. A scheduler
 * alone lets a thread that computes run for milliseconds before one that woke up, whatever its niceness.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PACE_H
#define AV_PACE_H

#include <apr_time.h>

typedef struct av_pace {
    apr_time_t began; /* of the turn */
    unsigned steps;
} av_pace;

/* No turn has begun. */
av_pace av_pace_start(void);

/* Call it after every few microseconds of work: sleeps for a moment where the turn is over. NULL: there is no hurry to
 * leave, the work is done without a rest. */
void av_pace_step(av_pace *pace);

#endif
