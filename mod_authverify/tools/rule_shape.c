/* Rules without a server.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rule_shape.h"

av_compiler *avt_compiler_create(const char *path, apr_pool_t *pool)
{
    av_compiler *compiler = apr_pcalloc(pool, sizeof(*compiler));
    *compiler = (av_compiler){ .pool = pool,
                               .crypto = av_crypto_create(pool),
                               .access = { .base = ".", .may_execute = true },
                               .presets = av_presets_create(pool),
                               .warnings = apr_array_make(pool, 4, sizeof(const char *)),
                               .loaded = apr_hash_make(pool) };
    av_presets_set_path(compiler->presets, path ? path : AV_PRESET_PATH);
    return compiler->crypto ? compiler : NULL;
}

/* A list that nobody looks into. */
static const char *open_nothing(void *baton, const char *location, const av_client_source **source)
{
    static const av_client_source nobody = { 0 };
    (void)baton;
    (void)location;
    *source = &nobody;
    return NULL;
}

static const char *open_no_networks(void *baton, const char *location, const av_network_source **source)
{
    static const av_network_source nowhere = { 0 };
    (void)baton;
    (void)location;
    *source = &nowhere;
    return NULL;
}

static const char *compile_with(const av_words *words, const char *option, const av_compiler *compiler, av_rule **rule)
{
    av_compiler shaping = *compiler;
    const char **copies = apr_palloc(compiler->pool, (words->count + 1) * sizeof(*copies));
    memcpy(copies, words->at, words->count * sizeof(*copies));
    copies[words->count] = option;
    const av_words all = { copies, words->count + 1 };
    shaping.open_clients = open_nothing;
    shaping.open_networks = open_no_networks;
    shaping.access.may_execute = false;
    return av_rule_compile(words->at[0], &all, &shaping, rule);
}

/* A program that is not run gives no secret, as under `httpd -t`. A rule with client= takes a list instead. */
const char *avt_rule_shape(const av_words *words, const av_compiler *compiler, av_rule **rule)
{
    const char *error = compile_with(words, "secret=exec:/bin/sh", compiler, rule);
    return error && !compile_with(words, "clients=none", compiler, rule) ? NULL : error;
}
