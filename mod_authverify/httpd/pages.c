/* The pages of the module's own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"
#include "../issue/json_writer.h"
#include "verdicts.h"

#define MAX_AGE \
    "max-age=600" /* how long a verifier may go on with keys that it has: see docs/token-endpoint.md on rotation */

static bool is_for(const request_rec *r, const char *handler)
{
    return r->handler && strcmp(r->handler, handler) == 0;
}

static void send_text(request_rec *r, const char *type, av_slice text)
{
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)text.len);
    if (!r->header_only) {
        ap_rwrite(text.at, (int)text.len, r);
    }
}

/* The text changes with the configuration only, and is its own version. */
static const char *tag_of(const request_rec *r, av_slice text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool done = av_digest(avh_server_of(r->server)->crypto->sha256, text, digest, &size);
    av_slice half = { (const char *)digest, size / 2 };
    return done ? apr_pstrcat(r->pool, "\"", av_encode(AV_HEX, half, r->pool).at, "\"", NULL) : NULL;
}

static int publish(request_rec *r, const char *type, av_slice text)
{
    const char *tag = tag_of(r, text);
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    apr_table_setn(r->headers_out, "Cache-Control", MAX_AGE);
    if (tag) {
        apr_table_setn(r->headers_out, "ETag", tag);
    }
    int status = ap_meets_conditions(r);
    if (status == OK) {
        send_text(r, type, text);
    }
    return status;
}

int avh_published_page(request_rec *r)
{
    bool is_keys = is_for(r, "authverify-jwks");
    const av_issuer *issuer = avh_section_of(r)->issuer;
    if (!is_keys && !is_for(r, "authverify-metadata")) {
        return DECLINED;
    }
    if (!issuer || !av_issuer_signs(issuer)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "SetHandler %s needs an AuthVerifyToken with key= in its section or around it", r->handler);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return is_keys ? publish(r, "application/jwk-set+json", issuer->key_set)
                   : publish(r, "application/json", issuer->metadata);
}

static bool set_text(json_t *page, const char *name, const char *text)
{
    return !text || !*text || av_json_set_text(page, name, av_slice_of(text));
}

/* What a list of clients or a token says of the caller. */
static bool set_record(json_t *page, const av_client_record *record)
{
    return (!record->org.len || av_json_set_text(page, "org", record->org)) &&
           (!record->environment.len || av_json_set_text(page, "environment", record->environment)) &&
           json_object_set_new(page, "scopes", av_json_of_list(record->scopes)) == 0;
}

static bool set_caller(json_t *page, const av_verdict *verdict)
{
    return set_text(page, "client", verdict->client) && set_text(page, "scheme", verdict->rule->scheme->name) &&
           set_text(page, "rule", verdict->rule->name) && set_text(page, "secret", verdict->label) &&
           (!verdict->record || set_record(page, verdict->record));
}

/* Somebody is known where a rule has proven somebody; what is only observed has proven nobody. */
static const av_verdict *proven(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    const avh_decision *decision =
        avh_is_protected(section) && !avh_is_observed(section) ? avh_decided(r, section) : NULL;
    bool is_proven = decision && decision->verdict.reason == AV_ACCEPTED && !decision->verdict.rule->proves_nobody;
    return is_proven ? &decision->verdict : NULL;
}

int avh_whoami_page(request_rec *r)
{
    if (!is_for(r, "authverify-whoami")) {
        return DECLINED;
    }
    const av_verdict *verdict = proven(r);
    json_t *page = json_object();
    bool done = json_object_set_new(page, "authenticated", json_boolean(verdict != NULL)) == 0 &&
                (!verdict || set_caller(page, verdict));
    av_slice text = av_json_write(page, false, r->pool);
    int status = ap_discard_request_body(r);
    if (status != OK || !done || !text.len) {
        return status != OK ? status : HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    send_text(r, "application/json", text);
    return OK;
}
