/* Single values out of a JSON text, by RFC 6901 pointer. Duplicate members, NUL and deep nesting are refused before the
 * library sees them or by it; nothing is ever taken from a text that is not JSON as a whole (RFC 8259).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JSON_H
#define AV_JSON_H

#include "slice.h"

/* Nesting of objects and arrays that is still read. */
#define AV_JSON_MAX_DEPTH 64

typedef struct av_json av_json;

/* Parses the whole of `text`, which need not outlive the call. The document lives until `pool` is cleared.
 * Returns NULL if it is not JSON, has a member twice, a NUL (also as \u0000), invalid UTF-8, or is nested too deeply.
 * */
av_json *av_json_load(av_slice text, apr_pool_t *pool);

/* The scalar that `pointer` (RFC 6901, NUL-terminated, "" is the whole document) names, as text: a string's characters,
 * an integer's decimal digits, "true" or "false". Borrows from the document or from `pool`.
 * Returns false if nothing is there, or null, a real number (its text is not known), an object, an array. */
bool av_json_text(const av_json *json, const char *pointer, av_slice *text, apr_pool_t *pool);

/* The document as the library has it, for who reads more than single scalars. Borrows from the document. */
const struct json_t *av_json_root(const av_json *json);

/* The value that `pointer` names; NULL where nothing is there. */
const struct json_t *av_json_value(const av_json *json, const char *pointer, apr_pool_t *pool);

/* The text of a scalar, as av_json_text has it. */
bool av_json_scalar(const struct json_t *value, av_slice *text, apr_pool_t *pool);

/* True if `pointer` is one that RFC 6901 section 3 allows. For configuration time. */
bool av_json_pointer_is_valid(const char *pointer);

#endif
