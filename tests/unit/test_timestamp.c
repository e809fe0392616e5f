/* Times as senders write them: each format to its last character.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/timestamp.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <time.h>

#define SECOND APR_USEC_PER_SEC
#define MILLISECOND (APR_USEC_PER_SEC / 1000)

static const struct {
    av_time_format format;
    av_slice text;
    apr_time_t time;
} times[] = {
    { AV_TIME_UNIX, TEXT("0"), 0 },
    { AV_TIME_UNIX, TEXT("1"), 1 * SECOND },
    { AV_TIME_UNIX, TEXT("1492774577"), 1492774577 * SECOND },
    { AV_TIME_UNIX, TEXT("999999999999"), 999999999999 * SECOND },
    { AV_TIME_UNIX_MS, TEXT("0"), 0 },
    { AV_TIME_UNIX_MS, TEXT("1492774577123"), 1492774577123 * MILLISECOND },
    { AV_TIME_UNIX_MS, TEXT("999999999999999"), 999999999999999 * MILLISECOND },
    { AV_TIME_RFC3339, TEXT("1970-01-01T00:00:00Z"), 0 },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17Z"), 1492774577 * SECOND },
    { AV_TIME_RFC3339, TEXT("2017-04-21T13:36:17+02:00"), 1492774577 * SECOND },
    { AV_TIME_RFC3339, TEXT("2017-04-21T06:06:17-05:30"), 1492774577 * SECOND },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17-00:00"), 1492774577 * SECOND },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.1Z"), 1492774577 * SECOND + 100000 },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.000001Z"), 1492774577 * SECOND + 1 },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.123456Z"), 1492774577 * SECOND + 123456 },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.999999999Z"), 1492774577 * SECOND + 999999 },
    { AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.5+00:00"), 1492774577 * SECOND + 500000 },
    { AV_TIME_RFC3339, TEXT("2000-02-29T00:00:00Z"), 951782400 * SECOND },
    { AV_TIME_RFC3339, TEXT("2024-12-31T23:59:59Z"), 1735689599 * SECOND },
    { AV_TIME_RFC3339, TEXT("2025-01-01T23:58:59+23:59"), 1735689599 * SECOND },
    { AV_TIME_RFC3339, TEXT("1969-12-31T23:59:59.5Z"), -SECOND / 2 },
    { AV_TIME_RFC3339, TEXT("0000-01-01T00:00:00Z"), -62167219200 * SECOND },
    { AV_TIME_RFC3339, TEXT("9999-12-31T23:59:59-23:59"), (253402300799 + 86340) * SECOND },
};

START_TEST(a_time_is_read)
{
    apr_time_t time = 1;

    ck_assert(av_timestamp_parse(tight_copy(times[_i].text), times[_i].format, &time));
    ck_assert_int_eq(time, times[_i].time);
}
END_TEST

static const struct {
    const char *name;
    av_time_format format;
    av_slice text;
} refused[] = {
    { "nothing", AV_TIME_UNIX, TEXT("") },
    { "a leading zero", AV_TIME_UNIX, TEXT("01492774577") },
    { "two zeros", AV_TIME_UNIX, TEXT("00") },
    { "a plus", AV_TIME_UNIX, TEXT("+1492774577") },
    { "a minus", AV_TIME_UNIX, TEXT("-1") },
    { "minus zero", AV_TIME_UNIX, TEXT("-0") },
    { "a blank before", AV_TIME_UNIX, TEXT(" 1492774577") },
    { "a blank behind", AV_TIME_UNIX, TEXT("1492774577 ") },
    { "a line feed", AV_TIME_UNIX, TEXT("1492774577\n") },
    { "NUL", AV_TIME_UNIX, TEXT("1492774577\0") },
    { "a fraction", AV_TIME_UNIX, TEXT("1492774577.5") },
    { "an exponent", AV_TIME_UNIX, TEXT("1e9") },
    { "hexadecimal", AV_TIME_UNIX, TEXT("0x58f9efb1") },
    { "a letter", AV_TIME_UNIX, TEXT("1492774577a") },
    { "the byte before 0", AV_TIME_UNIX, TEXT("14/2774577") },
    { "the byte behind 9", AV_TIME_UNIX, TEXT("14:2774577") },
    { "milliseconds", AV_TIME_UNIX, TEXT("1492774577123") },
    { "what overflows 64 bits", AV_TIME_UNIX, TEXT("18446744075202326193") },
    { "RFC 3339", AV_TIME_UNIX, TEXT("2017-04-21T11:36:17Z") },
    { "wide digits", AV_TIME_UNIX, TEXT("\xef\xbc\x91") },
    { "nothing", AV_TIME_UNIX_MS, TEXT("") },
    { "a leading zero", AV_TIME_UNIX_MS, TEXT("01492774577123") },
    { "16 digits", AV_TIME_UNIX_MS, TEXT("1492774577123000") },
    { "a point", AV_TIME_UNIX_MS, TEXT("1492774577.123") },
    { "nothing", AV_TIME_RFC3339, TEXT("") },
    { "no zone", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17") },
    { "no clock", AV_TIME_RFC3339, TEXT("2017-04-21") },
    { "no seconds", AV_TIME_RFC3339, TEXT("2017-04-21T11:36Z") },
    { "a lower-case t", AV_TIME_RFC3339, TEXT("2017-04-21t11:36:17Z") },
    { "a lower-case z", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17z") },
    { "a blank for T", AV_TIME_RFC3339, TEXT("2017-04-21 11:36:17Z") },
    { "the basic form", AV_TIME_RFC3339, TEXT("20170421T113617Z") },
    { "text behind", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17Z ") },
    { "text behind an offset", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17+02:000") },
    { "text before", AV_TIME_RFC3339, TEXT(" 2017-04-21T11:36:17Z") },
    { "five digits of a year", AV_TIME_RFC3339, TEXT("12017-04-21T11:36:17Z") },
    { "a sign before the year", AV_TIME_RFC3339, TEXT("+2017-04-21T11:36:17Z") },
    { "one digit of a month", AV_TIME_RFC3339, TEXT("2017-4-21T11:36:17Z") },
    { "one digit of a day", AV_TIME_RFC3339, TEXT("2017-04-1T11:36:17Z") },
    { "month 0", AV_TIME_RFC3339, TEXT("2017-00-21T11:36:17Z") },
    { "month 13", AV_TIME_RFC3339, TEXT("2017-13-21T11:36:17Z") },
    { "day 0", AV_TIME_RFC3339, TEXT("2017-04-00T11:36:17Z") },
    { "day 31 of a month of 30", AV_TIME_RFC3339, TEXT("2017-04-31T11:36:17Z") },
    { "day 32", AV_TIME_RFC3339, TEXT("2017-01-32T11:36:17Z") },
    { "day 29 where there is none", AV_TIME_RFC3339, TEXT("2017-02-29T11:36:17Z") },
    { "day 29 of a century", AV_TIME_RFC3339, TEXT("1900-02-29T11:36:17Z") },
    { "day 30 of February", AV_TIME_RFC3339, TEXT("2016-02-30T11:36:17Z") },
    { "hour 24", AV_TIME_RFC3339, TEXT("2017-04-21T24:00:00Z") },
    { "minute 60", AV_TIME_RFC3339, TEXT("2017-04-21T11:60:17Z") },
    { "a leap second", AV_TIME_RFC3339, TEXT("2016-12-31T23:59:60Z") },
    { "a point without a fraction", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.Z") },
    { "a comma", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17,5Z") },
    { "ten digits of a fraction", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.1234567890Z") },
    { "a sign in the fraction", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17.-1Z") },
    { "an offset without a colon", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17+0200") },
    { "an offset of hours alone", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17+02") },
    { "an offset of 24 hours", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17+24:00") },
    { "an offset of 60 minutes", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17+01:60") },
    { "an offset of two signs", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17-+1:00") },
    { "Z and an offset", AV_TIME_RFC3339, TEXT("2017-04-21T11:36:17Z+00:00") },
    { "a minus of another alphabet", AV_TIME_RFC3339,
      TEXT("2017-04-21T11:36:17\xe2\x88\x92"
           "02:00") },
};

START_TEST(what_is_not_of_the_format_is_refused)
{
    apr_time_t time = 1;

    ck_assert_msg(!av_timestamp_parse(tight_copy(refused[_i].text), refused[_i].format, &time), "%s", refused[_i].name);
    ck_assert_int_eq(time, 0);
}
END_TEST

/* The C library knows the calendar as well: both agree on each day that is the 1st, 28th, 29th, 30th or 31st. */
START_TEST(every_month_of_a_century_begins_and_ends_as_it_should)
{
    static const int days[] = { 1, 28, 29, 30, 31 };

    for (int month = 0; month < 1200; month++) {
        for (int i = 0; i < ROWS(days); i++) {
            struct tm day = { .tm_year = _i * 100 + month / 12 - 1900, .tm_mon = month % 12, .tm_mday = days[i] };
            const char *text =
                apr_psprintf(pool, "%04d-%02d-%02dT00:00:00Z", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
            apr_time_t wanted = (apr_time_t)timegm(&day) * SECOND;
            apr_time_t time;
            bool exists = day.tm_mday == days[i]; /* timegm has made 31 April the 1 May */
            ck_assert_msg(av_timestamp_parse(av_slice_of(text), AV_TIME_RFC3339, &time) == exists, "%s", text);
            ck_assert_msg(time == (exists ? wanted : 0), "%s", text);
        }
    }
}
END_TEST

START_TEST(each_format_has_its_unit)
{
    ck_assert_int_eq(av_timestamp_unit(AV_TIME_UNIX), SECOND);
    ck_assert_int_eq(av_timestamp_unit(AV_TIME_UNIX_MS), MILLISECOND);
    ck_assert_int_eq(av_timestamp_unit(AV_TIME_RFC3339), 1);
}
END_TEST

START_TEST(a_time_is_written_as_it_is_read)
{
    ck_assert_str_eq(av_timestamp_text(apr_time_from_sec(1767312000) + 999999, pool), "2026-01-02T00:00:00Z");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("timestamp");
    TCase *tests = suite_case(suite, "timestamp");

    tcase_add_loop_test(tests, a_time_is_read, 0, ROWS(times));
    tcase_add_loop_test(tests, what_is_not_of_the_format_is_refused, 0, ROWS(refused));
    tcase_add_loop_test(tests, every_month_of_a_century_begins_and_ends_as_it_should, 0, 100);
    tcase_add_test(tests, each_format_has_its_unit);
    tcase_add_test(tests, a_time_is_written_as_it_is_read);
    return suite;
}
