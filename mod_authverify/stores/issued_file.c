/* Writes the pairs that were issued.
 * SPDX-License-Identifier: Apache-2.0 */
#include "issued_file.h"
#include "../core/codec.h"
#include "../core/digest.h"
#include "../core/timestamp.h"
#include "clients_line.h"
#include "clients_snapshot.h"
#include "file_edit.h"
#include "file_lines.h"

#include <apr_strings.h>
#include <apr_user.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#define LONGEST_WAIT apr_time_from_sec(2) /* for others who change the file */
#define TAIL 65536                        /* a line is not longer */
#define OPEN_FLAGS (O_RDWR | O_APPEND | O_NOFOLLOW)

struct av_issued_file {
    av_pair_store store;
    const av_watched_file *watched;
    const av_crypto *crypto;
};

/* At start. */

static const char *name_of(uid_t user, apr_pool_t *pool)
{
    char *name = NULL;
    return apr_uid_name_get(&name, user, pool) == APR_SUCCESS ? name : apr_psprintf(pool, "%lu", (unsigned long)user);
}

static const char *check_kind(const char *path, const struct stat *found, uid_t runner, apr_pool_t *pool)
{
    if (S_ISLNK(found->st_mode)) {
        return apr_psprintf(pool, "%s is a symbolic link; name the file that it leads to", path);
    }
    if (!S_ISREG(found->st_mode)) {
        return apr_psprintf(pool, "%s is not a plain file; name another", path);
    }
    return found->st_uid == runner
               ? NULL
               : apr_psprintf(pool,
                              "%s does not belong to the user that httpd runs as, who adds to it; run: chown %s %s",
                              path, name_of(runner, pool), path);
}

static bool has_mark(int file)
{
    char first[sizeof(AV_ISSUED_MARK) - 1];
    return pread(file, first, sizeof(first), 0) == (ssize_t)sizeof(first) &&
           memcmp(first, AV_ISSUED_MARK, sizeof(first)) == 0;
}

/* Whoever wrote a line and was killed over it had not answered anybody. */
static const char *cut_half_line(av_file_edit *edit)
{
    char *tail = apr_palloc(edit->pool, TAIL);
    off_t start = edit->was.st_size > TAIL ? edit->was.st_size - TAIL : 0;
    ssize_t len = pread(edit->file, tail, TAIL, start), end = len;
    while (end > 0 && tail[end - 1] != '\n') {
        end--;
    }
    OPENSSL_cleanse(tail, TAIL);
    if (len == end) {
        return NULL;
    }
    bool done = end > 0 && ftruncate(edit->file, start + end) == 0 && fstat(edit->file, &edit->was) == 0;
    return done ? NULL
                : apr_psprintf(edit->pool, "%s does not end in a line feed; remove what is half-written", edit->path);
}

static const char *check_content(const char *path, apr_pool_t *pool)
{
    av_file_edit edit;
    const char *error = av_file_edit_lock(&edit, path, OPEN_FLAGS, apr_time_now() + LONGEST_WAIT, pool);
    if (!error && !has_mark(edit.file)) {
        error = apr_psprintf(pool,
                             "%s is no list of issued pairs: its first line does not begin with " AV_ISSUED_MARK
                             "; name a file of its own",
                             path);
    }
    error = error ? error : cut_half_line(&edit);
    if (edit.file >= 0) {
        av_file_edit_close(&edit);
    }
    return error;
}

const char *av_issued_file_check(const char *path, uid_t runner, apr_pool_t *pool)
{
    struct stat found;
    if (lstat(path, &found) != 0) {
        return errno == ENOENT ? apr_psprintf(pool,
                                              "%s does not exist; run: echo '" AV_ISSUED_MARK
                                              "' | install -m 0600 -o %s /dev/stdin %s",
                                              path, name_of(runner, pool), path)
                               : apr_psprintf(pool, "%s cannot be looked at: %pm", path, &errno);
    }
    const char *error = check_kind(path, &found, runner, pool);
    return error ? error : check_content(path, pool);
}

const char *av_issued_file_reach(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash > path ? apr_pstrmemdup(pool, path, (apr_size_t)(slash - path)) : "/";
    return access(folder, W_OK | X_OK) == 0
               ? NULL
               : apr_psprintf(
                     pool,
                     "%s may not be written by the user that httpd runs as, who takes expired pairs out of %s by "
                     "a new file beside it; give him a folder of his own for it",
                     folder, path);
}

/* Adding. */

static const char *limit(const char *name, av_slice value, apr_pool_t *pool)
{
    return value.len ? apr_pstrcat(pool, " ", name, "=", av_percent_encode(value, "", pool), NULL) : "";
}

/* The line of a pair, which bearer and api-key shall not take for a token. */
static const char *line_of(const av_issued_pair *pair, const av_crypto *crypto, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!av_digest(crypto->sha256, pair->secret, digest, &size)) {
        return NULL;
    }
    return apr_pstrcat(pool, av_percent_encode(pair->token, "", pool),
                       " sha256:", av_encode(AV_BASE64, (av_slice){ (const char *)digest, size }, pool).at,
                       " schemes=token-pair", limit("application", pair->application, pool),
                       limit("user", pair->user, pool), limit("scopes", pair->scopes, pool),
                       limit("org", pair->org, pool), limit("environment", pair->environment, pool),
                       " expires=", av_timestamp_text(pair->expires, pool), "\n", NULL);
}

typedef struct compaction {
    const av_successor *made;
    apr_time_t now;
    bool failed;
    int failure;
} compaction;

/* What is no pair that has expired stays, whatever it is. */
static const char *copy_line(void *baton, av_slice line, unsigned number, apr_pool_t *scratch)
{
    compaction *copying = baton;
    av_client_record record;
    (void)number;
    bool is_pair = line.len && line.at[0] != '#' && !av_clients_line_parse(line, &record, scratch);
    if (is_pair && record.expires && record.expires <= copying->now) {
        return NULL;
    }
    av_slice whole = av_slice_join(line, AV_SLICE("\n"), scratch);
    if (!copying->failed && !av_successor_write(copying->made, whole.at, whole.len)) {
        copying->failed = true;
        copying->failure = errno;
    }
    return NULL;
}

static const char *copy_lines(const av_file_edit *edit, const av_successor *made, apr_time_t now)
{
    compaction copying = { made, now, false, 0 };
    const av_opened_file from = { open(edit->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), edit->path, NULL };
    if (from.descriptor < 0) {
        return apr_psprintf(edit->pool, "%s cannot be opened: %pm", edit->path, &errno);
    }
    av_file_lines lines = av_file_lines_of(&from, copy_line, &copying, edit->pool);
    const char *error = av_file_lines_read(&lines);
    close(from.descriptor);
    error = error ? error : av_file_lines_mistakes(&lines);
    return error || !copying.failed
               ? error
               : apr_psprintf(edit->pool, "%s cannot be written anew: %pm", edit->path, &copying.failure);
}

/* Takes expired pairs out. Returns NULL or a sentence: the file is as it was. */
static const char *compact(const av_file_edit *edit, apr_time_t now)
{
    av_successor made;
    const char *error = av_successor_make(edit, &made);
    if (error) {
        return error;
    }
    error = copy_lines(edit, &made, now);
    error = error ? error : av_successor_close(edit, &made);
    if (error) {
        av_successor_drop(&made);
        return error;
    }
    return av_successor_put(edit, &made);
}

/* The set that is in force has no room: it is made anew, of a file without expired pairs if that can be had. */
static const char *renew(const av_issued_file *file, const av_file_edit *edit, apr_time_t now, const char **why)
{
    av_file_edit after;
    *why = compact(edit, now);
    const char *error = av_file_edit_open(&after, edit->path, O_RDONLY | O_NOFOLLOW, edit->pool);
    error = error ? error : av_watched_file_catch_up(file->watched, after.file, edit->pool);
    if (after.file >= 0) {
        av_file_edit_close(&after);
    }
    return error;
}

static const char *put_in_force(const av_issued_file *file, av_file_edit *edit, const av_client_record *record,
                                apr_time_t now, const char **why)
{
    uint64_t generation;
    av_slot slot = av_watched_file_slot(file->watched, &generation);
    if (av_snapshot_extend(slot, record, file->crypto, edit->pool) != AV_BUILD_DONE) {
        return renew(file, edit, now, why);
    }
    av_watched_file_is_at(file->watched, edit->file);
    return NULL;
}

static av_reason add_line(const av_issued_file *file, av_file_edit *edit, const char *line, apr_time_t now,
                          const char **why)
{
    av_client_record record;
    av_slice text = av_slice_of(line);
    const char *error = av_clients_line_parse((av_slice){ text.at, text.len - 1 }, &record, edit->pool);
    error = error ? error : av_file_edit_append(edit, text.at, text.len);
    error = error ? error : put_in_force(file, edit, &record, now, why);
    *why = error ? error : *why;
    OPENSSL_cleanse(&record, sizeof(record));
    return error ? AV_STORE_UNAVAILABLE : AV_ACCEPTED;
}

static av_reason add_pair(const av_issued_file *file, av_file_edit *edit, const av_issued_pair *pair, apr_size_t most,
                          apr_time_t now, const char **why)
{
    uint64_t generation;
    av_slot slot = av_watched_file_slot(file->watched, &generation);
    const char *line = line_of(pair, file->crypto, edit->pool);
    if (!line) {
        *why = "the library refused to hash";
        return AV_STORE_UNAVAILABLE;
    }
    return av_snapshot_count_pairs(slot, pair->application, pair->user, now, edit->pool) >= most
               ? AV_TOO_MANY_PAIRS
               : add_line(file, edit, line, now, why);
}

static av_reason keep_held(const av_issued_file *file, const av_issued_pair *pair, apr_size_t most, apr_time_t now,
                           apr_time_t until, const char **why, apr_pool_t *pool)
{
    av_file_edit edit;
    const char *error = av_file_edit_lock(&edit, av_watched_file_path(file->watched), OPEN_FLAGS, until, pool);
    error = error ? error : cut_half_line(&edit);
    error = error ? error : av_watched_file_catch_up(file->watched, edit.file, pool);
    av_reason reason = error ? AV_STORE_UNAVAILABLE : add_pair(file, &edit, pair, most, now, why);
    *why = error ? error : *why;
    if (edit.file >= 0) {
        av_file_edit_close(&edit);
    }
    return reason;
}

/* One thread of one process at a time: whoever refreshes the set waits, and so do others who add. */
static av_reason keep(const av_pair_store *store, const av_issued_pair *pair, apr_size_t most, apr_time_t now,
                      const char **why, apr_pool_t *pool)
{
    const av_issued_file *file = store->store;
    apr_time_t until = apr_time_now() + LONGEST_WAIT;
    *why = NULL;
    if (!av_watched_file_hold(file->watched, until)) {
        *why = apr_psprintf(pool, "%s is being read or added to by others, who take too long",
                            av_watched_file_path(file->watched));
        return AV_STORE_UNAVAILABLE;
    }
    av_reason reason = keep_held(file, pair, most, now, until, why, pool);
    av_watched_file_release(file->watched);
    return reason;
}

const av_pair_store *av_issued_file_store(const av_watched_file *watched, const av_crypto *crypto, apr_pool_t *pool)
{
    av_issued_file *file = apr_palloc(pool, sizeof(*file));
    *file = (av_issued_file){ .watched = watched, .crypto = crypto };
    file->store = (av_pair_store){ file, keep };
    return &file->store;
}
