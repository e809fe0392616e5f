/* Posts forms, by libcurl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "form_post.h"
#include "https_transfer.h"

#ifdef AV_HAVE_CURL

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <stdlib.h>

struct avh_poster {
    avh_transfer transfer;
    struct curl_slist *headers;
    char bytes[];
};

/* Adds a header; what it says is in memory of the list alone afterwards. */
static bool add_header(avh_poster *poster, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 1;
    char *line = malloc(size);
    struct curl_slist *list = NULL;
    if (line) {
        apr_cpystrn(apr_cpystrn(line, name, size), value, strlen(value) + 1);
        list = curl_slist_append(poster->headers, line);
        OPENSSL_cleanse(line, size);
        free(line);
    }
    poster->headers = list ? list : poster->headers;
    return list != NULL;
}

/* "Expect:" without a value is not sent: no round trip for it. */
static bool prepare(avh_poster *poster, const avh_post_target *target)
{
    CURL *handle = poster->transfer.handle;
    return add_header(poster, "Accept: application/json", "") && add_header(poster, "Expect:", "") &&
           (!target->authorization || add_header(poster, "Authorization: ", target->authorization)) &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, poster->headers) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_POST, 1L) == CURLE_OK;
}

avh_poster *avh_poster_create(const avh_post_target *target)
{
    avh_poster *poster = calloc(1, sizeof(*poster) + target->most);
    if (!poster) {
        return NULL;
    }
    poster->transfer.bytes = poster->bytes;
    poster->transfer.room = target->most;
    bool is_open = avh_transfer_open(&poster->transfer, target->url, target->authorities, target->timeout);
    if (!is_open || !prepare(poster, target)) {
        avh_poster_destroy(poster);
        return NULL;
    }
    return poster;
}

/* RFC 9110 sections 15.6.3 to 15.6.5, RFC 6585 section 4: what a gateway says for a server that is not there. */
static bool is_silence(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

avh_post_result avh_post(avh_poster *poster, av_slice form, av_slice *answer, const char **error, apr_pool_t *pool)
{
    avh_transfer *transfer = &poster->transfer;
    CURL *handle = transfer->handle;
    long status = 0;
    transfer->len = 0;
    *transfer->told = '\0';
    bool is_set = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)form.len) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, form.at) == CURLE_OK;
    CURLcode code = is_set ? curl_easy_perform(handle) : CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, NULL);
    *error = avh_transfer_error(transfer, code, &status, pool);
    *answer = (av_slice){ transfer->bytes, transfer->len };
    if (!*error) {
        return AVH_POST_ANSWERED;
    }
    return !status || is_silence(status) ? AVH_POST_SILENCE : AVH_POST_REFUSED;
}

static void wipe_headers(const avh_poster *poster)
{
    for (struct curl_slist *each = poster->headers; each; each = each->next) {
        OPENSSL_cleanse(each->data, strlen(each->data));
    }
}

void avh_poster_destroy(avh_poster *poster)
{
    if (poster->transfer.handle) {
        avh_transfer_close(&poster->transfer);
    }
    wipe_headers(poster);
    curl_slist_free_all(poster->headers);
    free(poster);
}

#else

avh_poster *avh_poster_create(const avh_post_target *target)
{
    (void)target;
    return NULL;
}

avh_post_result avh_post(avh_poster *poster, av_slice form, av_slice *answer, const char **error, apr_pool_t *pool)
{
    (void)poster;
    (void)form;
    (void)answer;
    (void)error;
    (void)pool;
    return AVH_POST_SILENCE;
}

void avh_poster_destroy(avh_poster *poster)
{
    (void)poster;
}

#endif
