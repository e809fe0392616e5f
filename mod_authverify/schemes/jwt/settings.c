/* Reads the options of a jwt rule and loads its keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"
#include "remote_server.h"

#include <apr_strings.h>

#define DEFAULT_REFRESH 600
#define DEFAULT_STALE 86400

void av_jwt_init(void *settings)
{
    ((av_jwt_settings *)settings)->terms.required = AV_SLICE("exp");
}

static const char *set_remote(av_jwt_settings *settings, const char *url, bool is_metadata, const av_compiler *compiler)
{
    const char *error = av_remote_url_check(av_slice_of(url));
    settings->remote.url = apr_pstrdup(compiler->pool, url);
    settings->remote.is_metadata = is_metadata;
    if (!error && is_metadata && !strstr(url, "/.well-known/")) {
        return "names no metadata: its URL holds /.well-known/, such as "
               "https://host/.well-known/openid-configuration or https://host/.well-known/oauth-authorization-server";
    }
    return error;
}

static const char *set_keys(void *target, const char *value, const av_compiler *compiler)
{
    av_jwt_settings *settings = target;
    av_slice text = av_slice_of(value);
    if (av_slice_starts_with(text, AV_SLICE("jwks:"))) {
        return set_remote(settings, value + strlen("jwks:"), false, compiler);
    }
    if (av_slice_starts_with(text, AV_SLICE("metadata:"))) {
        return set_remote(settings, value + strlen("metadata:"), true, compiler);
    }
    settings->has_source = true;
    return av_source_parse(value, &settings->source, compiler->pool);
}

static const char *set_authorities(void *target, const char *value, const av_compiler *compiler)
{
    return av_remote_authorities_read(value, &((av_jwt_settings *)target)->remote.authorities, compiler);
}

static const char *set_algorithms(void *target, const char *value, const av_compiler *compiler)
{
    return av_jws_algorithms_read(value, &((av_jwt_settings *)target)->algorithms, compiler->pool);
}

static const char *set_interval(apr_interval_time_t *to, const char *value)
{
    apr_int64_t seconds = 0;
    const char *error = av_jwt_read_seconds(&seconds, value);
    *to = apr_time_from_sec(seconds);
    return error;
}

static const char *set_refresh(void *target, const char *value, const av_compiler *compiler)
{
    apr_interval_time_t *refresh = &((av_jwt_settings *)target)->remote.refresh;
    const char *error = set_interval(refresh, value);
    (void)compiler;
    return error || *refresh >= apr_time_from_sec(10) ? error : "must be ten seconds at least";
}

static const char *set_stale(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return set_interval(&((av_jwt_settings *)target)->remote.stale, value);
}

const av_option av_jwt_options[] = {
    AV_JWT_TERMS_OPTIONS,
    AV_JWT_POSSESSION_OPTIONS,
    { "keys", set_keys, false },
    { "keys-authorities", set_authorities, false },
    { "keys-refresh", set_refresh, false },
    { "keys-stale", set_stale, false },
    { "algorithms", set_algorithms, false },
    { NULL, NULL, false },
};

/* What must be said, since nothing else would be safe to assume. */
static const char *check_said(const av_rule *rule, const av_jwt_settings *settings)
{
    if (!settings->algorithms) {
        return "algorithms= must say what tokens are signed with, such as algorithms=RS256";
    }
    if (av_jws_algorithms_have(settings->algorithms, true) && av_jws_algorithms_have(settings->algorithms, false)) {
        return "algorithms= names HMAC (HS...) beside others: whoever takes a public key for a secret lets everybody "
               "in; keep one kind";
    }
    if (!settings->terms.issuer.at) {
        return "issuer= must say whose tokens these are, to the letter as their \"iss\" has it; issuer=off takes "
               "anybody's";
    }
    bool has_keys = settings->has_source || settings->remote.url;
    if (has_keys == (rule->sources->nelts > 0)) {
        return has_keys ? "keys= and secret= exclude each other; keep one"
                        : "no key is given; add keys=file:PATH, or for HMAC secret=file:PATH";
    }
    return NULL;
}

static const char *load_secrets(const av_rule *rule, av_jwt_settings *settings, const av_compiler *compiler)
{
    const char *error = NULL;
    av_jws_key *keys = apr_pcalloc(compiler->pool, (apr_size_t)rule->sources->nelts * sizeof(*keys));
    settings->keys = keys;
    for (int i = 0; !error && i < rule->sources->nelts; i++) {
        const av_source *source = &APR_ARRAY_IDX(rule->sources, i, av_source);
        av_jws_key *key = &keys[settings->key_count];
        av_slice secret;
        error = av_rule_read_source(source, false, &secret, compiler);
        if (!error && secret.at) {
            error = av_jwk_of_secret(secret, settings->algorithms, compiler->crypto, key, compiler->pool);
            error = error ? apr_psprintf(compiler->pool, "secret= %s: %s", source->label, error) : NULL;
            key->label = source->label;
            settings->key_count++;
        }
    }
    return error;
}

/* What a set of keys must be besides well-formed. */
static const char *check_set(const av_jwk_set *set, const av_jwt_settings *settings, const av_compiler *compiler)
{
    const av_source *source = &settings->source;
    bool wants_secret = av_jws_algorithms_have(settings->algorithms, true);
    av_slice again;
    if (set->has_secret && !wants_secret) {
        *(const char **)apr_array_push(compiler->warnings) = apr_psprintf(
            compiler->pool, "keys= %s holds a secret or a private key, which this rule has no use for", source->label);
    }
    if (set->faults->nelts) {
        return apr_psprintf(compiler->pool, "keys= %s: %s", source->label, APR_ARRAY_IDX(set->faults, 0, const char *));
    }
    if (!set->count) {
        return apr_psprintf(compiler->pool, "keys= %s: no key in it serves one of algorithms=", source->label);
    }
    return set->has_secret ? av_rule_read_source(source, false, &again, compiler) : NULL;
}

/* Keys that are published are nobody's secret. */
static const char *open_remote(av_jwt_settings *settings, const av_compiler *compiler)
{
    av_key_location *remote = &settings->remote;
    if (av_jws_algorithms_have(settings->algorithms, true)) {
        return "algorithms= names HMAC (HS...), whose keys nobody may publish";
    }
    remote->algorithms = settings->algorithms;
    remote->issuer = settings->terms.issuer.len ? settings->terms.issuer.at : NULL;
    remote->refresh = remote->refresh ? remote->refresh : apr_time_from_sec(DEFAULT_REFRESH);
    remote->stale = remote->stale ? remote->stale : apr_time_from_sec(DEFAULT_STALE);
    if (remote->stale < remote->refresh) {
        return "keys-stale= is less than keys-refresh=: the keys would be too old before they are asked for again";
    }
    return compiler->open_keys
               ? compiler->open_keys(compiler->open_baton, remote, &settings->source_of_keys)
               : "keys that are published elsewhere cannot be had here; name a file with keys=file:PATH";
}

static const char *check_remote(const av_jwt_settings *settings)
{
    const av_key_location *remote = &settings->remote;
    return !remote->url && (remote->refresh || remote->stale || remote->authorities)
               ? "keys-refresh=, keys-stale= and keys-authorities= are about keys=jwks: and keys=metadata:"
               : NULL;
}

static const char *load_set(av_jwt_settings *settings, const av_compiler *compiler)
{
    av_slice text;
    av_jwk_set set;
    const char *error = av_rule_read_source(&settings->source, true, &text, compiler);
    if (error || !text.at) {
        return error;
    }
    error = av_jwk_set_read(text, settings->algorithms, compiler->crypto, &set, compiler->pool);
    if (error) {
        return apr_psprintf(compiler->pool, "keys= %s: %s", settings->source.label, error);
    }
    settings->keys = set.keys;
    settings->key_count = set.count;
    return check_set(&set, settings, compiler);
}

const char *av_jwt_finish(av_rule *rule, const av_compiler *compiler)
{
    av_jwt_settings *settings = rule->settings;
    const char *error = av_jwt_terms_finish(rule, &settings->terms, compiler);
    error = error ? error : check_said(rule, settings);
    error = error ? error : check_remote(settings);
    error = error ? error : av_jwt_possession_finish(rule, &settings->terms, compiler);
    if (error) {
        return error;
    }
    if (settings->remote.url) {
        return open_remote(settings, compiler);
    }
    return settings->has_source ? load_set(settings, compiler) : load_secrets(rule, settings, compiler);
}
