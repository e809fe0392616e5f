/* How AWS itself would say a refusal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "aws_error.h"

#define WRONG_SIGNATURE                                                                              \
    {                                                                                                \
        403, "SignatureDoesNotMatch", "The signature is not that of this request under a known key." \
    }
#define DENIED                                                   \
    {                                                            \
        403, "AccessDenied", "This request is not allowed here." \
    }
#define BUSY                                                                      \
    {                                                                             \
        503, "ServiceUnavailable", "The request cannot be checked at the moment." \
    }
#define OURS                                                            \
    {                                                                   \
        500, "InternalError", "The server could not check the request." \
    }

static const avh_aws_error errors[AV_REASON_COUNT] = {
    [AV_NOT_PRESENTED] = DENIED,
    [AV_MALFORMED_CREDENTIAL] = { 400, "AuthorizationHeaderMalformed",
                                  "The Authorization header is not written as it must be." },
    [AV_AMBIGUOUS_CREDENTIAL] = { 400, "InvalidArgument", "A credential was sent twice, or in two places." },
    [AV_HEADER_NOT_SIGNED] = { 403, "AccessDenied",
                               "A header of the request is not signed, or a signed one is missing." },
    [AV_PAYLOAD_NOT_SIGNED] = { 400, "InvalidRequest",
                                "The body must be signed: x-amz-content-sha256 does not say its "
                                "hash." },
    [AV_MALFORMED_CHUNKS] = { 400, "IncompleteBody", "The chunks of the body are incomplete or malformed." },
    [AV_UNKNOWN_CLIENT] = WRONG_SIGNATURE,
    [AV_WRONG_SIGNATURE] = WRONG_SIGNATURE,
    [AV_WRONG_SCOPE] = { 400, "AuthorizationHeaderMalformed", "The credential is for another region, service or day." },
    [AV_WRONG_SESSION_TOKEN] = { 400, "InvalidToken", "The session token is missing, not expected, or another." },
    [AV_PAYLOAD_MISMATCH] = { 400, "XAmzContentSHA256Mismatch", "The body does not have the hash that was signed." },
    [AV_CHECKSUM_MISMATCH] = { 400, "BadDigest", "The body does not have the checksum that was sent." },
    [AV_WRONG_HOST] = DENIED,
    [AV_TOO_EARLY] = { 403, "RequestTimeTooSkewed", "The time of the request and that of the server differ too much." },
    [AV_TOO_LATE] = { 403, "RequestTimeTooSkewed", "The time of the request and that of the server differ too much." },
    [AV_NETWORK_REFUSED] = DENIED,
    [AV_METHOD_NOT_ALLOWED] = DENIED,
    [AV_PATH_NOT_ALLOWED] = DENIED,
    [AV_CLIENT_EXPIRED] = DENIED,
    [AV_SCHEME_NOT_ALLOWED] = DENIED,
    [AV_CLIENT_NOT_ALLOWED] = DENIED,
    [AV_NO_USER] = DENIED,
    [AV_THROTTLED] = { 503, "SlowDown", "There were too many attempts. Come back later." },
    [AV_METHOD_REFUSED] = { 405, "MethodNotAllowed", "This method is not available here." },
    [AV_MALFORMED_REQUEST] = { 400, "InvalidRequest", "The request is malformed." },
    [AV_LENGTH_REQUIRED] = { 411, "MissingContentLength", "x-amz-decoded-content-length is missing." },
    [AV_BODY_INCOMPLETE] = { 400, "IncompleteBody", "The body ended before its announced end." },
    [AV_BODY_TOO_LARGE] = { 400, "EntityTooLarge", "The body is larger than what is allowed." },
    [AV_BODY_TOO_SLOW] = { 400, "RequestTimeout", "The body was not sent in time." },
    [AV_STORE_UNAVAILABLE] = BUSY,
    [AV_NO_ROOM] = BUSY,
    [AV_CLIENT_MISMATCH] = DENIED,
};

/* What is said otherwise where the credential came in a URL. */
static const avh_aws_error malformed_query = { 400, "AuthorizationQueryParametersError",
                                               "The parameters of the signature are not written as they must be." };
static const avh_aws_error expired = { 403, "AccessDenied", "The URL has expired." };
static const avh_aws_error not_yet = { 403, "AccessDenied", "The URL is not valid yet." };
static const avh_aws_error ours = OURS;

static const avh_aws_error *in_query(av_reason reason)
{
    switch (reason) {
    case AV_MALFORMED_CREDENTIAL:
    case AV_AMBIGUOUS_CREDENTIAL:
    case AV_WRONG_SCOPE:
        return &malformed_query;
    case AV_TOO_LATE:
        return &expired;
    case AV_TOO_EARLY:
        return &not_yet;
    default:
        return NULL;
    }
}

static bool is_aws(const av_rule *rule)
{
    return strcmp(rule->scheme->name, "aws4") == 0;
}

const avh_aws_error *avh_aws_error_of(const avh_section *section, const av_verdict *verdict)
{
    const av_rule *rule = verdict->rule;
    if (!rule && section->policy && section->policy->rules->nelts) {
        rule = APR_ARRAY_IDX(section->policy->rules, 0, const av_rule *);
    }
    if (section->error_body != AVH_AWS || !rule || !is_aws(rule)) {
        return NULL;
    }
    const avh_aws_error *error = verdict->in_query ? in_query(verdict->reason) : NULL;
    error = error ? error : &errors[verdict->reason];
    return error->code ? error : &ours;
}

const char *avh_aws_error_body(const char *code, const char *message, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>", code, "</Code><Message>",
                       message, "</Message></Error>\n", NULL);
}
