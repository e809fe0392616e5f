/* The lines of a file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "file_lines.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <unistd.h>

#define LONGEST_LINE 65536
#define BUFFER_SIZE (2 * LONGEST_LINE)

av_file_lines av_file_lines_of(const av_opened_file *file,
                               const char *(*take)(void *, av_slice, unsigned, apr_pool_t *), void *baton,
                               apr_pool_t *pool)
{
    return (av_file_lines){ .file = file,
                            .baton = baton,
                            .take = take,
                            .mistakes = apr_array_make(pool, 4, sizeof(const char *)),
                            .pool = pool };
}

void av_file_lines_blame(av_file_lines *lines, unsigned number, const char *sentence)
{
    if (lines->mistakes->nelts < AV_MOST_MISTAKES) {
        *(const char **)apr_array_push(lines->mistakes) =
            apr_psprintf(lines->pool, "%s: line %u: %s", lines->file->path, number, sentence);
    }
}

const char *av_file_lines_mistakes(const av_file_lines *lines)
{
    return lines->mistakes->nelts ? apr_array_pstrcat(lines->pool, lines->mistakes, '\n') : NULL;
}

static void take_line(av_file_lines *lines, av_slice line, apr_pool_t *scratch)
{
    const char *error;
    lines->number++;
    if (lines->is_skipping || line.len > LONGEST_LINE) {
        error = "is longer than 64 KiB";
    } else if (lines->number == 1 && av_slice_starts_with(line, AV_SLICE("\xef\xbb\xbf"))) {
        error = "begins with a byte-order mark; save the file as UTF-8 without one";
    } else {
        error = lines->take(lines->baton, line, lines->number, scratch);
    }
    lines->is_skipping = false;
    if (error) {
        av_file_lines_blame(lines, lines->number, error);
    }
    apr_pool_clear(scratch);
    av_pace_step(lines->file->pace);
}

static bool goes_on(const av_file_lines *lines)
{
    return !lines->is_over && lines->mistakes->nelts < AV_MOST_MISTAKES;
}

/* Takes the lines that end in the buffer; what is left of it moves to its beginning. */
static void take_lines(av_file_lines *lines, char *buffer, apr_size_t *len, apr_pool_t *scratch)
{
    av_slice rest = { buffer, *len }, line;
    while (goes_on(lines) && av_slice_contains(rest, '\n')) {
        av_slice_split(&rest, '\n', &line);
        take_line(lines, line, scratch);
    }
    if (rest.len > LONGEST_LINE) {
        lines->is_skipping = true;
        rest.len = 0;
    }
    memmove(buffer, rest.at, rest.len);
    *len = rest.len;
}

static const char *read_all(av_file_lines *lines, char *buffer, apr_pool_t *scratch)
{
    apr_size_t len = 0;
    ssize_t got = 1;
    while (got != 0 && goes_on(lines)) {
        got = read(lines->file->descriptor, buffer + len, BUFFER_SIZE - len);
        if (got < 0 && errno != EINTR) {
            return apr_psprintf(lines->pool, "%s cannot be read: %pm", lines->file->path, &errno);
        }
        len += got > 0 ? (apr_size_t)got : 0;
        take_lines(lines, buffer, &len, scratch);
    }
    if (got == 0 && (len || lines->is_skipping)) {
        av_file_lines_blame(lines, lines->number + 1, "does not end in a line feed; the file may be half-written");
    }
    return NULL;
}

const char *av_file_lines_read(av_file_lines *lines)
{
    apr_pool_t *scratch;
    char *buffer = apr_palloc(lines->pool, BUFFER_SIZE);
    apr_pool_create(&scratch, lines->pool);
    const char *error = read_all(lines, buffer, scratch);
    apr_pool_destroy(scratch);
    OPENSSL_cleanse(buffer, BUFFER_SIZE);
    return error;
}
