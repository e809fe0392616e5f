/* Paths that every decoder reads alike.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_STRICT_PATH_H
#define AV_STRICT_PATH_H

#include "slice.h"

/* False for a path (as sent, without its query) that somebody behind us may read as another one: a dot segment, an
 * empty segment, a segment's parameters (";"), a backslash, a malformed escape, an escape of "/", "\", ";", "?", "#",
 * "%" or of a control character, bytes that are not UTF-8 (overlong forms included), or bytes that RFC 3986 does not
 * allow in a path. */
bool av_path_is_plain(av_slice path);

#endif
