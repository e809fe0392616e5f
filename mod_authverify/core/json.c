/* Reads a JSON text with jansson and picks single scalars out of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <apr_strings.h>
#include <jansson.h>

struct av_json {
    json_t *root;
};

static apr_status_t release(void *data)
{
    const av_json *json = data;

    json_decref(json->root);
    return APR_SUCCESS;
}

/* The index of the quote that closes the string which opens at `i`, or the text's length. */
static apr_size_t skip_string(av_slice text, apr_size_t i)
{
    for (i++; i < text.len && text.at[i] != '"'; i++) {
        if (text.at[i] == '\\') {
            i++;
        }
    }
    return i;
}

/* Looks only at brackets and strings; whether they match is the library's to say, which recurses once per level. */
static bool is_nested_too_deeply(av_slice text)
{
    apr_size_t depth = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        switch (text.at[i]) {
        case '"':
            i = skip_string(text, i);
            break;
        case '{':
        case '[':
            if (++depth > AV_JSON_MAX_DEPTH) {
                return true;
            }
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        default:
            break;
        }
    }
    return false;
}

av_json *av_json_load(av_slice text, apr_pool_t *pool)
{
    if (av_slice_contains(text, '\0') || is_nested_too_deeply(text)) {
        return NULL;
    }
    json_t *root = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    if (!root) {
        return NULL;
    }
    av_json *json = apr_palloc(pool, sizeof(*json));
    json->root = root;
    apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    return json;
}

const struct json_t *av_json_root(const av_json *json)
{
    return json->root;
}

/* Cuts the next reference token off `*pointer`, which stands at its "/", and undoes its escapes: ~1 is /, ~0 is ~. */
static const char *take_token(const char **pointer, apr_pool_t *pool)
{
    const char *from = *pointer + 1;
    apr_size_t len = strcspn(from, "/");
    char *token = apr_palloc(pool, len + 1);
    char *to = token;

    *pointer = from + len;
    while (from < *pointer) {
        if (*from == '~') {
            *to++ = *++from == '1' ? '/' : '~';
        } else {
            *to++ = *from;
        }
        from++;
    }
    *to = '\0';
    return token;
}

/* RFC 6901 section 4: digits without a leading zero. "-" is the element after the last, which is never there. */
static const json_t *array_element(const json_t *array, const char *token)
{
    apr_size_t index = 0;

    if (!*token || (token[0] == '0' && token[1])) {
        return NULL;
    }
    for (; *token; token++) {
        if (*token < '0' || *token > '9') {
            return NULL;
        }
        index = index * 10 + (apr_size_t)(*token - '0');
        if (index >= json_array_size(array)) {
            return NULL;
        }
    }
    return json_array_get(array, index);
}

static const json_t *find_value(const json_t *value, const char *pointer, apr_pool_t *pool)
{
    while (value && *pointer) {
        const char *token = take_token(&pointer, pool);
        value = json_is_array(value) ? array_element(value, token) : json_object_get(value, token);
    }
    return value;
}

const struct json_t *av_json_value(const av_json *json, const char *pointer, apr_pool_t *pool)
{
    return av_json_pointer_is_valid(pointer) ? find_value(json->root, pointer, pool) : NULL;
}

bool av_json_scalar(const struct json_t *value, av_slice *text, apr_pool_t *pool)
{
    *text = AV_SLICE("");
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        *text = (av_slice){ json_string_value(value), json_string_length(value) };
        return true;
    case JSON_INTEGER:
        *text = av_slice_of(apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(value)));
        return true;
    case JSON_TRUE:
        *text = AV_SLICE("true");
        return true;
    case JSON_FALSE:
        *text = AV_SLICE("false");
        return true;
    default:
        return false;
    }
}

bool av_json_text(const av_json *json, const char *pointer, av_slice *text, apr_pool_t *pool)
{
    return av_json_scalar(av_json_value(json, pointer, pool), text, pool);
}

bool av_json_pointer_is_valid(const char *pointer)
{
    if (*pointer && *pointer != '/') {
        return false;
    }
    for (; *pointer; pointer++) {
        if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1') {
            return false;
        }
    }
    return true;
}
