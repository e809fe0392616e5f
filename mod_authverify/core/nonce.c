/* Makes nonces of the time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nonce.h"
#include "codec.h"
#include "secret.h"

#include <apr_strings.h>

#define NONCE_BYTES 16

static av_slice make_for(const av_hmac_key *key, apr_int64_t span, apr_pool_t *pool)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const char *text = apr_psprintf(pool, "nonce %" APR_INT64_T_FMT, span);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && av_hmac_start(key, context) && EVP_DigestUpdate(context, text, strlen(text)) == 1 &&
                av_hmac_finish(key, context, mac, &size) && size >= NONCE_BYTES;
    EVP_MD_CTX_free(context);
    return done ? av_encode(AV_BASE64URL, (av_slice){ (const char *)mac, NONCE_BYTES }, pool) : (av_slice){ NULL, 0 };
}

av_slice av_nonce_make(const av_hmac_key *key, apr_time_t now, apr_pool_t *pool)
{
    return make_for(key, now / AV_NONCE_SPAN, pool);
}

av_nonce_age av_nonce_check(const av_hmac_key *key, av_slice nonce, apr_time_t now, apr_pool_t *pool)
{
    av_slice present = make_for(key, now / AV_NONCE_SPAN, pool), past = make_for(key, now / AV_NONCE_SPAN - 1, pool);
    if (!present.at || !past.at || !nonce.len) {
        return AV_NONCE_NONE;
    }
    return av_secret_equal(nonce, present) ? AV_NONCE_NEW : av_secret_equal(nonce, past) ? AV_NONCE_OLD : AV_NONCE_NONE;
}
