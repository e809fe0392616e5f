/* A list of clients that is read, changed and replaced as a whole.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"
#include "support/trial.h"
#include "tools/clients_edit.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define A "a plain:a-secret-of-some-length\n"
#define B "b plain:b-secret-of-some-length org=x\n"

static const char *content_of(const char *name)
{
    char *text = apr_pcalloc(pool, 4096);
    int file = open(path_of(name), O_RDONLY);

    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(read(file, text, 4095), 0);
    close(file);
    return text;
}

static void make_list(const char *text)
{
    make_file("list", av_slice_of(text), 0640);
}

/* Nothing but the list is in the folder: no successor was left there. */
static void assert_alone(void)
{
    apr_dir_t *entries;
    apr_finfo_t entry;

    ck_assert_int_eq(apr_dir_open(&entries, folder, pool), APR_SUCCESS);
    while (apr_dir_read(&entry, APR_FINFO_NAME, entries) == APR_SUCCESS) {
        ck_assert_msg(entry.name[0] == '.' || strcmp(entry.name, "list") == 0, "%s was left", entry.name);
    }
}

static const char *const texts[] = { "", "\n", "# a comment\n", A, "\n#\n" A "\t\n" B "# end\n" };

START_TEST(what_is_read_is_written_again_to_the_byte)
{
    avt_clients clients;
    const bool has_client = strstr(texts[_i], "plain:") != NULL;

    make_list(texts[_i]);
    ck_assert_ptr_null(avt_clients_edit(&clients, path_of("list"), false, pool));
    if (has_client) {
        ck_assert_ptr_null(avt_clients_save(&clients));
    } else {
        assert_sentence(avt_clients_save(&clients), "httpd would not take");
    }
    ck_assert_str_eq(content_of("list"), texts[_i]);
    assert_alone();
}
END_TEST

START_TEST(owner_and_mode_are_taken_over_and_the_file_is_another)
{
    avt_clients clients;
    struct stat before, after;

    make_list(A);
    ck_assert_int_eq(chmod(path_of("list"), 0440), 0);
    ck_assert_int_eq(stat(path_of("list"), &before), 0);
    ck_assert_ptr_null(avt_clients_edit(&clients, path_of("list"), false, pool));
    ck_assert_ptr_null(avt_clients_save(&clients));
    ck_assert_int_eq(stat(path_of("list"), &after), 0);
    ck_assert_uint_eq(after.st_mode, before.st_mode);
    ck_assert_uint_eq(after.st_uid, before.st_uid);
    ck_assert_uint_ne(after.st_ino, before.st_ino);
}
END_TEST

static const struct {
    const char *text, *said;
} refused[] = {
    { A A, "has the id" },
    { A "b plain:a-secret-of-some-length\n", "secret" },
    { A "b nothing:x\n", "line 2" },
    { A "b\n", "line 2" },
};

START_TEST(what_httpd_would_not_take_is_not_put_in_place)
{
    avt_clients clients;

    make_list(A);
    ck_assert_ptr_null(avt_clients_edit(&clients, path_of("list"), false, pool));
    av_slice rest = av_slice_of(refused[_i].text), line;
    apr_array_clear(clients.lines);
    while (av_slice_split(&rest, '\n', &line) && rest.at) {
        *(av_slice *)apr_array_push(clients.lines) = line;
    }
    const char *sentence = avt_clients_save(&clients);
    assert_sentence(sentence, refused[_i].said);
    ck_assert_ptr_null(strstr(sentence, "a-secret-of"));
    ck_assert_str_eq(content_of("list"), A);
    assert_alone();
}
END_TEST

START_TEST(a_file_that_is_not_whole_or_not_plain_is_not_read)
{
    avt_clients clients;

    make_list(A "b plain:x");
    assert_sentence(avt_clients_read(&clients, path_of("list"), pool), "line feed");
    assert_sentence(avt_clients_read(&clients, folder, pool), "not a plain file");
    assert_sentence(avt_clients_read(&clients, path_of("none"), pool), "cannot be opened");
    assert_sentence(avt_clients_edit(&clients, path_of("none"), false, pool), "cannot be opened");
    ck_assert_int_ne(access(path_of("none"), F_OK), 0);
}
END_TEST

START_TEST(a_list_that_is_made_is_not_for_others)
{
    avt_clients clients;
    struct stat made;

    unlink(path_of("list"));
    ck_assert_ptr_null(avt_clients_edit(&clients, path_of("list"), true, pool));
    ck_assert_int_eq(stat(path_of("list"), &made), 0);
    ck_assert_uint_eq(made.st_mode & 07, 0);
    ck_assert_int_eq(clients.lines->nelts, 0);
}
END_TEST

START_TEST(whoever_edits_has_the_lock_until_the_pool_is_cleared)
{
    avt_clients clients;
    apr_pool_t *own;
    int other;

    make_list(A);
    ck_assert_int_eq(apr_pool_create(&own, pool), APR_SUCCESS);
    ck_assert_ptr_null(avt_clients_edit(&clients, path_of("list"), false, own));
    other = open(path_of("list"), O_RDONLY);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
    ck_assert_int_eq(errno, EWOULDBLOCK);
    apr_pool_destroy(own);
    ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
}
END_TEST

START_TEST(clients_are_counted_and_found_among_comments)
{
    avt_clients clients;
    int index = -2;

    make_list("# a\n" A "\n" B);
    ck_assert_ptr_null(avt_clients_read(&clients, path_of("list"), pool));
    ck_assert_int_eq(avt_clients_count(&clients), 2);
    ck_assert_ptr_null(avt_clients_find(&clients, "b", &index));
    ck_assert_int_eq(index, 3);
    ck_assert_ptr_null(avt_clients_find(&clients, "c", &index));
    ck_assert_int_eq(index, -1);
    make_list(A B "%61 plain:another-secret-of-some-length\n");
    ck_assert_ptr_null(avt_clients_read(&clients, path_of("list"), pool));
    assert_sentence(avt_clients_find(&clients, "a", &index), "twice, in lines 1 and 3");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("clients_edit");
    TCase *tests = suite_case(suite, "clients_edit");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, what_is_read_is_written_again_to_the_byte, 0, ROWS(texts));
    tcase_add_test(tests, owner_and_mode_are_taken_over_and_the_file_is_another);
    tcase_add_loop_test(tests, what_httpd_would_not_take_is_not_put_in_place, 0, ROWS(refused));
    tcase_add_test(tests, a_file_that_is_not_whole_or_not_plain_is_not_read);
    tcase_add_test(tests, a_list_that_is_made_is_not_for_others);
    tcase_add_test(tests, whoever_edits_has_the_lock_until_the_pool_is_cleared);
    tcase_add_test(tests, clients_are_counted_and_found_among_comments);
    return suite;
}
