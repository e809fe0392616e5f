/* A comparison that tells how many bytes were right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "leaky.h"

bool leaky_equal(av_slice a, av_slice b)
{
    for (apr_size_t i = 0; i < a.len && a.len == b.len; i++) {
        if (a.at[i] != b.at[i]) {
            return false;
        }
    }
    return a.len == b.len;
}
