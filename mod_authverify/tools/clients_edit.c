/* A clients file as its lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_edit.h"
#include "../stores/clients_file.h"
#include "../stores/clients_line.h"
#include "client_words.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

bool avt_is_client(av_slice line)
{
    av_slice text = av_slice_trim(line);
    return text.len && text.at[0] != '#';
}

static const char *split_lines(avt_clients *clients, av_slice text)
{
    av_slice line;
    if (text.len && text.at[text.len - 1] != '\n') {
        return apr_psprintf(clients->pool, "%s does not end in a line feed: it is not whole, or an editor left it out",
                            clients->edit.path);
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
    size_t size = (size_t)clients->edit.was.st_size, len = 0;
    char *text = apr_palloc(clients->pool, size + 1);
    while (len < size) {
        ssize_t got = read(clients->edit.file, text + len, size - len);
        if (got <= 0 && errno != EINTR) {
            return apr_psprintf(clients->pool, "%s cannot be read: %pm", clients->edit.path, &errno);
        }
        len += got > 0 ? (size_t)got : 0;
    }
    return split_lines(clients, (av_slice){ text, len });
}

/* Without symbolic links: what they lead to is replaced, not they. */
static const char *begin(avt_clients *clients, const char *path, apr_pool_t *pool)
{
    char *real = realpath(path, NULL);
    const char *found = apr_pstrdup(pool, real ? real : path);
    free(real);
    *clients = (avt_clients){ .lines = apr_array_make(pool, 64, sizeof(av_slice)), .pool = pool };
    return found;
}

const char *avt_clients_read(avt_clients *clients, const char *path, apr_pool_t *pool)
{
    const char *error = av_file_edit_open(&clients->edit, begin(clients, path, pool), O_RDONLY, pool);
    return error ? error : read_text(clients);
}

const char *avt_clients_edit(avt_clients *clients, const char *path, bool create, apr_pool_t *pool)
{
    int flags = O_RDONLY | (create ? O_CREAT : 0);
    const char *error = av_file_edit_lock(&clients->edit, begin(clients, path, pool), flags, AV_FOR_EVER, pool);
    return error ? error : read_text(clients);
}

static bool write_lines(const avt_clients *clients, const av_successor *made)
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
    bool done = av_successor_write(made, text, (size_t)(end - text));
    OPENSSL_cleanse(text, size);
    return done;
}

static const char *write_successor(const avt_clients *clients, av_successor *made)
{
    return write_lines(clients, made) ? av_successor_close(&clients->edit, made)
                                      : apr_psprintf(clients->pool, "%s is as it was: it cannot be written anew: %pm",
                                                     clients->edit.path, &errno);
}

/* Where a file is not right httpd keeps the clients from before, revoked ones too: it is asked first. */
static const char *check_successor(const avt_clients *clients, const char *made)
{
    av_clients_file *file = NULL;
    const av_crypto *crypto = av_crypto_create(clients->pool);
    const av_watch watch = { made, clients->edit.was.st_uid, av_shared_memory_make(made, clients->pool) };
    const char *error =
        crypto ? av_clients_file_open(&watch, crypto, clients->pool, &file) : "the library lacks an algorithm";
    const char *named = error ? strstr(error, made) : NULL;
    if (named) {
        error = apr_pstrcat(clients->pool, apr_pstrmemdup(clients->pool, error, (apr_size_t)(named - error)),
                            clients->edit.path, named + strlen(made), NULL);
    }
    return error ? apr_psprintf(clients->pool, "%s is as it was: httpd would not take what it would become: %s",
                                clients->edit.path, error)
                 : NULL;
}

const char *avt_clients_save(const avt_clients *clients)
{
    av_successor made;
    const char *error = av_successor_make(&clients->edit, &made);
    if (error) {
        return error;
    }
    error = write_successor(clients, &made);
    error = error ? error : check_successor(clients, made.path);
    if (error) {
        av_successor_drop(&made);
        return error;
    }
    return av_successor_put(&clients->edit, &made);
}

int avt_clients_count(const avt_clients *clients)
{
    int count = 0;
    for (int i = 0; i < clients->lines->nelts; i++) {
        count += avt_is_client(APR_ARRAY_IDX(clients->lines, i, av_slice));
    }
    return count;
}

bool avt_clients_are_issued(const avt_clients *clients)
{
    return clients->lines->nelts &&
           av_slice_starts_with(APR_ARRAY_IDX(clients->lines, 0, av_slice), AV_SLICE(AV_ISSUED_MARK));
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
                                clients->edit.path, *index + 1, i + 1);
        }
        *index = i;
    }
    return NULL;
}
