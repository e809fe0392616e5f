/* A secret comes from a file, from standard input or from a prompt; never from the command line, which every user of
 * the machine can read.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_SECRET_INPUT_H
#define AVT_SECRET_INPUT_H

#include "../core/slice.h"

/* Reads the secret that `source` names: "-" is standard input, "prompt" asks on the terminal (twice where `confirm` is
 * set), anything else is a source as in secret= (file:PATH, env:NAME, exec:PROGRAM, credential:NAME) with the same
 * rules about who may read the file. NULL asks where standard input is a terminal, and reads it otherwise. One LF or
 * CRLF at the end is cut; wiped with `pool`. Returns NULL or a sentence, which never holds a byte of the secret: empty,
 * more than 64 KiB, a NUL byte. */
const char *avt_secret_read(const char *source, bool confirm, av_slice *secret, apr_pool_t *pool);

#endif
