/* A document that one process fetches for all: its text lies in shared memory that was made before the children were
 * forked.
 *
 * The memory has room for two texts. Whoever publishes writes the idle one and then says in one word that it counts;
 * whoever reads copies and then asks whether that word is still the same.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_REMOTE_DOCUMENT_H
#define AV_REMOTE_DOCUMENT_H

#include "../core/slice.h"

#include <apr_time.h>
#include <stdint.h>

#define AV_LARGEST_DOCUMENT ((apr_size_t)256 * 1024)

typedef struct av_remote_document av_remote_document;

/* Memory for one document, empty. It holds no pointer, and may outlive whatever code uses it. NULL: there is none. */
av_remote_document *av_remote_document_create(void);
void av_remote_document_destroy(av_remote_document *document);

/* Counts the texts that were published; 0: none was. */
uint64_t av_remote_document_generation(const av_remote_document *document);

/* The text that counts, copied into `pool`, and its generation. Its `at` is NULL where there is none. */
av_slice av_remote_document_copy(const av_remote_document *document, uint64_t *generation, apr_pool_t *pool);

/* One process at a time: makes `text`, of at most AV_LARGEST_DOCUMENT bytes, the one that counts, unless it is already,
 * and says that it was had at `now`. */
void av_remote_document_publish(av_remote_document *document, av_slice text, apr_time_t now);

/* When the text that counts was had, or was found unchanged, last; 0: never. */
apr_time_t av_remote_document_time(const av_remote_document *document);

/* Somebody needs a newer one. */
void av_remote_document_want(av_remote_document *document);

/* Is it time to ask: it was had longer than `refresh` ago and asked for longer than `pause` ago; or somebody wants a
 * newer one, and it was asked for longer than `least` ago? If so, that is noted as asking at `now`. */
bool av_remote_document_is_due(av_remote_document *document, apr_time_t now, apr_interval_time_t refresh,
                               apr_interval_time_t pause, apr_interval_time_t least);

#endif
