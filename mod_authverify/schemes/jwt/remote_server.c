/* Checks how a server is named.
 * SPDX-License-Identifier: Apache-2.0 */
#include "remote_server.h"

#include <apr_file_info.h>

const char *av_remote_url_check(av_slice url)
{
    bool is_url = av_slice_starts_with(url, AV_SLICE("https://")) && url.len > strlen("https://") &&
                  av_slice_is_visible(url) && !av_slice_contains(url, '@') && !av_slice_contains(url, '#');
    return is_url ? NULL : "names no URL of the form https://host/path, without user and fragment";
}

const char *av_remote_authorities_read(const char *value, const char **path, const av_compiler *compiler)
{
    char *merged = NULL;
    apr_finfo_t found;
    apr_pool_t *pool = compiler->pool;
    if (apr_filepath_merge(&merged, compiler->access.base, value, 0, pool) != APR_SUCCESS ||
        apr_stat(&found, merged, APR_FINFO_TYPE, pool) != APR_SUCCESS || found.filetype != APR_REG) {
        return "names no file";
    }
    *path = merged;
    return NULL;
}
