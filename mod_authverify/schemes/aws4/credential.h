/* The credential of a request: what the Authorization header or the query says of a signature.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_CREDENTIAL_H
#define AV_AWS4_CREDENTIAL_H

#include "../../core/timestamp.h"
#include "settings.h"

#define AV_AWS4_HMAC "AWS4-HMAC-SHA256"
#define AV_AWS4_ECDSA "AWS4-ECDSA-P256-SHA256"

#define AV_AWS4_LONGEST_ACCESS_KEY 256
#define AV_AWS4_LARGEST_SIGNATURE 72 /* bytes: DER of two numbers of 33 */

typedef struct av_aws4_credential {
    bool in_query; /* a presigned URL */
    bool is_ecdsa; /* SigV4A */
    av_slice text; /* "AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request" */
    av_slice access_key;
    av_slice scope;                 /* what follows the access key and its slash */
    av_slice date, region, service; /* SigV4A has no region here */
    av_slice signed_headers;        /* "host;x-amz-date" */
    av_slice signature;             /* hexadecimal */
    char timestamp[AV_TIME_BASIC_SIZE];
    apr_time_t signed_at;
    bool has_date_header;    /* the time is that of Date, which must be signed then */
    av_slice expires;        /* query: as written; empty: not said */
    apr_int64_t lifetime;    /* query: seconds from signed_at on; 0: not said */
    av_slice session_token;  /* empty: there is none */
    av_slice region_set;     /* SigV4A: a comma list */
    av_slice content_sha256; /* x-amz-content-sha256, in the header or, presigned, in the query; empty: not said */
} av_aws4_credential;

/* The value of the request's header of that name, which must be in lower case. AV_TWICE where httpd keeps two. */
av_found av_aws4_header(const av_request *request, av_slice name, av_slice *value);

/* Reads the credential, wherever it is; exactly one place must have it. It is well-formed, its day is that of its time,
 * and region and service are ones that the settings name. Returns AV_ACCEPTED, AV_MALFORMED_CREDENTIAL,
 * AV_AMBIGUOUS_CREDENTIAL (two places, or twice), AV_WRONG_SCOPE.
 * Sources: AWS Signature Version 4 signing process, "Authentication methods" and "Create a signed request"; for SigV4A
 * the same pages on AWS4-ECDSA-P256-SHA256. */
av_reason av_aws4_credential_find(const av_request *request, const av_aws4_settings *settings,
                                  av_aws4_credential *credential, apr_pool_t *pool);

#endif
