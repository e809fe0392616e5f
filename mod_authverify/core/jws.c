/* Compact JSON Web Signatures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "jws.h"
#include "codec.h"

#include <jansson.h>

#define PARTS 3

bool av_jws_has_form(av_slice text)
{
    av_slice part;
    int parts = 0;
    for (; parts <= PARTS && av_slice_split(&text, '.', &part); parts++) {
        if (!part.len || !av_is_base64url(part)) {
            return false;
        }
    }
    return parts == PARTS;
}

static bool decode(av_slice text, av_slice *bytes, apr_pool_t *pool)
{
    apr_size_t size = av_decoded_size(AV_BASE64URL, text.len);
    unsigned char *out = apr_palloc(pool, size + 1);
    bytes->at = (const char *)out;
    return av_decode(AV_BASE64URL, text, out, size, &bytes->len);
}

/* A member that is a string or not there. */
static bool read_string(const json_t *header, const char *name, bool *is_there, av_slice *value)
{
    const json_t *member = json_object_get(header, name);
    *is_there = member != NULL;
    *value = (av_slice){ json_string_value(member), json_string_length(member) };
    return !member || json_is_string(member);
}

/* Media types are written without their "application/" where no other slash follows. */
static av_slice without_application(av_slice type)
{
    av_slice prefix = AV_SLICE("application/");
    av_slice start = { type.at, type.len < prefix.len ? type.len : prefix.len };
    av_slice rest = av_slice_skip(type, prefix.len);
    return av_slice_equal_nocase(start, prefix) && !av_slice_contains(rest, '/') ? rest : type;
}

static bool read_header(const json_t *header, av_jws *jws)
{
    bool has_algorithm, has_content;
    av_slice content;
    if (!json_is_object(header) || json_object_get(header, "crit") || json_object_get(header, "b64") ||
        !read_string(header, "alg", &has_algorithm, &jws->algorithm) || !has_algorithm ||
        !read_string(header, "kid", &jws->has_kid, &jws->kid) ||
        !read_string(header, "typ", &jws->has_type, &jws->type) ||
        !read_string(header, "cty", &has_content, &content)) {
        return false;
    }
    jws->type = without_application(jws->type);
    return !av_slice_equal_nocase(without_application(content), AV_SLICE("JWT"));
}

bool av_jws_parse(av_slice text, av_jws *jws, apr_pool_t *pool)
{
    av_slice rest = text, part, header;
    *jws = (av_jws){ .text = text };
    if (text.len > AV_MAX_JWS_BYTES || !av_jws_has_form(text)) {
        return false;
    }
    av_slice_split(&rest, '.', &part);
    av_slice_split(&rest, '.', &jws->encoded);
    jws->text.len = part.len + 1 + jws->encoded.len;
    if (!decode(part, &header, pool) || !decode(jws->encoded, &jws->payload, pool) ||
        !decode(rest, &jws->signature, pool)) {
        return false;
    }
    jws->header = av_json_load(header, pool);
    return jws->header && read_header(av_json_root(jws->header), jws);
}

av_jws_result av_jws_verify(const av_jws *jws, const av_jws_key *key)
{
    const av_jws_algorithm *algorithm = av_jws_algorithm_find(jws->algorithm);
    return algorithm && av_jws_algorithm_equal(algorithm, key->algorithm)
               ? av_jws_key_verify(key, jws->text, jws->signature)
               : AV_JWS_WRONG;
}

const av_json *av_jws_claims(av_slice payload, apr_pool_t *pool)
{
    const av_json *json = av_json_load(payload, pool);
    return json && json_is_object(av_json_root(json)) ? json : NULL;
}
