/* A captured request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"
#include "../core/codec.h"

#include <apr_strings.h>
#include <apr_tables.h>

#define LONGEST_LENGTH 18 /* digits of a Content-Length */

/* The next line, without its end. */
static bool take_line(av_slice *text, av_slice *line)
{
    bool there = av_slice_split(text, '\n', line);
    if (there && line->len && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return there;
}

/* Without "." and "..", and with one slash for several, as httpd looks for the <Location> that a path is in. */
static av_slice without_dots(av_slice path, apr_pool_t *pool)
{
    char *made = apr_palloc(pool, path.len + 2), *end = made;
    av_slice segment, rest = path;
    while (av_slice_split(&rest, '/', &segment)) {
        bool is_last = !rest.at, is_dot = av_slice_equal(segment, AV_SLICE("."));
        if (av_slice_equal(segment, AV_SLICE(".."))) {
            while (end > made && *--end != '/') {
            }
            is_dot = true;
        } else if (segment.len && !is_dot) {
            *end++ = '/';
            memcpy(end, segment.at, segment.len);
            end += segment.len;
        }
        if (is_last && (is_dot || !segment.len)) {
            *end++ = '/';
        }
    }
    return (av_slice){ made, (apr_size_t)(end - made) };
}

/* "POST /path?query HTTP/1.1"; of an absolute URL the path counts (RFC 9112 section 3.2.2). */
static bool read_request_line(av_slice line, av_request *request, apr_pool_t *pool)
{
    if (!av_slice_split(&line, ' ', &request->method) || !request->method.len ||
        !av_slice_split(&line, ' ', &request->target) || !request->target.len ||
        !av_slice_starts_with(line, AV_SLICE("HTTP/"))) {
        return false;
    }
    const char *target = av_slice_string(request->target, pool), *authority = strstr(target, "://");
    const char *path = *target != '/' && authority ? strchr(authority + 3, '/') : NULL;
    request->target = av_slice_of(path ? path : target);
    request->query = request->target;
    av_slice_split(&request->query, '?', &request->path);
    request->query = request->query.at ? request->query : (av_slice){ "", 0 };
    bool is_decoded = av_percent_decode(request->path, false, &request->place, pool);
    request->place = is_decoded ? without_dots(request->place, pool) : (av_slice){ "", 0 };
    return true;
}

static av_header *find_header(apr_array_header_t *headers, av_slice name)
{
    for (int i = 0; i < headers->nelts; i++) {
        av_header *header = &APR_ARRAY_IDX(headers, i, av_header);
        if (av_slice_equal_nocase(header->name, name)) {
            return header;
        }
    }
    return NULL;
}

static bool add_header(apr_array_header_t *headers, av_slice line)
{
    av_slice value = line, name;
    av_slice_split(&value, ':', &name);
    if (!value.at || !av_slice_is_visible(name)) {
        return false;
    }
    value = av_slice_trim(value);
    av_header *there = find_header(headers, name);
    if (there) {
        there->value = av_slice_of(apr_pstrcat(headers->pool, av_slice_string(there->value, headers->pool), ", ",
                                               av_slice_string(value, headers->pool), NULL));
        return true;
    }
    *(av_header *)apr_array_push(headers) = (av_header){ name, value };
    return true;
}

static const char *read_headers(av_slice *text, apr_array_header_t *headers)
{
    av_slice line = { "", 0 };
    for (int number = 2; take_line(text, &line) && line.len; number++) {
        if (!add_header(headers, line)) {
            return apr_psprintf(headers->pool, "line %d is no header field such as \"Name: value\"", number);
        }
    }
    return line.len ? "the head does not end in an empty line" : NULL;
}

static bool read_length(av_slice text, apr_size_t *length)
{
    *length = 0;
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        *length = *length * 10 + (apr_size_t)(text.at[i] - '0');
    }
    return text.len > 0 && text.len <= LONGEST_LENGTH;
}

/* What an editor has added behind the body, or a capture cut off, must not look like a forgery. */
static const char *measure_body(avt_capture *capture, apr_array_header_t *headers)
{
    const av_header *length = find_header(headers, AV_SLICE("Content-Length"));
    apr_size_t announced = 0;
    if (find_header(headers, AV_SLICE("Transfer-Encoding"))) {
        return "the body was sent in chunks; save it as it is without them, and remove Transfer-Encoding";
    }
    if (!length) {
        return NULL;
    }
    if (!read_length(length->value, &announced)) {
        return "Content-Length is no number";
    }
    if (announced != capture->body.len) {
        capture->note = apr_psprintf(
            headers->pool, "the head announces a body of %" APR_SIZE_T_FMT " bytes, the file has %" APR_SIZE_T_FMT "%s",
            announced, capture->body.len, announced < capture->body.len ? "; the rest is left out" : ": it is cut off");
        capture->body.len = announced < capture->body.len ? announced : capture->body.len;
    }
    return NULL;
}

const char *avt_capture_read(av_slice text, avt_capture *capture, apr_pool_t *pool)
{
    av_slice line = { "", 0 };
    apr_array_header_t *headers = apr_array_make(pool, 32, sizeof(av_header));
    memset(capture, 0, sizeof(*capture));
    if (!take_line(&text, &line) || !read_request_line(line, &capture->request, pool)) {
        return "the first line is no request line such as \"POST /path HTTP/1.1\"";
    }
    const char *error = read_headers(&text, headers);
    capture->body = text.at ? text : (av_slice){ "", 0 };
    error = error ? error : measure_body(capture, headers);
    const av_header *host = find_header(headers, AV_SLICE("Host"));
    capture->request.origin =
        av_slice_of(apr_pstrcat(pool, "https://", host ? av_slice_string(host->value, pool) : "", NULL));
    capture->request.host_is_ours = true;
    capture->request.headers = (const av_header *)headers->elts;
    capture->request.header_count = (apr_size_t)headers->nelts;
    return error;
}
