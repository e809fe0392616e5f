/* Keeps in shared memory who may be asked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "circuit.h"

#include <apr_shm.h>
#include <stdatomic.h>

#define PAUSE 1000000 /* a second */
#define COMPLAINT_PAUSE 60000000

struct av_circuit {
    _Atomic int64_t resume_at;   /* 0: it is open */
    _Atomic int64_t complain_at; /* the next time */
};

av_circuit *av_circuit_create(apr_pool_t *pool)
{
    apr_shm_t *shared = NULL;
    if (apr_shm_create(&shared, sizeof(av_circuit), NULL, pool) != APR_SUCCESS) {
        return NULL;
    }
    av_circuit *circuit = apr_shm_baseaddr_get(shared);
    atomic_init(&circuit->resume_at, 0);
    atomic_init(&circuit->complain_at, 0);
    return circuit;
}

/* True for one of all who come when it is time, and the others wait for the next time. */
static bool takes_turn(_Atomic int64_t *next, int64_t seen, int64_t now, int64_t pause)
{
    return now >= seen && atomic_compare_exchange_strong_explicit(next, &seen, now + pause, memory_order_relaxed,
                                                                  memory_order_relaxed);
}

bool av_circuit_lets_ask(av_circuit *circuit, int64_t now)
{
    int64_t resume_at = atomic_load_explicit(&circuit->resume_at, memory_order_relaxed);
    return !resume_at || takes_turn(&circuit->resume_at, resume_at, now, PAUSE);
}

bool av_circuit_note_silence(av_circuit *circuit, int64_t now)
{
    return !atomic_exchange_explicit(&circuit->resume_at, now + PAUSE, memory_order_relaxed);
}

bool av_circuit_note_answer(av_circuit *circuit)
{
    return atomic_load_explicit(&circuit->resume_at, memory_order_relaxed) &&
           atomic_exchange_explicit(&circuit->resume_at, 0, memory_order_relaxed);
}

bool av_circuit_lets_complain(av_circuit *circuit, int64_t now)
{
    int64_t complain_at = atomic_load_explicit(&circuit->complain_at, memory_order_relaxed);
    return takes_turn(&circuit->complain_at, complain_at, now, COMPLAINT_PAUSE);
}
