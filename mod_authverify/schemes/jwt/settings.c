/* Reads the options of a jwt rule and loads its keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"
#include "../../core/authorization.h"

#include <apr_file_info.h>
#include <apr_strings.h>

#define DEFAULT_LEEWAY 30 /* seconds */
#define MOST_SECONDS (100 * 366 * 86400LL)

void av_jwt_init(void *settings)
{
    ((av_jwt_settings *)settings)->required = AV_SLICE("exp");
}

static const char *add_place(av_jwt_settings *settings, av_slice text, apr_pool_t *pool)
{
    unsigned allowed = AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER);
    if (av_slice_equal(text, AV_SLICE("header"))) {
        settings->in_authorization = true;
        return NULL;
    }
    if (settings->place_count == AV_MAX_PLACES) {
        return "names more than 8 places";
    }
    av_selector *selector = &settings->places[settings->place_count++];
    bool is_place = !av_selector_parse(text, selector, pool) && (allowed & (1u << selector->kind));
    return is_place
               ? NULL
               : "must be header (Authorization), header:NAME or query:NAME, or several of them separated by commas";
}

static const char *set_in(void *target, const char *value, const av_compiler *compiler)
{
    const char *error = NULL;
    av_slice rest = av_slice_of(value), text;
    while (!error && av_slice_split(&rest, ',', &text)) {
        error = add_place(target, text, compiler->pool);
    }
    return error;
}

static const char *set_prefix(void *target, const char *value, const av_compiler *compiler)
{
    av_jwt_settings *settings = target;
    av_slice rest = av_slice_of(apr_pstrdup(compiler->pool, value)), word;
    while (av_slice_split(&rest, ',', &word)) {
        if (settings->word_count == AV_MAX_PLACES || !av_is_token68(word)) {
            return "must be up to 8 words separated by commas, such as Bearer or EN,none";
        }
        settings->words[settings->word_count++] = av_slice_equal(word, AV_SLICE("none")) ? AV_SLICE("") : word;
    }
    return NULL;
}

#define DEFAULT_REFRESH 600
#define DEFAULT_STALE 86400

/* A URL as far as it must be right to be asked for. */
static const char *set_remote(av_jwt_settings *settings, const char *url, bool is_metadata, const av_compiler *compiler)
{
    av_slice text = av_slice_of(url);
    settings->remote.url = apr_pstrdup(compiler->pool, url);
    settings->remote.is_metadata = is_metadata;
    if (!av_slice_starts_with(text, AV_SLICE("https://")) || text.len == strlen("https://") ||
        !av_slice_is_visible(text) || av_slice_contains(text, '@') || av_slice_contains(text, '#')) {
        return "names no URL of the form https://host/path, without user and fragment";
    }
    if (is_metadata && !strstr(url, "/.well-known/")) {
        return "names no metadata: its URL holds /.well-known/, such as "
               "https://host/.well-known/openid-configuration or https://host/.well-known/oauth-authorization-server";
    }
    return NULL;
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
    char *path = NULL;
    apr_finfo_t found;
    apr_pool_t *pool = compiler->pool;
    if (apr_filepath_merge(&path, compiler->access.base, value, 0, pool) != APR_SUCCESS ||
        apr_stat(&found, path, APR_FINFO_TYPE, pool) != APR_SUCCESS || found.filetype != APR_REG) {
        return "names no file";
    }
    ((av_jwt_settings *)target)->remote.authorities = path;
    return NULL;
}

static const char *set_algorithms(void *target, const char *value, const av_compiler *compiler)
{
    av_jwt_settings *settings = target;
    av_slice rest = av_slice_of(value), name;
    settings->algorithms = apr_array_make(compiler->pool, 4, sizeof(const av_jws_algorithm *));
    while (av_slice_split(&rest, ',', &name)) {
        const av_jws_algorithm *algorithm = av_jws_algorithm_find(name);
        if (!algorithm) {
            return apr_psprintf(compiler->pool, "\"%s\" is none of %s", av_slice_string(name, compiler->pool),
                                av_jws_algorithm_names(compiler->pool));
        }
        *(const av_jws_algorithm **)apr_array_push(settings->algorithms) = algorithm;
    }
    return NULL;
}

/* A list, or a word that says aloud that there is none. */
static const char *set_text(av_slice *to, const char *value, const char *nothing, const av_compiler *compiler)
{
    *to = strcmp(value, nothing) == 0 ? AV_SLICE("") : av_slice_of(apr_pstrdup(compiler->pool, value));
    return to->len ? av_list_check(*to) : NULL;
}

/* Whoever vouches for two issuers could speak for one in the name of the other (RFC 8725 section 3.8). */
static const char *set_issuer(void *target, const char *value, const av_compiler *compiler)
{
    av_slice *issuer = &((av_jwt_settings *)target)->issuer;
    const char *error = set_text(issuer, value, "off", compiler);
    return error || !av_slice_contains(*issuer, ',') ? error
                                                     : "must be one issuer: its keys vouch for nobody else's tokens";
}

static const char *set_audience(void *target, const char *value, const av_compiler *compiler)
{
    return set_text(&((av_jwt_settings *)target)->audience, value, "off", compiler);
}

static const char *set_type(void *target, const char *value, const av_compiler *compiler)
{
    av_slice *types = &((av_jwt_settings *)target)->types, rest = av_slice_of(value), type;
    while (av_slice_split(&rest, ',', &type)) {
        if (av_slice_starts_with(type, AV_SLICE("application/"))) {
            return "is written without \"application/\", such as at+jwt";
        }
    }
    return set_text(types, value, "", compiler);
}

static const char *set_require(void *target, const char *value, const av_compiler *compiler)
{
    return set_text(&((av_jwt_settings *)target)->required, value, "none", compiler);
}

static const char *set_seconds(apr_int64_t *to, const char *value)
{
    char *end = NULL;
    bool is_number = *value >= '0' && *value <= '9';
    *to = is_number ? apr_strtoi64(value, &end, 10) : 0;
    return *to > 0 && *to <= MOST_SECONDS && !*end ? NULL : "must be seconds, 1 at least";
}

static const char *set_interval(apr_interval_time_t *to, const char *value)
{
    apr_int64_t seconds = 0;
    const char *error = set_seconds(&seconds, value);
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

static const char *set_max_age(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return set_seconds(&((av_jwt_settings *)target)->max_age, value);
}

static const char *set_max_lifetime(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return set_seconds(&((av_jwt_settings *)target)->max_lifetime, value);
}

const av_option av_jwt_options[] = {
    { "in", set_in, false },
    { "prefix", set_prefix, false },
    { "keys", set_keys, false },
    { "keys-authorities", set_authorities, false },
    { "keys-refresh", set_refresh, false },
    { "keys-stale", set_stale, false },
    { "algorithms", set_algorithms, false },
    { "issuer", set_issuer, false },
    { "audience", set_audience, false },
    { "type", set_type, false },
    { "require", set_require, false },
    { "max-age", set_max_age, false },
    { "max-lifetime", set_max_lifetime, false },
    { NULL, NULL, false },
};

static const char *add_places(av_rule *rule, av_jwt_settings *settings, const av_compiler *compiler)
{
    const char *error = NULL;
    settings->in_authorization |= !settings->place_count;
    if (settings->word_count && !settings->in_authorization) {
        return "prefix= is about Authorization, which in= leaves out; write in=header besides";
    }
    if (!settings->word_count) {
        settings->words[settings->word_count++] = AV_SLICE("Bearer");
    }
    for (apr_size_t i = 0; !error && settings->in_authorization && i < settings->word_count; i++) {
        av_slice name = av_slice_of(av_slice_string(settings->words[i], compiler->pool));
        error = av_rule_add_place(rule, (av_place){ AV_PLACE_AUTHORIZATION, name });
    }
    for (apr_size_t i = 0; !error && i < settings->place_count; i++) {
        const av_selector *place = &settings->places[i];
        bool is_header = place->kind == AV_SELECT_HEADER;
        error = av_rule_add_place(rule, (av_place){ is_header ? AV_PLACE_HEADER : AV_PLACE_PARAMETER, place->name });
        av_rule_rely_on(rule, place);
    }
    return error;
}

static bool has_algorithm(const av_jwt_settings *settings, bool for_secrets)
{
    for (int i = 0; i < settings->algorithms->nelts; i++) {
        const av_jws_algorithm *each = APR_ARRAY_IDX(settings->algorithms, i, const av_jws_algorithm *);
        if ((each->kind == AV_KEY_SECRET) == for_secrets) {
            return true;
        }
    }
    return false;
}

/* What must be said, since nothing else would be safe to assume. */
static const char *check_said(const av_rule *rule, const av_jwt_settings *settings)
{
    if (rule->clients) {
        return "clients= is not for tokens: who signs them says who the clients are; limit them by scopes= or by "
               "Require authverify";
    }
    if (!settings->algorithms) {
        return "algorithms= must say what tokens are signed with, such as algorithms=RS256";
    }
    if (has_algorithm(settings, true) && has_algorithm(settings, false)) {
        return "algorithms= names HMAC (HS...) beside others: whoever takes a public key for a secret lets everybody "
               "in; keep one kind";
    }
    if (!settings->issuer.at) {
        return "issuer= must say whose tokens these are, to the letter as their \"iss\" has it; issuer=off takes "
               "anybody's";
    }
    if (!settings->audience.at) {
        return "audience= must say what this server is called in \"aud\"; audience=off takes tokens that are for "
               "others";
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
    bool wants_secret = has_algorithm(settings, true);
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
    if (has_algorithm(settings, true)) {
        return "algorithms= names HMAC (HS...), whose keys nobody may publish";
    }
    remote->algorithms = settings->algorithms;
    remote->issuer = settings->issuer.len ? settings->issuer.at : NULL;
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
    const char *error = add_places(rule, settings, compiler);
    rule->has_time = true;
    rule->default_tolerance = DEFAULT_LEEWAY;
    rule->tells_scopes = true;
    rule->asks_certificate = true;
    error = error ? error : check_said(rule, settings);
    error = error ? error : check_remote(settings);
    if (error) {
        return error;
    }
    if (settings->remote.url) {
        return open_remote(settings, compiler);
    }
    return settings->has_source ? load_set(settings, compiler) : load_secrets(rule, settings, compiler);
}
