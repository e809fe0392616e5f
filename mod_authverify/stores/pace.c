/* Long work in short turns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#define TURN APR_TIME_C(150) /* microseconds */
#define REST APR_TIME_C(50)
#define STEPS_BETWEEN_LOOKS 4 /* at the clock, which costs a good part of the shortest step */

av_pace av_pace_start(void)
{
    return (av_pace){ apr_time_now(), 0 };
}

void av_pace_step(av_pace *pace)
{
    if (!pace || ++pace->steps % STEPS_BETWEEN_LOOKS) {
        return;
    }
    apr_time_t taken = apr_time_now() - pace->began;
    if (taken < 0 || taken >= TURN) {
        apr_sleep(REST);
        pace->began = apr_time_now();
    }
}
