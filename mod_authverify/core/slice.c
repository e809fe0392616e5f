/* Bytes that someone else owns: compare, search, trim, split.
 * SPDX-License-Identifier: Apache-2.0 */
#include "slice.h"

#include <apr_strings.h>

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool av_slice_equal(av_slice a, av_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool av_slice_equal_nocase(av_slice a, av_slice b)
{
    if (a.len != b.len || (a.len && lower(a.at[a.len - 1]) != lower(b.at[b.len - 1]))) {
        return false; /* names that begin alike often end otherwise */
    }
    if (av_slice_equal(a, b)) {
        return true;
    }
    for (apr_size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

int av_slice_compare(av_slice a, av_slice b)
{
    apr_size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool av_slice_starts_with(av_slice slice, av_slice prefix)
{
    return slice.len >= prefix.len && av_slice_equal((av_slice){ slice.at, prefix.len }, prefix);
}

bool av_slice_contains(av_slice slice, char byte)
{
    return slice.len > 0 && memchr(slice.at, byte, slice.len) != NULL;
}

av_slice av_slice_skip(av_slice slice, apr_size_t count)
{
    /* NULL + 0 is not arithmetic that C defines. */
    if (count == 0) {
        return slice;
    }
    return count < slice.len ? (av_slice){ slice.at + count, slice.len - count } : AV_SLICE("");
}

av_slice av_slice_trim(av_slice slice)
{
    while (slice.len > 0 && is_blank(slice.at[slice.len - 1])) {
        slice.len--;
    }
    while (slice.len > 0 && is_blank(slice.at[0])) {
        slice.at++;
        slice.len--;
    }
    return slice;
}

bool av_slice_split(av_slice *rest, char separator, av_slice *part)
{
    if (!rest->at) {
        return false;
    }
    const char *found = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    if (!found) {
        *part = *rest;
        *rest = (av_slice){ NULL, 0 };
        return true;
    }
    *part = (av_slice){ rest->at, (apr_size_t)(found - rest->at) };
    *rest = (av_slice){ found + 1, rest->len - part->len - 1 };
    return true;
}

bool av_slice_is_visible(av_slice slice)
{
    for (apr_size_t i = 0; i < slice.len; i++) {
        if (slice.at[i] < 0x21 || slice.at[i] > 0x7e) {
            return false;
        }
    }
    return slice.len > 0;
}

av_slice av_slice_join(av_slice a, av_slice b, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, a.len + b.len + 1);
    if (a.len > 0) {
        memcpy(text, a.at, a.len);
    }
    if (b.len > 0) {
        memcpy(text + a.len, b.at, b.len);
    }
    text[a.len + b.len] = '\0';
    return (av_slice){ text, a.len + b.len };
}

char *av_slice_string(av_slice slice, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, slice.len ? slice.at : "", slice.len);
}
