/* Fetches documents over HTTPS, by libcurl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document_fetch.h"
#include "https_transfer.h"

#include "../stores/remote_document.h"

#ifdef AV_HAVE_CURL

#include <apr_strings.h>
#include <stdlib.h>

#define WHOLE_TIME apr_time_from_sec(10)

struct avh_fetcher {
    CURLM *transfers;
};

struct avh_fetch {
    avh_transfer transfer;
    bool is_done;
    CURLcode code;
    char bytes[AV_LARGEST_DOCUMENT];
};

avh_fetcher *avh_fetcher_create(void)
{
    avh_fetcher *fetcher = malloc(sizeof(*fetcher));
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
}

static bool begin(avh_fetcher *fetcher, avh_fetch *fetch)
{
    return curl_easy_setopt(fetch->transfer.handle, CURLOPT_PRIVATE, fetch) == CURLE_OK &&
           curl_multi_add_handle(fetcher->transfers, fetch->transfer.handle) == CURLM_OK;
}

avh_fetch *avh_fetch_begin(avh_fetcher *fetcher, const char *url, const char *authorities)
{
    avh_fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return NULL;
    }
    fetch->transfer.bytes = fetch->bytes;
    fetch->transfer.room = sizeof(fetch->bytes);
    if (!avh_transfer_open(&fetch->transfer, url, authorities, WHOLE_TIME)) {
        free(fetch);
        return NULL;
    }
    if (!begin(fetcher, fetch)) {
        avh_transfer_close(&fetch->transfer);
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

bool avh_fetch_is_done(avh_fetch *fetch, av_slice *text, const char **error, apr_pool_t *pool)
{
    if (fetch->is_done) {
        long status = 0;
        *error = avh_transfer_error(&fetch->transfer, fetch->code, &status, pool);
        *text = (av_slice){ apr_pmemdup(pool, fetch->bytes, fetch->transfer.len), fetch->transfer.len };
    }
    return fetch->is_done;
}

void avh_fetch_end(avh_fetcher *fetcher, avh_fetch *fetch)
{
    curl_multi_remove_handle(fetcher->transfers, fetch->transfer.handle);
    avh_transfer_close(&fetch->transfer);
    free(fetch);
}

#else

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
