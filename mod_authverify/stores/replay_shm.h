/* What was used and may be used once: one machine's memory of it, in memory that all processes share.
 *
 * A key is the SHA-256 of whatever it stands for, and is remembered for as long as anybody might take that thing again.
 * Nothing is forgotten before: where there is no room, nothing can be claimed, and who asks must refuse.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_REPLAY_SHM_H
#define AV_REPLAY_SHM_H

#include "../core/authverify.h"

typedef struct av_replay_shm av_replay_shm;

/* Bytes that a key takes. */
#define AV_REPLAY_ENTRY_SIZE 40

typedef enum av_replay_answer {
    AV_REPLAY_FULL, /* nobody can tell: there is no room, or the memory is broken */
    AV_REPLAY_SEEN, /* it was claimed before, or nobody would take it any more */
    AV_REPLAY_CLAIMED
} av_replay_answer;

/* Memory for `least` keys or a few more, empty, which the system gives as it is used. It holds no
 * pointer, and may outlive whatever code uses it. Made before the processes are forked that share it; NULL: there is
 * none. */
av_replay_shm *av_replay_shm_create(apr_size_t least);
void av_replay_shm_destroy(av_replay_shm *memory);

/* Claims a key until the second in which `until` ends. Of all threads and processes that ask for one key, one gets it.
 * A process that dies meanwhile holds up nobody. `now` is the time of the call, not of what the call is about: a slot
 * whose time is over by it is given to others. */
av_replay_answer av_replay_shm_claim(av_replay_shm *memory, const unsigned char key[AV_SHA256_SIZE], apr_time_t now,
                                     apr_time_t until);

#endif
