/* Words of a configuration line: no word holds what must be refused, and the words, quoted and joined,
 * split alike, but never without a blank between them.
 * Input: the line.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/words.h"
#include "fuzz.h"

#include <apr_strings.h>

/* The word in double quotes, its backslashes doubled. */
static const char *quote(const char *word, apr_pool_t *pool)
{
    char *quoted = apr_palloc(pool, 2 * strlen(word) + 3);
    char *to = quoted;

    *to++ = '"';
    for (; *word; word++) {
        if (*word == '\\') {
            *to++ = '\\';
        }
        *to++ = *word;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

static const char *join(const av_words *words, const char *separator, apr_pool_t *pool)
{
    const char *line = "";

    for (apr_size_t i = 0; i < words->count; i++) {
        line = apr_pstrcat(pool, line, i > 0 ? separator : "", quote(words->at[i], pool), NULL);
    }
    return line;
}

static void require_same_words_again(const av_words *words, apr_pool_t *pool)
{
    av_words again;

    REQUIRE(av_words_split(join(words, " ", pool), &again, pool) == NULL);
    REQUIRE(again.count == words->count);
    for (apr_size_t i = 0; i < words->count; i++) {
        REQUIRE(strcmp(again.at[i], words->at[i]) == 0);
    }
    REQUIRE(words->count < 2 || av_words_split(join(words, "", pool), &again, pool) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    char *line = malloc(size + 1);
    apr_size_t len = 0;
    av_words words;

    REQUIRE(line != NULL);
    memcpy(line, data, size);
    line[size] = '\0';
    const char *sentence = av_words_split(line, &words, pool);
    REQUIRE(words.count < AV_MAX_WORDS);
    REQUIRE(!sentence || (words.count == 0 && *sentence));
    for (apr_size_t i = 0; i < words.count; i++) {
        REQUIRE(!strpbrk(words.at[i], "\"'") && !strstr(words.at[i], "${"));
        len += strlen(words.at[i]);
    }
    REQUIRE(len <= size);
    require_same_words_again(&words, pool);
    free(line);
    return 0;
}
