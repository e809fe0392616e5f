/* Loads secrets from files, the environment, programs and systemd, and wipes every copy that it made.
 * SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECRET_BYTES 65536
#define SHORT_SECRET_BYTES 16
#define LONGEST_LINE_END 2
#define PROGRAM_SECONDS 10

extern char **environ;

/* What a descriptor gave. The byte more than a secret and its line end may have tells that there is too much. */
typedef struct reading {
    char at[MAX_SECRET_BYTES + LONGEST_LINE_END + 1];
    apr_size_t len;
} reading;

/* One call of av_source_load. */
typedef struct loading {
    const av_source_access *access;
    const char *what; /* what sentences call the source */
    const char *path; /* of a file or program; NULL for a variable */
    av_slice *secret;
    const char **warning;
    apr_pool_t *pool;
} loading;

static const struct {
    const char *prefix;
    av_source_kind kind;
} kinds[] = {
    { "file:", AV_SOURCE_FILE },
    { "env:", AV_SOURCE_ENV },
    { "exec:", AV_SOURCE_EXEC },
    { "credential:", AV_SOURCE_CREDENTIAL },
};

const char *av_source_parse(const char *text, av_source *source, apr_pool_t *pool)
{
    av_slice rest = av_slice_of(text);

    for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        av_slice prefix = av_slice_of(kinds[i].prefix);
        if (!av_slice_starts_with(rest, prefix)) {
            continue;
        }
        const char *argument = apr_pstrdup(pool, text + prefix.len);
        const char *slash = kinds[i].kind == AV_SOURCE_ENV ? NULL : strrchr(argument, '/');
        if (!*argument) {
            return apr_psprintf(pool, "nothing follows \"%s\"; name what the secret is read from", prefix.at);
        }
        if (kinds[i].kind == AV_SOURCE_EXEC && *argument != '/') {
            return apr_psprintf(pool, "\"exec:%s\" is not an absolute path; write exec:/path/to/program", argument);
        }
        if (kinds[i].kind == AV_SOURCE_CREDENTIAL && slash) {
            return apr_psprintf(pool, "\"credential:%s\" is a path; write the credential's name alone", argument);
        }
        *source = (av_source){ kinds[i].kind, argument, slash ? slash + 1 : argument };
        return NULL;
    }
    return "a secret is not written here but named: file:PATH, env:NAME, exec:PROGRAM or credential:NAME";
}

static apr_status_t wipe(void *data)
{
    const av_slice *secret = data;

    OPENSSL_cleanse((char *)secret->at, secret->len);
    return APR_SUCCESS;
}

av_slice av_secret_keep(av_slice bytes, apr_pool_t *pool)
{
    av_slice *kept = apr_palloc(pool, sizeof(*kept));

    *kept = (av_slice){ av_slice_string(bytes, pool), bytes.len };
    apr_pool_cleanup_register(pool, kept, wipe, apr_pool_cleanup_null);
    return *kept;
}

bool av_secret_equal(av_slice a, av_slice b)
{
    return a.len == b.len && a.len > 0 && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

/* The last step of every source. */
static const char *keep_secret(const loading *load, av_slice found)
{
    if (found.len == 0) {
        return apr_psprintf(load->pool, "%s is empty; put a secret into it", load->what);
    }
    if (found.len > MAX_SECRET_BYTES) {
        return apr_psprintf(load->pool, "%s gives more than %d bytes, which is no secret; name another source",
                            load->what, MAX_SECRET_BYTES);
    }
    if (found.len < SHORT_SECRET_BYTES && !load->access->is_public) {
        *load->warning =
            apr_psprintf(load->pool, "%s gives a secret shorter than %d bytes; use one that nobody guesses", load->what,
                         SHORT_SECRET_BYTES);
    }
    *load->secret = av_secret_keep(found, load->pool);
    return NULL;
}

/* Keeps what a file or a program gave, less its line end, and wipes the reading. */
static const char *keep_reading(const loading *load, reading *text)
{
    av_slice found = { text->at, text->len };

    if (found.len > 0 && found.at[found.len - 1] == '\n') {
        found.len--;
        if (found.len > 0 && found.at[found.len - 1] == '\r') {
            found.len--;
        }
    }
    const char *error = keep_secret(load, found);
    OPENSSL_cleanse(text->at, text->len);
    return error;
}

/* Reads once and returns what read(2) does; 0 also where there is no more room. */
static ssize_t read_more(int descriptor, reading *text)
{
    ssize_t count;

    do {
        count = read(descriptor, text->at + text->len, sizeof(text->at) - text->len);
    } while (count < 0 && errno == EINTR);
    text->len += count > 0 ? (apr_size_t)count : 0;
    return count;
}

static const char *ask_for(const char *command, const char *fault, const loading *load)
{
    return apr_psprintf(load->pool, "%s %s; run: %s %s", load->what, fault, command, load->path);
}

/* Who may read and who may write: the same for a file that is read and a program that is run. */
static const char *check_protection(const loading *load, const struct stat *found, bool is_public)
{
    if (found->st_uid != 0 && found->st_uid != geteuid()) {
        return ask_for("chown root", "belongs neither to root nor to the user who starts httpd", load);
    }
    if (!is_public && (found->st_mode & S_IROTH)) {
        return ask_for("chmod o=", "is readable by others", load);
    }
    if (found->st_mode & S_IWOTH) {
        return ask_for("chmod o-w", "is writable by others", load);
    }
    if (found->st_mode & S_IWGRP) {
        return ask_for("chmod g-w", "is writable by its group", load);
    }
    return NULL;
}

/* Asks the open descriptor, not the path: what was checked is what is read. */
static const char *read_file(const loading *load, int file, reading *text)
{
    struct stat found;
    ssize_t count;

    if (fstat(file, &found) != 0) {
        return apr_psprintf(load->pool, "%s cannot be examined: %pm", load->what, &errno);
    }
    if (S_ISDIR(found.st_mode)) {
        return apr_psprintf(load->pool, "%s is a folder; name a file in it", load->what);
    }
    if (!S_ISREG(found.st_mode)) {
        return apr_psprintf(load->pool, "%s is a device, pipe or socket; name a regular file", load->what);
    }
    const char *error = check_protection(load, &found, load->access->is_public);
    if (error) {
        return error;
    }
    do {
        count = read_more(file, text);
    } while (count > 0);
    return count < 0 ? apr_psprintf(load->pool, "%s cannot be read: %pm", load->what, &errno) : NULL;
}

/* The sentence for an open(2) or stat(2) that failed; a warning where the configuration is only tested, by whom it may
 * be. */
static const char *refuse_unopened(const loading *load)
{
    if (errno == ENOENT) {
        return apr_psprintf(load->pool, "%s does not exist; create it or name another", load->what);
    }
    if (errno == EACCES && load->access->tests_only) {
        *load->warning = apr_psprintf(load->pool, "%s was not checked: this user may not read it", load->what);
        return NULL;
    }
    if (errno == EACCES) {
        return apr_psprintf(load->pool, "%s may not be read by this user; start httpd as root or as its owner",
                            load->what);
    }
    return apr_psprintf(load->pool, "%s cannot be opened: %pm", load->what, &errno);
}

static const char *load_file(const loading *load)
{
    reading text = { .len = 0 };
    /* Opening a pipe waits for its writer unless told not to. */
    int file = open(load->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (file < 0) {
        return refuse_unopened(load);
    }
    const char *error = read_file(load, file, &text);
    close(file);
    if (error) {
        OPENSSL_cleanse(text.at, text.len);
        return error;
    }
    return keep_reading(load, &text);
}

static const char *load_named_file(loading *load, const char *argument)
{
    char *path;

    if (apr_filepath_merge(&path, load->access->base, argument, 0, load->pool) != APR_SUCCESS) {
        return apr_psprintf(load->pool, "\"file:%s\" cannot be made a path; write an absolute one", argument);
    }
    load->path = path;
    load->what = apr_psprintf(load->pool, "%s file \"%s\"", load->access->is_public ? "key" : "secret", path);
    return load_file(load);
}

static const char *load_credential(loading *load, const char *argument)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (!folder) {
        return apr_psprintf(load->pool,
                            "CREDENTIALS_DIRECTORY is not set; put LoadCredential=%s:PATH into httpd's unit", argument);
    }
    load->path = apr_pstrcat(load->pool, folder, "/", argument, NULL);
    load->what = apr_psprintf(load->pool, "credential file \"%s\"", load->path);
    return load_file(load);
}

static const char *load_variable(loading *load, const char *argument)
{
    const char *value = getenv(argument);

    load->what = apr_psprintf(load->pool, "environment variable %s", argument);
    if (!value) {
        return apr_psprintf(load->pool, "%s is not set; set it where httpd is started", load->what);
    }
    return keep_secret(load, av_slice_of(value));
}

/* Starts the program in a process group of its own, so that whatever it starts can be ended with it. Its standard
 * output is `output`. Returns an errno. */
static int start_program(const char *path, int output, pid_t *process)
{
    char *arguments[] = { (char *)path, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int error = posix_spawn(process, path, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Not the time of day: at boot, when httpd starts, that one still jumps. */
static apr_time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return apr_time_from_sec(time.tv_sec) + time.tv_nsec / 1000;
}

static apr_time_t remaining(apr_time_t deadline)
{
    apr_time_t left = deadline - now();

    return left > 0 ? left : 0;
}

/* Reads until the program closes its output. Returns false if that takes too long, gives too much or fails. */
static bool read_output(int output, apr_time_t deadline, reading *text)
{
    struct pollfd ready = { .fd = output, .events = POLLIN };
    ssize_t count = 1;

    while (count > 0 && text->len < sizeof(text->at)) {
        int found = poll(&ready, 1, (int)apr_time_as_msec(remaining(deadline)));
        if (found == 0 || (found < 0 && errno != EINTR)) {
            return false;
        }
        count = found > 0 ? read_more(output, text) : 1;
    }
    return count == 0;
}

/* Returns false if the program still runs at the deadline. */
static bool wait_for_end(pid_t process, apr_time_t deadline, int *status)
{
    pid_t ended = waitpid(process, status, WNOHANG);

    while (ended == 0 && remaining(deadline) > 0) {
        apr_sleep(apr_time_from_msec(1));
        ended = waitpid(process, status, WNOHANG);
    }
    return ended == process;
}

static void kill_program(pid_t process)
{
    int status;

    kill(-process, SIGKILL);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
        /* Once more: SIGKILL is certain to end it. */
    }
}

/* Reads what a started program writes, and sees it end, one way or the other. Too much is left to keep_secret. */
static const char *read_program(const loading *load, pid_t process, int output, reading *text)
{
    apr_time_t deadline = now() + apr_time_from_sec(PROGRAM_SECONDS);
    int status;

    if (!read_output(output, deadline, text) || !wait_for_end(process, deadline, &status)) {
        kill_program(process);
        if (text->len == sizeof(text->at)) {
            return NULL;
        }
        return apr_psprintf(load->pool, "%s did not end within %d seconds and was killed; run it by hand", load->what,
                            PROGRAM_SECONDS);
    }
    if (!WIFEXITED(status)) {
        return apr_psprintf(load->pool, "%s was ended by signal %d; run it by hand", load->what, WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return apr_psprintf(load->pool, "%s failed with status %d; run it by hand", load->what, WEXITSTATUS(status));
    }
    return NULL;
}

static const char *run_program(const loading *load, reading *text)
{
    pid_t process;
    int ends[2];

    if (pipe(ends) != 0) {
        return apr_psprintf(load->pool, "%s cannot be run: %pm", load->what, &errno);
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    int failure = start_program(load->path, ends[1], &process);
    close(ends[1]);
    const char *error = failure ? apr_psprintf(load->pool, "%s cannot be run: %pm", load->what, &failure)
                                : read_program(load, process, ends[0], text);
    close(ends[0]);
    return error;
}

static const char *load_output(loading *load, const char *argument)
{
    reading text = { .len = 0 };
    struct stat found;

    load->path = argument;
    load->what = apr_psprintf(load->pool, "program \"%s\"", argument);
    if (stat(argument, &found) != 0) {
        return refuse_unopened(load);
    }
    const char *error = check_protection(load, &found, true);
    if (!error && !load->access->may_execute) {
        return NULL;
    }
    if (!error) {
        error = run_program(load, &text);
    }
    if (error) {
        OPENSSL_cleanse(text.at, text.len);
        return error;
    }
    return keep_reading(load, &text);
}

const char *av_source_load(const av_source *source, const av_source_access *access, av_slice *secret,
                           const char **warning, apr_pool_t *pool)
{
    loading load = { .access = access, .secret = secret, .warning = warning, .pool = pool };

    *secret = (av_slice){ NULL, 0 };
    *warning = NULL;
    switch (source->kind) {
    case AV_SOURCE_FILE:
        return load_named_file(&load, source->argument);
    case AV_SOURCE_ENV:
        return load_variable(&load, source->argument);
    case AV_SOURCE_EXEC:
        return load_output(&load, source->argument);
    case AV_SOURCE_CREDENTIAL:
        return load_credential(&load, source->argument);
    }
    return "a source of an unknown kind";
}
