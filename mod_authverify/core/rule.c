/* Compiles a rule: the preset's options, the line's own on top, the secrets, the scheme's last word.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"
#include "preset.h"

#include <apr_strings.h>

#define DEFAULT_TOLERANCE 300
#define MAX_TOLERANCE (366 * 86400)
#define DAY apr_time_from_sec(86400)
#define DEEPEST_PRESET 8 /* presets may build on presets; deeper is a circle */

static const char *set_secret(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    return av_source_parse(value, apr_array_push(rule->sources), compiler->pool);
}

static const char *set_identity(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    rule->identity = apr_pstrdup(compiler->pool, value);
    return av_slice_is_visible(av_slice_of(value)) ? NULL : "must be visible ASCII characters without blanks";
}

static const char *set_realm(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    rule->realm = apr_pstrdup(compiler->pool, value);
    for (; *value; value++) {
        if (*value == '\\' || (unsigned char)*value < 0x20 || *value == 0x7f) {
            return "holds a backslash or a control character";
        }
    }
    return NULL;
}

/* "300" or "300:30", in seconds. */
static const char *read_seconds(av_slice text, apr_interval_time_t *out)
{
    apr_int64_t seconds = 0;
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || seconds > MAX_TOLERANCE) {
            return "must be seconds, PAST or PAST:FUTURE, a year at most";
        }
        seconds = seconds * 10 + (text.at[i] - '0');
    }
    *out = apr_time_from_sec(seconds);
    return text.len && seconds <= MAX_TOLERANCE ? NULL : "must be seconds, PAST or PAST:FUTURE, a year at most";
}

const char *av_tolerance_parse(const char *value, apr_interval_time_t *past, apr_interval_time_t *future)
{
    av_slice rest = av_slice_of(value), before;
    av_slice_split(&rest, ':', &before);
    const char *error = read_seconds(before, past);
    return error ? error : read_seconds(rest.at ? rest : before, future);
}

static const char *set_tolerance(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    (void)compiler;
    rule->has_tolerance = true;
    return av_tolerance_parse(value, &rule->past, &rule->future);
}

static const char *set_strip(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_option_switch(value, &((av_rule *)target)->strip);
}

static const char *set_exclusive(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_option_switch(value, &((av_rule *)target)->exclusive);
}

static const char *read_networks(av_limits *limits, av_slice text, apr_pool_t *pool)
{
    av_networks *networks = av_networks_create(pool);
    const char *error = NULL;
    av_slice word;
    while (!error && text.at && av_slice_split(&text, ',', &word)) {
        error = av_networks_add(networks, word);
    }
    limits->from = networks;
    return error ? error : av_networks_finish(networks);
}

/* "192.0.2.0/24,2001:db8::/32" or "file:PATH". */
static const char *set_from(void *target, const char *value, const av_compiler *compiler)
{
    av_limits *limits = &((av_rule *)target)->limits;
    av_slice text = av_slice_of(value);
    if (!av_slice_starts_with(text, AV_SLICE("file:"))) {
        return read_networks(limits, text, compiler->pool);
    }
    return compiler->open_networks ? compiler->open_networks(compiler->open_baton, value, &limits->from_file)
                                   : "files of networks cannot be named here";
}

static const char *set_methods(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    rule->limits.methods = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_list_check(rule->limits.methods);
}

static const char *set_paths(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    rule->limits.paths = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_paths_check(rule->limits.paths);
}

/* "file:PATH,file:PATH": looked through in order. */
static const char *set_clients(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    apr_array_header_t *list = apr_array_make(compiler->pool, 2, sizeof(const av_client_source *));
    av_slice rest = av_slice_of(value), location;
    const char *error = compiler->open_clients ? NULL : "lists of clients cannot be named here";
    while (!error && av_slice_split(&rest, ',', &location)) {
        error = compiler->open_clients(compiler->open_baton, av_slice_string(location, compiler->pool),
                                       apr_array_push(list));
    }
    *(const av_client_source **)apr_array_push(list) = NULL;
    rule->clients = (const av_client_source *const *)list->elts;
    return error;
}

static const char *set_any_client(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_option_switch(value, &((av_rule *)target)->any_client);
}

static const char *set_list(av_slice *to, const char *value, const av_compiler *compiler)
{
    *to = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_list_check(*to);
}

static const char *set_org(void *target, const char *value, const av_compiler *compiler)
{
    return set_list(&((av_rule *)target)->org, value, compiler);
}

static const char *set_environment(void *target, const char *value, const av_compiler *compiler)
{
    return set_list(&((av_rule *)target)->environment, value, compiler);
}

static const char *set_scopes(void *target, const char *value, const av_compiler *compiler)
{
    return set_list(&((av_rule *)target)->scopes, value, compiler);
}

/* RFC 9728 section 5.1. It stands in quotes in a header. */
static const char *set_resource_metadata(void *target, const char *value, const av_compiler *compiler)
{
    av_slice url = av_slice_of(value);
    bool is_fit = av_slice_starts_with(url, AV_SLICE("https://")) && av_slice_is_visible(url) &&
                  !av_slice_contains(url, '\\') && !av_slice_contains(url, '#');
    ((av_rule *)target)->resource_metadata = apr_pstrdup(compiler->pool, value);
    return is_fit ? NULL : "names no URL that begins with https:// and has no fragment";
}

static const av_option rule_options[] = {
    { "secret", set_secret, true },
    { "clients", set_clients, false },
    { "any-client", set_any_client, false },
    { "org", set_org, false },
    { "environment", set_environment, false },
    { "scopes", set_scopes, false },
    { "identity", set_identity, false },
    { "realm", set_realm, false },
    { "resource-metadata", set_resource_metadata, false },
    { "tolerance", set_tolerance, false },
    { "strip", set_strip, false },
    { "exclusive", set_exclusive, false },
    { "from", set_from, false },
    { "methods", set_methods, false },
    { "paths", set_paths, false },
    { NULL, NULL, false },
};

const av_option av_rule_entry_options[] = {
    { "clients", set_clients, false }, { "org", set_org, false },   { "environment", set_environment, false },
    { "realm", set_realm, false },     { "from", set_from, false }, { NULL, NULL, false },
};

/* What .htaccess may say besides the name. */
static const av_option narrowing_options[] = {
    { "tolerance", set_tolerance, false }, { "from", set_from, false },     { "methods", set_methods, false },
    { "paths", set_paths, false },         { "scopes", set_scopes, false }, { NULL, NULL, false },
};

static const char *unknown_name(const char *name, const av_compiler *compiler)
{
    apr_pool_t *pool = compiler->pool;
    apr_array_header_t *names = av_scheme_list(pool);
    apr_array_cat(names, av_presets_names(compiler->presets, pool));
    const char *meant = av_nearest(name, (const char *const *)names->elts, (apr_size_t)names->nelts);
    return apr_psprintf(pool, "\"%s\" is neither a scheme (%s) nor a preset; presets are looked up in %s%s%s%s", name,
                        av_scheme_names(pool), av_presets_path(compiler->presets), meant ? "; did you mean \"" : "",
                        meant ? meant : "", meant ? "\"?" : "");
}

/* One step on the way from a rule's line down to a scheme. */
typedef struct level {
    const char *name;
    const char *origin; /* NULL: the line itself */
    apr_array_header_t *settings;
} level;

static const char *add_level(apr_array_header_t *levels, const char *name, const char *origin, const av_words *words)
{
    level *made = apr_array_push(levels);
    *made = (level){ name, origin, NULL };
    return av_settings_split(words, 1, &made->settings, levels->pool);
}

/* Follows the name through presets down to a scheme. The line's own level comes first. */
static const char *resolve(const av_words *words, const av_compiler *compiler, const av_scheme **scheme,
                           apr_array_header_t **levels)
{
    const char *error;
    *levels = apr_array_make(compiler->pool, 2, sizeof(level));
    error = add_level(*levels, words->at[0], NULL, words);
    while (!error) {
        const av_preset *preset = NULL;
        *scheme = av_scheme_find(av_slice_of(words->at[0]));
        if (*scheme) {
            return NULL;
        }
        if ((*levels)->nelts > DEEPEST_PRESET) {
            return apr_psprintf(compiler->pool,
                                "preset \"%s\" builds on itself, or more than %d presets build on each other",
                                words->at[0], DEEPEST_PRESET);
        }
        error = av_presets_find(compiler->presets, words->at[0], &preset);
        if (!error && !preset) {
            return unknown_name(words->at[0], compiler);
        }
        if (!error) {
            words = &preset->words;
            error = add_level(*levels, preset->name, preset->origin, words);
        }
    }
    return error;
}

bool av_rule_has_secret(const av_words *words, const av_compiler *compiler)
{
    const av_scheme *scheme;
    apr_array_header_t *levels;
    if (resolve(words, compiler, &scheme, &levels)) {
        return false;
    }
    for (int i = 0; i < levels->nelts; i++) {
        const apr_array_header_t *settings = APR_ARRAY_IDX(levels, i, level).settings;
        for (int j = 0; j < settings->nelts; j++) {
            const char *name = APR_ARRAY_IDX(settings, j, av_setting).name;
            if (strcmp(name, "secret") == 0 || strcmp(name, "clients") == 0 || strcmp(name, "provider") == 0 ||
                strcmp(name, "keys") == 0) {
                return true;
            }
        }
    }
    return false;
}

av_rule *av_rule_create(const char *name, const av_scheme *scheme, const av_compiler *compiler)
{
    apr_pool_t *pool = compiler->pool;
    av_rule *rule = apr_pcalloc(pool, sizeof(*rule));
    rule->scheme = scheme;
    rule->crypto = compiler->crypto;
    rule->passwords = compiler->passwords;
    rule->derived_keys = compiler->derived_keys;
    rule->tokens = compiler->tokens;
    rule->nonce_key = compiler->nonce_key;
    rule->name = rule->identity = apr_pstrdup(pool, name);
    rule->strip = true;
    rule->default_tolerance = DEFAULT_TOLERANCE;
    rule->header_names = apr_array_make(pool, 4, sizeof(av_slice));
    rule->sources = apr_array_make(pool, 2, sizeof(av_source));
    rule->settings = apr_pcalloc(pool, scheme->settings_size);
    scheme->init(rule->settings);
    return rule;
}

static const char *apply(av_rule *rule, const apr_array_header_t *settings, const av_compiler *compiler)
{
    const av_option_target targets[] = { { rule->scheme->options, rule->settings }, { rule_options, rule } };
    return av_settings_apply(settings, targets, 2, compiler);
}

/* Each preset's options by themselves, so that a mistake is blamed on the line where it stands. */
static const char *check_levels(const apr_array_header_t *levels, const av_scheme *scheme, const av_compiler *compiler)
{
    for (int i = 0; i < levels->nelts; i++) {
        const level *each = &APR_ARRAY_IDX(levels, i, level);
        const char *error = apply(av_rule_create(each->name, scheme, compiler), each->settings, compiler);
        if (error) {
            return each->origin
                       ? apr_psprintf(compiler->pool, "preset \"%s\" of %s: %s", each->name, each->origin, error)
                       : error;
        }
    }
    return NULL;
}

const char *av_rule_check(const av_words *words, const av_compiler *compiler)
{
    const av_scheme *scheme = NULL;
    apr_array_header_t *levels = NULL;
    const char *error = resolve(words, compiler, &scheme, &levels);
    return error ? error : check_levels(levels, scheme, compiler);
}

static const char *check_tolerance(av_rule *rule, const av_compiler *compiler)
{
    if (rule->has_tolerance && !rule->has_time) {
        return "tolerance= needs a time to compare with, and this rule reads none; leave it out or add timestamp=";
    }
    if (!rule->has_tolerance) {
        rule->past = rule->future = apr_time_from_sec(rule->default_tolerance);
    }
    if (rule->has_tolerance && (rule->past > DAY || rule->future > DAY)) {
        *(const char **)apr_array_push(compiler->warnings) =
            "tolerance= is more than a day: for so long, whoever saw a request can send it again; clocks differ by "
            "minutes";
    }
    return NULL;
}

static const char *check_challenge(const av_rule *rule)
{
    const char *name = rule->scheme->challenge;
    return rule->resource_metadata && (!name || strcmp(name, "Bearer") != 0)
               ? "resource-metadata= is for rules that take tokens: bearer, jwt and introspection"
               : NULL;
}

/* What only a list of clients can tell. */
static const char *check_attributes(const av_rule *rule)
{
    bool asks = rule->org.len || rule->environment.len || rule->any_client;
    asks |= rule->scopes.len && !rule->tells_scopes;
    return asks && !rule->clients
               ? "org=, environment=, scopes= and any-client= are about the clients of clients=, which is not there"
               : NULL;
}

const char *av_rule_compile(const char *name, const av_words *words, const av_compiler *compiler, av_rule **made)
{
    apr_pool_t *pool = compiler->pool;
    const av_scheme *scheme = NULL;
    apr_array_header_t *levels = NULL, *settings = apr_array_make(pool, 8, sizeof(av_setting));
    const char *error = resolve(words, compiler, &scheme, &levels);
    error = error ? error : check_levels(levels, scheme, compiler);
    *made = NULL;
    if (error) {
        return error;
    }
    for (int i = 0; i < levels->nelts; i++) {
        settings = av_settings_override(APR_ARRAY_IDX(levels, i, level).settings, settings, pool);
    }
    av_rule *rule = av_rule_create(name, scheme, compiler);
    error = apply(rule, settings, compiler);
    error = error ? error : scheme->finish(rule, compiler);
    error = error ? error : check_tolerance(rule, compiler);
    error = error ? error : check_attributes(rule);
    error = error ? error : check_challenge(rule);
    rule->sender.id = rule->identity;
    *made = error ? NULL : rule;
    return error;
}

/* A line of .htaccess is not asked to read files. */
static const char *refuse_sources(const apr_array_header_t *settings)
{
    for (int i = 0; i < settings->nelts; i++) {
        const av_setting *setting = &APR_ARRAY_IDX(settings, i, av_setting);
        if (strcmp(setting->name, "from") == 0 &&
            av_slice_starts_with(av_slice_of(setting->value), AV_SLICE("file:"))) {
            return "files are named in the server's configuration only";
        }
    }
    return NULL;
}

static const char *check_narrowed_tolerance(const av_rule *rule, const av_rule *base)
{
    if (rule->has_tolerance && !base->has_time) {
        return "tolerance= needs a time to compare with, and this rule reads none";
    }
    return rule->past > base->past || rule->future > base->future
               ? "tolerance= may only be smaller here than in the server's configuration"
               : NULL;
}

/* A client must have those scopes and these. */
static void add_scopes(av_rule *rule, const av_rule *base, apr_pool_t *pool)
{
    if (!rule->scopes.len || !base->scopes.len) {
        rule->scopes = rule->scopes.len ? rule->scopes : base->scopes;
        return;
    }
    rule->scopes = av_slice_join(av_slice_join(base->scopes, AV_SLICE(","), pool), rule->scopes, pool);
}

const char *av_rule_narrow(const av_rule *base, const av_words *words, const av_compiler *compiler, av_rule **made)
{
    av_rule *rule = apr_pmemdup(compiler->pool, base, sizeof(*rule));
    apr_array_header_t *settings = NULL;
    const av_option_target target = { narrowing_options, rule };
    rule->limits = (av_limits){ .besides = &base->limits };
    rule->scopes = (av_slice){ "", 0 };
    rule->has_tolerance = false;
    const char *error = av_settings_split(words, 1, &settings, compiler->pool);
    error = error ? error : refuse_sources(settings);
    error = error ? error : av_settings_apply(settings, &target, 1, compiler);
    error = error ? error : check_narrowed_tolerance(rule, base);
    error = error ? error : check_attributes(rule);
    add_scopes(rule, base, compiler->pool);
    *made = error ? NULL : rule;
    return error;
}

/* The decoded copy is wiped with the pool. */
const char *av_rule_prepare_key(const av_rule *rule, av_key *key, av_slice secret, apr_pool_t *pool)
{
    if (rule->key_prefix && av_slice_starts_with(secret, av_slice_of(rule->key_prefix))) {
        secret = av_slice_skip(secret, strlen(rule->key_prefix));
    }
    apr_size_t size = av_decoded_size(rule->key_encoding, secret.len);
    av_slice decoded = av_secret_keep((av_slice){ apr_pcalloc(pool, size + 1), size + 1 }, pool);
    apr_size_t len = 0;
    if (!av_decode(rule->key_encoding, secret, (unsigned char *)decoded.at, size, &len)) {
        return "its text is not written as key-encoding= says";
    }
    if (!len) {
        return "nothing is left of it once its prefix is cut off";
    }
    return key->algorithm->prepare(key, (av_slice){ decoded.at, len }, pool);
}

/* What a source gave, remembered: a program runs once, and a warning is given once. */
typedef struct loaded_secret {
    av_slice secret;
    const char *error;
} loaded_secret;

static const loaded_secret *load_once(const av_source *source, bool is_public, const av_compiler *compiler)
{
    const char *key = apr_psprintf(compiler->pool, "%d:%d:%s", source->kind, is_public, source->argument);
    loaded_secret *loaded = apr_hash_get(compiler->loaded, key, APR_HASH_KEY_STRING);
    if (!loaded) {
        const char *warning = NULL;
        av_source_access access = compiler->access;
        access.is_public = is_public;
        loaded = apr_pcalloc(compiler->pool, sizeof(*loaded));
        loaded->error = av_source_load(source, &access, &loaded->secret, &warning, compiler->pool);
        apr_hash_set(compiler->loaded, key, APR_HASH_KEY_STRING, loaded);
        if (warning) {
            *(const char **)apr_array_push(compiler->warnings) = warning;
        }
    }
    return loaded;
}

const char *av_rule_read_source(const av_source *source, bool is_public, av_slice *text, const av_compiler *compiler)
{
    const loaded_secret *loaded = load_once(source, is_public, compiler);
    *text = loaded->secret;
    return loaded->error;
}

static const char *load_key(av_rule *rule, const av_source *source, av_key *key, const av_compiler *compiler)
{
    const loaded_secret *loaded = load_once(source, key->algorithm->public_key, compiler);
    if (loaded->error || !loaded->secret.at) {
        return loaded->error;
    }
    const char *error = av_rule_prepare_key(rule, key, loaded->secret, compiler->pool);
    rule->sender.key_count += !error;
    return error ? apr_psprintf(compiler->pool, "secret= %s: %s", source->label, error) : NULL;
}

static const char *load_keys(av_rule *rule, const av_algorithm *algorithm, const av_compiler *compiler)
{
    const char *error = NULL;
    av_key *keys = apr_pcalloc(compiler->pool, (apr_size_t)(rule->sources->nelts + 1) * sizeof(*keys));
    rule->sender.keys = keys;
    for (int i = 0; !error && i < rule->sources->nelts; i++) {
        const av_source *source = &APR_ARRAY_IDX(rule->sources, i, av_source);
        av_key *key = &keys[rule->sender.key_count];
        *key = (av_key){ .algorithm = algorithm, .crypto = compiler->crypto, .label = source->label };
        error = load_key(rule, source, key, compiler);
    }
    return error;
}

const char *av_rule_load_keys(av_rule *rule, const av_algorithm *algorithm, av_encoding encoding, const char *prefix,
                              const av_compiler *compiler)
{
    rule->algorithm = algorithm;
    rule->key_encoding = encoding;
    rule->key_prefix = prefix;
    if (rule->clients) {
        return rule->sources->nelts ? "secret= is for one sender and clients= for many; keep one of them" : NULL;
    }
    if (!rule->sources->nelts) {
        return "no secret= is given; add secret=file:PATH";
    }
    return load_keys(rule, algorithm ? algorithm : av_algorithm_find(AV_SLICE("token")), compiler);
}

static bool same_place(const av_place *a, const av_place *b)
{
    return a->kind == b->kind &&
           (a->kind == AV_PLACE_PARAMETER ? av_slice_equal(a->name, b->name) : av_slice_equal_nocase(a->name, b->name));
}

static bool looks_at(const av_rule *rule, const av_place *place)
{
    for (apr_size_t i = 0; i < rule->place_count; i++) {
        if (same_place(&rule->places[i], place)) {
            return true;
        }
    }
    return false;
}

bool av_rule_divides(const av_rule *a, const av_rule *b, const av_place *place)
{
    return a->scheme->takes_jws != b->scheme->takes_jws && place->kind == AV_PLACE_AUTHORIZATION &&
           looks_at(a, place) && looks_at(b, place);
}

bool av_rule_shares_place(const av_rule *a, const av_rule *b)
{
    for (apr_size_t i = 0; i < a->place_count; i++) {
        const av_place *place = &a->places[i];
        if (looks_at(b, place) && !av_rule_divides(a, b, place)) {
            return true;
        }
    }
    return false;
}

const char *av_rule_add_place(av_rule *rule, av_place place)
{
    for (apr_size_t i = 0; i < rule->place_count; i++) {
        if (same_place(&rule->places[i], &place)) {
            return NULL;
        }
    }
    if (rule->place_count == AV_MAX_PLACES) {
        return "a rule cannot look at more than 8 places";
    }
    rule->places[rule->place_count++] = place;
    return NULL;
}

void av_rule_rely_on(av_rule *rule, const av_selector *selector)
{
    if (selector->kind == AV_SELECT_HEADER) {
        *(av_slice *)apr_array_push(rule->header_names) = selector->name;
    }
}
