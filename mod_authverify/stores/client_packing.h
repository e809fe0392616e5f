/* A client's record as bytes without pointers, and back.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_CLIENT_PACKING_H
#define AV_CLIENT_PACKING_H

#include "../core/client.h"

/* The digest of each plain: and sha256: secret, which a client may be found by, in the order of the secrets. */
typedef struct av_client_digests {
    unsigned char at[AV_MAX_CLIENT_SECRETS][AV_SHA256_SIZE];
    apr_size_t count;
} av_client_digests;

/* Packs a record. The bytes hold its secrets: they are wiped when `pool` is cleared. Empty where the library failed. */
av_slice av_client_pack(const av_client_record *record, const av_crypto *crypto, apr_pool_t *pool);

/* Unpacks what av_client_pack gave. Texts borrow from `packed`, and end in NUL. False: these are no such bytes; nothing
 * is ever read beyond them. */
bool av_client_unpack(av_slice packed, av_client_record *record, apr_pool_t *pool);

/* Without unpacking the rest: the id, empty where these are no such bytes. */
av_slice av_client_packed_id(av_slice packed);

/* Without unpacking the rest: the digests. */
void av_client_packed_digests(av_slice packed, av_client_digests *digests);

/* Without unpacking the rest: whose pair it is, and until when. Texts are empty, and the time 0, where they are not
 * said. */
typedef struct av_client_owner {
    av_slice application, user;
    apr_time_t expires;
} av_client_owner;

void av_client_packed_owner(av_slice packed, av_client_owner *owner);

#endif
