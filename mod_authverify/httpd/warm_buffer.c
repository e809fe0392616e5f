/* A large buffer for each thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include "warm_buffer.h"

#include <apr_thread_proc.h>
#include <stdlib.h>

typedef struct warm_buffer {
    apr_size_t size;
    char bytes[];
} warm_buffer;

/* Holds the thread's idle buffer. A thread that ends frees it. */
static apr_threadkey_t *idle;

void avh_warm_buffer_init(apr_pool_t *pool)
{
    if (apr_threadkey_private_create(&idle, free, pool) != APR_SUCCESS) {
        idle = NULL;
    }
}

static warm_buffer *swap_idle(warm_buffer *buffer)
{
    void *before = NULL;
    if (!idle || apr_threadkey_private_get(&before, idle) != APR_SUCCESS ||
        apr_threadkey_private_set(buffer, idle) != APR_SUCCESS) {
        return buffer; /* no place to keep it */
    }
    return before;
}

/* Back to whichever thread ends the request; the larger of two stays. */
static apr_status_t give_back(void *data)
{
    warm_buffer *ours = data, *other = swap_idle(ours);
    if (other && other != ours && other->size > ours->size) {
        other = swap_idle(other);
    }
    free(other);
    return APR_SUCCESS;
}

char *avh_warm_buffer_take(apr_size_t size, apr_pool_t *pool)
{
    warm_buffer *buffer = swap_idle(NULL);
    if (buffer && buffer->size < size) {
        free(buffer);
        buffer = NULL;
    }
    if (!buffer) {
        buffer = malloc(sizeof(*buffer) + size);
        if (!buffer) {
            return NULL;
        }
        buffer->size = size;
    }
    apr_pool_cleanup_register(pool, buffer, give_back, apr_pool_cleanup_null);
    return buffer->bytes;
}
