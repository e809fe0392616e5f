/* The token endpoint.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_endpoint.h"
#include "../core/throttle.h"
#include "../issue/login.h"
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
    if (avh_section_of(r)->issuer->login) {
        avh_strip_parameter(r, AV_SLICE("password"));
    }
}

int avh_hide_query_secret(request_rec *r)
{
    if (avh_section_of(r)->issuer && r->args && is_endpoint(r)) {
        hide_query_secret(r);
    }
    return DECLINED;
}

/* A user's application asks: it says so, or there is nothing else to be had here. */
static bool is_login(const asking *asked)
{
    return asked->issuer->login &&
           (!av_issuer_signs(asked->issuer) || av_token_request_is_login(&asked->request, asked->r->pool));
}

static av_verdict refusal(const asking *asked, av_reason reason)
{
    const av_issuer *issuer = asked->issuer;
    return (
        av_verdict){ .reason = reason, .rule = is_login(asked) ? issuer->login : issuer->door, .wait = asked->wait };
}

/* Who was proven, and gets nothing all the same. */
static av_verdict refusal_of_proven(const asking *asked, av_reason reason, const char *proven)
{
    av_verdict verdict = refusal(asked, reason);
    verdict.proven = proven;
    return verdict;
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
        apr_table_setn(r->headers_out, "WWW-Authenticate", avh_challenge_of(r, verdict->rule, verdict));
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

/* One log line, and the environment of who logs the access. The client's answer comes after. */
static int tell(const asking *asked, const av_verdict *verdict, av_slice text)
{
    request_rec *r = asked->r;
    avh_log_verdict(r, &no_mode, verdict);
    avh_export_environment(r, &no_mode, verdict);
    if (verdict->reason != AV_ACCEPTED) {
        return refuse(asked, verdict);
    }
    r->user = apr_pstrdup(r->pool, verdict->client);
    return send_json(r, HTTP_OK, text);
}

static av_slice write_token(const asking *asked, const av_grant *grant)
{
    apr_pool_t *pool = asked->r->pool;
    apr_time_t now = asked->request.received_at;
    av_slice token = av_grant_token(grant, asked->issuer, now, pool);
    return asked->wanted.form == AV_FORM_LEGACY ? av_grant_legacy_answer(asked->issuer, token, pool)
                                                : av_grant_answer(grant, token, now, pool);
}

static int grant_token(asking *asked)
{
    av_grant grant = av_grant_decide(asked->issuer, &asked->wanted, &asked->request, asked->r->pool);
    av_slice text = { "", 0 };
    av_throttle_tell(asked->request.throttle, &asked->request.address, &grant.verdict, apr_time_now());
    if (grant.verdict.reason == AV_ACCEPTED) {
        asked->wait = av_throttle_take(&asked->request, av_slice_of(grant.verdict.record->id));
        text = asked->wait ? text : write_token(asked, &grant);
    }
    if (grant.verdict.reason == AV_ACCEPTED && !text.len) {
        av_reason reason = asked->wait ? AV_TOO_MANY_TOKENS : AV_INTERNAL_ERROR;
        grant.verdict = refusal_of_proven(asked, reason, grant.verdict.proven);
    }
    return tell(asked, &grant.verdict, text);
}

/* The pair is in force everywhere, and on the disk, before anybody hears of it. */
static av_reason keep_pair(const asking *asked, const av_login *login)
{
    const av_issuer *issuer = asked->issuer;
    const char *why = NULL;
    av_reason reason = issuer->pairs->keep(issuer->pairs, &login->pair, issuer->user_pairs, asked->request.received_at,
                                           &why, asked->r->pool);
    if (why) {
        ap_log_rerror(APLOG_MARK, reason == AV_ACCEPTED ? APLOG_WARNING : APLOG_ERR, 0, asked->r,
                      "AuthVerifyToken issued=: %s", why);
    }
    return reason;
}

static int grant_pair(asking *asked)
{
    av_login login = av_login_decide(asked->issuer, &asked->wanted, &asked->request, asked->r->pool);
    av_slice text = { "", 0 };
    av_throttle_tell(asked->request.throttle, &asked->request.address, &login.verdict, apr_time_now());
    if (login.verdict.reason == AV_ACCEPTED) {
        text = av_login_answer(&login, asked->r->pool);
        av_reason reason = text.len ? keep_pair(asked, &login) : AV_INTERNAL_ERROR;
        login.verdict = reason == AV_ACCEPTED ? login.verdict : refusal_of_proven(asked, reason, login.verdict.proven);
    }
    return tell(asked, &login.verdict, text);
}

static av_reason parse_body(asking *asked)
{
    apr_pool_t *pool = asked->r->pool;
    if (is_login(asked)) {
        return av_token_request_read_login(&asked->request, asked->body, &asked->wanted, pool);
    }
    return asked->issuer->legacy && av_token_request_is_legacy(&asked->request, asked->body, pool)
               ? av_token_request_read_legacy(&asked->request, asked->body, &asked->wanted, pool)
               : av_token_request_read(&asked->request, asked->body, &asked->wanted, pool);
}

static av_reason read_request(asking *asked)
{
    request_rec *r = asked->r;
    bool is_secure = strcmp(ap_http_scheme(r), "https") == 0;
    av_reason reason = av_grant_open(asked->issuer, &asked->request, is_secure, r->pool);
    reason = reason == AV_ACCEPTED ? ask_throttle(asked) : reason;
    if (reason != AV_ACCEPTED) {
        avh_spool_drop(r, NULL);
        return reason;
    }
    reason = read_body(asked);
    reason = reason == AV_ACCEPTED ? parse_body(asked) : reason;
    return reason == AV_ACCEPTED ? ask_throttle(asked) : reason;
}

static int answer(asking *asked)
{
    av_reason reason = read_request(asked);
    if (reason != AV_ACCEPTED) {
        const av_verdict refused = refusal(asked, reason);
        return tell(asked, &refused, (av_slice){ "", 0 });
    }
    return asked->wanted.form == AV_FORM_LOGIN ? grant_pair(asked) : grant_token(asked);
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
    asked.request.server = r;
    hide_query_secret(r);
    int status = answer(&asked);
    OPENSSL_cleanse((char *)asked.body.at, asked.body.len);
    return status;
}
