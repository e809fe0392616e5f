/* The options of an aws4 rule.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"
#include "keys.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define TOLERANCE 900 /* AWS's own: fifteen minutes either way */

void av_aws4_init(void *target)
{
    (void)target; /* the strict word of each option is the zero one */
}

static const char *set_access_key(void *target, const char *value, const av_compiler *compiler)
{
    av_aws4_settings *settings = target;
    settings->access_key = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_slice_is_visible(settings->access_key) && !av_slice_contains(settings->access_key, ',')
               ? NULL
               : "must be visible ASCII characters without commas";
}

static const char *set_session_token(void *target, const char *value, const av_compiler *compiler)
{
    av_source *source = apr_pcalloc(compiler->pool, sizeof(*source));
    ((av_aws4_settings *)target)->session_token_source = source;
    return av_source_parse(value, source, compiler->pool);
}

static const char *set_list(av_slice *list, const char *value, const av_compiler *compiler)
{
    *list = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_slice_contains(*list, '/') ? "holds a slash" : av_list_check(*list);
}

static const char *set_region(void *target, const char *value, const av_compiler *compiler)
{
    return set_list(&((av_aws4_settings *)target)->regions, value, compiler);
}

static const char *set_service(void *target, const char *value, const av_compiler *compiler)
{
    const char *error = set_list(&((av_aws4_settings *)target)->services, value, compiler);
    return !error && strchr(value, '*') ? "names services one by one; a star stands for none" : error;
}

static const char *set_s3(void *target, const char *value, const av_compiler *compiler)
{
    bool is_on = false;
    (void)compiler;
    const char *error = av_option_switch(value, &is_on);
    ((av_aws4_settings *)target)->s3 = is_on ? AV_AWS4_S3_ON : AV_AWS4_S3_OFF;
    return error;
}

static const char *set_path(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const words[] = { "normalize", "raw", "s3", "s3-merge" };
    unsigned index = 0;
    const char *error = av_option_choice(value, words, 4, &index, compiler->pool);
    ((av_aws4_settings *)target)->path = (av_aws4_path)(AV_AWS4_PATH_NORMALIZE + index);
    return error;
}

static const char *set_unsigned_headers(void *target, const char *value, const av_compiler *compiler)
{
    char *names = apr_pstrdup(compiler->pool, value);
    for (char *at = names; *at; at++) {
        *at = (char)apr_tolower(*at);
    }
    return set_list(&((av_aws4_settings *)target)->unsigned_headers, names, compiler);
}

static const char *set_unsigned_payload(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_option_switch(value, &((av_aws4_settings *)target)->allows_unsigned_payload);
}

/* An option of two words, the strict one first. */
static const char *set_lax(bool *is_lax, const char *value, const char *strict, const char *lax,
                           const av_compiler *compiler)
{
    const char *const words[] = { strict, lax };
    unsigned index = 0;
    const char *error = av_option_choice(value, words, 2, &index, compiler->pool);
    *is_lax = index == 1;
    return error;
}

static const char *set_content_sha256(void *target, const char *value, const av_compiler *compiler)
{
    return set_lax(&((av_aws4_settings *)target)->needs_no_content_sha256, value, "required", "optional", compiler);
}

static const char *set_expires(void *target, const char *value, const av_compiler *compiler)
{
    return set_lax(&((av_aws4_settings *)target)->needs_no_expires, value, "required", "optional", compiler);
}

static const char *set_decoded_length(void *target, const char *value, const av_compiler *compiler)
{
    return set_lax(&((av_aws4_settings *)target)->needs_no_decoded_length, value, "required", "optional", compiler);
}

static const char *set_plus(void *target, const char *value, const av_compiler *compiler)
{
    return set_lax(&((av_aws4_settings *)target)->plus_is_space, value, "plus", "space", compiler);
}

static const char *set_token(void *target, const char *value, const av_compiler *compiler)
{
    return set_lax(&((av_aws4_settings *)target)->allows_unsigned_token, value, "signed", "unsigned", compiler);
}

const av_option av_aws4_options[] = {
    { "access-key", set_access_key, false },
    { "session-token", set_session_token, false },
    { "region", set_region, false },
    { "service", set_service, false },
    { "s3", set_s3, false },
    { "path", set_path, false },
    { "unsigned-payload", set_unsigned_payload, false },
    { "unsigned-headers", set_unsigned_headers, false },
    { "content-sha256", set_content_sha256, false },
    { "expires", set_expires, false },
    { "decoded-length", set_decoded_length, false },
    { "plus", set_plus, false },
    { "token", set_token, false },
    { NULL, NULL, false },
};

/* A rule sees its credential in these... */
static const av_place places[] = {
    { AV_PLACE_AUTHORIZATION, { AV_AWS4_HMAC, sizeof(AV_AWS4_HMAC) - 1 } },
    { AV_PLACE_AUTHORIZATION, { AV_AWS4_ECDSA, sizeof(AV_AWS4_ECDSA) - 1 } },
    { AV_PLACE_PARAMETER, { "X-Amz-Algorithm", 15 } },
    { AV_PLACE_PARAMETER, { "X-Amz-Credential", 16 } },
    { AV_PLACE_PARAMETER, { "X-Amz-Signature", 15 } },
};

/* ... and these go with it: they would let whoever reads them build on it, or mean nothing without it. */
static const av_place companions[] = {
    { AV_PLACE_HEADER, { "X-Amz-Security-Token", 20 } },    { AV_PLACE_PARAMETER, { "X-Amz-Security-Token", 20 } },
    { AV_PLACE_PARAMETER, { "X-Amz-Date", 10 } },           { AV_PLACE_PARAMETER, { "X-Amz-Expires", 13 } },
    { AV_PLACE_PARAMETER, { "X-Amz-SignedHeaders", 19 } },  { AV_PLACE_PARAMETER, { "X-Amz-Region-Set", 16 } },
    { AV_PLACE_PARAMETER, { "X-Amz-Content-Sha256", 20 } }, { 0 },
};

static const char *add_places(av_rule *rule)
{
    const char *error = NULL;
    for (size_t i = 0; !error && i < sizeof(places) / sizeof(places[0]); i++) {
        error = av_rule_add_place(rule, places[i]);
    }
    rule->companions = companions;
    return error;
}

/* The one sender's token, which is as secret as its key. */
static const char *load_token(av_aws4_settings *settings, const av_compiler *compiler)
{
    const char *warning = NULL;
    if (!settings->session_token_source) {
        return NULL;
    }
    const char *error = av_source_load(settings->session_token_source, &compiler->access, &settings->session_token,
                                       &warning, compiler->pool);
    if (warning) {
        *(const char **)apr_array_push(compiler->warnings) = warning;
    }
    return error ? apr_pstrcat(compiler->pool, "session-token=: ", error, NULL) : NULL;
}

static const char *check_sender(const av_rule *rule, const av_aws4_settings *settings)
{
    if (rule->clients) {
        return settings->access_key.len || settings->session_token_source
                   ? "access-key= and session-token= are about the one sender of secret=; with clients= the access key "
                     "is the client's id"
                   : NULL;
    }
    return settings->access_key.len ? NULL : "no access-key= is given; add the access key id that secret= belongs to";
}

const char *av_aws4_finish(av_rule *rule, const av_compiler *compiler)
{
    av_aws4_settings *settings = rule->settings;
    if (!settings->regions.len || !settings->services.len) {
        return !settings->regions.len ? "no region= is given; add region=NAME, or region=* for any"
                                      : "no service= is given; add the name that is signed for, as service=execute-api";
    }
    const char *error = check_sender(rule, settings);
    error = error ? error : add_places(rule);
    error = error ? error : load_token(settings, compiler);
    if (settings->access_key.len && rule->identity == rule->name) {
        rule->identity = settings->access_key.at;
    }
    rule->covers_host = true;
    rule->has_time = true;
    rule->time_unit = APR_USEC_PER_SEC;
    rule->default_tolerance = TOLERANCE;
    return error ? error : av_rule_load_keys(rule, &av_aws4_algorithm, AV_RAW, NULL, compiler);
}

bool av_aws4_is_s3(const av_aws4_settings *settings, av_slice service)
{
    return settings->s3 == AV_AWS4_S3_ON ||
           (settings->s3 == AV_AWS4_S3_BY_SERVICE && av_slice_equal(service, AV_SLICE("s3")));
}

av_aws4_path av_aws4_path_form(const av_aws4_settings *settings, av_slice service)
{
    return settings->path != AV_AWS4_PATH_IMPLIED ? settings->path
           : av_aws4_is_s3(settings, service)     ? AV_AWS4_PATH_S3
                                                  : AV_AWS4_PATH_NORMALIZE;
}
