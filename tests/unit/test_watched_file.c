/* What is true of every watched file, with a kind whose reading the tests can disturb.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/watched_file.h"
#include "support/folder.h"

#include <apr_strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the file is yet to change while it is read, and how often it was read. */
static int disturbances, readings;

static bool is_paced;

/* An entry is a byte. */
static const char *fill(const void *baton, av_slot to, const av_opened_file *from, apr_pool_t *scratch)
{
    char bytes[8];
    ssize_t len = read(from->descriptor, bytes, sizeof(bytes));
    (void)baton;
    (void)scratch;
    readings++;
    is_paced = from->pace != NULL;
    if (disturbances > 0) {
        disturbances--;
        ck_assert_int_eq(chmod(from->path, disturbances % 2 ? 0600 : 0640), 0);
    }
    av_slot_set(to, AV_SLOT_END, AV_SLOT_HEADER);
    av_slot_set(to, AV_SLOT_COUNT, (uint64_t)len);
    return len == 0 ? "is empty" : NULL;
}

static const av_watched_kind kind = { "bytes", false, fill };

static av_watched_file *file;

static const char *open_disturbed(const char *text, int times)
{
    const char *path = path_of("bytes");
    const av_watch watch = { path, geteuid(), av_shared_memory_make(path, pool) };
    make_file("bytes", av_slice_of(text), 0600);
    disturbances = times;
    readings = 0;
    return av_watched_file_open(&watch, &kind, NULL, pool, &file);
}

static void refresh(av_refresh wanted)
{
    const char *message;
    av_refresh found = av_watched_file_refresh(file, &message, pool);
    ck_assert_int_eq(found, wanted);
    ck_assert_int_eq(message != NULL, wanted != AV_REFRESH_UNCHANGED);
}

START_TEST(only_while_requests_are_served_it_is_read_in_turns)
{
    ck_assert_ptr_null(open_disturbed("abc", 0));
    ck_assert(!is_paced);
    make_file("bytes", AV_SLICE("ab"), 0600);
    refresh(AV_REFRESH_LOADED);
    ck_assert(is_paced);
}
END_TEST

START_TEST(it_is_read_once_and_again_when_it_changes)
{
    ck_assert_ptr_null(open_disturbed("abc", 0));
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(readings, 1);
    make_file("bytes", AV_SLICE("ab"), 0600);
    refresh(AV_REFRESH_LOADED);
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(readings, 2);
    ck_assert_uint_eq(av_watched_file_count(file), 2);
}
END_TEST

START_TEST(a_file_that_changes_while_it_is_read_is_read_again_and_nothing_is_said)
{
    ck_assert_ptr_null(open_disturbed("abc", 0));
    make_file("bytes", AV_SLICE("ab"), 0600);
    disturbances = 2;
    refresh(AV_REFRESH_UNCHANGED);
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_uint_eq(av_watched_file_count(file), 3);
    refresh(AV_REFRESH_LOADED);
    ck_assert_uint_eq(av_watched_file_count(file), 2);
}
END_TEST

START_TEST(a_mistake_of_a_file_that_changes_meanwhile_is_none)
{
    ck_assert_ptr_null(open_disturbed("abc", 0));
    make_file("bytes", AV_SLICE(""), 0600);
    disturbances = 1;
    refresh(AV_REFRESH_UNCHANGED);
    refresh(AV_REFRESH_REFUSED);
    ck_assert_uint_eq(av_watched_file_count(file), 3);
}
END_TEST

START_TEST(opening_waits_until_the_file_is_settled)
{
    ck_assert_ptr_null(open_disturbed("abc", 3));
    ck_assert_int_eq(readings, 4);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

START_TEST(opening_does_not_wait_for_ever)
{
    const char *error = open_disturbed("abc", 1000);
    ck_assert_str_eq(error, apr_pstrcat(pool, path_of("bytes"), " changed while it was read", NULL));
    ck_assert_ptr_null(file);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("watched_file");
    TCase *tests = suite_case(suite, "files");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, only_while_requests_are_served_it_is_read_in_turns);
    tcase_add_test(tests, it_is_read_once_and_again_when_it_changes);
    tcase_add_test(tests, a_file_that_changes_while_it_is_read_is_read_again_and_nothing_is_said);
    tcase_add_test(tests, a_mistake_of_a_file_that_changes_meanwhile_is_none);
    tcase_add_test(tests, opening_waits_until_the_file_is_settled);
    tcase_add_test(tests, opening_does_not_wait_for_ever);
    return suite;
}
