/* A header of key=value fields, such as "t=1492774577,v1=5257a8…" (Stripe) or "ts=1671552777;h1=eb4d…" (Paddle).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_FIELDS_H
#define AV_FIELDS_H

#include "slice.h"

/* More fields than this are malformed: the number of candidates, and so the work, is bounded. */
#define AV_MAX_FIELDS 32

typedef struct av_field {
    av_slice name;  /* case-sensitive, as written */
    av_slice value; /* without its quotes */
} av_field;

typedef struct av_fields {
    av_field at[AV_MAX_FIELDS];
    apr_size_t count;
} av_fields;

/* Parses `text`: fields separated by any one byte of `separators`, blanks (space, tab) allowed around a field but not
 * around its "="; a name is one or more token characters (RFC 9110 section 5.6.2) without a separator; a value is bare
 * (visible ASCII without separator, quote and blank; "=" allowed) or a quoted-string without backslash. A field without
 * "=", an empty name or value, an empty field, more than AV_MAX_FIELDS: returns false. Borrows from `text`, allocates
 * nothing. */
bool av_fields_parse(av_slice text, const char *separators, av_fields *fields);

/* The value of the only field called `name`. Returns how many there are: 0, 1, or more; *value is set for 1 only. */
apr_size_t av_fields_get(const av_fields *fields, av_slice name, av_slice *value);

#endif
