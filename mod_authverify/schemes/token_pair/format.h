/* The format of a token or a secret: its length and its characters.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_PAIR_FORMAT_H
#define AV_TOKEN_PAIR_FORMAT_H

#include "../../core/slice.h"

#define AV_LONGEST_TOKEN 256

typedef struct av_token_format {
    apr_size_t shortest, longest;
    bool allowed[128]; /* by ASCII character */
} av_token_format;

extern const av_token_format av_token_format_hex;          /* 36 of [0-9a-f-] */
extern const av_token_format av_token_format_alphanumeric; /* 50 of [A-Za-z0-9] */

/* Reads "36[0-9a-f-]" or "20-64[A-Za-z0-9_]": a length or a range of lengths, up to AV_LONGEST_TOKEN, and a set of
 * visible
 * ASCII characters and ranges of them; a hyphen stands first or last. Returns NULL or a sentence. */
const char *av_token_format_parse(const char *text, av_token_format *format, apr_pool_t *pool);

/* The text is of the format. Looks at every character, whatever it finds. */
bool av_token_format_is(const av_token_format *format, av_slice text);

#endif
