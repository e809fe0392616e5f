/* The words of the command line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "../core/slice.h"
#include "../core/timestamp.h"

#include <apr_strings.h>

#define LONGEST_SPAN ((apr_int64_t)100 * 366 * 86400)

static const avt_option *find_option(const avt_option *options, av_slice name)
{
    while (options->name && !av_slice_equal(av_slice_of(options->name), name)) {
        options++;
    }
    return options->name ? options : NULL;
}

/* Stores one option; `value` is NULL for a switch. */
static const char *store(const avt_option *option, const char *value, void *target, apr_pool_t *pool)
{
    void *place = (char *)target + option->offset;
    if (option->kind == AVT_SWITCH) {
        *(bool *)place = true;
        return NULL;
    }
    if (option->kind == AVT_TEXTS) {
        apr_array_header_t **list = place;
        *list = *list ? *list : apr_array_make(pool, 4, sizeof(const char *));
        *(const char **)apr_array_push(*list) = value;
        return NULL;
    }
    if (*(const char **)place) {
        return apr_psprintf(pool, "%s is given twice", option->name);
    }
    *(const char **)place = value;
    return NULL;
}

/* Reads the option at arguments[*at], and moves to its last word. */
static const char *read_option(int count, const char *const *arguments, int *at, const avt_option *options,
                               void *target, apr_pool_t *pool)
{
    av_slice value = av_slice_of(arguments[*at]), name;
    av_slice_split(&value, '=', &name);
    const avt_option *option = find_option(options, name);
    if (!option) {
        return apr_psprintf(pool, "there is no option %s", av_slice_string(name, pool));
    }
    if (option->kind == AVT_SWITCH) {
        return value.at ? apr_psprintf(pool, "%s takes no value", option->name) : store(option, NULL, target, pool);
    }
    if (!value.at) {
        if (*at + 1 == count) {
            return apr_psprintf(pool, "%s needs a value", option->name);
        }
        value = av_slice_of(arguments[++*at]);
    }
    return value.len ? store(option, value.at, target, pool) : apr_psprintf(pool, "%s needs a value", option->name);
}

const char *avt_arguments_read(int count, const char *const *arguments, const avt_option *options, void *target,
                               apr_array_header_t **operands, apr_pool_t *pool)
{
    const char *error = NULL;
    bool is_over = false;
    *operands = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; !error && i < count; i++) {
        const char *word = arguments[i];
        if (is_over || word[0] != '-' || !word[1]) {
            *(const char **)apr_array_push(*operands) = word;
        } else if (strcmp(word, "--") == 0) {
            is_over = true;
        } else {
            error = read_option(count, arguments, &i, options, target, pool);
        }
    }
    return error;
}

static apr_int64_t seconds_of_unit(char unit)
{
    static const struct unit {
        char name;
        apr_int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].name == unit) {
            return units[i].seconds;
        }
    }
    return 0;
}

/* "+30d" */
static bool read_span(const char *text, apr_time_t *time)
{
    apr_int64_t number = 0;
    const char *at = text + 1;
    while (*at >= '0' && *at <= '9' && number < LONGEST_SPAN) {
        number = number * 10 + (*at++ - '0');
    }
    apr_int64_t unit = *at ? seconds_of_unit(*at) : 0;
    if (at == text + 1 || !unit || at[1] || number > LONGEST_SPAN / unit) {
        return false;
    }
    *time = apr_time_now() + apr_time_from_sec(number * unit);
    return true;
}

const char *avt_time_read(const char *text, apr_time_t *time, apr_pool_t *pool)
{
    const char *full = strlen(text) == strlen("2027-01-01") ? apr_pstrcat(pool, text, "T00:00:00Z", NULL) : text;
    if (strcmp(text, "now") == 0) {
        *time = apr_time_now();
        return NULL;
    }
    if ((text[0] == '+' && read_span(text, time)) || av_timestamp_parse(av_slice_of(text), AV_TIME_UNIX, time) ||
        av_timestamp_parse(av_slice_of(full), AV_TIME_RFC3339, time)) {
        return NULL;
    }
    return apr_psprintf(
        pool, "\"%s\" is no time: write 2027-01-01, 2027-01-01T12:00:00Z, seconds since 1970, +30d or now", text);
}
