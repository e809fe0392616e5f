/* The body: first in a buffer that stays warm, then in a file without a name, then to the handler through a filter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "body_spool.h"
#include "credential_strip.h"
#include "warm_buffer.h"

#include <apr_mmap.h>
#include <apr_portable.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FILTER_NAME "AUTHVERIFY_BODY"
#define READ_SIZE (64 * 1024)   /* asked of the filters at once */
#define DRAIN_LIMIT (64 * 1024) /* an unread body up to this is taken off the connection of a refused request */
#define LARGEST_PLAIN_BUFFER (8 * 1024)
#define SHORTEST_PAUSE 50 /* microseconds: frames follow each other in less than a millisecond */
#define LONGEST_PAUSE apr_time_from_msec(20)

/* What httpd calls our filter; looking it up by name costs more than adding it. */
static ap_filter_rec_t *filter_handle;

struct avh_spool {
    request_rec *r;
    ap_filter_t *filter;
    char *buffer;
    apr_size_t room, used;     /* of the buffer; `used` counts the lead */
    apr_size_t fed;            /* bytes of the buffer that `reading` has had, or that are not for it */
    av_reading *reading;       /* while the body is read: it is fed a buffer at a time */
    apr_size_t lead;           /* bytes before the body, for who needs both in one piece */
    int file;                  /* -1: all is in the buffer */
    apr_off_t written;         /* bytes in the file, lead included; the buffer holds what follows them */
    apr_off_t announced;       /* of the body, by its head; UNKNOWN */
    apr_off_t received;        /* of the body, as it was sent */
    apr_off_t length;          /* of the body, as far as it is kept: without its coding, as far as it was fed */
    apr_mmap_t *map;           /* of the file, once somebody wants to look at it */
    apr_bucket_brigade *ahead; /* what the next reader gets; NULL until somebody reads */
    bool has_ended;            /* the whole body is here */
    bool is_dropped;           /* nobody gets a byte any more */
    bool goes_on;              /* observed only: after what is kept come `rest` and then the network */
    apr_bucket_brigade *rest;  /* taken off the network, and not kept */
};

static apr_status_t close_file(void *data)
{
    avh_spool *spool = data;
    if (spool->file >= 0) {
        close(spool->file);
        spool->file = -1;
    }
    return APR_SUCCESS;
}

/* A file that nobody else can open and that is gone when it is closed, whatever happens to this process. */
static int open_unnamed(const char *folder, apr_pool_t *pool)
{
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
        char *name = apr_pstrcat(pool, folder, "/authverify.XXXXXX", NULL);
        file = mkostemp(name, O_CLOEXEC);
        if (file >= 0) {
            unlink(name);
        }
    }
    return file;
}

static bool write_all(int file, const char *bytes, apr_size_t len)
{
    while (len) {
        ssize_t written = write(file, bytes, len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            len -= (apr_size_t)written;
        }
    }
    return true;
}

/* Hashing a full buffer at once, and not each piece as it comes, leaves the sender's own system the time to send. What
 * is no part of the body but of its coding leaves the buffer. */
static void feed_buffer(avh_spool *spool)
{
    if (spool->reading) {
        apr_size_t len = spool->used - spool->fed;
        apr_size_t left = av_feed_in_place(spool->reading, spool->buffer + spool->fed, len);
        spool->length -= (apr_off_t)(len - left);
        spool->fed += left;
        spool->used = spool->fed;
    }
}

/* Where the length is known, the file's blocks are asked for at once: that is cheaper than one after the other, and a
 * disk without room is known at the start. Filesystems that cannot do it are asked for blocks as usual. */
static void open_file(avh_spool *spool, const avh_section *section)
{
    spool->file = open_unnamed(avh_spool_folder(section), spool->r->pool);
    apr_pool_cleanup_register(spool->r->pool, spool, close_file, apr_pool_cleanup_null);
    if (spool->file >= 0 && spool->announced > 0 &&
        fallocate(spool->file, FALLOC_FL_KEEP_SIZE, 0, spool->announced + (apr_off_t)spool->lead) != 0 &&
        errno == ENOSPC) {
        close_file(spool);
        errno = ENOSPC;
    }
}

/* Moves the buffer's bytes into the file. */
static bool flush_buffer(avh_spool *spool, const avh_section *section)
{
    if (spool->file < 0) {
        open_file(spool, section);
    }
    if (spool->file < 0 || !write_all(spool->file, spool->buffer, spool->used)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, errno, spool->r, "the body cannot be kept in %s (AuthVerifyBody spool=)",
                      avh_spool_folder(section));
        return false;
    }
    feed_buffer(spool);
    spool->written += (apr_off_t)spool->used;
    spool->used = spool->fed = 0;
    return true;
}

/* Taking the body out of its coding may be enough. */
static bool make_room(avh_spool *spool, const avh_section *section)
{
    if (spool->reading && spool->reading->coding) {
        feed_buffer(spool);
    }
    return spool->used < spool->room / 2 || flush_buffer(spool, section);
}

/* Returns how many of the bytes are kept: all, or fewer where there is no room. */
static apr_size_t keep(avh_spool *spool, const avh_section *section, const char *bytes, apr_size_t len)
{
    apr_size_t kept = 0;
    while (kept < len && (spool->used < spool->room || make_room(spool, section))) {
        apr_size_t fits = spool->room - spool->used;
        fits = fits < len - kept ? fits : len - kept;
        memcpy(spool->buffer + spool->used, bytes + kept, fits);
        spool->used += fits;
        kept += fits;
    }
    return kept;
}

/* What the head says of the body's length: 0 for no body, UNKNOWN where it ends by its own marks. HTTP/1 says in its
 * head whether a body follows (RFC 9112 section 6.3); HTTP/2 need not. */
#define UNKNOWN (-1)

static apr_off_t announced(const request_rec *r)
{
    const char *text;
    apr_off_t length = UNKNOWN;
    char *end = NULL;
    if (apr_table_get(r->headers_in, "Transfer-Encoding")) {
        return UNKNOWN;
    }
    text = apr_table_get(r->headers_in, "Content-Length");
    if (!text) {
        return r->proto_num >= HTTP_VERSION(2, 0) ? UNKNOWN : 0;
    }
    return apr_strtoff(&length, text, &end, 10) == APR_SUCCESS && !*end && length >= 0 ? length : UNKNOWN;
}

static apr_off_t smaller_limit(const request_rec *r, const avh_section *section)
{
    apr_off_t ours = avh_body_limit(section), theirs = ap_get_limit_req_body(r);
    return theirs && theirs < ours ? theirs : ours;
}

static avh_spool *create_spool(request_rec *r, const avh_section *section, const av_reading *reading, apr_off_t length)
{
    avh_spool *spool = apr_pcalloc(r->pool, sizeof(*spool));
    apr_size_t room = avh_body_memory(section);
    apr_size_t needed = length < 0 ? room : (apr_size_t)length + reading->lead.len;
    spool->r = r;
    spool->file = -1;
    spool->announced = length;
    spool->room = needed < room ? (needed ? needed : 1) : room;
    spool->buffer =
        spool->room <= LARGEST_PLAIN_BUFFER ? apr_palloc(r->pool, spool->room) : avh_warm_buffer_take(room, r->pool);
    return spool;
}

/* Ends a wait in the network when the whole body's time is over. */
static void limit_wait(request_rec *r, apr_interval_time_t left)
{
    apr_socket_t *socket = r->connection->master ? NULL : ap_get_conn_socket(r->connection);
    if (socket) {
        apr_socket_timeout_set(socket, left < 0 ? 0 : left < r->server->timeout ? left : r->server->timeout);
    }
}

/* On HTTP/2 a stream waits on no socket whose timeout could be set, so the wait is cut into small ones here. The first
 * read of a client that waits for "100 Continue" must be one that blocks: it sends that. */
static apr_status_t read_stream(request_rec *r, apr_bucket_brigade *brigade, apr_time_t deadline)
{
    apr_interval_time_t pause = SHORTEST_PAUSE;
    apr_status_t status = APR_EAGAIN;
    if (r->expecting_100) {
        return ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, READ_SIZE);
    }
    while ((status = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_NONBLOCK_READ, READ_SIZE)) ==
               APR_EAGAIN ||
           (status == APR_SUCCESS && APR_BRIGADE_EMPTY(brigade))) {
        if (apr_time_now() > deadline) {
            return APR_TIMEUP;
        }
        apr_sleep(pause);
        pause = pause < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
    }
    return status;
}

static apr_status_t read_some(request_rec *r, apr_bucket_brigade *brigade, apr_time_t deadline, apr_time_t now)
{
    if (r->connection->master) {
        return read_stream(r, brigade, deadline);
    }
    limit_wait(r, deadline - now);
    return ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, READ_SIZE);
}

static avh_read_result result(av_reason reason)
{
    return (avh_read_result){ reason, 0 };
}

static avh_read_result read_failure(request_rec *r, apr_status_t status)
{
    r->connection->keepalive = AP_CONN_CLOSE;
    if (status == AP_FILTER_ERROR) {
        return (avh_read_result){ AV_MALFORMED_REQUEST, AP_FILTER_ERROR };
    }
    if (APR_STATUS_IS_TIMEUP(status)) {
        return result(AV_BODY_TOO_SLOW);
    }
    if (APR_STATUS_IS_ENOSPC(status)) {
        return result(AV_BODY_TOO_LARGE);
    }
    if (status == APR_EGENERAL || status == APR_EINVAL || APR_STATUS_IS_ENOTIMPL(status)) {
        return result(AV_MALFORMED_REQUEST);
    }
    return result(AV_BODY_INCOMPLETE);
}

/* Keeps one bucket of data. What is not kept stays in the bucket. */
static avh_read_result take_bucket(avh_spool *spool, const avh_section *section, apr_bucket *bucket)
{
    const char *bytes;
    apr_size_t len;
    apr_status_t status = apr_bucket_read(bucket, &bytes, &len, APR_BLOCK_READ);
    if (status != APR_SUCCESS) {
        return read_failure(spool->r, status);
    }
    spool->length += (apr_off_t)len;
    apr_size_t kept = keep(spool, section, bytes, len);
    spool->length -= (apr_off_t)(len - kept);
    spool->received += (apr_off_t)kept;
    if (kept < len) {
        apr_bucket_split(bucket, kept);
        return result(AV_NO_ROOM);
    }
    return result(AV_ACCEPTED);
}

/* One brigade's worth. What is taken leaves the brigade. */
static avh_read_result take_brigade(avh_spool *spool, const avh_section *section, apr_bucket_brigade *brigade,
                                    apr_off_t limit)
{
    avh_read_result read = result(AV_ACCEPTED);
    while (!APR_BRIGADE_EMPTY(brigade) && !spool->has_ended && read.reason == AV_ACCEPTED) {
        apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
        spool->has_ended = APR_BUCKET_IS_EOS(bucket);
        if (!APR_BUCKET_IS_METADATA(bucket)) {
            read = take_bucket(spool, section, bucket);
        }
        apr_bucket_delete(bucket);
        if (read.reason == AV_ACCEPTED && spool->received > limit) {
            read = result(AV_BODY_TOO_LARGE);
        }
    }
    return read;
}

/* A body in a coding may be known to be wrong before it ends: the rest is not waited for. */
static avh_read_result look_early(avh_spool *spool)
{
    if (spool->reading->coding && !spool->reading->keeps_coding) {
        feed_buffer(spool);
        return result(spool->reading->refusal ? spool->reading->refusal : AV_ACCEPTED);
    }
    return result(AV_ACCEPTED);
}

static avh_read_result read_body(avh_spool *spool, const avh_section *section, bool keeps_body)
{
    request_rec *r = spool->r;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_time_t now = apr_time_now(), deadline = now + avh_body_timeout(section);
    apr_off_t limit = smaller_limit(r, section);
    avh_read_result read = result(AV_ACCEPTED);

    spool->rest = brigade;
    while (!spool->has_ended && read.reason == AV_ACCEPTED) {
        apr_status_t status = read_some(r, brigade, deadline, now);
        read = status == APR_SUCCESS ? take_brigade(spool, section, brigade, limit) : read_failure(r, status);
        read = read.reason == AV_ACCEPTED ? look_early(spool) : read;
        if (!spool->has_ended && read.reason == AV_ACCEPTED && (now = apr_time_now()) > deadline) {
            r->connection->keepalive = AP_CONN_CLOSE;
            read = result(AV_BODY_TOO_SLOW);
        }
    }
    feed_buffer(spool);
    limit_wait(r, r->server->timeout);
    if (read.reason == AV_ACCEPTED && spool->file >= 0 && keeps_body && !flush_buffer(spool, section)) {
        read = result(AV_NO_ROOM);
    }
    return read;
}

/* In front of everything that changes the body (inflating, inspecting), behind what takes it off the wire. It must also
 * be the first of the protocol's filters: an internal redirect begins its chain there. */
static void put_filter(avh_spool *spool)
{
    request_rec *r = spool->r;
    spool->filter = ap_add_input_filter_handle(filter_handle, spool, r, r->connection);
    if (spool->filter->next == r->proto_input_filters) {
        r->proto_input_filters = spool->filter;
    }
}

/* The handler is told the length that was proven, however it came. */
static void set_length(avh_spool *spool)
{
    apr_table_unset(spool->r->headers_in, "Transfer-Encoding");
    apr_table_setn(spool->r->headers_in, "Content-Length", apr_off_t_toa(spool->r->pool, spool->length));
}

avh_read_result avh_spool_read(request_rec *r, const avh_section *section, bool observes, av_reading *reading,
                               avh_spool **made)
{
    apr_off_t length = announced(r);
    *made = NULL;
    if (!length) {
        return result(AV_ACCEPTED);
    }
    if (length > smaller_limit(r, section)) {
        return result(AV_BODY_TOO_LARGE);
    }
    avh_spool *spool = create_spool(r, section, reading, length);
    if (!spool->buffer || keep(spool, section, reading->lead.at, reading->lead.len) < reading->lead.len) {
        return result(AV_NO_ROOM);
    }
    spool->fed = spool->lead = reading->lead.len;
    spool->reading = reading;
    reading->keeps_coding |= observes;
    apr_table_t *headers = r->headers_in; /* MergeTrailers puts another in its place */
    avh_read_result read = read_body(spool, section, reading->keeps_body);
    if (reading->fixes_headers && !observes) {
        r->headers_in = headers;
    }
    spool->reading = NULL;
    *made = spool;
    spool->goes_on = observes && !spool->has_ended;
    put_filter(spool);
    bool is_decoded = reading->coding && !reading->keeps_coding;
    if (read.reason == AV_ACCEPTED && (length < 0 || is_decoded) && !observes) {
        set_length(spool);
    }
    if (read.reason == AV_ACCEPTED && is_decoded) {
        avh_strip_coding(r, reading->coding);
    }
    return read;
}

/* The file's bytes in memory; the kernel brings them in when they are looked at. */
static bool map_file(avh_spool *spool)
{
    apr_file_t *file = NULL;
    if (!spool->map && spool->file >= 0 && spool->written) {
        apr_os_file_put(&file, &spool->file, APR_READ | APR_BINARY, spool->r->pool);
        if (apr_mmap_create(&spool->map, file, 0, (apr_size_t)spool->written, APR_MMAP_READ, spool->r->pool) !=
            APR_SUCCESS) {
            spool->map = NULL;
        }
    }
    return spool->map != NULL;
}

/* Bytes of the body that are in the file. */
static apr_off_t filed(const avh_spool *spool)
{
    return spool->file < 0 ? 0 : spool->written - (apr_off_t)spool->lead;
}

/* What is kept from `position` on, as far as it lies in one piece: in the file or in the buffer. NULL: it cannot be
 * had. */
static const char *bytes_at(avh_spool *spool, apr_off_t position, apr_size_t *len)
{
    if (position < filed(spool)) {
        *len = (apr_size_t)(filed(spool) - position);
        return map_file(spool) ? (const char *)spool->map->mm + spool->lead + position : NULL;
    }
    *len = (apr_size_t)(spool->length - position);
    return spool->buffer + (spool->file < 0 ? spool->lead : 0) + (position - filed(spool));
}

bool avh_spool_feed(avh_spool *spool, av_reading *reading)
{
    apr_size_t len = 0;
    for (apr_off_t position = 0; position < spool->length; position += (apr_off_t)len) {
        const char *bytes = bytes_at(spool, position, &len);
        if (!bytes) {
            return false;
        }
        av_feed(reading, bytes, len);
    }
    return true;
}

bool avh_spool_keep(avh_spool *spool, const avh_section *section, av_reading *reading)
{
    apr_size_t len = 0;
    if (spool->file >= 0 && spool->used) {
        if (spool->map || !flush_buffer(spool, section)) {
            return false;
        }
    }
    const char *bytes = bytes_at(spool, 0, &len);
    if (!bytes || len < (apr_size_t)spool->length) {
        return false;
    }
    reading->body = (av_slice){ bytes, len };
    if (reading->lead_claim && !av_slice_equal((av_slice){ bytes - spool->lead, spool->lead }, reading->lead)) {
        reading->lead_claim = NULL; /* read for another policy, without this lead: the text is put together elsewhere */
    }
    return true;
}

void avh_spool_rewind(avh_spool *spool)
{
    if (spool->ahead) {
        apr_brigade_destroy(spool->ahead);
        spool->ahead = NULL;
    }
}

/* Takes what is left of a small body off the connection, without waiting for any of it. */
static bool drain(request_rec *r)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t total = 0, len = 0;
    bool ended = !announced(r);
    while (!ended && total < DRAIN_LIMIT) {
        if (ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_NONBLOCK_READ, READ_SIZE) != APR_SUCCESS ||
            APR_BRIGADE_EMPTY(brigade)) {
            break;
        }
        ended = APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
        apr_brigade_length(brigade, 0, &len);
        total += len;
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    return ended;
}

void avh_spool_drop(request_rec *r, avh_spool *spool)
{
    if (!spool) {
        if (r->connection->keepalive != AP_CONN_CLOSE && !drain(r)) {
            r->connection->keepalive = AP_CONN_CLOSE;
        }
        spool = apr_pcalloc(r->pool, sizeof(*spool));
        spool->r = r;
        spool->file = -1;
        put_filter(spool);
    } else if (!spool->has_ended) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    spool->is_dropped = true;
    avh_spool_rewind(spool);
    if (announced(r)) {
        apr_table_unset(r->headers_in, "Transfer-Encoding");
        apr_table_setn(r->headers_in, "Content-Length", "0");
    }
}

/* The file's part of the body as one bucket; pieces of it share the mapping. */
static bool add_filed(avh_spool *spool, apr_bucket_alloc_t *alloc)
{
    apr_mmap_t *map = NULL;
    if (!filed(spool)) {
        return true;
    }
    if (!map_file(spool) || apr_mmap_dup(&map, spool->map, spool->r->pool) != APR_SUCCESS) {
        return false;
    }
    APR_BRIGADE_INSERT_TAIL(spool->ahead,
                            apr_bucket_mmap_create(map, (apr_off_t)spool->lead, (apr_size_t)filed(spool), alloc));
    return true;
}

/* Lines up the body without copying it: buckets over the file and the buffer, which live as long as the request.
 * Whoever keeps one longer makes it move its bytes out. */
static bool line_up(avh_spool *spool)
{
    request_rec *r = spool->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_size_t len = 0;
    spool->ahead = apr_brigade_create(r->pool, alloc);
    if (spool->is_dropped) {
        return true;
    }
    if (!add_filed(spool, alloc)) {
        return false;
    }
    const char *bytes = bytes_at(spool, filed(spool), &len);
    if (len) {
        APR_BRIGADE_INSERT_TAIL(spool->ahead, apr_bucket_pool_create(bytes, len, r->pool, alloc));
    }
    if (spool->goes_on) {
        APR_BRIGADE_CONCAT(spool->ahead, spool->rest);
    }
    return true;
}

static apr_status_t give_bytes(avh_spool *spool, apr_bucket_brigade *brigade, apr_off_t wanted, bool looks_only)
{
    apr_bucket *after = NULL;
    apr_status_t status = apr_brigade_partition(spool->ahead, wanted, &after);
    if (status != APR_SUCCESS && status != APR_INCOMPLETE) {
        return status;
    }
    apr_bucket *bucket = APR_BRIGADE_FIRST(spool->ahead);
    while (bucket != after && bucket != APR_BRIGADE_SENTINEL(spool->ahead)) {
        apr_bucket *next = APR_BUCKET_NEXT(bucket), *given = bucket;
        if (looks_only) {
            apr_bucket_copy(bucket, &given);
        } else {
            APR_BUCKET_REMOVE(bucket);
        }
        APR_BRIGADE_INSERT_TAIL(brigade, given);
        bucket = next;
    }
    return APR_SUCCESS;
}

static apr_status_t give(avh_spool *spool, apr_bucket_brigade *brigade, ap_input_mode_t mode, apr_off_t wanted)
{
    apr_status_t status = APR_ENOTIMPL;
    switch (mode) {
    case AP_MODE_READBYTES:
    case AP_MODE_SPECULATIVE:
        status = give_bytes(spool, brigade, wanted, mode == AP_MODE_SPECULATIVE);
        break;
    case AP_MODE_EXHAUSTIVE:
        status = give_bytes(spool, brigade, APR_INT64_MAX, false);
        break;
    case AP_MODE_GETLINE:
        status = apr_brigade_split_line(brigade, spool->ahead, APR_BLOCK_READ, HUGE_STRING_LEN);
        break;
    default:
        break;
    }
    if (status == APR_SUCCESS && APR_BRIGADE_EMPTY(spool->ahead) && (spool->is_dropped || !spool->goes_on)) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(brigade->bucket_alloc));
    }
    return status;
}

/* The filter that hands the body on. */
static apr_status_t hand_on(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode,
                            apr_read_type_e block, apr_off_t wanted)
{
    avh_spool *spool = filter->ctx;
    if (!spool->ahead && !line_up(spool)) {
        return APR_EGENERAL;
    }
    if (APR_BRIGADE_EMPTY(spool->ahead) && spool->goes_on && !spool->is_dropped) {
        return ap_get_brigade(filter->next, brigade, mode, block, wanted);
    }
    return give(spool, brigade, mode, wanted);
}

void avh_spool_register(void)
{
    filter_handle = ap_register_input_filter(FILTER_NAME, hand_on, NULL, AP_FTYPE_PROTOCOL - 1);
}
