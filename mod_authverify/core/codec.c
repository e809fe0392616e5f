/* Hexadecimal, base64, base64url and percent-encoding, strict in one direction and plain in the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"
#include "constant_time.h"

#include <limits.h>
#include <openssl/crypto.h>

static const char hex_alphabet[] = "0123456789abcdef";
static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* All bits where low <= byte <= high, else none. What is decoded may be a secret: its bytes decide no branch and no
 * address. */
static unsigned within(unsigned byte, unsigned low, unsigned high)
{
    return (((byte - low) | (high - byte)) >> (sizeof(unsigned) * CHAR_BIT - 1)) - 1;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(char digit, bool upper_too)
{
    unsigned byte = (unsigned char)digit;
    unsigned decimal = within(byte, '0', '9'), lower = within(byte, 'a', 'f');
    unsigned upper = within(byte, 'A', 'F') & (0U - upper_too);
    return (int)((decimal & (byte - '0')) | (lower & (byte - 'a' + 10)) | (upper & (byte - 'A' + 10)) |
                 ~(decimal | lower | upper));
}

static bool decode_hex(av_slice text, bool upper_too, unsigned char *out, apr_size_t capacity, apr_size_t *len)
{
    if (text.len % 2 != 0 || text.len / 2 > capacity) {
        return false;
    }
    unsigned wrong = 0;
    for (apr_size_t i = 0; i < text.len / 2; i++) {
        unsigned high = (unsigned)hex_digit(text.at[2 * i], upper_too);
        unsigned low = (unsigned)hex_digit(text.at[2 * i + 1], upper_too);
        wrong |= (high | low) & ~0xfU;
        out[i] = (unsigned char)(high << 4 | low);
    }
    apr_size_t is_right = av_opaque(!wrong);
    *len = text.len / 2 * is_right;
    return is_right;
}

/* So many characters are read at once, by a compiler's vectors: without them, too, nothing depends on what they are. */
#define BLOCK 16
#define BLOCK_BYTES (BLOCK / 4 * 3)
#define NO_SEXTET 0x80

typedef unsigned char block __attribute__((vector_size(BLOCK)));

/* As within, for each byte of a block. */
static block among(block bytes, unsigned char low, unsigned char high)
{
    return (block)(bytes - low <= (unsigned char)(high - low));
}

/* The six bits that each character of the alphabet stands for; NO_SEXTET for any other. */
static block sextets_of(block text, const char *alphabet)
{
    unsigned char plus = (unsigned char)alphabet[62], slash = (unsigned char)alphabet[63];
    block upper = among(text, 'A', 'Z'), lower = among(text, 'a', 'z'), decimal = among(text, '0', '9');
    block is_plus = among(text, plus, plus), is_slash = among(text, slash, slash);
    return (upper & (text - 'A')) | (lower & (text - ('a' - 26))) | (decimal & (text + (52 - '0'))) | (is_plus & 62) |
           (is_slash & 63) | (~(upper | lower | decimal | is_plus | is_slash) & NO_SEXTET);
}

/* From `at`, which is inside the text, at most a block; what is missing at its end reads as zeros. */
static block read_block(av_slice text, apr_size_t at, const char *alphabet)
{
    block characters;
    if (text.len - at >= BLOCK) {
        memcpy(&characters, text.at + at, BLOCK);
    } else {
        memset(&characters, 'A', BLOCK);
        memcpy(&characters, text.at + at, text.len - at);
    }
    return sextets_of(characters, alphabet);
}

static void pack(block sextets, unsigned char bytes[BLOCK_BYTES])
{
    for (int i = 0; i < BLOCK; i += 4, bytes += 3) {
        bytes[0] = (unsigned char)(sextets[i] << 2 | sextets[i + 1] >> 4);
        bytes[1] = (unsigned char)(sextets[i + 1] << 4 | sextets[i + 2] >> 2);
        bytes[2] = (unsigned char)(sextets[i + 2] << 6 | sextets[i + 3]);
    }
}

static unsigned has_none(block all)
{
    unsigned found = 0;
    for (int i = 0; i < BLOCK; i++) {
        found |= all[i];
    }
    return found & NO_SEXTET;
}

/* One character more than whole groups holds six bits, which are no byte; bits behind the last byte are zeros. */
static bool decode_sextets(av_slice text, const char *alphabet, unsigned char *out, apr_size_t capacity,
                           apr_size_t *len)
{
    unsigned char bytes[BLOCK_BYTES];
    block all = { 0 };
    unsigned unused = 0;
    apr_size_t size = av_decoded_size(AV_BASE64URL, text.len);
    if (text.len % 4 == 1 || size > capacity) {
        return false;
    }
    for (apr_size_t done = 0, taken = 0; taken < text.len; done += BLOCK_BYTES, taken += BLOCK) {
        block sextets = read_block(text, taken, alphabet);
        apr_size_t left = size - done;
        all |= sextets;
        pack(sextets, bytes);
        memcpy(out + done, bytes, left < BLOCK_BYTES ? left : BLOCK_BYTES);
        unused |= left < BLOCK_BYTES ? bytes[left] : 0;
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    apr_size_t is_right = av_opaque(!(has_none(all) | unused));
    *len = size * is_right;
    return is_right;
}

bool av_is_base64url(av_slice text)
{
    block all = { 0 };
    for (apr_size_t taken = 0; taken < text.len; taken += BLOCK) {
        all |= read_block(text, taken, base64url_alphabet);
    }
    return !has_none(all);
}

/* With its padding a text is whole groups of four; without it, base64 is base64url in another alphabet. */
static bool decode_padded(av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len)
{
    if (text.len % 4 != 0) {
        return false;
    }
    for (int i = 0; i < 2 && text.len > 0 && text.at[text.len - 1] == '='; i++) {
        text.len--;
    }
    return decode_sextets(text, base64_alphabet, out, capacity, len);
}

static bool decode_raw(av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len)
{
    if (text.len > capacity) {
        return false;
    }
    if (text.len > 0) {
        memcpy(out, text.at, text.len);
    }
    *len = text.len;
    return true;
}

bool av_decode(av_encoding encoding, av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len)
{
    *len = 0;
    switch (encoding) {
    case AV_HEX:
        return decode_hex(text, false, out, capacity, len);
    case AV_HEX_ANY:
        return decode_hex(text, true, out, capacity, len);
    case AV_BASE64:
        return decode_padded(text, out, capacity, len);
    case AV_BASE64URL:
        return decode_sextets(text, base64url_alphabet, out, capacity, len);
    case AV_RAW:
        return decode_raw(text, out, capacity, len);
    }
    return false;
}

apr_size_t av_decoded_size(av_encoding encoding, apr_size_t len)
{
    switch (encoding) {
    case AV_HEX:
    case AV_HEX_ANY:
        return len / 2;
    case AV_BASE64:
    case AV_BASE64URL:
        return len / 4 * 3 + len % 4 * 3 / 4;
    case AV_RAW:
        break;
    }
    return len;
}

static av_slice encode_hex(av_slice value, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * value.len + 1);

    for (apr_size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        text[2 * i] = hex_alphabet[byte >> 4];
        text[2 * i + 1] = hex_alphabet[byte & 0xf];
    }
    text[2 * value.len] = '\0';
    return (av_slice){ text, 2 * value.len };
}

static av_slice encode_sextets(av_slice value, const char *alphabet, bool is_padded, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (value.len / 3 + 1) * 4 + 1);
    unsigned int bits = 0;
    unsigned int held = 0;
    apr_size_t len = 0;

    for (apr_size_t i = 0; i < value.len; i++) {
        bits = (bits << 8 | (unsigned char)value.at[i]) & 0xfff;
        held += 8;
        while (held >= 6) {
            held -= 6;
            text[len++] = alphabet[bits >> held & 0x3f];
        }
    }
    if (held > 0) {
        text[len++] = alphabet[bits << (6 - held) & 0x3f];
    }
    while (is_padded && len % 4 != 0) {
        text[len++] = '=';
    }
    text[len] = '\0';
    return (av_slice){ text, len };
}

av_slice av_encode(av_encoding encoding, av_slice value, apr_pool_t *pool)
{
    switch (encoding) {
    case AV_HEX:
    case AV_HEX_ANY:
        return encode_hex(value, pool);
    case AV_BASE64:
        return encode_sextets(value, base64_alphabet, true, pool);
    case AV_BASE64URL:
        return encode_sextets(value, base64url_alphabet, false, pool);
    case AV_RAW:
        break;
    }
    return (av_slice){ av_slice_string(value, pool), value.len };
}

/* The byte that the digits of %XX stand for; -1 where they are not digits or are missing, and for NUL. */
static int percent_byte(av_slice digits)
{
    if (digits.len < 2) {
        return -1;
    }
    int high = hex_digit(digits.at[0], true);
    int low = hex_digit(digits.at[1], true);
    return high < 0 || low < 0 || (high | low) == 0 ? -1 : high << 4 | low;
}

bool av_percent_decode(av_slice text, bool plus_is_space, av_slice *out, apr_pool_t *pool)
{
    *out = text;
    if (!av_slice_contains(text, '%') && !(plus_is_space && av_slice_contains(text, '+'))) {
        return true;
    }
    char *decoded = apr_palloc(pool, text.len);
    apr_size_t len = 0;
    *out = AV_SLICE("");
    for (apr_size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte == '%') {
            int value = percent_byte(av_slice_skip(text, i + 1));
            if (value < 0) {
                return false;
            }
            byte = (char)value;
            i += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        decoded[len++] = byte;
    }
    *out = (av_slice){ decoded, len };
    return true;
}

const char *av_percent_encode(av_slice text, const char *also, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, text.len * 3 + 1), *end = out;
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte <= ' ' || byte == 0x7f || strchr("%#\"'", byte) || strchr(also, byte)) {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 0xf];
        } else {
            *end++ = text.at[i];
        }
    }
    *end = '\0';
    return out;
}
