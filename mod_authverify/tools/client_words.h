/* A client's line as its words: which is a secret, which a limit, and how one of them is changed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CLIENT_WORDS_H
#define AVT_CLIENT_WORDS_H

#include "../core/slice.h"

#include <apr_tables.h>

/* The words of a line, as an array of const char *: the id first, as it is written. */
apr_array_header_t *avt_words_of(av_slice line, apr_pool_t *pool);

/* A line of the words, separated by one blank each. */
av_slice avt_words_join(const apr_array_header_t *words, apr_pool_t *pool);

/* The line is that of this client, whose name is not encoded. */
bool avt_line_is_of(av_slice line, const char *id, apr_pool_t *pool);

/* The word is a secret: a colon stands in it before any equals sign. */
bool avt_word_is_secret(const char *word);

/* A secret's label; empty where it has none. */
av_slice avt_word_label(const char *word);

/* Where the secret with that label stands among the words, -1 where there is none. */
int avt_words_find_label(const apr_array_header_t *words, const char *label);

/* How many of the words are secrets. */
int avt_words_count_secrets(const apr_array_header_t *words);

/* The secret with another time of expiry; as it is where it had an earlier one. `expires` is a date-time of RFC
 * 3339. */
const char *avt_word_expire(const char *word, const char *expires, apr_pool_t *pool);

/* The same for the client as a whole. */
void avt_words_expire(apr_array_header_t *words, const char *expires);

#endif
