/* A file as its bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_FILE_INPUT_H
#define AVT_FILE_INPUT_H

#include "../core/slice.h"

/* Reads the whole of a file; "-" is standard input. NUL-terminated, in `pool`. Returns NULL or a sentence: it cannot be
 * read, or is larger than 1 GiB. */
const char *avt_file_read(const char *path, av_slice *text, apr_pool_t *pool);

#endif
