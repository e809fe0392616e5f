/* Sends a request by libcurl: in this process, so that no credential is ever an argument.
 * SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include <apr_strings.h>

#ifdef AV_HAVE_CURL

#include <curl/curl.h>

#define CONNECT_SECONDS 10L
#define SILENT_SECONDS 60L
#define LARGEST_ANSWER ((apr_size_t)16 * 1024 * 1024)
#define FIRST_ROOM ((apr_size_t)64 * 1024)

typedef struct received {
    char *bytes;
    apr_size_t len, room;
    apr_pool_t *pool;
} received;

const char *avt_send_missing(void)
{
    return NULL;
}

static size_t receive(char *bytes, size_t size, size_t count, void *data)
{
    received *answer = data;
    size_t len = size * count;
    if (len > LARGEST_ANSWER - answer->len) {
        return 0; /* libcurl ends with CURLE_WRITE_ERROR */
    }
    if (answer->len + len > answer->room) {
        answer->room = 2 * (answer->len + len);
        char *more = apr_palloc(answer->pool, answer->room);
        memcpy(more, answer->bytes, answer->len);
        answer->bytes = more;
    }
    memcpy(answer->bytes + answer->len, bytes, len);
    answer->len += len;
    return len;
}

/* libcurl takes "Name:" for a header that it should leave out, and "Name;" for an empty one. */
static const char *header_line(const av_header *header, apr_pool_t *pool)
{
    const char *name = av_slice_string(header->name, pool);
    return header->value.len ? apr_pstrcat(pool, name, ": ", av_slice_string(header->value, pool), NULL)
                             : apr_pstrcat(pool, name, ";", NULL);
}

static bool append(struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*lines, line);
    *lines = longer ? longer : *lines;
    return longer != NULL;
}

/* Host as it was signed: libcurl would leave out a port that is the scheme's own. Where no type is given it would call
 * every body a form. */
static bool build_headers(const avt_delivery *delivery, struct curl_slist **lines, apr_pool_t *pool)
{
    av_request seen;
    bool has_type = false, done = !avt_delivery_view(delivery, &seen, pool);
    for (apr_size_t i = 0; done && i < seen.header_count; i++) {
        has_type = has_type || av_slice_equal_nocase(seen.headers[i].name, AV_SLICE("Content-Type"));
        done = append(lines, header_line(&seen.headers[i], pool));
    }
    return done && (has_type || append(lines, "Content-Type:"));
}

static bool set_body(CURL *handle, const avt_delivery *delivery)
{
    if (av_slice_equal(delivery->method, AV_SLICE("HEAD"))) {
        return curl_easy_setopt(handle, CURLOPT_NOBODY, 1L) == CURLE_OK;
    }
    if (!delivery->body.len && av_slice_equal(delivery->method, AV_SLICE("GET"))) {
        return true;
    }
    return curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)delivery->body.len) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_POSTFIELDS, delivery->body.at) == CURLE_OK;
}

static bool set_request(CURL *handle, const avt_delivery *delivery, struct curl_slist *lines, apr_pool_t *pool)
{
    return set_body(handle, delivery) && curl_easy_setopt(handle, CURLOPT_URL, delivery->url) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, av_slice_string(delivery->method, pool)) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERAGENT, "authverify/" AV_VERSION) == CURLE_OK;
}

static bool set_limits(CURL *handle, const char *authorities, char *told, received *answer)
{
    return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, told) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, SILENT_SECONDS) == CURLE_OK &&
           (!authorities || curl_easy_setopt(handle, CURLOPT_CAINFO, authorities) == CURLE_OK);
}

static const char *perform(CURL *handle, const char *told, const received *answer, avt_answer *result)
{
    CURLcode code = curl_easy_perform(handle);
    if (code == CURLE_WRITE_ERROR) {
        return "the answer is larger than 16 MiB";
    }
    if (code != CURLE_OK) {
        return apr_pstrcat(answer->pool, "no answer: ", *told ? told : curl_easy_strerror(code), NULL);
    }
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &result->status);
    result->body = (av_slice){ answer->bytes, answer->len };
    return NULL;
}

const char *avt_send(const avt_delivery *delivery, const char *authorities, avt_answer *answer, apr_pool_t *pool)
{
    char told[CURL_ERROR_SIZE] = "";
    received body = { apr_palloc(pool, FIRST_ROOM), 0, FIRST_ROOM, pool };
    struct curl_slist *lines = NULL;
    CURL *handle = curl_easy_init();
    bool ready = handle && build_headers(delivery, &lines, pool) && set_request(handle, delivery, lines, pool) &&
                 set_limits(handle, authorities, told, &body);
    const char *error = ready ? perform(handle, told, &body, answer) : "libcurl refused the request";
    curl_easy_cleanup(handle);
    curl_slist_free_all(lines);
    return error;
}

#else

const char *avt_send_missing(void)
{
    return "--send needs libcurl, which this program was built without: install libcurl4-openssl-dev (Debian, Ubuntu) or "
           "libcurl-devel (Fedora, RHEL), and configure again";
}

const char *avt_send(const avt_delivery *delivery, const char *authorities, avt_answer *answer, apr_pool_t *pool)
{
    (void)delivery;
    (void)authorities;
    (void)answer;
    (void)pool;
    return avt_send_missing();
}

#endif
