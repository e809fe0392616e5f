/* AuthVerifyThrottle.
 * SPDX-License-Identifier: Apache-2.0 */
#include "throttles.h"

#include "../stores/throttle.h"

#define RETAINED "authverify-throttles"

/* What is kept over restarts. Nothing of it points into this module, which each restart loads anew. */
typedef struct kept {
    av_leaky_table *tables;
    apr_size_t count;
} kept;

static const avh_throttle off;

const char *avh_throttle_read(cmd_parms *cmd, const av_words *words, const avh_throttle **throttle)
{
    if (words->count == 2 && strcmp(words->at[1], "off") == 0) {
        *throttle = &off;
        return NULL;
    }
    av_compiler compiler = avh_compiler(cmd->server, cmd->pool);
    avh_throttle *made = apr_pcalloc(cmd->pool, sizeof(*made));
    av_throttle_line *line = apr_palloc(cmd->pool, sizeof(*line));
    *(avh_throttle **)apr_array_push(avh_server_of(cmd->server)->throttles) = made;
    made->line = line;
    *throttle = made;
    return av_throttle_line_read(words, &compiler, line);
}

static av_leaky_table *keep_tables(apr_size_t count)
{
    kept *memory = ap_retained_data_get(RETAINED);
    memory = memory ? memory : ap_retained_data_create(RETAINED, sizeof(*memory));
    if (memory->count != count && memory->tables) {
        av_leaky_tables_release(memory->tables, memory->count);
        memory->tables = NULL;
    }
    memory->count = count;
    memory->tables = memory->tables || !count ? memory->tables : av_leaky_tables_create(count);
    return memory->tables;
}

int avh_throttles_make(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const apr_array_header_t *throttles = avh_server_of(s)->throttles;
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    av_leaky_table *tables = keep_tables((apr_size_t)throttles->nelts);
    if (!tables && throttles->nelts) {
        ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, s,
                     "AuthVerifyThrottle: there is no memory to count in, or no random number to begin with");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (int i = 0; i < throttles->nelts; i++) {
        avh_throttle *throttle = APR_ARRAY_IDX(throttles, i, avh_throttle *);
        throttle->counts = av_throttle_create(throttle->line, av_leaky_tables_at(tables, (apr_size_t)i), pconf);
    }
    return OK;
}
