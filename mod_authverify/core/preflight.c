/* What a CORS preflight looks like.
 * SPDX-License-Identifier: Apache-2.0 */
#include "preflight.h"
#include "selector.h"

static av_found read_header(const av_request *request, av_slice name, av_slice *value, apr_pool_t *pool)
{
    av_selector selector = { AV_SELECT_HEADER, name };
    av_view view = { .request = request };
    return av_selector_read(&selector, &view, value, pool);
}

static bool has_header(const av_request *request, av_slice name, apr_pool_t *pool)
{
    av_slice value;
    return read_header(request, name, &value, pool) != AV_ABSENT;
}

static bool holds_none_of(av_slice value, av_slice bytes)
{
    for (apr_size_t i = 0; i < value.len; i++) {
        if (av_slice_contains(bytes, value.at[i])) {
            return false;
        }
    }
    return true;
}

/* "https://example.org:8443", or "null" from a page whose origin is not told (RFC 6454 section 6.2). Two that were
 * merged hold a comma. */
static bool is_origin(av_slice value)
{
    av_slice host = value, scheme;
    av_slice_split(&host, ':', &scheme);
    bool has_host = scheme.len && host.len > 2 && av_slice_starts_with(host, AV_SLICE("//")) &&
                    holds_none_of(av_slice_skip(host, 2), AV_SLICE("/\\?#@,"));
    return av_slice_is_visible(value) && (has_host || av_slice_equal(value, AV_SLICE("null")));
}

/* A token (RFC 9110 sections 5.6.2 and 9.1). Two that were merged hold a comma. */
static bool is_method(av_slice value)
{
    return av_slice_is_visible(value) && holds_none_of(value, AV_SLICE("\"(),/:;<=>?@[\\]{}"));
}

/* HTTP/2 need not announce a body, but httpd says of one that may come that it is chunked. */
static bool has_body(const av_request *request, apr_pool_t *pool)
{
    av_slice length;
    av_found found = read_header(request, AV_SLICE("Content-Length"), &length, pool);
    bool is_nothing = found == AV_ABSENT || (found == AV_FOUND && av_slice_equal(length, AV_SLICE("0")));
    return !is_nothing || has_header(request, AV_SLICE("Transfer-Encoding"), pool);
}

bool av_preflight_read(const av_request *request, av_slice *method, apr_pool_t *pool)
{
    av_slice origin;
    return av_slice_equal(request->method, AV_SLICE("OPTIONS")) &&
           read_header(request, AV_SLICE("Origin"), &origin, pool) == AV_FOUND && is_origin(origin) &&
           read_header(request, AV_SLICE("Access-Control-Request-Method"), method, pool) == AV_FOUND &&
           is_method(*method) && !has_body(request, pool) && !has_header(request, AV_SLICE("Authorization"), pool) &&
           !has_header(request, AV_SLICE("Cookie"), pool);
}
