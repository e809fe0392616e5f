/* The signature of a request, held against the client's keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#define HASH_TEXT 64
#define MOST_JOINTS 6 /* each doubles the texts that may have been signed */
#define MOST_TEXTS (1u << MOST_JOINTS)
#define MOST_BYTES (256 * 1024) /* of all these texts: nobody need be known to have them hashed */

/* The hashes of the canonical requests that may have been signed. httpd joins repeated fields with ", " and keeps
 * nothing of where it did so; signers join with ",". */
typedef struct candidates {
    char hashes[MOST_TEXTS][HASH_TEXT];
    unsigned count;
} candidates;

av_slice av_aws4_string_to_sign(const av_aws4_credential *credential, av_slice hash, apr_pool_t *pool)
{
    const av_slice lines[] = {
        credential->is_ecdsa ? AV_SLICE(AV_AWS4_ECDSA) : AV_SLICE(AV_AWS4_HMAC),
        av_slice_of(credential->timestamp),
        credential->scope,
    };
    char *start = apr_palloc(pool, credential->scope.len + HASH_TEXT + 64), *to = start;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        memcpy(to, lines[i].at, lines[i].len);
        to += lines[i].len;
        *to++ = '\n';
    }
    memcpy(to, hash.at, hash.len);
    return (av_slice){ start, (apr_size_t)(to - start) + hash.len };
}

static bool hash_text(EVP_MD_CTX *context, const av_crypto *crypto, av_slice text, av_slice payload_line, char *out)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestInit_ex(context, crypto->sha256, NULL) != 1 || EVP_DigestUpdate(context, text.at, text.len) != 1 ||
        EVP_DigestUpdate(context, payload_line.at, payload_line.len) != 1 ||
        EVP_DigestFinal_ex(context, hash, &size) != 1) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        *out++ = digits[hash[i] >> 4];
        *out++ = digits[hash[i] & 15];
    }
    return true;
}

av_slice av_aws4_canonical_hash(const av_crypto *crypto, av_slice canonical, av_slice payload_line, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, HASH_TEXT);
    EVP_MD_CTX *context = av_digest_context(pool);
    bool done = context && hash_text(context, crypto, canonical, payload_line, text);
    return (av_slice){ text, done ? HASH_TEXT : 0 };
}

/* As it stands; every joint closed; and, where that is not too much, each choice between them. Checking an ECDSA
 * signature costs a hundred times as much as an HMAC, so that has the first two only. */
static bool hash_candidates(const av_aws4_request *request, const av_crypto *crypto, EVP_MD_CTX *context,
                            av_slice payload_line, candidates *made)
{
    apr_size_t joints = request->canonical.joints;
    bool has_few =
        joints <= MOST_JOINTS && !request->credential.is_ecdsa && request->canonical.room << joints <= MOST_BYTES;
    made->count = !joints ? 1 : has_few ? 1u << joints : 2;
    for (unsigned i = 0; i < made->count; i++) {
        unsigned joined = has_few || !i ? i : AV_AWS4_ALL_JOINED;
        if (!hash_text(context, crypto, av_aws4_canonical_write(&request->canonical, joined), payload_line,
                       made->hashes[i])) {
            return false;
        }
    }
    return true;
}

static bool check_candidates(const candidates *made, av_aws4_signer *signer, char *hash_at, av_slice text)
{
    bool is_right = false;
    for (unsigned i = 0; i < made->count && !is_right; i++) {
        memcpy(hash_at, made->hashes[i], HASH_TEXT);
        is_right = av_aws4_signer_check(signer, text, signer->credential->signature);
    }
    return is_right;
}

/* Tries a remembered key, and where that does not do it (or there is none, and nobody's was tried) a derived one. */
static av_reason try_key(const candidates *made, av_aws4_signer *signer, const av_key *key, const av_key_memory *memory,
                         char *hash_at, av_slice text)
{
    bool is_known = false;
    if (!av_aws4_signer_recall(signer, key, memory, &is_known)) {
        return AV_INTERNAL_ERROR;
    }
    if (check_candidates(made, signer, hash_at, text) && is_known) {
        return AV_ACCEPTED;
    }
    if (!av_aws4_signer_derive(signer, key)) {
        return AV_INTERNAL_ERROR;
    }
    if (!check_candidates(made, signer, hash_at, text)) {
        return AV_WRONG_SIGNATURE;
    }
    av_aws4_signer_keep(signer, key, memory);
    return AV_ACCEPTED;
}

av_reason av_aws4_prove(av_aws4_request *request, const av_claim *claim, av_slice payload_line, apr_pool_t *pool)
{
    const av_rule *rule = claim->rule;
    candidates made;
    request->signer = av_aws4_signer_create(rule->crypto, &request->credential, pool);
    if (!request->signer || !hash_candidates(request, rule->crypto, request->signer->context, payload_line, &made)) {
        return AV_INTERNAL_ERROR;
    }
    char *hash_at;
    av_slice text = av_aws4_string_to_sign(&request->credential, (av_slice){ made.hashes[0], HASH_TEXT }, pool);
    hash_at = (char *)text.at + text.len - HASH_TEXT;
    av_reason reason = AV_WRONG_SIGNATURE;
    for (apr_size_t i = 0; reason == AV_WRONG_SIGNATURE && i < claim->client->key_count; i++) {
        const av_key *key = &claim->client->keys[i];
        reason = try_key(&made, request->signer, key, rule->derived_keys, hash_at, text);
        request->label = key->label;
    }
    return reason;
}
