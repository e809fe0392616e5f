/* Sets of IP networks: sorted disjoint ranges and a binary search. Seventeen steps find an address among 100 000
 * networks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <arpa/inet.h>
#include <stdlib.h>

#define LONGEST_TEXT 64

/* An address as two numbers: comparing them is comparing the bytes. */
typedef struct number {
    uint64_t high, low;
} number;

typedef struct range {
    number first, last;
} range;

struct av_networks {
    apr_array_header_t *ranges; /* of range */
};

static uint64_t read_number(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static number number_of(const av_address *address)
{
    return (number){ read_number(address->bytes), read_number(address->bytes + 8) };
}

static int compare(number a, number b)
{
    if (a.high != b.high) {
        return a.high < b.high ? -1 : 1;
    }
    return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}

av_address av_address_of_ipv4(const unsigned char bytes[4])
{
    av_address address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, bytes[0], bytes[1], bytes[2], bytes[3] } };
    return address;
}

av_address av_address_of_ipv6(const unsigned char bytes[16])
{
    av_address address;
    memcpy(address.bytes, bytes, sizeof(address.bytes));
    return address;
}

av_networks *av_networks_create(apr_pool_t *pool)
{
    av_networks *networks = apr_palloc(pool, sizeof(*networks));
    networks->ranges = apr_array_make(pool, 8, sizeof(range));
    return networks;
}

/* Reads one address; *bits becomes the length of its family's prefixes. */
static bool read_address(av_slice text, av_address *address, unsigned *bits)
{
    char string[LONGEST_TEXT];
    unsigned char bytes[16];
    if (!text.len || text.len >= sizeof(string) || av_slice_contains(text, '\0')) {
        return false;
    }
    memcpy(string, text.at, text.len);
    string[text.len] = '\0';
    *bits = 32;
    if (inet_pton(AF_INET, string, bytes) == 1) {
        *address = av_address_of_ipv4(bytes);
        return true;
    }
    *bits = 128;
    if (inet_pton(AF_INET6, string, bytes) == 1) {
        *address = av_address_of_ipv6(bytes);
        return true;
    }
    return false;
}

/* One to three digits without a leading zero, at most `most`. */
static bool read_length(av_slice text, unsigned most, unsigned *length)
{
    *length = 0;
    if (!text.len || text.len > 3 || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        *length = *length * 10 + (unsigned)(text.at[i] - '0');
    }
    return *length <= most;
}

/* The bits behind a prefix of `length` out of 128. */
static number mask_behind(unsigned length)
{
    uint64_t all = ~(uint64_t)0;
    if (length >= 64) {
        return (number){ 0, length == 128 ? 0 : all >> (length - 64) };
    }
    return (number){ length ? all >> length : all, all };
}

/* The addresses that stand for IPv4's. */
static const range mapped = { { 0, 0x0000ffff00000000u }, { 0, 0x0000ffffffffffffu } };

static void push(av_networks *networks, number first, number last)
{
    if (compare(first, last) <= 0) {
        *(range *)apr_array_push(networks->ranges) = (range){ first, last };
    }
}

/* A range of IPv6 addresses is not meant for IPv4's, which lie in the middle of ::/64, unless it is written among them.
 * */
static void add_numbers(av_networks *networks, number first, number last)
{
    bool is_apart = compare(last, mapped.first) < 0 || compare(first, mapped.last) > 0;
    bool is_inside = compare(first, mapped.first) >= 0 && compare(last, mapped.last) <= 0;
    if (is_apart || is_inside) {
        push(networks, first, last);
        return;
    }
    push(networks, first, (number){ 0, mapped.first.low - 1 });
    push(networks, (number){ 0, mapped.last.low + 1 }, last);
}

static const char *add_network(av_networks *networks, av_slice address_text, av_slice length_text)
{
    av_address address;
    unsigned bits = 0, length = 0;
    if (!read_address(address_text, &address, &bits)) {
        return "is not an IP address";
    }
    if (!length_text.at) {
        length = bits;
    } else if (!read_length(length_text, bits, &length)) {
        return bits == 32 ? "has a prefix length that is not 0 to 32" : "has a prefix length that is not 0 to 128";
    }
    number first = number_of(&address), behind = mask_behind(length + 128 - bits);
    if ((first.high & behind.high) || (first.low & behind.low)) {
        return "has bits behind its prefix; write the network's first address, or one address without a prefix";
    }
    add_numbers(networks, first, (number){ first.high | behind.high, first.low | behind.low });
    return NULL;
}

static const char *add_range(av_networks *networks, av_slice from, av_slice to)
{
    av_address first, last;
    unsigned first_bits = 0, last_bits = 0;
    if (!read_address(from, &first, &first_bits) || !read_address(to, &last, &last_bits) || first_bits != last_bits) {
        return "is not a range of two addresses of one family";
    }
    if (compare(number_of(&first), number_of(&last)) > 0) {
        return "is a range from high to low";
    }
    add_numbers(networks, number_of(&first), number_of(&last));
    return NULL;
}

const char *av_networks_add(av_networks *networks, av_slice text)
{
    av_slice rest = text, first;
    bool is_range = av_slice_contains(text, '-');
    av_slice_split(&rest, is_range ? '-' : '/', &first);
    const char *error = is_range ? add_range(networks, first, rest) : add_network(networks, first, rest);
    return error ? apr_pstrcat(networks->ranges->pool, "\"", av_slice_string(text, networks->ranges->pool), "\" ",
                               error, NULL)
                 : NULL;
}

static bool is_gap(char byte)
{
    return byte == ' ' || byte == '\t' || byte == ',' || byte == '\r';
}

static const char *add_line(av_networks *networks, av_slice line)
{
    apr_size_t at = 0;
    while (at < line.len && line.at[at] != '#') {
        apr_size_t start = at;
        while (at < line.len && !is_gap(line.at[at]) && line.at[at] != '#') {
            at++;
        }
        const char *error = at > start ? av_networks_add(networks, (av_slice){ line.at + start, at - start }) : NULL;
        if (error) {
            return error;
        }
        while (at < line.len && is_gap(line.at[at])) {
            at++;
        }
    }
    return NULL;
}

const char *av_networks_add_lines(av_networks *networks, av_slice text)
{
    av_slice line;
    for (unsigned count = 1; text.at && av_slice_split(&text, '\n', &line); count++) {
        const char *error = add_line(networks, line);
        if (error) {
            return apr_psprintf(networks->ranges->pool, "line %u: %s", count, error);
        }
    }
    return NULL;
}

static int by_first(const void *a, const void *b)
{
    return compare(((const range *)a)->first, ((const range *)b)->first);
}

/* `next` begins inside `before` or right behind it. */
static bool touches(const range *before, const range *next)
{
    number behind = before->last;
    if (compare(next->first, behind) <= 0) {
        return true;
    }
    behind.low++;
    behind.high += behind.low == 0;
    return compare(next->first, behind) == 0;
}

const char *av_networks_finish(av_networks *networks)
{
    apr_array_header_t *ranges = networks->ranges;
    range *at = (range *)ranges->elts;
    int kept = 0;
    if (!ranges->nelts) {
        return "names no network";
    }
    qsort(at, (size_t)ranges->nelts, sizeof(*at), by_first);
    for (int i = 1; i < ranges->nelts; i++) {
        if (!touches(&at[kept], &at[i])) {
            at[++kept] = at[i];
        } else if (compare(at[i].last, at[kept].last) > 0) {
            at[kept].last = at[i].last;
        }
    }
    ranges->nelts = kept + 1;
    return NULL;
}

apr_size_t av_networks_count(const av_networks *networks)
{
    return (apr_size_t)networks->ranges->nelts;
}

bool av_networks_contain(const av_networks *networks, const av_address *address)
{
    const range *at = (const range *)networks->ranges->elts;
    number wanted = number_of(address);
    int low = 0, high = networks->ranges->nelts;
    while (low < high) { /* the first range that ends at or behind the address lies in [low, high] */
        int middle = low + (high - low) / 2;
        if (compare(at[middle].last, wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < networks->ranges->nelts && compare(at[low].first, wanted) <= 0;
}

/* A packed range is a byte that says which of these follows. */
typedef struct ipv4_range {
    uint32_t first, last;
} ipv4_range;

enum { PACKED_IPV4 = 4, PACKED_ANY = 6 };

static bool is_ipv4(const range *at)
{
    return compare(at->first, mapped.first) >= 0 && compare(at->last, mapped.last) <= 0;
}

av_slice av_networks_pack(const av_networks *networks, apr_pool_t *pool)
{
    apr_size_t count = av_networks_count(networks);
    char *packed = apr_palloc(pool, count * (1 + sizeof(range)));
    char *to = packed;
    for (apr_size_t i = 0; i < count; i++) {
        const range *at = (const range *)networks->ranges->elts + i;
        const ipv4_range small = { (uint32_t)at->first.low, (uint32_t)at->last.low };
        bool is_small = is_ipv4(at);
        apr_size_t size = is_small ? sizeof(small) : sizeof(*at);
        *to++ = is_small ? PACKED_IPV4 : PACKED_ANY;
        memcpy(to, is_small ? (const void *)&small : at, size);
        to += size;
    }
    return (av_slice){ packed, (apr_size_t)(to - packed) };
}

/* Cuts the next range off. */
static bool take_range(av_slice *rest, range *taken)
{
    ipv4_range small;
    char kind = rest->at[0];
    apr_size_t size = kind == PACKED_IPV4 ? sizeof(small) : sizeof(*taken);
    if ((kind != PACKED_IPV4 && kind != PACKED_ANY) || rest->len <= size) {
        return false;
    }
    if (kind == PACKED_ANY) {
        memcpy(taken, rest->at + 1, size);
    } else {
        memcpy(&small, rest->at + 1, size);
        *taken = (range){ { 0, mapped.first.low | small.first }, { 0, mapped.first.low | small.last } };
    }
    *rest = av_slice_skip(*rest, 1 + size);
    return true;
}

const av_networks *av_networks_unpack(av_slice packed, apr_pool_t *pool)
{
    av_networks *networks = apr_palloc(pool, sizeof(*networks));
    networks->ranges = apr_array_make(pool, (int)(packed.len / (1 + sizeof(ipv4_range))), sizeof(range));
    while (packed.len) {
        if (!take_range(&packed, apr_array_push(networks->ranges))) {
            return NULL;
        }
    }
    return networks->ranges->nelts ? networks : NULL;
}
