/* A wall clock that stands still: loaded into httpd by LD_PRELOAD, it reads from the file that AV_CLOCK names, at each
 * call, "=" and the second since 1970 that it is. Clocks that only count, CLOCK_MONOTONIC and its like, go on.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 32

/* The second in the file; -1 where there is none, and then the real time is told. */
static time_t stopped_at(void)
{
    char text[TEXT_SIZE] = "";
    const char *path = getenv("AV_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return -1;
    }
    ssize_t len = read(file, text, sizeof(text) - 1);
    close(file);
    return len > 1 && text[0] == '=' ? (time_t)strtoll(text + 1, NULL, 10) : -1;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    time_t second = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? stopped_at() : -1;
    if (second < 0) {
        return (int)syscall(SYS_clock_gettime, clock, now);
    }
    *now = (struct timespec){ .tv_sec = second };
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){ .tv_sec = exact.tv_sec, .tv_usec = exact.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *now)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) {
        *now = exact.tv_sec;
    }
    return exact.tv_sec;
}
