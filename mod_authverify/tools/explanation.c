/* Why a request was accepted or refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "explanation.h"
#include "../core/secret.h"
#include "../core/timestamp.h"
#include "../schemes/signature/settings.h"
#include "arguments.h"
#include "explanation_aws4.h"

#include <apr_strings.h>
#include <stdarg.h>

#define SHOWN_BYTES 2000

void avt_say(avt_explanation *explanation, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *(const char **)apr_array_push(explanation->steps) = apr_pvsprintf(explanation->pool, format, arguments);
    va_end(arguments);
}

const char *avt_printable(av_slice text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef", named[] = "\n\r\t\\", names[] = "nrt\\";
    char *out = apr_palloc(pool, text.len * 4 + 1), *end = out;
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        const char *found = byte ? strchr(named, byte) : NULL;
        if (found) {
            *end++ = '\\';
            *end++ = names[found - named];
        } else if (byte >= ' ' && byte < 0x7f) {
            *end++ = (char)byte;
        } else {
            *end++ = '\\';
            *end++ = 'x';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 0xf];
        }
    }
    *end = '\0';
    return out;
}

static const char *place_text(const av_place *place, apr_pool_t *pool)
{
    if (place->kind == AV_PLACE_AUTHORIZATION) {
        return place->name.len ? apr_pstrcat(pool, "Authorization: ", place->name.at, NULL)
                               : "Authorization without a word";
    }
    return apr_pstrcat(pool, place->kind == AV_PLACE_PARAMETER ? "query parameter " : "header ", place->name.at, NULL);
}

static const char *places_text(const av_rule *rule, apr_pool_t *pool)
{
    const char *text = rule->place_count ? "" : "nothing";
    for (apr_size_t i = 0; i < rule->place_count; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", place_text(&rule->places[i], pool), NULL);
    }
    return text;
}

void avt_explain_choice(avt_explanation *explanation, const av_policy *policy, const av_claim *claim, av_reason reason)
{
    bool is_over = false;
    for (int i = 0; i < policy->rules->nelts && !is_over; i++) {
        const av_rule *rule = APR_ARRAY_IDX(policy->rules, i, const av_rule *);
        is_over = claim && claim->rule == rule;
        avt_say(explanation, "rule %d \"%s\" looks at %s: %s", i + 1, rule->name, places_text(rule, explanation->pool),
                is_over ? "it sees its credential, and decides" : "not there");
    }
    for (const av_claim *also = claim ? claim->also : NULL; also; also = also->also) {
        avt_say(explanation, "rule \"%s\" must hold besides: it sees its credential", also->rule->name);
    }
    if (!claim) {
        avt_say(explanation, "no rule sees its credential");
    } else if (reason != AV_ACCEPTED) {
        avt_say(explanation, "the head alone is refused: %s", av_reason_text(reason));
    }
}

/* The signed text, now that the body is known. False where a part of it cannot be had. */
static bool assemble(const av_claim *claim, av_slice body, av_slice *text, apr_pool_t *pool)
{
    av_view view = claim->parsed ? *(const av_view *)claim->parsed : (av_view){ 0 };
    av_slice *parts = apr_pcalloc(pool, (claim->piece_count + 1) * sizeof(*parts));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_digest(claim->rule->crypto->sha256, body, digest, &size);
    view.body = &body;
    view.json = av_json_load(body, pool);
    view.body_sha256 = av_encode(AV_HEX, (av_slice){ (const char *)digest, size }, pool);
    text->len = 0;
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        const av_piece *piece = &claim->pieces[i];
        parts[i] = piece->kind == AV_PIECE_BODY ? body : piece->bytes;
        if (piece->kind == AV_PIECE_DERIVED && av_selector_read(piece->selector, &view, &parts[i], pool) != AV_FOUND) {
            return false;
        }
        text->len += parts[i].len;
    }
    char *bytes = apr_palloc(pool, text->len + 1), *end = bytes;
    text->at = bytes;
    for (apr_size_t i = 0; i < claim->piece_count; end += parts[i++].len) {
        memcpy(end, parts[i].at, parts[i].len);
    }
    return true;
}

static bool is_hmac(const av_rule *rule)
{
    return rule->algorithm && av_slice_starts_with(av_slice_of(rule->algorithm->name), AV_SLICE("hmac-"));
}

static bool compute(const av_key *key, av_slice text, av_slice *mac, apr_pool_t *pool)
{
    unsigned char *bytes = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    EVP_MD_CTX *context = av_digest_context(pool);
    bool done = context && key->algorithm->start(key, context) && EVP_DigestUpdate(context, text.at, text.len) == 1 &&
                av_hmac_finish(key->ready, context, bytes, &size);
    *mac = (av_slice){ (const char *)bytes, size };
    return done;
}

/* What happens to bodies on their way through editors, frameworks and captures. */

static av_slice without_last_line_end(av_slice body, apr_pool_t *pool)
{
    (void)pool;
    body.len -= body.len && body.at[body.len - 1] == '\n';
    body.len -= body.len && body.at[body.len - 1] == '\r';
    return body;
}

static av_slice with_line_feed(av_slice body, apr_pool_t *pool)
{
    return av_slice_of(apr_pstrcat(pool, av_slice_string(body, pool), "\n", NULL));
}

static av_slice with_plain_lines(av_slice body, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, body.len + 1), *end = bytes;
    for (apr_size_t i = 0; i < body.len; i++) {
        if (body.at[i] != '\r' || i + 1 == body.len || body.at[i + 1] != '\n') {
            *end++ = body.at[i];
        }
    }
    return (av_slice){ bytes, (apr_size_t)(end - bytes) };
}

static av_slice with_network_lines(av_slice body, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, body.len * 2 + 1), *end = bytes;
    for (apr_size_t i = 0; i < body.len; i++) {
        if (body.at[i] == '\n' && (!i || body.at[i - 1] != '\r')) {
            *end++ = '\r';
        }
        *end++ = body.at[i];
    }
    return (av_slice){ bytes, (apr_size_t)(end - bytes) };
}

static av_slice without_body(av_slice body, apr_pool_t *pool)
{
    (void)pool;
    return (av_slice){ body.at, 0 };
}

static const struct suspicion {
    const char *what;
    av_slice (*change)(av_slice body, apr_pool_t *pool);
} suspicions[] = {
    { "without the line end at its end", without_last_line_end },
    { "with a line feed at its end", with_line_feed },
    { "with LF for each CRLF", with_plain_lines },
    { "with CRLF for each LF", with_network_lines },
    { "left out: the empty body", without_body },
};

static bool is_sent(const av_claim *claim, av_slice mac)
{
    for (apr_size_t i = 0; i < claim->proof_count; i++) {
        if (av_secret_equal(claim->proofs[i].bytes, mac)) {
            return true;
        }
    }
    return false;
}

static void explain_suspicions(avt_explanation *explanation, const av_claim *claim, const av_key *key, av_slice body)
{
    for (size_t i = 0; i < sizeof(suspicions) / sizeof(suspicions[0]); i++) {
        av_slice changed = suspicions[i].change(body, explanation->pool), text, mac;
        bool differs = !av_slice_equal(changed, body);
        if (differs && assemble(claim, changed, &text, explanation->pool) &&
            compute(key, text, &mac, explanation->pool) && is_sent(claim, mac)) {
            avt_say(explanation,
                    "the signature sent is that of the same body %s: something has changed the body on the way",
                    suspicions[i].what);
        }
    }
}

static void explain_signatures(avt_explanation *explanation, const av_claim *claim, av_slice text, av_slice body)
{
    const av_signature_settings *settings = claim->rule->settings;
    for (apr_size_t i = 0; i < claim->proof_count; i++) {
        avt_say(explanation, "signature sent: %s",
                av_encode(settings->encoding, claim->proofs[i].bytes, explanation->pool).at);
    }
    for (apr_size_t i = 0; claim->client && is_hmac(claim->rule) && i < claim->client->key_count; i++) {
        const av_key *key = &claim->client->keys[i];
        av_slice mac;
        if (!compute(key, text, &mac, explanation->pool)) {
            continue;
        }
        bool is_right = is_sent(claim, mac);
        avt_say(explanation, "signature under the secret \"%s\": %s%s", key->label,
                av_encode(settings->encoding, mac, explanation->pool).at,
                is_right ? ", which was sent" : ", which was not sent");
        if (!is_right) {
            explain_suspicions(explanation, claim, key, body);
        }
    }
}

static void compare_text(avt_explanation *explanation, av_slice text)
{
    av_slice theirs = explanation->client_text;
    apr_size_t at = 0;
    if (!theirs.len) {
        return;
    }
    while (at < text.len && at < theirs.len && text.at[at] == theirs.at[at]) {
        at++;
    }
    if (at == text.len && at == theirs.len) {
        avt_say(explanation, "the client's text is the same");
        return;
    }
    av_slice rest = { theirs.at + at, theirs.len - at < 40 ? theirs.len - at : 40 };
    avt_say(explanation, "the client's text differs from byte %" APR_SIZE_T_FMT " on: %s", at,
            avt_printable(rest, explanation->pool));
}

static void explain_signed(avt_explanation *explanation, const av_claim *claim, av_slice body)
{
    av_slice text;
    if (!assemble(claim, body, &text, explanation->pool)) {
        avt_say(explanation, "a value that is signed cannot be read from the body");
        return;
    }
    av_slice shown = { text.at, text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES };
    explanation->signed_text = avt_printable(shown, explanation->pool);
    avt_say(explanation, "signed text, %" APR_SIZE_T_FMT " bytes: %s%s", text.len, explanation->signed_text,
            shown.len < text.len ? "..." : "");
    compare_text(explanation, text);
    explain_signatures(explanation, claim, text, body);
}

static void explain_time(avt_explanation *explanation, const av_claim *claim)
{
    const av_rule *rule = claim->rule;
    apr_time_t age = apr_time_sec(claim->now - claim->signed_at);
    avt_say(explanation,
            "signed at %s, received at %s: %" APR_TIME_T_FMT " seconds %s; %" APR_TIME_T_FMT
            " back and %" APR_TIME_T_FMT " ahead are allowed",
            av_timestamp_text(claim->signed_at, explanation->pool), av_timestamp_text(claim->now, explanation->pool),
            age < 0 ? -age : age, age < 0 ? "ahead" : "old", apr_time_sec(rule->past), apr_time_sec(rule->future));
}

static void explain_secret(avt_explanation *explanation, const av_client_secret *secret)
{
    apr_pool_t *pool = explanation->pool;
    avt_say(explanation, "its secret \"%s\"%s%s%s%s", secret->label, secret->not_before ? " holds from " : "",
            secret->not_before ? av_timestamp_text(secret->not_before, pool) : "",
            secret->expires ? " holds until " : "", secret->expires ? av_timestamp_text(secret->expires, pool) : "");
}

/* A name that is not well-formed may be a secret in the wrong place: it is shown only once it was looked up. */
static void explain_client(avt_explanation *explanation, const av_claim *claim)
{
    const av_client_record *record = claim->record;
    if (claim->client_id.len && claim->client) {
        avt_say(explanation, "the request is from \"%s\", it says", avt_printable(claim->client_id, explanation->pool));
    }
    if (!record) {
        return;
    }
    if (claim->is_unknown) {
        avt_say(explanation, "no list of clients has it");
        return;
    }
    avt_say(explanation, "the client \"%s\" is in the list, with %" APR_SIZE_T_FMT " secret%s", record->id,
            record->secret_count, record->secret_count == 1 ? "" : "s");
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        if (record->secrets[i].not_before || record->secrets[i].expires) {
            explain_secret(explanation, &record->secrets[i]);
        }
    }
}

void avt_explain_claims(avt_explanation *explanation, const av_claim *claim, const avt_capture *capture,
                        const av_verdict *verdict)
{
    for (; claim; claim = claim->also) {
        explain_client(explanation, claim);
        if (claim->piece_count) {
            explain_signed(explanation, claim, capture->body);
        }
        if (strcmp(claim->rule->scheme->name, "aws4") == 0) {
            avt_explain_aws4(explanation, claim, capture->body);
        }
        if (claim->is_timed) {
            explain_time(explanation, claim);
        }
    }
    if (verdict->reason == AV_NETWORK_REFUSED) {
        avt_say(explanation, "where the request came from is told with --address");
    }
}
