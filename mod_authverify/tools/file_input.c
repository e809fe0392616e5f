/* A file as its bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "file_input.h"

#include <apr_file_io.h>
#include <apr_strings.h>

#define FIRST_ROOM 65536
#define LARGEST ((apr_size_t)1 << 30)

static const char *read_all(apr_file_t *file, const char *path, av_slice *text, apr_pool_t *pool)
{
    apr_size_t room = FIRST_ROOM, len = 0;
    char *bytes = apr_palloc(pool, room + 1);
    for (;;) {
        apr_size_t got = room - len;
        apr_status_t status = apr_file_read_full(file, bytes + len, got, &got);
        len += got;
        if (status != APR_SUCCESS && status != APR_EOF) {
            return apr_psprintf(pool, "%s cannot be read: %pm", path, &status);
        }
        if (status == APR_EOF) {
            bytes[len] = '\0';
            *text = (av_slice){ bytes, len };
            return NULL;
        }
        if (room >= LARGEST) {
            return apr_psprintf(pool, "%s is larger than 1 GiB", path);
        }
        char *more = apr_palloc(pool, 2 * room + 1);
        memcpy(more, bytes, len);
        bytes = more;
        room *= 2;
    }
}

const char *avt_file_read(const char *path, av_slice *text, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_status_t status = strcmp(path, "-") == 0 ? apr_file_open_stdin(&file, pool)
                                                 : apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool);
    return status == APR_SUCCESS ? read_all(file, path, text, pool)
                                 : apr_psprintf(pool, "%s cannot be opened: %pm", path, &status);
}
