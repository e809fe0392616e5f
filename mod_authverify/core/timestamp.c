/* Unix seconds, Unix milliseconds, RFC 3339, ISO 8601 basic and HTTP dates, each read to its last character.
 * SPDX-License-Identifier: Apache-2.0 */
#include "timestamp.h"

#include <apr_strings.h>

#define UNIX_DIGITS 12
#define UNIX_MS_DIGITS 15
#define FRACTION_DIGITS 9

/* In the Gregorian calendar, from 0001-01-01 on. */
#define DAYS_BEFORE_1970 719162
#define DAYS_IN_400_YEARS 146097

/* What RFC 3339 section 5.6 writes, field by field. */
typedef struct date_time {
    int year, month, day;
    int hour, minute, second;
    apr_time_t fraction; /* microseconds */
    apr_time_t offset;   /* seconds east of UTC */
} date_time;

/* Cuts exactly `count` digits off `text`. */
static bool take_digits(av_slice *text, apr_size_t count, int *value)
{
    if (text->len < count) {
        return false;
    }
    *value = 0;
    for (apr_size_t i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9') {
            return false;
        }
        *value = *value * 10 + (text->at[i] - '0');
    }
    *text = av_slice_skip(*text, count);
    return true;
}

static bool take_byte(av_slice *text, char byte)
{
    if (text->len == 0 || text->at[0] != byte) {
        return false;
    }
    *text = av_slice_skip(*text, 1);
    return true;
}

static bool take_date(av_slice *text, date_time *when)
{
    return take_digits(text, 4, &when->year) && take_byte(text, '-') && take_digits(text, 2, &when->month) &&
           take_byte(text, '-') && take_digits(text, 2, &when->day);
}

/* One to FRACTION_DIGITS digits after the point; what is finer than a microsecond is cut off. */
static bool take_fraction(av_slice *text, apr_time_t *fraction)
{
    apr_time_t unit = APR_USEC_PER_SEC / 10;
    apr_size_t count = 0;
    int digit;

    *fraction = 0;
    if (!take_byte(text, '.')) {
        return true;
    }
    while (take_digits(text, 1, &digit)) {
        *fraction += digit * unit;
        unit /= 10;
        count++;
    }
    return count >= 1 && count <= FRACTION_DIGITS;
}

static bool take_clock(av_slice *text, date_time *when)
{
    return take_digits(text, 2, &when->hour) && take_byte(text, ':') && take_digits(text, 2, &when->minute) &&
           take_byte(text, ':') && take_digits(text, 2, &when->second) && take_fraction(text, &when->fraction) &&
           when->hour <= 23 && when->minute <= 59 && when->second <= 59;
}

static bool take_offset(av_slice *text, apr_time_t *offset)
{
    int hours, minutes;
    bool is_west;

    *offset = 0;
    if (take_byte(text, 'Z')) {
        return true;
    }
    is_west = take_byte(text, '-');
    if (!is_west && !take_byte(text, '+')) {
        return false;
    }
    if (!take_digits(text, 2, &hours) || !take_byte(text, ':') || !take_digits(text, 2, &minutes)) {
        return false;
    }
    *offset = (is_west ? -60 : 60) * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool date_exists(const date_time *when)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (when->month < 1 || when->month > 12 || when->day < 1) {
        return false;
    }
    return when->day <= days[when->month - 1] + (when->month == 2 && is_leap_year(when->year));
}

/* Days from 1970-01-01 in the Gregorian calendar. */
static apr_time_t days_since_epoch(const date_time *when)
{
    static const int days_before_month[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int before = when->year - 1 + 400; /* whole years; 400 more, so that nothing is divided below zero */
    int days = before * 365 + before / 4 - before / 100 + before / 400;
    bool is_after_leap_day = when->month > 2 && is_leap_year(when->year);

    return days + days_before_month[when->month - 1] + is_after_leap_day + when->day - 1 - DAYS_BEFORE_1970 -
           DAYS_IN_400_YEARS;
}

/* Everything is read; is it a time? */
static bool finish_time(av_slice rest, const date_time *when, apr_time_t *time)
{
    if (rest.len != 0 || !date_exists(when)) {
        return false;
    }
    apr_time_t seconds = days_since_epoch(when) * 86400 + when->hour * 3600 + when->minute * 60 + when->second;
    *time = (seconds - when->offset) * APR_USEC_PER_SEC + when->fraction;
    return true;
}

static bool parse_rfc3339(av_slice text, apr_time_t *time)
{
    date_time when;
    return take_date(&text, &when) && take_byte(&text, 'T') && take_clock(&text, &when) &&
           take_offset(&text, &when.offset) && finish_time(text, &when, time);
}

static bool parse_basic(av_slice text, apr_time_t *time)
{
    date_time when = { 0 };
    return take_digits(&text, 4, &when.year) && take_digits(&text, 2, &when.month) &&
           take_digits(&text, 2, &when.day) && take_byte(&text, 'T') && take_digits(&text, 2, &when.hour) &&
           take_digits(&text, 2, &when.minute) && take_digits(&text, 2, &when.second) && take_byte(&text, 'Z') &&
           when.hour <= 23 && when.minute <= 59 && when.second <= 59 && finish_time(text, &when, time);
}

/* One of `count` words of three letters; its place from 1 on, 0 for none of them. */
static int take_word(av_slice *text, const char *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (av_slice_starts_with(*text, (av_slice){ words + 3 * i, 3 })) {
            *text = av_slice_skip(*text, 3);
            return i + 1;
        }
    }
    return 0;
}

/* A clock without a fraction, as HTTP writes it. */
static bool take_http_clock(av_slice *text, date_time *when)
{
    return take_clock(text, when) && av_slice_starts_with(*text, AV_SLICE(" GMT"));
}

static bool parse_http(av_slice text, apr_time_t *time)
{
    date_time when = { 0 };
    int weekday = take_word(&text, "MonTueWedThuFriSatSun", 7);
    if (!weekday || !take_byte(&text, ',') || !take_byte(&text, ' ') || !take_digits(&text, 2, &when.day) ||
        !take_byte(&text, ' ') || !(when.month = take_word(&text, "JanFebMarAprMayJunJulAugSepOctNovDec", 12)) ||
        !take_byte(&text, ' ') || !take_digits(&text, 4, &when.year) || !take_byte(&text, ' ') ||
        !take_http_clock(&text, &when) || when.fraction || !finish_time(av_slice_skip(text, 4), &when, time)) {
        return false;
    }
    apr_time_t days = days_since_epoch(&when) + DAYS_IN_400_YEARS; /* a multiple of seven; 1970 began on a Thursday */
    return weekday == (int)((days + 3) % 7) + 1;
}

static bool parse_number(av_slice text, apr_size_t max_digits, apr_time_t unit, apr_time_t *time)
{
    apr_time_t value = 0;
    int digit;

    if (text.len < 1 || text.len > max_digits || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    while (take_digits(&text, 1, &digit)) {
        value = value * 10 + digit;
    }
    if (text.len != 0) {
        return false;
    }
    *time = value * unit;
    return true;
}

bool av_timestamp_parse(av_slice text, av_time_format format, apr_time_t *time)
{
    *time = 0;
    switch (format) {
    case AV_TIME_UNIX:
        return parse_number(text, UNIX_DIGITS, av_timestamp_unit(format), time);
    case AV_TIME_UNIX_MS:
        return parse_number(text, UNIX_MS_DIGITS, av_timestamp_unit(format), time);
    case AV_TIME_RFC3339:
        return parse_rfc3339(text, time);
    case AV_TIME_BASIC:
        return parse_basic(text, time);
    case AV_TIME_HTTP:
        return parse_http(text, time);
    }
    return false;
}

bool av_timestamp_basic(apr_time_t time, char text[AV_TIME_BASIC_SIZE])
{
    apr_time_exp_t when;
    apr_size_t len = 0;
    return apr_time_exp_gmt(&when, time) == APR_SUCCESS && when.tm_year >= -900 && when.tm_year < 8100 &&
           apr_strftime(text, &len, AV_TIME_BASIC_SIZE, "%Y%m%dT%H%M%SZ", &when) == APR_SUCCESS &&
           len == AV_TIME_BASIC_SIZE - 1;
}

apr_time_t av_timestamp_unit(av_time_format format)
{
    switch (format) {
    case AV_TIME_UNIX:
    case AV_TIME_BASIC:
    case AV_TIME_HTTP:
        return APR_USEC_PER_SEC;
    case AV_TIME_UNIX_MS:
        return APR_USEC_PER_SEC / 1000;
    case AV_TIME_RFC3339:
        break;
    }
    return 1;
}

const char *av_timestamp_text(apr_time_t time, apr_pool_t *pool)
{
    apr_time_exp_t parts;
    apr_time_exp_gmt(&parts, time);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                        parts.tm_hour, parts.tm_min, parts.tm_sec);
}
