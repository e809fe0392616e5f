/* A client's line as its words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "client_words.h"
#include "../core/codec.h"
#include "arguments.h"

#include <apr_strings.h>

apr_array_header_t *avt_words_of(av_slice line, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(const char *));
    char *rest = av_slice_string(line, pool);
    while (rest[0]) {
        size_t blanks = strspn(rest, " \t"), len = strcspn(rest + blanks, " \t");
        if (len) {
            *(const char **)apr_array_push(words) = apr_pstrmemdup(pool, rest + blanks, len);
        }
        rest += blanks + len;
    }
    return words;
}

av_slice avt_words_join(const apr_array_header_t *words, apr_pool_t *pool)
{
    return av_slice_of(apr_array_pstrcat(pool, words, ' '));
}

bool avt_line_is_of(av_slice line, const char *id, apr_pool_t *pool)
{
    av_slice text = av_slice_trim(line), decoded;
    apr_size_t len = 0;
    while (len < text.len && text.at[len] != ' ' && text.at[len] != '\t') {
        len++;
    }
    return av_percent_decode((av_slice){ text.at, len }, false, &decoded, pool) &&
           av_slice_equal(decoded, av_slice_of(id));
}

bool avt_word_is_secret(const char *word)
{
    return word[strcspn(word, ":=")] == ':';
}

av_slice avt_word_label(const char *word)
{
    static const char *const kinds[] = { "plain:", "sha256:", "bcrypt:" };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (av_slice_starts_with(av_slice_of(word), av_slice_of(kinds[i]))) {
            return (av_slice){ "", 0 };
        }
    }
    return (av_slice){ word, strcspn(word, ":") };
}

int avt_words_find_label(const apr_array_header_t *words, const char *label)
{
    for (int i = 1; i < words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(words, i, const char *);
        if (avt_word_is_secret(word) && av_slice_equal(avt_word_label(word), av_slice_of(label))) {
            return i;
        }
    }
    return -1;
}

int avt_words_count_secrets(const apr_array_header_t *words)
{
    int count = 0;
    for (int i = 1; i < words->nelts; i++) {
        count += avt_word_is_secret(APR_ARRAY_IDX(words, i, const char *));
    }
    return count;
}

static bool is_earlier(av_slice date, const char *than, apr_pool_t *pool)
{
    apr_time_t one, other;
    return !avt_time_read(av_slice_string(date, pool), &one, pool) && !avt_time_read(than, &other, pool) && one < other;
}

const char *avt_word_expire(const char *word, const char *expires, apr_pool_t *pool)
{
    av_slice rest = av_slice_of(word), option;
    av_slice_split(&rest, ';', &option);
    const char *made = av_slice_string(option, pool);
    while (av_slice_split(&rest, ';', &option)) {
        if (!av_slice_starts_with(option, AV_SLICE("expires="))) {
            made = apr_pstrcat(pool, made, ";", av_slice_string(option, pool), NULL);
        } else if (is_earlier(av_slice_skip(option, strlen("expires=")), expires, pool)) {
            return word;
        }
    }
    return apr_pstrcat(pool, made, ";expires=", expires, NULL);
}

void avt_words_expire(apr_array_header_t *words, const char *expires)
{
    const char *limit = apr_pstrcat(words->pool, "expires=", expires, NULL);
    for (int i = 1; i < words->nelts; i++) {
        const char **word = &APR_ARRAY_IDX(words, i, const char *);
        av_slice old = av_slice_skip(av_slice_of(*word), strlen("expires="));
        if (av_slice_starts_with(av_slice_of(*word), AV_SLICE("expires="))) {
            *word = is_earlier(old, expires, words->pool) ? *word : limit;
            return;
        }
    }
    *(const char **)apr_array_push(words) = limit;
}
