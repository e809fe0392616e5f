/* Times as senders write them, read strictly: one text for one time.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TIMESTAMP_H
#define AV_TIMESTAMP_H

#include "slice.h"
#include <apr_time.h>

typedef enum av_time_format {
    AV_TIME_UNIX,    /* seconds: 1 to 12 digits, no sign, no leading zero */
    AV_TIME_UNIX_MS, /* milliseconds: 1 to 15 digits, no sign, no leading zero */
    AV_TIME_RFC3339, /* RFC 3339 section 5.6, with Z or an offset; at most 9 digits of a second's fraction, cut to 6 */
    AV_TIME_BASIC,   /* ISO 8601's basic form in UTC, to the second: 20150830T123600Z */
    AV_TIME_HTTP     /* IMF-fixdate of RFC 9110 section 5.6.7: Sun, 30 Aug 2015 12:36:00 GMT */
} av_time_format;

/* Reads the whole of `text`. Returns false if it is not of the format, and then sets *time to 0.
 * A leap second (:60) is refused. Never overflows. */
bool av_timestamp_parse(av_slice text, av_time_format format, apr_time_t *time);

/* The unit in which a sender of this format can say "now": ages are compared in it. In microseconds. */
apr_time_t av_timestamp_unit(av_time_format format);

/* Writes the time in the basic form, NUL-terminated. False where its year has not four digits. */
#define AV_TIME_BASIC_SIZE 17
bool av_timestamp_basic(apr_time_t time, char text[AV_TIME_BASIC_SIZE]);

/* A time as RFC 3339 writes it, to the second, in UTC. */
const char *av_timestamp_text(apr_time_t time, apr_pool_t *pool);

#endif
