/* %{…}: names one value of a request. Compiled once, read many times.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SELECTOR_H
#define AV_SELECTOR_H

#include "authverify.h"
#include "fields.h"
#include "json.h"

typedef enum av_selector_kind {
    AV_SELECT_BODY,        /* %{body}         every byte of it */
    AV_SELECT_BODY_SHA256, /* %{body-sha256}  its SHA-256 in lower-case hex */
    AV_SELECT_METHOD,      /* %{method} */
    AV_SELECT_URL,         /* %{url}          what the sender called: origin and target */
    AV_SELECT_TARGET,      /* %{target}       path and query, as in the request line */
    AV_SELECT_PATH,        /* %{path}         of the target, as sent */
    AV_SELECT_QUERY,       /* %{query}        of the target, as sent, without "?" */
    AV_SELECT_HEADER,      /* %{header:N} */
    AV_SELECT_PARAMETER,   /* %{query:N}      one parameter of the query, decoded */
    AV_SELECT_FORM,        /* %{form:N}       one parameter of a form-encoded body, decoded */
    AV_SELECT_JSON,        /* %{json:/p}      one scalar of a JSON body, RFC 6901 */
    AV_SELECT_FIELD,       /* %{field:N}      one field of the header that fields= names */
    AV_SELECT_TIMESTAMP,   /* %{timestamp}    the text that timestamp= selects */
    AV_SELECT_ID           /* %{id}           the text that id= selects */
} av_selector_kind;

struct av_selector {
    av_selector_kind kind;
    av_slice name; /* what follows the colon; NUL-terminated */
};

/* Kinds as bits, to say what an option takes. */
#define AV_SELECTS(kind) (1u << AV_SELECT_##kind)

typedef enum av_found { AV_ABSENT, AV_FOUND, AV_TWICE, AV_BROKEN } av_found;

/* What selectors look at. The body's members are set only once the body may be looked at. */
typedef struct av_view {
    const av_request *request;
    const av_fields *fields; /* NULL where the rule has no fields= */
    av_slice timestamp, id;
    const av_slice *body; /* NULL: not known */
    const av_json *json;  /* NULL: not known, or the body is not JSON */
    av_slice body_sha256; /* hex */
} av_view;

/* Compiles what stands between the braces. Copies into `pool`. Returns NULL, or a sentence: no such selector, a name
 * where none belongs or none where one does, a name that holds blanks, an invalid JSON pointer. */
const char *av_selector_parse(av_slice text, av_selector *selector, apr_pool_t *pool);

/* Compiles an option's value that must be one selector, "%{…}", of one of the `allowed` kinds. Returns NULL or a
 * sentence. */
const char *av_selector_parse_only(const char *value, unsigned allowed, av_selector *selector, apr_pool_t *pool);

/* Reads the value. AV_FOUND sets *value, which borrows from the view or lives in `pool`; it may be empty. AV_TWICE: it
 * is there more than once. AV_BROKEN: the place cannot be read, such as a malformed percent encoding. */
av_found av_selector_read(const av_selector *selector, const av_view *view, av_slice *value, apr_pool_t *pool);

/* The server has merged two headers into this value, for a value that cannot hold blanks itself. */
bool av_value_is_merged(av_slice value);

/* The value depends on the body. */
bool av_selector_is_in_body(const av_selector *selector);

/* Both name the same value. */
bool av_selector_equal(const av_selector *a, const av_selector *b);

/* As the administrator wrote it: "%{header:X-Signature}". */
const char *av_selector_text(const av_selector *selector, apr_pool_t *pool);

#endif
