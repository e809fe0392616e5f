/* Reads the options of an introspection rule, and how it shows itself to the endpoint.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"
#include "../jwt/remote_server.h"
#include "form.h"

#include <apr_strings.h>

#define DEFAULT_TIMEOUT apr_time_from_sec(2)
#define MOST_TIMEOUT 30 /* seconds that a request may wait */
#define DEFAULT_CACHE 60
#define MOST_CACHE 3600 /* seconds that a token may be good after it was revoked */
#define DEFAULT_REFUSED 5

void av_introspection_init(void *target)
{
    av_introspection_settings *settings = target;
    settings->terms.issuer = AV_SLICE("");
    settings->terms.required = AV_SLICE("");
    settings->endpoint.timeout = DEFAULT_TIMEOUT;
    settings->remembered = DEFAULT_CACHE;
    settings->refused_are_remembered = -1;
}

static const char *set_endpoint(void *target, const char *value, const av_compiler *compiler)
{
    ((av_introspection_settings *)target)->endpoint.url = apr_pstrdup(compiler->pool, value);
    return av_remote_url_check(av_slice_of(value));
}

static const char *set_authorities(void *target, const char *value, const av_compiler *compiler)
{
    return av_remote_authorities_read(value, &((av_introspection_settings *)target)->endpoint.authorities, compiler);
}

static const char *set_client_id(void *target, const char *value, const av_compiler *compiler)
{
    ((av_introspection_settings *)target)->client_id = av_slice_of(apr_pstrdup(compiler->pool, value));
    return NULL;
}

static const char *set_authentication(void *target, const char *value, const av_compiler *compiler)
{
    static const char *const ways[] = { "client_secret_basic", "client_secret_post", "bearer" };
    unsigned index = 0;
    const char *error = av_option_choice(value, ways, 3, &index, compiler->pool);
    ((av_introspection_settings *)target)->proof = (av_introspection_proof)index;
    return error;
}

static const char *set_timeout(void *target, const char *value, const av_compiler *compiler)
{
    apr_int64_t seconds = 0;
    const char *error = av_jwt_read_seconds(&seconds, value);
    (void)compiler;
    ((av_introspection_settings *)target)->endpoint.timeout = apr_time_from_sec(seconds);
    return error || seconds <= MOST_TIMEOUT ? error : "must be 30 seconds at most: requests wait for it";
}

static const char *read_cache(apr_int64_t *to, const char *value)
{
    const char *error = strcmp(value, "0") == 0 ? NULL : av_jwt_read_seconds(to, value);
    *to = strcmp(value, "0") == 0 ? 0 : *to;
    return error || *to > MOST_CACHE ? "must be seconds, 3600 at most, or 0" : NULL;
}

static const char *set_cache(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return read_cache(&((av_introspection_settings *)target)->remembered, value);
}

static const char *set_negative_cache(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return read_cache(&((av_introspection_settings *)target)->refused_are_remembered, value);
}

const av_option av_introspection_options[] = {
    AV_JWT_TERMS_OPTIONS,
    AV_JWT_POSSESSION_OPTIONS,
    { "endpoint", set_endpoint, false },
    { "endpoint-authorities", set_authorities, false },
    { "client-id", set_client_id, false },
    { "authentication", set_authentication, false },
    { "timeout", set_timeout, false },
    { "cache", set_cache, false },
    { "negative-cache", set_negative_cache, false },
    { NULL, NULL, false },
};

/* What must be said, since nobody is told about a token without it (RFC 7662 section 2.1). */
static const char *check_said(const av_rule *rule, const av_introspection_settings *settings)
{
    bool is_bearer = settings->proof == AV_BEARER;
    if (!settings->endpoint.url) {
        return "endpoint= must say whom to ask about tokens, such as endpoint=https://issuer.example/introspect";
    }
    if (rule->sources->nelts != 1) {
        return rule->sources->nelts ? "secret= is what this server shows to the endpoint; keep one of them"
                                    : "no secret= is given, which this server shows to the endpoint; add "
                                      "secret=file:PATH";
    }
    if (is_bearer == (settings->client_id.at != NULL)) {
        return is_bearer ? "client-id= has no place beside authentication=bearer, whose token says who this server is"
                         : "client-id= must say what the endpoint calls this server";
    }
    return NULL;
}

/* The secret is not there where it must not be known now: then nobody is asked either. */
static const char *load_secret(const av_rule *rule, av_introspection_settings *settings, const av_compiler *compiler)
{
    const av_source *source = &APR_ARRAY_IDX(rule->sources, 0, av_source);
    av_endpoint *endpoint = &settings->endpoint;
    av_slice secret;
    const char *error = av_rule_read_source(source, false, &secret, compiler);
    if (error || !secret.at) {
        return error;
    }
    if (settings->proof == AV_BEARER && !av_slice_is_visible(secret)) {
        return apr_psprintf(compiler->pool, "secret= %s: holds what no token may hold", source->label);
    }
    if (settings->proof == AV_CLIENT_SECRET_BASIC) {
        endpoint->authorization = av_form_basic(settings->client_id, secret, compiler->pool);
    } else if (settings->proof == AV_BEARER) {
        endpoint->authorization = av_form_bearer(secret, compiler->pool);
    } else {
        settings->credentials = av_form_credentials(settings->client_id, secret, compiler->pool);
    }
    return NULL;
}

const char *av_introspection_finish(av_rule *rule, const av_compiler *compiler)
{
    av_introspection_settings *settings = rule->settings;
    const char *error = av_jwt_terms_finish(rule, &settings->terms, compiler);
    error = error ? error : check_said(rule, settings);
    error = error ? error : av_jwt_possession_finish(rule, &settings->terms, compiler);
    error = error ? error : load_secret(rule, settings, compiler);
    if (settings->refused_are_remembered < 0) {
        settings->refused_are_remembered = settings->remembered ? DEFAULT_REFUSED : 0;
    }
    settings->endpoint.is_shared = settings->remembered > 0;
    if (error) {
        return error;
    }
    return compiler->open_introspection
               ? compiler->open_introspection(compiler->open_baton, &settings->endpoint, &settings->introspector)
               : "nobody can be asked about tokens here";
}
