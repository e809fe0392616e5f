/* A secret as a clients file keeps it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "secret_word.h"
#include "../core/codec.h"
#include "../core/secret.h"

#include <apr_md5.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define SALT_SIZE 16
#define LONGEST_PASSWORD 71 /* bcrypt looks at 72 bytes, and what it would cut off is refused when it is presented */
#define SHORTEST_HASHED 16  /* shorter ones are guessed from an unstretched digest */
#define BCRYPT_ROOM 128

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
    *word = apr_pstrcat(pool, "plain:", av_percent_encode(secret, ";", pool), NULL);
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
