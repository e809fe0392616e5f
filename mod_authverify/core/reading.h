/* The lanes of one request: each key computes over the text that its claim says was signed, while the body passes by.
 * For verify.c and the schemes; who brings the body uses authverify.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_READING_H
#define AV_READING_H

#include "rule.h"
#include "selector.h"

/* Opens lanes for the claim's keys, as long as there are lanes, and notes what else the claim needs of the body.
 * False: the library failed. */
bool av_reading_open(av_reading *reading, const av_claim *claim, apr_pool_t *pool);

/* For schemes that open for themselves: has the body fed to `reader`, which must live as long as the reading. False:
 * there is a reader with a coding already. */
bool av_reading_read(av_reading *reading, av_reader *reader);

/* See av_feed and, where `out` is not NULL, av_feed_in_place. Returns how many bytes the handler gets. */
apr_size_t av_reading_feed(av_reading *reading, const char *bytes, apr_size_t len, char *out);

/* After the body: is one of the claim's proofs that of one of its client's keys? Returns AV_ACCEPTED with *label set,
 * `otherwise` where none is, AV_BODY_NOT_UNDERSTOOD where a signed value cannot be had from the body,
 * AV_INTERNAL_ERROR. */
av_reason av_reading_match(const av_reading *reading, const av_claim *claim, av_reason otherwise, const char **label,
                           apr_pool_t *pool);

/* Adds to a view what is known of the body now: the body, and its JSON if `wants_json`. A body longer than
 * reading->parse_limit has no values to look at, and stays unknown. */
void av_reading_view(const av_reading *reading, bool wants_json, av_view *view, apr_pool_t *pool);

#endif
