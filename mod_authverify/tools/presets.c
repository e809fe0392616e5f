/* authverify presets: which there are, and what each of them reads and signs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../schemes/signature/settings.h"
#include "arguments.h"
#include "rule_shape.h"
#include "tool.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct preset_options {
    bool json;
    const char *path;
} preset_options;

static const avt_option rows[] = { { "--json", AVT_SWITCH, offsetof(preset_options, json) },
                                   { "--path", AVT_TEXT, offsetof(preset_options, path) },
                                   { NULL, AVT_SWITCH, 0 } };

/* One line of what is said of a preset. */
typedef struct fact {
    const char *name, *value;
} fact;

typedef struct description {
    apr_array_header_t *list; /* of fact */
    apr_pool_t *pool;
} description;

static void tell(description *facts, const char *name, const char *value)
{
    *(fact *)apr_array_push(facts->list) = (fact){ name, value };
}

static const char *encoding_name(av_encoding encoding)
{
    static const char *const names[] = { "hex", "hex of either case", "base64", "base64url", "as it is" };
    return names[encoding];
}

static const char *signature_text(const av_signature_settings *settings, apr_pool_t *pool)
{
    const char *text = "";
    for (apr_size_t i = 0; i < settings->signature_count; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", av_selector_text(&settings->signatures[i], pool), NULL);
    }
    if (settings->fields.is_set) {
        text = apr_pstrcat(pool, text, " of ", av_selector_text(&settings->fields.selector, pool), NULL);
    }
    return text;
}

static const char *form_text(const av_signature_settings *settings, apr_pool_t *pool)
{
    const char *text = encoding_name(settings->encoding);
    if (settings->prefix.len) {
        text = apr_pstrcat(pool, text, " behind ", av_slice_string(settings->prefix, pool), NULL);
    }
    if (settings->list) {
        text = apr_pstrcat(pool, text, ", a list separated by ", settings->list == ' ' ? "blanks" : "commas", NULL);
    }
    if (settings->version.len) {
        text = apr_pstrcat(pool, text, ", entries of version ", av_slice_string(settings->version, pool), NULL);
    }
    return text;
}

static const char *template_text(const av_template *template, apr_pool_t *pool)
{
    const char *text = "";
    for (apr_size_t i = 0; i < template->count; i++) {
        const av_template_part *part = &template->parts[i];
        text = apr_pstrcat(pool, text, part->is_literal ? part->literal.at : av_selector_text(&part->selector, pool),
                           NULL);
    }
    return text;
}

static const char *key_text(const av_signature_settings *settings, apr_pool_t *pool)
{
    const char *text = settings->key_is_pem ? "pem" : encoding_name(settings->key_encoding);
    return settings->key_prefix ? apr_pstrcat(pool, text, " behind ", settings->key_prefix, NULL) : text;
}

static void tell_selector(description *facts, const char *name, const av_optional_selector *value)
{
    if (value->is_set) {
        tell(facts, name, av_selector_text(&value->selector, facts->pool));
    }
}

static void tell_time(description *facts, const av_rule *rule, const av_signature_settings *settings)
{
    static const char *const formats[] = { "unix", "unix-ms", "rfc3339" };
    if (!rule->has_time) {
        return;
    }
    tell_selector(facts, "time", &settings->timestamp);
    tell(facts, "time-format", formats[settings->format]);
    tell(facts, "tolerance",
         apr_psprintf(facts->pool, "%" APR_TIME_T_FMT ":%" APR_TIME_T_FMT, apr_time_sec(rule->past),
                      apr_time_sec(rule->future)));
}

static void tell_signature(description *facts, const av_rule *rule)
{
    const av_signature_settings *settings = rule->settings;
    tell(facts, "signature", signature_text(settings, facts->pool));
    tell(facts, "written", form_text(settings, facts->pool));
    tell(facts, "algorithm", settings->algorithm->name);
    tell(facts, "signed", settings->algorithm->reads_text ? template_text(&settings->text, facts->pool) : "nothing");
    tell(facts, "secret",
         settings->algorithm->public_key
             ? apr_pstrcat(facts->pool, "a public key, ", key_text(settings, facts->pool), NULL)
             : key_text(settings, facts->pool));
    tell_time(facts, rule, settings);
    tell_selector(facts, "id", &settings->id);
    tell_selector(facts, "unsigned-id", &settings->unsigned_id);
}

/* All that is said of one preset. */
static const char *look(const char *name, const av_compiler *compiler, description *facts)
{
    const av_preset *preset = NULL;
    av_rule *rule = NULL;
    const av_words words = { &name, 1 };
    facts->pool = compiler->pool;
    facts->list = apr_array_make(compiler->pool, 12, sizeof(fact));
    const char *error = av_presets_find(compiler->presets, name, &preset);
    error = error || !preset ? error : avt_rule_shape(&words, compiler, &rule);
    if (error || !preset) {
        return error;
    }
    tell(facts, "name", name);
    tell(facts, "origin", preset->origin);
    tell(facts, "scheme", rule->scheme->name);
    if (strcmp(rule->scheme->name, "signature") == 0) {
        tell_signature(facts, rule);
    }
    return NULL;
}

static json_t *facts_value(const description *facts)
{
    json_t *object = json_object();
    for (int i = 0; i < facts->list->nelts; i++) {
        const fact *each = &APR_ARRAY_IDX(facts->list, i, fact);
        json_object_set_new(object, each->name, json_string(each->value));
    }
    return object;
}

static avt_status print_value(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    json_decref(value);
    putchar('\n');
    return avt_printed();
}

static avt_status show_one(const char *name, const av_compiler *compiler, bool json)
{
    description facts;
    const char *error = look(name, compiler, &facts);
    if (error) {
        return avt_fail(AVT_FILE, "%s", error);
    }
    if (!facts.list->nelts) {
        return avt_fail(AVT_REFUSED, "there is no preset \"%s\" in %s", name, av_presets_path(compiler->presets));
    }
    if (json) {
        return print_value(facts_value(&facts));
    }
    for (int i = 0; i < facts.list->nelts; i++) {
        const fact *each = &APR_ARRAY_IDX(facts.list, i, fact);
        printf("%-12s %s\n", each->name, each->value);
    }
    return avt_printed();
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *fact_of(const description *facts, const char *name)
{
    for (int i = 0; i < facts->list->nelts; i++) {
        const fact *each = &APR_ARRAY_IDX(facts->list, i, fact);
        if (strcmp(each->name, name) == 0) {
            return each->value;
        }
    }
    return "";
}

static avt_status show_all(const av_compiler *compiler, bool json)
{
    apr_array_header_t *names = av_presets_names(compiler->presets, compiler->pool);
    json_t *list = json_array();
    const char *error = NULL;
    qsort(names->elts, (size_t)names->nelts, sizeof(const char *), by_name);
    for (int i = 0; !error && i < names->nelts; i++) {
        description facts;
        error = look(APR_ARRAY_IDX(names, i, const char *), compiler, &facts);
        if (!error && json) {
            json_array_append_new(list, facts_value(&facts));
        } else if (!error) {
            printf("%-24s %-12s %s\n", fact_of(&facts, "name"), fact_of(&facts, "algorithm"),
                   fact_of(&facts, "signature"));
        }
    }
    if (error || !names->nelts) {
        json_decref(list);
        return avt_fail(AVT_FILE, "%s%s", error ? error : "there are no presets in ",
                        error ? "" : av_presets_path(compiler->presets));
    }
    if (json) {
        return print_value(list);
    }
    json_decref(list);
    return avt_printed();
}

static avt_status presets(int count, const char *const *arguments, apr_pool_t *pool)
{
    preset_options options = { 0 };
    apr_array_header_t *operands;
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    if (error || operands->nelts > 1) {
        return avt_fail(AVT_USAGE, "%s", error ? error : "one preset at a time");
    }
    const av_compiler *compiler = avt_compiler_create(options.path, pool);
    if (!compiler) {
        return avt_fail(AVT_FILE, "the library lacks an algorithm");
    }
    return operands->nelts ? show_one(APR_ARRAY_IDX(operands, 0, const char *), compiler, options.json)
                           : show_all(compiler, options.json);
}

const avt_command avt_presets = {
    .name = "presets",
    .brief = "list the presets, or show what one of them reads and signs",
    .help = "usage: authverify presets [NAME] [--path DIR] [--json]\n\n"
            "  --path DIR             the folder of presets, as AuthVerifyPresetPath; by default the installed one\n"
            "  --json                 print an array, or of one preset an object\n\n"
            "Status: 0 done, 1 no such preset, 2 usage, 3 a preset's file is not right, or there is none.\n",
    .run = presets,
};
