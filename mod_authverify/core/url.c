/* Normalises URLs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <apr_lib.h>
#include <apr_strings.h>

static const struct {
    av_slice name, port;
} schemes[] = {
    { { "https://", 8 }, { "443", 3 } },
    { { "http://", 7 }, { "80", 2 } },
};

#define SCHEME_COUNT (sizeof(schemes) / sizeof(schemes[0]))

/* RFC 3986 section 2.3. */
static bool is_unreserved(char byte)
{
    return apr_isascii(byte) && (apr_isalnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~');
}

static int hex_value(char byte)
{
    const char *digits = "0123456789ABCDEF", *found = memchr(digits, apr_toupper(byte), 16);
    return found ? (int)(found - digits) : -1;
}

/* Appends one byte of the path, or one %XX, and sets *taken to how much of `rest` that was. NULL: it is broken. */
static char *put_byte(char *end, av_slice rest, apr_size_t *taken)
{
    int high = rest.len > 2 ? hex_value(rest.at[1]) : -1, low = rest.len > 2 ? hex_value(rest.at[2]) : -1;
    *taken = 1;
    if (*rest.at != '%') {
        *end++ = *rest.at;
        return end;
    }
    if (high < 0 || low < 0) {
        return NULL;
    }
    *taken = 3;
    if (is_unreserved((char)(high * 16 + low))) {
        *end++ = (char)(high * 16 + low);
        return end;
    }
    *end++ = '%';
    *end++ = (char)apr_toupper(rest.at[1]);
    *end++ = (char)apr_toupper(rest.at[2]);
    return end;
}

/* Section 6.2.2.2. NULL: it is broken. */
static char *put_path(char *end, av_slice path)
{
    apr_size_t taken = 0;
    for (; end && path.len; path = av_slice_skip(path, taken)) {
        end = put_byte(end, path, &taken);
    }
    return end;
}

/* Section 5.2.4, in place: "/a/./b/../c" becomes "/a/c". `path` begins with a slash. Returns its new end. */
static char *remove_dot_segments(char *path, const char *end)
{
    char *out = path;
    for (const char *at = path; at < end;) {
        const char *next = memchr(at + 1, '/', (size_t)(end - at - 1));
        const char *stop = next ? next : end;
        av_slice segment = { at + 1, (apr_size_t)(stop - at - 1) };
        bool is_up = av_slice_equal(segment, AV_SLICE("..")), is_dot = is_up || av_slice_equal(segment, AV_SLICE("."));
        while (is_up && out > path && *--out != '/') {
        }
        if (!is_dot || stop == end) {
            apr_size_t len = is_dot ? 1 : segment.len + 1;
            memmove(out, at, len);
            out += len;
        }
        at = stop;
    }
    return out;
}

/* "Example.com:443" becomes "example.com". NULL: there is a user, no host, or no port behind the colon. */
static char *put_authority(char *end, av_slice authority, av_slice default_port)
{
    av_slice port = { NULL, 0 };
    for (apr_size_t i = authority.len; i > 0 && authority.at[i - 1] != ']'; i--) {
        if (authority.at[i - 1] == ':') {
            port = av_slice_skip(authority, i);
            authority.len = i - 1;
            break;
        }
    }
    for (apr_size_t i = 0; i < port.len; i++) {
        if (!apr_isdigit(port.at[i])) {
            return NULL;
        }
    }
    if (!authority.len || av_slice_contains(authority, '@') || av_slice_contains(authority, '%')) {
        return NULL;
    }
    for (apr_size_t i = 0; i < authority.len; i++) {
        *end++ = (char)apr_tolower(authority.at[i]);
    }
    if (port.len && !av_slice_equal(port, default_port)) {
        *end++ = ':';
        memcpy(end, port.at, port.len);
        end += port.len;
    }
    return end;
}

static bool find_scheme(av_slice text, size_t *index)
{
    for (*index = 0; *index < SCHEME_COUNT; ++*index) {
        av_slice name = schemes[*index].name, start = { text.at, name.len };
        if (text.len > name.len && av_slice_equal_nocase(start, name)) {
            return true;
        }
    }
    return false;
}

bool av_url_normalise(av_slice text, av_slice *url, apr_pool_t *pool)
{
    size_t scheme;
    char *made = apr_palloc(pool, text.len + 2), *end = made;
    if (!av_slice_is_visible(text) || av_slice_contains(text, '?') || av_slice_contains(text, '#') ||
        !find_scheme(text, &scheme)) {
        return false;
    }
    av_slice name = schemes[scheme].name, authority = av_slice_skip(text, name.len);
    const char *slash = memchr(authority.at, '/', authority.len);
    av_slice path = slash ? av_slice_skip(authority, (apr_size_t)(slash - authority.at)) : AV_SLICE("/");
    authority.len = slash ? (apr_size_t)(slash - authority.at) : authority.len;
    memcpy(end, name.at, name.len);
    char *path_start = put_authority(end + name.len, authority, schemes[scheme].port);
    end = path_start ? put_path(path_start, path) : NULL;
    if (!end) {
        return false;
    }
    end = remove_dot_segments(path_start, end);
    *end = '\0';
    *url = (av_slice){ made, (apr_size_t)(end - made) };
    return true;
}
