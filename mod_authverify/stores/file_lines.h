/* The lines of a file, and the mistakes in them, which are told with their numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_FILE_LINES_H
#define AV_FILE_LINES_H

#include "../core/slice.h"
#include "pace.h"

#include <apr_tables.h>

/* As many are told. A file with more is read no further. */
#define AV_MOST_MISTAKES 20

/* A file that is to be read. */
typedef struct av_opened_file {
    int descriptor;
    const char *path; /* for the sentences */
    av_pace *pace;    /* NULL: as fast as may be */
} av_opened_file;

typedef struct av_file_lines {
    const av_opened_file *file;
    void *baton;
    /* Takes a line, which begins at 1 and comes without its line feed. Returns NULL, or what is wrong with it.
     * `scratch` is cleared afterwards. */
    const char *(*take)(void *baton, av_slice line, unsigned number, apr_pool_t *scratch);
    bool is_over;                 /* whoever takes the lines wants no more of them */
    apr_array_header_t *mistakes; /* of const char * */
    apr_pool_t *pool;             /* of the sentences */
    unsigned number;              /* of the line that was taken last */
    bool is_skipping;             /* inside a line that is too long */
} av_file_lines;

/* No line has been taken yet. */
av_file_lines av_file_lines_of(const av_opened_file *file,
                               const char *(*take)(void *, av_slice, unsigned, apr_pool_t *), void *baton,
                               apr_pool_t *pool);

/* Hands every line over, in order. Mistakes of every file, too, are noted: a byte-order mark, a line of more than 64
 * KiB, no line feed at the end. What was read is wiped. Returns NULL, or a sentence where the file cannot be read. */
const char *av_file_lines_read(av_file_lines *lines);

/* Notes what is wrong with a line, unless enough has been noted. */
void av_file_lines_blame(av_file_lines *lines, unsigned number, const char *sentence);

/* All that was noted, a line each; NULL where there is nothing. */
const char *av_file_lines_mistakes(const av_file_lines *lines);

#endif
