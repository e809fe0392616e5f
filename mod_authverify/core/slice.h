/* Bytes that someone else owns: a pointer and a length, never a NUL at the end that one may rely on.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SLICE_H
#define AV_SLICE_H

#include <apr_pools.h>
#include <stdbool.h>
#include <string.h>

typedef struct av_slice {
    const char *at; /* may be NULL only if len is 0 */
    apr_size_t len;
} av_slice;

/* A slice of a string literal, its length known to the compiler. */
#define AV_SLICE(literal) ((av_slice){ "" literal, sizeof(literal) - 1 })

/* The bytes of a NUL-terminated string; NULL gives the empty slice. Borrows. */
static inline av_slice av_slice_of(const char *string)
{
    return (av_slice){ string, string ? strlen(string) : 0 };
}

/* Same length and same bytes. Not constant in time: for names, never for proofs (see secret.h). */
bool av_slice_equal(av_slice a, av_slice b);

/* As av_slice_equal, with the letters A-Z and a-z equal. ASCII only, whatever the locale. */
bool av_slice_equal_nocase(av_slice a, av_slice b);

/* Less than, equal to or greater than 0, as `a` stands before, at or behind `b` in the order of bytes. */
int av_slice_compare(av_slice a, av_slice b);

bool av_slice_starts_with(av_slice slice, av_slice prefix);

/* True if `byte` occurs in the slice. */
bool av_slice_contains(av_slice slice, char byte);

/* The slice without its first `count` bytes; empty if there are not so many. */
av_slice av_slice_skip(av_slice slice, apr_size_t count);

/* The slice without blanks (space and horizontal tab, RFC 9110 section 5.6.3) at either end. */
av_slice av_slice_trim(av_slice slice);

/* Cuts the part before the next `separator` off `rest` and gives it in `part`; the separator is dropped.
 * "a,,b" gives "a", "", "b"; an empty text that is not NULL gives one empty part. To start, set `rest` to the whole
 * text. Returns false when no part is left, which is once rest->at has become NULL. */
bool av_slice_split(av_slice *rest, char separator, av_slice *part);

/* Every byte is a visible ASCII character, 0x21 to 0x7e, and there is at least one. */
bool av_slice_is_visible(av_slice slice);

/* Both, one after the other, NUL-terminated in `pool`. */
av_slice av_slice_join(av_slice a, av_slice b, apr_pool_t *pool);

/* A NUL-terminated copy in `pool`. */
char *av_slice_string(av_slice slice, apr_pool_t *pool);

#endif
