/* Paths that every decoder reads alike.
 * SPDX-License-Identifier: Apache-2.0 */
#include "strict_path.h"

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One byte of the path, decoded; *taken is how many were read. -1: malformed. */
static int next_byte(av_slice path, apr_size_t at, apr_size_t *taken)
{
    *taken = 1;
    if (path.at[at] != '%') {
        return (unsigned char)path.at[at];
    }
    *taken = 3;
    if (at + 2 >= path.len) {
        return -1;
    }
    int high = hex_digit(path.at[at + 1]), low = hex_digit(path.at[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Bytes that mean something to a decoder behind us, escaped or not. */
static bool is_ambiguous(int byte, bool was_escaped)
{
    if (byte < 0x20 || byte == 0x7f || byte == '\\' || byte == ';') {
        return true;
    }
    if (was_escaped) {
        return byte == '/' || byte == '?' || byte == '#' || byte == '%';
    }
    return byte >= 0x80 || av_slice_contains(AV_SLICE(" \"#<>?[]^`{|}"), (char)byte);
}

/* How far a UTF-8 sequence (RFC 3629) has come. */
typedef struct utf8 {
    int missing;         /* continuation bytes still to come */
    int lowest, highest; /* what the next one may be */
} utf8;

static bool take_first(utf8 *state, int byte)
{
    state->lowest = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    state->highest = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    state->missing = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    return byte < 0x80 || (byte >= 0xc2 && byte <= 0xf4);
}

static bool take_utf8(utf8 *state, int byte)
{
    if (!state->missing) {
        return take_first(state, byte);
    }
    bool is_right = byte >= state->lowest && byte <= state->highest;
    state->missing--;
    state->lowest = 0x80;
    state->highest = 0xbf;
    return is_right;
}

/* A segment that is nothing, or nothing but one or two dots. */
static bool is_empty_or_dots(apr_size_t length, apr_size_t dots)
{
    return length == 0 || (length == dots && dots <= 2);
}

bool av_path_is_plain(av_slice path)
{
    utf8 state = { 0, 0, 0 };
    apr_size_t taken, length = 0, dots = 0;
    if (!path.len || path.at[0] != '/') {
        return false;
    }
    for (apr_size_t at = 1; at < path.len; at += taken) {
        int byte = next_byte(path, at, &taken);
        if (byte < 0 || is_ambiguous(byte, taken == 3) || !take_utf8(&state, byte)) {
            return false;
        }
        if (byte == '/') {
            if (is_empty_or_dots(length, dots)) {
                return false;
            }
            length = dots = 0;
            continue;
        }
        length++;
        dots += byte == '.';
    }
    return !state.missing && !(length && is_empty_or_dots(length, dots));
}
