/* Remembers what was used.
 * SPDX-License-Identifier: Apache-2.0 */
#include "replay_shm.h"
#include "siphash.h"

#include <errno.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define LOCKS 128
#define WAYS 64
#define TAG_BITS 24
#define CACHE_LINE 64

/* A key lies in its one bucket, anywhere. A head is the second in which its key is over, and some bits of the hash, so
 * that hardly a key is looked at in vain. */
typedef struct bucket {
    _Atomic uint64_t heads[WAYS];
    unsigned char keys[WAYS][AV_SHA256_SIZE];
} bucket;

_Static_assert(sizeof(bucket) == (size_t)WAYS * AV_REPLAY_ENTRY_SIZE, "as large as is said");

typedef struct lock {
    _Alignas(CACHE_LINE) pthread_mutex_t mutex;
} lock;

struct av_replay_shm {
    uint64_t hash_key[2]; /* strangers choose what is claimed: they shall not choose the bucket */
    apr_size_t bucket_count;
    lock locks[LOCKS];
    bucket buckets[];
};

static bool create_locks(av_replay_shm *memory)
{
    pthread_mutexattr_t kind;
    bool done = pthread_mutexattr_init(&kind) == 0;
    done = done && pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0;
    done = done && pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0;
    for (size_t i = 0; done && i < LOCKS; i++) {
        done = pthread_mutex_init(&memory->locks[i].mutex, &kind) == 0;
    }
    return done;
}

static size_t size_for(apr_size_t bucket_count)
{
    return sizeof(av_replay_shm) + bucket_count * sizeof(bucket);
}

av_replay_shm *av_replay_shm_create(apr_size_t least)
{
    apr_size_t count = (least + WAYS - 1) / WAYS;
    av_replay_shm *memory = mmap(NULL, size_for(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    memory->bucket_count = count;
    if (!count || RAND_bytes((unsigned char *)memory->hash_key, sizeof(memory->hash_key)) != 1 ||
        !create_locks(memory)) {
        av_replay_shm_destroy(memory);
        return NULL;
    }
    return memory;
}

void av_replay_shm_destroy(av_replay_shm *memory)
{
    munmap(memory, size_for(memory->bucket_count));
}

/* Whoever died with the lock left every slot as it was, or claimed: its head is written last. */
static bool take(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_lock(mutex);
    return error == 0 || (error == EOWNERDEAD && pthread_mutex_consistent(mutex) == 0);
}

static av_replay_answer claim_in(bucket *in, const unsigned char *key, uint64_t head, uint64_t second)
{
    size_t free = WAYS;
    for (size_t i = 0; i < WAYS; i++) {
        uint64_t other = atomic_load_explicit(&in->heads[i], memory_order_relaxed);
        if (other >> TAG_BITS <= second) {
            free = i;
        } else if (!((other ^ head) << (64 - TAG_BITS)) && memcmp(in->keys[i], key, AV_SHA256_SIZE) == 0) {
            return AV_REPLAY_SEEN;
        }
    }
    if (free == WAYS) {
        return AV_REPLAY_FULL;
    }
    memcpy(in->keys[free], key, AV_SHA256_SIZE);
    atomic_store_explicit(&in->heads[free], head, memory_order_release);
    return AV_REPLAY_CLAIMED;
}

av_replay_answer av_replay_shm_claim(av_replay_shm *memory, const unsigned char key[AV_SHA256_SIZE], apr_time_t now,
                                     apr_time_t until)
{
    if (now < 0 || until <= now || apr_time_sec(until) >= 1LL << (63 - TAG_BITS)) {
        return AV_REPLAY_SEEN;
    }
    uint64_t hash = av_siphash(memory->hash_key, (av_slice){ (const char *)key, AV_SHA256_SIZE });
    apr_size_t index = (apr_size_t)(hash >> TAG_BITS) % memory->bucket_count;
    uint64_t tag = hash & ((1u << TAG_BITS) - 1);
    uint64_t end = (uint64_t)apr_time_sec(until) + 1;
    pthread_mutex_t *mutex = &memory->locks[index % LOCKS].mutex;
    if (!take(mutex)) {
        return AV_REPLAY_FULL;
    }
    av_replay_answer answer =
        claim_in(&memory->buckets[index], key, end << TAG_BITS | tag, (uint64_t)apr_time_sec(now));
    pthread_mutex_unlock(mutex);
    return answer;
}
