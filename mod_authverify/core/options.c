/* name=value.
 * SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <apr_strings.h>

/* Anything else may be a secret that was written where none belongs, such as base64 that ends in "=". */
static bool is_name(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-')) {
            return false;
        }
    }
    return text.len > 0;
}

const char *av_settings_split(const av_words *words, apr_size_t first, apr_array_header_t **settings, apr_pool_t *pool)
{
    *settings = apr_array_make(pool, (int)words->count, sizeof(av_setting));
    for (apr_size_t i = first; i < words->count; i++) {
        av_slice rest = av_slice_of(words->at[i]), name;
        av_slice_split(&rest, '=', &name);
        if (!rest.at || !is_name(name)) {
            return apr_psprintf(pool,
                                "word %" APR_SIZE_T_FMT " after \"%s\" is not written name=value, with a name of small "
                                "letters, digits and hyphens",
                                i - first + 1, words->at[first - 1]);
        }
        const char *text = av_slice_string(name, pool);
        if (!rest.len) {
            return apr_psprintf(pool, "%s= has no value; give it one or leave it out", text);
        }
        *(av_setting *)apr_array_push(*settings) = (av_setting){ text, rest.at };
    }
    return NULL;
}

static bool names(const apr_array_header_t *settings, const char *name)
{
    for (int i = 0; i < settings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(settings, i, av_setting).name, name) == 0) {
            return true;
        }
    }
    return false;
}

apr_array_header_t *av_settings_override(const apr_array_header_t *base, const apr_array_header_t *over,
                                         apr_pool_t *pool)
{
    apr_array_header_t *result = apr_array_make(pool, base->nelts + over->nelts, sizeof(av_setting));
    for (int i = 0; i < base->nelts; i++) {
        const av_setting *setting = &APR_ARRAY_IDX(base, i, av_setting);
        if (!names(over, setting->name)) {
            *(av_setting *)apr_array_push(result) = *setting;
        }
    }
    apr_array_cat(result, over);
    return result;
}

static const av_option *find_option(const av_option *options, const char *name)
{
    for (const av_option *option = options; option->name; option++) {
        if (strcmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

static apr_size_t smallest(apr_size_t a, apr_size_t b, apr_size_t c)
{
    apr_size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

#define LONGEST_NAME 32

/* How many letters must be changed, added or left out to come from a to b (Levenshtein). */
static apr_size_t distance(const char *a, const char *b)
{
    apr_size_t row[LONGEST_NAME + 1];
    apr_size_t width = strlen(b);
    if (width > LONGEST_NAME) {
        return LONGEST_NAME;
    }
    for (apr_size_t j = 0; j <= width; j++) {
        row[j] = j;
    }
    for (apr_size_t i = 1; a[i - 1]; i++) {
        apr_size_t diagonal = row[0];
        row[0] = i;
        for (apr_size_t j = 1; j <= width; j++) {
            apr_size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[width];
}

const char *av_nearest(const char *name, const char *const *names, apr_size_t count)
{
    const char *best = NULL;
    apr_size_t least = 3;
    for (apr_size_t i = 0; i < count; i++) {
        apr_size_t away = distance(name, names[i]);
        if (away < least) {
            least = away;
            best = names[i];
        }
    }
    return best;
}

static const char *unknown_option(const av_option_target *targets, apr_size_t count, const char *name, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 32, sizeof(const char *));
    for (apr_size_t i = 0; i < count; i++) {
        for (const av_option *option = targets[i].options; option->name; option++) {
            *(const char **)apr_array_push(all) = option->name;
        }
    }
    const char *meant = av_nearest(name, (const char *const *)all->elts, (apr_size_t)all->nelts);
    if (meant) {
        return apr_psprintf(pool, "there is no option \"%s\"; did you mean \"%s\"?", name, meant);
    }
    return apr_psprintf(pool, "there is no option \"%s\"; there are: %s", name, apr_array_pstrcat(pool, all, ' '));
}

static bool is_repeated(const apr_array_header_t *settings, int index)
{
    for (int i = 0; i < index; i++) {
        if (strcmp(APR_ARRAY_IDX(settings, i, av_setting).name, APR_ARRAY_IDX(settings, index, av_setting).name) == 0) {
            return true;
        }
    }
    return false;
}

const char *av_settings_apply(const apr_array_header_t *settings, const av_option_target *targets, apr_size_t count,
                              const av_compiler *compiler)
{
    for (int i = 0; i < settings->nelts; i++) {
        const av_setting *setting = &APR_ARRAY_IDX(settings, i, av_setting);
        const av_option *option = NULL;
        apr_size_t owner = 0;
        for (; owner < count && !(option = find_option(targets[owner].options, setting->name)); owner++) {
        }
        if (!option) {
            return unknown_option(targets, count, setting->name, compiler->pool);
        }
        if (!option->repeatable && is_repeated(settings, i)) {
            return apr_psprintf(compiler->pool, "%s= is given twice; keep one", setting->name);
        }
        const char *error = option->set(targets[owner].target, setting->value, compiler);
        if (error) {
            return apr_psprintf(compiler->pool, "%s=: %s", setting->name, error);
        }
    }
    return NULL;
}

const char *av_option_switch(const char *value, bool *out)
{
    *out = strcmp(value, "on") == 0;
    return *out || strcmp(value, "off") == 0 ? NULL : "must be on or off";
}

const char *av_option_choice(const char *value, const char *const *choices, unsigned count, unsigned *index,
                             apr_pool_t *pool)
{
    const char *all = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(value, choices[i]) == 0) {
            *index = i;
            return NULL;
        }
        all = all ? apr_pstrcat(pool, all, ", ", choices[i], NULL) : choices[i];
    }
    return apr_psprintf(pool, "\"%s\" is none of %s", value, all);
}
