/* Sets of IP networks, looked up in one step whatever their number.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_NETWORK_H
#define AV_NETWORK_H

#include "reason.h"
#include "slice.h"

#include <stdint.h>

/* An address of either family, as sixteen bytes in network order: IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so
 * that a v4-mapped address is the IPv4 address it stands for. */
typedef struct av_address {
    unsigned char bytes[16];
} av_address;

av_address av_address_of_ipv4(const unsigned char bytes[4]);
av_address av_address_of_ipv6(const unsigned char bytes[16]);

/* A set. Built once, read by any number of threads. */
typedef struct av_networks av_networks;

av_networks *av_networks_create(apr_pool_t *pool);

/* Adds "192.0.2.0/24", "2001:db8::/32", a single address, or a range "192.0.2.1-192.0.2.9". Returns NULL or a sentence:
 * not an address, a prefix length beyond the address's, bits set behind the prefix (10.0.0.1/8 is more likely a mistake
 * than a network), a range from high to low or over both families. Borrows nothing. */
const char *av_networks_add(av_networks *networks, av_slice text);

/* Adds every network of a line of a file: separated by blanks or commas, "#" starts a comment, a CR at the end is
 * passed over. Returns NULL or a sentence. */
const char *av_networks_add_line(av_networks *networks, av_slice line);

/* How many have been added so far. */
apr_size_t av_networks_added(const av_networks *networks);

/* Call once, after the last network: sorts and joins. The set must not be empty. Returns NULL or a sentence. */
const char *av_networks_finish(av_networks *networks);

bool av_networks_contain(const av_networks *networks, const av_address *address);

/* The finished set as words, borrowed: they hold no pointer and may be copied to wherever they are needed. */
av_slice av_networks_words(const av_networks *networks);

/* The set whose words these bytes are, aligned or not, in `pool`. NULL where they are no set. */
const av_networks *av_networks_of_words(av_slice words, apr_pool_t *pool);

/* As av_networks_contain, where the words lie. Each is read whole, and nothing beyond `count` of them (2 at
 * least) whatever they hold: where somebody writes at the same time the result means nothing, and that is all. */
bool av_network_words_contain(const _Atomic uint64_t *words, apr_size_t count, const av_address *address);

/* Networks that may change while requests are decided: from=file:. The function may be called by any number of threads
 * at once; it never blocks and allocates nothing. */
typedef struct av_network_source av_network_source;

struct av_network_source {
    const void *store;

    /* AV_ACCEPTED where the address is in one of them, AV_NETWORK_REFUSED, or AV_STORE_UNAVAILABLE. */
    av_reason (*check)(const av_network_source *source, const av_address *address);
};

#endif
