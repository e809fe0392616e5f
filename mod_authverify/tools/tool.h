/* What the sub-commands of the program authverify share: how they end, and what they are.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_TOOL_H
#define AVT_TOOL_H

#include "../core/slice.h"

#include <apr_tables.h>
#include <apr_time.h>

/* Exit statuses: an interface for scripts. */
typedef enum avt_status {
    AVT_OK = 0,       /* done; for check: accepted */
    AVT_REFUSED = 1,  /* check, sign --send: refused. Otherwise: there is none of that name, or there is one already */
    AVT_USAGE = 2,    /* the command line, a rule or a secret on it is wrong; nothing was done */
    AVT_FILE = 3,     /* a file cannot be read or written, or is not right */
    AVT_NO_ANSWER = 4 /* sign --send: whoever was to answer did not */
} avt_status;

/* One sub-command. Its arguments stand behind its name; whatever it prints for scripts goes to standard output. */
typedef struct avt_command {
    const char *name;  /* "client add" */
    const char *brief; /* one line for the overview */
    const char *help;  /* all of --help */
    avt_status (*run)(int count, const char *const *arguments, apr_pool_t *pool);
} avt_command;

extern const avt_command avt_client_add, avt_client_rotate, avt_client_revoke, avt_client_list;
extern const avt_command avt_hash, avt_sign, avt_check, avt_presets;

/* Writes "authverify: …" to standard error and returns `status`. */
avt_status avt_fail(avt_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What was printed must have arrived: a secret that is printed once is lost otherwise. Returns AVT_OK or AVT_FILE. */
avt_status avt_printed(void);

#endif
