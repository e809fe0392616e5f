/* Remembers keys that were derived from secrets, so that the derivation is made once and not for each request.
 *
 * A key is found by a keyed hash over the secret and the purpose it was derived for, under a hash key that is random in
 * each process: who has another secret finds nothing, and nothing is found for a secret that is no more.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_KEY_CACHE_H
#define AV_KEY_CACHE_H

#include "../core/client.h"

typedef struct av_key_cache av_key_cache;

/* A cache of a fixed size; a newcomer takes the place of whoever is in its slot. Any number of threads may use it;
 * nothing is locked. A process that is forked has its own from then on. Wiped with `pool`. NULL where the library has no
 * random bytes. */
av_key_cache *av_key_cache_create(apr_pool_t *pool);

/* Copies the key of `size` bytes, at most AV_LARGEST_DERIVED_KEY. False, and `key` unspecified, where there is none. */
bool av_key_cache_find(const av_key_cache *cache, av_slice secret, av_slice purpose, unsigned char *key,
                       apr_size_t size);

void av_key_cache_add(av_key_cache *cache, av_slice secret, av_slice purpose, const unsigned char *key,
                      apr_size_t size);

#endif
