/* A file that is read again when it changes.
 *
 * The memory holds a control block and two slots. The lowest bit of the generation says which slot counts, and the
 * other one is written only after the generation has moved on: a look-up reads what it wants and then asks whether the
 * generation is still the one that it began with.
 * SPDX-License-Identifier: Apache-2.0 */
#include "watched_file.h"
#include "siphash.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <apr_user.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#define CONTROL_SIZE 65536 /* no system has larger pages that the slots must begin on */
#define USUAL_SLOT ((apr_size_t)1 << 30)
#define SMALLEST_SLOT ((apr_size_t)1 << 24)
#define MEMORY_PER_BYTE 16 /* of the file, at most: the shortest lines come to 11, usual ones to less than 2 */

/* The clock of a file system ticks this often, or oftener: two changes within one tick look like one. */
#define TICK (20 * APR_TIME_C(1000))
#define WAITS 8

/* By what a file is known. Zeros: as none is. */
typedef struct file_state {
    uint64_t device, inode, size, second, nanosecond;
} file_state;

typedef struct control_block {
    _Atomic uint64_t generation; /* 0: nothing was ever loaded */
    pthread_mutex_t
        refreshing;    /* one at a time: a restarting parent, the child that watches, and who changes the file */
    file_state seen;   /* the file that was read last; only who refreshes looks at it */
    file_state loaded; /* the file that is in force; as `seen` */
    uint64_t said;     /* hash of the mistake that was told last, 0 if it is put right; as `seen` */
} control_block;

struct av_watched_file {
    const av_watched_kind *kind;
    const void *baton;
    const char *path;
    uid_t runner;
    control_block *control;
    av_slot slots[2];
};

/* Looking up. */

static uint64_t generation_of(const av_watched_file *file)
{
    return atomic_load_explicit(&file->control->generation, memory_order_acquire);
}

av_slot av_watched_file_slot(const av_watched_file *file, uint64_t *generation)
{
    *generation = generation_of(file);
    return file->slots[*generation & 1];
}

bool av_watched_file_is_still(const av_watched_file *file, uint64_t generation)
{
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&file->control->generation, memory_order_relaxed) == generation;
}

apr_size_t av_watched_file_count(const av_watched_file *file)
{
    return av_slot_get(file->slots[generation_of(file) & 1], AV_SLOT_COUNT);
}

const char *av_watched_file_path(const av_watched_file *file)
{
    return file->path;
}

/* Looking at the file. */

static const char *ask_for(const char *command, const char *fault, const av_watched_file *file, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s %s; run: %s %s", file->path, fault, command, file->path);
}

/* Who may change the file chooses who may come; who may read a private one knows what signs. */
static const char *check_protection(const av_watched_file *file, const struct stat *found, apr_pool_t *pool)
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
    if (file->kind->is_private && found->st_mode & S_IROTH) {
        return ask_for("chmod o=", "is readable by everybody", file, pool);
    }
    /* Whether the group is the runner's only the runner can tell: see av_watched_file_reach. */
    if (found->st_uid != file->runner && !(found->st_mode & (S_IRGRP | S_IROTH))) {
        return ask_for("chmod g+r", "cannot be read again once httpd has given up root; give it httpd's group", file,
                       pool);
    }
    return NULL;
}

/* The first folder on the way that whoever calls may not enter; NULL where it is not a folder that keeps the file away.
 */
static const char *closed_folder(const char *path, apr_pool_t *pool)
{
    for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
        const char *folder = apr_pstrmemdup(pool, path, (apr_size_t)(end - path));
        if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0) {
            return folder;
        }
    }
    return NULL;
}

static const char *caller(apr_pool_t *pool)
{
    char *name = NULL;
    bool is_named = apr_uid_name_get(&name, geteuid(), pool) == APR_SUCCESS;
    return is_named ? name : apr_psprintf(pool, "the user %lu", (unsigned long)geteuid());
}

static const char *refuse_unopened(const av_watched_file *file, int reason, apr_pool_t *pool)
{
    if (reason == ENOENT) {
        return apr_psprintf(pool, "%s does not exist; create it or name another", file->path);
    }
    if (reason != EACCES) {
        return apr_psprintf(pool, "%s cannot be opened: %pm", file->path, &reason);
    }
    const char *folder = closed_folder(file->path, pool);
    return folder ? apr_psprintf(pool,
                                 "%s may not be read by %s, who may not enter %s; give that folder this user's group "
                                 "and mode 0750",
                                 file->path, caller(pool), folder)
                  : apr_psprintf(pool, "%s may not be read by %s; give it this user's group and mode 0640", file->path,
                                 caller(pool));
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

/* What can be said of the file without opening it. */
static const char *look(const av_watched_file *file, file_state *state, apr_pool_t *pool)
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

const char *av_watched_file_reach(const av_watched_file *file, apr_pool_t *pool)
{
    file_state state;
    return look(file, &state, pool);
}

/* Waits until a change that comes later looks like one. */
static bool examine(int descriptor, struct stat *found)
{
    for (int i = 0; i < WAITS; i++) {
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

/* Loading. */

/* A file that somebody writes in place, or takes away, while it is read says nothing: *is_unsettled. */
static const char *fill(const av_watched_file *file, av_slot idle, const av_opened_file *from, bool *is_unsettled,
                        apr_pool_t *pool)
{
    struct stat after;
    file_state *seen = &file->control->seen, now = { 0 };
    const char *error = file->kind->fill(file->baton, idle, from, pool);
    if (fstat(from->descriptor, &after) == 0) {
        now = state_of(&after);
    }
    *is_unsettled = !same_state(seen, &now);
    if (*is_unsettled) {
        memset(seen, 0, sizeof(*seen));
        error = apr_psprintf(pool, "%s changed while it was read", file->path);
    }
    return error;
}

/* The slot that was in force is idle now; what it held is gone as soon as nobody counts on it. */
static void flip(const av_watched_file *file, uint64_t generation, av_pace *pace)
{
    atomic_store_explicit(&file->control->generation, generation + 1, memory_order_release);
    atomic_thread_fence(memory_order_release);
    av_slot_discard(file->slots[generation & 1], pace);
}

static const char *load_open(const av_watched_file *file, const av_opened_file *from, bool *is_unsettled,
                             apr_pool_t *pool)
{
    struct stat found;
    uint64_t generation = generation_of(file);
    av_slot idle = file->slots[(generation + 1) & 1];
    const char *error =
        examine(from->descriptor, &found) ? check_protection(file, &found, pool) : refuse_unopened(file, errno, pool);
    if (error) {
        return error;
    }
    file->control->seen = state_of(&found);
    atomic_thread_fence(memory_order_release); /* nothing is written to the idle slot before it is known to be idle */
    av_slot_discard(idle, from->pace);         /* of one that was never finished: who built it was killed */
    error = fill(file, idle, from, is_unsettled, pool);
    if (error) {
        av_slot_discard(idle, from->pace);
        return error;
    }
    flip(file, generation, from->pace);
    file->control->loaded = file->control->seen;
    return NULL;
}

static const char *load(const av_watched_file *file, av_pace *pace, bool *is_unsettled, apr_pool_t *pool)
{
    *is_unsettled = false;
    /* Opening a pipe waits for its writer unless told not to. */
    int descriptor = open(file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) {
        return refuse_unopened(file, errno, pool);
    }
    av_opened_file opened = { descriptor, file->path, pace };
    const char *error = load_open(file, &opened, is_unsettled, pool);
    close(descriptor);
    return error;
}

/* Refreshing. */

static uint64_t hash_of(const char *mistake)
{
    static const uint64_t key[2];
    return av_siphash(key, av_slice_of(mistake));
}

void av_watched_file_note(const av_watched_file *file, const char *mistake)
{
    file->control->said = hash_of(mistake);
}

/* Tells a mistake unless it was told last time. */
static av_refresh refuse(const av_watched_file *file, const char *error, const char **message)
{
    bool is_known = file->control->said == hash_of(error);
    av_watched_file_note(file, error);
    *message = is_known ? NULL : error;
    return is_known ? AV_REFRESH_UNCHANGED : AV_REFRESH_REFUSED;
}

/* Whoever held it and died left a slot unfinished that does not count yet, or one that counts behind what its file has
 * become: it is built anew. */
static bool is_locked(control_block *control, int status)
{
    if (status == EOWNERDEAD) {
        memset(&control->seen, 0, sizeof(control->seen));
        memset(&control->loaded, 0, sizeof(control->loaded));
        status = pthread_mutex_consistent(&control->refreshing);
    }
    return status == 0;
}

static bool begin_refresh(control_block *control)
{
    return is_locked(control, pthread_mutex_trylock(&control->refreshing));
}

static av_refresh refresh(const av_watched_file *file, const char **message, apr_pool_t *pool)
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
    bool is_unsettled;
    av_pace pace = av_pace_start();
    error = load(file, &pace, &is_unsettled, pool);
    if (error) {
        return is_unsettled ? AV_REFRESH_UNCHANGED : refuse(file, error, message);
    }
    control->said = 0;
    *message = apr_psprintf(pool, "%s: %" APR_SIZE_T_FMT " %s are in force", file->path, av_watched_file_count(file),
                            file->kind->noun);
    return AV_REFRESH_LOADED;
}

av_refresh av_watched_file_refresh(const av_watched_file *file, const char **message, apr_pool_t *pool)
{
    *message = NULL;
    if (!begin_refresh(file->control)) {
        return AV_REFRESH_UNCHANGED; /* somebody is at it */
    }
    av_refresh what = refresh(file, message, pool);
    pthread_mutex_unlock(&file->control->refreshing);
    return what;
}

/* Changing it. */

bool av_watched_file_hold(const av_watched_file *file, apr_time_t until)
{
    const struct timespec end = { (time_t)apr_time_sec(until), (long)apr_time_usec(until) * 1000 };
    return is_locked(file->control, pthread_mutex_timedlock(&file->control->refreshing, &end));
}

void av_watched_file_release(const av_watched_file *file)
{
    pthread_mutex_unlock(&file->control->refreshing);
}

const char *av_watched_file_catch_up(const av_watched_file *file, int descriptor, apr_pool_t *pool)
{
    struct stat found;
    bool is_unsettled;
    if (fstat(descriptor, &found) != 0) {
        return refuse_unopened(file, errno, pool);
    }
    file_state state = state_of(&found);
    return same_state(&state, &file->control->loaded) ? NULL : load(file, NULL, &is_unsettled, pool);
}

void av_watched_file_is_at(const av_watched_file *file, int descriptor)
{
    struct stat found = { 0 };
    file->control->loaded = fstat(descriptor, &found) == 0 ? state_of(&found) : (file_state){ 0 };
    file->control->seen = file->control->loaded;
}

/* Memory. */

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

/* Room for the file, and to grow. */
static apr_size_t slot_for(const char *path)
{
    struct stat found;
    apr_size_t slot = USUAL_SLOT;
    while (stat(path, &found) == 0 && slot / MEMORY_PER_BYTE < (apr_size_t)found.st_size && slot <= APR_SIZE_MAX / 8) {
        slot *= 2;
    }
    return slot;
}

/* Where there is little address space, less is asked for. */
av_shared_memory av_shared_memory_reserve(const char *path)
{
    av_shared_memory memory = { MAP_FAILED, 0 };
    for (apr_size_t slot = slot_for(path); slot >= SMALLEST_SLOT && memory.at == MAP_FAILED; slot /= 2) {
        memory.size = CONTROL_SIZE + 2 * slot;
        memory.at = mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (memory.at == MAP_FAILED) {
        return (av_shared_memory){ NULL, 0 };
    }
#ifdef MADV_DONTDUMP
    madvise(memory.at, memory.size, MADV_DONTDUMP);
#endif
    if (!make_lock(memory.at)) {
        av_shared_memory_release(memory);
        return (av_shared_memory){ NULL, 0 };
    }
    return memory;
}

void av_shared_memory_release(av_shared_memory memory)
{
    munmap(memory.at, memory.size);
}

static apr_status_t release(void *data)
{
    av_shared_memory_release(*(av_shared_memory *)data);
    return APR_SUCCESS;
}

av_shared_memory av_shared_memory_make(const char *path, apr_pool_t *pool)
{
    av_shared_memory memory = av_shared_memory_reserve(path);
    if (memory.at) {
        apr_pool_cleanup_register(pool, apr_pmemdup(pool, &memory, sizeof(memory)), release, apr_pool_cleanup_null);
    }
    return memory;
}

static void divide(av_watched_file *file, av_shared_memory memory)
{
    apr_size_t slot = (memory.size - CONTROL_SIZE) / 2;
    file->control = memory.at;
    for (apr_size_t i = 0; i < 2; i++) {
        char *at = (char *)memory.at + CONTROL_SIZE + i * slot;
        file->slots[i] = (av_slot){ (_Atomic uint64_t *)(void *)at, slot / sizeof(uint64_t) };
    }
}

const char *av_watched_file_open(const av_watch *watch, const av_watched_kind *kind, const void *baton,
                                 apr_pool_t *pool, av_watched_file **file)
{
    av_watched_file *opened = apr_pcalloc(pool, sizeof(*opened));
    opened->kind = kind;
    opened->baton = baton;
    opened->path = apr_pstrdup(pool, watch->path);
    opened->runner = watch->runner;
    *file = NULL;
    if (!watch->memory.at) {
        return apr_psprintf(pool, "no memory can be set aside for %s; see ulimit -v and vm.overcommit_memory",
                            watch->path);
    }
    divide(opened, watch->memory);
    const char *error = NULL;
    bool is_unsettled = !generation_of(opened);
    for (int i = 0; is_unsettled && i < WAITS; i++) {
        error = load(opened, NULL, &is_unsettled, pool);
    }
    *file = error ? NULL : opened;
    return error;
}
