/* The options of a signature rule: one setter each, and what must hold between them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <apr_strings.h>

/* Values that are there before the body is read. */
#define HEAD_VALUES \
    (AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD) | AV_SELECTS(METHOD) | AV_SELECTS(PATH))
#define BODY_VALUES (AV_SELECTS(JSON) | AV_SELECTS(FORM))

void av_signature_init(void *settings)
{
    av_signature_settings *signature = settings;
    signature->algorithm = av_algorithm_find(AV_SLICE("hmac-sha256"));
    signature->encoding = AV_HEX;
    signature->key_encoding = AV_RAW;
}

static const char *set_signature(void *target, const char *value, const av_compiler *compiler)
{
    av_signature_settings *settings = target;
    if (settings->signature_count == AV_MAX_PLACES) {
        return "is given more than 8 times";
    }
    return av_selector_parse_only(value, AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD),
                                  &settings->signatures[settings->signature_count++], compiler->pool);
}

static const char *set_selector(av_optional_selector *to, const char *value, unsigned allowed,
                                const av_compiler *compiler)
{
    to->is_set = true;
    return av_selector_parse_only(value, allowed, &to->selector, compiler->pool);
}

static const char *set_fields(void *target, const char *value, const av_compiler *compiler)
{
    return set_selector(&((av_signature_settings *)target)->fields, value, AV_SELECTS(HEADER), compiler);
}

static const char *set_timestamp(void *target, const char *value, const av_compiler *compiler)
{
    return set_selector(&((av_signature_settings *)target)->timestamp, value,
                        AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD) | BODY_VALUES, compiler);
}

static const char *set_id(void *target, const char *value, const av_compiler *compiler)
{
    return set_selector(&((av_signature_settings *)target)->id, value,
                        AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD) | BODY_VALUES, compiler);
}

static const char *set_unsigned_id(void *target, const char *value, const av_compiler *compiler)
{
    return set_selector(&((av_signature_settings *)target)->unsigned_id, value,
                        AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD) | BODY_VALUES, compiler);
}

static const char *set_separator(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "comma", "semicolon" }, *const bytes[] = { ",", ";" };
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 2, &index, compiler->pool);
    ((av_signature_settings *)target)->separator = bytes[index];
    return error;
}

static const char *set_prefix(void *target, const char *value, const av_compiler *compiler)
{
    ((av_signature_settings *)target)->prefix = av_slice_of(apr_pstrdup(compiler->pool, value));
    return NULL;
}

static const char *set_list(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "space", "comma" };
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 2, &index, compiler->pool);
    ((av_signature_settings *)target)->list = " ,"[index];
    return error;
}

static const char *set_version(void *target, const char *value, const av_compiler *compiler)
{
    av_slice version = av_slice_of(apr_pstrdup(compiler->pool, value));
    ((av_signature_settings *)target)->version = version;
    bool clean = av_slice_is_visible(version) && !av_slice_contains(version, ',') && !av_slice_contains(version, '=');
    return clean ? NULL : "holds a blank, a comma or an equals sign";
}

static const char *set_case(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "lower", "any" };
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 2, &index, compiler->pool);
    ((av_signature_settings *)target)->any_case = index == 1;
    ((av_signature_settings *)target)->has_case = true;
    return error;
}

static const char *set_encoding(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "hex", "base64", "base64url" };
    static const av_encoding encodings[] = { AV_HEX, AV_BASE64, AV_BASE64URL };
    av_signature_settings *settings = target;
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 3, &index, compiler->pool);
    settings->encoding = encodings[index];
    settings->has_encoding = true;
    return error;
}

static const char *set_signed(void *target, const char *value, const av_compiler *compiler)
{
    av_signature_settings *settings = target;
    settings->has_text = true;
    return av_template_parse(value, &settings->text, compiler->pool);
}

static const char *set_algorithm(void *target, const char *value, const av_compiler *compiler)
{
    av_signature_settings *settings = target;
    settings->algorithm = av_algorithm_find(av_slice_of(value));
    return settings->algorithm ? NULL
                               : apr_psprintf(compiler->pool, "\"%s\" is none of %s", value, av_algorithm_names());
}

static const char *set_key_encoding(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "raw", "hex", "base64", "pem" };
    static const av_encoding encodings[] = { AV_RAW, AV_HEX_ANY, AV_BASE64, AV_RAW };
    av_signature_settings *settings = target;
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 4, &index, compiler->pool);
    settings->key_encoding = encodings[index];
    settings->key_is_pem = index == 3;
    return error;
}

static const char *set_key_prefix(void *target, const char *value, const av_compiler *compiler)
{
    ((av_signature_settings *)target)->key_prefix = apr_pstrdup(compiler->pool, value);
    return NULL;
}

static const char *set_timestamp_format(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "unix", "unix-ms", "rfc3339" };
    static const av_time_format formats[] = { AV_TIME_UNIX, AV_TIME_UNIX_MS, AV_TIME_RFC3339 };
    av_signature_settings *settings = target;
    unsigned index = 0;
    const char *error = av_option_choice(value, names, 3, &index, compiler->pool);
    settings->format = formats[index];
    settings->has_format = true;
    return error;
}

/* %{…}:VALUE. The value may hold anything, also a colon. */
static const char *set_expect(void *target, const char *value, const av_compiler *compiler)
{
    av_signature_settings *settings = target;
    const char *end = strstr(value, "}:");
    if (!end || !end[2]) {
        return "must be written %{...}:VALUE";
    }
    if (settings->expectation_count == AV_MAX_EXPECTATIONS) {
        return "is given more than 8 times";
    }
    av_expectation *expectation = &settings->expectations[settings->expectation_count++];
    expectation->value = av_slice_of(apr_pstrdup(compiler->pool, end + 2));
    return av_selector_parse_only(apr_pstrmemdup(compiler->pool, value, (apr_size_t)(end + 1 - value)),
                                  HEAD_VALUES | BODY_VALUES, &expectation->selector, compiler->pool);
}

/* "timestamp", "client", or both separated by a comma. */
static const char *set_unsigned_ok(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const names[] = { "timestamp", "client" };
    av_signature_settings *settings = target;
    av_slice rest = av_slice_of(value), word;
    const char *error = NULL;
    while (!error && av_slice_split(&rest, ',', &word)) {
        unsigned index = 0;
        error = av_option_choice(av_slice_string(word, compiler->pool), names, 2, &index, compiler->pool);
        settings->unsigned_timestamp |= !error && index == 0;
        settings->unsigned_client |= !error && index == 1;
    }
    return error;
}

static const char *set_client(void *target, const char *value, const av_compiler *compiler)
{
    return set_selector(&((av_signature_settings *)target)->client, value,
                        AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER) | AV_SELECTS(FIELD), compiler);
}

const av_option av_signature_options[] = {
    { "signature", set_signature, true },
    { "fields", set_fields, false },
    { "separator", set_separator, false },
    { "prefix", set_prefix, false },
    { "list", set_list, false },
    { "version", set_version, false },
    { "case", set_case, false },
    { "encoding", set_encoding, false },
    { "signed", set_signed, false },
    { "algorithm", set_algorithm, false },
    { "key-encoding", set_key_encoding, false },
    { "key-prefix", set_key_prefix, false },
    { "timestamp", set_timestamp, false },
    { "timestamp-format", set_timestamp_format, false },
    { "unsigned-ok", set_unsigned_ok, false },
    { "id", set_id, false },
    { "unsigned-id", set_unsigned_id, false },
    { "client", set_client, false },
    { "expect", set_expect, true },
    { NULL, NULL, false },
};

/* One value cannot be two. */
static const char *check_expectations(const av_signature_settings *settings, apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < settings->expectation_count; i++) {
        for (apr_size_t j = 0; j < i; j++) {
            if (av_selector_equal(&settings->expectations[i].selector, &settings->expectations[j].selector)) {
                return apr_psprintf(pool, "expect= is given twice for %s; no request can meet both",
                                    av_selector_text(&settings->expectations[i].selector, pool));
            }
        }
    }
    return NULL;
}

/* How the signature is written. */
static const char *check_form(av_signature_settings *settings)
{
    if (settings->has_case && settings->encoding != AV_HEX) {
        return "case= is about hexadecimal digits; it does not go with this encoding=";
    }
    if (settings->version.len && !settings->list) {
        return "version= chooses among entries; say with list= how they are separated";
    }
    if (settings->list && settings->fields.is_set) {
        return "list= and fields= do not go together: a field that occurs again is a further signature already";
    }
    if (settings->separator && !settings->fields.is_set) {
        return "separator= stands between the fields of fields=, which is not there";
    }
    if (settings->encoding == AV_HEX && settings->any_case) {
        settings->encoding = AV_HEX_ANY;
    }
    settings->separator = settings->separator ? settings->separator : ",";
    return NULL;
}

static bool is_field(const av_optional_selector *value)
{
    return value->is_set && value->selector.kind == AV_SELECT_FIELD;
}

static bool uses_fields(const av_signature_settings *settings)
{
    bool uses = is_field(&settings->timestamp) || is_field(&settings->id) || is_field(&settings->unsigned_id) ||
                is_field(&settings->client) || av_template_count(&settings->text, AV_SELECT_FIELD);
    for (apr_size_t i = 0; i < settings->signature_count; i++) {
        uses |= settings->signatures[i].kind == AV_SELECT_FIELD;
    }
    for (apr_size_t i = 0; i < settings->expectation_count; i++) {
        uses |= settings->expectations[i].selector.kind == AV_SELECT_FIELD;
    }
    return uses;
}

static const char *check_fields(const av_signature_settings *settings)
{
    if (uses_fields(settings) != settings->fields.is_set) {
        return settings->fields.is_set ? "fields= is read but no %{field:...} takes anything from it"
                                       : "%{field:...} needs fields=%{header:NAME}: the header that holds the fields";
    }
    return NULL;
}

/* What is signed. A token signs nothing. */
static const char *check_text(av_rule *rule, const av_compiler *compiler)
{
    av_signature_settings *settings = rule->settings;
    if (!settings->algorithm->reads_text) {
        if (settings->has_encoding) {
            return "a token is compared as it is sent; leave encoding= out";
        }
        if (settings->has_case) {
            return "a token is compared as it is sent; leave case= out";
        }
        settings->encoding = AV_RAW;
        return settings->has_text ? "a token signs nothing; leave signed= out" : NULL;
    }
    if (!settings->has_text) {
        av_template_parse("%{body}", &settings->text, compiler->pool);
    }
    static const av_selector body = { AV_SELECT_BODY, { "", 0 } };
    if (!av_template_covers(&settings->text, &body)) {
        *(const char **)apr_array_push(compiler->warnings) =
            apr_psprintf(compiler->pool,
                         "rule \"%s\": signed= does not cover the body; whoever sees one request can send "
                         "another body with it",
                         rule->name);
    }
    static const av_selector host = { AV_SELECT_HEADER, { "Host", 4 } };
    rule->covers_host = av_template_count(&settings->text, AV_SELECT_URL) || av_template_covers(&settings->text, &host);
    return NULL;
}

/* A value that is checked, or stands for the delivery, must be signed. %{timestamp} and %{id} in the text are the
 * value. */
static const char *check_covered(const av_signature_settings *settings, const av_optional_selector *value,
                                 av_selector_kind alias, const char *option, bool excused, apr_pool_t *pool)
{
    bool named = av_template_count(&settings->text, alias) > 0;
    bool inside = value->is_set && av_selector_is_in_body(&value->selector);
    if (named && !value->is_set) {
        return apr_psprintf(pool, "signed= holds %%{%s}, but %s= does not say what that is", option, option);
    }
    if (named && inside) {
        return apr_psprintf(pool, "%%{%s} stands inside the body; write its own selector in signed=", option);
    }
    if (!value->is_set || named || excused || av_template_covers(&settings->text, &value->selector)) {
        return NULL;
    }
    return apr_psprintf(pool,
                        "%s=%s is not part of what is signed, so anybody can change it; put %%{%s} into signed=, or %s",
                        option, av_selector_text(&value->selector, pool), option,
                        alias == AV_SELECT_TIMESTAMP ? "add unsigned-ok=timestamp if the sender's scheme is like that"
                                                     : "use unsigned-id=");
}

static const char *check_time(av_rule *rule, const av_compiler *compiler)
{
    av_signature_settings *settings = rule->settings;
    rule->has_time = settings->timestamp.is_set;
    rule->time_unit = av_timestamp_unit(settings->format);
    if (settings->has_format && !rule->has_time) {
        return "timestamp-format= says how timestamp= is written, which is not there";
    }
    if (settings->unsigned_timestamp && !rule->has_time) {
        return "unsigned-ok=timestamp is about timestamp=, which is not there";
    }
    return check_covered(settings, &settings->timestamp, AV_SELECT_TIMESTAMP, "timestamp", settings->unsigned_timestamp,
                         compiler->pool);
}

static unsigned kind_of(const av_optional_selector *value)
{
    return value->is_set ? 1u << value->selector.kind : 0;
}

/* The kinds of the values that are looked at besides the signature, as bits. */
static unsigned kinds_of_values(const av_signature_settings *settings)
{
    unsigned kinds = kind_of(&settings->timestamp) | kind_of(&settings->id) | kind_of(&settings->unsigned_id);
    for (apr_size_t i = 0; i < settings->expectation_count; i++) {
        kinds |= 1u << settings->expectations[i].selector.kind;
    }
    return kinds;
}

/* Whatever the proof needs must reach the handler as it was sent. */
static void note_headers(av_rule *rule)
{
    const av_signature_settings *settings = rule->settings;
    const av_optional_selector *values[] = { &settings->fields, &settings->timestamp, &settings->id,
                                             &settings->unsigned_id, &settings->client };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i]->is_set) {
            av_rule_rely_on(rule, &values[i]->selector);
        }
    }
    for (apr_size_t i = 0; i < settings->signature_count; i++) {
        av_rule_rely_on(rule, &settings->signatures[i]);
    }
    for (apr_size_t i = 0; i < settings->text.count; i++) {
        if (!settings->text.parts[i].is_literal) {
            av_rule_rely_on(rule, &settings->text.parts[i].selector);
        }
    }
}

static const char *add_places(av_rule *rule)
{
    const av_signature_settings *settings = rule->settings;
    const char *error = settings->signature_count ? NULL : "signature= must say where the signature is";
    for (apr_size_t i = 0; !error && i < settings->signature_count; i++) {
        const av_selector *selector = &settings->signatures[i];
        if (selector->kind == AV_SELECT_FIELD) {
            selector = &settings->fields.selector;
        }
        error = av_rule_add_place(
            rule,
            (av_place){ selector->kind == AV_SELECT_HEADER ? AV_PLACE_HEADER : AV_PLACE_PARAMETER, selector->name });
    }
    return error;
}

static const char *load_keys(av_rule *rule, const av_compiler *compiler)
{
    const av_signature_settings *settings = rule->settings;
    if (settings->key_is_pem && !settings->algorithm->public_key) {
        return "key-encoding=pem is for public keys; this algorithm= takes a shared secret";
    }
    return av_rule_load_keys(rule, settings->algorithm, settings->key_encoding, settings->key_prefix, compiler);
}

/* Which of many senders it is: where there are many, and nowhere else. */
static const char *check_client(const av_rule *rule, apr_pool_t *pool)
{
    const av_signature_settings *settings = rule->settings;
    if (settings->client.is_set != (rule->clients != NULL)) {
        return rule->clients ? "clients= needs client=%{...}: where the request says which client it is"
                             : "client= chooses among the clients of clients=, which is not there";
    }
    if (settings->unsigned_client && !settings->client.is_set) {
        return "unsigned-ok=client is about client=, which is not there";
    }
    if (!settings->client.is_set || settings->unsigned_client ||
        av_template_covers(&settings->text, &settings->client.selector)) {
        return NULL;
    }
    return apr_psprintf(
        pool,
        "client=%s is not part of what is signed; put it into signed=, or add unsigned-ok=client if the "
        "sender's scheme is like that (the key of that client is what proves it)",
        av_selector_text(&settings->client.selector, pool));
}

const char *av_signature_finish(av_rule *rule, const av_compiler *compiler)
{
    av_signature_settings *settings = rule->settings;
    const char *error = check_form(settings);
    error = error ? error : check_text(rule, compiler);
    error = error ? error : check_fields(settings);
    error = error ? error : check_time(rule, compiler);
    error = error ? error : check_expectations(settings, compiler->pool);
    error = error ? error : check_covered(settings, &settings->id, AV_SELECT_ID, "id", false, compiler->pool);
    error = error ? error : check_client(rule, compiler->pool);
    error = error ? error : add_places(rule);
    error = error ? error : load_keys(rule, compiler);
    note_headers(rule);
    if (settings->id.is_set) {
        av_template_delimiters(&settings->text, &settings->id.selector, AV_SELECT_ID, &settings->before_id,
                               &settings->after_id);
    }
    rule->looks_inside = (kinds_of_values(settings) & BODY_VALUES) != 0;
    settings->wants_json = (kinds_of_values(settings) & AV_SELECTS(JSON)) != 0;
    return error;
}
