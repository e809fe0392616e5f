/* Counts failed proofs and tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <apr_strings.h>

#define MOST 100000       /* of anything that is counted */
#define MOST_A_SECOND 100 /* counters go by the millisecond */
#define LONGEST_WINDOW 86400
#define DEFAULT_WINDOW 60
#define NETWORK_FACTOR 10 /* names that fail before their network does */
#define LONGEST_NAME 240  /* bytes of a name that are looked at */
#define ADDRESS_SIZE sizeof(((av_address *)NULL)->bytes)

_Static_assert(LONGEST_WINDOW <= 86400, "a table's limit is a day");

/* Groups of the table. The first two are for IPv4, those behind them for IPv6: a flood from many addresses of one family
 * leaves the counters of the other alone. */
enum { NETWORKS = 0, NAMES = 2, TOKENS = 4 };

_Static_assert(TOKENS + 1 == AV_LEAKY_GROUPS, "each group is there");

typedef struct counting {
    av_throttle throttle; /* first: the one is the other */
    av_throttle_line line;
    av_leaky_limit names, networks, tokens;
    av_leaky_table *table;
} counting;

static const char *read_number(const char *value, unsigned least, unsigned most, unsigned *number,
                               const av_compiler *compiler)
{
    char *end = NULL;
    apr_int64_t read = apr_strtoi64(value, &end, 10);
    bool is_right = *value >= '0' && *value <= '9' && !*end && read >= least && read <= most;
    *number = is_right ? (unsigned)read : 0;
    return is_right ? NULL : apr_psprintf(compiler->pool, "is a number from %u to %u", least, most);
}

static const char *set_failures(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 1, MOST, &((av_throttle_line *)target)->failures, compiler);
}

static const char *set_network_failures(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 1, MOST, &((av_throttle_line *)target)->network_failures, compiler);
}

static const char *set_tokens(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 1, MOST, &((av_throttle_line *)target)->tokens, compiler);
}

static const char *set_window(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 1, LONGEST_WINDOW, &((av_throttle_line *)target)->window, compiler);
}

static const char *set_ipv4(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 8, 32, &((av_throttle_line *)target)->ipv4, compiler);
}

static const char *set_ipv6(void *target, const char *value, const av_compiler *compiler)
{
    return read_number(value, 16, 128, &((av_throttle_line *)target)->ipv6, compiler);
}

static const av_option options[] = {
    { "failures", set_failures, false },
    { "network-failures", set_network_failures, false },
    { "tokens", set_tokens, false },
    { "window", set_window, false },
    { "ipv4", set_ipv4, false },
    { "ipv6", set_ipv6, false },
    { NULL, NULL, false },
};

static const char *finish(av_throttle_line *line)
{
    if (!line->failures && !line->tokens) {
        return "counts nothing; add failures=20, or tokens=60 for the token endpoint, or write off";
    }
    if (line->network_failures && !line->failures) {
        return "network-failures= needs failures=, which counts those in one name";
    }
    unsigned most = MOST_A_SECOND * line->window;
    if (line->failures > most || line->network_failures > most || line->tokens > most) {
        return "counts more than 100 a second; raise window=, or lower what is counted in it";
    }
    if (!line->network_failures) {
        line->network_failures = NETWORK_FACTOR * line->failures < most ? NETWORK_FACTOR * line->failures : most;
    }
    return line->network_failures < line->failures
               ? "network-failures= is less than failures=, which are among them; raise the one or lower the other"
               : NULL;
}

const char *av_throttle_line_read(const av_words *words, const av_compiler *compiler, av_throttle_line *line)
{
    apr_array_header_t *settings = NULL;
    const av_option_target target = { options, line };
    *line = (av_throttle_line){ .window = DEFAULT_WINDOW, .ipv4 = 32, .ipv6 = 64 };
    const char *error = av_settings_split(words, 1, &settings, compiler->pool);
    error = error ? error : av_settings_apply(settings, &target, 1, compiler);
    return error ? error : finish(line);
}

/* A key of the table: a network, and in it a name. */
typedef struct place {
    unsigned char bytes[ADDRESS_SIZE + LONGEST_NAME];
    apr_size_t len;
    unsigned family; /* 0: IPv4, 1: IPv6 */
} place;

static bool is_ipv4(const av_address *address)
{
    static const unsigned char mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

static void set_network(place *made, const av_throttle_line *line, const av_address *from)
{
    made->family = !is_ipv4(from);
    unsigned bits = made->family ? line->ipv6 : 96 + line->ipv4;
    memset(made->bytes, 0, ADDRESS_SIZE);
    memcpy(made->bytes, from->bytes, bits / 8);
    if (bits % 8) {
        made->bytes[bits / 8] = from->bytes[bits / 8] & (unsigned char)(0xff00 >> bits % 8);
    }
    made->len = ADDRESS_SIZE;
}

/* Whoever writes one name in several ways shall not have several counters: some of those who are asked for passwords
 * take all of them for one. Returns false where it is nobody's. */
static bool add_name(place *made, av_slice name)
{
    name = av_slice_trim(name);
    apr_size_t len = name.len < LONGEST_NAME ? name.len : LONGEST_NAME;
    for (apr_size_t i = 0; i < len; i++) {
        unsigned byte = (unsigned char)name.at[i];
        bool is_capital = byte - 'A' < 26; /* unsigned: what is below is far above */
        made->bytes[ADDRESS_SIZE + i] = (unsigned char)(is_capital ? byte | 0x20 : byte);
    }
    made->len += len;
    return len > 0;
}

static av_slice key_of(const place *made)
{
    return (av_slice){ (const char *)made->bytes, made->len };
}

static apr_interval_time_t wait_of(const av_throttle *throttle, const av_address *from, av_slice name, apr_time_t now)
{
    const counting *by = (const counting *)throttle;
    apr_interval_time_t other = 0;
    place at;
    if (!by->line.failures) {
        return 0;
    }
    set_network(&at, &by->line, from);
    apr_interval_time_t longest = av_leaky_wait(by->table, NETWORKS + at.family, key_of(&at), by->networks, now);
    if (add_name(&at, name)) {
        other = av_leaky_wait(by->table, NAMES + at.family, key_of(&at), by->names, now);
    }
    return longest > other ? longest : other;
}

static void count_failure(const av_throttle *throttle, const av_address *from, av_slice name, apr_time_t now)
{
    const counting *by = (const counting *)throttle;
    place at;
    if (!by->line.failures) {
        return;
    }
    set_network(&at, &by->line, from);
    av_leaky_add(by->table, NETWORKS + at.family, key_of(&at), by->networks, now);
    if (add_name(&at, name)) {
        av_leaky_add(by->table, NAMES + at.family, key_of(&at), by->names, now);
    }
}

static apr_interval_time_t take_token(const av_throttle *throttle, av_slice client, apr_time_t now)
{
    const counting *by = (const counting *)throttle;
    return by->line.tokens ? av_leaky_take(by->table, TOKENS, client, by->tokens, now) : 0;
}

static av_leaky_limit limit_of(unsigned count, unsigned window)
{
    return (av_leaky_limit){ count, count ? (window * 1000 + count - 1) / count : 0 };
}

const av_throttle *av_throttle_create(const av_throttle_line *line, av_leaky_table *table, apr_pool_t *pool)
{
    counting *made = apr_palloc(pool, sizeof(*made));
    *made = (counting){ .throttle = { wait_of, count_failure, take_token }, .line = *line, .table = table };
    made->names = limit_of(line->failures, line->window);
    made->networks = limit_of(line->network_failures, line->window);
    made->tokens = limit_of(line->tokens, line->window);
    return &made->throttle;
}
