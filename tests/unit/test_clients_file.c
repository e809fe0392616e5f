/* Files of clients: what is loaded and found, what is refused, and that readers in other processes see one set or the
 * next and never something else.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/digest.h"
#include "core/timestamp.h"
#include "stores/clients_file.h"
#include "support/folder.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BCRYPT_05 "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"
#define BCRYPT_12 "$2y$12$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"
#define NOBODY 65534

static av_clients_file *file;

static const char *open_as(const char *name, uid_t runner)
{
    const av_crypto *crypto = av_crypto_create(pool);
    const char *path = path_of(name);
    const av_watch watch = { path, runner, av_shared_memory_make(path, pool) };
    ck_assert_ptr_nonnull(crypto);
    return av_clients_file_open(&watch, crypto, pool, &file);
}

static const char *open_file(const char *name)
{
    return open_as(name, geteuid());
}

static void write_file(const char *text)
{
    make_file("clients", av_slice_of(text), 0600);
}

static void load(const char *text)
{
    write_file(text);
    const char *error = open_file("clients");
    ck_assert_msg(!error && file, "%s", error);
}

static av_reason find(const char *id, av_client_record *record)
{
    const av_client_source *source = av_clients_file_source(file);
    return source->find_by_id(source, av_slice_of(id), record, pool);
}

static av_reason find_secret(const char *secret, av_client_record *record)
{
    const av_client_source *source = av_clients_file_source(file);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;
    ck_assert(av_digest(av_crypto_create(pool)->sha256, av_slice_of(secret), digest, &size));
    return source->find_by_digest(source, digest, record, pool);
}

/* Refreshes, and wants that to end so. Returns the message. */
static const char *refresh(av_refresh wanted)
{
    const char *message;
    av_refresh found = av_watched_file_refresh(av_clients_file_watched(file), &message, pool);
    ck_assert_msg(found == wanted, "found %d, wanted %d: %s", found, wanted, message ? message : "");
    ck_assert_int_eq(found == AV_REFRESH_REFUSED, message && found != AV_REFRESH_LOADED);
    return message;
}

START_TEST(a_client_is_found_with_all_that_its_line_says)
{
    av_client_record record;
    const unsigned char inside[4] = { 192, 0, 2, 200 }, outside[4] = { 192, 0, 3, 0 };
    av_address near = av_address_of_ipv4(inside), far = av_address_of_ipv4(outside), loopback = { { [15] = 1 } };
    load("# the first\n\n"
         "a new:sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=;expires=2027-01-01 plain:x;not-before=2026-01-01 "
         "methods=GET paths=/a/* from=192.0.2.0/24,::1 schemes=basic scopes=s org=o environment=e application=p user=u "
         "not-before=2025-01-01 expires=2028-01-01\n"
         "b plain:y\n");
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), 2);
    ck_assert_int_eq(find("a", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.id, "a");
    ck_assert_uint_eq(record.secret_count, 2);
    ck_assert_int_eq(record.secrets[0].kind, AV_SECRET_SHA256);
    ck_assert_str_eq(record.secrets[0].label, "new");
    assert_slice(record.secrets[0].value, from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                 "a");
    ck_assert_int_eq(record.secrets[0].expires, apr_time_from_sec(1798761600));
    ck_assert_int_eq(record.secrets[0].not_before, 0);
    ck_assert_int_eq(record.secrets[1].kind, AV_SECRET_PLAIN);
    ck_assert_str_eq(record.secrets[1].label, "");
    ck_assert_str_eq(record.secrets[1].value.at, "x");
    ck_assert_int_eq(record.secrets[1].not_before, apr_time_from_sec(1767225600));
    ck_assert_str_eq(record.limits.methods.at, "GET");
    ck_assert_str_eq(record.limits.paths.at, "/a/*");
    ck_assert_str_eq(record.schemes.at, "basic");
    ck_assert_str_eq(record.scopes.at, "s");
    ck_assert_str_eq(record.org.at, "o");
    ck_assert_str_eq(record.environment.at, "e");
    ck_assert_str_eq(record.application.at, "p");
    ck_assert_str_eq(record.user.at, "u");
    ck_assert_int_eq(record.not_before, apr_time_from_sec(1735689600));
    ck_assert_int_eq(record.expires, apr_time_from_sec(1830297600));
    ck_assert(av_networks_contain(record.limits.from, &near));
    ck_assert(av_networks_contain(record.limits.from, &loopback));
    ck_assert(!av_networks_contain(record.limits.from, &far));
    ck_assert_int_eq(find("b", &record), AV_ACCEPTED);
    ck_assert_ptr_null(record.limits.from);
    ck_assert_uint_eq(record.org.len + record.limits.methods.len, 0);
}
END_TEST

START_TEST(an_id_is_found_as_it_is_and_no_other)
{
    av_client_record record;
    load("alice plain:x\nAlice plain:y\na%20b plain:z\n");
    ck_assert_int_eq(find("alice", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.secrets[0].value.at, "x");
    ck_assert_int_eq(find("Alice", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.secrets[0].value.at, "y");
    ck_assert_int_eq(find("a b", &record), AV_ACCEPTED);
    ck_assert_int_eq(find("a%20b", &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find("alic", &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find("alicee", &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find("", &record), AV_UNKNOWN_CLIENT);
}
END_TEST

START_TEST(a_client_is_found_by_each_of_its_secrets_but_passwords)
{
    av_client_record record;
    load("a sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0= plain:second bcrypt:" BCRYPT_05 "\nb plain:third\n");
    ck_assert_int_eq(find_secret("abc", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.id, "a");
    ck_assert_int_eq(find_secret("second", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.id, "a");
    ck_assert_int_eq(find_secret("third", &record), AV_ACCEPTED);
    ck_assert_str_eq(record.id, "b");
    ck_assert_int_eq(find_secret("abd", &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find_secret(BCRYPT_05, &record), AV_UNKNOWN_CLIENT);
}
END_TEST

START_TEST(among_many_each_is_found)
{
    av_client_record record;
    char *text = apr_palloc(pool, 5000 * 40), *end = text;
    for (int i = 0; i < 5000; i++) {
        end += apr_snprintf(end, 40, "client-%d plain:secret-%d\n", i, i);
    }
    load(text);
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), 5000);
    for (int i = 0; i < 5000; i++) {
        const char *id = apr_psprintf(pool, "client-%d", i), *secret = apr_psprintf(pool, "secret-%d", i);
        ck_assert_int_eq(find(id, &record), AV_ACCEPTED);
        ck_assert_str_eq(record.secrets[0].value.at, secret);
        ck_assert_int_eq(find_secret(secret, &record), AV_ACCEPTED);
        ck_assert_str_eq(record.id, id);
    }
    ck_assert_int_eq(find("client-5000", &record), AV_UNKNOWN_CLIENT);
}
END_TEST

START_TEST(a_dummy_costs_what_the_dearest_costs)
{
    load("a bcrypt:" BCRYPT_05 "\nb bcrypt:" BCRYPT_12 "\nc bcrypt:" BCRYPT_05 "\n");
    const av_client_source *source = av_clients_file_source(file);
    av_client_secret secret = source->dummy(source, AV_SECRET_BCRYPT, pool);
    ck_assert_int_eq(secret.kind, AV_SECRET_BCRYPT);
    ck_assert_uint_eq(secret.value.len, 60);
    ck_assert(av_slice_starts_with(secret.value, AV_SLICE("$2y$12$")));
    ck_assert_str_eq(secret.label, "");
    write_file(apr_pstrcat(pool, "a bcrypt:", secret.value.at, "\n", NULL)); /* it is a hash that a file may hold */
    refresh(AV_REFRESH_LOADED);
    ck_assert_str_ne(secret.value.at, source->dummy(source, AV_SECRET_BCRYPT, pool).value.at);
}
END_TEST

START_TEST(a_dummy_is_of_the_kind_and_differs_from_set_to_set)
{
    load("a plain:x\n");
    const av_client_source *source = av_clients_file_source(file);
    av_client_secret plain = source->dummy(source, AV_SECRET_PLAIN, pool);
    av_client_secret digest = source->dummy(source, AV_SECRET_SHA256, pool);
    ck_assert_int_eq(plain.kind, AV_SECRET_PLAIN);
    ck_assert_uint_eq(plain.value.len, 64);
    ck_assert_uint_eq(strspn(plain.value.at, "0123456789abcdef"), 64);
    ck_assert_int_eq(digest.kind, AV_SECRET_SHA256);
    ck_assert_uint_eq(digest.value.len, AV_SHA256_SIZE);
    ck_assert_int_eq(source->dummy(source, AV_SECRET_BCRYPT, pool).kind, AV_SECRET_SHA256);
    write_file("a plain:x\nb plain:y\n");
    refresh(AV_REFRESH_LOADED);
    ck_assert_str_ne(plain.value.at, source->dummy(source, AV_SECRET_PLAIN, pool).value.at);
}
END_TEST

static const struct {
    av_slice text;
    const char *sentence; /* behind the path */
} refused[] = {
    { TEXT(""), " names no client" },
    { TEXT("\n\n# nobody\n"), " names no client" },
    { TEXT("a plain:b"), ": line 1: does not end in a line feed; the file may be half-written" },
    { TEXT("a plain:b\nb pl"), ": line 2: does not end in a line feed; the file may be half-written" },
    { TEXT("a plain:b\n# x"), ": line 2: does not end in a line feed; the file may be half-written" },
    { TEXT("\xef\xbb\xbf"
           "a plain:b\n"),
      ": line 1: begins with a byte-order mark; save the file as UTF-8 without one" },
    { TEXT("a plain:b\r\n"), ": line 1: ends in CR LF; save the file with LF line ends" },
    { TEXT("a plain:b\n\0\n"), ": line 2: holds a NUL byte; save the file as plain text" },
    { TEXT("# x\n\na plain:b\na plain:c\n"), ": line 4: has the id of line 3" },
    { TEXT("a plain:b\n%61 plain:c\n"), ": line 2: has the id of line 1" },
    { TEXT("a plain:abc\nb sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\n"),
      ": line 2: has a secret that line 1 has" },
    { TEXT("a plain:b c:plain:b\n"), ": line 1: has a secret that line 1 has" },
};

START_TEST(a_file_that_cannot_be_right_is_refused)
{
    make_file("clients", refused[_i].text, 0600);
    const char *error = open_file("clients");
    ck_assert_ptr_null(file);
    ck_assert_str_eq(error, apr_pstrcat(pool, path_of("clients"), refused[_i].sentence, NULL));
}
END_TEST

/* A line of so many bytes, and one behind it. */
static const char *long_line(apr_size_t len)
{
    char *text = apr_palloc(pool, len + 32);
    memset(text, 'x', len);
    memcpy(text, "a plain:", 8);
    memcpy(text + len, "\nb plain:y\n", 12);
    return text;
}

START_TEST(a_line_may_have_64_kib)
{
    av_client_record record;
    load(long_line(65536));
    ck_assert_int_eq(find("a", &record), AV_ACCEPTED);
    ck_assert_uint_eq(record.secrets[0].value.len, 65536 - 8);
    ck_assert_int_eq(find("b", &record), AV_ACCEPTED);
}
END_TEST

static const apr_size_t too_long[] = { 65537, 131071, 131072, 131073, 262144, 1 << 20 };

START_TEST(a_longer_line_is_refused_and_the_next_one_read)
{
    write_file(apr_pstrcat(pool, long_line(too_long[_i]), "c x\n", NULL));
    ck_assert_str_eq(
        open_file("clients"),
        apr_psprintf(pool,
                     "%s: line 1: is longer than 64 KiB\n%s: line 3: word 2: is "
                     "neither a secret (plain:, sha256: or bcrypt:, with or without LABEL: before it) nor a limit",
                     path_of("clients"), path_of("clients")));
}
END_TEST

START_TEST(twenty_mistakes_are_told)
{
    const char *text = "";
    for (int i = 0; i < 30; i++) {
        text = apr_pstrcat(pool, text, "a plain:\n", NULL);
    }
    write_file(text);
    const char *error = open_file("clients");
    ck_assert_ptr_nonnull(strstr(error, ": line 1: word 2: the secret is empty\n"));
    ck_assert_ptr_nonnull(strstr(error, ": line 20: word 2: the secret is empty"));
    ck_assert_ptr_null(strstr(error, "line 21"));
}
END_TEST

START_TEST(mistakes_and_duplicates_are_told_together)
{
    write_file("a plain:b\nx\na plain:c\n");
    const char *error = open_file("clients");
    ck_assert_ptr_nonnull(strstr(error, ": line 2: has no secret behind its id\n"));
    ck_assert_ptr_nonnull(strstr(error, ": line 3: has the id of line 1"));
}
END_TEST

static const struct {
    mode_t mode;
    const char *part; /* NULL: it is loaded */
} modes[] = {
    { 0600, NULL },
    { 0640, NULL },
    { 0400, NULL },
    { 0440, NULL },
    { 0660, "run: chmod go-w " },
    { 0642, "run: chmod go-w " },
    { 0644, "run: chmod o= " },
    { 0604, "run: chmod o= " },
};

START_TEST(who_may_write_and_read_is_looked_at)
{
    make_file("clients", AV_SLICE("a plain:b\n"), modes[_i].mode);
    const char *error = open_file("clients");
    ck_assert_int_eq(error == NULL, modes[_i].part == NULL);
    ck_assert(!error || strstr(error, modes[_i].part));
}
END_TEST

START_TEST(it_belongs_to_root_or_to_the_runner)
{
    if (geteuid() != 0) {
        return; /* nobody else can give a file away */
    }
    make_file("clients", AV_SLICE("a plain:b\n"), 0640);
    ck_assert_int_eq(chown(path_of("clients"), NOBODY, 0), 0);
    ck_assert_ptr_nonnull(strstr(open_as("clients", 0), "chown root"));
    ck_assert_ptr_null(open_as("clients", NOBODY));
    make_file("clients", AV_SLICE("a plain:b\n"), 0600);
    ck_assert_ptr_nonnull(strstr(open_as("clients", NOBODY), "chmod g+r"));
    make_file("clients", AV_SLICE("a plain:b\n"), 0640);
    ck_assert_ptr_null(open_as("clients", NOBODY));
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

START_TEST(a_link_is_followed_and_its_target_looked_at)
{
    write_file("a plain:b\n");
    unlink(path_of("link"));
    ck_assert_int_eq(symlink("clients", path_of("link")), 0);
    ck_assert_ptr_null(open_file("link"));
    make_file("other", AV_SLICE("b plain:b\n"), 0600);
    unlink(path_of("link"));
    ck_assert_int_eq(symlink("other", path_of("link")), 0);
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(chmod(path_of("other"), 0644), 0);
    refresh(AV_REFRESH_REFUSED);
}
END_TEST

START_TEST(a_change_comes_into_force_once)
{
    av_client_record record;
    load("a plain:b\n");
    ck_assert_ptr_null(refresh(AV_REFRESH_UNCHANGED));
    write_file("b plain:b\nc plain:c\n");
    ck_assert_str_eq(refresh(AV_REFRESH_LOADED),
                     apr_pstrcat(pool, path_of("clients"), ": 2 clients are in force", NULL));
    ck_assert_int_eq(find("a", &record), AV_UNKNOWN_CLIENT);
    ck_assert_int_eq(find("b", &record), AV_ACCEPTED);
    ck_assert_int_eq(find_secret("c", &record), AV_ACCEPTED);
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), 2);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

/* In place, with the same size and the old modification time: only the time of the status change tells. */
START_TEST(a_change_in_place_is_seen_whatever_its_date)
{
    av_client_record record;
    struct stat before;
    load("a plain:b\n");
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(stat(path_of("clients"), &before), 0);
        int descriptor = open(path_of("clients"), O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(write(descriptor, i % 2 ? "a" : "b", 1), 1);
        struct timespec times[2] = { before.st_atim, before.st_mtim };
        ck_assert_int_eq(futimens(descriptor, times), 0);
        close(descriptor);
        refresh(AV_REFRESH_LOADED);
        ck_assert_int_eq(find(i % 2 ? "a" : "b", &record), AV_ACCEPTED);
        ck_assert_int_eq(find(i % 2 ? "b" : "a", &record), AV_UNKNOWN_CLIENT);
    }
}
END_TEST

START_TEST(a_bad_file_leaves_the_old_set_in_force_and_is_told_once)
{
    av_client_record record;
    load("a plain:b\n");
    write_file("b plain:c\nc");
    ck_assert_ptr_nonnull(strstr(refresh(AV_REFRESH_REFUSED), "line 2: does not end in a line feed"));
    refresh(AV_REFRESH_UNCHANGED);
    write_file("x plain:c\nc"); /* another file, the same mistake */
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(find("a", &record), AV_ACCEPTED);
    ck_assert_int_eq(find("b", &record), AV_UNKNOWN_CLIENT);
    ck_assert_uint_eq(av_watched_file_count(av_clients_file_watched(file)), 1);
    write_file("b plain:c\n");
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(find("b", &record), AV_ACCEPTED);
    write_file("x plain:c\nc"); /* the mistake of before comes back, and is told again */
    refresh(AV_REFRESH_REFUSED);
}
END_TEST

START_TEST(a_file_that_goes_is_told_once_and_taken_again_when_it_is_back)
{
    av_client_record record;
    load("a plain:b\n");
    ck_assert_int_eq(rename(path_of("clients"), path_of("aside")), 0);
    ck_assert_ptr_nonnull(strstr(refresh(AV_REFRESH_REFUSED), "does not exist"));
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(find("a", &record), AV_ACCEPTED);
    ck_assert_int_eq(rename(path_of("aside"), path_of("clients")), 0);
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(chmod(path_of("clients"), 0644), 0);
    ck_assert_ptr_nonnull(strstr(refresh(AV_REFRESH_REFUSED), "readable by everybody"));
    refresh(AV_REFRESH_UNCHANGED);
    ck_assert_int_eq(chmod(path_of("clients"), 0600), 0);
    refresh(AV_REFRESH_LOADED);
    refresh(AV_REFRESH_UNCHANGED);
}
END_TEST

/* Nothing of the file itself changes when the link to it goes and comes back. */
START_TEST(a_mistake_that_comes_back_is_told_again)
{
    write_file("a plain:b\n");
    unlink(path_of("link"));
    ck_assert_int_eq(symlink("clients", path_of("link")), 0);
    ck_assert_ptr_null(open_file("link"));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(unlink(path_of("link")), 0);
        ck_assert_ptr_nonnull(strstr(refresh(AV_REFRESH_REFUSED), "does not exist"));
        refresh(AV_REFRESH_UNCHANGED);
        ck_assert_int_eq(symlink("clients", path_of("link")), 0);
        refresh(AV_REFRESH_LOADED);
    }
}
END_TEST

/* Readers in processes of their own. */

#define READERS 3
#define SWAPS 200
#define SWAPPED 40 /* clients in a set */

/* Each client of a set says in four places which set it is of, and sets differ in the sizes of their records. */
static const char *set_text(int number)
{
    const char *filler = apr_pstrcat(pool, &"0123456789abcdef0123456789abcdef"[number % 32], NULL);
    const char *text = "";
    for (int i = 0; i < SWAPPED; i++) {
        text = apr_psprintf(pool, "%sclient-%d s%d:plain:secret-%d-%d-%s org=%d user=%d\n", text, i, number, i, number,
                            filler, number, number);
    }
    return text;
}

static bool is_of_one_set(const av_client_record *record, const char *id, apr_pool_t *scratch)
{
    const char *set = record->org.len ? record->org.at : "";
    const char *start = apr_psprintf(scratch, "secret-%s-%s-", id + strlen("client-"), set);
    return strcmp(record->id, id) == 0 && record->secret_count == 1 && record->user.len &&
           strcmp(record->user.at, set) == 0 &&
           strcmp(record->secrets[0].label, apr_pstrcat(scratch, "s", set, NULL)) == 0 &&
           av_slice_starts_with(record->secrets[0].value, av_slice_of(start));
}

typedef struct tally {
    _Atomic int is_over, sets_seen;
    _Atomic long right, wrong, unavailable;
} tally;

static _Noreturn void read_until_over(tally *seen)
{
    const av_client_source *source = av_clients_file_source(file);
    apr_pool_t *scratch;
    char last[16] = "";
    apr_pool_create(&scratch, NULL);
    for (int i = 0; !seen->is_over; i = (i + 1) % SWAPPED) {
        av_client_record record;
        const char *id = apr_psprintf(scratch, "client-%d", i);
        av_reason reason = source->find_by_id(source, av_slice_of(id), &record, scratch);
        bool is_right = reason == AV_ACCEPTED && is_of_one_set(&record, id, scratch);
        seen->right += is_right;
        seen->unavailable += reason == AV_STORE_UNAVAILABLE;
        seen->wrong += !is_right && reason != AV_STORE_UNAVAILABLE;
        if (is_right && strcmp(last, record.org.at) != 0) {
            apr_cpystrn(last, record.org.at, sizeof(last));
            seen->sets_seen++;
        }
        apr_pool_clear(scratch);
    }
    _exit(0);
}

static void swap(int number)
{
    make_file("next", av_slice_of(set_text(number)), 0600);
    ck_assert_int_eq(rename(path_of("next"), path_of("clients")), 0);
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
    ck_assert_int_gt(seen->sets_seen, SWAPS / 2);
    ck_assert_int_lt(seen->unavailable, seen->right / 100);
    munmap(seen, sizeof(*seen));
}
END_TEST

/* The one that refreshes is another process than the one that opened, and is killed at any point of its work. */
START_TEST(a_builder_that_is_killed_does_no_harm)
{
    av_client_record record;
    const char *message;
    int status;
    load(set_text(0));
    for (int i = 1; i <= 20; i++) {
        make_file("clients", av_slice_of(set_text(i)), 0600);
        pid_t builder = fork();
        if (builder == 0) {
            av_watched_file_refresh(av_clients_file_watched(file), &message, pool);
            _exit(0);
        }
        apr_sleep(1000 * i + 15000); /* not a condition that is waited for: any point of its work is as good */
        kill(builder, SIGKILL);
        waitpid(builder, &status, 0);
        ck_assert_int_eq(find("client-7", &record), AV_ACCEPTED);
        ck_assert(is_of_one_set(&record, "client-7", pool));
    }
    write_file("z plain:z\n");
    refresh(AV_REFRESH_LOADED);
    ck_assert_int_eq(find("z", &record), AV_ACCEPTED);
    ck_assert_int_eq(find("client-7", &record), AV_UNKNOWN_CLIENT);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("clients_file");
    TCase *tests = suite_case(suite, "files");

    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_client_is_found_with_all_that_its_line_says);
    tcase_add_test(tests, an_id_is_found_as_it_is_and_no_other);
    tcase_add_test(tests, a_client_is_found_by_each_of_its_secrets_but_passwords);
    tcase_add_test(tests, among_many_each_is_found);
    tcase_add_test(tests, a_dummy_costs_what_the_dearest_costs);
    tcase_add_test(tests, a_dummy_is_of_the_kind_and_differs_from_set_to_set);
    tcase_add_loop_test(tests, a_file_that_cannot_be_right_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, a_line_may_have_64_kib);
    tcase_add_loop_test(tests, a_longer_line_is_refused_and_the_next_one_read, 0, ROWS(too_long));
    tcase_add_test(tests, twenty_mistakes_are_told);
    tcase_add_test(tests, mistakes_and_duplicates_are_told_together);
    tcase_add_loop_test(tests, who_may_write_and_read_is_looked_at, 0, ROWS(modes));
    tcase_add_test(tests, it_belongs_to_root_or_to_the_runner);
    tcase_add_test(tests, what_is_no_plain_file_is_refused);
    tcase_add_test(tests, a_link_is_followed_and_its_target_looked_at);
    tcase_add_test(tests, a_change_comes_into_force_once);
    tcase_add_test(tests, a_change_in_place_is_seen_whatever_its_date);
    tcase_add_test(tests, a_bad_file_leaves_the_old_set_in_force_and_is_told_once);
    tcase_add_test(tests, a_file_that_goes_is_told_once_and_taken_again_when_it_is_back);
    tcase_add_test(tests, a_mistake_that_comes_back_is_told_again);
    tcase_add_test(tests, readers_see_one_set_or_the_next);
    tcase_add_test(tests, a_builder_that_is_killed_does_no_harm);
    return suite;
}
