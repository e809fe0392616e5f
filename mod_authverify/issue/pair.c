/* Makes token pairs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"
#include "../core/codec.h"
#include "../core/secret.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#define SECRET_SIZE 50
#define TOKEN_SIZE 36

av_slice av_pair_secret(apr_pool_t *pool)
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

av_slice av_pair_token(apr_pool_t *pool)
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
