/* A file of clients, in shared memory.
 *
 * The memory holds a control block and two halves. The lowest bit of the generation says which half counts, and the
 * other one is written only after the generation has moved on: a look-up copies what it wants and then asks whether the
 * generation is still the one that it began with. If not, what it copied may be wrong, and it looks again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_file.h"
#include "../core/digest.h"
#include "client_packing.h"
#include "clients_line.h"
#include "clients_snapshot.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#define LONGEST_LINE 65536
#define BUFFER_SIZE (2 * LONGEST_LINE)
#define MOST_MISTAKES 20
#define CONTROL_SIZE 65536 /* no system has larger pages that the halves must begin on */
#define USUAL_HALF ((apr_size_t)1 << 30)
#define SMALLEST_HALF ((apr_size_t)1 << 24)
#define MEMORY_PER_BYTE 16 /* of the file, at most: the shortest lines come to 10, usual ones to less than 2 */
#define TRIES 8

/* The clock of a file system ticks this often, or oftener: two changes within one tick look like one. */
#define TICK (20 * APR_TIME_C(1000))

/* By what a file is known. Zeros: as none is. */
typedef struct file_state {
    uint64_t device, inode, size, second, nanosecond;
} file_state;

typedef struct control_block {
    _Atomic uint64_t generation;
    pthread_mutex_t refreshing; /* one at a time: a restarting parent and the child that watches are two */
    file_state seen;            /* the file that was read last; only who refreshes looks at it */
    unsigned char
        said[AV_SHA256_SIZE]; /* digest of the mistake that was told last, zeros if it is put right; as `seen` */
} control_block;

struct av_clients_file {
    av_client_source source;
    const char *path;
    uid_t runner;
    const av_crypto *crypto;
    void *memory;
    apr_size_t size;
    control_block *control;
    av_snapshot halves[2];
};

/* One reading of the file. */
typedef struct loading {
    const av_clients_file *file;
    av_snapshot_builder builder;
    av_build state;
    apr_array_header_t *mistakes; /* of const char * */
    unsigned line;
    bool is_skipping; /* inside a line that is too long */
    apr_pool_t *pool; /* of the mistakes */
    apr_pool_t *line_pool;
} loading;

/* Looking up. */

static uint64_t generation_of(const av_clients_file *file)
{
    return atomic_load_explicit(&file->control->generation, memory_order_acquire);
}

/* What was read since generation_of was asked was not being written. */
static bool is_still(const av_clients_file *file, uint64_t generation)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&file->control->generation, memory_order_relaxed) == generation;
}

static av_reason unpack(av_slice packed, av_client_record *record, apr_pool_t *pool)
{
    if (!packed.len) {
        return AV_UNKNOWN_CLIENT;
    }
    return av_client_unpack(packed, record, pool) ? AV_ACCEPTED : AV_STORE_UNAVAILABLE;
}

static av_reason find_by_id(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *pool)
{
    const av_clients_file *file = source->store;
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = generation_of(file);
        av_slice packed = av_snapshot_find_id(file->halves[generation & 1], id, pool);
        if (is_still(file, generation)) {
            return unpack(packed, record, pool);
        }
    }
    return AV_STORE_UNAVAILABLE;
}

static av_reason find_by_digest(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                                av_client_record *record, apr_pool_t *pool)
{
    const av_clients_file *file = source->store;
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = generation_of(file);
        av_slice packed = av_snapshot_find_digest(file->halves[generation & 1], digest, pool);
        if (is_still(file, generation)) {
            return unpack(packed, record, pool);
        }
    }
    return AV_STORE_UNAVAILABLE;
}

/* After so many tries even a dummy of the wrong cost is one that nobody knows. */
static av_client_secret dummy(const av_client_source *source, av_secret_kind kind, apr_pool_t *pool)
{
    const av_clients_file *file = source->store;
    av_client_secret secret;
    uint64_t generation;
    int i = 0;
    do {
        generation = generation_of(file);
        secret = av_snapshot_dummy(file->halves[generation & 1], kind, pool);
    } while (!is_still(file, generation) && ++i < TRIES);
    return secret;
}

/* Reading. */

static void add_mistake(loading *load, unsigned line, const char *sentence)
{
    if (load->mistakes->nelts < MOST_MISTAKES) {
        *(const char **)apr_array_push(load->mistakes) =
            apr_psprintf(load->pool, "%s: line %u: %s", load->file->path, line, sentence);
    }
}

static bool is_comment(av_slice line)
{
    line = av_slice_trim(line);
    return !line.len || line.at[0] == '#';
}

static const char *read_client(loading *load, av_slice line)
{
    av_client_record record;
    if (load->line == 1 && av_slice_starts_with(line, AV_SLICE("\xef\xbb\xbf"))) {
        return "begins with a byte-order mark; save the file as UTF-8 without one";
    }
    if (is_comment(line)) {
        return NULL;
    }
    const char *error = av_clients_line_parse(line, &record, load->line_pool);
    if (!error) {
        load->state = av_snapshot_add(&load->builder, &record, load->line, load->line_pool);
    }
    OPENSSL_cleanse(&record, sizeof(record));
    return error;
}

static void take_line(loading *load, av_slice line)
{
    const char *error = "is longer than 64 KiB";
    load->line++;
    if (!load->is_skipping && line.len <= LONGEST_LINE) {
        error = read_client(load, line);
    }
    load->is_skipping = false;
    if (error) {
        add_mistake(load, load->line, error);
    }
    apr_pool_clear(load->line_pool);
}

static bool goes_on(const loading *load)
{
    return load->state == AV_BUILD_DONE && load->mistakes->nelts < MOST_MISTAKES;
}

/* Takes the lines that end in the buffer; what is left of it moves to its beginning. */
static void take_lines(loading *load, char *buffer, apr_size_t *len)
{
    av_slice rest = { buffer, *len }, line;
    while (goes_on(load) && av_slice_contains(rest, '\n')) {
        av_slice_split(&rest, '\n', &line);
        take_line(load, line);
    }
    if (rest.len > LONGEST_LINE) {
        load->is_skipping = true;
        rest.len = 0;
    }
    memmove(buffer, rest.at, rest.len);
    *len = rest.len;
}

static const char *read_lines(loading *load, int descriptor)
{
    char *buffer = apr_palloc(load->pool, BUFFER_SIZE);
    const char *error = NULL;
    apr_size_t len = 0;
    ssize_t got = 1;
    while (!error && got != 0 && goes_on(load)) {
        got = read(descriptor, buffer + len, BUFFER_SIZE - len);
        if (got < 0 && errno != EINTR) {
            error = apr_psprintf(load->pool, "%s cannot be read: %pm", load->file->path, &errno);
        }
        len += got > 0 ? (apr_size_t)got : 0;
        take_lines(load, buffer, &len);
    }
    if (!error && got == 0 && (len || load->is_skipping)) {
        add_mistake(load, load->line + 1, "does not end in a line feed; the file may be half-written");
    }
    OPENSSL_cleanse(buffer, BUFFER_SIZE);
    return error;
}

static const char *finish(loading *load)
{
    apr_array_header_t *duplicates = apr_array_make(load->pool, 4, sizeof(av_duplicate));
    if (load->state == AV_BUILD_DONE) {
        load->state = av_snapshot_finish(&load->builder, duplicates, MOST_MISTAKES, load->line_pool);
    }
    for (int i = 0; i < duplicates->nelts; i++) {
        const av_duplicate *at = &APR_ARRAY_IDX(duplicates, i, av_duplicate);
        const char *what = at->is_secret ? "has a secret that line %u has" : "has the id of line %u";
        add_mistake(load, at->line, apr_psprintf(load->pool, what, at->earlier));
    }
    if (load->mistakes->nelts) {
        return apr_array_pstrcat(load->pool, load->mistakes, '\n');
    }
    if (load->state == AV_BUILD_FULL) {
        return apr_psprintf(load->pool, "%s is larger than the memory that was set aside for it; restart httpd",
                            load->file->path);
    }
    if (load->state == AV_BUILD_FAILED) {
        return apr_psprintf(load->pool, "%s cannot be loaded: libcrypto refused to work", load->file->path);
    }
    return load->builder.client_count ? NULL : apr_psprintf(load->pool, "%s names no client", load->file->path);
}

/* Opening. */

static const char *ask_for(const char *command, const char *fault, const av_clients_file *file, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s %s; run: %s %s", file->path, fault, command, file->path);
}

/* Who may change the file chooses who may come; who may read it knows what signs. */
static const char *check_protection(const av_clients_file *file, const struct stat *found, apr_pool_t *pool)
{
    if (S_ISDIR(found->st_mode)) {
        return apr_psprintf(pool, "%s is a folder; name a file in it", file->path);
    }
    if (!S_ISREG(found->st_mode)) {
        return apr_psprintf(pool, "%s is a device, pipe or socket; name a plain file", file->path);
    }
    if (found->st_uid != 0 && found->st_uid != file->runner) {
        return ask_for("chown root", "belongs neither to root nor to the user that httpd runs as", file, pool);
    }
    if (found->st_mode & (S_IWGRP | S_IWOTH)) {
        return ask_for("chmod go-w", "is writable by others than its owner", file, pool);
    }
    if (found->st_mode & S_IROTH) {
        return ask_for("chmod o=", "is readable by everybody", file, pool);
    }
    /* Whether the group is the runner's only a child can tell: see look. */
    if (found->st_uid != file->runner && !(found->st_mode & S_IRGRP)) {
        return ask_for("chmod g+r", "cannot be read again once httpd has given up root; give it httpd's group", file,
                       pool);
    }
    return NULL;
}

static const char *refuse_unopened(const av_clients_file *file, int reason, apr_pool_t *pool)
{
    if (reason == ENOENT) {
        return apr_psprintf(pool, "%s does not exist; create it or name another", file->path);
    }
    if (reason == EACCES) {
        return apr_psprintf(
            pool, "%s may not be read by the user that runs this; give it that user's group and mode 0640", file->path);
    }
    return apr_psprintf(pool, "%s cannot be opened: %pm", file->path, &reason);
}

static file_state state_of(const struct stat *found)
{
    return (file_state){ (uint64_t)found->st_dev, (uint64_t)found->st_ino, (uint64_t)found->st_size,
                         (uint64_t)found->st_ctim.tv_sec, (uint64_t)found->st_ctim.tv_nsec };
}

static bool same_state(const file_state *a, const file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->second == b->second &&
           a->nanosecond == b->nanosecond;
}

/* Waits until a change that comes later looks like one. */
static bool examine(int descriptor, struct stat *found)
{
    for (int i = 0; i < TRIES; i++) {
        if (fstat(descriptor, found) != 0) {
            return false;
        }
        apr_time_t changed = apr_time_from_sec(found->st_ctim.tv_sec) + found->st_ctim.tv_nsec / 1000;
        apr_time_t age = apr_time_now() - changed;
        if (age < 0 || age >= TICK) {
            return true;
        }
        apr_sleep(TICK - age);
    }
    return true;
}

/* Reads an open file into the idle half. */
static const char *build(loading *load, int descriptor, const struct stat *before)
{
    struct stat after;
    const char *error = read_lines(load, descriptor);
    file_state state = state_of(before), now = { 0 };
    if (!error && fstat(descriptor, &after) == 0) {
        now = state_of(&after);
    }
    if (!error && !same_state(&state, &now)) {
        memset(&load->file->control->seen, 0, sizeof(file_state));
        error = apr_psprintf(load->pool, "%s changed while it was read", load->file->path);
    }
    return error ? error : finish(load);
}

/* The half that was in force is idle now; what it held is gone as soon as nobody counts on it. */
static void flip(const av_clients_file *file, uint64_t generation)
{
    atomic_store_explicit(&file->control->generation, generation + 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    av_snapshot_discard(file->halves[generation & 1]);
}

static const char *load_open(const av_clients_file *file, int descriptor, apr_pool_t *pool)
{
    struct stat found;
    uint64_t generation = generation_of(file);
    av_snapshot idle = file->halves[(generation + 1) & 1];
    loading load = { .file = file, .pool = pool, .mistakes = apr_array_make(pool, 4, sizeof(const char *)) };
    const char *error =
        examine(descriptor, &found) ? check_protection(file, &found, pool) : refuse_unopened(file, errno, pool);
    if (error) {
        return error;
    }
    file->control->seen = state_of(&found);
    apr_pool_create(&load.line_pool, pool);
    atomic_thread_fence(memory_order_release); /* nothing is written to the idle half before it is known to be idle */
    av_snapshot_discard(idle);                 /* of one that was never finished: who built it was killed */
    av_snapshot_start(&load.builder, idle, file->crypto);
    error = build(&load, descriptor, &found);
    apr_pool_destroy(load.line_pool);
    if (error) {
        av_snapshot_discard(idle);
        return error;
    }
    flip(file, generation);
    return NULL;
}

static const char *load_file(const av_clients_file *file, apr_pool_t *pool)
{
    /* Opening a pipe waits for its writer unless told not to. */
    int descriptor = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) {
        return refuse_unopened(file, errno, pool);
    }
    const char *error = load_open(file, descriptor, pool);
    close(descriptor);
    return error;
}

/* What can be said of the file without opening it. */
static const char *look(const av_clients_file *file, file_state *state, apr_pool_t *pool)
{
    struct stat found;
    if (stat(file->path, &found) != 0) {
        return refuse_unopened(file, errno, pool);
    }
    *state = state_of(&found);
    const char *error = check_protection(file, &found, pool);
    if (!error && faccessat(AT_FDCWD, file->path, R_OK, AT_EACCESS) != 0) {
        error = refuse_unopened(file, errno, pool);
    }
    return error;
}

/* Tells a mistake unless it was told last time. */
static av_refresh refuse(const av_clients_file *file, const char *error, const char **message)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = 0;
    bool is_known = av_digest(file->crypto->sha256, av_slice_of(error), digest, &size) &&
                    CRYPTO_memcmp(digest, file->control->said, AV_SHA256_SIZE) == 0;
    memcpy(file->control->said, digest, AV_SHA256_SIZE);
    *message = is_known ? NULL : error;
    return is_known ? AV_REFRESH_UNCHANGED : AV_REFRESH_REFUSED;
}

/* Whoever held it and died left a half unfinished that does not count yet: it is built anew. */
static bool begin_refresh(control_block *control)
{
    int status = pthread_mutex_trylock(&control->refreshing);
    if (status == EOWNERDEAD) {
        memset(&control->seen, 0, sizeof(control->seen));
        status = pthread_mutex_consistent(&control->refreshing);
    }
    return status == 0;
}

static bool make_lock(control_block *control)
{
    pthread_mutexattr_t attributes;
    bool done = pthread_mutexattr_init(&attributes) == 0 &&
                pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                pthread_mutex_init(&control->refreshing, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return done;
}

static av_refresh refresh(av_clients_file *file, const char **message, apr_pool_t *pool)
{
    file_state state = { 0 };
    control_block *control = file->control;
    const char *error = look(file, &state, pool);
    if (error) {
        memset(&control->seen, 0, sizeof(control->seen));
        return refuse(file, error, message);
    }
    if (same_state(&state, &control->seen)) {
        return AV_REFRESH_UNCHANGED;
    }
    error = load_file(file, pool);
    if (error) {
        return refuse(file, error, message);
    }
    memset(control->said, 0, sizeof(control->said));
    *message =
        apr_psprintf(pool, "%s: %" APR_SIZE_T_FMT " clients are in force", file->path, av_clients_file_count(file));
    return AV_REFRESH_LOADED;
}

av_refresh av_clients_file_refresh(av_clients_file *file, const char **message, apr_pool_t *pool)
{
    *message = NULL;
    if (!begin_refresh(file->control)) {
        return AV_REFRESH_UNCHANGED; /* somebody is at it */
    }
    av_refresh what = refresh(file, message, pool);
    pthread_mutex_unlock(&file->control->refreshing);
    return what;
}

/* Memory. */

static apr_status_t unmap(void *data)
{
    av_clients_file *file = data;
    munmap(file->memory, file->size);
    return APR_SUCCESS;
}

/* Address space costs nothing; a page costs memory once it is written. Where there is little of it, less is asked for.
 * */
static bool reserve(av_clients_file *file, apr_size_t half, apr_pool_t *pool)
{
    file->memory = MAP_FAILED;
    for (; half >= SMALLEST_HALF && file->memory == MAP_FAILED; half /= 2) {
        file->size = CONTROL_SIZE + 2 * half;
        file->memory =
            mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (file->memory == MAP_FAILED) {
        return false;
    }
    apr_pool_cleanup_register(pool, file, unmap, apr_pool_cleanup_null);
#ifdef MADV_DONTDUMP
    madvise(file->memory, file->size, MADV_DONTDUMP);
#endif
    half = (file->size - CONTROL_SIZE) / 2;
    file->control = file->memory;
    for (int i = 0; i < 2; i++) {
        char *at = (char *)file->memory + CONTROL_SIZE + (apr_size_t)i * half;
        file->halves[i] = (av_snapshot){ (_Atomic uint64_t *)(void *)at, half / sizeof(uint64_t) };
    }
    return true;
}

/* Room for the file, and to grow. */
static apr_size_t half_for(const char *path)
{
    struct stat found;
    apr_size_t half = USUAL_HALF;
    while (stat(path, &found) == 0 && half / MEMORY_PER_BYTE < (apr_size_t)found.st_size && half <= APR_SIZE_MAX / 8) {
        half *= 2;
    }
    return half;
}

const char *av_clients_file_open(const char *path, uid_t runner, const av_crypto *crypto, apr_pool_t *pool,
                                 av_clients_file **file)
{
    av_clients_file *opened = apr_pcalloc(pool, sizeof(*opened));
    opened->source = (av_client_source){ opened, find_by_id, find_by_digest, dummy };
    opened->path = apr_pstrdup(pool, path);
    opened->runner = runner;
    opened->crypto = crypto;
    *file = NULL;
    if (!reserve(opened, half_for(path), pool) || !make_lock(opened->control)) {
        return apr_psprintf(pool, "no memory can be set aside for %s: %pm", path, &errno);
    }
    const char *error = load_file(opened, pool);
    if (!error) {
        *file = opened;
    }
    return error;
}

const av_client_source *av_clients_file_source(const av_clients_file *file)
{
    return &file->source;
}

apr_size_t av_clients_file_count(const av_clients_file *file)
{
    return av_snapshot_count(file->halves[generation_of(file) & 1]);
}
