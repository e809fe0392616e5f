/* Words of a configuration line: httpd's quoting, and a refusal where httpd would silently take something else.
 * SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "slice.h"

#include <apr_lib.h>
#include <apr_strings.h>

/* Where a word stands in the line. */
typedef struct span {
    const char *start; /* after the opening quote */
    const char *end;   /* the closing quote, the blank or the NUL behind the word */
    char quote;        /* NUL: not quoted */
} span;

static const char *skip_blanks(const char *text)
{
    while (apr_isspace(*text)) {
        text++;
    }
    return text;
}

static bool is_escape(const char *text, char quote)
{
    return text[0] == '\\' && (text[1] == '\\' || (quote && text[1] == quote));
}

static span find_word(const char *text)
{
    span word = { text, text, '\0' };

    if (*text == '"' || *text == '\'') {
        word.quote = *text;
        word.start = word.end = text + 1;
        while (*word.end && *word.end != word.quote) {
            word.end += is_escape(word.end, word.quote) ? 2 : 1;
        }
        return word;
    }
    while (*word.end && !apr_isspace(*word.end)) {
        word.end++;
    }
    return word;
}

static const char *unescape(span word, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)(word.end - word.start) + 1);
    char *to = text;

    for (const char *from = word.start; from < word.end; from++) {
        if (is_escape(from, word.quote)) {
            from++;
        }
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

/* What a sentence calls a word: its number, and its option's name. What does not look like the name of an option may be
 * a secret that was written where it does not belong. */
static const char *describe(span word, apr_size_t index, apr_pool_t *pool)
{
    const char *end = word.start;

    while (apr_islower(*end) || *end == '-') {
        end++;
    }
    if (end == word.start || *end != '=') {
        return apr_psprintf(pool, "word %" APR_SIZE_T_FMT, index + 1);
    }
    return apr_psprintf(pool, "word %" APR_SIZE_T_FMT " (%.*s=)", index + 1, (int)(end - word.start), word.start);
}

/* What is wrong with a word, as a sentence without its subject; NULL: nothing. */
static const char *fault_of(span word, const char *text)
{
    if (word.quote && !*word.end) {
        return "opens a quote that is not closed; a line that goes on ends in a backslash";
    }
    if (word.quote && word.end[1] && !apr_isspace(word.end[1])) {
        return "is followed by text right after its closing quote; put a blank between two words";
    }
    if (strpbrk(text, "\"'")) {
        return "contains a quote; a value with spaces is quoted together with its name: \"name=two words\"";
    }
    if (strstr(text, "${")) {
        return "contains ${, a variable that is not defined; Define it before this line";
    }
    return NULL;
}

const char *av_words_split(const char *line, av_words *words, apr_pool_t *pool)
{
    const char **at = apr_palloc(pool, AV_MAX_WORDS * sizeof(*at));
    apr_size_t count = 0;

    *words = (av_words){ at, 0 };
    for (const char *rest = skip_blanks(line); *rest; rest = skip_blanks(rest)) {
        if (count == AV_MAX_WORDS - 1) {
            return apr_psprintf(pool, "more than %d words; put some of the options into an AuthVerifyPreset",
                                AV_MAX_WORDS - 1);
        }
        span word = find_word(rest);
        at[count] = unescape(word, pool);
        const char *fault = fault_of(word, at[count]);
        if (fault) {
            return apr_pstrcat(pool, describe(word, count, pool), " ", fault, NULL);
        }
        rest = word.quote ? word.end + 1 : word.end;
        count++;
    }
    words->count = count;
    return NULL;
}
