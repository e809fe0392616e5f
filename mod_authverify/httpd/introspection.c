/* Introspection endpoints.
 *
 * Every child keeps connections of its own to each of them, as many as it has asked over at once. Threads that want to
 * know about the same token share a question (stores/questions.h); all children share what they know of an endpoint that
 * is silent (stores/circuit.h), and the answers that the core remembers (token_memory.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "introspection.h"
#include "form_post.h"
#include "https_transfer.h"
#include "token_memory.h"

#include "../stores/circuit.h"
#include "../stores/questions.h"

#include <apr_strings.h>
#include <pthread.h>
#include <time.h>

#define MOST_IDLE 64                     /* connections that are kept */
#define PATIENCE apr_time_from_msec(200) /* that a thread waits longer than the one that asks for it may */

typedef struct asked_endpoint {
    av_introspector introspector;
    avh_post_target target;
    bool is_shared;
    av_circuit *circuit;
    server_rec *server;

    /* of each process; connections end with it */
    av_questions *questions;
    pthread_mutex_t lock;
    avh_poster *idle[MOST_IDLE];
    int idle_count;
} asked_endpoint;

/* Connections. */

static avh_poster *take_poster(asked_endpoint *endpoint)
{
    pthread_mutex_lock(&endpoint->lock);
    avh_poster *poster = endpoint->idle_count ? endpoint->idle[--endpoint->idle_count] : NULL;
    pthread_mutex_unlock(&endpoint->lock);
    return poster ? poster : avh_poster_create(&endpoint->target);
}

static void give_back(asked_endpoint *endpoint, avh_poster *poster)
{
    pthread_mutex_lock(&endpoint->lock);
    bool has_room = endpoint->idle_count < MOST_IDLE;
    if (has_room) {
        endpoint->idle[endpoint->idle_count++] = poster;
    }
    pthread_mutex_unlock(&endpoint->lock);
    if (!has_room) {
        avh_poster_destroy(poster);
    }
}

/* Asking. */

/* Microseconds of a clock that only counts, the same for all processes. */
static int64_t counted_time(void)
{
    struct timespec now = { 0, 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static av_reason note_silence(const asked_endpoint *endpoint, const char *error)
{
    if (av_circuit_note_silence(endpoint->circuit, counted_time())) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, endpoint->server,
                     "AuthVerify: %s: %s; tokens that it must be asked about are refused with 503 until it answers",
                     endpoint->target.url, error);
    }
    return AV_INTROSPECTION_UNAVAILABLE;
}

static void note_answer(const asked_endpoint *endpoint)
{
    if (av_circuit_note_answer(endpoint->circuit)) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, endpoint->server, "AuthVerify: %s answers again",
                     endpoint->target.url);
    }
}

static av_reason note_refusal(const asked_endpoint *endpoint, const char *error)
{
    note_answer(endpoint);
    if (av_circuit_lets_complain(endpoint->circuit, counted_time())) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, endpoint->server, "AuthVerify: %s: %s; the token is refused with 503",
                     endpoint->target.url, error);
    }
    return AV_INTROSPECTION_MALFORMED;
}

static av_reason post(asked_endpoint *endpoint, av_slice form, av_slice *answer, apr_pool_t *pool)
{
    const char *error = NULL;
    avh_poster *poster = take_poster(endpoint);
    if (!poster) {
        return AV_INTERNAL_ERROR;
    }
    avh_post_result result = avh_post(poster, form, answer, &error, pool);
    answer->at = apr_pmemdup(pool, answer->at, answer->len);
    give_back(endpoint, poster);
    switch (result) {
    case AVH_POST_ANSWERED:
        note_answer(endpoint);
        return AV_ACCEPTED;
    case AVH_POST_REFUSED:
        return note_refusal(endpoint, error);
    default:
        return note_silence(endpoint, error);
    }
}

static av_reason ask_alone(asked_endpoint *endpoint, av_slice form, av_slice *answer, apr_pool_t *pool)
{
    return av_circuit_lets_ask(endpoint->circuit, counted_time()) ? post(endpoint, form, answer, pool)
                                                                  : AV_INTROSPECTION_UNAVAILABLE;
}

static av_reason ask(const av_introspector *introspector, const unsigned char digest[AV_QUESTION_NAME], av_slice form,
                     av_slice *answer, apr_pool_t *pool)
{
    asked_endpoint *endpoint = introspector->store;
    av_reason reason = AV_UNDECIDED;
    *answer = (av_slice){ "", 0 };
    if (!endpoint->is_shared) {
        return ask_alone(endpoint, form, answer, pool);
    }
    av_question *question =
        av_question_open(endpoint->questions, digest, endpoint->target.timeout + PATIENCE, &reason, answer, pool);
    if (question) {
        reason = ask_alone(endpoint, form, answer, pool);
        av_question_close(endpoint->questions, question, reason, *answer);
    }
    return reason;
}

/* Opening. */

const char *avh_introspection_open(void *baton, const av_endpoint *said, const av_introspector **introspector)
{
    server_rec *s = baton;
    avh_server *server = avh_server_of(s);
    apr_pool_t *pool = s->process->pconf;
    asked_endpoint *endpoint = apr_pcalloc(pool, sizeof(*endpoint));
    const char *missing = avh_https_missing();
    if (missing) {
        return missing;
    }
    server->answers = server->answers ? server->answers : avh_answer_memory_create(pool);
    endpoint->introspector = (av_introspector){ endpoint, server->answers, ask };
    endpoint->target =
        (avh_post_target){ said->url, said->authorities, said->authorization, said->timeout, AV_LARGEST_ANSWER };
    endpoint->is_shared = said->is_shared;
    endpoint->circuit = av_circuit_create(pool);
    endpoint->server = s;
    endpoint->questions = av_questions_create(pool);
    if (!server->answers || !endpoint->circuit || !endpoint->questions ||
        pthread_mutex_init(&endpoint->lock, NULL) != 0) {
        return "no memory can be set aside for what is answered";
    }
    *introspector = &endpoint->introspector;
    return NULL;
}
