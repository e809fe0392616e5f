/* The format of a token or a secret.
 * SPDX-License-Identifier: Apache-2.0 */
#include "format.h"
#include "../../core/constant_time.h"

#include <apr_strings.h>

/* The bits of a range of characters that lies in one word. */
#define RANGE(first, last) (~UINT64_C(0) >> (63 - (last) % 64) & ~UINT64_C(0) << (first) % 64)

const av_token_format av_token_format_hex = { 36, 36, { RANGE('0', '9') | RANGE('-', '-'), RANGE('a', 'f') } };

const av_token_format av_token_format_alphanumeric = { 50, 50, { RANGE('0', '9'), RANGE('A', 'Z') | RANGE('a', 'z') } };

static const char *read_number(const char *text, apr_size_t *number)
{
    for (*number = 0; *text >= '0' && *text <= '9' && *number <= AV_LONGEST_TOKEN; text++) {
        *number = *number * 10 + (apr_size_t)(*text - '0');
    }
    return text;
}

static bool is_visible(char character)
{
    return character > 0x20 && character < 0x7f;
}

/* One character, or a range such as a-f. Returns what follows, or NULL. */
static const char *read_range(const char *text, av_token_format *format)
{
    char first = text[0], last = text[0];
    if (text[1] == '-' && text[2] && text[2] != ']') {
        last = text[2];
        text += 2;
    }
    if (!is_visible(first) || !is_visible(last) || last < first) {
        return NULL;
    }
    for (int character = first; character <= last; character++) {
        format->allowed[character >> 6] |= UINT64_C(1) << (character & 63);
    }
    return text + 1;
}

const char *av_token_format_parse(const char *text, av_token_format *format, apr_pool_t *pool)
{
    const char *error = apr_psprintf(pool,
                                     "must be written as in 36[0-9a-f-] or 20-64[A-Za-z0-9]: a length of 1 to %d, or a "
                                     "range of them, and characters",
                                     AV_LONGEST_TOKEN);
    memset(format, 0, sizeof(*format));
    text = read_number(text, &format->shortest);
    format->longest = format->shortest;
    if (*text == '-') {
        text = read_number(text + 1, &format->longest);
    }
    if (*text++ != '[' || !format->shortest || format->longest < format->shortest ||
        format->longest > AV_LONGEST_TOKEN) {
        return error;
    }
    bool is_empty = *text == ']';
    while (text && *text && *text != ']') {
        text = read_range(text, format);
    }
    return !is_empty && text && strcmp(text, "]") == 0 ? NULL : error;
}

/* 1 for a character that is none of them. Both words are asked: an address would tell which one was. */
static uint64_t is_wrong(const av_token_format *format, unsigned char character)
{
    uint64_t is_upper = av_opaque(character >> 6 & 1);
    uint64_t low = format->allowed[0] >> character % 64, high = format->allowed[1] >> character % 64;
    uint64_t is_right = (low & (is_upper ^ 1)) | (high & is_upper);
    return (is_right ^ 1) | character >> 7;
}

bool av_token_format_is(const av_token_format *format, av_slice text)
{
    uint64_t wrong = 0;
    if (text.len < format->shortest || text.len > format->longest) {
        return false;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        wrong |= is_wrong(format, (unsigned char)text.at[i]);
    }
    return !wrong;
}
