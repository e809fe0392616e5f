/* A set of clients in a slot: records, and an index by id, one by digest, and one by application and user. Offsets, no
 * pointers, so that it may lie anywhere.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENTS_SNAPSHOT_H
#define AV_CLIENTS_SNAPSHOT_H

#include "../core/client.h"
#include "slot.h"

#include <apr_tables.h>

/* One that is being written. */
typedef struct av_snapshot_builder {
    av_slot to;
    const av_crypto *crypto;
    av_pace *pace;
    apr_size_t end; /* of what is written, in words */
    apr_size_t client_count, digest_count, pair_count;
    unsigned dearest_cost; /* of the bcrypt hashes; 0: there is none */
} av_snapshot_builder;

/* Two lines that say one thing, which makes the later one a mistake. */
typedef struct av_duplicate {
    unsigned line, earlier;
    bool is_secret; /* the lines have a secret in common, else the id */
} av_duplicate;

typedef enum av_build {
    AV_BUILD_DONE,
    AV_BUILD_FULL,  /* it does not fit */
    AV_BUILD_FAILED /* the library refused to work */
} av_build;

/* Begins a set, which is finished at that pace (NULL: as fast as may be); whatever the memory held is given up. */
void av_snapshot_start(av_snapshot_builder *builder, av_slot to, const av_crypto *crypto, av_pace *pace);

/* Adds the client of a line. What is needed meanwhile comes from `pool`. */
av_build av_snapshot_add(av_snapshot_builder *builder, const av_client_record *record, unsigned line, apr_pool_t *pool);

/* Call once, after the last client: writes the indexes. Lines that have an id or a secret of an earlier one are
 * appended to `duplicates` (of av_duplicate), as long as it has fewer than `most`; the set is of no use if there is
 * one. */
av_build av_snapshot_finish(av_snapshot_builder *builder, apr_array_header_t *duplicates, int most, apr_pool_t *pool);

/* The packed record (client_packing.h) of that id, or of who has a secret of that digest, copied into `pool` and wiped
 * with it; empty where there is none. Where somebody writes at the same time the result means nothing, but the call
 * ends and stays within the memory. */
av_slice av_snapshot_find_id(av_slot slot, av_slice id, apr_pool_t *pool);
av_slice av_snapshot_find_digest(av_slot slot, const unsigned char digest[AV_SHA256_SIZE], apr_pool_t *pool);

/* A secret of the kind that nobody knows. A bcrypt hash has the cost of the dearest one here; where there is none here,
 * and so no client's password costs anything, it is a digest instead. */
av_client_secret av_snapshot_dummy(av_slot slot, av_secret_kind kind, apr_pool_t *pool);

/* Adds a client to a set that is finished and looked into by others, who see it whole or not at all. One at a time may
 * add. AV_BUILD_FULL: an index has no room, and the set must be built anew. What is needed meanwhile comes from
 * `pool`. */
av_build av_snapshot_extend(av_slot slot, const av_client_record *record, const av_crypto *crypto, apr_pool_t *pool);

/* How many pairs of this user, issued to this application, have not expired by then. */
apr_size_t av_snapshot_count_pairs(av_slot slot, av_slice application, av_slice user, apr_time_t now, apr_pool_t *pool);

#endif
