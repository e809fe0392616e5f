/* The cases of a folder of tests/vectors, a folder each; see the README there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_CASES_H
#define AV_TESTS_CASES_H

#include "support/request_builder.h"

/* Finds the cases below a folder of the tree, in the order of their names. Returns how many there are. */
int cases_find(const char *below);

/* A path of the tree, in `pool`. */
const char *source_path(const char *name);

const char *case_name(int index);

/* The content of a file of the case, in `pool`; NULL where there is none. */
const av_slice *case_part(int index, const char *file);

/* How the case must end, and when its request is received. */
typedef struct case_end {
    const char *label;  /* of the secret that matches; NULL: refused */
    const char *reason; /* its name */
    apr_time_t at;      /* 0: any time */
} case_end;

case_end case_expectation(int index);

/* The rule of the case, compiled with its secrets, which are copied so that only their owner reads them. */
av_rule *case_rule(int index);

#endif
