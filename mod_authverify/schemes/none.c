/* The none scheme: nothing is proven; only the rule's network, methods and paths are looked at. It sets no user.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/rule.h"

static void init(void *settings)
{
    (void)settings;
}

/* Without a limit the rule would be no rule. */
static const char *finish(av_rule *rule, const av_compiler *compiler)
{
    const av_limits *limits = &rule->limits;
    (void)compiler;
    rule->proves_nobody = true;
    if (rule->sources->nelts || rule->clients) {
        return "none proves nobody and takes neither secret= nor clients=";
    }
    return limits->from || limits->from_file || limits->methods.len || limits->paths.len
               ? NULL
               : "none without from=, methods= or paths= lets everybody in; write AuthVerify off if that is meant";
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    (void)request;
    (void)claim;
    (void)pool;
    return AV_ACCEPTED;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    (void)claim;
    (void)reading;
    (void)pool;
    *label = NULL;
    return AV_ACCEPTED;
}

static const av_option options[] = { { NULL, NULL, false } };

const av_scheme av_scheme_none = {
    .name = "none",
    .options = options,
    .init = init,
    .finish = finish,
    .find = find,
    .prove = prove,
};
