/* A file of clients, in shared memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_file.h"
#include "client_packing.h"
#include "clients_line.h"
#include "clients_snapshot.h"
#include "file_lines.h"

#include <apr_strings.h>
#include <openssl/crypto.h>

struct av_clients_file {
    av_client_source source;
    av_watched_file *watched;
};

/* Looking up. */

static av_reason unpack(av_slice packed, av_client_record *record, apr_pool_t *pool)
{
    if (!packed.len) {
        return AV_UNKNOWN_CLIENT;
    }
    return av_client_unpack(packed, record, pool) ? AV_ACCEPTED : AV_STORE_UNAVAILABLE;
}

static av_reason find_by_id(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *pool)
{
    const av_watched_file *file = source->store;
    for (int i = 0; i < AV_WATCHED_TRIES; i++) {
        uint64_t generation;
        av_slice packed = av_snapshot_find_id(av_watched_file_slot(file, &generation), id, pool);
        if (av_watched_file_is_still(file, generation)) {
            return unpack(packed, record, pool);
        }
    }
    return AV_STORE_UNAVAILABLE;
}

static av_reason find_by_digest(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                                av_client_record *record, apr_pool_t *pool)
{
    const av_watched_file *file = source->store;
    for (int i = 0; i < AV_WATCHED_TRIES; i++) {
        uint64_t generation;
        av_slice packed = av_snapshot_find_digest(av_watched_file_slot(file, &generation), digest, pool);
        if (av_watched_file_is_still(file, generation)) {
            return unpack(packed, record, pool);
        }
    }
    return AV_STORE_UNAVAILABLE;
}

/* After so many tries even a dummy of the wrong cost is one that nobody knows. */
static av_client_secret dummy(const av_client_source *source, av_secret_kind kind, apr_pool_t *pool)
{
    const av_watched_file *file = source->store;
    av_client_secret secret;
    uint64_t generation;
    int i = 0;
    do {
        secret = av_snapshot_dummy(av_watched_file_slot(file, &generation), kind, pool);
    } while (!av_watched_file_is_still(file, generation) && ++i < AV_WATCHED_TRIES);
    return secret;
}

/* Reading. */

typedef struct loading {
    av_snapshot_builder builder;
    av_build state;
    bool may_be_empty;
    av_file_lines lines;
} loading;

static bool is_comment(av_slice line)
{
    line = av_slice_trim(line);
    return !line.len || line.at[0] == '#';
}

static const char *take_line(void *baton, av_slice line, unsigned number, apr_pool_t *scratch)
{
    loading *load = baton;
    av_client_record record;
    if (number == 1 && av_slice_starts_with(line, AV_SLICE(AV_ISSUED_MARK))) {
        load->may_be_empty = true;
    }
    if (is_comment(line)) {
        return NULL;
    }
    const char *error = av_clients_line_parse(line, &record, scratch);
    if (!error) {
        load->state = av_snapshot_add(&load->builder, &record, number, scratch);
        load->lines.is_over = load->state != AV_BUILD_DONE;
    }
    OPENSSL_cleanse(&record, sizeof(record));
    return error;
}

static void build_indexes(loading *load)
{
    apr_array_header_t *duplicates = apr_array_make(load->lines.pool, 4, sizeof(av_duplicate));
    if (load->state == AV_BUILD_DONE) {
        load->state = av_snapshot_finish(&load->builder, duplicates, AV_MOST_MISTAKES, load->lines.pool);
    }
    for (int i = 0; i < duplicates->nelts; i++) {
        const av_duplicate *at = &APR_ARRAY_IDX(duplicates, i, av_duplicate);
        const char *what = at->is_secret ? "has a secret that line %u has" : "has the id of line %u";
        av_file_lines_blame(&load->lines, at->line, apr_psprintf(load->lines.pool, what, at->earlier));
    }
}

static const char *fill(const void *crypto, av_slot to, const av_opened_file *from, apr_pool_t *pool)
{
    loading load = { .state = AV_BUILD_DONE };
    load.lines = av_file_lines_of(from, take_line, &load, pool);
    av_snapshot_start(&load.builder, to, crypto, from->pace);
    const char *error = av_file_lines_read(&load.lines);
    if (error) {
        return error;
    }
    build_indexes(&load);
    error = av_file_lines_mistakes(&load.lines);
    if (!error && load.state == AV_BUILD_FULL) {
        error = apr_psprintf(pool, "%s is larger than the memory that was set aside for it; restart httpd", from->path);
    }
    if (!error && load.state == AV_BUILD_FAILED) {
        error = apr_psprintf(pool, "%s cannot be loaded: libcrypto refused to work", from->path);
    }
    if (!error && !load.builder.client_count && !load.may_be_empty) {
        error = apr_psprintf(pool, "%s names no client", from->path);
    }
    return error;
}

static const av_watched_kind clients_kind = { "clients", true, fill };

const char *av_clients_file_open(const av_watch *watch, const av_crypto *crypto, apr_pool_t *pool,
                                 av_clients_file **file)
{
    av_clients_file *opened = apr_palloc(pool, sizeof(*opened));
    const char *error = av_watched_file_open(watch, &clients_kind, crypto, pool, &opened->watched);
    opened->source = (av_client_source){ opened->watched, find_by_id, find_by_digest, dummy };
    *file = error ? NULL : opened;
    return error;
}

const av_client_source *av_clients_file_source(const av_clients_file *file)
{
    return &file->source;
}

const av_watched_file *av_clients_file_watched(const av_clients_file *file)
{
    return file->watched;
}
