/* JSON texts, out of documents of the library.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JSON_WRITER_H
#define AV_JSON_WRITER_H

#include "../core/slice.h"

#include <jansson.h>

/* The one text of `json` (RFC 8259): no blanks; members in the order in which they were set, or `sorted`, as RFC 7638
 * section 3.3 wants them. Takes the document over and frees it. In `pool`, NUL-terminated; empty where the document is
 * NULL or the library has no memory. */
av_slice av_json_write(json_t *json, bool sorted, apr_pool_t *pool);

/* Sets a string member. False: the text is not UTF-8, or there is no memory. */
bool av_json_set_text(json_t *object, const char *name, av_slice text);

/* A comma list as an array of strings. NULL likewise. */
json_t *av_json_of_list(av_slice list);

#endif
