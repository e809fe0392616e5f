/* One line of a clients file:
 *
 *     id secret[ secret...] [limit=value ...]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENTS_LINE_H
#define AV_CLIENTS_LINE_H

#include "../core/client.h"

/* How the first line of a list begins that the token endpoint writes, and that may be empty. */
#define AV_ISSUED_MARK "#!issued"

/* Reads `line`, which is without its line end, neither empty nor a comment. A secret is
 * [LABEL:]KIND:VALUE[;not-before=DATE] [;expires=DATE], KIND one of plain, sha256, bcrypt. Limits: schemes methods
 * paths from scopes org environment application user not-before expires, each once. A DATE is RFC 3339's full-date
 * (midnight UTC) or date-time. An id, and a value, that holds a blank, a percent sign, a hash sign, a quote or a
 * control byte is written percent-encoded; so is a semicolon in a secret. A LABEL is 1 to 64 of letters, digits and - _
 * . and a time before 1970 is no DATE.
 * Returns NULL with *record filled (slices in `pool` or in `line`), or a sentence that names the word but never a
 * secret: no secret, more than AV_MAX_CLIENT_SECRETS, an unknown kind or limit, base64 that is not 32 bytes, no bcrypt
 * hash, an empty value, a bad network, path or date, a limit twice. */
const char *av_clients_line_parse(av_slice line, av_client_record *record, apr_pool_t *pool);

#endif
