/* Pairs that are issued: in force at once in every process, and on the disk whole or not at all.
 * SPDX-License-Identifier: Apache-2.0 */
#include "issue/pair.h"
#include "stores/clients_file.h"
#include "stores/issued_file.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW apr_time_from_sec(1767312000) /* 2026-01-02 */
#define MARK "#!issued\n"

static av_clients_file *file;
static const av_pair_store *store;

static void open_list(const char *text)
{
    const av_crypto *crypto = av_crypto_create(pool);
    const char *path = path_of("issued");
    const av_watch watch = { path, geteuid(), av_shared_memory_make(path, pool) };
    make_file("issued", av_slice_of(text), 0600);
    const char *error = av_clients_file_open(&watch, crypto, pool, &file);
    ck_assert_msg(!error, "%s", error);
    store = av_issued_file_store(av_clients_file_watched(file), crypto, pool);
}

static const char *content(void)
{
    struct stat found;
    int descriptor = open(path_of("issued"), O_RDONLY);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(fstat(descriptor, &found), 0);
    char *text = apr_pcalloc(pool, (apr_size_t)found.st_size + 1);
    ck_assert_int_eq(read(descriptor, text, (size_t)found.st_size), found.st_size);
    close(descriptor);
    return text;
}

static av_issued_pair pair_for(const char *application, const char *user)
{
    return (av_issued_pair){ .token = av_pair_token(pool),
                             .secret = av_pair_secret(pool),
                             .application = av_slice_of(application),
                             .user = av_slice_of(user),
                             .expires = NOW + apr_time_from_sec(3600) };
}

static av_reason keep(const av_issued_pair *pair, apr_size_t most, const char **why)
{
    return store->keep(store, pair, most, NOW, why, pool);
}

static void keep_well(const av_issued_pair *pair)
{
    const char *why;
    av_reason reason = keep(pair, 100000, &why);
    assert_reason(reason, AV_ACCEPTED, why ? why : "");
    ck_assert_msg(!why, "%s", why);
}

static av_reason find(av_slice token, av_client_record *record)
{
    const av_client_source *source = av_clients_file_source(file);
    return source->find_by_id(source, token, record, pool);
}

static void refresh(av_refresh wanted)
{
    const char *message;
    ck_assert_int_eq(av_watched_file_refresh(av_clients_file_watched(file), &message, pool), wanted);
}

START_TEST(a_pair_is_in_force_at_once_and_a_line_of_the_file)
{
    av_client_record record;
    bool failed;

    open_list(MARK);
    av_issued_pair pair = pair_for("app", "j d%");
    pair.scopes = AV_SLICE("a,b");
    pair.org = AV_SLICE("o");
    pair.environment = AV_SLICE("e");
    keep_well(&pair);
    ck_assert_int_eq(find(pair.token, &record), AV_ACCEPTED);
    assert_slice(record.application, AV_SLICE("app"), "application");
    assert_slice(record.user, AV_SLICE("j d%"), "user");
    assert_slice(record.scopes, AV_SLICE("a,b"), "scopes");
    assert_slice(record.org, AV_SLICE("o"), "org");
    assert_slice(record.environment, AV_SLICE("e"), "environment");
    assert_slice(record.schemes, AV_SLICE("token-pair"), "schemes");
    ck_assert_int_eq(record.expires, pair.expires);
    const av_presented presented = { .secret = pair.secret };
    ck_assert_ptr_nonnull(av_client_match(&record, av_crypto_create(pool), NULL, &presented, NOW, &failed));
    assert_sentence(content(), apr_pstrcat(pool, MARK, pair.token.at, " sha256:", NULL));
    assert_sentence(content(), " schemes=token-pair application=app user=j%20d%25 scopes=a,b org=o environment=e "
                               "expires=2026-01-02T01:00:00Z\n");
    ck_assert_ptr_null(strstr(content(), pair.secret.at));
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

START_TEST(what_is_kept_is_what_a_reading_of_the_file_gives)
{
    av_client_record record;

    open_list(MARK);
    av_issued_pair pair = pair_for("app", "jane");
    keep_well(&pair);
    open_list(content());
    ck_assert_int_eq(find(pair.token, &record), AV_ACCEPTED);
    ck_assert_int_eq(find(AV_SLICE("other"), &record), AV_UNKNOWN_CLIENT);
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), 1);
}
END_TEST

START_TEST(a_user_has_so_many_of_one_application)
{
    const char *why;

    open_list(MARK
              "old sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0= application=app user=jane expires=2026-01-02\n");
    av_issued_pair one = pair_for("app", "jane"), two = pair_for("app", "jane"), three = pair_for("app", "jane");
    ck_assert_int_eq(keep(&one, 2, &why), AV_ACCEPTED);
    ck_assert_int_eq(keep(&two, 2, &why), AV_ACCEPTED);
    const char *before = content();
    ck_assert_int_eq(keep(&three, 2, &why), AV_TOO_MANY_PAIRS);
    note_reason(AV_TOO_MANY_PAIRS);
    ck_assert_ptr_null(why);
    ck_assert_str_eq(content(), before);
    ck_assert_int_eq(keep(&three, 3, &why), AV_ACCEPTED);
    av_issued_pair other_user = pair_for("app", "joe"), other_application = pair_for("apple", "jane"),
                   no_join = pair_for("appj", "ane");
    ck_assert_int_eq(keep(&other_user, 1, &why), AV_ACCEPTED);
    ck_assert_int_eq(keep(&other_application, 1, &why), AV_ACCEPTED);
    ck_assert_int_eq(keep(&no_join, 1, &why), AV_ACCEPTED);
    open_list(content());
    av_issued_pair four = pair_for("app", "jane");
    ck_assert_int_eq(keep(&four, 3, &why), AV_TOO_MANY_PAIRS);
}
END_TEST

#define MANY 600

START_TEST(among_many_each_is_found_and_what_has_expired_goes)
{
    av_client_record record;
    av_slice tokens[MANY];

    open_list(MARK
              "# a comment\n\n"
              "old sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0= application=app user=jane expires=2026-01-02\n"
              "hand plain:made-by-hand user=jane\n");
    for (int i = 0; i < MANY; i++) {
        av_issued_pair pair = pair_for("app", i % 2 ? "jane" : "joe");
        keep_well(&pair);
        tokens[i] = pair.token;
        for (int j = i; j >= 0; j -= 37) {
            ck_assert_int_eq(find(tokens[j], &record), AV_ACCEPTED);
        }
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(find(tokens[i], &record), AV_ACCEPTED);
        assert_slice(record.user, i % 2 ? AV_SLICE("jane") : AV_SLICE("joe"), "user");
        assert_sentence(content(), tokens[i].at);
    }
    ck_assert_int_eq(find(AV_SLICE("old"), &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find(AV_SLICE("hand"), &record), AV_ACCEPTED);
    ck_assert(av_slice_starts_with(av_slice_of(content()),
                                   AV_SLICE(MARK "# a comment\n\nhand plain:made-by-hand user=jane\n")));
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), MANY + 1);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

/* A line goes over the size that the process may write: a part of it is written, as on a disk that fills up. */
START_TEST(a_full_disk_leaves_no_half_line)
{
    const char *why;
    av_client_record record;
    struct rlimit limit, before;

    open_list(MARK);
    av_issued_pair first = pair_for("app", "jane"), second = pair_for("app", "jane");
    keep_well(&first);
    const char *text = content();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = strlen(text) + 20;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(keep(&second, 9, &why), AV_STORE_UNAVAILABLE);
    assert_sentence(why, "is as it was: nothing can be added: File too large");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_str_eq(content(), text);
    ck_assert_int_eq(find(second.token, &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find(first.token, &record), AV_ACCEPTED);
    refresh(AV_REFRESH_LOADED); /* it has changed, and back */
    keep_well(&second);
}
END_TEST

START_TEST(half_a_line_is_cut_off_and_no_more)
{
    av_client_record record;

    open_list(MARK);
    av_issued_pair first = pair_for("app", "jane"), second = pair_for("app", "jane");
    keep_well(&first);
    const char *text = content();
    make_file("issued", av_slice_of(apr_pstrcat(pool, text, "half-a-line sha256:ungWv48Bz", NULL)), 0600);
    keep_well(&second);
    ck_assert(
        av_slice_starts_with(av_slice_of(content()), av_slice_of(apr_pstrcat(pool, text, second.token.at, NULL))));
    ck_assert_int_eq(find(first.token, &record), AV_ACCEPTED);
    ck_assert_int_eq(find(second.token, &record), AV_ACCEPTED);
    text = content();
    make_file("issued", av_slice_of(apr_pstrcat(pool, text, "half", NULL)), 0600);
    ck_assert_ptr_null(av_issued_file_check(path_of("issued"), geteuid(), pool));
    ck_assert_str_eq(content(), text);
}
END_TEST

START_TEST(a_list_that_is_not_right_is_not_added_to)
{
    const char *why;
    av_client_record record;

    open_list(MARK);
    av_issued_pair first = pair_for("app", "jane"), second = pair_for("app", "jane");
    keep_well(&first);
    const char *good = content(), *bad = apr_pstrcat(pool, good, "nonsense\n", NULL);
    make_file("issued", av_slice_of(bad), 0600);
    ck_assert_int_eq(keep(&second, 9, &why), AV_STORE_UNAVAILABLE);
    assert_sentence(why, "line 3: has no secret");
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(keep(&second, 9, &why), AV_STORE_UNAVAILABLE);
    ck_assert_str_eq(content(), bad);
    ck_assert_int_eq(find(first.token, &record), AV_ACCEPTED);
    make_file("issued", av_slice_of(good), 0600);
    keep_well(&second);
}
END_TEST

START_TEST(a_change_by_others_is_in_force_before_it_is_added_to)
{
    av_client_record record;

    open_list(MARK);
    make_file("issued", AV_SLICE(MARK "hand plain:made-by-hand\n"), 0600);
    av_issued_pair pair = pair_for("app", "jane");
    keep_well(&pair);
    ck_assert_int_eq(find(AV_SLICE("hand"), &record), AV_ACCEPTED);
    ck_assert_int_eq(find(pair.token, &record), AV_ACCEPTED);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

/* --- several processes ------------------------------------------------------------------------------------------------ */

#define READERS 2
#define TOKEN_SIZE 36

typedef struct board {
    _Atomic int published, is_over;
    _Atomic long seen, missed;
    char tokens[MANY][TOKEN_SIZE];
} board;

/* The last one that was published, and one of before. */
static _Noreturn void look_until_over(board *shared)
{
    const av_client_source *source = av_clients_file_source(file);
    apr_pool_t *scratch;
    apr_pool_create(&scratch, NULL);
    for (unsigned i = 0; !shared->is_over; i++) {
        int published = shared->published;
        int which = published && i % 2 ? (int)(i % (unsigned)published) : published - 1;
        av_client_record record;
        if (which >= 0) {
            av_slice token = { shared->tokens[which], TOKEN_SIZE };
            bool is_seen = source->find_by_id(source, token, &record, scratch) == AV_ACCEPTED &&
                           av_slice_equal(av_slice_of(record.id), token) && record.user.len && record.application.len;
            shared->seen += is_seen;
            shared->missed += !is_seen;
        }
        apr_pool_clear(scratch);
    }
    _exit(0);
}

START_TEST(other_processes_see_each_pair_whole_and_at_once)
{
    board *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t readers[READERS];
    int status;

    ck_assert_ptr_ne(shared, MAP_FAILED);
    open_list(MARK);
    for (int i = 0; i < READERS; i++) {
        readers[i] = fork();
        if (readers[i] == 0) {
            look_until_over(shared);
        }
    }
    for (int i = 0; i < MANY; i++) {
        av_issued_pair pair = pair_for("app", "jane");
        keep_well(&pair);
        memcpy(shared->tokens[i], pair.token.at, TOKEN_SIZE);
        shared->published = i + 1;
    }
    shared->is_over = 1;
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_gt(shared->seen, 100);
    ck_assert_int_eq(shared->missed, 0);
    munmap(shared, sizeof(*shared));
}
END_TEST

START_TEST(who_is_killed_while_he_holds_it_keeps_nobody_from_it)
{
    const av_watched_file *watched;
    int status;

    open_list(MARK);
    watched = av_clients_file_watched(file);
    pid_t holder = fork();
    if (holder == 0) {
        _exit(!av_watched_file_hold(watched, apr_time_now() + apr_time_from_sec(1)));
    }
    ck_assert_int_eq(waitpid(holder, &status, 0), holder);
    ck_assert_int_eq(status, 0);
    av_issued_pair pair = pair_for("app", "jane");
    keep_well(&pair);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

START_TEST(who_holds_it_is_waited_for_so_long_and_no_longer)
{
    const av_watched_file *watched;
    int told[2], status;
    char byte = 0;

    open_list(MARK);
    watched = av_clients_file_watched(file);
    ck_assert_int_eq(pipe(told), 0);
    pid_t holder = fork();
    if (holder == 0) {
        bool done = av_watched_file_hold(watched, apr_time_now() + apr_time_from_sec(1)) && write(told[1], "h", 1) == 1;
        pause();
        _exit(!done);
    }
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    refresh(AV_REFRESH_UNCHANGED);
    apr_time_t begun = apr_time_now();
    ck_assert(!av_watched_file_hold(watched, begun + apr_time_from_msec(100)));
    ck_assert_int_ge(apr_time_now() - begun, apr_time_from_msec(100));
    kill(holder, SIGKILL);
    waitpid(holder, &status, 0);
    ck_assert(av_watched_file_hold(watched, apr_time_now() + apr_time_from_sec(1)));
    av_watched_file_release(watched);
}
END_TEST

/* --- at start --------------------------------------------------------------------------------------------------------- */

START_TEST(what_the_runner_can_write_is_taken)
{
    make_file("issued", AV_SLICE(MARK), 0600);
    ck_assert_ptr_null(av_issued_file_check(path_of("issued"), geteuid(), pool));
    make_file("issued", AV_SLICE("#!issued: by the log-in page\na plain:b\n"), 0640);
    ck_assert_ptr_null(av_issued_file_check(path_of("issued"), geteuid(), pool));
    ck_assert_ptr_null(av_issued_file_reach(path_of("issued"), pool));
    assert_sentence(av_issued_file_reach("/nowhere/issued", pool), "/nowhere may not be written by the user");
}
END_TEST

START_TEST(what_he_cannot_is_a_sentence)
{
    const char *path = path_of("issued");

    unlink(path);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "does not exist; run: echo '#!issued' | install");
    make_file("other", AV_SLICE(MARK), 0600);
    ck_assert_int_eq(symlink("other", path), 0);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "is a symbolic link");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "is not a plain file");
    rmdir(path);
    make_file("issued", AV_SLICE(MARK), 0600);
    assert_sentence(av_issued_file_check(path, geteuid() + 1, pool), "; run: chown ");
    make_file("issued", AV_SLICE("#!issue\na plain:b\n"), 0600);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "does not begin with #!issued");
    make_file("issued", AV_SLICE(""), 0600);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "does not begin with #!issued");
    make_file("issued", AV_SLICE("#!issued without an end"), 0600);
    assert_sentence(av_issued_file_check(path, geteuid(), pool), "does not end in a line feed");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("issued_file");
    TCase *tests = suite_case(suite, "pairs");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_pair_is_in_force_at_once_and_a_line_of_the_file);
    tcase_add_test(tests, what_is_kept_is_what_a_reading_of_the_file_gives);
    tcase_add_test(tests, a_user_has_so_many_of_one_application);
    tcase_add_test(tests, among_many_each_is_found_and_what_has_expired_goes);
    tcase_add_test(tests, a_full_disk_leaves_no_half_line);
    tcase_add_test(tests, half_a_line_is_cut_off_and_no_more);
    tcase_add_test(tests, a_list_that_is_not_right_is_not_added_to);
    tcase_add_test(tests, a_change_by_others_is_in_force_before_it_is_added_to);
    tcase_add_test(tests, other_processes_see_each_pair_whole_and_at_once);
    tcase_add_test(tests, who_is_killed_while_he_holds_it_keeps_nobody_from_it);
    tcase_add_test(tests, who_holds_it_is_waited_for_so_long_and_no_longer);
    tcase_add_test(tests, what_the_runner_can_write_is_taken);
    tcase_add_test(tests, what_he_cannot_is_a_sentence);
    return suite;
}
