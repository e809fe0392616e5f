/* A folder of files for the tests of a case.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_FOLDER_H
#define AV_TESTS_FOLDER_H

#include "support/suite.h"

#include <sys/types.h>

/* Its path, once make_folder has run. */
extern char folder[];

/* Makes the folder, and removes it with all files in it. As a pair they are an unchecked fixture: once for a case, also
 * where one of its tests fails. */
void make_folder(void);
void remove_folder(void);

/* The path of a file in the folder, in `pool`. */
const char *path_of(const char *name);

/* Writes a file anew. */
void make_file(const char *name, av_slice content, mode_t mode);

#endif
