/* Reads and checks proofs of possession.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dpop.h"
#include "codec.h"
#include "jwk.h"
#include "secret.h"
#include "token.h"
#include "url.h"

#include <apr_strings.h>
#include <jansson.h>

#define LONGEST_ID 256
#define LATEST_SECOND 100000000000LL /* the year 5138: no sum overflows */

static av_reason find_header(const av_request *request, av_slice *value)
{
    unsigned count = 0;
    for (apr_size_t i = 0; i < request->header_count; i++) {
        const av_header *header = &request->headers[i];
        if (av_slice_equal_nocase(header->name, AV_SLICE("DPoP"))) {
            *value = header->value;
            count += 1 + av_value_is_merged(header->value);
        }
    }
    return count == 1 ? AV_ACCEPTED : count ? AV_AMBIGUOUS_CREDENTIAL : AV_MALFORMED_PROOF;
}

static const av_jws_algorithm *find_algorithm(av_slice name, const apr_array_header_t *algorithms)
{
    const av_jws_algorithm *named = av_jws_algorithm_find(name);
    for (int i = 0; named && i < algorithms->nelts; i++) {
        if (av_jws_algorithm_equal(named, APR_ARRAY_IDX(algorithms, i, const av_jws_algorithm *))) {
            return named;
        }
    }
    return NULL;
}

/* A string that is no empty one. */
static bool read_text(const json_t *claims, const char *name, av_slice *text)
{
    const json_t *claim = json_object_get(claims, name);
    *text = (av_slice){ json_string_value(claim), json_string_length(claim) };
    return text->len > 0;
}

static bool read_digest(const json_t *claims, const char *name, unsigned char digest[AV_SHA256_SIZE])
{
    apr_size_t len = 0;
    av_slice text;
    return read_text(claims, name, &text) && av_decode(AV_BASE64URL, text, digest, AV_SHA256_SIZE, &len) &&
           len == AV_SHA256_SIZE;
}

/* A fraction is taken off. */
static bool read_second(const json_t *claims, const char *name, apr_int64_t *second)
{
    const json_t *claim = json_object_get(claims, name);
    double number = json_number_value(claim);
    bool is_fit = json_is_number(claim) && number >= 0 && number <= LATEST_SECOND;
    *second = is_fit ? (apr_int64_t)number : 0;
    return is_fit;
}

static bool read_claims(const json_t *claims, av_dpop_proof *proof)
{
    const json_t *nonce = json_object_get(claims, "nonce");
    bool has_nonce = read_text(claims, "nonce", &proof->nonce);
    return read_text(claims, "jti", &proof->id) && proof->id.len <= LONGEST_ID && av_text_is_plain(proof->id) &&
           read_text(claims, "htm", &proof->method) && read_text(claims, "htu", &proof->url) &&
           read_second(claims, "iat", &proof->issued) && read_digest(claims, "ath", proof->token_digest) &&
           (has_nonce || !nonce);
}

av_reason av_dpop_find(const av_request *request, const apr_array_header_t *algorithms, const av_crypto *crypto,
                       av_dpop_proof *proof, apr_pool_t *pool)
{
    av_slice text = { NULL, 0 };
    av_reason reason = find_header(request, &text);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (!av_jws_parse(text, &proof->jws, pool) || !proof->jws.has_type ||
        !av_slice_equal_nocase(proof->jws.type, AV_SLICE("dpop+jwt"))) {
        return AV_MALFORMED_PROOF;
    }
    const av_json *claims = av_jws_claims(proof->jws.payload, pool);
    proof->algorithm = find_algorithm(proof->jws.algorithm, algorithms);
    proof->jwk = json_object_get(av_json_root(proof->jws.header), "jwk");
    bool is_read = proof->algorithm && claims && read_claims(av_json_root(claims), proof) &&
                   av_jwk_thumbprint(proof->jwk, crypto, proof->thumbprint, pool);
    return is_read ? AV_ACCEPTED : AV_MALFORMED_PROOF;
}

static bool is_target(av_slice said, const av_request *request, apr_pool_t *pool)
{
    av_slice theirs, ours;
    return av_url_normalise(said, &theirs, pool) &&
           av_url_normalise(av_slice_join(request->origin, request->path, pool), &ours, pool) &&
           av_slice_equal(theirs, ours);
}

av_reason av_dpop_check_target(const av_dpop_proof *proof, const av_request *request, av_slice token,
                               const av_crypto *crypto, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!av_slice_equal(proof->method, request->method) || !is_target(proof->url, request, pool)) {
        return AV_WRONG_PROOF_TARGET;
    }
    if (!av_digest(crypto->sha256, token, digest, &size)) {
        return AV_INTERNAL_ERROR;
    }
    av_slice said = { (const char *)proof->token_digest, AV_SHA256_SIZE }, is = { (const char *)digest, size };
    return av_secret_equal(said, is) ? AV_ACCEPTED : AV_WRONG_PROOF;
}

av_reason av_dpop_check_time(const av_dpop_proof *proof, apr_time_t now, apr_interval_time_t past,
                             apr_interval_time_t future)
{
    apr_int64_t age = apr_time_sec(now) - proof->issued;
    return age <= apr_time_sec(past) && -age <= apr_time_sec(future) ? AV_ACCEPTED : AV_PROOF_OUT_OF_TIME;
}

av_reason av_dpop_verify(const av_dpop_proof *proof, const av_crypto *crypto, apr_pool_t *pool)
{
    av_jws_key key;
    if (av_jwk_read_public(proof->jwk, proof->algorithm, crypto, &key, pool)) {
        return AV_MALFORMED_PROOF;
    }
    switch (av_jws_verify(&proof->jws, &key)) {
    case AV_JWS_RIGHT:
        return AV_ACCEPTED;
    case AV_JWS_WRONG:
        return AV_WRONG_PROOF;
    default:
        return AV_INTERNAL_ERROR;
    }
}

bool av_dpop_once(const av_dpop_proof *proof, apr_interval_time_t past, const av_crypto *crypto, av_once *once)
{
    static const char purpose[] = "dpop";
    char text[sizeof(purpose) + AV_SHA256_SIZE + LONGEST_ID];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    memcpy(text, purpose, sizeof(purpose));
    memcpy(text + sizeof(purpose), proof->thumbprint, AV_SHA256_SIZE);
    memcpy(text + sizeof(purpose) + AV_SHA256_SIZE, proof->id.at, proof->id.len);
    av_slice whole = { text, sizeof(purpose) + AV_SHA256_SIZE + proof->id.len };
    bool done = av_digest(crypto->sha256, whole, digest, &size) && size == AV_SHA256_SIZE;
    *once =
        (av_once){ .until = apr_time_from_sec(proof->issued + apr_time_sec(past) + 1), .reason = AV_PROOF_REPLAYED };
    memcpy(once->key, digest, done ? AV_SHA256_SIZE : 0);
    return done;
}
