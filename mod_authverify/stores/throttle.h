/* Counts failed proofs by where they come from, and tokens by who wants them: what one AuthVerifyThrottle line says.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_THROTTLE_STORE_H
#define AV_THROTTLE_STORE_H

#include "../core/options.h"
#include "../core/throttle.h"
#include "leaky_table.h"

/* A line. 0: not counted. */
typedef struct av_throttle_line {
    unsigned failures;         /* in one name from one network */
    unsigned network_failures; /* from one network, in whatever names */
    unsigned tokens;           /* for one client */
    unsigned window;           /* seconds in which as many are forgotten */
    unsigned ipv4, ipv6;       /* bits of an address that are its network */
} av_throttle_line;

/* Reads the words of a line, the directive's name first. Returns NULL with *line whole, or a sentence. */
const char *av_throttle_line_read(const av_words *words, const av_compiler *compiler, av_throttle_line *line);

/* Counts as the line says, in a table of its own, which is borrowed. */
const av_throttle *av_throttle_create(const av_throttle_line *line, av_leaky_table *table, apr_pool_t *pool);

#endif
