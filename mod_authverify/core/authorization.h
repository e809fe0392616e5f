/* The Authorization header: a scheme word, spaces, a credential (RFC 9110 section 11.4).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AUTHORIZATION_H
#define AV_AUTHORIZATION_H

#include "authverify.h"

/* The word stands in front of the value, in any case; the empty word stands for a value without a space. *credential is
 * what follows the word and its spaces, and may be empty. */
bool av_authorization_has(av_slice value, av_slice word, av_slice *credential);

/* The credential of that word in the request's only Authorization header. Returns AV_ACCEPTED, AV_NOT_PRESENTED, or
 * AV_AMBIGUOUS_CREDENTIAL where there are two. */
av_reason av_authorization_find(const av_request *request, av_slice word, av_slice *credential);

/* User and password of RFC 7617: base64 to the letter, both there and not empty, without control characters (section 2).
 * Both are wiped when `pool` is cleared. Returns as av_authorization_find does, or AV_MALFORMED_CREDENTIAL. */
av_reason av_authorization_basic(const av_request *request, av_slice *user, av_slice *password, apr_pool_t *pool);

/* token68 of RFC 9110 section 11.2: at least one letter, digit or one of -._~+/ and then any number of "=". */
bool av_is_token68(av_slice text);

#endif
