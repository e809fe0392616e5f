/* Secrets: where they come from, how they are held, compared and destroyed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SECRET_H
#define AV_SECRET_H

#include "slice.h"

typedef enum av_source_kind {
    AV_SOURCE_FILE,      /* file:PATH, absolute or relative to the folder that the loader is given */
    AV_SOURCE_ENV,       /* env:NAME, of the process that reads the configuration */
    AV_SOURCE_EXEC,      /* exec:PROGRAM, an absolute path, no arguments, no shell; its standard output */
    AV_SOURCE_CREDENTIAL /* credential:NAME, a file in $CREDENTIALS_DIRECTORY (systemd.exec(5)) */
} av_source_kind;

typedef struct av_source {
    av_source_kind kind;
    const char *argument; /* what follows the colon */
    const char *label;    /* the last part of the argument: who looks at the log learns which secret matched */
} av_source;

/* How a source may be read. */
typedef struct av_source_access {
    const char *base; /* folder for a relative file:PATH, normally ServerRoot */
    bool is_public;   /* a public key: readable by others is right, writable by others is not */
    bool tests_only;  /* configuration test: no permission to read is a warning, not an error */
    bool may_execute; /* false: exec: is not run and gives no secret now */
} av_source_access;

/* Reads "file:PATH", "env:NAME", "exec:PROGRAM" or "credential:NAME" into `source`. Everything is copied into `pool`.
 * Returns NULL, or a sentence: no such kind, nothing after the colon, exec: with a relative path, credential: with a
 * path for a name. A text without a kind is taken for a literal secret and is not repeated in the sentence. */
const char *av_source_parse(const char *text, av_source *source, apr_pool_t *pool);

/* Loads the secret that `source` names into memory that is wiped when `pool` is cleared.
 * One LF or CRLF at the end is cut from a file's, a credential's or a program's text; nothing else is.
 * Returns NULL with *secret set; or NULL with secret->at NULL where it must not be known now (exec: without
 * may_execute, though the program is looked at; no permission under tests_only, which *warning tells); or a sentence
 * with the remedy: missing, a folder or device, empty, longer than 64 KiB, readable or writable by others than its
 * owner and group (group writable is refused too), not owned by root or by who runs this, an environment variable that
 * is not set, program failed or took longer than 10 s. A program, too, must belong to root or to who runs this and be
 * writable by nobody else.
 * *warning is NULL, or a sentence about something that works but should not be so (a secret shorter than 16 bytes,
 * unless access->is_public). Neither sentence ever holds a byte of the secret. */
const char *av_source_load(const av_source *source, const av_source_access *access, av_slice *secret,
                           const char **warning, apr_pool_t *pool);

/* A copy of `bytes` in `pool`, wiped when the pool is cleared. */
av_slice av_secret_keep(av_slice bytes, apr_pool_t *pool);

/* Compares two values of equal length in time that does not depend on where they differ. Different lengths are unequal
 * at once: for proofs and digests, whose length is no secret. Two empty values are unequal: nothing proves nothing. */
bool av_secret_equal(av_slice a, av_slice b);

#endif
