/* Sets of IP networks, looked up in one step whatever their number.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_NETWORK_H
#define AV_NETWORK_H

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

/* Adds every network of a text: one or more a line, separated by blanks or commas, "#" starts a comment, CRLF or LF.
 * Returns NULL, or a sentence that names the line. */
const char *av_networks_add_lines(av_networks *networks, av_slice text);

/* Call once, after the last network: sorts and joins. The set must not be empty. Returns NULL or a sentence. */
const char *av_networks_finish(av_networks *networks);

/* How many disjoint ranges the finished set comes to. */
apr_size_t av_networks_count(const av_networks *networks);

bool av_networks_contain(const av_networks *networks, const av_address *address);

/* The finished set as few bytes that another process may keep and read back without parsing. In `pool`. */
av_slice av_networks_pack(const av_networks *networks, apr_pool_t *pool);

/* The set that av_networks_pack gave, in `pool`. NULL where the bytes are no set. */
const av_networks *av_networks_unpack(av_slice packed, apr_pool_t *pool);

#endif
