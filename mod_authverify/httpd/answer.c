/* The only place that speaks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "aws_error.h"
#include "credential_strip.h"
#include "refusal_log.h"

#include <mod_core.h>

#define FILTER_NAME "AUTHVERIFY_ERROR_BODY"
#define NOTE "authverify-refused"      /* in r->notes: what the client is told */
#define AWS_CODE "authverify-aws-code" /* the same, in AWS's words */
#define AWS_MESSAGE "authverify-aws-message"
#define SCOPE_NOTE "authverify-missing-scope"
#define RETRY_AFTER "10"

/* Wrong must be seen at httpd's usual level, by people and by fail2ban; what anybody may send without trying must not
 * fill the log. */
static int log_level(av_class what)
{
    switch (what) {
    case AV_CLASS_ACCEPTED:
        return APLOG_DEBUG;
    case AV_CLASS_NOT_PRESENTED:
    case AV_CLASS_MALFORMED:
    case AV_CLASS_AMBIGUOUS:
    case AV_CLASS_METHOD:
    case AV_CLASS_REQUEST:
        return APLOG_INFO;
    case AV_CLASS_WRONG:
    case AV_CLASS_LIMIT:
    case AV_CLASS_THROTTLED:
    case AV_CLASS_BODY:
        return APLOG_WARNING;
    default:
        return APLOG_ERR;
    }
}

/* One word of the line: visible ASCII, whatever a token calls its bearer. The rest is percent-encoded. */
static const char *log_word(const char *text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *word = apr_palloc(pool, text ? 3 * strlen(text) + 1 : 1), *end = word;
    for (; text && *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte > ' ' && byte < 0x7f && byte != '%') {
            *end++ = *text;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 0xf];
        }
    }
    *end = '\0';
    return *word ? word : "-";
}

static const char *result_word(const avh_section *section, const av_verdict *verdict)
{
    if (avh_is_observed(section)) {
        return verdict->reason == AV_ACCEPTED || avh_is_preflight(section, verdict) ? "would-accept" : "would-refuse";
    }
    if (avh_is_preflight(section, verdict)) {
        return "preflight";
    }
    if (avh_is_unproven(section, verdict)) {
        return "unproven";
    }
    return verdict->reason == AV_ACCEPTED ? "accepted" : "refused";
}

static void log_refusal(request_rec *r, const char *result, int level, const av_verdict *verdict)
{
    if (avh_refusal_is_logged(r, verdict->reason, level)) {
        ap_log_rerror(APLOG_MARK, level, 0, r, "%s reason=%s rule=%s client=%s id=%s: %s", result,
                      av_reason_name(verdict->reason), verdict->rule ? verdict->rule->name : "-",
                      log_word(verdict->proven, r->pool), log_word(av_slice_string(verdict->id, r->pool), r->pool),
                      av_reason_text(verdict->reason));
    }
}

void avh_log_refusal(request_rec *r, const av_verdict *verdict)
{
    log_refusal(r, "refused", log_level(av_reason_class(verdict->reason)), verdict);
}

void avh_log_verdict(request_rec *r, const avh_section *section, const av_verdict *verdict)
{
    if (verdict->reason == AV_ACCEPTED) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "accepted rule=%s client=%s secret=%s id=%s", verdict->rule->name,
                      log_word(verdict->client, r->pool), log_word(verdict->label, r->pool),
                      log_word(av_slice_string(verdict->id, r->pool), r->pool));
    } else if (r->main) {
        /* what httpd looks up by itself tells nothing of the sender */
        log_refusal(r, "lookup-refused", APLOG_INFO, verdict);
    } else {
        log_refusal(r, result_word(section, verdict),
                    avh_is_unproven(section, verdict) ? APLOG_DEBUG : log_level(av_reason_class(verdict->reason)),
                    verdict);
    }
}

static const char *challenge_name(const av_rule *rule)
{
    return rule->scheme->challenge ? rule->scheme->challenge : AVH_NAME;
}

static int is_other(void *challenge, const char *name, const char *value)
{
    (void)name;
    return strcmp(challenge, value) != 0;
}

/* An error document under the same rule is refused with the same challenge, which is there by then. */
static void add_challenge(request_rec *r, const char *challenge)
{
    const char *name = r->proxyreq == PROXYREQ_PROXY ? "Proxy-Authenticate" : "WWW-Authenticate";
    if (apr_table_do(is_other, (void *)challenge, r->err_headers_out, name, NULL)) {
        apr_table_addn(r->err_headers_out, name, challenge);
    }
}

#define DPOP "DPoP"

/* A rule whose tokens may be bound to a key has two names, or that one alone. NULL: there are no more. */
static const char *nth_name(const av_rule *rule, int index)
{
    int first = rule->needs_proof ? 1 : 0, last = rule->proof_algorithms ? 1 : 0;
    index += first;
    return index > last ? NULL : index ? DPOP : challenge_name(rule);
}

/* The scheme by which the refused credential came: its challenge says what was wrong (RFC 9449 section 7.2). */
static const char *name_shown(const av_verdict *verdict)
{
    return verdict->is_bound || verdict->rule->needs_proof ? DPOP : challenge_name(verdict->rule);
}

/* RFC 6750 section 3.1, RFC 9449 section 7.1. */
static const char *error_of(av_reason reason)
{
    switch (reason) {
    case AV_ACCEPTED:
    case AV_CLIENT_NOT_ALLOWED:
        return "insufficient_scope";
    case AV_AMBIGUOUS_CREDENTIAL:
        return "invalid_request";
    case AV_MALFORMED_PROOF:
    case AV_WRONG_PROOF:
    case AV_WRONG_PROOF_TARGET:
    case AV_WRONG_HOST:
    case AV_PROOF_OUT_OF_TIME:
    case AV_PROOF_REPLAYED:
        return "invalid_dpop_proof";
    case AV_NONCE_REQUIRED:
        return "use_dpop_nonce";
    default:
        return "invalid_token";
    }
}

/* RFC 7617 section 2.1: passwords are UTF-8. RFC 9728 section 5.1: where it is written who issues tokens. */
static const char *challenge_parameters(const av_rule *rule, const char *name, const av_verdict *verdict,
                                        apr_pool_t *pool)
{
    bool is_dpop = strcmp(name, DPOP) == 0;
    if (strcmp(name, "Basic") == 0) {
        return ", charset=\"UTF-8\"";
    }
    if (strcmp(name, "Bearer") != 0 && !is_dpop) {
        return "";
    }
    bool has_error = verdict->rule && !verdict->is_empty && strcmp(name_shown(verdict), name) == 0;
    const char *error = has_error ? error_of(verdict->reason) : NULL;
    return apr_pstrcat(pool, is_dpop ? ", algs=\"" : "", is_dpop ? rule->proof_algorithms : "", is_dpop ? "\"" : "",
                       error ? ", error=\"" : "", error ? error : "", error ? "\"" : "",
                       rule->resource_metadata ? ", resource_metadata=\"" : "",
                       rule->resource_metadata ? rule->resource_metadata : "", rule->resource_metadata ? "\"" : "",
                       NULL);
}

static const char *challenge_called(request_rec *r, const av_rule *rule, const char *name, const av_verdict *verdict)
{
    const char *realm = rule->realm ? rule->realm : ap_auth_name(r);
    return apr_pstrcat(r->pool, name, " realm=\"", realm ? realm : rule->name, "\"",
                       challenge_parameters(rule, name, verdict, r->pool), NULL);
}

const char *avh_challenge_of(request_rec *r, const av_rule *rule, const av_verdict *verdict)
{
    return challenge_called(r, rule, challenge_name(rule), verdict);
}

static bool has_name(const av_rule *rule, const char *name)
{
    const char *each;
    for (int i = 0; (each = nth_name(rule, i)); i++) {
        if (strcmp(each, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_challenges_of(request_rec *r, const apr_array_header_t *rules, int index, const av_verdict *verdict)
{
    const av_rule *rule = APR_ARRAY_IDX(rules, index, const av_rule *);
    const char *name;
    for (int i = 0; (name = nth_name(rule, i)); i++) {
        bool is_first = !rule->proves_nobody;
        for (int j = 0; j < index; j++) {
            is_first &= !has_name(APR_ARRAY_IDX(rules, j, const av_rule *), name);
        }
        if (is_first) {
            add_challenge(r, challenge_called(r, rule, name, verdict));
        }
    }
}

/* One challenge for each scheme name (RFC 9110 section 11.6.1): that of the first rule that has it. */
static void add_challenges(request_rec *r, const apr_array_header_t *rules, const av_verdict *verdict)
{
    for (int i = 0; i < rules->nelts; i++) {
        add_challenges_of(r, rules, i, verdict);
    }
}

/* Only that of the scheme by which the credential came, where that is one for tokens. */
static void add_token_challenge(request_rec *r, const av_verdict *verdict)
{
    const char *name = name_shown(verdict);
    if (strcmp(name, "Bearer") == 0 || strcmp(name, DPOP) == 0) {
        add_challenge(r, challenge_called(r, verdict->rule, name, verdict));
    }
}

void avh_tell_nonce(request_rec *r, const av_verdict *verdict)
{
    if (verdict->nonce.at) {
        apr_table_setn(r->err_headers_out, "DPoP-Nonce", av_slice_string(verdict->nonce, r->pool));
        apr_table_setn(r->err_headers_out, "Cache-Control", "no-store"); /* section 8.2 */
    }
}

int avh_status_of(const avh_section *section, const av_verdict *verdict)
{
    const avh_aws_error *aws = avh_aws_error_of(section, verdict);
    return aws ? aws->status : av_reason_status(verdict->reason);
}

const char *avh_retry_after(int status, const av_verdict *verdict, apr_pool_t *pool)
{
    apr_interval_time_t second = apr_time_from_sec(1);
    if (verdict->wait) {
        return apr_psprintf(pool, "%" APR_TIME_T_FMT, (verdict->wait + second - 1) / second);
    }
    return status == HTTP_SERVICE_UNAVAILABLE ? RETRY_AFTER : NULL;
}

/* What the body of the answer is made of. */
static void note_answer(request_rec *r, const avh_section *section, const av_verdict *verdict)
{
    const avh_aws_error *aws = avh_aws_error_of(section, verdict);
    apr_table_setn(r->notes, NOTE, av_class_text(av_reason_class(verdict->reason)));
    if (aws) {
        apr_table_setn(r->notes, AWS_CODE, aws->code);
        apr_table_setn(r->notes, AWS_MESSAGE, aws->message);
        apr_table_setn(r->err_headers_out, "x-amzn-ErrorType", aws->code);
    }
}

/* The headers of a refusal under these rules, which may be none. */
static void add_headers(request_rec *r, const av_policy *policy, const av_verdict *verdict, int status)
{
    if (status == HTTP_UNAUTHORIZED && policy) {
        /* HTTP requires a challenge, if need be that of a rule besides */
        add_challenges(r, av_policy_proves_somebody(policy) ? policy->rules : policy->also, verdict);
    }
    if (verdict->reason == AV_AMBIGUOUS_CREDENTIAL ||
        (verdict->reason == AV_CLIENT_NOT_ALLOWED && verdict->rule->tells_scopes)) {
        add_token_challenge(r, verdict);
    }
    avh_tell_nonce(r, verdict);
    const char *later = avh_retry_after(status, verdict, r->pool);
    if (later) {
        apr_table_setn(r->err_headers_out, "Retry-After", later);
    }
}

static int refuse(request_rec *r, const avh_section *section, const av_verdict *verdict, int answered)
{
    int status = avh_status_of(section, verdict);
    if (!r->main) { /* a subrequest that is refused takes nothing from the request that asked for it */
        avh_drop_body(r);
    }
    if (section->policy && !r->main) {
        avh_strip_credentials(r, section->policy);
    }
    avh_export_environment(r, section, verdict);
    note_answer(r, section, verdict);
    add_headers(r, section->policy, verdict, status);
    return answered ? answered : status;
}

int avh_refuse(request_rec *r, const avh_section *section, const avh_decision *decision)
{
    return refuse(r, section, &decision->verdict, decision->status);
}

int avh_refuse_for(request_rec *r, const avh_section *section, av_reason reason)
{
    av_verdict verdict = av_refusal(reason, NULL);
    if (!apr_table_get(r->notes, NOTE)) { /* the gate may have said it, and Satisfy Any gone on */
        avh_log_verdict(r, section, &verdict);
    }
    return refuse(r, section, &verdict, 0);
}

static const char *const variables[] = {
    "AUTHVERIFY_RESULT", "AUTHVERIFY_REASON",       "AUTHVERIFY_SCHEME",  "AUTHVERIFY_RULE",        "AUTHVERIFY_CLIENT",
    "AUTHVERIFY_ID",     "AUTHVERIFY_SECRET_LABEL", "AUTHVERIFY_ORG",     "AUTHVERIFY_ENVIRONMENT", "AUTHVERIFY_SCOPES",
    "AUTHVERIFY_REGION", "AUTHVERIFY_SERVICE",      "AUTHVERIFY_PAYLOAD",
};

void avh_clear_environment(request_rec *r)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        apr_table_unset(r->subprocess_env, variables[i]);
    }
}

static void set_variable(request_rec *r, const char *name, const char *value)
{
    if (value && *value) {
        apr_table_addn(r->subprocess_env, name, value); /* cleared before: nothing of the name is there */
    }
}

void avh_export_environment(request_rec *r, const avh_section *section, const av_verdict *verdict)
{
    avh_clear_environment(r);
    set_variable(r, "AUTHVERIFY_RESULT", result_word(section, verdict));
    if (verdict->rule) {
        set_variable(r, "AUTHVERIFY_SCHEME", verdict->rule->scheme->name);
        set_variable(r, "AUTHVERIFY_RULE", verdict->rule->name);
    }
    if (verdict->reason != AV_ACCEPTED) {
        bool has_reason = !avh_is_preflight(section, verdict);
        set_variable(r, "AUTHVERIFY_REASON", has_reason ? av_reason_name(verdict->reason) : NULL);
        return;
    }
    set_variable(r, "AUTHVERIFY_CLIENT", verdict->client);
    set_variable(r, "AUTHVERIFY_SECRET_LABEL", verdict->label);
    if (verdict->record) {
        set_variable(r, "AUTHVERIFY_ORG", av_slice_string(verdict->record->org, r->pool));
        set_variable(r, "AUTHVERIFY_ENVIRONMENT", av_slice_string(verdict->record->environment, r->pool));
        set_variable(r, "AUTHVERIFY_SCOPES", av_slice_string(verdict->record->scopes, r->pool));
    }
    set_variable(r, "AUTHVERIFY_ID", av_slice_string(verdict->id, r->pool));
    for (apr_size_t i = 0; i < verdict->attribute_count; i++) {
        const av_attribute *attribute = &verdict->attributes[i];
        set_variable(r, apr_pstrcat(r->pool, "AUTHVERIFY_", attribute->name, NULL),
                     av_slice_string(attribute->value, r->pool));
    }
}

/* RFC 9457. Every text in it is ours and needs no escaping. */
static const char *problem(const request_rec *r, const char *detail)
{
    const char *line = ap_get_status_line(r->status);
    return apr_psprintf(r->pool, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
                        line + 4, r->status, detail);
}

/* Our text, and what it is. */
typedef struct error_body {
    const char *text, *type; /* no type: no body */
} error_body;

/* Puts our text in the place of what httpd writes. */
static apr_status_t write_error_body(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    request_rec *r = filter->r;
    const error_body *body = filter->ctx;
    const char *text = body->text;
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade), *next; bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = next) {
        next = APR_BUCKET_NEXT(bucket);
        if (APR_BUCKET_IS_EOS(bucket)) {
            ap_set_content_type(r, body->type);
            ap_set_content_length(r, (apr_off_t)strlen(text));
            if (*text) {
                APR_BUCKET_INSERT_BEFORE(bucket, apr_bucket_immortal_create(text, strlen(text), brigade->bucket_alloc));
            }
            ap_remove_output_filter(filter);
            return ap_pass_brigade(filter->next, brigade);
        }
        if (!APR_BUCKET_IS_METADATA(bucket)) {
            apr_bucket_delete(bucket);
        }
    }
    return APR_BRIGADE_EMPTY(brigade) ? APR_SUCCESS : ap_pass_brigade(filter->next, brigade);
}

static error_body make_error_body(const request_rec *r, avh_error_body style, const char *detail)
{
    const char *code = apr_table_get(r->notes, AWS_CODE);
    if (style == AVH_EMPTY) {
        return (error_body){ "", NULL };
    }
    if (style == AVH_AWS && code) {
        return (error_body){ avh_aws_error_body(code, apr_table_get(r->notes, AWS_MESSAGE), r->pool),
                             "application/xml" };
    }
    return (error_body){ problem(r, detail), "application/problem+json" };
}

void avh_note_missing_scope(request_rec *r)
{
    apr_table_setn(r->notes, SCOPE_NOTE, "1");
}

static void add_scope_challenge(request_rec *r, const avh_section *section)
{
    const avh_decision *decision = avh_decided(r, section);
    const av_rule *rule = decision ? decision->verdict.rule : NULL;
    if (rule && decision->verdict.reason == AV_ACCEPTED) {
        add_token_challenge(r, &decision->verdict);
    }
}

/* A lookup's refusal that becomes the answer says what it would have said by itself. */
static void take_over_lookup(request_rec *r, const avh_section *section)
{
    const avh_decision *decision = r->main || apr_table_get(r->notes, NOTE) ? NULL : avh_passed_on(r);
    if (decision) {
        note_answer(r, section, &decision->verdict);
        add_headers(r, decision->policy, &decision->verdict, r->status);
    }
}

void avh_insert_error_body(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    take_over_lookup(r, section);
    const char *detail = apr_table_get(r->notes, NOTE);
    if (r->status == HTTP_FORBIDDEN && apr_table_get(r->notes, SCOPE_NOTE)) {
        add_scope_challenge(r, section);
    }
    bool is_customized = ap_response_code_string(r, ap_index_of_response(r->status)) != NULL;
    if (detail && !is_customized && section->error_body != AVH_HTML) {
        error_body *body = apr_palloc(r->pool, sizeof(*body));
        *body = make_error_body(r, section->error_body, detail);
        ap_add_output_filter(FILTER_NAME, body, r, r->connection);
    }
}

void avh_answer_register(void)
{
    ap_register_output_filter(FILTER_NAME, write_error_body, NULL, AP_FTYPE_CONTENT_SET);
}
