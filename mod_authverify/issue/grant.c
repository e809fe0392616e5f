/* Decides on tokens and writes them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "grant.h"
#include "../core/codec.h"
#include "json_writer.h"

#include <apr_strings.h>
#include <openssl/rand.h>

#define ID_SIZE 16

av_reason av_grant_open(const av_issuer *issuer, const av_request *request, bool is_secure, apr_pool_t *pool)
{
    bool is_taken = av_slice_equal(request->method, AV_SLICE("POST")) ||
                    (issuer->legacy && av_token_request_is_legacy_get(request, pool));
    if (!is_secure && !issuer->insecure) {
        return AV_INSECURE_TRANSPORT;
    }
    av_reason reason = av_limits_check(&issuer->door->limits, request);
    return reason == AV_ACCEPTED && !is_taken ? AV_METHOD_REFUSED : reason;
}

/* The client's scope, and the issuer's. */
static bool may_have(const av_issuer *issuer, const av_client_record *client, av_slice scope)
{
    return av_list_has(client->scopes, scope) && (!issuer->scopes.len || av_list_has(issuer->scopes, scope));
}

static void add_scope(av_slice *scopes, av_slice scope, apr_pool_t *pool)
{
    if (!av_list_has(*scopes, scope)) {
        *scopes = scopes->len ? av_slice_join(av_slice_join(*scopes, AV_SLICE(","), pool), scope, pool) : scope;
    }
}

/* RFC 6749 section 3.3. */
bool av_grant_scopes(const av_issuer *issuer, const av_client_record *client, av_slice asked, av_slice *scopes,
                     apr_pool_t *pool)
{
    bool asks = asked.len > 0;
    av_slice rest = asks ? asked : client->scopes, scope;
    *scopes = (av_slice){ "", 0 };
    while (rest.len && av_slice_split(&rest, asks ? ' ' : ',', &scope)) {
        if (may_have(issuer, client, scope)) {
            add_scope(scopes, scope, pool);
        } else if (asks) {
            return false;
        }
    }
    return true;
}

static av_reason prove(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                       av_claim *claim, const char **label, apr_pool_t *pool)
{
    av_proof *proof = apr_pmemdup(pool, &(av_proof){ asked->client_secret }, sizeof(*proof));
    *claim = (av_claim){ .rule = issuer->door, .now = request->received_at, .client_id = asked->client_id };
    claim->proofs = proof;
    claim->proof_count = 1;
    av_reason reason = av_clients_identify(claim, pool);
    return reason == AV_ACCEPTED ? av_client_prove(claim, NULL, label, pool) : reason;
}

static apr_time_t end_of(const av_issuer *issuer, const av_client_record *client, apr_time_t now)
{
    apr_time_t end = now + apr_time_from_sec(issuer->lifetime);
    return client->expires && client->expires < end ? client->expires : end;
}

av_grant av_grant_decide(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                         apr_pool_t *pool)
{
    av_claim claim;
    const char *label = NULL;
    av_grant grant = { .verdict = { .reason = prove(issuer, asked, request, &claim, &label, pool) } };
    av_verdict *verdict = &grant.verdict;
    verdict->rule = issuer->door;
    verdict->claimed = asked->client_id;
    if (verdict->reason != AV_ACCEPTED) {
        return grant;
    }
    verdict->proven = claim.record->id;
    verdict->reason = av_client_check(claim.record, issuer->door, request);
    if (verdict->reason == AV_ACCEPTED && !av_grant_scopes(issuer, claim.record, asked->scope, &grant.scopes, pool)) {
        verdict->reason = AV_SCOPE_NOT_ALLOWED;
    }
    if (verdict->reason == AV_ACCEPTED) {
        verdict->client = av_client_name(claim.record);
        verdict->label = label;
        verdict->record = claim.record;
        grant.expires = end_of(issuer, claim.record, request->received_at);
    }
    return grant;
}

/* "jti": 128 bits that nobody guesses. */
static bool set_id(json_t *claims, apr_pool_t *pool)
{
    unsigned char bytes[ID_SIZE];
    return RAND_bytes(bytes, sizeof(bytes)) == 1 &&
           av_json_set_text(claims, "jti", av_encode(AV_BASE64URL, (av_slice){ (char *)bytes, sizeof(bytes) }, pool));
}

static bool set_audience(json_t *claims, av_slice audience)
{
    return av_slice_contains(audience, ',') ? json_object_set_new(claims, "aud", av_json_of_list(audience)) == 0
                                            : av_json_set_text(claims, "aud", audience);
}

static bool set_time(json_t *object, const char *name, apr_time_t time)
{
    return json_object_set_new(object, name, json_integer(apr_time_sec(time))) == 0;
}

/* Separated by blanks (RFC 6749 section 3.3); nothing where there are none. */
static bool set_scopes(json_t *object, av_slice scopes, apr_pool_t *pool)
{
    char *text = av_slice_string(scopes, pool);
    for (char *at = text; *at; at++) {
        *at = *at == ',' ? ' ' : *at;
    }
    return !scopes.len || av_json_set_text(object, "scope", (av_slice){ text, scopes.len });
}

static bool set_optional(json_t *object, const char *name, av_slice text)
{
    return !text.len || av_json_set_text(object, name, text);
}

av_slice av_grant_token(const av_grant *grant, const av_issuer *issuer, apr_time_t now, apr_pool_t *pool)
{
    const av_client_record *client = grant->verdict.record;
    json_t *claims = json_object();
    bool done = av_json_set_text(claims, "iss", issuer->issuer) &&
                av_json_set_text(claims, "sub", av_slice_of(av_client_name(client))) &&
                set_audience(claims, issuer->audience) && set_time(claims, "exp", grant->expires) &&
                set_time(claims, "iat", now) && set_id(claims, pool) &&
                av_json_set_text(claims, "client_id", av_slice_of(client->id)) &&
                set_scopes(claims, grant->scopes, pool) && set_optional(claims, "environment", client->environment) &&
                set_optional(claims, "org", client->org);
    av_slice payload = av_json_write(claims, false, pool);
    return done && issuer->key_count ? av_signing_key_token(&issuer->keys[0], "at+jwt", payload, pool)
                                     : (av_slice){ "", 0 };
}

av_slice av_grant_answer(const av_grant *grant, av_slice token, apr_time_t now, apr_pool_t *pool)
{
    json_t *answer = json_object();
    apr_int64_t seconds = apr_time_sec(grant->expires) - apr_time_sec(now);
    bool done = av_json_set_text(answer, "access_token", token) &&
                av_json_set_text(answer, "token_type", AV_SLICE("Bearer")) &&
                json_object_set_new(answer, "expires_in", json_integer(seconds)) == 0 &&
                set_scopes(answer, grant->scopes, pool);
    av_slice text = av_json_write(answer, false, pool);
    return done && token.len ? text : (av_slice){ "", 0 };
}

av_slice av_grant_legacy_answer(const av_issuer *issuer, av_slice token, apr_pool_t *pool)
{
    json_t *answer = json_object();
    const char *header = apr_pstrcat(pool, issuer->legacy, " ", token.at, NULL);
    bool done = av_json_set_text(answer, "Value", token) && av_json_set_text(answer, "AuthHeader", av_slice_of(header));
    av_slice text = av_json_write(answer, false, pool);
    return done && token.len ? text : (av_slice){ "", 0 };
}

av_slice av_token_error_answer(av_reason reason, apr_pool_t *pool)
{
    json_t *answer = json_object();
    bool done = av_json_set_text(answer, "error", av_slice_of(av_token_error_of(reason).code)) &&
                av_json_set_text(answer, "error_description", av_slice_of(av_class_text(av_reason_class(reason))));
    av_slice text = av_json_write(answer, false, pool);
    return done ? text : (av_slice){ "", 0 };
}

av_token_error av_token_error_of(av_reason reason)
{
    switch (reason) {
    case AV_UNSUPPORTED_GRANT:
        return (av_token_error){ 400, "unsupported_grant_type" };
    case AV_SCOPE_NOT_ALLOWED:
        return (av_token_error){ 400, "invalid_scope" };
    case AV_CLIENT_EXPIRED:
    case AV_SCHEME_NOT_ALLOWED:
    case AV_CLIENT_NOT_ALLOWED:
        return (av_token_error){ 400, "unauthorized_client" };
    default:
        break;
    }
    switch (av_reason_class(reason)) {
    case AV_CLASS_NOT_PRESENTED:
    case AV_CLASS_MALFORMED:
    case AV_CLASS_WRONG:
        return (av_token_error){ 401, "invalid_client" };
    case AV_CLASS_LIMIT:
        return (av_token_error){ 403, "unauthorized_client" };
    case AV_CLASS_THROTTLED:
        return (av_token_error){ 429, "temporarily_unavailable" };
    case AV_CLASS_BUSY:
        return (av_token_error){ 503, "temporarily_unavailable" };
    case AV_CLASS_OURS:
        return (av_token_error){ 500, "server_error" };
    default:
        return (av_token_error){ av_reason_status(reason), "invalid_request" };
    }
}
