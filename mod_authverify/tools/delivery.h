/* A request that is made here: signed, or given its credential, as a sender would.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_DELIVERY_H
#define AVT_DELIVERY_H

#include "../core/rule.h"

typedef struct avt_delivery {
    av_slice method;
    const char *url;             /* whole; a credential that travels in the query is added to it */
    apr_array_header_t *headers; /* of av_header, in order; what the credential needs is added at the end */
    av_slice body;
    const char *client;  /* who sends it; NULL: not said */
    const char *id;      /* the delivery's; NULL: a new one */
    apr_time_t time;     /* when it is signed */
    const char *expires; /* aws4: seconds that a presigned URL is good for; NULL: the headers are signed */
} avt_delivery;

/* Reads "Name: value". Returns NULL with the header added, or a sentence. */
const char *avt_delivery_add_header(avt_delivery *delivery, const char *text, apr_pool_t *pool);

/* What the core sees of it. Returns NULL or a sentence: the URL is none, or has a user or a fragment. */
const char *avt_delivery_view(const avt_delivery *delivery, av_request *request, apr_pool_t *pool);

/* Adds what the rule looks for, proven by `secret`, which is written as the rule's options say (for ed25519 it is the
 * private key: PEM, or 32 bytes so written). Returns NULL or a sentence: a value that is signed is not there, the
 * secret is not of the encoding, a control byte in a header, no URL. */
const char *avt_delivery_sign(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool);

/* Shared by signing.c: puts a value where the selector says: a header, or a parameter of the query. */
void avt_delivery_put(avt_delivery *delivery, const av_selector *place, av_slice value, apr_pool_t *pool);

/* signing.c: for rules of the signature scheme. */
const char *avt_sign_text(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool);

/* signing_aws4.c: for rules of the aws4 scheme, with HMAC. */
const char *avt_sign_aws4(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool);

#endif
