/* The comparison that must not be: the control of every check here, which has to find it out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TESTS_LEAKY_H
#define AV_TESTS_LEAKY_H

#include "core/slice.h"

/* Same length and same bytes; ends at the first byte that differs. In a file of its own, so that no caller has it
 * inlined and improved. */
bool leaky_equal(av_slice a, av_slice b);

#endif
