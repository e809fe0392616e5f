/* Decoders: what one of them accepts, the encoder gives back to the byte; nothing is written past the room given.
 * Input: one byte that chooses the encoding, then the text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "fuzz.h"

/* The text that the encoder would have written: only AV_HEX_ANY reads another one too. */
static bool is_canonical(av_encoding encoding, av_slice text, av_slice canonical)
{
    return encoding == AV_HEX_ANY ? av_slice_equal_nocase(text, canonical) : av_slice_equal(text, canonical);
}

static void decode(av_encoding encoding, av_slice text, apr_pool_t *pool)
{
    apr_size_t room = av_decoded_size(encoding, text.len);
    unsigned char *out = malloc(room ? room : 1);
    apr_size_t len = 1;

    REQUIRE(out != NULL);
    bool is_decoded = av_decode(encoding, text, out, room, &len);
    REQUIRE(len <= room);
    REQUIRE(is_decoded || len == 0);
    if (is_decoded) {
        apr_size_t none;
        REQUIRE(is_canonical(encoding, text, av_encode(encoding, (av_slice){ (char *)out, len }, pool)));
        REQUIRE(len == 0 || !av_decode(encoding, text, out, len - 1, &none));
    }
    free(out);
}

static void encode(av_encoding encoding, av_slice value, apr_pool_t *pool)
{
    av_slice text = av_encode(encoding, value, pool);
    apr_size_t room = av_decoded_size(encoding, text.len);
    unsigned char *out = malloc(room ? room : 1);
    apr_size_t len;

    REQUIRE(out != NULL);
    REQUIRE(av_decode(encoding, text, out, room, &len));
    REQUIRE(av_slice_equal((av_slice){ (char *)out, len }, value));
    free(out);
}

/* Each %XX became one byte, and no byte became NUL. */
static void decode_percent(av_slice text, apr_pool_t *pool)
{
    av_slice decoded;
    apr_size_t escapes = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        escapes += text.at[i] == '%';
    }
    if (av_percent_decode(text, true, &decoded, pool)) {
        REQUIRE(decoded.len == text.len - 2 * escapes);
        REQUIRE(!av_slice_contains(decoded, '\0') || av_slice_contains(text, '\0'));
        REQUIRE(escapes > 0 || !av_slice_contains(decoded, '+'));
    } else {
        REQUIRE(escapes > 0 && decoded.len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    av_encoding encoding = (av_encoding)(data[0] % (AV_RAW + 1));
    av_slice text = tight_copy(data + 1, size - 1);
    apr_pool_t *pool = fresh_pool();
    decode(encoding, text, pool);
    encode(encoding, text, pool);
    decode_percent(text, pool);
    free((char *)text.at);
    return 0;
}
