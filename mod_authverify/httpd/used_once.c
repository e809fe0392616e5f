/* Keeps what outlives a restart.
 * SPDX-License-Identifier: Apache-2.0 */
#include "used_once.h"

#include "../stores/replay_shm.h"

#include <openssl/rand.h>

#define RETAINED "authverify-used-once"

typedef struct retained {
    av_replay_shm *replays;
    apr_size_t size; /* bytes of it */
    bool has_secret;
    unsigned char secret[AV_SHA256_SIZE];
} retained;

static retained *find_retained(void)
{
    retained *kept = ap_retained_data_get(RETAINED);
    if (!kept) {
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
        kept->has_secret = RAND_bytes(kept->secret, sizeof(kept->secret)) == 1;
    }
    return kept;
}

const av_hmac_key *avh_nonce_key(const av_crypto *crypto, apr_pool_t *pool)
{
    const retained *kept = find_retained();
    av_slice secret = { (const char *)kept->secret, sizeof(kept->secret) };
    return kept->has_secret && crypto ? av_hmac_prepare(crypto->sha256, secret, pool) : NULL;
}

int avh_replay_memory_open(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    retained *kept = find_retained();
    avh_server *server = avh_server_of(s);
    (void)pconf;
    (void)plog;
    (void)ptemp;
    if (kept->replays && kept->size != server->replay_memory) {
        av_replay_shm_destroy(kept->replays); /* children that still use it have it mapped themselves */
        kept->replays = NULL;
    }
    if (!kept->replays) {
        kept->size = server->replay_memory;
        kept->replays = av_replay_shm_create(kept->size / AV_REPLAY_ENTRY_SIZE);
    }
    server->replays = kept->replays;
    if (!server->replays) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
                     "AuthVerifyReplay: there is no memory for it; give it less with shm:SIZE");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}
