/* Whether somebody is asked who may be down: all processes know at once that he does not answer, and only one question a
 * second finds out whether he does again.
 *
 * `now` is any clock that only counts, in microseconds, the same for all.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CIRCUIT_H
#define AV_CIRCUIT_H

#include <apr_pools.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct av_circuit av_circuit;

/* One for this process and all that are forked from it. NULL where there is no memory that they can share. Any number of
 * threads may use it; nothing is locked. */
av_circuit *av_circuit_create(apr_pool_t *pool);

/* May the caller ask? Always, as long as the last who asked was answered; else one caller a second. */
bool av_circuit_lets_ask(av_circuit *circuit, int64_t now);

/* Nobody answered. True: that is news. */
bool av_circuit_note_silence(av_circuit *circuit, int64_t now);

/* Somebody answered. True: that is news. */
bool av_circuit_note_answer(av_circuit *circuit);

/* May the caller complain about an answer? Once a minute. */
bool av_circuit_lets_complain(av_circuit *circuit, int64_t now);

#endif
