/* The signature scheme: a signature or a token somewhere in the request, over a text made of the request. Every webhook
 * provider is a set of its options (conf/presets/).
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/reading.h"
#include "../core/scheme.h"
#include "signature/candidates.h"
#include "signature/settings.h"

#define LONGEST_ID 256

/* Of a value that must be there, once, and readable. */
static av_reason reason_of(av_found found)
{
    return found == AV_FOUND ? AV_ACCEPTED : found == AV_TWICE ? AV_AMBIGUOUS_CREDENTIAL : AV_MALFORMED_CREDENTIAL;
}

/* The header that holds the fields, cut up. */
static av_reason find_fields(const av_signature_settings *settings, av_view *view, apr_pool_t *pool)
{
    av_slice text;
    if (!settings->fields.is_set) {
        return AV_ACCEPTED;
    }
    av_fields *fields = apr_palloc(pool, sizeof(*fields));
    av_reason reason = reason_of(av_selector_read(&settings->fields.selector, view, &text, pool));
    if (reason == AV_ACCEPTED && !av_fields_parse(text, settings->separator, fields)) {
        reason = AV_MALFORMED_CREDENTIAL;
    }
    view->fields = fields;
    return reason;
}

/* The value belongs to this turn: the head's before the body is read, the body's after the proof. */
static bool is_due(const av_optional_selector *value, bool inside)
{
    return value->is_set && av_selector_is_in_body(&value->selector) == inside;
}

static av_reason find_timestamp(const av_signature_settings *settings, av_view *view, av_claim *claim, bool inside,
                                apr_pool_t *pool)
{
    if (!is_due(&settings->timestamp, inside)) {
        return AV_ACCEPTED;
    }
    av_reason reason = reason_of(av_selector_read(&settings->timestamp.selector, view, &view->timestamp, pool));
    if (reason == AV_ACCEPTED && !av_timestamp_parse(view->timestamp, settings->format, &claim->signed_at)) {
        reason = AV_MALFORMED_CREDENTIAL;
    }
    claim->is_timed = reason == AV_ACCEPTED;
    return reason;
}

static bool is_good_id(av_slice id)
{
    return id.len <= LONGEST_ID && av_slice_is_visible(id);
}

/* If a visible id could hold a delimiter that stands beside it in the signed text, two requests could have one text. */
static bool holds_delimiter(av_slice id, const av_signature_settings *settings)
{
    return av_slice_contains(id, settings->before_id) || av_slice_contains(id, settings->after_id);
}

static av_reason find_ids(const av_signature_settings *settings, av_view *view, av_claim *claim, bool inside,
                          apr_pool_t *pool)
{
    av_slice text;
    if (is_due(&settings->id, inside)) {
        av_reason reason = reason_of(av_selector_read(&settings->id.selector, view, &view->id, pool));
        if (reason != AV_ACCEPTED) {
            return reason;
        }
        if (!is_good_id(view->id) || holds_delimiter(view->id, settings)) {
            return AV_MALFORMED_CREDENTIAL;
        }
        claim->id = view->id;
    }
    if (is_due(&settings->unsigned_id, inside) &&
        av_selector_read(&settings->unsigned_id.selector, view, &text, pool) == AV_FOUND && is_good_id(text)) {
        claim->unsigned_id = text;
    }
    return AV_ACCEPTED;
}

static av_reason check_expectations(const av_signature_settings *settings, const av_view *view, bool inside,
                                    apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < settings->expectation_count; i++) {
        const av_expectation *expectation = &settings->expectations[i];
        av_slice text;
        if (av_selector_is_in_body(&expectation->selector) == inside &&
            (av_selector_read(&expectation->selector, view, &text, pool) != AV_FOUND ||
             !av_slice_equal(text, expectation->value))) {
            return AV_UNEXPECTED_VALUE;
        }
    }
    return AV_ACCEPTED;
}

static av_reason find_client(const av_signature_settings *settings, const av_view *view, av_claim *claim,
                             apr_pool_t *pool)
{
    if (!settings->client.is_set) {
        return AV_ACCEPTED;
    }
    av_reason reason = reason_of(av_selector_read(&settings->client.selector, view, &claim->client_id, pool));
    bool is_name = claim->client_id.len <= LONGEST_ID && av_slice_is_visible(claim->client_id);
    return reason == AV_ACCEPTED && !is_name ? AV_MALFORMED_CREDENTIAL : reason;
}

static av_reason find_values(const av_signature_settings *settings, av_view *view, av_claim *claim, bool inside,
                             apr_pool_t *pool)
{
    av_reason reason = find_timestamp(settings, view, claim, inside, pool);
    if (reason == AV_ACCEPTED) {
        reason = find_ids(settings, view, claim, inside, pool);
    }
    return reason == AV_ACCEPTED ? check_expectations(settings, view, inside, pool) : reason;
}

static av_reason find(const av_request *request, av_claim *claim, apr_pool_t *pool)
{
    const av_signature_settings *settings = claim->rule->settings;
    av_view *view = apr_pcalloc(pool, sizeof(*view));
    view->request = request;
    claim->parsed = view;

    av_reason reason = find_fields(settings, view, pool);
    if (reason == AV_ACCEPTED) {
        reason = av_signature_candidates(settings, view, claim, pool);
    }
    if (reason == AV_ACCEPTED) {
        reason = find_values(settings, view, claim, false, pool);
    }
    if (reason == AV_ACCEPTED) {
        reason = find_client(settings, view, claim, pool);
    }
    if (reason == AV_ACCEPTED) {
        reason = reason_of(av_template_pieces(&settings->text, view, &claim->pieces, &claim->piece_count, pool));
    }
    return reason;
}

static av_reason prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    const av_signature_settings *settings = claim->rule->settings;
    return av_reading_match(reading, claim, settings->algorithm->reads_text ? AV_WRONG_SIGNATURE : AV_WRONG_SECRET,
                            label, pool);
}

static av_reason inspect(const av_request *request, const av_reading *reading, av_claim *claim, apr_pool_t *pool)
{
    const av_signature_settings *settings = claim->rule->settings;
    av_view view = *(const av_view *)claim->parsed;
    if (!claim->rule->looks_inside) {
        return AV_ACCEPTED;
    }
    view.request = request;
    av_reading_view(reading, settings->wants_json, &view, pool);
    if (!view.body) {
        return AV_BODY_NOT_UNDERSTOOD;
    }
    av_reason reason = find_values(settings, &view, claim, true, pool);
    return reason == AV_MALFORMED_CREDENTIAL ? AV_BODY_NOT_UNDERSTOOD : reason;
}

const av_scheme av_scheme_signature = {
    .name = "signature",
    .challenge = NULL,
    .options = av_signature_options,
    .settings_size = sizeof(av_signature_settings),
    .init = av_signature_init,
    .finish = av_signature_finish,
    .find = find,
    .prove = prove,
    .inspect = inspect,
};
