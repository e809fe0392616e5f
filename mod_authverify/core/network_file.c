/* A file of networks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "network_file.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_FILE (64 * 1024 * 1024)

/* Who may change the file chooses who may come. */
static const char *check_file(const char *path, const struct stat *found, apr_pool_t *pool)
{
    if (!S_ISREG(found->st_mode)) {
        return apr_psprintf(pool, "%s is not a plain file", path);
    }
    if (found->st_uid != 0 && found->st_uid != geteuid()) {
        return apr_psprintf(pool, "%s belongs to another user; run: chown root %s", path, path);
    }
    if (found->st_mode & (S_IWGRP | S_IWOTH)) {
        return apr_psprintf(pool, "%s is writable by others; run: chmod go-w %s", path, path);
    }
    return found->st_size > LARGEST_FILE ? apr_psprintf(pool, "%s is longer than 64 MiB", path) : NULL;
}

static const char *read_all(int file, const char *path, apr_size_t size, av_slice *text, apr_pool_t *pool)
{
    char *bytes = apr_palloc(pool, size + 1);
    apr_size_t len = 0;
    ssize_t got = 1;
    while (len < size && got != 0) {
        got = read(file, bytes + len, size - len);
        if (got < 0 && errno != EINTR) {
            return apr_psprintf(pool, "%s cannot be read: %pm", path, &errno);
        }
        len += got > 0 ? (apr_size_t)got : 0;
    }
    *text = (av_slice){ bytes, len };
    return NULL;
}

const char *av_network_file_add(av_networks *networks, const char *name, const char *base, apr_pool_t *pool)
{
    char *path;
    struct stat found;
    av_slice text;
    if (apr_filepath_merge(&path, base, name, 0, pool) != APR_SUCCESS) {
        return apr_psprintf(pool, "\"file:%s\" cannot be made a path; write an absolute one", name);
    }
    int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) {
        return apr_psprintf(pool, "%s cannot be opened: %pm", path, &errno);
    }
    const char *error = fstat(file, &found) != 0 ? "cannot be looked at" : check_file(path, &found, pool);
    error = error ? error : read_all(file, path, (apr_size_t)found.st_size, &text, pool);
    close(file);
    if (!error && (error = av_networks_add_lines(networks, text))) {
        error = apr_psprintf(pool, "%s: %s", path, error);
    }
    return error;
}
