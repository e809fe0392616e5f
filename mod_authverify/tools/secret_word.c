/* A secret as a clients file keeps it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "secret_word.h"
#include "../core/codec.h"
#include "../core/secret.h"

#include <apr_md5.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define SECRET_SIZE 50
#define TOKEN_SIZE 36
#define SALT_SIZE 16
#define LONGEST_PASSWORD 71 /* bcrypt looks at 72 bytes, and what it would cut off is refused when it is presented */
#define SHORTEST_HASHED 16  /* shorter ones are guessed from an unstretched digest */
#define BCRYPT_ROOM 128

av_slice avt_secret_generate(apr_pool_t *pool)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned letters = sizeof(alphabet) - 1, fair = 256 - 256 % letters;
    char secret[SECRET_SIZE];
    for (size_t i = 0; i < sizeof(secret);) {
        unsigned char byte;
        if (RAND_bytes(&byte, 1) != 1) {
            return (av_slice){ NULL, 0 };
        }
        if (byte < fair) { /* every letter is as likely as any other */
            secret[i++] = alphabet[byte % letters];
        }
    }
    av_slice kept = av_secret_keep((av_slice){ secret, sizeof(secret) }, pool);
    OPENSSL_cleanse(secret, sizeof(secret));
    return kept;
}

av_slice avt_token_generate(apr_pool_t *pool)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return (av_slice){ NULL, 0 };
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    const char *hex = av_encode(AV_HEX, (av_slice){ (const char *)bytes, sizeof(bytes) }, pool).at;
    return (av_slice){ apr_psprintf(pool, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20),
                       TOKEN_SIZE };
}

const char *avt_percent_encode(av_slice text, const char *also, apr_pool_t *pool)
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

static const char *keep_digest(av_slice secret, const char **word, apr_pool_t *pool)
{
    unsigned char digest[AV_SHA256_SIZE];
    size_t size = 0;
    if (secret.len < SHORTEST_HASHED) {
        return "a secret of fewer than 16 bytes is a password, which a plain digest does not protect; keep it with bcrypt";
    }
    if (EVP_Q_digest(NULL, "SHA256", NULL, secret.at, secret.len, digest, &size) != 1) {
        return "the library refused to hash";
    }
    *word = apr_pstrcat(pool, "sha256:", av_encode(AV_BASE64, (av_slice){ (const char *)digest, size }, pool).at, NULL);
    return NULL;
}

static const char *keep_password(av_slice password, int cost, const char **word, apr_pool_t *pool)
{
    unsigned char salt[SALT_SIZE];
    char *hash = apr_pcalloc(pool, BCRYPT_ROOM);
    if (password.len > LONGEST_PASSWORD) {
        return "a password is at most 71 bytes: bcrypt does not look at more";
    }
    if (RAND_bytes(salt, sizeof(salt)) != 1 ||
        apr_bcrypt_encode(av_secret_keep(password, pool).at, (unsigned)cost, salt, sizeof(salt), hash, BCRYPT_ROOM) !=
            APR_SUCCESS) {
        return "the library refused to hash";
    }
    *word = apr_pstrcat(pool, "bcrypt:", hash, NULL);
    return NULL;
}

const char *avt_secret_word(av_secret_kind kind, av_slice secret, int cost, const char **word, apr_pool_t *pool)
{
    if (kind == AV_SECRET_SHA256) {
        return keep_digest(secret, word, pool);
    }
    if (kind == AV_SECRET_BCRYPT) {
        return keep_password(secret, cost, word, pool);
    }
    *word = apr_pstrcat(pool, "plain:", avt_percent_encode(secret, ";", pool), NULL);
    return NULL;
}

const char *avt_cost_read(const char *text, int *cost)
{
    char *end;
    long number = strtol(text, &end, 10);
    *cost = (int)number;
    return *text >= '0' && *text <= '9' && !*end && number >= 4 && number <= 17 ? NULL
                                                                                : "--cost is a number from 4 to 17";
}
