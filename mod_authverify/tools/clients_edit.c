/* A clients file as its lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_edit.h"
#include "../stores/clients_file.h"
#include "client_words.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define NEW_FILE_MODE 0640 /* root and the group that httpd runs as */

bool avt_is_client(av_slice line)
{
    av_slice text = av_slice_trim(line);
    return text.len && text.at[0] != '#';
}

static apr_status_t close_file(void *data)
{
    const avt_clients *clients = data;
    close(clients->file);
    return APR_SUCCESS;
}

static const char *cannot(const avt_clients *clients, const char *what)
{
    return apr_psprintf(clients->pool, "%s cannot be %s: %pm", clients->path, what, &errno);
}

static const char *split_lines(avt_clients *clients, av_slice text)
{
    av_slice line;
    if (text.len && text.at[text.len - 1] != '\n') {
        return apr_psprintf(clients->pool, "%s does not end in a line feed: it is not whole, or an editor left it out",
                            clients->path);
    }
    if (!text.len) {
        return NULL;
    }
    text.len--;
    while (av_slice_split(&text, '\n', &line)) {
        *(av_slice *)apr_array_push(clients->lines) = line;
    }
    return NULL;
}

static const char *read_text(avt_clients *clients)
{
    size_t size = (size_t)clients->was.st_size, len = 0;
    char *text = apr_palloc(clients->pool, size + 1);
    while (len < size) {
        ssize_t got = read(clients->file, text + len, size - len);
        if (got <= 0 && errno != EINTR) {
            return cannot(clients, "read");
        }
        len += got > 0 ? (size_t)got : 0;
    }
    return split_lines(clients, (av_slice){ text, len });
}

static const char *open_file(avt_clients *clients, const char *path, int flags)
{
    char *real = realpath(path, NULL);
    clients->path = apr_pstrdup(clients->pool, real ? real : path);
    free(real);
    clients->file = open(clients->path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK, NEW_FILE_MODE);
    if (clients->file < 0) {
        return cannot(clients, "opened");
    }
    apr_pool_cleanup_register(clients->pool, clients, close_file, apr_pool_cleanup_null);
    if (fstat(clients->file, &clients->was) != 0) {
        return cannot(clients, "read");
    }
    return S_ISREG(clients->was.st_mode) ? NULL : apr_psprintf(clients->pool, "%s is not a plain file", clients->path);
}

static void begin(avt_clients *clients, apr_pool_t *pool)
{
    memset(clients, 0, sizeof(*clients));
    clients->pool = pool;
    clients->lines = apr_array_make(pool, 64, sizeof(av_slice));
}

const char *avt_clients_read(avt_clients *clients, const char *path, apr_pool_t *pool)
{
    begin(clients, pool);
    const char *error = open_file(clients, path, 0);
    return error ? error : read_text(clients);
}

/* Whoever held the lock before may have put another file in the place of the one that is open here. */
static bool is_still_there(const avt_clients *clients)
{
    struct stat now;
    return stat(clients->path, &now) == 0 && now.st_ino == clients->was.st_ino && now.st_dev == clients->was.st_dev;
}

const char *avt_clients_edit(avt_clients *clients, const char *path, bool create, apr_pool_t *pool)
{
    for (;;) {
        begin(clients, pool);
        const char *error = open_file(clients, path, create ? O_CREAT : 0);
        if (error) {
            return error;
        }
        int locked;
        do {
            locked = flock(clients->file, LOCK_EX);
        } while (locked != 0 && errno == EINTR);
        if (locked != 0 || fstat(clients->file, &clients->was) != 0) {
            return cannot(clients, "locked");
        }
        if (is_still_there(clients)) {
            return read_text(clients);
        }
        apr_pool_cleanup_run(pool, clients, close_file);
    }
}

static bool write_all(int file, const char *bytes, size_t len)
{
    while (len) {
        ssize_t done = write(file, bytes, len);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes += done > 0 ? done : 0;
        len -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool write_lines(const avt_clients *clients, int file)
{
    size_t size = 1;
    for (int i = 0; i < clients->lines->nelts; i++) {
        size += APR_ARRAY_IDX(clients->lines, i, av_slice).len + 1;
    }
    char *text = apr_palloc(clients->pool, size), *end = text;
    for (int i = 0; i < clients->lines->nelts; i++) {
        av_slice line = APR_ARRAY_IDX(clients->lines, i, av_slice);
        memcpy(end, line.at, line.len);
        end += line.len;
        *end++ = '\n';
    }
    bool done = write_all(file, text, (size_t)(end - text));
    OPENSSL_cleanse(text, size);
    return done;
}

/* An owner that is the same already need not be one that may be given away. */
static bool take_over_rights(const avt_clients *clients, int file)
{
    struct stat made;
    if (fstat(file, &made) != 0) {
        return false;
    }
    bool is_same = made.st_uid == clients->was.st_uid && made.st_gid == clients->was.st_gid;
    return (is_same || fchown(file, clients->was.st_uid, clients->was.st_gid) == 0) &&
           fchmod(file, clients->was.st_mode & 07777) == 0;
}

/* The name lasts only once the folder is on the disk. */
static bool sync_folder(const avt_clients *clients)
{
    const char *slash = strrchr(clients->path, '/');
    const char *folder = slash > clients->path
                             ? apr_pstrmemdup(clients->pool, clients->path, (apr_size_t)(slash - clients->path))
                         : slash ? "/"
                                 : ".";
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    if (file >= 0) {
        close(file);
    }
    return done;
}

static const char *write_successor(const avt_clients *clients, int file)
{
    bool done = take_over_rights(clients, file) && write_lines(clients, file) && fsync(file) == 0;
    int failure = errno;
    done = close(file) == 0 && done;
    return done ? NULL
                : apr_psprintf(clients->pool, "%s is as it was: it cannot be written anew: %pm", clients->path,
                               &failure);
}

/* Where a file is not right httpd keeps the clients from before, revoked ones too: it is asked first. */
static const char *check_successor(const avt_clients *clients, const char *made)
{
    av_clients_file *file = NULL;
    const av_crypto *crypto = av_crypto_create(clients->pool);
    const av_watch watch = { made, clients->was.st_uid, av_shared_memory_make(made, clients->pool) };
    const char *error =
        crypto ? av_clients_file_open(&watch, crypto, clients->pool, &file) : "the library lacks an algorithm";
    const char *named = error ? strstr(error, made) : NULL;
    if (named) {
        error = apr_pstrcat(clients->pool, apr_pstrmemdup(clients->pool, error, (apr_size_t)(named - error)),
                            clients->path, named + strlen(made), NULL);
    }
    return error ? apr_psprintf(clients->pool, "%s is as it was: httpd would not take what it would become: %s",
                                clients->path, error)
                 : NULL;
}

const char *avt_clients_save(const avt_clients *clients)
{
    char *made = apr_pstrcat(clients->pool, clients->path, ".XXXXXX", NULL);
    int file = mkostemp(made, O_CLOEXEC);
    if (file < 0) {
        return apr_psprintf(clients->pool, "no new file can be made beside %s: %pm", clients->path, &errno);
    }
    const char *error = write_successor(clients, file);
    error = error ? error : check_successor(clients, made);
    if (!error && rename(made, clients->path) != 0) {
        error = cannot(clients, "replaced");
    }
    if (error) {
        unlink(made);
        return error;
    }
    return sync_folder(clients) ? NULL : cannot(clients, "made to last, though it is changed");
}

int avt_clients_count(const avt_clients *clients)
{
    int count = 0;
    for (int i = 0; i < clients->lines->nelts; i++) {
        count += avt_is_client(APR_ARRAY_IDX(clients->lines, i, av_slice));
    }
    return count;
}

const char *avt_clients_find(const avt_clients *clients, const char *id, int *index)
{
    *index = -1;
    for (int i = 0; i < clients->lines->nelts; i++) {
        av_slice line = APR_ARRAY_IDX(clients->lines, i, av_slice);
        if (!avt_is_client(line) || !avt_line_is_of(line, id, clients->pool)) {
            continue;
        }
        if (*index >= 0) {
            return apr_psprintf(clients->pool,
                                "%s has this client twice, in lines %d and %d; remove one of them by hand",
                                clients->path, *index + 1, i + 1);
        }
        *index = i;
    }
    return NULL;
}
