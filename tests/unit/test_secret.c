/* Secrets: each source, each way in which one is refused, and that no copy outlives its pool.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"
#include "support/folder.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Long enough to be given without a warning. */
#define SECRET "0123456789abcdef"
#define NOBODY 65534

static const av_source_access strict = { .base = folder, .may_execute = true };
static const av_source_access tests_only = { .base = folder, .tests_only = true };
static const av_source_access public_key = { .base = folder, .is_public = true };

static void make_program(const char *name, const char *commands)
{
    make_file(name, av_slice_of(apr_pstrcat(pool, "#!/bin/sh\n", commands, "\n", NULL)), 0755);
}

/* What one call gave. */
typedef struct outcome {
    const char *error;
    const char *warning;
    av_slice secret;
} outcome;

static outcome load(const char *text, const av_source_access *access)
{
    outcome result;
    av_source source;

    ck_assert_ptr_null(av_source_parse(text, &source, pool));
    result.error = av_source_load(&source, access, &result.secret, &result.warning, pool);
    ck_assert_msg(!result.error || !strstr(result.error, SECRET), "%s", result.error);
    ck_assert_msg(!result.warning || !strstr(result.warning, SECRET), "%s", result.warning);
    ck_assert_msg(!result.error || (!result.secret.at && !result.warning), "%s", result.error);
    return result;
}

static void assert_loaded(const char *text, const av_source_access *access, av_slice secret)
{
    outcome result = load(text, access);

    ck_assert_msg(!result.error, "%s", result.error);
    assert_slice(result.secret, secret, text);
}

static void assert_refused(const char *text, const av_source_access *access, const char *fault)
{
    outcome result = load(text, access);

    ck_assert_msg(result.error != NULL, "%s was loaded", text);
    ck_assert_msg(strstr(result.error, fault) != NULL, "wanted \"%s\", found \"%s\"", fault, result.error);
}

static const struct {
    const char *text;
    av_source_kind kind;
    const char *argument;
    const char *label;
} sources[] = {
    { "file:/etc/authverify/github.secret", AV_SOURCE_FILE, "/etc/authverify/github.secret", "github.secret" },
    { "file:github.secret", AV_SOURCE_FILE, "github.secret", "github.secret" },
    { "file:a:b", AV_SOURCE_FILE, "a:b", "a:b" },
    { "env:GITHUB/SECRET", AV_SOURCE_ENV, "GITHUB/SECRET", "GITHUB/SECRET" },
    { "exec:/usr/bin/vault-read", AV_SOURCE_EXEC, "/usr/bin/vault-read", "vault-read" },
    { "credential:github", AV_SOURCE_CREDENTIAL, "github", "github" },
};

START_TEST(a_source_is_a_kind_and_an_argument)
{
    av_source source;
    char *text = apr_pstrdup(pool, sources[_i].text);

    ck_assert_ptr_null(av_source_parse(text, &source, pool));
    memset(text, 'x', strlen(text));
    ck_assert_int_eq(source.kind, sources[_i].kind);
    ck_assert_str_eq(source.argument, sources[_i].argument);
    ck_assert_str_eq(source.label, sources[_i].label);
}
END_TEST

static const struct {
    const char *text;
    const char *fault;
} no_sources[] = {
    { "file:", "nothing follows \"file:\"" },
    { "env:", "nothing follows \"env:\"" },
    { "exec:", "nothing follows \"exec:\"" },
    { "credential:", "nothing follows \"credential:\"" },
    { "exec:vault-read", "\"exec:vault-read\" is not an absolute path" },
    { "credential:../shadow", "\"credential:../shadow\" is a path" },
    { "credential:/etc/shadow", "\"credential:/etc/shadow\" is a path" },
};

START_TEST(what_names_no_source_is_refused)
{
    av_source source;
    const char *error = av_source_parse(no_sources[_i].text, &source, pool);

    ck_assert_ptr_nonnull(error);
    ck_assert_msg(av_slice_starts_with(av_slice_of(error), av_slice_of(no_sources[_i].fault)), "%s", error);
}
END_TEST

static const char *const literals[] = {
    SECRET, SECRET ":" SECRET, "", "FILE:" SECRET, " file:" SECRET, "base64:" SECRET
};

START_TEST(a_literal_secret_is_refused_and_not_repeated)
{
    av_source source;
    const char *error = av_source_parse(literals[_i], &source, pool);

    ck_assert_ptr_nonnull(error);
    ck_assert_msg(!strstr(error, SECRET), "%s", error);
}
END_TEST

static const struct {
    av_slice content, secret;
} contents[] = {
    { TEXT(SECRET), TEXT(SECRET) },
    { TEXT(SECRET "\n"), TEXT(SECRET) },
    { TEXT(SECRET "\r\n"), TEXT(SECRET) },
    { TEXT(SECRET "\n\n"), TEXT(SECRET "\n") },
    { TEXT(SECRET "\r\n\r\n"), TEXT(SECRET "\r\n") },
    { TEXT(SECRET "\r"), TEXT(SECRET "\r") },
    { TEXT(SECRET "\n\r"), TEXT(SECRET "\n\r") },
    { TEXT(SECRET " \n"), TEXT(SECRET " ") },
    { TEXT("\n " SECRET), TEXT("\n " SECRET) },
    { TEXT("a\0b" SECRET "\0\xff\n"), TEXT("a\0b" SECRET "\0\xff") },
};

START_TEST(one_line_end_is_cut_from_a_file_and_nothing_else)
{
    make_file("x", contents[_i].content, 0600);
    assert_loaded("file:x", &strict, contents[_i].secret);
}
END_TEST

START_TEST(one_line_end_is_cut_from_a_program_s_text_and_nothing_else)
{
    make_file("text", contents[_i].content, 0600);
    make_program("x", apr_pstrcat(pool, "cat ", path_of("text"), NULL));
    assert_loaded(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict, contents[_i].secret);
}
END_TEST

static const av_slice empties[] = { TEXT(""), TEXT("\n"), TEXT("\r\n") };

START_TEST(an_empty_file_is_refused)
{
    make_file("x", empties[_i], 0600);
    assert_refused("file:x", &strict, "is empty");
}
END_TEST

static const struct {
    apr_size_t len;
    const char *end;
    bool is_loaded;
} lengths[] = {
    { 65535, "", true },      { 65536, "", true },      { 65536, "\n", true },    { 65536, "\r\n", true },
    { 65537, "", false },     { 65536, "\n\n", false }, { 65537, "\n", false },   { 65537, "\r\n", false },
    { 65538, "\r\n", false }, { 65539, "\r\n", false }, { 1000000, "\n", false },
};

static av_slice long_text(apr_size_t len, const char *end)
{
    char *text = apr_palloc(pool, len + strlen(end) + 1);

    memset(text, 'x', len);
    memcpy(text + len, end, strlen(end) + 1);
    return (av_slice){ text, len + strlen(end) };
}

START_TEST(more_than_64_kib_is_refused)
{
    av_slice text = long_text(lengths[_i].len, lengths[_i].end);

    make_file("x", text, 0600);
    make_program("program", apr_pstrcat(pool, "cat ", path_of("x"), NULL));
    const char *program = apr_pstrcat(pool, "exec:", path_of("program"), NULL);
    if (lengths[_i].is_loaded) {
        assert_loaded("file:x", &strict, (av_slice){ text.at, lengths[_i].len });
        assert_loaded(program, &strict, (av_slice){ text.at, lengths[_i].len });
    } else {
        assert_refused("file:x", &strict, "more than 65536 bytes");
        assert_refused(program, &strict, "more than 65536 bytes");
    }
}
END_TEST

static const struct {
    mode_t mode;
    const char *secret_fault; /* NULL: loaded */
    const char *key_fault;
} modes[] = {
    { 0600, NULL, NULL },
    { 0400, NULL, NULL },
    { 0640, NULL, NULL },
    { 0440, NULL, NULL },
    { 0644, "is readable by others; run: chmod o= ", NULL },
    { 0604, "is readable by others; run: chmod o= ", NULL },
    { 0602, "is writable by others; run: chmod o-w ", "is writable by others; run: chmod o-w " },
    { 0646, "is readable by others; run: chmod o= ", "is writable by others; run: chmod o-w " },
    { 0620, "is writable by its group; run: chmod g-w ", "is writable by its group; run: chmod g-w " },
    { 0660, "is writable by its group; run: chmod g-w ", "is writable by its group; run: chmod g-w " },
    { 0664, "is readable by others; run: chmod o= ", "is writable by its group; run: chmod g-w " },
};

static void assert_protected(const av_source_access *access, const char *noun, const char *fault)
{
    if (fault) {
        const char *path = path_of("x");
        assert_refused("file:x", access, apr_pstrcat(pool, noun, " file \"", path, "\" ", fault, path, NULL));
    } else {
        assert_loaded("file:x", access, AV_SLICE(SECRET));
    }
}

START_TEST(a_secret_is_read_by_few_and_a_key_is_written_by_one)
{
    make_file("x", AV_SLICE(SECRET), modes[_i].mode);
    assert_protected(&strict, "secret", modes[_i].secret_fault);
    assert_protected(&public_key, "key", modes[_i].key_fault);
}
END_TEST

START_TEST(a_program_is_written_by_one)
{
    const char *program = apr_pstrcat(pool, "exec:", path_of("x"), NULL);

    make_program("x", "echo " SECRET);
    ck_assert_int_eq(chmod(path_of("x"), 0775), 0);
    assert_refused(program, &strict, "is writable by its group; run: chmod g-w ");
    ck_assert_int_eq(chmod(path_of("x"), 0757), 0);
    assert_refused(program, &strict, "is writable by others; run: chmod o-w ");
    ck_assert_int_eq(chmod(path_of("x"), 0700), 0);
    assert_loaded(program, &strict, AV_SLICE(SECRET));
}
END_TEST

/* Added only where root runs the tests: nobody else can give a file away. */
START_TEST(a_file_of_somebody_else_is_refused)
{
    make_file("x", AV_SLICE(SECRET), 0600);
    ck_assert_int_eq(chown(path_of("x"), NOBODY, 0), 0);
    assert_refused("file:x", &strict, "belongs neither to root nor to the user who starts httpd; run: chown root ");
    assert_refused("file:x", &public_key, "belongs neither to root nor to the user who starts httpd");
    make_program("program", "echo " SECRET);
    ck_assert_int_eq(chown(path_of("program"), NOBODY, 0), 0);
    assert_refused(apr_pstrcat(pool, "exec:", path_of("program"), NULL), &strict, "belongs neither to root");
}
END_TEST

/* Added only where root runs the tests, as are the next: what is one's own, or root's, is good. */
START_TEST(a_file_of_the_user_who_starts_httpd_is_read)
{
    make_file("x", AV_SLICE(SECRET), 0600);
    ck_assert_int_eq(chown(path_of("x"), NOBODY, NOBODY), 0);
    ck_assert_int_eq(seteuid(NOBODY), 0);
    assert_loaded("file:x", &strict, AV_SLICE(SECRET));
}
END_TEST

START_TEST(a_file_of_root_is_read_by_its_group)
{
    make_file("x", AV_SLICE(SECRET), 0640);
    ck_assert_int_eq(chown(path_of("x"), 0, NOBODY), 0);
    ck_assert_int_eq(setegid(NOBODY), 0);
    ck_assert_int_eq(seteuid(NOBODY), 0);
    assert_loaded("file:x", &strict, AV_SLICE(SECRET));
}
END_TEST

/* Root may read everything, and becomes somebody else to be refused. */
static void make_unreadable_file(void)
{
    make_file("x", AV_SLICE(SECRET), 0000);
    if (geteuid() == 0) {
        ck_assert_int_eq(seteuid(NOBODY), 0);
    }
}

/* After each test: a leak checker looks into the test's process when it ends, and nobody may not. */
static void become_root_again(void)
{
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_int_eq(setegid(0), 0);
    }
}

START_TEST(a_file_that_may_not_be_read_is_an_error)
{
    make_unreadable_file();
    assert_refused("file:x", &strict, "may not be read by this user");
}
END_TEST

START_TEST(a_file_that_may_not_be_read_is_a_warning_in_a_configuration_test)
{
    make_unreadable_file();
    outcome result = load("file:x", &tests_only);

    ck_assert_ptr_null(result.error);
    ck_assert_ptr_null(result.secret.at);
    ck_assert_ptr_nonnull(result.warning);
    ck_assert_ptr_nonnull(strstr(result.warning, "was not checked: this user may not read it"));
}
END_TEST

START_TEST(a_missing_file_is_an_error_in_a_configuration_test_too)
{
    assert_refused("file:missing", &strict, "does not exist; create it or name another");
    assert_refused("file:missing", &tests_only, "does not exist; create it or name another");
}
END_TEST

START_TEST(a_folder_is_refused)
{
    ck_assert_int_eq(mkdir(path_of("folder"), 0700), 0);
    assert_refused("file:folder", &strict, "is a folder; name a file in it");
}
END_TEST

START_TEST(a_pipe_is_refused_without_waiting_for_its_writer)
{
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    assert_refused("file:pipe", &strict, "is a device, pipe or socket");
}
END_TEST

START_TEST(a_device_is_refused)
{
    assert_refused("file:/dev/zero", &strict, "is a device, pipe or socket");
}
END_TEST

START_TEST(a_link_is_followed)
{
    make_file("target", AV_SLICE(SECRET), 0600);
    ck_assert_int_eq(symlink("target", path_of("link")), 0);
    assert_loaded("file:link", &strict, AV_SLICE(SECRET));
    ck_assert_int_eq(chmod(path_of("target"), 0644), 0);
    assert_refused("file:link", &strict, "is readable by others");
}
END_TEST

START_TEST(a_link_to_itself_cannot_be_opened)
{
    ck_assert_int_eq(symlink("loop", path_of("loop")), 0);
    assert_refused("file:loop", &strict, apr_psprintf(pool, "cannot be opened: %s", strerror(ELOOP)));
    assert_refused("file:loop", &tests_only, apr_psprintf(pool, "cannot be opened: %s", strerror(ELOOP)));
}
END_TEST

START_TEST(an_absolute_path_does_not_need_the_folder)
{
    av_source_access elsewhere = { .base = "/nowhere" };

    make_file("x", AV_SLICE(SECRET), 0600);
    assert_loaded(apr_pstrcat(pool, "file:", path_of("x"), NULL), &elsewhere, AV_SLICE(SECRET));
    assert_refused("file:x", &elsewhere, "secret file \"/nowhere/x\" does not exist");
}
END_TEST

START_TEST(a_short_secret_is_a_warning_and_a_short_key_is_none)
{
    make_file("short", AV_SLICE("0123456789abcde\n"), 0600);
    make_file("long", AV_SLICE(SECRET), 0600);
    ck_assert_ptr_nonnull(strstr(load("file:short", &strict).warning, "shorter than 16 bytes"));
    ck_assert_ptr_null(load("file:short", &public_key).warning);
    ck_assert_ptr_null(load("file:long", &strict).warning);
}
END_TEST

START_TEST(an_environment_variable_is_taken_as_it_is)
{
    setenv("AUTHVERIFY_TEST", SECRET "\n", 1);
    assert_loaded("env:AUTHVERIFY_TEST", &strict, AV_SLICE(SECRET "\n"));
    setenv("AUTHVERIFY_TEST", "short", 1);
    ck_assert_ptr_nonnull(load("env:AUTHVERIFY_TEST", &strict).warning);
}
END_TEST

START_TEST(a_variable_that_is_missing_empty_or_too_long_is_refused)
{
    unsetenv("AUTHVERIFY_TEST");
    assert_refused("env:AUTHVERIFY_TEST", &strict, "environment variable AUTHVERIFY_TEST is not set");
    setenv("AUTHVERIFY_TEST", "", 1);
    assert_refused("env:AUTHVERIFY_TEST", &strict, "environment variable AUTHVERIFY_TEST is empty");
    setenv("AUTHVERIFY_TEST", long_text(65537, "").at, 1);
    assert_refused("env:AUTHVERIFY_TEST", &strict, "more than 65536 bytes");
}
END_TEST

START_TEST(a_credential_is_a_file_of_systemd_s_folder)
{
    make_file("github", AV_SLICE(SECRET "\n"), 0400);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_loaded("credential:github", &strict, AV_SLICE(SECRET));
    assert_refused("credential:gitlab", &strict, "does not exist");
    ck_assert_int_eq(chmod(path_of("github"), 0444), 0);
    assert_refused("credential:github", &strict, "is readable by others");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_refused("credential:github", &strict, "put LoadCredential=github:PATH into httpd's unit");
}
END_TEST

START_TEST(a_program_is_not_run_where_it_must_not_be)
{
    make_program("x", apr_pstrcat(pool, "echo ran > ", path_of("trace"), NULL));
    outcome result = load(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &tests_only);

    ck_assert_ptr_null(result.error);
    ck_assert_ptr_null(result.warning);
    ck_assert_ptr_null(result.secret.at);
    ck_assert_int_ne(access(path_of("trace"), F_OK), 0);
}
END_TEST

START_TEST(a_program_that_is_not_run_is_still_looked_at)
{
    const char *program = apr_pstrcat(pool, "exec:", path_of("x"), NULL);

    make_program("x", "echo " SECRET);
    ck_assert_int_eq(chmod(path_of("x"), 0757), 0);
    assert_refused(program, &tests_only, "is writable by others");
    assert_refused(apr_pstrcat(pool, "exec:", path_of("missing"), NULL), &tests_only, "does not exist");
}
END_TEST

static const struct {
    const char *commands;
    const char *fault;
} programs[] = {
    { "exit 3", "failed with status 3" },
    { "echo " SECRET "; exit 1", "failed with status 1" },
    { "kill -TERM $$", "was ended by signal 15" },
    { "exit 0", "is empty" },
    { "echo", "is empty" },
    { "exec cat /dev/zero", "more than 65536 bytes" },
    { "cat /dev/zero & exec cat /dev/zero", "more than 65536 bytes" },
};

START_TEST(a_program_that_gives_no_secret_is_refused)
{
    make_program("x", programs[_i].commands);
    assert_refused(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict, programs[_i].fault);
}
END_TEST

START_TEST(a_program_that_cannot_be_run_is_refused)
{
    make_file("x", AV_SLICE("#!/bin/sh\necho " SECRET "\n"), 0644);
    /* Under valgrind posix_spawn(3) does not tell why, and the program seems to have failed. */
    assert_refused(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict,
                   apr_pstrcat(pool, "program \"", path_of("x"), "\" ", NULL));
    assert_refused(apr_pstrcat(pool, "exec:", path_of("missing"), NULL), &strict, "does not exist");
}
END_TEST

START_TEST(a_program_is_run_without_shell_arguments_or_input)
{
    int input;

    /* Something to read, which the program must not get. */
    make_file("input", AV_SLICE("input"), 0600);
    input = open(path_of("input"), O_RDONLY);
    ck_assert_int_eq(dup2(input, STDIN_FILENO), STDIN_FILENO);
    setenv("AUTHVERIFY_TEST", SECRET, 1);
    make_program("a $(b); c", "printf %s \"$#:$(cat):$AUTHVERIFY_TEST\"");
    assert_loaded(apr_pstrcat(pool, "exec:", path_of("a $(b); c"), NULL), &strict, AV_SLICE("0::" SECRET));
}
END_TEST

START_TEST(a_program_is_run_without_our_end_of_the_pipe)
{
    /* Those that the tests were started with are no matter here. */
    for (int descriptor = STDERR_FILENO + 1; descriptor < 256; descriptor++) {
        fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
    make_program("x", "n=0; for d in /proc/$$/fd/*; do\n"
                      "case $d in */0 | */1 | */2) ;; *) [ ! -p $d ] || n=$((n + 1)) ;; esac; done\n"
                      "echo $n pipes");
    assert_loaded(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict, AV_SLICE("0 pipes"));
}
END_TEST

START_TEST(a_program_s_text_may_come_in_pieces)
{
    make_program("x", "printf 01234567; sleep 0.1; printf 89abcdef; exec >&-; sleep 0.1");
    assert_loaded(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict, AV_SLICE(SECRET));
}
END_TEST

/* The first writes nothing; the second has closed its output; the third keeps writing. */
static const char *const slow_programs[] = {
    "sleep 60 > %s & sleep 60",
    "sleep 60 > %s & echo " SECRET "; exec >&-; sleep 60",
    "sleep 60 > %s & while :; do echo x; sleep 0.2; done",
};

START_TEST(a_slow_program_is_killed_with_all_that_it_started)
{
    struct pollfd pipe = { .events = POLLIN };
    char byte;

    ck_assert_int_eq(mkfifo(path_of("held"), 0600), 0);
    pipe.fd = open(path_of("held"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(pipe.fd, 0);
    make_program("x", apr_psprintf(pool, slow_programs[_i], path_of("held")));
    assert_refused(apr_pstrcat(pool, "exec:", path_of("x"), NULL), &strict, "did not end within 10 seconds");
    /* The pipe's only writer, a child of the program, is gone. */
    ck_assert_int_eq(poll(&pipe, 1, 5000), 1);
    ck_assert_int_eq(read(pipe.fd, &byte, 1), 0);
    close(pipe.fd);
    unlink(path_of("held"));
}
END_TEST

static int open_descriptors(void)
{
    int count = 0;
    DIR *entries = opendir("/proc/self/fd");

    ck_assert_ptr_nonnull(entries);
    while (readdir(entries)) {
        count++;
    }
    closedir(entries);
    return count;
}

START_TEST(no_descriptor_stays_open)
{
    static const char *const commands[] = { "exit 0", "exit 1", "exec cat /dev/zero" };
    int before = open_descriptors();

    make_file("x", AV_SLICE(SECRET), 0600);
    load("file:x", &strict);
    ck_assert_int_eq(chmod(path_of("x"), 0644), 0);
    load("file:x", &strict);
    load(apr_pstrcat(pool, "exec:", path_of("missing"), NULL), &strict);
    for (int i = 0; i < ROWS(commands); i++) {
        make_program("program", commands[i]);
        load(apr_pstrcat(pool, "exec:", path_of("program"), NULL), &strict);
    }
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static apr_status_t assert_wiped(void *data)
{
    const av_slice *secret = data;

    for (apr_size_t i = 0; i < secret->len; i++) {
        ck_assert_int_eq(secret->at[i], '\0');
    }
    return APR_SUCCESS;
}

START_TEST(a_secret_is_wiped_with_its_pool)
{
    char bytes[] = SECRET;
    av_slice secret = { NULL, 0 };
    apr_pool_t *short_lived;

    apr_pool_create(&short_lived, pool);
    /* Registered first, and so run last, while the memory is still there. */
    apr_pool_cleanup_register(short_lived, &secret, assert_wiped, apr_pool_cleanup_null);
    secret = av_secret_keep((av_slice){ bytes, sizeof(bytes) - 1 }, short_lived);
    ck_assert_ptr_ne(secret.at, bytes);
    assert_slice(secret, AV_SLICE(SECRET), "kept");
    apr_pool_destroy(short_lived);
}
END_TEST

/* A secret that this program holds nowhere in clear. */
#define MASK 0x5a
static unsigned char masked[32];

static bool is_secret_at(const unsigned char *bytes)
{
    for (apr_size_t i = 0; i < sizeof(masked); i++) {
        if ((bytes[i] ^ MASK) != masked[i]) {
            return false;
        }
    }
    return true;
}

/* Occurrences of the secret between two addresses, read as another process would. */
static int occurrences(int memory, unsigned long from, unsigned long to)
{
    static unsigned char window[65536];
    int found = 0;
    apr_size_t step = sizeof(window) - sizeof(masked) + 1;

    for (unsigned long at = from; at < to; at += step) {
        ssize_t count = pread(memory, window, sizeof(window), (off_t)at);
        for (ssize_t i = 0; i + (ssize_t)sizeof(masked) <= count; i++) {
            bool is_window = at + (unsigned long)i - (unsigned long)window < sizeof(window);
            found += !is_window && is_secret_at(window + i);
        }
    }
    return found;
}

/* Occurrences in all writable memory, less what is too large to be this program's own (a sanitizer's shadow). */
static int copies_in_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    char line[512];
    int found = 0;

    ck_assert_ptr_nonnull(maps);
    ck_assert_int_ge(memory, 0);
    while (fgets(line, sizeof(line), maps)) {
        char *end;
        unsigned long from = strtoul(line, &end, 16);
        unsigned long to = strtoul(end + 1, &end, 16);
        if (av_slice_starts_with(av_slice_of(end), AV_SLICE(" rw")) && to - from <= 64UL << 20) {
            found += occurrences(memory, from, to);
        }
    }
    close(memory);
    fclose(maps);
    return found;
}

static void make_masked_file(void)
{
    unsigned char clear[sizeof(masked)];

    ck_assert_int_eq(getentropy(masked, sizeof(masked)), 0);
    for (apr_size_t i = 0; i < sizeof(masked); i++) {
        masked[i] |= 0x80; /* no line end, which would be cut off */
        clear[i] = masked[i] ^ MASK;
    }
    make_file("x", (av_slice){ (char *)clear, sizeof(clear) }, 0600);
    explicit_bzero(clear, sizeof(clear));
}

/* A file; a program's text; the text of a program that then fails. */
static const struct {
    const char *commands;
    bool is_loaded;
} traces[] = { { NULL, true }, { "cat %s", true }, { "cat %s; exit 1", false } };

/* Loads a new secret and gives the number of its copies while the pool lives and after. */
static void load_and_count(const char *text, int *alive, int *after)
{
    apr_pool_t *test_pool = pool;

    make_masked_file();
    ck_assert_int_eq(copies_in_memory(), 0);
    apr_pool_create(&pool, test_pool);
    load(text, &strict);
    *alive = copies_in_memory();
    apr_pool_destroy(pool);
    pool = test_pool;
    *after = copies_in_memory();
}

START_TEST(no_copy_of_a_secret_stays_in_memory)
{
    const char *text = "file:x";
    int alive, after;

    if (traces[_i].commands) {
        make_program("program", apr_psprintf(pool, traces[_i].commands, path_of("x")));
        text = apr_pstrcat(pool, "exec:", path_of("program"), NULL);
    }
    /* Once in vain: where a function is called first, the dynamic linker saves all registers on the stack, and with
     * them what was copied last. */
    load_and_count(text, &alive, &after);
    load_and_count(text, &alive, &after);
    ck_assert_int_eq(alive > 0, traces[_i].is_loaded);
    ck_assert_int_eq(after, 0);
}
END_TEST

static const struct {
    av_slice a, b;
    bool is_equal;
} pairs[] = {
    { TEXT("abc"), TEXT("abc"), true },  { TEXT("a\0b"), TEXT("a\0b"), true }, { TEXT("a\0b"), TEXT("a\0c"), false },
    { TEXT("abc"), TEXT("abd"), false }, { TEXT("xbc"), TEXT("abc"), false },  { TEXT("abc"), TEXT("ABC"), false },
    { TEXT("abc"), TEXT("ab"), false },  { TEXT("ab"), TEXT("abc"), false },   { TEXT(""), TEXT("a"), false },
    { TEXT(""), TEXT(""), false },       { { NULL, 0 }, { NULL, 0 }, false },  { { NULL, 0 }, TEXT("a"), false },
};

START_TEST(equal_secrets_have_the_same_bytes_and_some)
{
    ck_assert_int_eq(av_secret_equal(tight_copy(pairs[_i].a), tight_copy(pairs[_i].b)), pairs[_i].is_equal);
}
END_TEST

static void add_file_tests(TCase *tests)
{
    tcase_add_loop_test(tests, one_line_end_is_cut_from_a_file_and_nothing_else, 0, ROWS(contents));
    tcase_add_loop_test(tests, an_empty_file_is_refused, 0, ROWS(empties));
    tcase_add_loop_test(tests, more_than_64_kib_is_refused, 0, ROWS(lengths));
    tcase_add_loop_test(tests, a_secret_is_read_by_few_and_a_key_is_written_by_one, 0, ROWS(modes));
    if (geteuid() == 0) {
        tcase_add_test(tests, a_file_of_somebody_else_is_refused);
        tcase_add_test(tests, a_file_of_the_user_who_starts_httpd_is_read);
        tcase_add_test(tests, a_file_of_root_is_read_by_its_group);
    }
    tcase_add_test(tests, a_file_that_may_not_be_read_is_an_error);
    tcase_add_test(tests, a_file_that_may_not_be_read_is_a_warning_in_a_configuration_test);
    tcase_add_test(tests, a_missing_file_is_an_error_in_a_configuration_test_too);
    tcase_add_test(tests, a_folder_is_refused);
    tcase_add_test(tests, a_pipe_is_refused_without_waiting_for_its_writer);
    tcase_add_test(tests, a_device_is_refused);
    tcase_add_test(tests, a_link_is_followed);
    tcase_add_test(tests, a_link_to_itself_cannot_be_opened);
    tcase_add_test(tests, an_absolute_path_does_not_need_the_folder);
    tcase_add_test(tests, a_short_secret_is_a_warning_and_a_short_key_is_none);
    tcase_add_test(tests, a_credential_is_a_file_of_systemd_s_folder);
}

static void add_program_tests(TCase *tests)
{
    tcase_add_loop_test(tests, one_line_end_is_cut_from_a_program_s_text_and_nothing_else, 0, ROWS(contents));
    tcase_add_test(tests, a_program_is_written_by_one);
    tcase_add_test(tests, a_program_is_not_run_where_it_must_not_be);
    tcase_add_test(tests, a_program_that_is_not_run_is_still_looked_at);
    tcase_add_loop_test(tests, a_program_that_gives_no_secret_is_refused, 0, ROWS(programs));
    tcase_add_test(tests, a_program_that_cannot_be_run_is_refused);
    tcase_add_test(tests, a_program_is_run_without_shell_arguments_or_input);
    tcase_add_test(tests, a_program_is_run_without_our_end_of_the_pipe);
    tcase_add_test(tests, a_program_s_text_may_come_in_pieces);
    tcase_add_loop_test(tests, a_slow_program_is_killed_with_all_that_it_started, 0, ROWS(slow_programs));
}

Suite *unit_suite(void)
{
    Suite *suite = suite_create("secret");
    TCase *tests = suite_case(suite, "sources");

    tcase_add_loop_test(tests, a_source_is_a_kind_and_an_argument, 0, ROWS(sources));
    tcase_add_loop_test(tests, what_names_no_source_is_refused, 0, ROWS(no_sources));
    tcase_add_loop_test(tests, a_literal_secret_is_refused_and_not_repeated, 0, ROWS(literals));
    tcase_add_test(tests, an_environment_variable_is_taken_as_it_is);
    tcase_add_test(tests, a_variable_that_is_missing_empty_or_too_long_is_refused);
    tests = suite_case(suite, "files");
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_checked_fixture(tests, NULL, become_root_again);
    add_file_tests(tests);
    tests = suite_case(suite, "programs");
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    add_program_tests(tests);
    tests = suite_case(suite, "memory");
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, no_descriptor_stays_open);
    tcase_add_test(tests, a_secret_is_wiped_with_its_pool);
    tcase_add_loop_test(tests, no_copy_of_a_secret_stays_in_memory, 0, ROWS(traces));
    tcase_add_loop_test(tests, equal_secrets_have_the_same_bytes_and_some, 0, ROWS(pairs));
    return suite;
}
