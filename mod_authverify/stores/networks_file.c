/* A file of networks, in shared memory. Behind the slot's header lie the words of the set (core/network.c).
 * SPDX-License-Identifier: Apache-2.0 */
#include "networks_file.h"
#include "file_lines.h"

#include <apr_strings.h>

struct av_networks_file {
    av_network_source source;
    av_watched_file *watched;
};

static av_reason check(const av_network_source *source, const av_address *address)
{
    for (int i = 0; i < AV_WATCHED_TRIES; i++) {
        uint64_t generation;
        av_slot slot = av_watched_file_slot(source->store, &generation);
        bool is_inside = av_network_words_contain(slot.words + AV_SLOT_HEADER, slot.capacity - AV_SLOT_HEADER, address);
        if (av_watched_file_is_still(source->store, generation)) {
            return is_inside ? AV_ACCEPTED : AV_NETWORK_REFUSED;
        }
    }
    return AV_STORE_UNAVAILABLE;
}

static const char *take_line(void *networks, av_slice line, unsigned number, apr_pool_t *scratch)
{
    (void)number;
    (void)scratch;
    return av_networks_add_line(networks, line);
}

static bool copy(const av_networks *networks, av_slot to)
{
    av_slice words = av_networks_words(networks);
    apr_size_t count = words.len / sizeof(uint64_t);
    if (count > to.capacity - AV_SLOT_HEADER) {
        return false;
    }
    av_slot_set(to, AV_SLOT_END, AV_SLOT_HEADER + count);
    for (apr_size_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, words.at + i * sizeof(word), sizeof(word));
        av_slot_set(to, AV_SLOT_HEADER + i, word);
    }
    av_slot_set(to, AV_SLOT_COUNT, av_networks_added(networks));
    return true;
}

static const char *fill(const void *baton, av_slot to, const av_opened_file *from, apr_pool_t *pool)
{
    av_networks *networks = av_networks_create(pool);
    av_file_lines lines = av_file_lines_of(from, take_line, networks, pool);
    const char *error = av_file_lines_read(&lines);
    (void)baton;
    error = error ? error : av_file_lines_mistakes(&lines);
    if (error) {
        return error;
    }
    error = av_networks_finish(networks);
    if (error) {
        return apr_psprintf(pool, "%s %s", from->path, error);
    }
    return copy(networks, to)
               ? NULL
               : apr_psprintf(pool, "%s is larger than the memory that was set aside for it; restart httpd",
                              from->path);
}

static const av_watched_kind networks_kind = { "networks", false, fill };

const char *av_networks_file_open(const av_watch *watch, apr_pool_t *pool, av_networks_file **file)
{
    av_networks_file *opened = apr_palloc(pool, sizeof(*opened));
    const char *error = av_watched_file_open(watch, &networks_kind, NULL, pool, &opened->watched);
    opened->source = (av_network_source){ opened->watched, check };
    *file = error ? NULL : opened;
    return error;
}

const av_network_source *av_networks_file_source(const av_networks_file *file)
{
    return &file->source;
}

const av_watched_file *av_networks_file_watched(const av_networks_file *file)
{
    return file->watched;
}
