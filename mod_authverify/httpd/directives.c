/* The directives. Each setter takes its words and stores them; rules are compiled in check_config, when all is read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "directives.h"
#include "config.h"
#include "header_value.h"
#include "throttles.h"

#include <sys/vfs.h>

#define TMPFS_MAGIC_NUMBER 0x01021994

static const char *where(const cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "line %d of %s", cmd->directive->line_num, cmd->directive->filename);
}

/* httpd says file and line; which of several directives is meant must be in the sentence. */
static const char *named(const cmd_parms *cmd, const char *error)
{
    return error ? apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", error, NULL) : NULL;
}

/* In .htaccess a directive is read again for every request, by whoever may write the folder. */
static bool is_htaccess(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
}

static const char *outside_limit(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_LIMIT)
               ? "cannot stand inside <Limit> or <LimitExcept>: the other methods would be open"
               : NULL;
}

static const char *switch_off(cmd_parms *cmd, avh_section *section, const av_words *words)
{
    if (words->count > 1) {
        return "AuthVerify off takes no options";
    }
    if (section->protection == AVH_ON) {
        return "AuthVerify off contradicts the rules of the same section";
    }
    section->protection = is_htaccess(cmd) ? AVH_OFF_BY_HTACCESS : AVH_OFF;
    return NULL;
}

/* A rule in .htaccess: a preset that was compiled with its secret at start, narrowed. */
static const char *add_narrowed(cmd_parms *cmd, avh_section *section, const av_words *words, bool also)
{
    const avh_server *server = avh_server_of(cmd->server);
    av_compiler compiler = avh_compiler(cmd->server, cmd->pool);
    const av_preset *preset = NULL;
    for (int i = 0; (preset = av_presets_at(server->presets, i)); i++) {
        if (preset->rule && strcmp(preset->name, words->at[0]) == 0) {
            break;
        }
    }
    if (!preset) {
        return "in .htaccess a rule must name a preset that the server's configuration defines with its secret "
               "(AuthVerifyPreset NAME ... secret=...)";
    }
    av_rule *rule = NULL;
    const char *error = av_rule_narrow(preset->rule, words, &compiler, &rule);
    return error ? error : av_policy_add(section->policy, rule, also);
}

static const char *add_rule(cmd_parms *cmd, avh_section *section, const av_words *words, bool also)
{
    if (section->protection == AVH_OFF || section->protection == AVH_OFF_BY_HTACCESS) {
        return "AuthVerify off of the same section contradicts this rule";
    }
    section->protection = AVH_ON;
    if (!section->policy) {
        section->policy = av_policy_create(cmd->pool);
        section->policy->is_passing = is_htaccess(cmd);
    }
    if (is_htaccess(cmd)) {
        return add_narrowed(cmd, section, words, also);
    }
    avh_line *line = apr_array_push(avh_server_of(cmd->server)->lines);
    *line =
        (avh_line){ cmd->cmd->name, where(cmd), *words, section->policy, section, also, cmd->directive, cmd->context };
    return NULL;
}

static const char *read_rule(cmd_parms *cmd, av_words *words, const char *args)
{
    const char *error = outside_limit(cmd);
    error = error ? error : av_words_split(args, words, cmd->pool);
    return error || words->count ? error : "a scheme or preset must be named";
}

static const char *set_rule(cmd_parms *cmd, void *section, const char *args)
{
    av_words words = { NULL, 0 };
    const char *error = read_rule(cmd, &words, args);
    if (!error && strcmp(words.at[0], "off") == 0) {
        return switch_off(cmd, section, &words);
    }
    return named(cmd, error ? error : add_rule(cmd, section, &words, false));
}

static const char *set_also(cmd_parms *cmd, void *section, const char *args)
{
    av_words words = { NULL, 0 };
    const char *error = read_rule(cmd, &words, args);
    return named(cmd, error ? error : add_rule(cmd, section, &words, true));
}

static const char *set_preset(cmd_parms *cmd, void *section, const char *args)
{
    av_words words = { NULL, 0 };
    const char *error = av_words_split(args, &words, cmd->pool);
    (void)section;
    return named(cmd, error ? error : av_presets_add(avh_server_of(cmd->server)->presets, &words, where(cmd)));
}

static const char *set_preset_path(cmd_parms *cmd, void *section, const char *path)
{
    (void)section;
    path = ap_server_root_relative(cmd->pool, path);
    if (!path || !ap_is_directory(cmd->temp_pool, path)) {
        return apr_pstrcat(cmd->pool, "AuthVerifyPresetPath: there is no folder ", path ? path : "of this name", NULL);
    }
    av_presets_set_path(avh_server_of(cmd->server)->presets, path);
    return NULL;
}

/* "25m": bytes, with k, m or g for powers of 1024. */
static const char *read_size(const char *value, apr_off_t most, apr_off_t *size)
{
    char *end = NULL;
    apr_off_t factor = 1;
    if (*value < '0' || *value > '9' || apr_strtoff(size, value, &end, 10) != APR_SUCCESS) {
        return "must be a number of bytes, which k, m or g may follow";
    }
    switch (*end) {
    case 'k':
        factor = 1024;
        break;
    case 'm':
        factor = 1024 * 1024;
        break;
    case 'g':
        factor = 1024 * 1024 * 1024;
        break;
    default:
        end--;
    }
    if (end[1] || *size < 1 || *size > most / factor) {
        return "must be a number of bytes from 1 up, which k, m or g may follow, and not beyond what a machine holds";
    }
    *size *= factor;
    return NULL;
}

#define MOST_BODY ((apr_off_t)1 << 50)
#define MOST_MEMORY ((apr_off_t)1 << 30)

#define LEAST_REPLAY_MEMORY 4096

/* "shm" or "shm:10m". */
static const char *set_replay(cmd_parms *cmd, void *section, const char *value)
{
    apr_off_t size = AVH_DEFAULT_REPLAY_MEMORY;
    const char *error = NULL;
    (void)section;
    if (strncmp(value, "shm:", 4) == 0) {
        error = read_size(value + 4, MOST_MEMORY, &size);
    } else if (strcmp(value, "shm") != 0) {
        error = "must be shm, or shm:SIZE such as shm:10m";
    }
    avh_server_of(cmd->server)->replay_memory = (apr_size_t)size;
    return named(cmd, error || size >= LEAST_REPLAY_MEMORY ? error : "must be 4k at least");
}

static const char *set_mode(cmd_parms *cmd, void *section, const char *value)
{
    static const char *const modes[] = { "enforce", "optional", "observe" };
    unsigned index = 0;
    const char *error = outside_limit(cmd);
    error = error ? error : av_option_choice(value, modes, 3, &index, cmd->pool);
    ((avh_section *)section)->mode = AVH_ENFORCE + index;
    return named(cmd, error);
}

static const char *set_override(cmd_parms *cmd, void *section, int on)
{
    ((avh_section *)section)->override = on ? AVH_SWITCH_ON : AVH_SWITCH_OFF;
    return named(cmd, outside_limit(cmd));
}

static const char *set_strict_path(cmd_parms *cmd, void *section, int on)
{
    ((avh_section *)section)->strict_path = on ? AVH_SWITCH_ON : AVH_SWITCH_OFF;
    return named(cmd, outside_limit(cmd));
}

static const char *set_preflight(cmd_parms *cmd, void *section, int on)
{
    ((avh_section *)section)->preflight = on ? AVH_SWITCH_ON : AVH_SWITCH_OFF;
    return named(cmd, outside_limit(cmd));
}

static const char *set_limit(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return read_size(value, MOST_BODY, &((avh_section *)target)->body_limit);
}

static const char *set_memory(void *target, const char *value, const av_compiler *compiler)
{
    apr_off_t size = 0;
    const char *error = read_size(value, MOST_MEMORY, &size);
    (void)compiler;
    ((avh_section *)target)->body_memory = (apr_size_t)size;
    return error ? error : size < 4096 ? "must be 4k at least" : NULL;
}

static const char *set_parse(void *target, const char *value, const av_compiler *compiler)
{
    apr_off_t size = 0;
    const char *error = read_size(value, MOST_MEMORY, &size);
    (void)compiler;
    ((avh_section *)target)->body_parse = (apr_size_t)size;
    return error;
}

static const char *set_spool(void *target, const char *value, const av_compiler *compiler)
{
    struct statfs info;
    const char *path = ap_server_root_relative(compiler->pool, value);
    if (!path || !ap_is_directory(compiler->pool, path)) {
        return apr_pstrcat(compiler->pool, "there is no folder ", value, NULL);
    }
    if (statfs(path, &info) == 0 && info.f_type == TMPFS_MAGIC_NUMBER) {
        *(const char **)apr_array_push(compiler->warnings) =
            apr_pstrcat(compiler->pool, "AuthVerifyBody spool=", path,
                        " is kept in memory (tmpfs): bodies beyond memory= are "
                        "not moved out of it",
                        NULL);
    }
    ((avh_section *)target)->spool = path;
    return NULL;
}

static const char *set_timeout(void *target, const char *value, const av_compiler *compiler)
{
    apr_interval_time_t timeout = 0;
    (void)compiler;
    if (ap_timeout_parameter_parse(value, &timeout, "s") != APR_SUCCESS || timeout <= 0) {
        return "must be a time such as 60 or 500ms";
    }
    ((avh_section *)target)->body_timeout = timeout;
    return NULL;
}

static const av_option body_options[] = {
    { "limit", set_limit, false }, { "memory", set_memory, false },   { "parse", set_parse, false },
    { "spool", set_spool, false }, { "timeout", set_timeout, false }, { NULL, NULL, false },
};

static const char *set_body(cmd_parms *cmd, void *section, const char *args)
{
    av_words words = { NULL, 0 };
    apr_array_header_t *settings = NULL;
    const av_option_target target = { body_options, section };
    av_compiler compiler = avh_compiler(cmd->server, cmd->pool);
    const char *line = apr_pstrcat(cmd->pool, cmd->cmd->name, " ", args, NULL);
    const char *error = outside_limit(cmd);
    error = error ? error : av_words_split(line, &words, cmd->pool);
    error = error || words.count > 1 ? error : "takes limit=, memory=, parse=, spool= or timeout=";
    error = error ? error : av_settings_split(&words, 1, &settings, cmd->pool);
    error = error ? error : av_settings_apply(settings, &target, 1, &compiler);
    const char *spool = ((avh_section *)section)->spool;
    if (!error && spool) {
        *(const char **)apr_array_push(avh_server_of(cmd->server)->spools) = spool;
    }
    for (int i = 0; i < compiler.warnings->nelts && !error; i++) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, cmd->server, "AuthVerify: %s: %s", where(cmd),
                     APR_ARRAY_IDX(compiler.warnings, i, const char *));
    }
    return named(cmd, error);
}

static const char *set_token(cmd_parms *cmd, void *target, const char *args)
{
    avh_section *section = target;
    av_words words = { NULL, 0 };
    const char *error = outside_limit(cmd);
    error = error ? error : av_words_split(apr_pstrcat(cmd->pool, cmd->cmd->name, " ", args, NULL), &words, cmd->pool);
    if (!error && section->issuer) {
        error = "stands twice in one section";
    }
    if (error) {
        return named(cmd, error);
    }
    avh_token_line *line = apr_array_push(avh_server_of(cmd->server)->tokens);
    *line = (avh_token_line){ where(cmd), words, apr_pcalloc(cmd->pool, sizeof(av_issuer)) };
    section->issuer = line->issuer;
    return NULL;
}

static const char *set_throttle(cmd_parms *cmd, void *target, const char *args)
{
    avh_section *section = target;
    av_words words = { NULL, 0 };
    const char *error = outside_limit(cmd);
    error = error ? error : av_words_split(apr_pstrcat(cmd->pool, cmd->cmd->name, " ", args, NULL), &words, cmd->pool);
    error = error || !section->throttle ? error : "stands twice in one section";
    return named(cmd, error ? error : avh_throttle_read(cmd, &words, &section->throttle));
}

/* "https://host[:port][/prefix]" without query, fragment or user. */
static bool is_origin(const char *url)
{
    const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : strncmp(url, "http://", 7) == 0 ? url + 7 : NULL;
    return host && *host && *host != '/' && !strpbrk(url, "?#@ \t");
}

static const char *set_external_url(cmd_parms *cmd, void *target, const char *value)
{
    avh_section *section = target;
    const char *error = outside_limit(cmd);
    if (error || strcmp(value, "as-registered") == 0) {
        section->registered = AVH_SWITCH_ON;
        section->origin = NULL;
        return named(cmd, error);
    }
    if (!is_origin(value)) {
        return named(
            cmd, "must be as-registered, or a URL such as https://hooks.example.com: scheme, host and perhaps a port "
                 "and the start of a path");
    }
    apr_size_t len = strlen(value);
    section->origin = apr_pstrmemdup(cmd->pool, value, value[len - 1] == '/' ? len - 1 : len);
    section->registered = AVH_SWITCH_OFF;
    return NULL;
}

static const char *set_error_body(cmd_parms *cmd, void *section, const char *value)
{
    static const char *const bodies[] = { "problem", "html", "empty", "aws" };
    unsigned index = 0;
    const char *error = outside_limit(cmd);
    error = error ? error : av_option_choice(value, bodies, 4, &index, cmd->pool);
    ((avh_section *)section)->error_body = AVH_PROBLEM + index;
    return named(cmd, error);
}

static bool is_token(const char *name)
{
    return *name && strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
                        strlen(name);
}

/* Names whose value decides how a request is read or by whom it was sent. */
static bool is_reserved(const char *name)
{
    static const char *const names[] = { "Host",          "Content-Length", "Transfer-Encoding", "Connection",
                                         "Authorization", "Expect",         "Upgrade",           "TE",
                                         "Trailer",       "Cookie",         "Content-Type" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *set_header(cmd_parms *cmd, void *target, const char *name, const char *value)
{
    avh_section *section = target;
    avh_header *header = apr_pcalloc(cmd->pool, sizeof(*header));
    const char *error = outside_limit(cmd);
    if (!error && (!is_token(name) || is_reserved(name))) {
        error = apr_psprintf(cmd->pool, "\"%s\" cannot be the name of a header for the handler", name);
    }
    error = error ? error : avh_value_parse(value, &header->value, cmd->pool);
    if (error) {
        return named(cmd, error);
    }
    header->name = apr_pstrdup(cmd->pool, name);
    avh_header **end = &section->headers;
    while (*end) {
        end = &(*end)->next;
    }
    *end = header;
    *(avh_exported *)apr_array_push(avh_server_of(cmd->server)->exported) = (avh_exported){ header->name, where(cmd) };
    return NULL;
}

#define SECTIONS (RSRC_CONF | ACCESS_CONF)

const command_rec avh_directives[] = {
    AP_INIT_RAW_ARGS("AuthVerify", set_rule, NULL, SECTIONS | OR_AUTHCFG,
                     "SCHEME|PRESET [name=value ...], or off: a rule that a request must meet"),
    AP_INIT_RAW_ARGS("AuthVerifyAlso", set_also, NULL, SECTIONS | OR_AUTHCFG,
                     "SCHEME|PRESET [name=value ...]: a rule that must hold besides"),
    AP_INIT_RAW_ARGS("AuthVerifyPreset", set_preset, NULL, RSRC_CONF,
                     "NAME SCHEME name=value ...: a named set of options"),
    AP_INIT_TAKE1("AuthVerifyPresetPath", set_preset_path, NULL, RSRC_CONF, "the folder of the shipped presets"),
    AP_INIT_TAKE1("AuthVerifyReplay", set_replay, NULL, RSRC_CONF,
                  "shm or shm:SIZE: where it is remembered what was used and may be used once"),
    AP_INIT_TAKE1("AuthVerifyMode", set_mode, NULL, SECTIONS, "enforce, optional or observe"),
    AP_INIT_FLAG("AuthVerifyOverride", set_override, NULL, ACCESS_CONF, "whether AuthVerify off works in .htaccess"),
    AP_INIT_RAW_ARGS("AuthVerifyBody", set_body, NULL, SECTIONS, "limit=, memory=, parse=, spool=, timeout="),
    AP_INIT_RAW_ARGS("AuthVerifyToken", set_token, NULL, SECTIONS,
                     "clients= key= algorithm= issuer= audience= ...: what the token endpoint gives to whom"),
    AP_INIT_RAW_ARGS("AuthVerifyThrottle", set_throttle, NULL, SECTIONS,
                     "failures= network-failures= tokens= window= ipv4= ipv6=, or off: how often a proof may fail"),
    AP_INIT_TAKE1("AuthVerifyExternalURL", set_external_url, NULL, SECTIONS,
                  "what senders call this server: https://host, or as-registered"),
    AP_INIT_FLAG("AuthVerifyStrictPath", set_strict_path, NULL, SECTIONS,
                 "whether paths that a second decoder may read differently are refused"),
    AP_INIT_FLAG("AuthVerifyPreflight", set_preflight, NULL, SECTIONS,
                 "whether a CORS preflight passes unproven, without identity and body"),
    AP_INIT_TAKE1("AuthVerifyErrorBody", set_error_body, NULL, SECTIONS,
                  "problem, html, empty or aws: the body of a refusal"),
    AP_INIT_TAKE2("AuthVerifyHeader", set_header, NULL, SECTIONS,
                  "NAME VALUE: a trusted request header for the handler"),
    { .name = NULL },
};
