/* What a sender may do: a rule's limits, and a client's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_LIMITS_H
#define AV_LIMITS_H

#include "authverify.h"

/* A comma list, kept as its text: "GET,HEAD". Empty: anything. */
typedef struct av_limits {
    const av_networks *from;            /* NULL: anywhere, or as from_file says */
    av_slice methods;                   /* as in the request line, case-sensitive */
    const struct av_limits *besides;    /* limits that hold, too; NULL: none */
    const av_network_source *from_file; /* NULL: `from` says */
    av_slice paths;                     /* "/reports" and, with an ending star, "/reports/" and all below it */
} av_limits;

/* Network, then method, then path. Returns AV_ACCEPTED or the reason. */
av_reason av_limits_check(const av_limits *limits, const av_request *request);

/* The limits, or those besides them, look at the path. */
bool av_limits_have_paths(const av_limits *limits);

/* The comma list holds the word. */
bool av_list_has(av_slice list, av_slice word);

/* Checks a list as configured: no empty word, each made of visible characters; for paths also that each begins with "/"
 * and has a star at its end only, behind a slash. Returns NULL or a sentence. */
const char *av_list_check(av_slice list);
const char *av_paths_check(av_slice list);

#endif
