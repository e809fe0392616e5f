/* How AWS itself would say a refusal, so that its SDKs show their users the exception they know.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_AWS_ERROR_H
#define AVH_AWS_ERROR_H

#include "config.h"

typedef struct avh_aws_error {
    int status;
    const char *code, *message;
} avh_aws_error;

/* The section speaks so (AuthVerifyErrorBody aws), and the refusal is one of an aws4 rule, or the section's first rule is
 * one and no rule saw its credential. An unknown key and a wrong signature are one error. Static; NULL otherwise.
 * Source: Amazon S3 API Reference, "Error responses"; AWS General Reference, "Common error types". */
const avh_aws_error *avh_aws_error_of(const avh_section *section, const av_verdict *verdict);

/* The body, in `pool`. */
const char *avh_aws_error_body(const char *code, const char *message, apr_pool_t *pool);

#endif
