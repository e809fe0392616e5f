/* The signatures that a request offers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "candidates.h"

typedef struct candidates {
    const av_signature_settings *settings;
    apr_pool_t *pool;
    av_proof *proofs;
    apr_size_t count;
    apr_size_t seen; /* entries looked at, readable or not */
} candidates;

/* One signature as written: the prefix must be there, and the rest must decode to the algorithm's length. What cannot
 * be read is no candidate. */
static bool decode(const candidates *made, av_slice text, av_slice *bytes)
{
    const av_signature_settings *settings = made->settings;
    apr_size_t wanted = settings->algorithm->proof_size, len = 0;
    if (!av_slice_starts_with(text, settings->prefix)) {
        return false;
    }
    text = av_slice_skip(text, settings->prefix.len);
    apr_size_t size = av_decoded_size(settings->encoding, text.len);
    if (!text.len || (wanted && size > wanted + 2)) {
        return false;
    }
    unsigned char *decoded = apr_palloc(made->pool, size + 1);
    bool done = av_decode(settings->encoding, text, decoded, size, &len) && (!wanted || len == wanted);
    *bytes = (av_slice){ (const char *)decoded, len };
    return done;
}

/* False: there are more than anybody should have to try. */
static bool add(candidates *made, av_slice text)
{
    av_slice bytes;
    if (++made->seen > AV_MAX_PROOFS) {
        return false;
    }
    if (decode(made, text, &bytes)) {
        made->proofs[made->count++].bytes = bytes;
    }
    return true;
}

/* "v1,SIGNATURE" in a list separated by spaces, "v1=SIGNATURE" in one separated by commas. Entries of other versions
 * are for other receivers, but count. */
static bool add_entry(candidates *made, av_slice entry)
{
    const av_signature_settings *settings = made->settings;
    av_slice rest = entry, version;
    if (!settings->version.len) {
        return add(made, entry);
    }
    av_slice_split(&rest, settings->list == ' ' ? ',' : '=', &version);
    if (rest.at && av_slice_equal(version, settings->version)) {
        return add(made, rest);
    }
    return ++made->seen <= AV_MAX_PROOFS;
}

static bool add_text(candidates *made, av_slice text)
{
    const av_signature_settings *settings = made->settings;
    av_slice entry;
    if (!settings->list) {
        return add(made, text);
    }
    while (av_slice_split(&text, settings->list, &entry)) {
        if (!add_entry(made, settings->list == ',' ? av_slice_trim(entry) : entry)) {
            return false;
        }
    }
    return true;
}

static bool add_fields(candidates *made, const av_fields *fields, av_slice name)
{
    for (apr_size_t i = 0; i < fields->count; i++) {
        if (av_slice_equal(name, fields->at[i].name) && !add_text(made, fields->at[i].value)) {
            return false;
        }
    }
    return true;
}

static av_reason add_place(candidates *made, const av_selector *place, const av_view *view)
{
    av_slice text;
    if (place->kind == AV_SELECT_FIELD) {
        return add_fields(made, view->fields, place->name) ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
    }
    switch (av_selector_read(place, view, &text, made->pool)) {
    case AV_FOUND:
        return add_text(made, text) ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
    case AV_TWICE:
        return AV_AMBIGUOUS_CREDENTIAL;
    case AV_ABSENT:
        return AV_ACCEPTED;
    default:
        return AV_MALFORMED_CREDENTIAL;
    }
}

av_reason av_signature_candidates(const av_signature_settings *settings, const av_view *view, av_claim *claim,
                                  apr_pool_t *pool)
{
    candidates made = { settings, pool, apr_palloc(pool, AV_MAX_PROOFS * sizeof(av_proof)), 0, 0 };
    for (apr_size_t i = 0; i < settings->signature_count; i++) {
        av_reason reason = add_place(&made, &settings->signatures[i], view);
        if (reason != AV_ACCEPTED) {
            return reason;
        }
    }
    claim->proofs = made.proofs;
    claim->proof_count = made.count;
    return made.count ? AV_ACCEPTED : AV_MALFORMED_CREDENTIAL;
}
