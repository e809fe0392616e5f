/* The format of a token or a secret.
 * SPDX-License-Identifier: Apache-2.0 */
#include "format.h"

#include <apr_strings.h>

const av_token_format av_token_format_hex = { 36, 36, { ['0' ... '9'] = true, ['a' ... 'f'] = true, ['-'] = true } };

const av_token_format av_token_format_alphanumeric = {
    50, 50, { ['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true }
};

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
        format->allowed[character] = true;
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

bool av_token_format_is(const av_token_format *format, av_slice text)
{
    unsigned wrong = text.len < format->shortest || text.len > format->longest;
    if (wrong) {
        return false;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char character = (unsigned char)text.at[i];
        wrong |= character & 0x80 || !format->allowed[character & 0x7f];
    }
    return !wrong;
}
