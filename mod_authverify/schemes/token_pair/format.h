/* The format of a token or a secret: its length and its characters.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_PAIR_FORMAT_H
#define AV_TOKEN_PAIR_FORMAT_H

#include "../../core/slice.h"

#include <stdint.h>

#define AV_LONGEST_TOKEN 256

typedef struct av_token_format {
    apr_size_t shortest, longest;
    uint64_t allowed[2]; /* a bit for each ASCII character */
} av_token_format;

extern const av_token_format av_token_format_hex;          /* 36 of [0-9a-f-] */
extern const av_token_format av_token_format_alphanumeric; /* 50 of [A-Za-z0-9] */

/* Reads "36[0-9a-f-]" or "20-64[A-Za-z0-9_]": a length or a range of lengths, up to AV_LONGEST_TOKEN, and a set of
 * visible
 * ASCII characters and ranges of them; a hyphen stands first or last. Returns NULL or a sentence. */
const char *av_token_format_parse(const char *text, av_token_format *format, apr_pool_t *pool);

/* The text is of the format. The text may be a secret: the time depends on its length and on the verdict, not on what
 * it holds. */
bool av_token_format_is(const av_token_format *format, av_slice text);

#endif
