/* Strict decoders: one text for one value. What a decoder accepts, the encoder gives back to the byte.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CODEC_H
#define AV_CODEC_H

#include "slice.h"

typedef enum av_encoding {
    AV_HEX,       /* lower case only, RFC 4648 section 8 read narrowly */
    AV_HEX_ANY,   /* either case, also mixed */
    AV_BASE64,    /* RFC 4648 section 4: padded, no line ends, unused bits zero */
    AV_BASE64URL, /* RFC 4648 section 5 without padding, as RFC 7515 writes it; unused bits zero */
    AV_RAW        /* the bytes themselves */
} av_encoding;

/* Decodes the whole of `text` into `out`, which has room for `capacity` bytes, and sets `*len`.
 * Returns false, with *len 0 and `out` unspecified, if anything in `text` is not of the encoding (blanks, line ends, a
 * wrong case, missing or superfluous padding, non-zero unused bits, trailing bytes), or if the value does not fit.
 * An empty text is the empty value. Allocates nothing. The time depends on the length, the padding and the verdict, on
 * no other byte. */
bool av_decode(av_encoding encoding, av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len);

/* Every character is one of base64url's alphabet; of an empty text, too. The time depends on the length alone. */
bool av_is_base64url(av_slice text);

/* Room that av_decode needs at most for a text of `len` characters. */
apr_size_t av_decoded_size(av_encoding encoding, apr_size_t len);

/* The one text of `value` in the encoding (AV_HEX_ANY encodes like AV_HEX). NUL-terminated, in `pool`. */
av_slice av_encode(av_encoding encoding, av_slice value, apr_pool_t *pool);

/* Decodes %XX (RFC 3986 section 2.1) into `*out`, in `pool`; `plus_is_space` also turns + into a space, as
 * application/x-www-form-urlencoded does. Where nothing is encoded, *out borrows from `text`.
 * Returns false on a % that two hexadecimal digits do not follow, and on %00. */
bool av_percent_decode(av_slice text, bool plus_is_space, av_slice *out, apr_pool_t *pool);

/* Percent-encodes blanks, control bytes, "%", "#" and quotes, and the bytes of `also`, as a word of a configuration or
 * of a list of clients wants it. */
const char *av_percent_encode(av_slice text, const char *also, apr_pool_t *pool);

#endif
