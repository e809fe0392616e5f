/* Sets of IP networks: sorted disjoint ranges and a binary search. Seventeen steps find an address among 100 000
 * networks.
 *
 * A finished set is words: how many ranges of IPv4 there are, how many others, a word for each of IPv4 (last address,
 * first address), four for each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "network.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LONGEST_TEXT 64
#define LONGEST_RANGE (2 * LONGEST_TEXT)

/* An address as two numbers: comparing them is comparing the bytes. */
typedef struct number {
    uint64_t high, low;
} number;

typedef struct range {
    number first, last;
} range;

struct av_networks {
    apr_size_t added;
    apr_array_header_t *ranges; /* of range, until the set is finished */
    _Atomic uint64_t *words;    /* then */
    apr_size_t count;
};

/* Where they are. */
enum { IPV4_COUNT, OTHER_COUNT, HEADER };

#define OTHER_WORDS 4

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
    av_networks *networks = apr_pcalloc(pool, sizeof(*networks));
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

/* Nothing that may be a network is longer. */
static const char *blame(av_slice text, const char *error, apr_pool_t *pool)
{
    bool is_long = text.len > LONGEST_RANGE;
    text.len = is_long ? LONGEST_RANGE : text.len;
    return apr_pstrcat(pool, "\"", av_slice_string(text, pool), is_long ? "...\" " : "\" ", error, NULL);
}

const char *av_networks_add(av_networks *networks, av_slice text)
{
    av_slice rest = text, first;
    bool is_range = av_slice_contains(text, '-');
    av_slice_split(&rest, is_range ? '-' : '/', &first);
    const char *error = is_range ? add_range(networks, first, rest) : add_network(networks, first, rest);
    networks->added += !error;
    return error ? blame(text, error, networks->ranges->pool) : NULL;
}

apr_size_t av_networks_added(const av_networks *networks)
{
    return networks->added;
}

static bool is_gap(char byte)
{
    return byte == ' ' || byte == '\t' || byte == ',' || byte == '\r';
}

const char *av_networks_add_line(av_networks *networks, av_slice line)
{
    const char *error = NULL;
    apr_size_t at = 0;
    if (av_slice_contains(line, '\0')) {
        return "holds a NUL byte; save the file as plain text";
    }
    while (!error && at < line.len && line.at[at] != '#') {
        apr_size_t start = at;
        while (at < line.len && !is_gap(line.at[at]) && line.at[at] != '#') {
            at++;
        }
        error = at > start ? av_networks_add(networks, (av_slice){ line.at + start, at - start }) : NULL;
        while (at < line.len && is_gap(line.at[at])) {
            at++;
        }
    }
    return error;
}

static int by_first(const void *a, const void *b)
{
    return compare(((const range *)a)->first, ((const range *)b)->first);
}

static bool is_ipv4(const range *at)
{
    return compare(at->first, mapped.first) >= 0 && compare(at->last, mapped.last) <= 0;
}

/* `next` begins inside `before` or right behind it. IPv4 is kept apart. */
static bool touches(const range *before, const range *next)
{
    number behind = before->last;
    if (is_ipv4(before) != is_ipv4(next)) {
        return false;
    }
    if (compare(next->first, behind) <= 0) {
        return true;
    }
    behind.low++;
    behind.high += behind.low == 0;
    return compare(next->first, behind) == 0;
}

/* Sorts the ranges and joins those that touch. Returns how many of them are IPv4's. */
static apr_size_t join(apr_array_header_t *ranges)
{
    range *at = (range *)ranges->elts;
    int kept = 0;
    qsort(at, (size_t)ranges->nelts, sizeof(*at), by_first);
    apr_size_t ipv4_count = is_ipv4(at);
    for (int i = 1; i < ranges->nelts; i++) {
        if (!touches(&at[kept], &at[i])) {
            at[++kept] = at[i];
            ipv4_count += is_ipv4(&at[i]);
        } else if (compare(at[i].last, at[kept].last) > 0) {
            at[kept].last = at[i].last;
        }
    }
    ranges->nelts = kept + 1;
    return ipv4_count;
}

static void store(_Atomic uint64_t *to, uint64_t word)
{
    atomic_store_explicit(to, word, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void store_range(_Atomic uint64_t **ipv4, _Atomic uint64_t **other, const range *at)
{
    if (is_ipv4(at)) {
        store((*ipv4)++, at->last.low << 32 | (uint32_t)at->first.low);
        return;
    }
    store((*other)++, at->first.high);
    store((*other)++, at->first.low);
    store((*other)++, at->last.high);
    store((*other)++, at->last.low);
}

const char *av_networks_finish(av_networks *networks)
{
    const apr_array_header_t *ranges = networks->ranges;
    if (!ranges->nelts) {
        return "names no network";
    }
    apr_size_t ipv4_count = join(networks->ranges), other_count = (apr_size_t)ranges->nelts - ipv4_count;
    networks->count = HEADER + ipv4_count + OTHER_WORDS * other_count;
    networks->words = apr_palloc(ranges->pool, networks->count * sizeof(*networks->words));
    store(&networks->words[IPV4_COUNT], ipv4_count);
    store(&networks->words[OTHER_COUNT], other_count);
    _Atomic uint64_t *ipv4 = networks->words + HEADER, *other = ipv4 + ipv4_count;
    for (int i = 0; i < ranges->nelts; i++) {
        store_range(&ipv4, &other, &APR_ARRAY_IDX(ranges, i, range));
    }
    return NULL;
}

/* The first range that ends at the address or behind it holds it, or none does. */
static bool ipv4_contains(const _Atomic uint64_t *ranges, apr_size_t count, uint32_t wanted)
{
    apr_size_t low = 0, high = count;
    while (low < high) {
        apr_size_t middle = low + (high - low) / 2;
        if (load(&ranges[middle]) >> 32 < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && (uint32_t)load(&ranges[low]) <= wanted;
}

static number number_at(const _Atomic uint64_t *words)
{
    return (number){ load(words), load(words + 1) };
}

static bool others_contain(const _Atomic uint64_t *ranges, apr_size_t count, number wanted)
{
    apr_size_t low = 0, high = count;
    while (low < high) {
        apr_size_t middle = low + (high - low) / 2;
        if (compare(number_at(&ranges[OTHER_WORDS * middle + 2]), wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && compare(number_at(&ranges[OTHER_WORDS * low]), wanted) <= 0;
}

bool av_network_words_contain(const _Atomic uint64_t *words, apr_size_t count, const av_address *address)
{
    number wanted = number_of(address);
    uint64_t ipv4_count = load(&words[IPV4_COUNT]), other_count = load(&words[OTHER_COUNT]);
    if (ipv4_count > count - HEADER || other_count > (count - HEADER - ipv4_count) / OTHER_WORDS) {
        return false;
    }
    words += HEADER;
    return wanted.high == 0 && wanted.low >> 32 == mapped.first.low >> 32
               ? ipv4_contains(words, ipv4_count, (uint32_t)wanted.low)
               : others_contain(words + ipv4_count, other_count, wanted);
}

bool av_networks_contain(const av_networks *networks, const av_address *address)
{
    return av_network_words_contain(networks->words, networks->count, address);
}

av_slice av_networks_words(const av_networks *networks)
{
    return (av_slice){ (const char *)networks->words, networks->count * sizeof(*networks->words) };
}

const av_networks *av_networks_of_words(av_slice words, apr_pool_t *pool)
{
    av_networks *networks = apr_pcalloc(pool, sizeof(*networks));
    networks->count = words.len / sizeof(*networks->words);
    networks->words = apr_pmemdup(pool, words.at, words.len);
    if (words.len % sizeof(*networks->words) || networks->count <= HEADER) {
        return NULL;
    }
    apr_size_t ranges = networks->count - HEADER;
    uint64_t ipv4_count = load(&networks->words[IPV4_COUNT]), other_count = load(&networks->words[OTHER_COUNT]);
    return ipv4_count <= ranges && other_count <= ranges && ipv4_count + OTHER_WORDS * other_count == ranges ? networks
                                                                                                             : NULL;
}
