/* The Authorization header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "authorization.h"
#include "selector.h"

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
