/* Keeps a list of questions that are being asked, each until the last who waits for its answer has it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "questions.h"

#include <apr_strings.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct av_question {
    unsigned char name[AV_QUESTION_NAME];
    unsigned users; /* who asks, and all who wait */
    bool is_closed; /* then it is in no list any more */
    av_reason reason;
    char *answer;
    apr_size_t len;
    struct av_question *next;
};

struct av_questions {
    pthread_mutex_t lock;
    pthread_cond_t closed; /* one of them */
    av_question *first;
};

av_questions *av_questions_create(apr_pool_t *pool)
{
    av_questions *questions = apr_pcalloc(pool, sizeof(*questions));
    pthread_condattr_t attributes;
    bool is_made =
        pthread_condattr_init(&attributes) == 0 && pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
        pthread_cond_init(&questions->closed, &attributes) == 0 && pthread_mutex_init(&questions->lock, NULL) == 0;
    return is_made ? questions : NULL;
}

static av_question *find(const av_questions *questions, const unsigned char *name)
{
    av_question *each = questions->first;
    while (each && memcmp(each->name, name, AV_QUESTION_NAME) != 0) {
        each = each->next;
    }
    return each;
}

static av_question *add(av_questions *questions, const unsigned char *name)
{
    av_question *made = calloc(1, sizeof(*made));
    if (made) {
        memcpy(made->name, name, AV_QUESTION_NAME);
        made->users = 1;
        made->next = questions->first;
        questions->first = made;
    }
    return made;
}

static void leave(av_question *question)
{
    if (!--question->users) {
        free(question->answer);
        free(question);
    }
}

static struct timespec end_of(apr_interval_time_t wait)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long fraction = end.tv_nsec + (long)(wait % APR_USEC_PER_SEC) * 1000;
    end.tv_sec += (time_t)(wait / APR_USEC_PER_SEC) + fraction / 1000000000;
    end.tv_nsec = fraction % 1000000000;
    return end;
}

/* Another thread asks. */
static av_reason wait_for(av_questions *questions, av_question *question, apr_interval_time_t wait, av_slice *answer,
                          apr_pool_t *pool)
{
    struct timespec end = end_of(wait);
    int status = 0;
    question->users++;
    while (!question->is_closed && status == 0) {
        status = pthread_cond_timedwait(&questions->closed, &questions->lock, &end);
    }
    av_reason reason = question->is_closed ? question->reason : AV_INTROSPECTION_UNAVAILABLE;
    if (reason == AV_ACCEPTED) {
        *answer = (av_slice){ apr_pmemdup(pool, question->answer, question->len), question->len };
    }
    leave(question);
    return reason;
}

av_question *av_question_open(av_questions *questions, const unsigned char name[AV_QUESTION_NAME],
                              apr_interval_time_t wait, av_reason *reason, av_slice *answer, apr_pool_t *pool)
{
    pthread_mutex_lock(&questions->lock);
    av_question *open = find(questions, name), *own = open ? NULL : add(questions, name);
    *reason = open ? wait_for(questions, open, wait, answer, pool) : AV_INTERNAL_ERROR;
    pthread_mutex_unlock(&questions->lock);
    return own;
}

static void take_out(av_questions *questions, const av_question *question)
{
    av_question **at = &questions->first;
    while (*at != question) {
        at = &(*at)->next;
    }
    *at = question->next;
}

void av_question_close(av_questions *questions, av_question *question, av_reason reason, av_slice answer)
{
    pthread_mutex_lock(&questions->lock);
    take_out(questions, question);
    question->is_closed = true;
    question->reason = reason;
    if (question->users > 1 && reason == AV_ACCEPTED) {
        question->answer = malloc(answer.len + 1);
        question->len = answer.len;
        question->reason = question->answer ? reason : AV_INTERNAL_ERROR;
    }
    if (question->answer && answer.len) {
        memcpy(question->answer, answer.at, answer.len);
    }
    leave(question);
    pthread_cond_broadcast(&questions->closed);
    pthread_mutex_unlock(&questions->lock);
}
