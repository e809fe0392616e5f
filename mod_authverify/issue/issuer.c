/* Compiles an AuthVerifyToken line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "issuer.h"
#include "../core/authorization.h"
#include "json_writer.h"

#include <apr_strings.h>

#define DEFAULT_LIFETIME 600
#define LONGEST_LIFETIME (31 * 86400)
#define DEFAULT_USER_LIFETIME (12 * 3600)
#define LONGEST_USER_LIFETIME (366 * 86400)
#define DEFAULT_USER_PAIRS 32
#define MOST_USER_PAIRS 10000

static const char *set_key(void *target, const char *value, const av_compiler *compiler)
{
    av_issuer *issuer = target;
    return issuer->sources->nelts == AV_MAX_SIGNING_KEYS
               ? apr_psprintf(compiler->pool, "is given more than %d times", AV_MAX_SIGNING_KEYS)
               : av_source_parse(value, apr_array_push(issuer->sources), compiler->pool);
}

static const char *set_algorithm(void *target, const char *value, const av_compiler *compiler)
{
    av_issuer *issuer = target;
    issuer->algorithm = av_jws_algorithm_find(av_slice_of(value));
    return issuer->algorithm ? NULL
                             : apr_pstrcat(compiler->pool, "is one of ", av_jws_algorithm_names(compiler->pool), NULL);
}

/* RFC 8414 section 2: no query, no fragment. Whether it may be http is said by insecure=, which may follow. */
static const char *check_url(av_slice url)
{
    bool has_scheme = av_slice_starts_with(url, AV_SLICE("https://")) || av_slice_starts_with(url, AV_SLICE("http://"));
    bool is_plain = av_slice_is_visible(url) && !av_slice_contains(url, '?') && !av_slice_contains(url, '#');
    return has_scheme && is_plain ? NULL : "is a URL without query and fragment, such as https://id.example.com";
}

static const char *set_issuer(void *target, const char *value, const av_compiler *compiler)
{
    av_issuer *issuer = target;
    issuer->issuer = av_slice_of(apr_pstrdup(compiler->pool, value));
    const char *error = check_url(issuer->issuer);
    return error || value[issuer->issuer.len - 1] != '/' ? error : "does not end in a slash";
}

static const char *set_token_endpoint(void *target, const char *value, const av_compiler *compiler)
{
    ((av_issuer *)target)->token_endpoint = apr_pstrdup(compiler->pool, value);
    return check_url(av_slice_of(value));
}

static const char *set_jwks_uri(void *target, const char *value, const av_compiler *compiler)
{
    ((av_issuer *)target)->jwks_uri = apr_pstrdup(compiler->pool, value);
    return check_url(av_slice_of(value));
}

static const char *set_audience(void *target, const char *value, const av_compiler *compiler)
{
    av_issuer *issuer = target;
    issuer->audience = av_slice_of(apr_pstrdup(compiler->pool, value));
    return av_list_check(issuer->audience);
}

/* RFC 6749 section 3.3. */
static const char *set_scopes(void *target, const char *value, const av_compiler *compiler)
{
    av_issuer *issuer = target;
    issuer->scopes = av_slice_of(apr_pstrdup(compiler->pool, value));
    const char *error = av_list_check(issuer->scopes);
    bool has_quote = av_slice_contains(issuer->scopes, '"') || av_slice_contains(issuer->scopes, '\\');
    return error || !has_quote ? error : "holds a quote or a backslash, which a scope cannot";
}

static bool read_number(const char *value, int most, int *number)
{
    char *end = NULL;
    apr_int64_t found = apr_strtoi64(value, &end, 10);
    bool is_number = *value >= '0' && *value <= '9' && !*end && found > 0 && found <= most;
    *number = is_number ? (int)found : 0;
    return is_number;
}

static const char *set_lifetime(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return read_number(value, LONGEST_LIFETIME, &((av_issuer *)target)->lifetime)
               ? NULL
               : "is a number of seconds from 1 to 2678400 (31 days)";
}

static const char *set_users(void *target, const char *value, const av_compiler *compiler)
{
    ((av_issuer *)target)->user_providers = apr_pstrdup(compiler->pool, value);
    return av_list_check(av_slice_of(value));
}

static const char *set_issued(void *target, const char *value, const av_compiler *compiler)
{
    ((av_issuer *)target)->issued = apr_pstrdup(compiler->pool, value);
    return strchr(value, ',') ? "is one file, file:PATH" : NULL;
}

static const char *set_user_lifetime(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return read_number(value, LONGEST_USER_LIFETIME, &((av_issuer *)target)->user_lifetime)
               ? NULL
               : "is a number of seconds from 1 to 31622400 (366 days)";
}

static const char *set_user_pairs(void *target, const char *value, const av_compiler *compiler)
{
    int number = 0;
    bool is_number = read_number(value, MOST_USER_PAIRS, &number);
    (void)compiler;
    ((av_issuer *)target)->user_pairs = (apr_size_t)number;
    return is_number ? NULL : "is a number from 1 to 10000";
}

static const char *set_legacy(void *target, const char *value, const av_compiler *compiler)
{
    ((av_issuer *)target)->legacy = apr_pstrdup(compiler->pool, value);
    return av_is_token68(av_slice_of(value)) ? NULL : "is one word that stands before a token, such as EN";
}

static const char *set_insecure(void *target, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_option_switch(value, &((av_issuer *)target)->insecure);
}

static const av_option options[] = {
    { "key", set_key, true },
    { "algorithm", set_algorithm, false },
    { "issuer", set_issuer, false },
    { "audience", set_audience, false },
    { "lifetime", set_lifetime, false },
    { "scopes", set_scopes, false },
    { "legacy", set_legacy, false },
    { "insecure", set_insecure, false },
    { "token-endpoint", set_token_endpoint, false },
    { "jwks-uri", set_jwks_uri, false },
    { "users", set_users, false },
    { "issued", set_issued, false },
    { "user-lifetime", set_user_lifetime, false },
    { "user-pairs", set_user_pairs, false },
    { NULL, NULL, false },
};

static void init(void *settings)
{
    (void)settings;
}

/* No rule can name it: it stands in no list. */
static const av_scheme client_credentials = {
    .name = AV_CLIENT_CREDENTIALS,
    .challenge = "Basic",
    .secret_kind = AV_SECRET_BCRYPT,
    .init = init,
    .prove = av_client_prove,
};

/* Likewise. An application is found by its token, which is a random secret. */
static const av_scheme user_credentials = {
    .name = AV_USER_CREDENTIALS,
    .secret_kind = AV_SECRET_SHA256,
    .init = init,
    .prove = av_client_prove,
};

static const char *load_key(const av_issuer *issuer, const av_source *source, av_signing_key *key,
                            const av_compiler *compiler)
{
    av_slice text = { NULL, 0 };
    const char *warning = NULL;
    const char *error = av_source_load(source, &compiler->access, &text, &warning, compiler->pool);
    if (warning) {
        *(const char **)apr_array_push(compiler->warnings) = warning;
    }
    if (error || !text.at) {
        return error;
    }
    error = av_signing_key_read(text, issuer->algorithm, compiler->crypto, key, compiler->pool);
    return error ? apr_psprintf(compiler->pool, "key= %s: %s", source->label, error) : NULL;
}

/* Two names of one key would be published as two. */
static const char *check_twins(const av_signing_key *keys, apr_size_t count)
{
    for (apr_size_t i = 0; i + 1 < count; i++) {
        if (keys[i].kid && strcmp(keys[i].kid, keys[count - 1].kid) == 0) {
            return "key= names one key twice";
        }
    }
    return NULL;
}

static const char *load_keys(av_issuer *issuer, const av_compiler *compiler)
{
    av_signing_key *keys = apr_pcalloc(compiler->pool, AV_MAX_SIGNING_KEYS * sizeof(*keys));
    const char *error = NULL;
    issuer->keys = keys;
    for (int i = 0; !error && i < issuer->sources->nelts; i++) {
        av_signing_key *key = &keys[issuer->key_count];
        error = load_key(issuer, &APR_ARRAY_IDX(issuer->sources, i, av_source), key, compiler);
        issuer->key_count += !error && key->algorithm;
        error = error ? error : check_twins(keys, issuer->key_count);
    }
    return error;
}

/* A line that is for users alone says nothing of what is signed. */
static bool wants_to_sign(const av_issuer *issuer)
{
    return !issuer->user_providers || issuer->algorithm || issuer->sources->nelts || issuer->issuer.len ||
           issuer->audience.len || issuer->lifetime || issuer->legacy || issuer->token_endpoint || issuer->jwks_uri;
}

static const char *missing_for_users(const av_issuer *issuer)
{
    if (!issuer->user_providers) {
        return issuer->issued || issuer->user_lifetime || issuer->user_pairs
                   ? "users= is missing: it says who knows the users' passwords; add users=file or another provider"
                   : NULL;
    }
    return issuer->issued ? NULL
                          : "issued= is missing: it says where the pairs are kept that users get; add issued=file:PATH";
}

static const char *missing_option(const av_issuer *issuer)
{
    if (!issuer->algorithm) {
        return "algorithm= is missing: it says how tokens are signed; add algorithm=ES256 or another one";
    }
    if (!issuer->sources->nelts) {
        return "key= is missing: tokens are signed with it; add key=file:PATH, a private key in PEM";
    }
    if (!issuer->issuer.len) {
        return "issuer= is missing: it says who issued a token; add issuer=https://HOST";
    }
    return issuer->audience.len ? NULL : "audience= is missing: it says whom a token is for; add audience=https://HOST";
}

static const char *check_transport(const av_issuer *issuer)
{
    av_slice https = AV_SLICE("https://");
    bool is_secure = av_slice_starts_with(issuer->issuer, https) &&
                     av_slice_starts_with(av_slice_of(issuer->token_endpoint), https) &&
                     av_slice_starts_with(av_slice_of(issuer->jwks_uri), https);
    return is_secure || issuer->insecure
               ? NULL
               : "issuer=, token-endpoint= and jwks-uri= are https URLs, unless insecure=on says that TLS is not wanted";
}

static av_slice write_key_set(const av_issuer *issuer, apr_pool_t *pool)
{
    json_t *set = json_object(), *keys = json_array();
    bool done = json_object_set_new(set, "keys", keys) == 0;
    for (apr_size_t i = 0; done && i < issuer->key_count; i++) {
        done = issuer->algorithm->kind == AV_KEY_SECRET ||
               json_array_append_new(keys, av_signing_key_jwk(&issuer->keys[i], pool)) == 0;
    }
    av_slice text = av_json_write(set, false, pool);
    return done ? text : (av_slice){ "", 0 };
}

/* RFC 8414 section 2. response_types_supported is required there, and there are none. */
static av_slice write_metadata(const av_issuer *issuer, apr_pool_t *pool)
{
    json_t *metadata = json_object();
    bool done =
        av_json_set_text(metadata, "issuer", issuer->issuer) &&
        av_json_set_text(metadata, "token_endpoint", av_slice_of(issuer->token_endpoint)) &&
        (issuer->algorithm->kind == AV_KEY_SECRET ||
         av_json_set_text(metadata, "jwks_uri", av_slice_of(issuer->jwks_uri))) &&
        (!issuer->scopes.len ||
         json_object_set_new(metadata, "scopes_supported", av_json_of_list(issuer->scopes)) == 0) &&
        json_object_set_new(metadata, "response_types_supported", json_array()) == 0 &&
        json_object_set_new(metadata, "grant_types_supported", av_json_of_list(AV_SLICE("client_credentials"))) == 0 &&
        json_object_set_new(metadata, "token_endpoint_auth_methods_supported",
                            av_json_of_list(AV_SLICE("client_secret_basic,client_secret_post"))) == 0;
    av_slice text = av_json_write(metadata, false, pool);
    return done ? text : (av_slice){ "", 0 };
}

/* What is asked is asked for no rule, and not remembered: who is no application shall not learn, from what comes sooner,
 * that a password was right. */
static const char *open_providers(av_issuer *issuer, const av_compiler *compiler)
{
    av_compiler unremembered = *compiler;
    unremembered.section = NULL;
    unremembered.passwords = NULL;
    const char *error = compiler->open_provider
                            ? compiler->open_provider(&unremembered, issuer->user_providers, &issuer->users)
                            : " asks the providers of httpd, which are not here";
    return error ? apr_pstrcat(compiler->pool, "users=", error, NULL) : NULL;
}

static const char *open_issued(av_issuer *issuer, const av_compiler *compiler)
{
    const av_client_source *source = NULL;
    const char *error = compiler->open_issued
                            ? compiler->open_issued(compiler->open_baton, issuer->issued, &issuer->pairs, &source)
                            : "names a file that cannot be written here";
    for (const av_client_source *const *at = issuer->door->clients; !error && *at; at++) {
        error = *at == source ? "is a file of clients= as well, and who it is issued to would be an application" : NULL;
    }
    return error ? apr_pstrcat(compiler->pool, "issued= ", error, NULL) : NULL;
}

static const char *finish_for_users(av_issuer *issuer, const av_compiler *compiler)
{
    const char *error = missing_for_users(issuer);
    if (error || !issuer->user_providers) {
        return error;
    }
    av_rule *login = apr_pmemdup(compiler->pool, issuer->door, sizeof(*login));
    login->name = "users";
    login->scheme = &user_credentials;
    issuer->login = login;
    issuer->user_lifetime = issuer->user_lifetime ? issuer->user_lifetime : DEFAULT_USER_LIFETIME;
    issuer->user_pairs = issuer->user_pairs ? issuer->user_pairs : DEFAULT_USER_PAIRS;
    error = open_providers(issuer, compiler);
    return error ? error : open_issued(issuer, compiler);
}

static const char *finish_signing(av_issuer *issuer, const av_compiler *compiler)
{
    apr_pool_t *pool = compiler->pool;
    const char *error = missing_option(issuer);
    if (error) {
        return error;
    }
    issuer->lifetime = issuer->lifetime ? issuer->lifetime : DEFAULT_LIFETIME;
    issuer->token_endpoint =
        issuer->token_endpoint ? issuer->token_endpoint : apr_pstrcat(pool, issuer->issuer.at, "/token", NULL);
    issuer->jwks_uri = issuer->jwks_uri ? issuer->jwks_uri : apr_pstrcat(pool, issuer->issuer.at, "/jwks", NULL);
    error = check_transport(issuer);
    error = error ? error : load_keys(issuer, compiler);
    if (error) {
        return error;
    }
    issuer->key_set = write_key_set(issuer, pool);
    issuer->metadata = write_metadata(issuer, pool);
    return issuer->key_set.len && issuer->metadata.len ? NULL : "what is to be published cannot be written as JSON";
}

const char *av_issuer_compile(const av_words *words, const av_compiler *compiler, av_issuer *issuer)
{
    apr_array_header_t *settings = NULL;
    av_rule *door = av_rule_create("token", &client_credentials, compiler);
    const av_option_target targets[] = { { options, issuer }, { av_rule_entry_options, door } };
    *issuer = (av_issuer){ .door = door };
    issuer->sources = apr_array_make(compiler->pool, 2, sizeof(av_source));
    const char *error = av_settings_split(words, 1, &settings, compiler->pool);
    error = error ? error : av_settings_apply(settings, targets, 2, compiler);
    if (!error && !door->clients) {
        error = "clients= is missing: it says who may have a token; add clients=file:PATH";
    }
    error = error ? error : finish_for_users(issuer, compiler);
    return error || !wants_to_sign(issuer) ? error : finish_signing(issuer, compiler);
}
