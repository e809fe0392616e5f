/* The lanes of one request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <openssl/err.h>

/* Where the body stands among the pieces; piece_count where it does not. */
static apr_size_t body_index(const av_claim *claim)
{
    apr_size_t i = 0;
    while (i < claim->piece_count && claim->pieces[i].kind != AV_PIECE_BODY) {
        i++;
    }
    return i;
}

/* The body can be hashed as it comes: all that stands before it is known, and it stands there once. */
static bool streams(const av_claim *claim)
{
    apr_size_t body = body_index(claim);
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        if ((i < body && claim->pieces[i].kind == AV_PIECE_DERIVED) ||
            (i > body && claim->pieces[i].kind == AV_PIECE_BODY)) {
            return false;
        }
    }
    return true;
}

static bool wants(const av_claim *claim, av_selector_kind kind)
{
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        if (claim->pieces[i].kind == AV_PIECE_DERIVED && claim->pieces[i].selector->kind == kind) {
            return true;
        }
    }
    return false;
}

static bool feed(EVP_MD_CTX *context, av_slice bytes)
{
    return !bytes.len || EVP_DigestUpdate(context, bytes.at, bytes.len) == 1;
}

static bool start_hash(av_reading *reading, const av_crypto *crypto, apr_pool_t *pool)
{
    reading->hash = av_digest_context(pool);
    return reading->hash && EVP_DigestInit_ex(reading->hash, crypto->sha256, NULL) == 1;
}

/* Ready for the body: what stands before it is fed. */
static bool open_lane(av_reading *reading, const av_claim *claim, const av_key *key, apr_pool_t *pool)
{
    apr_size_t body = body_index(claim);
    av_lane *lane = &reading->lanes[reading->lane_count++];
    *lane = (av_lane){ claim, key, av_digest_context(pool), 0 };
    if (!lane->context || !key->algorithm->start(key, lane->context)) {
        return false;
    }
    for (apr_size_t i = 0; i < body; i++) {
        if (!feed(lane->context, claim->pieces[i].bytes)) {
            return false;
        }
    }
    lane->fed = body + 1;
    return true;
}

bool av_reading_open(av_reading *reading, const av_claim *claim, apr_pool_t *pool)
{
    const av_client *client = claim->client;
    apr_size_t body = body_index(claim);
    bool has_body = body < claim->piece_count, one_pass = streams(claim);

    for (apr_size_t i = 0; has_body && i < client->key_count; i++) {
        if (!one_pass || !client->keys[i].algorithm->streams || reading->lane_count == AV_MAX_LANES) {
            reading->keeps_body = true;
        } else if (!open_lane(reading, claim, &client->keys[i], pool)) {
            return false;
        }
    }
    if (has_body && one_pass && !client->keys[0].algorithm->streams && !reading->lead_claim &&
        body + 1 == claim->piece_count) {
        reading->lead_claim = claim;
        reading->lead = body ? claim->pieces[0].bytes : (av_slice){ "", 0 };
    }
    bool hashes = wants(claim, AV_SELECT_BODY_SHA256);
    reading->keeps_body |= claim->rule->looks_inside || wants(claim, AV_SELECT_JSON) || wants(claim, AV_SELECT_FORM);
    reading->wants_body |= has_body || hashes || reading->keeps_body;
    return !hashes || reading->hash || start_hash(reading, client->keys[0].crypto, pool);
}

bool av_reading_read(av_reading *reading, av_reader *reader)
{
    av_reader **at = &reading->readers;
    if (reader->coding && reading->coding) {
        return false;
    }
    while (*at && !(*at)->coding) {
        at = &(*at)->next;
    }
    reader->next = *at;
    *at = reader;
    reading->coding = reader->coding ? reader->coding : reading->coding;
    reading->wants_body = true;
    return true;
}

static void refuse(av_reading *reading, av_reason reason, const av_claim *claim)
{
    if (!reading->refusal) {
        reading->refusal = reason;
        reading->refused = claim;
    }
}

apr_size_t av_reading_feed(av_reading *reading, const char *bytes, apr_size_t len, char *out)
{
    av_slice slice = { bytes, len };
    for (apr_size_t i = 0; i < reading->lane_count; i++) {
        if (!feed(reading->lanes[i].context, slice)) {
            refuse(reading, AV_INTERNAL_ERROR, reading->lanes[i].claim);
        }
    }
    if (reading->hash && !feed(reading->hash, slice)) {
        refuse(reading, AV_INTERNAL_ERROR, NULL);
    }
    for (av_reader *reader = reading->readers; reader && !reading->refusal; reader = reader->next) {
        av_reason reason = reader->take(reader, bytes, &len, reading->keeps_coding ? NULL : out);
        if (reason != AV_ACCEPTED) {
            refuse(reading, reason, reader->claim);
        }
    }
    return reading->keeps_coding ? slice.len : len;
}

static av_slice hash_text(const av_reading *reading, apr_pool_t *pool)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *copy = av_digest_context(pool);
    if (!copy || EVP_MD_CTX_copy_ex(copy, reading->hash) != 1 || EVP_DigestFinal_ex(copy, hash, &size) != 1) {
        ERR_clear_error();
        return (av_slice){ NULL, 0 };
    }
    return av_encode(AV_HEX, (av_slice){ (const char *)hash, size }, pool);
}

void av_reading_view(const av_reading *reading, bool wants_json, av_view *view, apr_pool_t *pool)
{
    if (reading->hash) {
        view->body_sha256 = hash_text(reading, pool);
    }
    if (reading->keeps_body && reading->body.len <= reading->parse_limit) {
        view->body = &reading->body;
        view->json = wants_json ? av_json_load(reading->body, pool) : NULL;
    }
}

/* One piece of the signed text, now that the body is known. */
static av_reason piece_bytes(const av_reading *reading, const av_piece *piece, const av_view *view, av_slice *bytes,
                             apr_pool_t *pool)
{
    *bytes = piece->kind == AV_PIECE_BODY ? reading->body : piece->bytes;
    if (piece->kind != AV_PIECE_DERIVED) {
        return AV_ACCEPTED;
    }
    return av_selector_read(piece->selector, view, bytes, pool) == AV_FOUND ? AV_ACCEPTED : AV_BODY_NOT_UNDERSTOOD;
}

static av_reason feed_rest(const av_reading *reading, const av_lane *lane, const av_view *view, apr_pool_t *pool)
{
    for (apr_size_t i = lane->fed; i < lane->claim->piece_count; i++) {
        av_slice bytes;
        av_reason reason = piece_bytes(reading, &lane->claim->pieces[i], view, &bytes, pool);
        if (reason != AV_ACCEPTED) {
            return reason;
        }
        if (!feed(lane->context, bytes)) {
            return AV_INTERNAL_ERROR;
        }
    }
    return AV_ACCEPTED;
}

/* The whole signed text in one piece, for an algorithm that cannot stream. Copies only where the body was not put
 * behind its lead. */
static av_reason whole_text(const av_reading *reading, const av_claim *claim, const av_view *view, av_slice *text,
                            apr_pool_t *pool)
{
    if (reading->lead_claim == claim) {
        *text = (av_slice){ reading->body.at - reading->lead.len, reading->lead.len + reading->body.len };
        return AV_ACCEPTED;
    }
    av_slice *bytes = apr_palloc(pool, claim->piece_count * sizeof(*bytes));
    apr_size_t len = 0;
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        av_reason reason = piece_bytes(reading, &claim->pieces[i], view, &bytes[i], pool);
        if (reason != AV_ACCEPTED) {
            return reason;
        }
        len += bytes[i].len;
    }
    char *joined = apr_palloc(pool, len + 1), *end = joined;
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        if (bytes[i].len) {
            memcpy(end, bytes[i].at, bytes[i].len);
            end += bytes[i].len;
        }
    }
    *text = (av_slice){ joined, len };
    return AV_ACCEPTED;
}

/* The lane that was fed while the body was read, or a new one that takes it from the kept body. */
static bool take_lane(const av_reading *reading, const av_claim *claim, const av_key *key, av_lane *lane,
                      apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < reading->lane_count; i++) {
        if (reading->lanes[i].claim == claim && reading->lanes[i].key == key) {
            *lane = reading->lanes[i];
            return true;
        }
    }
    *lane = (av_lane){ claim, key, key->algorithm->reads_text ? av_digest_context(pool) : NULL, 0 };
    if (!key->algorithm->reads_text) {
        return true;
    }
    return lane->context && (!key->algorithm->streams || key->algorithm->start(key, lane->context));
}

static av_reason match_key(const av_reading *reading, const av_claim *claim, const av_key *key, const av_view *view,
                           av_reason otherwise, apr_pool_t *pool)
{
    av_lane lane;
    av_slice text = { "", 0 };
    av_reason reason = AV_ACCEPTED;
    if (!take_lane(reading, claim, key, &lane, pool)) {
        return AV_INTERNAL_ERROR;
    }
    if (key->algorithm->streams) {
        reason = feed_rest(reading, &lane, view, pool);
    } else if (key->algorithm->reads_text) {
        reason = whole_text(reading, claim, view, &text, pool);
    }
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    int match = key->algorithm->match(key, lane.context, text, claim->proofs, claim->proof_count);
    return match >= 0 ? AV_ACCEPTED : match == AV_NO_PROOF ? otherwise : AV_INTERNAL_ERROR;
}

av_reason av_reading_match(const av_reading *reading, const av_claim *claim, av_reason otherwise, const char **label,
                           apr_pool_t *pool)
{
    av_view view = { 0 };
    av_reason reason = otherwise;
    bool wants_json = wants(claim, AV_SELECT_JSON);
    if (wants_json || wants(claim, AV_SELECT_BODY_SHA256) || wants(claim, AV_SELECT_FORM)) {
        av_reading_view(reading, wants_json, &view, pool);
    }
    for (apr_size_t i = 0; reason == otherwise && i < claim->client->key_count; i++) {
        const av_key *key = &claim->client->keys[i];
        reason = match_key(reading, claim, key, &view, otherwise, pool);
        *label = key->label;
    }
    return reason;
}
