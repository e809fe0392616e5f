/* The credential of a request, in its Authorization header or its query.
 * SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#define SIGNATURE_HMAC 64
#define LONGEST_EXPIRES 604800 /* a week */

av_found av_aws4_header(const av_request *request, av_slice name, av_slice *value)
{
    av_found found = AV_ABSENT;
    for (apr_size_t i = 0; i < request->header_count; i++) {
        if (av_slice_equal_nocase(request->headers[i].name, name)) {
            *value = av_slice_trim(request->headers[i].value);
            found = found == AV_ABSENT ? AV_FOUND : AV_TWICE;
        }
    }
    return found;
}

/* A value that may be missing, and must not be there twice. */
static av_reason optional_header(const av_request *request, av_slice name, av_slice *value)
{
    *value = (av_slice){ NULL, 0 };
    av_found found = av_aws4_header(request, name, value);
    if (found == AV_FOUND && !value->len) {
        return AV_MALFORMED_CREDENTIAL;
    }
    return found == AV_TWICE ? AV_AMBIGUOUS_CREDENTIAL : AV_ACCEPTED;
}

/* The same for a value that is never a list: httpd has joined two. */
static av_reason single_header(const av_request *request, av_slice name, av_slice *value)
{
    av_reason reason = optional_header(request, name, value);
    return reason == AV_ACCEPTED && av_value_is_merged(*value) ? AV_AMBIGUOUS_CREDENTIAL : reason;
}

/* It begins with one of the two words, in any case. */
static bool is_ours(av_slice value)
{
    av_slice word;
    av_slice_split(&value, ' ', &word);
    return av_slice_equal_nocase(word, AV_SLICE(AV_AWS4_HMAC)) || av_slice_equal_nocase(word, AV_SLICE(AV_AWS4_ECDSA));
}

/* Sets a field that must not be set yet. */
static av_reason set_once(av_slice *field, av_slice value)
{
    if (field->at) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    *field = value;
    return value.len ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

static av_slice *header_field(av_aws4_credential *credential, av_slice name)
{
    return av_slice_equal(name, AV_SLICE("Credential"))      ? &credential->text
           : av_slice_equal(name, AV_SLICE("SignedHeaders")) ? &credential->signed_headers
           : av_slice_equal(name, AV_SLICE("Signature"))     ? &credential->signature
                                                             : NULL;
}

/* "Credential=…, SignedHeaders=…, Signature=…" in any order, each once and nothing else. */
static av_reason read_fields(av_slice rest, av_aws4_credential *credential)
{
    av_slice part;
    while (av_slice_split(&rest, ',', &part)) {
        av_slice value = av_slice_trim(part), name;
        if (is_ours(value)) {
            return AV_AMBIGUOUS_CREDENTIAL; /* a second header, joined to the first */
        }
        av_slice_split(&value, '=', &name);
        av_slice *field = header_field(credential, name);
        if (!field || !value.at || set_once(field, value) != AV_ACCEPTED) {
            return AV_MALFORMED_CREDENTIAL;
        }
    }
    bool is_whole = credential->text.at && credential->signed_headers.at && credential->signature.at;
    return is_whole ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

static bool read_algorithm(av_slice name, av_aws4_credential *credential)
{
    credential->is_ecdsa = av_slice_equal(name, AV_SLICE(AV_AWS4_ECDSA));
    return credential->is_ecdsa || av_slice_equal(name, AV_SLICE(AV_AWS4_HMAC));
}

static av_reason read_header(const av_request *request, av_slice value, av_aws4_credential *credential)
{
    av_slice rest = value, algorithm, date;
    av_slice_split(&rest, ' ', &algorithm);
    if (!rest.at || !read_algorithm(algorithm, credential)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    av_reason reason = read_fields(rest, credential);
    reason = reason == AV_ACCEPTED ? single_header(request, AV_SLICE("x-amz-date"), &date) : reason;
    if (reason == AV_ACCEPTED && !date.at) {
        reason = optional_header(request, AV_SLICE("date"), &date);
        credential->has_date_header = true;
    }
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    av_time_format format = credential->has_date_header ? AV_TIME_HTTP : AV_TIME_BASIC;
    bool is_time = av_timestamp_parse(date, format, &credential->signed_at) &&
                   av_timestamp_basic(credential->signed_at, credential->timestamp);
    return is_time ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

/* Where a parameter's value goes; NULL for one that is none of ours. Names are compared as S3 does: to the letter. */
typedef struct parameters {
    av_slice algorithm, date;
    av_aws4_credential *credential;
} parameters;

static av_slice *parameter_field(parameters *found, av_slice name)
{
    av_aws4_credential *credential = found->credential;
    const struct {
        av_slice name;
        av_slice *field;
    } fields[] = {
        { AV_SLICE("X-Amz-Algorithm"), &found->algorithm },
        { AV_SLICE("X-Amz-Credential"), &credential->text },
        { AV_SLICE("X-Amz-Date"), &found->date },
        { AV_SLICE("X-Amz-Expires"), &credential->expires },
        { AV_SLICE("X-Amz-SignedHeaders"), &credential->signed_headers },
        { AV_SLICE("X-Amz-Signature"), &credential->signature },
        { AV_SLICE("X-Amz-Security-Token"), &credential->session_token },
        { AV_SLICE("X-Amz-Region-Set"), &credential->region_set },
        { AV_SLICE("X-Amz-Content-Sha256"), &credential->content_sha256 },
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (av_slice_equal(name, fields[i].name)) {
            return fields[i].field;
        }
    }
    return NULL;
}

/* Every parameter of ours, decoded, each once and with a value. */
static av_reason read_parameters(av_slice query, parameters *found, apr_pool_t *pool)
{
    av_slice part;
    av_reason reason = AV_ACCEPTED;
    while (reason == AV_ACCEPTED && av_slice_split(&query, '&', &part)) {
        av_slice value = part, name;
        av_slice_split(&value, '=', &name);
        if (!av_percent_decode(name, true, &name, pool)) {
            return AV_MALFORMED_CREDENTIAL;
        }
        av_slice *field = av_slice_starts_with(name, AV_SLICE("X-Amz-")) ? parameter_field(found, name) : NULL;
        if (field) {
            reason = av_percent_decode(value, true, &value, pool) ? set_once(field, value) : AV_MALFORMED_CREDENTIAL;
        }
    }
    return reason;
}

/* ^[0-9]+$ and 1 to 604800. */
static bool read_expires(av_slice text, apr_int64_t *lifetime)
{
    apr_int64_t seconds = 0;
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || seconds > LONGEST_EXPIRES) {
            return false;
        }
        seconds = seconds * 10 + (text.at[i] - '0');
    }
    *lifetime = seconds;
    return !text.at || (seconds >= 1 && seconds <= LONGEST_EXPIRES);
}

static av_reason read_query(const av_request *request, av_aws4_credential *credential, apr_pool_t *pool)
{
    parameters found = { .credential = credential };
    credential->in_query = true;
    av_reason reason = read_parameters(request->query, &found, pool);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    bool is_whole = read_algorithm(found.algorithm, credential) && credential->text.at &&
                    credential->signed_headers.at && credential->signature.at &&
                    read_expires(credential->expires, &credential->lifetime) &&
                    av_timestamp_parse(found.date, AV_TIME_BASIC, &credential->signed_at) &&
                    av_timestamp_basic(credential->signed_at, credential->timestamp);
    return is_whole ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

/* Cuts what follows the last slash off. */
static bool split_last(av_slice *rest, av_slice *part)
{
    for (apr_size_t i = rest->len; i > 0; i--) {
        if (rest->at[i - 1] == '/') {
            *part = av_slice_skip(*rest, i);
            rest->len = i - 1;
            return true;
        }
    }
    return false;
}

/* From the right: an access key may hold slashes. */
static bool read_scope(av_aws4_credential *credential)
{
    av_slice rest = credential->text, last;
    if (!split_last(&rest, &last) || !av_slice_equal(last, AV_SLICE("aws4_request")) ||
        !split_last(&rest, &credential->service) ||
        (!credential->is_ecdsa && !split_last(&rest, &credential->region)) || !split_last(&rest, &credential->date)) {
        return false;
    }
    credential->access_key = rest;
    credential->scope = av_slice_skip(credential->text, rest.len + 1);
    return rest.len <= AV_AWS4_LONGEST_ACCESS_KEY && av_slice_is_visible(rest);
}

/* "us-*" takes "us-east-1"; a star stands for any number of letters. When a letter differs, the last star takes one
 * more: no earlier one needs to. */
static bool region_matches(av_slice pattern, av_slice region)
{
    apr_size_t at = 0, after_star = 0, taken = 0;
    bool has_star = false;
    for (apr_size_t i = 0; i < region.len;) {
        if (at < pattern.len && pattern.at[at] == '*') {
            has_star = true;
            after_star = ++at;
            taken = i;
        } else if (at < pattern.len && pattern.at[at] == region.at[i]) {
            at++;
            i++;
        } else if (has_star) {
            at = after_star;
            i = ++taken;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.at[at] == '*') {
        at++;
    }
    return at == pattern.len;
}

static bool takes_region(av_slice regions, av_slice pattern)
{
    av_slice region;
    while (av_slice_split(&regions, ',', &region)) {
        if (region_matches(pattern, region)) {
            return true;
        }
    }
    return false;
}

/* One of the regions that the request is good for is one of the rule's. */
static bool takes_region_set(av_slice regions, av_slice set)
{
    av_slice pattern;
    bool takes = false;
    while (set.at && av_slice_split(&set, ',', &pattern)) {
        pattern = av_slice_trim(pattern);
        if (!pattern.len || pattern.len > 64) {
            return false;
        }
        takes |= av_slice_equal(regions, AV_SLICE("*")) || takes_region(regions, pattern);
    }
    return takes;
}

static av_reason check_scope(const av_aws4_credential *credential, const av_aws4_settings *settings)
{
    bool is_day = av_slice_equal(credential->date, (av_slice){ credential->timestamp, 8 });
    bool is_region = credential->is_ecdsa
                         ? takes_region_set(settings->regions, credential->region_set)
                         : credential->region.len && (av_slice_equal(settings->regions, AV_SLICE("*")) ||
                                                      av_list_has(settings->regions, credential->region));
    bool is_service = credential->service.len && av_list_has(settings->services, credential->service);
    return is_day && is_region && is_service ? AV_ACCEPTED : AV_WRONG_SCOPE;
}

/* HMAC: 32 bytes in lower case. ECDSA: DER of at most 72 bytes. */
static bool is_signature(const av_aws4_credential *credential)
{
    unsigned char bytes[AV_AWS4_LARGEST_SIGNATURE];
    apr_size_t len = 0;
    av_slice text = credential->signature;
    return (credential->is_ecdsa || text.len == SIGNATURE_HMAC) &&
           av_decode(AV_HEX, text, bytes, sizeof(bytes), &len) && len > 0;
}

/* In a header these are said there; in a query some are said there, and then not in a header as well. */
static av_reason read_companions(const av_request *request, av_aws4_credential *credential)
{
    av_slice token, region_set, content_sha256;
    av_reason reason = single_header(request, AV_SLICE("x-amz-security-token"), &token);
    reason = reason == AV_ACCEPTED ? optional_header(request, AV_SLICE("x-amz-region-set"), &region_set) : reason;
    reason = reason == AV_ACCEPTED ? single_header(request, AV_SLICE("x-amz-content-sha256"), &content_sha256) : reason;
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if ((token.at && credential->session_token.at) || (region_set.at && credential->region_set.at) ||
        (content_sha256.at && credential->content_sha256.at &&
         !av_slice_equal(content_sha256, credential->content_sha256))) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    credential->session_token = token.at ? token : credential->session_token;
    credential->region_set = region_set.at ? region_set : credential->region_set;
    credential->content_sha256 = content_sha256.at ? content_sha256 : credential->content_sha256;
    return AV_ACCEPTED;
}

/* One of the parameters by which a presigned URL is seen. */
static bool is_presigned(av_slice query, apr_pool_t *pool)
{
    av_slice part;
    while (av_slice_split(&query, '&', &part)) {
        av_slice name;
        av_slice_split(&part, '=', &name);
        if (av_percent_decode(name, true, &name, pool) &&
            (av_slice_equal(name, AV_SLICE("X-Amz-Algorithm")) || av_slice_equal(name, AV_SLICE("X-Amz-Credential")) ||
             av_slice_equal(name, AV_SLICE("X-Amz-Signature")))) {
            return true;
        }
    }
    return false;
}

av_reason av_aws4_credential_find(const av_request *request, const av_aws4_settings *settings,
                                  av_aws4_credential *credential, apr_pool_t *pool)
{
    av_slice authorization = { NULL, 0 };
    av_found found = av_aws4_header(request, AV_SLICE("authorization"), &authorization);
    bool presigned = is_presigned(request->query, pool);
    memset(credential, 0, sizeof(*credential));
    credential->in_query = presigned && found == AV_ABSENT;
    if (found == AV_TWICE || (found == AV_FOUND && presigned)) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    if (!presigned && !is_ours(authorization)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    av_reason reason =
        presigned ? read_query(request, credential, pool) : read_header(request, authorization, credential);
    reason = reason == AV_ACCEPTED ? read_companions(request, credential) : reason;
    if (reason == AV_ACCEPTED && (!read_scope(credential) || !is_signature(credential))) {
        reason = AV_MALFORMED_CREDENTIAL;
    }
    return reason == AV_ACCEPTED ? check_scope(credential, settings) : reason;
}
