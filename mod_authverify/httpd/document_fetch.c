/* Fetches documents over HTTPS, by libcurl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document_fetch.h"

#include "../stores/remote_document.h"

#include <apr_strings.h>

#ifdef AV_HAVE_CURL

#include <curl/curl.h>
#include <stdlib.h>

#define CONNECT_SECONDS 5L
#define WHOLE_SECONDS 10L

struct avh_fetcher {
    CURLM *transfers;
};

struct avh_fetch {
    CURL *handle;
    bool is_done;
    CURLcode code;
    char told[CURL_ERROR_SIZE];
    apr_size_t len;
    char bytes[AV_LARGEST_DOCUMENT];
};

const char *avh_fetch_missing(void)
{
    return NULL;
}

avh_fetcher *avh_fetcher_create(void)
{
    avh_fetcher *fetcher = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? malloc(sizeof(*fetcher)) : NULL;
    if (fetcher && !(fetcher->transfers = curl_multi_init())) {
        free(fetcher);
        fetcher = NULL;
    }
    return fetcher;
}

void avh_fetcher_destroy(avh_fetcher *fetcher)
{
    curl_multi_cleanup(fetcher->transfers);
    free(fetcher);
    curl_global_cleanup();
}

static size_t receive(char *bytes, size_t size, size_t count, void *data)
{
    avh_fetch *fetch = data;
    size_t len = size * count;
    if (len > sizeof(fetch->bytes) - fetch->len) {
        return 0; /* libcurl ends with CURLE_WRITE_ERROR */
    }
    memcpy(fetch->bytes + fetch->len, bytes, len);
    fetch->len += len;
    return len;
}

static bool set_limits(avh_fetch *fetch)
{
    return curl_easy_setopt(fetch->handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_TIMEOUT, WHOLE_SECONDS) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_MAXFILESIZE, (long)AV_LARGEST_DOCUMENT) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
}

static bool set_request(avh_fetch *fetch, const char *url, const char *authorities)
{
    return curl_easy_setopt(fetch->handle, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_PRIVATE, fetch) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_ERRORBUFFER, fetch->told) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(fetch->handle, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
           (!authorities || curl_easy_setopt(fetch->handle, CURLOPT_CAINFO, authorities) == CURLE_OK);
}

avh_fetch *avh_fetch_begin(avh_fetcher *fetcher, const char *url, const char *authorities)
{
    avh_fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return NULL;
    }
    fetch->handle = curl_easy_init();
    if (!fetch->handle || !set_limits(fetch) || !set_request(fetch, url, authorities) ||
        curl_multi_add_handle(fetcher->transfers, fetch->handle) != CURLM_OK) {
        curl_easy_cleanup(fetch->handle);
        free(fetch);
        return NULL;
    }
    return fetch;
}

static void note_ends(avh_fetcher *fetcher)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(fetcher->transfers, &left))) {
        char *fetch = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch) == CURLE_OK) {
            ((avh_fetch *)(void *)fetch)->is_done = true;
            ((avh_fetch *)(void *)fetch)->code = message->data.result;
        }
    }
}

void avh_fetcher_run(avh_fetcher *fetcher, apr_interval_time_t wait)
{
    int running = 0, before = 0;
    apr_time_t end = apr_time_now() + wait;
    curl_multi_perform(fetcher->transfers, &running);
    before = running;
    while (running && running == before && apr_time_now() < end) {
        curl_multi_poll(fetcher->transfers, NULL, 0, (int)apr_time_as_msec(wait), NULL);
        curl_multi_perform(fetcher->transfers, &running);
    }
    note_ends(fetcher);
}

static const char *error_of(const avh_fetch *fetch, apr_pool_t *pool)
{
    long status = 0;
    if (fetch->code == CURLE_WRITE_ERROR || fetch->code == CURLE_FILESIZE_EXCEEDED) {
        return "what it answers is larger than 256 KiB";
    }
    if (fetch->code != CURLE_OK) {
        return apr_pstrdup(pool, *fetch->told ? fetch->told : curl_easy_strerror(fetch->code));
    }
    curl_easy_getinfo(fetch->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 3) {
        return "it answers with a redirect, which is not followed; name the URL that it leads to";
    }
    return status == 200 ? NULL : apr_psprintf(pool, "it answers with the status %ld", status);
}

bool avh_fetch_is_done(avh_fetch *fetch, av_slice *text, const char **error, apr_pool_t *pool)
{
    if (fetch->is_done) {
        *error = error_of(fetch, pool);
        *text = (av_slice){ apr_pmemdup(pool, fetch->bytes, fetch->len), fetch->len };
    }
    return fetch->is_done;
}

void avh_fetch_end(avh_fetcher *fetcher, avh_fetch *fetch)
{
    curl_multi_remove_handle(fetcher->transfers, fetch->handle);
    curl_easy_cleanup(fetch->handle);
    free(fetch);
}

#else

const char *avh_fetch_missing(void)
{
    return "this build fetches nothing, because libcurl was not there; install libcurl4-openssl-dev (Debian) or "
           "libcurl-devel (Fedora) and configure again";
}

avh_fetcher *avh_fetcher_create(void)
{
    return NULL;
}

void avh_fetcher_destroy(avh_fetcher *fetcher)
{
    (void)fetcher;
}

avh_fetch *avh_fetch_begin(avh_fetcher *fetcher, const char *url, const char *authorities)
{
    (void)fetcher;
    (void)url;
    (void)authorities;
    return NULL;
}

void avh_fetcher_run(avh_fetcher *fetcher, apr_interval_time_t wait)
{
    (void)fetcher;
    (void)wait;
}

bool avh_fetch_is_done(avh_fetch *fetch, av_slice *text, const char **error, apr_pool_t *pool)
{
    (void)fetch;
    (void)text;
    (void)error;
    (void)pool;
    return false;
}

void avh_fetch_end(avh_fetcher *fetcher, avh_fetch *fetch)
{
    (void)fetcher;
    (void)fetch;
}

#endif
