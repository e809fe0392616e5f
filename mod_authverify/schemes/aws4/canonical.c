/* The canonical request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "canonical.h"

#include <stdlib.h>

static char *put(char *to, av_slice text)
{
    if (text.len) {
        memcpy(to, text.at, text.len);
    }
    return to + text.len;
}

/* RFC 3986 section 2.3 */
static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static char *put_encoded(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    if (is_unreserved(byte)) {
        *to++ = (char)byte;
        return to;
    }
    *to++ = '%';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

static int digit_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

/* The byte that begins at text->at, decoded; -1 where a % is not followed by two digits. Cuts it off. */
static int take_byte(av_slice *text, bool plus_is_space)
{
    unsigned char byte = (unsigned char)text->at[0];
    apr_size_t used = 1;
    if (byte == '%') {
        int high = text->len < 3 ? -1 : digit_value(text->at[1]), low = text->len < 3 ? -1 : digit_value(text->at[2]);
        if (high < 0 || low < 0) {
            return -1;
        }
        byte = (unsigned char)(high << 4 | low);
        used = 3;
    } else if (byte == '+' && plus_is_space) {
        byte = ' ';
    }
    *text = av_slice_skip(*text, used);
    return byte;
}

/* Which slashes stay as they are: none, those that were not encoded, all. */
typedef enum slashes { SLASHES_NONE, SLASHES_BARE, SLASHES_ALL } slashes;

/* Decoded and encoded again. NULL where it cannot be decoded. */
static char *put_again(char *to, av_slice text, bool plus_is_space, slashes kept)
{
    while (text.len) {
        bool is_bare = text.at[0] == '/';
        int byte = take_byte(&text, plus_is_space);
        if (byte < 0) {
            return NULL;
        }
        if (byte == '/' && (kept == SLASHES_ALL || (kept == SLASHES_BARE && is_bare))) {
            *to++ = '/';
        } else {
            to = put_encoded(to, (unsigned char)byte);
        }
    }
    return to;
}

/* Encoded once more, slashes (and for a raw path what is encoded already) as they are. */
static char *put_once_more(char *to, av_slice text, bool keeps_percent)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '/' || (keeps_percent && text.at[i] == '%')) {
            *to++ = text.at[i];
        } else {
            to = put_encoded(to, (unsigned char)text.at[i]);
        }
    }
    return to;
}

/* Without empty and dot segments (RFC 3986 section 5.2.4); as it stands, not decoded. */
static av_slice normalize(av_slice path, apr_pool_t *pool)
{
    char *start = apr_palloc(pool, path.len + 2), *to = start;
    av_slice rest = path, segment = { "", 0 };
    while (av_slice_split(&rest, '/', &segment)) {
        if (av_slice_equal(segment, AV_SLICE(".."))) {
            while (to > start && *--to != '/') {
            }
        } else if (segment.len && !av_slice_equal(segment, AV_SLICE("."))) {
            *to++ = '/';
            to = put(to, segment);
        }
    }
    bool ends_with_slash =
        !segment.len || av_slice_equal(segment, AV_SLICE(".")) || av_slice_equal(segment, AV_SLICE(".."));
    if (ends_with_slash) {
        *to++ = '/';
    }
    return (av_slice){ start, (apr_size_t)(to - start) };
}

av_slice av_aws4_canonical_path(av_slice path, av_aws4_path form, bool plus_is_space, apr_pool_t *pool)
{
    path = path.len ? path : AV_SLICE("/");
    path = form == AV_AWS4_PATH_NORMALIZE ? normalize(path, pool) : path;
    char *start = apr_palloc(pool, 3 * path.len + 1), *end;
    if (form == AV_AWS4_PATH_NORMALIZE || form == AV_AWS4_PATH_RAW) {
        end = put_once_more(start, path, form == AV_AWS4_PATH_RAW);
    } else {
        end = put_again(start, path, plus_is_space, form == AV_AWS4_PATH_S3_MERGE ? SLASHES_ALL : SLASHES_BARE);
    }
    return end ? (av_slice){ start, (apr_size_t)(end - start) } : (av_slice){ NULL, 0 };
}

/* A parameter of the query, both sides encoded. */
typedef struct parameter {
    av_slice name, value;
} parameter;

static int by_name_and_value(const void *left, const void *right)
{
    const parameter *a = left, *b = right;
    int order = av_slice_compare(a->name, b->name);
    return order ? order : av_slice_compare(a->value, b->value);
}

/* Encodes a part into *room, which moves on. */
static bool encode_part(av_slice *part, char **room)
{
    char *end = put_again(*room, *part, true, SLASHES_NONE);
    *part = (av_slice){ *room, end ? (apr_size_t)(end - *room) : 0 };
    *room = end;
    return end != NULL;
}

static apr_size_t count_parts(av_slice query)
{
    apr_size_t count = 1;
    for (apr_size_t i = 0; i < query.len; i++) {
        count += query.at[i] == '&';
    }
    return count;
}

/* Splits the query into its parameters, encoded, without those that are left out. False: it cannot be decoded. */
static bool split_query(av_slice query, av_slice without, av_slice besides, parameter *all, apr_size_t *count,
                        char *room)
{
    av_slice part;
    *count = 0;
    while (av_slice_split(&query, '&', &part)) {
        parameter *each = &all[*count];
        each->value = part;
        av_slice_split(&each->value, '=', &each->name);
        if (!encode_part(&each->name, &room) || !encode_part(&each->value, &room)) {
            return false;
        }
        bool is_left_out = (without.len && av_slice_equal(each->name, without)) ||
                           (besides.len && av_slice_equal(each->name, besides));
        *count += part.len && !is_left_out;
    }
    return true;
}

av_slice av_aws4_canonical_query(av_slice query, av_slice without, av_slice besides, apr_pool_t *pool)
{
    apr_size_t most = count_parts(query), count;
    parameter *all = apr_palloc(pool, most * sizeof(*all));
    char *room = apr_palloc(pool, 3 * query.len + 1), *start = apr_palloc(pool, 3 * query.len + 2 * most + 1);
    if (!query.len) {
        return AV_SLICE("");
    }
    if (!split_query(query, without, besides, all, &count, room)) {
        return (av_slice){ NULL, 0 };
    }
    qsort(all, count, sizeof(*all), by_name_and_value);
    char *to = start;
    for (apr_size_t i = 0; i < count; i++) {
        to = put(to, i ? AV_SLICE("&") : AV_SLICE(""));
        to = put(to, all[i].name);
        to = put(to, AV_SLICE("="));
        to = put(to, all[i].value);
    }
    return (av_slice){ start, (apr_size_t)(to - start) };
}

/* ", " at this place of the value. */
static bool is_joint(av_slice value, apr_size_t at)
{
    return value.at[at] == ',' && at + 1 < value.len && value.at[at + 1] == ' ';
}

static apr_size_t count_joints(const av_aws4_header_line *line)
{
    apr_size_t count = 0;
    for (apr_size_t i = 0; line->may_be_joined && i < line->value.len; i++) {
        count += is_joint(line->value, i);
    }
    return count;
}

void av_aws4_canonical_begin(av_aws4_canonical *canonical, apr_pool_t *pool)
{
    apr_size_t room = canonical->method.len + canonical->path.len + canonical->query.len +
                      canonical->signed_headers.len + sizeof("\n\n\n\n\n");
    canonical->joints = 0;
    for (apr_size_t i = 0; i < canonical->headers->count; i++) {
        const av_aws4_header_line *line = &canonical->headers->lines[i];
        room += line->name.len + line->value.len + 2;
        canonical->joints += count_joints(line);
    }
    canonical->room = room;
    canonical->text = apr_palloc(pool, room);
}

static bool is_joined(unsigned joined, apr_size_t joint)
{
    return joined == AV_AWS4_ALL_JOINED || (joint < sizeof(joined) * 8 && (joined >> joint & 1));
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Trimmed, and each run of blanks as one space. */
static char *put_value(char *to, const av_aws4_header_line *line, unsigned joined, apr_size_t *joint)
{
    av_slice value = av_slice_trim(line->value);
    for (apr_size_t i = 0; i < value.len; i++) {
        if (is_blank(value.at[i]) && is_blank(value.at[i - 1])) {
            continue;
        }
        *to++ = is_blank(value.at[i]) ? ' ' : value.at[i];
        if (line->may_be_joined && is_joint(value, i) && is_joined(joined, (*joint)++)) {
            i++;
        }
    }
    return to;
}

av_slice av_aws4_canonical_write(const av_aws4_canonical *canonical, unsigned joined)
{
    const av_slice line_feed = AV_SLICE("\n");
    const av_slice head[] = { canonical->method, canonical->path, canonical->query };
    char *to = canonical->text;
    apr_size_t joint = 0;
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        to = put(put(to, head[i]), line_feed);
    }
    for (apr_size_t i = 0; i < canonical->headers->count; i++) {
        const av_aws4_header_line *line = &canonical->headers->lines[i];
        to = put(put(to, line->name), AV_SLICE(":"));
        to = put(put_value(to, line, joined, &joint), line_feed);
    }
    to = put(put(put(to, line_feed), canonical->signed_headers), line_feed);
    return (av_slice){ canonical->text, (apr_size_t)(to - canonical->text) };
}
