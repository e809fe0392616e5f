/* Files of networks: what is in them, what is refused, and that readers in other processes see one set or the next.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/networks_file.h"
#include "support/folder.h"

#include <apr_strings.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static av_networks_file *file;

static const char *open_in(av_shared_memory memory, const char *name, uid_t runner)
{
    const av_watch watch = { path_of(name), runner, memory };
    return av_networks_file_open(&watch, pool, &file);
}

static const char *open_file(const char *name)
{
    return open_in(av_shared_memory_make(path_of(name), pool), name, geteuid());
}

static void write_file(const char *text)
{
    make_file("networks", av_slice_of(text), 0644);
}

static void load(const char *text)
{
    write_file(text);
    const char *error = open_file("networks");
    ck_assert_msg(!error && file, "%s", error);
}

static av_reason check_number(unsigned number)
{
    const unsigned char bytes[4] = { 10, (unsigned char)(number >> 16), (unsigned char)(number >> 8),
                                     (unsigned char)number };
    const av_address address = av_address_of_ipv4(bytes);
    const av_network_source *source = av_networks_file_source(file);
    return source->check(source, &address);
}

/* Refreshes, and wants that to end so. Returns the message. */
static const char *refresh(av_refresh wanted)
{
    const char *message;
    av_refresh found = av_watched_file_refresh(av_networks_file_watched(file), &message, pool);
    ck_assert_msg(found == wanted, "found %d, wanted %d: %s", found, wanted, message ? message : "");
    return message;
}

START_TEST(an_address_is_in_the_file_or_not)
{
    const av_address six = { { [0] = 0x20, [15] = 1 } };
    load("# two lines\n10.0.0.1, 10.0.1.0/24\t10.0.1.7\n\n2000::1 # and IPv6\r\n");
    const av_network_source *source = av_networks_file_source(file);
    ck_assert_int_eq(check_number(0x000001), AV_ACCEPTED);
    ck_assert_int_eq(check_number(0x0001ff), AV_ACCEPTED);
    ck_assert_int_eq(check_number(0x000002), AV_NETWORK_REFUSED);
    ck_assert_int_eq(check_number(0x000200), AV_NETWORK_REFUSED);
    ck_assert_int_eq(source->check(source, &six), AV_ACCEPTED);
    ck_assert_uint_eq(av_watched_file_count(av_networks_file_watched(file)), 4);
}
END_TEST

START_TEST(among_100_000_each_is_found)
{
    char *text = apr_palloc(pool, 100000 * 16), *end = text;
    for (unsigned i = 0; i < 200000; i += 2) {
        end += apr_snprintf(end, 16, "10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
    }
    load(text);
    for (unsigned i = 0; i < 200000; i++) {
        ck_assert_int_eq(check_number(i), i % 2 ? AV_NETWORK_REFUSED : AV_ACCEPTED);
    }
}
END_TEST

static const struct {
    av_slice text;
    const char *sentence; /* behind the path */
} refused[] = {
    { TEXT(""), " names no network" },
    { TEXT("\n# 10.0.0.0/8\n"), " names no network" },
    { TEXT("10.0.0.0/8"), ": line 1: does not end in a line feed; the file may be half-written" },
    { TEXT("10.0.0.0/8\n10.0.0.0/2"), ": line 2: does not end in a line feed; the file may be half-written" },
    { TEXT("\xef\xbb\xbf"
           "10.0.0.0/8\n"),
      ": line 1: begins with a byte-order mark; save the file as UTF-8 without one" },
    { TEXT("10.0.0.0/8\n1\0"
           "0.0.0.1\n"),
      ": line 2: holds a NUL byte; save the file as plain text" },
    { TEXT("# x\n10.0.0.0/8\n10.0.0.0/8 x\n"), ": line 3: \"x\" is not an IP address" },
    { TEXT("10.0.0.1/8\n"),
      ": line 1: \"10.0.0.1/8\" has bits behind its prefix; write the network's first address, or "
      "one address without a prefix" },
};

START_TEST(a_file_that_cannot_be_right_is_refused)
{
    make_file("networks", refused[_i].text, 0644);
    const char *error = open_file("networks");
    ck_assert_ptr_null(file);
    ck_assert_str_eq(error, apr_pstrcat(pool, path_of("networks"), refused[_i].sentence, NULL));
}
END_TEST

START_TEST(a_line_of_more_than_64_kib_is_refused_and_the_next_one_read)
{
    char *text = apr_palloc(pool, (1 << 20) + 32);
    memset(text, ' ', 1 << 20);
    memcpy(text + (1 << 20), "\nx\n10.0.0.1\n", 13);
    write_file(text);
    ck_assert_str_eq(open_file("networks"),
                     apr_psprintf(pool, "%s: line 1: is longer than 64 KiB\n%s: line 2: \"x\" is not an IP address",
                                  path_of("networks"), path_of("networks")));
}
END_TEST

START_TEST(everybody_may_read_it_and_only_its_owner_write)
{
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0644);
    ck_assert_ptr_null(open_file("networks"));
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0600);
    ck_assert_ptr_null(open_file("networks"));
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0664);
    ck_assert_ptr_nonnull(strstr(open_file("networks"), "chmod go-w"));
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0646);
    ck_assert_ptr_nonnull(strstr(open_file("networks"), "chmod go-w"));
}
END_TEST

START_TEST(it_belongs_to_root_or_to_the_runner)
{
    if (geteuid() != 0) {
        return; /* nobody else can give a file away */
    }
    av_shared_memory memory = av_shared_memory_make(path_of("networks"), pool);
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0600);
    ck_assert_ptr_nonnull(strstr(open_in(memory, "networks", NOBODY), "chmod g+r"));
    make_file("networks", AV_SLICE("10.0.0.1\n"), 0644);
    ck_assert_int_eq(chown(path_of("networks"), NOBODY, 0), 0);
    ck_assert_ptr_nonnull(strstr(open_in(memory, "networks", 0), "chown root"));
    ck_assert_ptr_null(open_in(memory, "networks", NOBODY));
}
END_TEST

START_TEST(what_is_no_plain_file_is_refused)
{
    ck_assert_ptr_nonnull(strstr(open_file("missing"), "does not exist"));
    ck_assert_int_eq(mkdir(path_of("sub"), 0700), 0);
    ck_assert_ptr_nonnull(strstr(open_file("sub"), "is a folder"));
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    ck_assert_ptr_nonnull(strstr(open_file("pipe"), "device, pipe or socket"));
    ck_assert_int_eq(symlink("missing", path_of("link")), 0);
    ck_assert_ptr_nonnull(strstr(open_file("link"), "does not exist"));
}
END_TEST

START_TEST(a_change_comes_into_force_once)
{
    load("10.0.0.1\n");
    ck_assert_ptr_null(refresh(AV_REFRESH_UNCHANGED));
    write_file("10.0.0.2\n10.0.0.3\n");
    ck_assert_str_eq(refresh(AV_REFRESH_LOADED),
                     apr_pstrcat(pool, path_of("networks"), ": 2 networks are in force", NULL));
    ck_assert_int_eq(check_number(1), AV_NETWORK_REFUSED);
    ck_assert_int_eq(check_number(2), AV_ACCEPTED);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

START_TEST(a_bad_file_leaves_the_old_set_in_force_and_is_told_once)
{
    load("10.0.0.1\n");
    write_file("10.0.0.2\n10.0.0.0/2");
    ck_assert_ptr_nonnull(strstr(refresh(AV_REFRESH_REFUSED), "line 2: does not end in a line feed"));
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(check_number(1), AV_ACCEPTED);
    ck_assert_int_eq(check_number(2), AV_NETWORK_REFUSED);
    write_file("10.0.0.2\n");
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(check_number(2), AV_ACCEPTED);
}
END_TEST

START_TEST(a_mistake_that_was_noted_is_not_told)
{
    load("10.0.0.1\n");
    write_file("x\n");
    av_watched_file_note(av_networks_file_watched(file),
                         apr_pstrcat(pool, path_of("networks"), ": line 1: \"x\" is not an IP address", NULL));
    refresh(AV_REFRESH_UNCHANGED);
    write_file("y\n");
    refresh(AV_REFRESH_REFUSED);
}
END_TEST

/* As over a restart, after which the code may lie elsewhere. */
START_TEST(a_set_that_the_memory_holds_stays_in_force)
{
    av_shared_memory memory = av_shared_memory_make(path_of("networks"), pool);
    write_file("x\n");
    ck_assert_ptr_nonnull(open_in(memory, "networks", geteuid()));
    write_file("10.0.0.1\n");
    ck_assert_ptr_null(open_in(memory, "networks", geteuid()));
    write_file("x\n");
    ck_assert_ptr_null(open_in(memory, "networks", geteuid()));
    ck_assert_int_eq(check_number(1), AV_ACCEPTED);
    refresh(AV_REFRESH_REFUSED);
    write_file("10.0.0.2\n");
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(check_number(1), AV_NETWORK_REFUSED);
}
END_TEST

START_TEST(without_memory_nothing_is_opened)
{
    write_file("10.0.0.1\n");
    ck_assert_ptr_nonnull(strstr(open_in((av_shared_memory){ NULL, 0 }, "networks", geteuid()), "no memory"));
}
END_TEST

/* Only another user can be kept out. */
START_TEST(what_keeps_a_user_away_is_named)
{
    int status;
    load("10.0.0.1\n");
    ck_assert_ptr_null(av_watched_file_reach(av_networks_file_watched(file), pool));
    if (geteuid() != 0) {
        return; /* nobody else can become another user */
    }
    ck_assert_int_eq(chmod(folder, 0700), 0);
    pid_t child = fork();
    if (child == 0) {
        const char *sentence =
            setuid(NOBODY) == 0 ? av_watched_file_reach(av_networks_file_watched(file), pool) : "setuid failed";
        _exit(!sentence || !strstr(sentence, apr_psprintf(pool, "who may not enter %s;", folder)));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* Readers in processes of their own. */

#define READERS 3
#define SWAPS 200

/* Every set has the addresses 0 to 99; the even sets 1000 to 1999 one by one besides, the odd ones 3000 to 3999 in
 * three ranges. Nobody is ever at 2500. */
static const char *set_text(int number)
{
    const char *text = "10.0.0.0-10.0.0.99\n";
    if (number % 2) {
        return apr_pstrcat(pool, text, "10.0.11.184-10.0.12.0\n10.0.12.1-10.0.14.255\n10.0.15.0-10.0.15.159\n", NULL);
    }
    char *all = apr_palloc(pool, 1000 * 16 + 64), *end = apr_cpystrn(all, text, 64);
    for (unsigned i = 1000; i < 2000; i++) {
        end += apr_snprintf(end, 16, "10.0.%u.%u\n", i >> 8, i & 255);
    }
    return all;
}

typedef struct tally {
    _Atomic int is_over, seen_even, seen_odd;
    _Atomic long right, wrong, unavailable;
} tally;

static void count(tally *seen, bool is_right, av_reason reason)
{
    seen->right += is_right;
    seen->unavailable += reason == AV_STORE_UNAVAILABLE;
    seen->wrong += !is_right && reason != AV_STORE_UNAVAILABLE;
}

static _Noreturn void read_until_over(tally *seen)
{
    for (unsigned i = 0; !seen->is_over; i = (i + 1) % 1000) {
        av_reason inside = check_number(i % 100), even = check_number(1000 + i), odd = check_number(3000 + i),
                  outside = check_number(2500);
        count(seen, inside == AV_ACCEPTED, inside);
        count(seen, outside == AV_NETWORK_REFUSED, outside);
        count(seen, even == AV_ACCEPTED || even == AV_NETWORK_REFUSED, even);
        count(seen, odd == AV_ACCEPTED || odd == AV_NETWORK_REFUSED, odd);
        seen->seen_even |= even == AV_ACCEPTED;
        seen->seen_odd |= odd == AV_ACCEPTED;
    }
    _exit(0);
}

static void swap(int number)
{
    make_file("next", av_slice_of(set_text(number)), 0644);
    ck_assert_int_eq(rename(path_of("next"), path_of("networks")), 0);
    refresh(AV_REFRESH_LOADED);
}

START_TEST(readers_see_one_set_or_the_next)
{
    tally *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t readers[READERS];
    int status;
    ck_assert_ptr_ne(seen, MAP_FAILED);
    load(set_text(0));
    for (int i = 0; i < READERS; i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            read_until_over(seen);
        }
    }
    for (int i = 1; i <= SWAPS; i++) {
        swap(i);
    }
    seen->is_over = 1;
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(seen->wrong, 0);
    ck_assert_int_gt(seen->right, 1000);
    ck_assert(seen->seen_even && seen->seen_odd);
    ck_assert_int_lt(seen->unavailable, seen->right / 100);
    munmap(seen, sizeof(*seen));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("networks_file");
    TCase *tests = suite_case(suite, "files");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, an_address_is_in_the_file_or_not);
    tcase_add_test(tests, among_100_000_each_is_found);
    tcase_add_loop_test(tests, a_file_that_cannot_be_right_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, a_line_of_more_than_64_kib_is_refused_and_the_next_one_read);
    tcase_add_test(tests, everybody_may_read_it_and_only_its_owner_write);
    tcase_add_test(tests, it_belongs_to_root_or_to_the_runner);
    tcase_add_test(tests, what_is_no_plain_file_is_refused);
    tcase_add_test(tests, a_change_comes_into_force_once);
    tcase_add_test(tests, a_bad_file_leaves_the_old_set_in_force_and_is_told_once);
    tcase_add_test(tests, a_mistake_that_was_noted_is_not_told);
    tcase_add_test(tests, a_set_that_the_memory_holds_stays_in_force);
    tcase_add_test(tests, without_memory_nothing_is_opened);
    tcase_add_test(tests, what_keeps_a_user_away_is_named);
    tcase_add_test(tests, readers_see_one_set_or_the_next);
    return suite;
}
