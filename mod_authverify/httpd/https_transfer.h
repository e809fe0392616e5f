/* One exchange over HTTPS by libcurl, with what all exchanges have in common: certificates are checked, no redirect is
 * followed, time and size are bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_HTTPS_TRANSFER_H
#define AVH_HTTPS_TRANSFER_H

#include "../core/slice.h"

#include <apr_time.h>

/* NULL, or why this build asks nobody, with the remedy. */
const char *avh_https_missing(void);

#ifdef AV_HAVE_CURL

#include <curl/curl.h>

typedef struct avh_transfer {
    CURL *handle;
    char told[CURL_ERROR_SIZE];
    char *bytes;          /* what was answered goes here */
    apr_size_t room, len; /* more than there is room for ends the exchange */
} avh_transfer;

/* Prepares an exchange with `url`, which must be https, at a server whose certificate is right by `authorities` (a file
 * in PEM; NULL: the system's); all of it takes `timeout` at most. bytes and room are set; the transfer must stay where it
 * is. False: no memory. May be called by any number of threads. */
bool avh_transfer_open(avh_transfer *transfer, const char *url, const char *authorities, apr_interval_time_t timeout);

/* What went wrong, in `pool`, where the exchange ended with `code`: NULL for a 200. *status is 0 where nothing was
 * answered, or not all of it. */
const char *avh_transfer_error(const avh_transfer *transfer, CURLcode code, long *status, apr_pool_t *pool);

void avh_transfer_close(avh_transfer *transfer);

#endif
#endif
