/* The words of the command line: options by table, the rest as operands.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_ARGUMENTS_H
#define AVT_ARGUMENTS_H

#include <apr_tables.h>
#include <apr_time.h>
#include <stddef.h>

/* One row for each option: what it is called, and where in the target its value goes. */
typedef struct avt_option {
    const char *name;                              /* with its hyphens; NULL ends the table */
    enum { AVT_SWITCH, AVT_TEXT, AVT_TEXTS } kind; /* bool; const char *; apr_array_header_t * of const char * */
    size_t offset;
} avt_option;

/* Reads "--name VALUE", "--name=VALUE" and "--name". "--" ends the options; "-" is an operand. Texts borrow from
 * `arguments`. Returns NULL with *operands an array of const char *, or a sentence: unknown, given twice, no value, a
 * value too many. */
const char *avt_arguments_read(int count, const char *const *arguments, const avt_option *options, void *target,
                               apr_array_header_t **operands, apr_pool_t *pool);

/* Reads a time: "now", "+30d" from now (s m h d w), seconds since 1970, or a date or date-time of RFC 3339. Returns
 * NULL or a sentence. */
const char *avt_time_read(const char *text, apr_time_t *time, apr_pool_t *pool);

#endif
