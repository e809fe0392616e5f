/* Claims by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token.h"
#include "codec.h"
#include "jws.h"

#include <jansson.h>

/* RFC 6901 section 3: the two characters that a reference token cannot hold as they are. */
static const char *escaped(av_slice name, apr_pool_t *pool)
{
    char *pointer = apr_palloc(pool, 2 * name.len + 2), *end = pointer;
    *end++ = '/';
    for (apr_size_t i = 0; i < name.len; i++) {
        bool is_special = name.at[i] == '~' || name.at[i] == '/';
        *end++ = is_special ? '~' : name.at[i];
        if (is_special) {
            *end++ = name.at[i] == '~' ? '0' : '1';
        }
    }
    *end = '\0';
    return pointer;
}

const char *av_claim_name(av_slice name, const char **pointer, apr_pool_t *pool)
{
    av_slice decoded;
    if (!name.len || !av_percent_decode(name, false, &decoded, pool)) {
        return "a claim is called by its name, such as email, or by a JSON pointer, such as /realm_access/roles; %3A "
               "stands for a colon";
    }
    bool is_pointer = *decoded.at == '/';
    *pointer = is_pointer ? av_slice_string(decoded, pool) : escaped(decoded, pool);
    return av_json_pointer_is_valid(*pointer) ? NULL : "is no JSON pointer (RFC 6901)";
}

bool av_text_is_plain(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        bool is_c1 = byte == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f || is_c1) {
            return false;
        }
    }
    return true;
}

static const av_json *read_claims(const av_token *token, apr_pool_t *pool)
{
    apr_size_t size = av_decoded_size(AV_BASE64URL, token->encoded.len), len = 0;
    if (!size) {
        return av_jws_claims(token->text, pool);
    }
    char *payload = apr_palloc(pool, size + 1);
    bool is_decoded = av_decode(AV_BASE64URL, token->encoded, (unsigned char *)payload, size, &len);
    return is_decoded ? av_jws_claims((av_slice){ payload, len }, pool) : NULL;
}

static const json_t *find_claim(av_token *token, const char *pointer, apr_pool_t *pool)
{
    if (token && !token->json) {
        token->json = read_claims(token, pool);
    }
    return token && token->json ? av_json_value(token->json, pointer, pool) : NULL;
}

/* In ASCII; the library escapes what is none. */
static av_found collection_text(const json_t *value, av_slice *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, AV_MAX_CLAIM_BYTES);
    size_t len = json_dumpb(value, out, AV_MAX_CLAIM_BYTES, JSON_COMPACT | JSON_ENSURE_ASCII);
    *text = (av_slice){ out, len };
    return len && len <= AV_MAX_CLAIM_BYTES && av_text_is_plain(*text) ? AV_FOUND : AV_BROKEN;
}

av_found av_token_claim(av_token *token, const char *pointer, av_slice *text, apr_pool_t *pool)
{
    const json_t *value = find_claim(token, pointer, pool);
    *text = AV_SLICE("");
    if (!value || json_is_null(value)) {
        return token && !token->json ? AV_BROKEN : AV_ABSENT;
    }
    if (json_is_array(value) || json_is_object(value)) {
        return collection_text(value, text, pool);
    }
    bool is_fit = av_json_scalar(value, text, pool) && text->len <= AV_MAX_CLAIM_BYTES && av_text_is_plain(*text);
    return is_fit ? AV_FOUND : AV_BROKEN;
}

static bool is_scalar(const json_t *value, av_slice wanted, apr_pool_t *pool)
{
    av_slice text;
    return av_json_scalar(value, &text, pool) && av_slice_equal(text, wanted);
}

bool av_token_says(av_token *token, const char *pointer, av_slice wanted, apr_pool_t *pool)
{
    const json_t *value = find_claim(token, pointer, pool), *each;
    size_t i;
    json_array_foreach(value, i, each)
    {
        if (is_scalar(each, wanted, pool)) {
            return true;
        }
    }
    return is_scalar(value, wanted, pool);
}
