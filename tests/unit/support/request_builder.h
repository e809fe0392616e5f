/* Requests from text, rules from lines of a configuration, and a request's way through the core as a server takes it.
 * Without a test framework: unit tests and fuzz targets share it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_REQUEST_BUILDER_H
#define AV_TESTS_REQUEST_BUILDER_H

#include "core/policy.h"
#include "core/preset.h"
#include "core/reading.h"

/* When every request is received: 2 January 2026, UTC, and a fraction, since no request comes at the full second. */
#define RECEIVED_SECOND 1767312000
#define RECEIVED_AT (apr_time_from_sec(RECEIVED_SECOND) + 654321)

/* A request, and how its body reaches the core. */
typedef struct built_request {
    av_request head;
    av_slice body;
    apr_size_t step;        /* bytes that are fed at once; 0: all */
    apr_size_t parse_limit; /* see av_reading */
} built_request;

/* Reads "POST /path?query HTTP/1.1", then "Name: value" lines, an empty line, and the body to the last byte; lines end
 * in LF. The origin is "https://" and the Host, which is ours. Borrows from `text`. False: it is not written like
 * that. */
bool request_build(av_slice text, built_request *request, apr_pool_t *pool);

/* What rules compile with: secrets from files of `folder` (NULL: none) and from the environment, no program is run; no
 * preset is there yet. */
av_compiler request_compiler(const char *folder, apr_pool_t *pool);

/* Compiles what stands after AuthVerify in a configuration, as httpd would: the rule is named after its first word.
 * Returns NULL with *rule set, or a sentence. */
const char *request_rule(const char *line, const av_compiler *compiler, av_rule **rule);

/* Brings the body to an open reading as its contract says: in order, in steps, kept behind its lead where that is
 * asked, and in memory that ends where the body ends. */
void request_read_body(const built_request *request, av_reading *reading, apr_pool_t *pool);

/* Opens and proves what av_find gave. */
av_verdict request_prove(const built_request *request, av_claim *claim, apr_pool_t *pool);

/* All three calls. */
av_verdict request_decide(const av_policy *policy, const built_request *request, apr_pool_t *pool);

#endif
