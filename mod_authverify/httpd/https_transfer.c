/* Sets up libcurl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "https_transfer.h"

#ifdef AV_HAVE_CURL

#include <apr_strings.h>
#include <pthread.h>

#define CONNECT_SECONDS 5L

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_ready;

const char *avh_https_missing(void)
{
    return NULL;
}

/* It is never undone: processes that come so far end before the library goes. */
static void set_up_library(void)
{
    is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static size_t receive(char *bytes, size_t size, size_t count, void *data)
{
    avh_transfer *transfer = data;
    size_t len = size * count;
    if (len > transfer->room - transfer->len) {
        return 0; /* libcurl ends with CURLE_WRITE_ERROR */
    }
    memcpy(transfer->bytes + transfer->len, bytes, len);
    transfer->len += len;
    return len;
}

static bool set_limits(const avh_transfer *transfer, apr_interval_time_t timeout)
{
    CURL *handle = transfer->handle;
    return curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(timeout)) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_MAXFILESIZE, (long)transfer->room) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
}

static bool set_request(avh_transfer *transfer, const char *url, const char *authorities)
{
    CURL *handle = transfer->handle;
    return curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->told) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           (!authorities || curl_easy_setopt(handle, CURLOPT_CAINFO, authorities) == CURLE_OK);
}

bool avh_transfer_open(avh_transfer *transfer, const char *url, const char *authorities, apr_interval_time_t timeout)
{
    pthread_once(&once, set_up_library);
    transfer->handle = is_ready ? curl_easy_init() : NULL;
    transfer->len = 0;
    bool is_open = transfer->handle && set_limits(transfer, timeout) && set_request(transfer, url, authorities);
    if (!is_open) {
        avh_transfer_close(transfer);
    }
    return is_open;
}

const char *avh_transfer_error(const avh_transfer *transfer, CURLcode code, long *status, apr_pool_t *pool)
{
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, status);
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) {
        return apr_psprintf(pool, "what it answers is larger than %" APR_SIZE_T_FMT " KiB", transfer->room / 1024);
    }
    if (code != CURLE_OK) {
        *status = 0;
        return apr_pstrdup(pool, *transfer->told ? transfer->told : curl_easy_strerror(code));
    }
    if (*status / 100 == 3) {
        return "it answers with a redirect, which is not followed; name the URL that it leads to";
    }
    return *status == 200 ? NULL : apr_psprintf(pool, "it answers with the status %ld", *status);
}

void avh_transfer_close(avh_transfer *transfer)
{
    curl_easy_cleanup(transfer->handle);
    transfer->handle = NULL;
}

#else

const char *avh_https_missing(void)
{
    return "this build fetches nothing, because libcurl was not there; install libcurl4-openssl-dev (Debian) or "
           "libcurl-devel (Fedora) and configure again";
}

#endif
