/* Compiles a rule: the preset's options, the line's own on top, the secrets, the scheme's last word.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"
#include "preset.h"

#include <apr_strings.h>

#define DEFAULT_TOLERANCE 300
#define MAX_TOLERANCE (366 * 86400)
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

static const char *set_tolerance(void *target, const char *value, const av_compiler *compiler)
{
    av_rule *rule = target;
    av_slice rest = av_slice_of(value), past;
    (void)compiler;
    av_slice_split(&rest, ':', &past);
    rule->has_tolerance = true;
    const char *error = read_seconds(past, &rule->past);
    return error ? error : read_seconds(rest.at ? rest : past, &rule->future);
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

static const av_option rule_options[] = {
    { "secret", set_secret, true },
    { "identity", set_identity, false },
    { "realm", set_realm, false },
    { "tolerance", set_tolerance, false },
    { "strip", set_strip, false },
    { "exclusive", set_exclusive, false },
    { NULL, NULL, false },
};

/* What .htaccess may say besides the name. */
static const av_option narrowing_options[] = {
    { "tolerance", set_tolerance, false },
    { NULL, NULL, false },
};

/* Follows the name through presets down to a scheme, collecting the options in force. */
static const char *resolve(const av_words *words, const av_compiler *compiler, const av_scheme **scheme,
                           apr_array_header_t **settings)
{
    apr_pool_t *pool = compiler->pool;
    const char *error = av_settings_split(words, 1, settings, pool);
    for (int depth = 0; !error && depth < DEEPEST_PRESET; depth++) {
        const av_preset *preset = NULL;
        *scheme = av_scheme_find(av_slice_of(words->at[0]));
        if (*scheme) {
            return NULL;
        }
        error = av_presets_find(compiler->presets, words->at[0], &preset);
        if (!error && !preset) {
            return apr_psprintf(pool, "\"%s\" is neither a scheme (%s) nor a preset; presets are looked up in %s", words->at[0],
                                av_scheme_names(pool), av_presets_path(compiler->presets));
        }
        apr_array_header_t *base = NULL;
        if (!error && !(error = av_settings_split(&preset->words, 1, &base, pool))) {
            *settings = av_settings_override(base, *settings, pool);
            words = &preset->words;
        }
    }
    return error ? error : apr_psprintf(pool, "preset \"%s\" builds on itself", words->at[0]);
}

bool av_rule_has_secret(const av_words *words, const av_compiler *compiler)
{
    const av_scheme *scheme;
    apr_array_header_t *settings;
    if (resolve(words, compiler, &scheme, &settings)) {
        return false;
    }
    for (int i = 0; i < settings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(settings, i, av_setting).name, "secret") == 0) {
            return true;
        }
    }
    return false;
}

static const char *check_tolerance(av_rule *rule)
{
    if (rule->has_tolerance && !rule->has_time) {
        return "tolerance= needs a time to compare with, and this rule reads none; leave it out or add timestamp=";
    }
    if (!rule->has_tolerance) {
        rule->past = rule->future = apr_time_from_sec(DEFAULT_TOLERANCE);
    }
    return NULL;
}

const char *av_rule_compile(const char *name, const av_words *words, const av_compiler *compiler, av_rule **made)
{
    apr_pool_t *pool = compiler->pool;
    av_rule *rule = apr_pcalloc(pool, sizeof(*rule));
    apr_array_header_t *settings = NULL;

    const char *error = resolve(words, compiler, &rule->scheme, &settings);
    if (error) {
        return error;
    }
    rule->name = rule->identity = apr_pstrdup(pool, name);
    rule->strip = true;
    rule->header_names = apr_array_make(pool, 4, sizeof(av_slice));
    rule->sources = apr_array_make(pool, 2, sizeof(av_source));
    rule->settings = apr_pcalloc(pool, rule->scheme->settings_size);
    rule->scheme->init(rule->settings);

    const av_option_target targets[] = { { rule->scheme->options, rule->settings }, { rule_options, rule } };
    error = av_settings_apply(settings, targets, 2, compiler);
    error = error ? error : rule->scheme->finish(rule, compiler);
    error = error ? error : check_tolerance(rule);
    rule->sender.id = rule->identity;
    *made = error ? NULL : rule;
    return error;
}

const char *av_rule_narrow(const av_rule *base, const av_words *words, const av_compiler *compiler, av_rule **made)
{
    av_rule *rule = apr_pmemdup(compiler->pool, base, sizeof(*rule));
    apr_array_header_t *settings = NULL;
    const av_option_target target = { narrowing_options, rule };
    const char *error = av_settings_split(words, 1, &settings, compiler->pool);
    error = error ? error : av_settings_apply(settings, &target, 1, compiler);
    if (!error && settings->nelts && !base->has_time) {
        error = "tolerance= needs a time to compare with, and this rule reads none";
    }
    if (!error && (rule->past > base->past || rule->future > base->future)) {
        error = "tolerance= may only be smaller here than in the server's configuration";
    }
    *made = error ? NULL : rule;
    return error;
}

/* Cuts the prefix, decodes, and prepares one key. The decoded copy is wiped with the pool. */
static const char *prepare_key(av_key *key, av_slice secret, av_encoding encoding, const char *prefix, apr_pool_t *pool)
{
    if (prefix && av_slice_starts_with(secret, av_slice_of(prefix))) {
        secret = av_slice_skip(secret, strlen(prefix));
    }
    apr_size_t size = av_decoded_size(encoding, secret.len);
    av_slice decoded = av_secret_keep((av_slice){ apr_pcalloc(pool, size + 1), size + 1 }, pool);
    apr_size_t len = 0;
    if (!av_decode(encoding, secret, (unsigned char *)decoded.at, size, &len)) {
        return "its text is not written as key-encoding= says";
    }
    if (!len) {
        return "nothing is left of it once its prefix is cut off";
    }
    return key->algorithm->prepare(key, (av_slice){ decoded.at, len }, pool);
}

static const char *load_key(av_rule *rule, const av_source *source, av_key *key, av_encoding encoding, const char *prefix,
                            const av_compiler *compiler)
{
    av_slice secret = { NULL, 0 };
    const char *warning = NULL;
    av_source_access access = compiler->access;
    access.is_public = key->algorithm->public_key;
    const char *error = av_source_load(source, &access, &secret, &warning, compiler->pool);
    if (warning) {
        *(const char **)apr_array_push(compiler->warnings) = warning;
    }
    if (!error && secret.at) {
        error = prepare_key(key, secret, encoding, prefix, compiler->pool);
        rule->sender.key_count += !error;
        error = error ? apr_psprintf(compiler->pool, "secret= %s: %s", source->label, error) : NULL;
    }
    return error;
}

const char *av_rule_load_keys(av_rule *rule, const av_algorithm *algorithm, av_encoding encoding, const char *prefix,
                              const av_compiler *compiler)
{
    const char *error = NULL;
    av_key *keys = apr_pcalloc(compiler->pool, (apr_size_t)(rule->sources->nelts + 1) * sizeof(*keys));
    if (!rule->sources->nelts) {
        return "no secret= is given; add secret=file:PATH";
    }
    rule->sender.keys = keys;
    for (int i = 0; !error && i < rule->sources->nelts; i++) {
        const av_source *source = &APR_ARRAY_IDX(rule->sources, i, av_source);
        av_key *key = &keys[rule->sender.key_count];
        *key = (av_key){ .algorithm = algorithm, .crypto = compiler->crypto, .label = source->label };
        error = load_key(rule, source, key, encoding, prefix, compiler);
    }
    return error;
}

static bool same_place(const av_place *a, const av_place *b)
{
    return a->kind == b->kind && (a->kind == AV_PLACE_HEADER ? av_slice_equal_nocase(a->name, b->name)
                                                             : av_slice_equal(a->name, b->name));
}

bool av_rule_shares_place(const av_rule *a, const av_rule *b)
{
    for (apr_size_t i = 0; i < a->place_count; i++) {
        for (apr_size_t j = 0; j < b->place_count; j++) {
            if (same_place(&a->places[i], &b->places[j])) {
                return true;
            }
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
