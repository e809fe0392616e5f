/* One question for all threads of a process that want to know the same at the same time: the first asks, the others wait
 * for what he is told.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_QUESTIONS_H
#define AV_QUESTIONS_H

#include "../core/reason.h"
#include "../core/slice.h"

#include <apr_time.h>

typedef struct av_questions av_questions;
typedef struct av_question av_question;

#define AV_QUESTION_NAME 32 /* bytes */

/* NULL where the system has no lock. A process that is forked has its own from then on; none may be open then. */
av_questions *av_questions_create(apr_pool_t *pool);

/* Returns the question that the caller now has to ask, and to close whatever comes of it; or NULL where another thread
 * has asked: *reason is what he was told, AV_INTROSPECTION_UNAVAILABLE after `wait` in vain, and *answer, in `pool`,
 * comes with AV_ACCEPTED. AV_INTERNAL_ERROR: there is no memory. */
av_question *av_question_open(av_questions *questions, const unsigned char name[AV_QUESTION_NAME],
                              apr_interval_time_t wait, av_reason *reason, av_slice *answer, apr_pool_t *pool);

/* Tells who waits. `answer` is copied where somebody does. */
void av_question_close(av_questions *questions, av_question *question, av_reason reason, av_slice answer);

#endif
