/* Decides whether a user of an application gets a token pair, and writes the answer.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_LOGIN_H
#define AV_LOGIN_H

#include "grant.h"

typedef struct av_login {
    av_verdict verdict; /* whose pair it is: as for any request, under issuer->login */
    av_issued_pair pair;
} av_login;

/* Is the application one of the issuer's, may it come here, and is the password that of the user? A pair is made, and is
 * nowhere yet. An unknown application, an unknown user and a wrong password cost alike: the user is asked for whatever
 * the application is. The reason is AV_ACCEPTED, or AV_UNKNOWN_CLIENT, AV_WRONG_SECRET, AV_STORE_UNAVAILABLE,
 * AV_INTERNAL_ERROR; after the proof what av_client_check says. The secret is wiped with `pool`. */
av_login av_login_decide(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                         apr_pool_t *pool);

/* What the user's application is told: the token and the secret, as JSON. Empty where the library failed, or a name is
 * not UTF-8. It holds the secret, and is wiped with `pool`. */
av_slice av_login_answer(const av_login *login, apr_pool_t *pool);

#endif
