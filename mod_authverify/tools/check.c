/* authverify check: decides a captured request as httpd would, offline, and says why.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/strict_path.h"
#include "../stores/clients_file.h"
#include "../stores/networks_file.h"
#include "arguments.h"
#include "config_section.h"
#include "explanation.h"
#include "file_input.h"
#include "rule_shape.h"
#include "tool.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define PARSE_LIMIT ((apr_size_t)1024 * 1024) /* AuthVerifyBody parse= by default */

typedef struct check_options {
    bool json;
    const char *time, *address, *path, *origin, *config, *location, *virtual_host, *server_root, *signed_text;
    apr_array_header_t *rules, *also, *defines;
} check_options;

/* What is in force, and what httpd makes of the verdict. */
typedef struct scene {
    av_policy *policy;
    apr_array_header_t *notes; /* of const char *, said before everything else */
    const char *mode, *origin; /* NULL: not said */
    bool host_is_ours, strict_path, preflight;
} scene;

#define OPTION(name, kind, member)                  \
    {                                               \
        name, kind, offsetof(check_options, member) \
    }

static const avt_option rows[] = {
    OPTION("--rule", AVT_TEXTS, rules),
    OPTION("--also", AVT_TEXTS, also),
    OPTION("--time", AVT_TEXT, time),
    OPTION("--address", AVT_TEXT, address),
    OPTION("--path", AVT_TEXT, path),
    OPTION("--origin", AVT_TEXT, origin),
    OPTION("--signed-text", AVT_TEXT, signed_text),
    OPTION("--config", AVT_TEXT, config),
    OPTION("--location", AVT_TEXT, location),
    OPTION("--virtual-host", AVT_TEXT, virtual_host),
    OPTION("--server-root", AVT_TEXT, server_root),
    OPTION("--define", AVT_TEXTS, defines),
    OPTION("--json", AVT_SWITCH, json),
    { NULL, AVT_SWITCH, 0 },
};

/* What file:PATH names, as whoever runs this. Returns NULL or a sentence. */
static const char *watch_file(const av_compiler *compiler, const char *location, av_watch *watch)
{
    char *path = NULL;
    if (!av_slice_starts_with(av_slice_of(location), AV_SLICE("file:"))) {
        return "names lists as file:PATH, several of them separated by commas";
    }
    const char *base = *compiler->access.base == '/' ? compiler->access.base : NULL; /* NULL: where this is run */
    if (apr_filepath_merge(&path, base, location + strlen("file:"), 0, compiler->pool) != APR_SUCCESS) {
        return "has a path that cannot be made absolute";
    }
    *watch = (av_watch){ path, getuid(), av_shared_memory_make(path, compiler->pool) };
    return NULL;
}

static const char *open_clients(void *baton, const char *location, const av_client_source **source)
{
    const av_compiler *compiler = baton;
    av_watch watch;
    av_clients_file *file = NULL;
    const char *error = watch_file(compiler, location, &watch);
    error = error ? error : av_clients_file_open(&watch, compiler->crypto, compiler->pool, &file);
    *source = error ? NULL : av_clients_file_source(file);
    return error;
}

static const char *open_networks(void *baton, const char *location, const av_network_source **source)
{
    const av_compiler *compiler = baton;
    av_watch watch;
    av_networks_file *file = NULL;
    const char *error = watch_file(compiler, location, &watch);
    error = error ? error : av_networks_file_open(&watch, compiler->pool, &file);
    *source = error ? NULL : av_networks_file_source(file);
    return error;
}

static const char *add_rule(av_policy *policy, const char *line, bool also, const av_compiler *compiler)
{
    av_words words;
    av_rule *rule = NULL;
    const char *error = av_words_split(line, &words, compiler->pool);
    if (!error && !words.count) {
        error = "the rule is empty";
    }
    error = error ? error : av_rule_compile(words.at[0], &words, compiler, &rule);
    error = error ? error : av_policy_add(policy, rule, also);
    return error ? apr_psprintf(compiler->pool, "rule \"%s\": %s", words.count ? words.at[0] : line, error) : NULL;
}

static const char *add_rules(av_policy *policy, const apr_array_header_t *lines, bool also, const av_compiler *compiler)
{
    const char *error = NULL;
    for (int i = 0; !error && lines && i < lines->nelts; i++) {
        error = add_rule(policy, APR_ARRAY_IDX(lines, i, const char *), also, compiler);
    }
    return error;
}

static av_slice host_of(const av_request *request)
{
    for (apr_size_t i = 0; i < request->header_count; i++) {
        av_slice host = request->headers[i].value, name;
        if (av_slice_equal_nocase(request->headers[i].name, AV_SLICE("Host"))) {
            av_slice_split(&host, ':', &name);
            return name;
        }
    }
    return (av_slice){ "", 0 };
}

/* The rules of --config come to those of --rule; what the command line says besides goes before what the files say. */
static const char *read_section(check_options *options, const av_request *request, av_compiler *compiler, scene *set)
{
    avt_section section;
    av_slice place = options->location ? av_slice_of(options->location) : request->place;
    const avt_config_query query = { .file = options->config,
                                     .root = options->server_root,
                                     .defines = options->defines,
                                     .virtual_host = options->virtual_host,
                                     .host = host_of(request),
                                     .path = av_slice_string(place, compiler->pool) };
    const char *error = avt_section_read(&query, compiler->presets, &section, compiler->pool);
    options->rules = section.rules;
    options->also = section.also;
    compiler->access.base = section.root;
    if (!error && section.preset_path && !options->path) {
        av_presets_set_path(compiler->presets, section.preset_path);
    }
    *set = (scene){ .notes = section.notes,
                    .mode = section.mode,
                    .origin = section.origin,
                    .host_is_ours = section.host_is_ours,
                    .strict_path = section.strict_path,
                    .preflight = section.preflight };
    return error;
}

static const char *check_options_fit(const check_options *options)
{
    bool has_rule = options->rules || options->also;
    bool has_place = options->location || options->virtual_host || options->server_root || options->defines;
    if (options->config) {
        return has_rule ? "either --config or --rule" : NULL;
    }
    return has_place        ? "--location, --virtual-host, --server-root and --define go with --config"
           : options->rules ? NULL
                            : "which rule? --rule 'github secret=file:PATH'";
}

static const char *set_scene(check_options *options, const av_request *request, scene *set, apr_pool_t *pool)
{
    av_compiler *compiler = avt_compiler_create(options->path, pool);
    const char *error = compiler ? NULL : "the library lacks an algorithm";
    *set = (scene){ .notes = apr_array_make(pool, 4, sizeof(const char *)), .host_is_ours = true };
    if (!error && options->config) {
        error = read_section(options, request, compiler, set);
    }
    if (error) {
        return error;
    }
    compiler->open_clients = open_clients;
    compiler->open_networks = open_networks;
    compiler->open_baton = compiler;
    set->policy = av_policy_create(pool);
    error = add_rules(set->policy, options->rules, false, compiler);
    error = error ? error : add_rules(set->policy, options->also, true, compiler);
    for (int i = 0; i < compiler->warnings->nelts; i++) {
        *(const char **)apr_array_push(set->notes) =
            apr_pstrcat(pool, "warning: ", APR_ARRAY_IDX(compiler->warnings, i, const char *), NULL);
    }
    return error ? error : av_policy_check(set->policy);
}

static const char *read_address(const char *text, av_address *address)
{
    unsigned char bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *address = av_address_of_ipv4(bytes);
        return NULL;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        *address = av_address_of_ipv6(bytes);
        return NULL;
    }
    return "--address is an IPv4 or IPv6 address";
}

/* When and where from, and what the server is called. */
static const char *set_circumstances(const check_options *options, const scene *set, avt_capture *capture,
                                     apr_pool_t *pool)
{
    const char *origin = options->origin ? options->origin : set->origin;
    capture->request.received_at = apr_time_now();
    capture->request.host_is_ours = set->host_is_ours || options->origin;
    if (origin) {
        capture->request.origin = av_slice_of(origin);
    }
    const char *error = options->time ? avt_time_read(options->time, &capture->request.received_at, pool) : NULL;
    return error || !options->address ? error : read_address(options->address, &capture->request.address);
}

/* As body_spool.c does: fed while it comes, and kept behind its lead where something looks inside. */
static void read_body(const avt_capture *capture, av_reading *reading, apr_pool_t *pool)
{
    reading->parse_limit = PARSE_LIMIT;
    if (!reading->wants_body) {
        return;
    }
    av_feed(reading, capture->body.at, capture->body.len);
    if (reading->keeps_body) {
        char *kept = apr_palloc(pool, reading->lead.len + capture->body.len + 1);
        memcpy(kept, reading->lead.len ? reading->lead.at : "", reading->lead.len);
        memcpy(kept + reading->lead.len, capture->body.at, capture->body.len);
        reading->body = (av_slice){ kept + reading->lead.len, capture->body.len };
    }
}

static av_verdict decide(const scene *set, const avt_capture *capture, avt_explanation *explanation)
{
    av_claim *claim = NULL;
    av_reading reading;
    if (set->strict_path && !av_path_is_plain(capture->request.path)) {
        avt_say(explanation, "AuthVerifyStrictPath: a second decoder may read the path differently");
        return av_refusal(AV_MALFORMED_REQUEST, NULL);
    }
    if (set->preflight && av_is_preflight(set->policy, &capture->request, explanation->pool)) {
        avt_say(explanation, "AuthVerifyPreflight: httpd lets this preflight through, without identity");
        return (av_verdict){ .reason = AV_NOT_PRESENTED, .is_preflight = true };
    }
    av_reason reason = av_find(set->policy, &capture->request, &claim, explanation->pool);
    avt_explain_choice(explanation, set->policy, claim, reason);
    reason = reason == AV_ACCEPTED ? av_open(claim, &reading, explanation->pool) : reason;
    av_verdict verdict = av_refusal(reason, claim);
    if (reason == AV_ACCEPTED) {
        read_body(capture, &reading, explanation->pool);
        verdict = av_prove(claim, &reading, &capture->request, explanation->pool);
    }
    avt_explain_claims(explanation, claim, capture, &verdict);
    return verdict;
}

/* A refusal that httpd lets through all the same must not look like one that it does not. */
static void explain_mode(const scene *set, const av_verdict *verdict, avt_explanation *explanation)
{
    if (verdict->reason == AV_ACCEPTED || !set->mode) {
        return;
    }
    if (strcasecmp(set->mode, "observe") == 0) {
        avt_say(explanation, "AuthVerifyMode observe: httpd notes this verdict, and lets the request through");
    } else if (strcasecmp(set->mode, "optional") == 0 && verdict->reason == AV_NOT_PRESENTED) {
        avt_say(explanation, "AuthVerifyMode optional: \"Require authverify\" has the last word on such a request");
    }
}

static json_t *text_value(const char *text)
{
    return text ? json_string(text) : json_null();
}

static void print_value(const avt_explanation *explanation, const av_verdict *verdict)
{
    json_t *steps = json_array();
    for (int i = 0; i < explanation->steps->nelts; i++) {
        json_array_append_new(steps, json_string(APR_ARRAY_IDX(explanation->steps, i, const char *)));
    }
    json_t *value =
        json_pack("{s:b, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "accepted", verdict->reason == AV_ACCEPTED, "reason",
                  av_reason_name(verdict->reason), "text", av_reason_text(verdict->reason), "status",
                  av_reason_status(verdict->reason), "rule", text_value(verdict->rule ? verdict->rule->name : NULL),
                  "client", text_value(verdict->client), "label", text_value(verdict->label), "signed-text",
                  text_value(explanation->signed_text), "steps", steps);
    json_dumpf(value, stdout, JSON_INDENT(2));
    json_decref(value);
    putchar('\n');
}

static void print_steps(const avt_explanation *explanation, const av_verdict *verdict)
{
    for (int i = 0; i < explanation->steps->nelts; i++) {
        puts(APR_ARRAY_IDX(explanation->steps, i, const char *));
    }
    if (verdict->reason == AV_ACCEPTED) {
        printf("accepted: client \"%s\", secret \"%s\"\n", verdict->client, verdict->label ? verdict->label : "");
    } else {
        printf("refused: %s, status %d: %s\n", av_reason_name(verdict->reason), av_reason_status(verdict->reason),
               av_reason_text(verdict->reason));
    }
}

static avt_status explain(const check_options *options, const scene *set, const avt_capture *capture, apr_pool_t *pool)
{
    avt_explanation explanation = { .steps = apr_array_make(pool, 16, sizeof(const char *)), .pool = pool };
    const char *error =
        options->signed_text ? avt_file_read(options->signed_text, &explanation.client_text, pool) : NULL;
    if (error) {
        return avt_fail(AVT_FILE, "%s: %s", options->signed_text, error);
    }
    for (int i = 0; i < set->notes->nelts; i++) {
        avt_say(&explanation, "%s", APR_ARRAY_IDX(set->notes, i, const char *));
    }
    if (capture->note) {
        avt_say(&explanation, "%s", capture->note);
    }
    av_verdict verdict = decide(set, capture, &explanation);
    explain_mode(set, &verdict, &explanation);
    (options->json ? print_value : print_steps)(&explanation, &verdict);
    avt_status printed = avt_printed();
    return printed != AVT_OK ? printed : verdict.reason == AV_ACCEPTED ? AVT_OK : AVT_REFUSED;
}

static avt_status check(int count, const char *const *arguments, apr_pool_t *pool)
{
    check_options options = { 0 };
    apr_array_header_t *operands;
    scene set;
    avt_capture capture;
    av_slice text = { "", 0 };
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    error = !error && operands->nelts != 1 ? "which request? check --rule 'WORDS' FILE|-" : error;
    error = error ? error : check_options_fit(&options);
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    const char *path = APR_ARRAY_IDX(operands, 0, const char *);
    error = avt_file_read(path, &text, pool);
    error = error ? error : avt_capture_read(text, &capture, pool);
    if (error) {
        return avt_fail(AVT_FILE, "%s: %s", path, error);
    }
    error = set_scene(&options, &capture.request, &set, pool);
    error = error ? error : set_circumstances(&options, &set, &capture, pool);
    return error ? avt_fail(AVT_USAGE, "%s", error) : explain(&options, &set, &capture, pool);
}

const avt_command avt_check = {
    .name = "check",
    .brief = "decide a captured request offline, and explain each step",
    .help =
        "usage: authverify check --rule 'WORDS' [OPTION ...] FILE|-\n"
        "       authverify check --config FILE [--location PATH] [OPTION ...] FILE|-\n\n"
        "FILE holds a request as it was sent: request line, header fields, an empty line, body. WORDS are what follows\n"
        "AuthVerify. Tells which rule saw its credential, what was signed, what differed, and the reason.\n\n"
        "  --rule 'WORDS'         a rule; again for an alternative\n"
        "  --also 'WORDS'         a rule that must hold besides, as AuthVerifyAlso\n"
        "  --config FILE          the rules that an httpd configuration has in force for the request's path\n"
        "  --location PATH        ... for this path\n"
        "  --virtual-host ADDRESS ... in the virtual host that is written <VirtualHost ADDRESS>; none: outside of all\n"
        "  --server-root DIR      as httpd -d, until the file says a ServerRoot (the file's folder)\n"
        "  --define NAME[=VALUE]  as httpd -D; again for another\n"
        "  --time TIME            when it was received (now): 2027-01-01T12:00:00Z, seconds since 1970, now\n"
        "  --address ADDRESS      where it came from, for from=\n"
        "  --origin URL           as AuthVerifyExternalURL (https:// and Host)\n"
        "  --signed-text FILE     what the client says it has signed (for aws4: its canonical request or string to sign),\n"
        "                         to see where that differs\n"
        "  --path DIR             the folder of presets\n"
        "  --json                 print an object\n\n"
        "Of a configuration, what hangs on more than paths and hosts is not evaluated: check says so, and gives no verdict\n"
        "where it matters. Status: 0 accepted, 1 refused, 2 usage or a rule that httpd would not take, 3 the file cannot\n"
        "be read or is no request.\n",
    .run = check,
};
