/* What a server gives out to be sent back, so that an answer cannot have been made long before: no list is kept of it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_NONCE_H
#define AV_NONCE_H

#include "digest.h"

#include <apr_time.h>

/* A nonce is made for a span of this length, and is good in it and in the next. */
#define AV_NONCE_SPAN apr_time_from_sec(120)

typedef enum av_nonce_age { AV_NONCE_NONE, AV_NONCE_OLD, AV_NONCE_NEW } av_nonce_age;

/* The nonce of the span in which `now` lies, in base64url, under a key that nobody else knows. `at` is NULL where the
 * library failed. */
av_slice av_nonce_make(const av_hmac_key *key, apr_time_t now, apr_pool_t *pool);

/* Is it that of this span, that of the span before, or none of both? Compared in constant time. */
av_nonce_age av_nonce_check(const av_hmac_key *key, av_slice nonce, apr_time_t now, apr_pool_t *pool);

#endif
