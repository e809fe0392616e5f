/* Clients from lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/clients.h"
#include "stores/clients_line.h"

static av_slice all_lines;

static av_reason find_by_id(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *to)
{
    av_slice rest = all_lines, line;

    (void)source;
    while (av_slice_split(&rest, '\n', &line)) {
        ck_assert_ptr_null(av_clients_line_parse(line, record, to));
        if (av_slice_equal(id, av_slice_of(record->id))) {
            return AV_ACCEPTED;
        }
    }
    return AV_UNKNOWN_CLIENT;
}

static av_client_secret dummy(const av_client_source *source, av_secret_kind kind, apr_pool_t *to)
{
    (void)source;
    (void)kind;
    (void)to;
    return (av_client_secret){ .kind = AV_SECRET_PLAIN, .value = AV_SLICE("nobody's"), .label = "" };
}

static const av_client_source lines_source = { NULL, find_by_id, NULL, dummy };

static const char *open_lines(void *baton, const char *location, const av_client_source **source)
{
    (void)baton;
    (void)location;
    *source = &lines_source;
    return NULL;
}

void use_clients(const char *lines)
{
    all_lines = av_slice_of(lines);
    compiler.open_clients = open_lines;
}
