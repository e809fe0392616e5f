/* The headers that a signature covers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include <apr_lib.h>

#define MOST_HEADERS 512

/* A token of RFC 9110 section 5.6.2, in lower case; or the one pseudo-header that HTTP/2 clients sign. */
static bool is_name(av_slice name)
{
    if (av_slice_equal(name, AV_SLICE(":authority"))) {
        return true;
    }
    for (apr_size_t i = 0; i < name.len; i++) {
        char byte = name.at[i];
        bool is_alphanumeric = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_alphanumeric && !av_slice_contains(AV_SLICE("!#$%&'*+-.^_`|~"), byte)) {
            return false;
        }
    }
    return name.len > 0;
}

static bool is_host(av_slice name)
{
    return av_slice_equal(name, AV_SLICE("host")) || av_slice_equal(name, AV_SLICE(":authority"));
}

/* Nobody sends a list in these. */
static bool is_single(av_slice name)
{
    return is_host(name) || av_slice_equal(name, AV_SLICE("x-amz-date")) || av_slice_equal(name, AV_SLICE("date")) ||
           av_slice_equal(name, AV_SLICE("x-amz-content-sha256")) ||
           av_slice_equal(name, AV_SLICE("x-amz-security-token"));
}

static bool names(const av_aws4_headers *headers, av_slice name)
{
    for (apr_size_t i = 0; i < headers->count; i++) {
        if (av_slice_equal_nocase(headers->lines[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool add_line(const av_request *request, av_slice name, av_slice host, av_aws4_headers *headers)
{
    av_aws4_header_line *line = &headers->lines[headers->count++];
    *line = (av_aws4_header_line){ .name = name, .may_be_joined = !is_single(name) };
    if (is_host(name)) {
        line->value = host;
        return host.len > 0;
    }
    return av_aws4_header(request, name, &line->value) == AV_FOUND;
}

/* Sorted, each once, each there. */
static av_reason resolve(const av_request *request, av_slice list, av_slice host, av_aws4_headers *headers)
{
    av_slice name, before = { "", 0 };
    while (av_slice_split(&list, ';', &name)) {
        if (!is_name(name) || av_slice_compare(before, name) >= 0 || headers->count == MOST_HEADERS) {
            return AV_MALFORMED_CREDENTIAL;
        }
        if (!add_line(request, name, host, headers)) {
            return AV_HEADER_NOT_SIGNED;
        }
        before = name;
    }
    return AV_ACCEPTED;
}

/* "x-amz-" in front, in any case, with "_" for "-". */
static bool is_amz(av_slice name)
{
    av_slice prefix = AV_SLICE("x-amz-");
    for (apr_size_t i = 0; i < prefix.len; i++) {
        if (i >= name.len || apr_tolower(name.at[i] == '_' ? '-' : name.at[i]) != prefix.at[i]) {
            return false;
        }
    }
    return true;
}

static bool list_names(av_slice list, av_slice name)
{
    av_slice word;
    while (list.len && av_slice_split(&list, ',', &word)) {
        if (av_slice_equal_nocase(word, name)) {
            return true;
        }
    }
    return false;
}

/* x-amz-content-sha256 is bound as the payload line; others the rule exempts. */
static bool needs_no_signature(const av_aws4_settings *settings, av_slice name)
{
    return av_slice_equal_nocase(name, AV_SLICE("x-amz-content-sha256")) ||
           list_names(settings->unsigned_headers, name) ||
           (settings->allows_unsigned_token && av_slice_equal_nocase(name, AV_SLICE("x-amz-security-token")));
}

static bool covers(const av_request *request, const av_aws4_settings *settings, const av_aws4_credential *credential,
                   const av_aws4_headers *headers)
{
    for (apr_size_t i = 0; i < request->header_count; i++) {
        av_slice name = request->headers[i].name;
        if (is_amz(name) && !names(headers, name) && !needs_no_signature(settings, name)) {
            return false;
        }
    }
    return (names(headers, AV_SLICE("host")) || names(headers, AV_SLICE(":authority"))) &&
           (!credential->has_date_header || names(headers, AV_SLICE("date")));
}

/* RFC 9110 section 7.6.1: a proxy drops the headers that Connection names. */
static bool connection_drops(const av_request *request, const av_aws4_headers *headers)
{
    av_slice value = { NULL, 0 }, word;
    if (av_aws4_header(request, AV_SLICE("connection"), &value) == AV_TWICE) {
        return true;
    }
    while (value.at && av_slice_split(&value, ',', &word)) {
        word = av_slice_trim(word);
        if (is_amz(word) || names(headers, word) || av_slice_equal_nocase(word, AV_SLICE("authorization"))) {
            return true;
        }
    }
    return false;
}

static apr_size_t count_names(av_slice list)
{
    apr_size_t count = 1;
    for (apr_size_t i = 0; i < list.len; i++) {
        count += list.at[i] == ';';
    }
    return count;
}

av_reason av_aws4_headers_find(const av_request *request, const av_aws4_settings *settings,
                               const av_aws4_credential *credential, av_slice host, av_aws4_headers *headers,
                               apr_pool_t *pool)
{
    headers->lines = apr_palloc(pool, count_names(credential->signed_headers) * sizeof(*headers->lines));
    headers->count = 0;
    av_reason reason = resolve(request, credential->signed_headers, host, headers);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (!covers(request, settings, credential, headers)) {
        return AV_HEADER_NOT_SIGNED;
    }
    return connection_drops(request, headers) ? AV_MALFORMED_CREDENTIAL : AV_ACCEPTED;
}
