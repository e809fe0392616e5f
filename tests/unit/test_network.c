/* Sets of networks: what is in them to the last address, what cannot be one, and how they are packed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/network.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <arpa/inet.h>

static av_address address_of(const char *text)
{
    unsigned char bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        return av_address_of_ipv4(bytes);
    }
    ck_assert_int_eq(inet_pton(AF_INET6, text, bytes), 1);
    return av_address_of_ipv6(bytes);
}

static av_networks *set_of(const char *lines)
{
    av_networks *networks = av_networks_create(pool);
    av_slice rest = av_slice_of(lines), line;
    const char *error = NULL;
    while (!error && av_slice_split(&rest, '\n', &line)) {
        error = av_networks_add_line(networks, tight_copy(line));
    }
    error = error ? error : av_networks_finish(networks);
    ck_assert_msg(!error, "%s: %s", lines, error);
    return networks;
}

static bool contains(const av_networks *networks, const char *text)
{
    av_address address = address_of(text);
    return av_networks_contain(networks, &address);
}

static const struct {
    const char *networks;
    const char *address;
    bool is_inside;
} rows[] = {
    { "192.0.2.0/24", "192.0.2.0", true },
    { "192.0.2.0/24", "192.0.2.255", true },
    { "192.0.2.0/24", "192.0.1.255", false },
    { "192.0.2.0/24", "192.0.3.0", false },
    { "192.0.2.0/24", "::ffff:192.0.2.1", true },
    { "192.0.2.0/24", "::192.0.2.1", false },
    { "192.0.2.7", "192.0.2.7", true },
    { "192.0.2.7", "192.0.2.8", false },
    { "192.0.2.7/32", "192.0.2.6", false },
    { "0.0.0.0/0", "255.255.255.255", true },
    { "0.0.0.0/0", "::1", false },
    { "::/0", "::1", true },
    { "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
    { "::/0", "192.0.2.1", false },
    { "::/0", "::fffe:ffff:ffff", true },
    { "::/0", "::1:0:0:0", true },
    { "::/0 0.0.0.0/0", "192.0.2.1", true },
    { "::ffff:192.0.2.0/120", "192.0.2.1", true },
    { "::1", "::1", true },
    { "::1", "::2", false },
    { "::1", "::", false },
    { "::1", "127.0.0.1", false },
    { "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true },
    { "2001:db8::/32", "2001:db9::", false },
    { "2001:db8::/32", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false },
    { "2001:db8::/64", "2001:db8:0:1::", false },
    { "2001:db8::/65", "2001:db8::8000:0:0:0", false },
    { "192.0.2.3-192.0.2.5", "192.0.2.3", true },
    { "192.0.2.3-192.0.2.5", "192.0.2.5", true },
    { "192.0.2.3-192.0.2.5", "192.0.2.2", false },
    { "192.0.2.3-192.0.2.5", "192.0.2.6", false },
    { "2001:db8::1-2001:db8::ffff", "2001:db8::1000", true },
    { "2001:db8::1-2001:db8::ffff", "2001:db8::1:0", false },
    { "10.0.0.0/8 # ours\r\n# 192.0.2.0/24\n\n\t198.51.100.1,198.51.100.3", "198.51.100.3", true },
    { "10.0.0.0/8 # ours\r\n# 192.0.2.0/24\n\n\t198.51.100.1,198.51.100.3", "10.1.2.3", true },
    { "10.0.0.0/8 # ours\r\n# 192.0.2.0/24\n\n\t198.51.100.1,198.51.100.3", "192.0.2.1", false },
    { "10.0.0.0/8 # ours\r\n# 192.0.2.0/24\n\n\t198.51.100.1,198.51.100.3", "198.51.100.2", false },
    { "10.0.0.0/24 10.0.0.0/8 10.0.1.0/24", "10.200.0.0", true },
};

START_TEST(an_address_is_inside_or_not)
{
    ck_assert_int_eq(contains(set_of(rows[_i].networks), rows[_i].address), rows[_i].is_inside);
}
END_TEST

START_TEST(its_words_are_the_set)
{
    av_slice words = av_networks_words(set_of(rows[_i].networks));
    char *crooked = apr_pcalloc(pool, words.len + 1);
    memcpy(crooked + 1, words.at, words.len);
    const av_networks *again = av_networks_of_words((av_slice){ crooked + 1, words.len }, pool);
    ck_assert_ptr_nonnull(again);
    ck_assert_int_eq(contains(again, rows[_i].address), rows[_i].is_inside);
    ck_assert_ptr_null(av_networks_of_words(tight_copy((av_slice){ words.at, words.len - 1 }), pool));
    ck_assert_ptr_null(av_networks_of_words(tight_copy((av_slice){ words.at, words.len - 8 }), pool));
    ck_assert_ptr_null(av_networks_of_words(tight_copy((av_slice){ words.at, 16 }), pool));
    ck_assert_ptr_null(av_networks_of_words((av_slice){ "", 0 }, pool));
}
END_TEST

/* As a reader finds them whose set is being written over: nothing is read beyond them. */
START_TEST(words_that_are_no_set_hold_nothing)
{
    static const uint64_t counts[] = { 0, 1, 2, 3, 7, 8, UINT32_MAX, (uint64_t)1 << 62, UINT64_MAX };
    const av_address addresses[] = { address_of("192.0.2.1"), address_of("2001:db8::1") };
    const size_t size = 9 * sizeof(uint64_t);
    for (size_t i = 0; i < ROWS(counts) * ROWS(counts); i++) {
        uint64_t words[9] = { counts[i / ROWS(counts)], counts[i % ROWS(counts)] };
        av_slice copy = tight_copy((av_slice){ (const char *)words, size });
        for (size_t j = 0; j < 2; j++) {
            ck_assert(!av_network_words_contain((const _Atomic uint64_t *)(const void *)copy.at, 9, &addresses[j]));
        }
    }
}
END_TEST

static const struct {
    av_slice text;
    const char *part;
} refused[] = {
    { TEXT(""), "is not an IP address" },
    { TEXT("localhost"), "is not an IP address" },
    { TEXT("10.0.0"), "is not an IP address" },
    { TEXT("10"), "is not an IP address" },
    { TEXT("010.0.0.1"), "is not an IP address" },
    { TEXT("10.0.0.256"), "is not an IP address" },
    { TEXT("10.0.0.1 "), "is not an IP address" },
    { TEXT("10.0.0.1\0x"), "is not an IP address" },
    { TEXT("fe80::1%eth0"), "is not an IP address" },
    { TEXT("::1::"), "is not an IP address" },
    { TEXT("[::1]"), "is not an IP address" },
    { TEXT("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee"), "is not an IP address" },
    { TEXT("10.0.0.0/33"), "not 0 to 32" },
    { TEXT("10.0.0.0/"), "not 0 to 32" },
    { TEXT("10.0.0.0/08"), "not 0 to 32" },
    { TEXT("10.0.0.0/+8"), "not 0 to 32" },
    { TEXT("10.0.0.0/8/8"), "not 0 to 32" },
    { TEXT("10.0.0.0/255.0.0.0"), "not 0 to 32" },
    { TEXT("::/129"), "not 0 to 128" },
    { TEXT("::/1000"), "not 0 to 128" },
    { TEXT("10.0.0.1/8"), "bits behind its prefix" },
    { TEXT("10.0.0.1/31"), "bits behind its prefix" },
    { TEXT("2001:db8::1/64"), "bits behind its prefix" },
    { TEXT("2001:db8:0:1::/63"), "bits behind its prefix" },
    { TEXT("192.0.2.5-192.0.2.3"), "from high to low" },
    { TEXT("192.0.2.5-::1"), "of one family" },
    { TEXT("192.0.2.5-"), "of one family" },
    { TEXT("-192.0.2.5"), "of one family" },
    { TEXT("192.0.2.5-192.0.2.6-192.0.2.7"), "of one family" },
    { TEXT("192.0.2.0/24-192.0.3.0"), "of one family" },
};

START_TEST(what_is_no_network_is_refused)
{
    const char *error = av_networks_add(av_networks_create(pool), tight_copy(refused[_i].text));
    ck_assert_msg(error && strstr(error, refused[_i].part), "%s: %s", refused[_i].text.at, error ? error : "was added");
}
END_TEST

START_TEST(a_line_is_a_list)
{
    av_networks *networks = av_networks_create(pool);
    ck_assert_ptr_null(av_networks_add_line(networks, AV_SLICE("# x")));
    ck_assert_ptr_null(av_networks_add_line(networks, AV_SLICE("")));
    ck_assert_ptr_null(av_networks_add_line(networks, AV_SLICE(" 10.0.0.0/8,10.1.0.0/16\t::1 # x\r")));
    ck_assert_uint_eq(av_networks_added(networks), 3);
    ck_assert_str_eq(av_networks_add_line(networks, AV_SLICE("10.0.0.0/8 x 10.0.0.1")), "\"x\" is not an IP address");
    ck_assert_str_eq(av_networks_add_line(networks, AV_SLICE("10.0.0.0/8\0")),
                     "holds a NUL byte; save the file as plain text");
}
END_TEST

/* It may be a file of something else, and the log is not for that. */
START_TEST(of_a_long_word_only_the_beginning_is_told)
{
    const char *word = apr_psprintf(pool, "%0200d", 7);
    const char *error = av_networks_add(av_networks_create(pool), av_slice_of(word));
    ck_assert_str_eq(error, apr_psprintf(pool, "\"%0128d...\" is not an IP address", 0));
}
END_TEST

START_TEST(a_set_is_not_empty)
{
    av_networks *networks = av_networks_create(pool);
    ck_assert_ptr_null(av_networks_add_line(networks, AV_SLICE("# nothing")));
    ck_assert_ptr_nonnull(av_networks_finish(networks));
}
END_TEST

static const struct {
    const char *networks;
    apr_size_t count;
} joined[] = {
    { "10.0.0.0/8 10.1.0.0/16", 1 },
    { "10.0.0.0/24 10.0.1.0/24", 1 },
    { "10.0.0.0/24 10.0.2.0/24", 2 },
    { "10.0.1.0/24 10.0.0.0/24 10.0.0.0/24", 1 },
    { "::/0 0.0.0.0/0", 3 }, /* IPv4 lies in the middle, and is kept apart */
    { "::/0", 2 },
    { "::/0 ffff::/16", 2 },
    { "0:0:0:1:ffff:ffff:ffff:ffff 0:0:0:2::", 1 },
    { "255.255.255.255 ::1:0:0:0", 2 },
};

/* The words begin with how many ranges there are of either kind. */
static apr_size_t ranges_of(const av_networks *networks)
{
    uint64_t counts[2];
    memcpy(counts, av_networks_words(networks).at, sizeof(counts));
    return counts[0] + counts[1];
}

START_TEST(what_touches_is_joined)
{
    ck_assert_uint_eq(ranges_of(set_of(joined[_i].networks)), joined[_i].count);
}
END_TEST

START_TEST(among_100_000_each_is_found)
{
    av_networks *networks = av_networks_create(pool);
    char text[32];
    for (unsigned i = 0; i < 100000; i++) {
        apr_snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 15, i >> 7 & 255, i << 1 & 255);
        ck_assert_ptr_null(av_networks_add(networks, av_slice_of(text)));
    }
    ck_assert_ptr_null(av_networks_finish(networks));
    ck_assert_uint_eq(ranges_of(networks), 100000);
    for (unsigned i = 0; i < 100000; i++) {
        unsigned char bytes[4] = { 10, (unsigned char)(i >> 15), (unsigned char)(i >> 7), (unsigned char)(i << 1) };
        av_address address = av_address_of_ipv4(bytes);
        ck_assert(av_networks_contain(networks, &address));
        bytes[3] |= 1;
        address = av_address_of_ipv4(bytes);
        ck_assert(!av_networks_contain(networks, &address));
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("network");
    TCase *tests = suite_case(suite, "networks");

    tcase_add_loop_test(tests, an_address_is_inside_or_not, 0, ROWS(rows));
    tcase_add_loop_test(tests, its_words_are_the_set, 0, ROWS(rows));
    tcase_add_loop_test(tests, what_is_no_network_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, words_that_are_no_set_hold_nothing);
    tcase_add_test(tests, a_line_is_a_list);
    tcase_add_test(tests, of_a_long_word_only_the_beginning_is_told);
    tcase_add_test(tests, a_set_is_not_empty);
    tcase_add_loop_test(tests, what_touches_is_joined, 0, ROWS(joined));
    tcase_add_test(tests, among_100_000_each_is_found);
    return suite;
}
