/* The lines of an httpd configuration, in the order in which httpd reads them: continued lines joined, Include followed,
 * variables put in, and what <IfDefine> and its like leave out left out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CONFIG_READER_H
#define AVT_CONFIG_READER_H

#include <apr_tables.h>

typedef enum avt_config_kind { AVT_DIRECTIVE, AVT_OPENS, AVT_CLOSES } avt_config_kind;

typedef struct avt_config_line {
    avt_config_kind kind;
    const char *name;      /* of the directive, or of the section without "<" and "/" */
    const char *arguments; /* the rest; of a section without its ">" */
    const char *place;     /* "FILE line 3" */
    const char *doubt;     /* NULL, or why it is not known whether or how httpd reads this line, as half a sentence */
} avt_config_line;

/* Takes a line. Returns NULL or a sentence, which ends the reading. */
typedef const char *(*avt_config_visitor)(void *baton, const avt_config_line *line);

/* Reads a file and all that it includes. `root` is the ServerRoot until the file says one (NULL: the folder that the
 * file is in); `defines` (of const char *, NAME or NAME=VALUE; NULL: none) are as httpd's -D. Not handed on: Define,
 * UnDefine, Include, IncludeOptional, <IfDefine>, <IfFile>, and <IfModule> of modules that a LoadModule was seen of, or that
 * are always there. What stands in another <IfModule>, in <IfVersion>, <IfDirective> or <IfSection> is in doubt.
 * Returns NULL with *root_found set, or a sentence with the place: unreadable, nothing matches an Include, a folder is
 * included, included too deep, a section that is not closed in its file. */
const char *avt_config_read(const char *path, const char *root, const apr_array_header_t *defines,
                            avt_config_visitor visit, void *baton, const char **root_found, apr_pool_t *pool);

#endif
