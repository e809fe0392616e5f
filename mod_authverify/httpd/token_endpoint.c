/* The token endpoint.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_endpoint.h"
#include "../core/throttle.h"
#include "../issue/grant.h"
#include "answer.h"
#include "credential_strip.h"
#include "request_view.h"

#include <openssl/crypto.h>

#define HANDLER "authverify-token"

/* What httpd has of the request: who asks, and what for. */
typedef struct asking {
    request_rec *r;
    const av_issuer *issuer;
    av_request request;
    av_slice body; /* wiped in the end: it may hold a secret, and what is granted borrows from it */
    av_token_request wanted;
    int answered;             /* the status of what a filter has told the client already; else 0 */
    apr_interval_time_t wait; /* AV_THROTTLED or AV_TOO_MANY_TOKENS: how long */
} asking;

/* The endpoint decides by itself, whatever the mode of rules in the same section is. */
static const avh_section no_mode;

/* SetHandler takes effect later than this is asked. */
static bool is_endpoint(request_rec *r)
{
    const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
    const char *error = NULL, *handler = r->handler ? r->handler : core->handler;
    if (core->expr_handler) {
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
    }
    return handler && !error && strcmp(handler, HANDLER) == 0;
}

static void hide_query_secret(request_rec *r)
{
    avh_request_of(r); /* which still has it */
    avh_strip_parameter(r, AV_SLICE("client_secret"));
    if (avh_section_of(r)->issuer->legacy) {
        avh_strip_parameter(r, AV_SLICE("secret"));
    }
}

int avh_hide_query_secret(request_rec *r)
{
    if (avh_section_of(r)->issuer && r->args && is_endpoint(r)) {
        hide_query_secret(r);
    }
    return DECLINED;
}

static av_grant refusal(const asking *asked, av_reason reason)
{
    return (av_grant){ .verdict = { .reason = reason, .rule = asked->issuer->door, .wait = asked->wait } };
}

/* Before anything is read, and again before the client is looked up whom it names. */
static av_reason ask_throttle(asking *asked)
{
    asked->wait = av_throttle_wait(&asked->request, asked->wanted.client_id);
    return asked->wait ? AV_THROTTLED : AV_ACCEPTED;
}

/* A token request is small: it is read into memory, in the time that AuthVerifyBody gives. */
static av_reason read_body(asking *asked)
{
    request_rec *r = asked->r;
    avh_section section = *avh_section_of(r);
    av_reading reading = { .wants_body = true, .keeps_body = true };
    avh_spool *spool = NULL;
    section.body_limit = avh_body_limit(&section) < AV_MAX_TOKEN_REQUEST ? section.body_limit : AV_MAX_TOKEN_REQUEST;
    section.body_memory = AV_MAX_TOKEN_REQUEST;
    avh_read_result read = avh_spool_read(r, &section, false, &reading, &spool);
    if (read.reason == AV_ACCEPTED && spool && !avh_spool_keep(spool, &section, &reading)) {
        read.reason = AV_NO_ROOM;
    }
    if (read.reason != AV_ACCEPTED) {
        avh_spool_drop(r, spool);
    }
    asked->answered = read.status;
    asked->body = spool ? reading.body : (av_slice){ "", 0 };
    return read.reason;
}

static av_grant decide_client(asking *asked)
{
    av_grant grant = av_grant_decide(asked->issuer, &asked->wanted, &asked->request, asked->r->pool);
    av_throttle_tell(asked->request.throttle, &asked->request.address, &grant.verdict, apr_time_now());
    if (grant.verdict.reason == AV_ACCEPTED) {
        asked->wait = av_throttle_take(&asked->request, av_slice_of(grant.verdict.record->id));
    }
    if (asked->wait) {
        const char *proven = grant.verdict.proven;
        grant = refusal(asked, AV_TOO_MANY_TOKENS);
        grant.verdict.proven = proven;
    }
    return grant;
}

static av_grant decide_body(asking *asked)
{
    apr_pool_t *pool = asked->r->pool;
    bool is_legacy = asked->issuer->legacy && av_token_request_is_legacy(&asked->request, asked->body, pool);
    av_reason reason = is_legacy ? av_token_request_read_legacy(&asked->request, asked->body, &asked->wanted, pool)
                                 : av_token_request_read(&asked->request, asked->body, &asked->wanted, pool);
    reason = reason == AV_ACCEPTED ? ask_throttle(asked) : reason;
    return reason == AV_ACCEPTED ? decide_client(asked) : refusal(asked, reason);
}

static av_grant decide(asking *asked)
{
    request_rec *r = asked->r;
    bool is_secure = strcmp(ap_http_scheme(r), "https") == 0;
    av_reason reason = av_grant_open(asked->issuer, &asked->request, is_secure, r->pool);
    reason = reason == AV_ACCEPTED ? ask_throttle(asked) : reason;
    if (reason != AV_ACCEPTED) {
        avh_spool_drop(r, NULL);
        return refusal(asked, reason);
    }
    reason = read_body(asked);
    return reason == AV_ACCEPTED ? decide_body(asked) : refusal(asked, reason);
}

static int send_json(request_rec *r, int status, av_slice text)
{
    r->status = status;
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)text.len);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Pragma", "no-cache");
    ap_rwrite(text.at, (int)text.len, r);
    return OK;
}

static int refuse(const asking *asked, const av_verdict *verdict)
{
    request_rec *r = asked->r;
    av_token_error error = av_token_error_of(verdict->reason);
    if (asked->answered) {
        return asked->answered;
    }
    if (error.status == HTTP_UNAUTHORIZED) {
        apr_table_setn(r->headers_out, "WWW-Authenticate", avh_challenge_of(r, asked->issuer->door, verdict));
    }
    if (error.status == HTTP_METHOD_NOT_ALLOWED) {
        apr_table_setn(r->headers_out, "Allow", asked->issuer->legacy ? "GET, POST" : "POST");
    }
    const char *later = avh_retry_after(error.status, verdict, r->pool);
    if (later) {
        apr_table_setn(r->headers_out, "Retry-After", later);
    }
    return send_json(r, error.status, av_token_error_answer(verdict->reason, r->pool));
}

static int grant_token(const asking *asked, av_grant *grant)
{
    request_rec *r = asked->r;
    apr_time_t now = asked->request.received_at;
    av_slice token = av_grant_token(grant, asked->issuer, now, r->pool);
    av_slice text = asked->wanted.is_legacy ? av_grant_legacy_answer(asked->issuer, token, r->pool)
                                            : av_grant_answer(grant, token, now, r->pool);
    if (!text.len) {
        *grant = refusal(asked, AV_INTERNAL_ERROR);
    }
    avh_log_verdict(r, &no_mode, &grant->verdict);
    avh_export_environment(r, &no_mode, &grant->verdict);
    if (!text.len) {
        return refuse(asked, &grant->verdict);
    }
    r->user = apr_pstrdup(r->pool, grant->verdict.client);
    return send_json(r, HTTP_OK, text);
}

static int answer(asking *asked)
{
    av_grant grant = decide(asked);
    if (grant.verdict.reason == AV_ACCEPTED) {
        return grant_token(asked, &grant);
    }
    avh_log_verdict(asked->r, &no_mode, &grant.verdict);
    avh_export_environment(asked->r, &no_mode, &grant.verdict);
    return refuse(asked, &grant.verdict);
}

int avh_token_endpoint(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER) != 0) {
        return DECLINED;
    }
    asking asked = { .r = r, .issuer = avh_section_of(r)->issuer };
    if (!asked.issuer || r->main) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "SetHandler " HANDLER " needs an AuthVerifyToken in its section or around it, and serves no "
                      "subrequest");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    r->no_cache = 1;
    asked.request = *avh_request_of(r);
    asked.request.throttle = avh_counts_of(avh_section_of(r));
    asked.request.place = avh_view_place(&asked.request, r->pool);
    hide_query_secret(r);
    int status = answer(&asked);
    OPENSSL_cleanse((char *)asked.body.at, asked.body.len);
    return status;
}
