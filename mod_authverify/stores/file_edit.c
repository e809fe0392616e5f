/* Changes files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "file_edit.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define NEW_FILE_MODE 0640 /* root and the group that httpd runs as */
#define POLL_INTERVAL (5 * APR_TIME_C(1000))

static apr_status_t close_file(void *data)
{
    close((int)(intptr_t)data);
    return APR_SUCCESS;
}

static const char *cannot(const av_file_edit *edit, const char *what)
{
    return apr_psprintf(edit->pool, "%s cannot be %s: %pm", edit->path, what, &errno);
}

const char *av_file_edit_open(av_file_edit *edit, const char *path, int flags, apr_pool_t *pool)
{
    *edit = (av_file_edit){ .path = apr_pstrdup(pool, path), .pool = pool };
    edit->file = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, NEW_FILE_MODE);
    if (edit->file < 0) {
        return cannot(edit, "opened");
    }
    apr_pool_cleanup_register(pool, (void *)(intptr_t)edit->file, close_file, apr_pool_cleanup_null);
    if (fstat(edit->file, &edit->was) != 0) {
        return cannot(edit, "read");
    }
    return S_ISREG(edit->was.st_mode) ? NULL : apr_psprintf(pool, "%s is not a plain file", path);
}

void av_file_edit_close(av_file_edit *edit)
{
    apr_pool_cleanup_run(edit->pool, (void *)(intptr_t)edit->file, close_file);
    edit->file = -1;
}

/* A lock of flock(2) has no time-out of its own. */
static bool lock(int file, apr_time_t until)
{
    int how = until == AV_FOR_EVER ? LOCK_EX : LOCK_EX | LOCK_NB;
    while (flock(file, how) != 0) {
        if (errno != EINTR && (errno != EWOULDBLOCK || apr_time_now() >= until)) {
            return false;
        }
        if (errno == EWOULDBLOCK) {
            apr_sleep(POLL_INTERVAL);
        }
    }
    return true;
}

/* Whoever held the lock before may have put another file in the place of the one that is open here. */
static bool is_still_there(const av_file_edit *edit)
{
    struct stat now;
    return stat(edit->path, &now) == 0 && now.st_ino == edit->was.st_ino && now.st_dev == edit->was.st_dev;
}

const char *av_file_edit_lock(av_file_edit *edit, const char *path, int flags, apr_time_t until, apr_pool_t *pool)
{
    for (;;) {
        const char *error = av_file_edit_open(edit, path, flags, pool);
        if (error) {
            return error;
        }
        if (!lock(edit->file, until)) {
            return errno == EWOULDBLOCK ? apr_psprintf(pool, "%s is being changed by somebody else", path)
                                        : cannot(edit, "locked");
        }
        if (fstat(edit->file, &edit->was) != 0) {
            return cannot(edit, "read");
        }
        if (is_still_there(edit)) {
            return NULL;
        }
        av_file_edit_close(edit);
    }
}

static bool write_all(int file, const char *bytes, apr_size_t len)
{
    while (len) {
        ssize_t done = write(file, bytes, len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes += done > 0 ? done : 0;
        len -= done > 0 ? (apr_size_t)done : 0;
    }
    return true;
}

/* Half of what was to be written is worse than nothing. */
const char *av_file_edit_append(av_file_edit *edit, const char *bytes, apr_size_t len)
{
    if (write_all(edit->file, bytes, len) && fsync(edit->file) == 0) {
        return NULL;
    }
    int failure = errno;
    bool is_as_it_was = ftruncate(edit->file, edit->was.st_size) == 0;
    return apr_psprintf(edit->pool, "%s %s: %pm", edit->path,
                        is_as_it_was ? "is as it was: nothing can be added" : "cannot be added to, nor put right",
                        &failure);
}

/* An owner that is the same already need not be one that may be given away. */
static bool take_over_rights(const av_file_edit *edit, int file)
{
    struct stat made;
    if (fstat(file, &made) != 0) {
        return false;
    }
    bool is_same = made.st_uid == edit->was.st_uid && made.st_gid == edit->was.st_gid;
    return (is_same || fchown(file, edit->was.st_uid, edit->was.st_gid) == 0) &&
           fchmod(file, edit->was.st_mode & 07777) == 0;
}

static const char *cannot_be_anew(const av_file_edit *edit, int failure)
{
    return apr_psprintf(edit->pool, "%s is as it was: it cannot be written anew: %pm", edit->path, &failure);
}

const char *av_successor_make(const av_file_edit *edit, av_successor *made)
{
    made->path = apr_pstrcat(edit->pool, edit->path, ".XXXXXX", NULL);
    made->file = mkostemp(made->path, O_CLOEXEC);
    if (made->file < 0) {
        return apr_psprintf(edit->pool, "no new file can be made beside %s: %pm", edit->path, &errno);
    }
    if (take_over_rights(edit, made->file)) {
        return NULL;
    }
    const char *error = cannot_be_anew(edit, errno);
    av_successor_drop(made);
    return error;
}

bool av_successor_write(const av_successor *made, const char *bytes, apr_size_t len)
{
    return write_all(made->file, bytes, len);
}

const char *av_successor_close(const av_file_edit *edit, av_successor *made)
{
    bool done = fsync(made->file) == 0;
    int failure = errno;
    done = close(made->file) == 0 && done;
    made->file = -1;
    return done ? NULL : cannot_be_anew(edit, failure);
}

/* The name lasts only once the folder is on the disk. */
static bool sync_folder(const av_file_edit *edit)
{
    const char *slash = strrchr(edit->path, '/');
    const char *folder = slash > edit->path ? apr_pstrmemdup(edit->pool, edit->path, (apr_size_t)(slash - edit->path))
                         : slash            ? "/"
                                            : ".";
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    if (file >= 0) {
        close(file);
    }
    return done;
}

const char *av_successor_put(const av_file_edit *edit, const av_successor *made)
{
    if (rename(made->path, edit->path) != 0) {
        const char *error = cannot(edit, "replaced");
        unlink(made->path);
        return error;
    }
    return sync_folder(edit) ? NULL : cannot(edit, "made to last, though it is changed");
}

void av_successor_drop(av_successor *made)
{
    if (made->file >= 0) {
        close(made->file);
        made->file = -1;
    }
    unlink(made->path);
}
