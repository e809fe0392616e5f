/* The Authorization header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "authorization.h"
#include "codec.h"
#include "secret.h"
#include "selector.h"

#define LONGEST_BASIC 2048 /* bytes, decoded */

bool av_authorization_has(av_slice value, av_slice word, av_slice *credential)
{
    av_slice rest = value, first;
    av_slice_split(&rest, ' ', &first);
    if (!word.len) {
        *credential = value;
        return !rest.at;
    }
    while (rest.len && rest.at[0] == ' ') {
        rest = av_slice_skip(rest, 1);
    }
    *credential = rest.at ? rest : AV_SLICE("");
    return av_slice_equal_nocase(first, word);
}

av_reason av_authorization_find(const av_request *request, av_slice word, av_slice *credential)
{
    bool is_found = false;
    unsigned count = 0;
    for (apr_size_t i = 0; i < request->header_count; i++) {
        const av_header *header = &request->headers[i];
        av_slice found;
        if (!av_slice_equal_nocase(header->name, AV_SLICE("Authorization"))) {
            continue;
        }
        count++;
        if (av_authorization_has(header->value, word, &found)) {
            is_found = true;
            count += av_value_is_merged(header->value);
            *credential = found;
        }
    }
    return !is_found ? AV_NOT_PRESENTED : count > 1 ? AV_AMBIGUOUS_CREDENTIAL : AV_ACCEPTED;
}

static bool is_part(av_slice part)
{
    for (apr_size_t i = 0; i < part.len; i++) {
        unsigned char byte = (unsigned char)part.at[i];
        if (byte < 0x20 || byte == 0x7f) {
            return false;
        }
    }
    return part.len > 0;
}

av_reason av_authorization_basic(const av_request *request, av_slice *user, av_slice *password, apr_pool_t *pool)
{
    av_slice text = { "", 0 };
    av_reason reason = av_authorization_find(request, AV_SLICE("Basic"), &text);
    apr_size_t size = av_decoded_size(AV_BASE64, text.len), len = 0;
    if (reason != AV_ACCEPTED || size > LONGEST_BASIC) {
        return reason == AV_ACCEPTED ? AV_MALFORMED_CREDENTIAL : reason;
    }
    av_slice decoded = av_secret_keep((av_slice){ apr_pcalloc(pool, size + 1), size + 1 }, pool);
    if (!av_decode(AV_BASE64, text, (unsigned char *)decoded.at, size, &len)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    *password = (av_slice){ decoded.at, len };
    av_slice_split(password, ':', user);
    return password->at && is_part(*user) && is_part(*password) ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}

static bool is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

bool av_is_token68(av_slice text)
{
    apr_size_t at = 0;
    while (at < text.len && (is_letter_or_digit(text.at[at]) || av_slice_contains(AV_SLICE("-._~+/"), text.at[at]))) {
        at++;
    }
    bool has_letters = at > 0;
    while (at < text.len && text.at[at] == '=') {
        at++;
    }
    return has_letters && at == text.len;
}
