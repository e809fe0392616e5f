/* Writes forms.
 * SPDX-License-Identifier: Apache-2.0 */
#include "form.h"
#include "../../core/codec.h"
#include "../../core/secret.h"

#include <openssl/crypto.h>

#define LONGEST_ENCODING 3 /* of one byte: %XX */

/* Memory that is wiped with its pool, and zero until it is written. */
static char *secret_memory(apr_size_t size, apr_pool_t *pool)
{
    av_slice zeros = { apr_pcalloc(pool, size), size };
    return (char *)av_secret_keep(zeros, pool).at;
}

static char *put(char *to, av_slice text)
{
    if (text.len) {
        memcpy(to, text.at, text.len);
    }
    return to + text.len;
}

/* What application/x-www-form-urlencoded leaves as it is. */
static bool is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '*';
}

static char *put_encoded(char *to, av_slice value)
{
    static const char digits[] = "0123456789ABCDEF";
    for (apr_size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        if (is_plain(value.at[i])) {
            *to++ = value.at[i];
        } else {
            *to++ = '%';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 0xf];
        }
    }
    return to;
}

av_slice av_form_question(av_slice token, av_slice credentials, apr_pool_t *pool)
{
    av_slice name = AV_SLICE("token="), hint = AV_SLICE("&token_type_hint=access_token");
    char *form = secret_memory(name.len + LONGEST_ENCODING * token.len + hint.len + credentials.len + 1, pool);
    char *end = put(put(put_encoded(put(form, name), token), hint), credentials);
    return (av_slice){ form, (apr_size_t)(end - form) };
}

av_slice av_form_credentials(av_slice id, av_slice secret, apr_pool_t *pool)
{
    av_slice first = AV_SLICE("&client_id="), second = AV_SLICE("&client_secret=");
    char *form = secret_memory(first.len + second.len + LONGEST_ENCODING * (id.len + secret.len) + 1, pool);
    char *end = put_encoded(put(put_encoded(put(form, first), id), second), secret);
    return (av_slice){ form, (apr_size_t)(end - form) };
}

static const char *join(av_slice word, av_slice credential, apr_pool_t *pool)
{
    char *value = secret_memory(word.len + credential.len + 1, pool);
    put(put(value, word), credential);
    return value;
}

const char *av_form_basic(av_slice id, av_slice secret, apr_pool_t *pool)
{
    char *pair = secret_memory(LONGEST_ENCODING * (id.len + secret.len) + 2, pool);
    char *end = put_encoded(put(put_encoded(pair, id), AV_SLICE(":")), secret);
    av_slice encoded = av_encode(AV_BASE64, (av_slice){ pair, (apr_size_t)(end - pair) }, pool);
    const char *value = join(AV_SLICE("Basic "), encoded, pool);
    OPENSSL_cleanse((char *)encoded.at, encoded.len);
    return value;
}

const char *av_form_bearer(av_slice token, apr_pool_t *pool)
{
    return join(AV_SLICE("Bearer "), token, pool);
}
