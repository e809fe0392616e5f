/* Reads claims, each of its one type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"
#include "../../core/token.h"

#include <jansson.h>

#define LONGEST_NAME 256
#define FURTHEST_SECOND 1000000000000000LL /* 31 million years: no sum of two overflows */

/* A string without control characters, or not there. */
static bool read_text(const json_t *claims, const char *name, av_slice *text)
{
    const json_t *claim = json_object_get(claims, name);
    *text = (av_slice){ json_string_value(claim), json_string_length(claim) };
    return !claim || (json_is_string(claim) && av_text_is_plain(*text));
}

/* The same, for what is called by it. */
static bool read_name(const json_t *claims, const char *name, av_slice *text)
{
    return read_text(claims, name, text) && (!text->at || text->len) && text->len <= LONGEST_NAME;
}

/* A fraction is taken off, or with `rounds_up` made a whole second: the token lives no longer for it. */
static bool read_time(const json_t *claims, const char *name, bool rounds_up, av_jwt_time *time)
{
    const json_t *claim = json_object_get(claims, name);
    double number = json_number_value(claim);
    *time = (av_jwt_time){ .is_said = claim != NULL };
    if (claim && !json_is_number(claim)) {
        return false;
    }
    if (number >= FURTHEST_SECOND || number <= -FURTHEST_SECOND) {
        time->seconds = number > 0 ? FURTHEST_SECOND : -FURTHEST_SECOND;
        return true;
    }
    time->seconds = json_is_integer(claim) ? json_integer_value(claim) : (apr_int64_t)number;
    if (json_is_real(claim) && (double)time->seconds != number) {
        time->seconds += (number > 0 && rounds_up) - (number < 0 && !rounds_up);
    }
    return true;
}

static bool is_array_of_strings(const json_t *claim)
{
    const json_t *each;
    size_t i;
    json_array_foreach(claim, i, each)
    {
        if (!json_is_string(each)) {
            return false;
        }
    }
    return json_is_array(claim);
}

/* RFC 6749 section 3.3. A comma is one of its characters, but here it stands between scopes. */
static bool is_scope(av_slice scope)
{
    return av_slice_is_visible(scope) && !av_slice_contains(scope, ',') && !av_slice_contains(scope, '"') &&
           !av_slice_contains(scope, '\\');
}

static bool add_scope(av_slice scope, av_slice *list, apr_pool_t *pool)
{
    if (list->len) {
        *list = av_slice_join(*list, AV_SLICE(","), pool);
    }
    *list = av_slice_join(*list, scope, pool);
    return is_scope(scope);
}

/* RFC 8693 section 4.2: a string of scopes with one space between them. Others send an array, or call it "scp". */
static bool read_scopes(const json_t *claims, av_slice *list, apr_pool_t *pool)
{
    const json_t *claim = json_object_get(claims, "scope"), *each;
    claim = claim ? claim : json_object_get(claims, "scp");
    av_slice rest = { json_string_value(claim), json_string_length(claim) }, scope;
    bool is_fit = !claim || json_is_string(claim) || is_array_of_strings(claim);
    size_t i;
    *list = AV_SLICE("");
    while (is_fit && rest.len && av_slice_split(&rest, ' ', &scope)) {
        is_fit = add_scope(scope, list, pool);
    }
    json_array_foreach(claim, i, each)
    {
        is_fit = is_fit && add_scope((av_slice){ json_string_value(each), json_string_length(each) }, list, pool);
    }
    return is_fit;
}

static bool read_names(const json_t *claims, av_jwt_facts *facts)
{
    av_slice subject, client, party;
    if (!read_name(claims, "sub", &subject) || !read_name(claims, "client_id", &client) ||
        !read_name(claims, "azp", &party) || !read_name(claims, "jti", &facts->id)) {
        return false;
    }
    facts->name = subject.at ? subject : client.at ? client : party;
    return true;
}

static bool has_required(const json_t *claims, av_slice required, apr_pool_t *pool)
{
    av_slice name;
    while (required.len && required.at && av_slice_split(&required, ',', &name)) {
        const json_t *claim = json_object_get(claims, av_slice_string(name, pool));
        if (!claim || json_is_null(claim)) {
            return false;
        }
    }
    return true;
}

/* The token must not live longer than this rule lets one. */
static bool is_short(const av_jwt_facts *facts, const av_jwt_terms *terms)
{
    if (terms->max_age && !facts->issued.is_said) {
        return false;
    }
    return !terms->max_lifetime || (facts->issued.is_said && facts->expires.is_said &&
                                    facts->expires.seconds - facts->issued.seconds <= terms->max_lifetime);
}

static av_reason check_issuer(const json_t *claims, const av_jwt_terms *terms)
{
    av_slice issuer;
    if (!read_text(claims, "iss", &issuer)) {
        return AV_UNFIT_CLAIM;
    }
    return !terms->issuer.len || av_slice_equal(issuer, terms->issuer) ? AV_ACCEPTED : AV_WRONG_ISSUER;
}

/* RFC 7519 section 4.1.3: one string, or an array of them of which one must be ours. */
static av_reason check_audience(const json_t *claims, const av_jwt_terms *terms)
{
    const json_t *claim = json_object_get(claims, "aud"), *each;
    bool is_ours = !terms->audience.len ||
                   av_list_has(terms->audience, (av_slice){ json_string_value(claim), json_string_length(claim) });
    size_t i;
    if (claim && !json_is_string(claim) && !is_array_of_strings(claim)) {
        return AV_UNFIT_CLAIM;
    }
    json_array_foreach(claim, i, each)
    {
        is_ours |= av_list_has(terms->audience, (av_slice){ json_string_value(each), json_string_length(each) });
    }
    return is_ours ? AV_ACCEPTED : AV_WRONG_AUDIENCE;
}

/* "x5t#S256" of RFC 8705 section 3.1, or "jkt" of RFC 9449 section 6.1. Nothing else may stand beside it: it would be
 * another condition. */
static bool read_binding(const json_t *claims, av_jwt_facts *facts, apr_pool_t *pool)
{
    const json_t *binding = json_object_get(claims, "cnf"), *thumbprint = json_object_get(binding, "jkt");
    unsigned char *bytes = apr_palloc(pool, AV_SHA256_SIZE);
    apr_size_t len = 0;
    if (!binding) {
        return true;
    }
    *(thumbprint ? &facts->key : &facts->certificate) = (av_slice){ (const char *)bytes, AV_SHA256_SIZE };
    thumbprint = thumbprint ? thumbprint : json_object_get(binding, "x5t#S256");
    av_slice text = { json_string_value(thumbprint), json_string_length(thumbprint) };
    return json_object_size(binding) == 1 && text.at && av_decode(AV_BASE64URL, text, bytes, AV_SHA256_SIZE, &len) &&
           len == AV_SHA256_SIZE;
}

bool av_jwt_facts_is_holder(const av_jwt_facts *facts, const av_request *request)
{
    return !facts->key.len && (!facts->certificate.len || av_secret_equal(facts->certificate, request->certificate));
}

av_reason av_jwt_facts_read(const av_json *payload, const av_jwt_terms *terms, av_jwt_facts *facts, apr_pool_t *pool)
{
    const json_t *claims = av_json_root(payload);
    if (!read_binding(claims, facts, pool)) {
        return AV_UNPROVEN_BINDING;
    }
    if (!read_time(claims, "exp", false, &facts->expires) || !read_time(claims, "nbf", true, &facts->not_before) ||
        !read_time(claims, "iat", true, &facts->issued) || !read_names(claims, facts) ||
        !read_scopes(claims, &facts->scopes, pool) || !has_required(claims, terms->required, pool) ||
        !is_short(facts, terms)) {
        return AV_UNFIT_CLAIM;
    }
    av_reason reason = check_issuer(claims, terms);
    return reason == AV_ACCEPTED ? check_audience(claims, terms) : reason;
}

av_reason av_jwt_facts_check_time(const av_jwt_facts *facts, const av_rule *rule, apr_time_t now)
{
    const av_jwt_terms *terms = rule->settings;
    apr_int64_t second = apr_time_sec(now), past = apr_time_sec(rule->past), future = apr_time_sec(rule->future);
    if (facts->expires.is_said && second >= facts->expires.seconds + past) {
        return AV_TOKEN_EXPIRED;
    }
    if (facts->not_before.is_said && facts->not_before.seconds > second + future) {
        return AV_TOO_EARLY;
    }
    if (facts->issued.is_said && facts->issued.seconds > second + future) {
        return AV_TOO_EARLY;
    }
    bool is_old = terms->max_age && second - facts->issued.seconds > terms->max_age + past;
    return is_old ? AV_TOKEN_EXPIRED : AV_ACCEPTED;
}

const av_client_record *av_jwt_facts_record(const av_jwt_facts *facts, const av_rule *rule, apr_pool_t *pool)
{
    av_client_record *record = apr_pcalloc(pool, sizeof(*record));
    record->id = facts->name.len ? av_slice_string(facts->name, pool) : rule->identity;
    record->scopes = facts->scopes;
    return record;
}
