/* Posts forms over HTTPS and waits for what is answered, in the caller's thread.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_FORM_POST_H
#define AVH_FORM_POST_H

#include "../core/slice.h"

#include <apr_time.h>

/* To one server, which is asked one thing after the other over a connection that is kept. */
typedef struct avh_poster avh_poster;

/* Where to, and how; see https_transfer.h. No proxy of the environment is used. */
typedef struct avh_post_target {
    const char *url, *authorities;
    const char *authorization; /* a header's value; NULL: none */
    apr_interval_time_t timeout;
    apr_size_t most; /* bytes that are taken as an answer */
} avh_post_target;

typedef enum avh_post_result {
    AVH_POST_ANSWERED, /* with 200 */
    AVH_POST_REFUSED,  /* with something else, or with more than was asked for */
    AVH_POST_SILENCE   /* nothing came in time, or only that nobody is there: 429, 502, 503, 504 */
} avh_post_result;

/* `target` must outlive it. NULL: no memory. */
avh_poster *avh_poster_create(const avh_post_target *target);

/* Sends a form. *answer, borrowed until the next call, comes with AVH_POST_ANSWERED; *error, a sentence in `pool`, with
 * the others. */
avh_post_result avh_post(avh_poster *poster, av_slice form, av_slice *answer, const char **error, apr_pool_t *pool);

void avh_poster_destroy(avh_poster *poster);

#endif
