/* A server that a rule names, and that httpd asks over HTTPS: where it is, and who vouches for it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_REMOTE_SERVER_H
#define AV_REMOTE_SERVER_H

#include "../../core/options.h"

/* A URL as far as it must be right to be asked for: https://host and perhaps more. Returns NULL or a sentence. */
const char *av_remote_url_check(av_slice url);

/* For setters: a file of certificates, relative to the server's folder. Returns NULL with *path set, or a sentence. */
const char *av_remote_authorities_read(const char *value, const char **path, const av_compiler *compiler);

#endif
