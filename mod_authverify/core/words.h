/* Splits a configuration line into words exactly as httpd does (ap_getword_conf), and refuses what httpd would let pass
 * in silence. Directives, preset files and the command line share it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_WORDS_H
#define AV_WORDS_H

#include <apr_pools.h>

/* httpd hands a directive at most this many words less one, and drops the rest without a word. */
#define AV_MAX_WORDS 64

typedef struct av_words {
    const char *const *at; /* NUL-terminated each, none is NULL; in the pool given */
    apr_size_t count;
} av_words;

/* Splits `line`. A word is quoted as a whole with " or '; inside, \" (or \') and \\ stand for the character alone, and
 * outside of quotes \\ stands for one backslash.
 * Returns NULL, or the error as a sentence for the administrator: a quote that is not closed, a word that still
 * contains a quote (name="value" instead of "name=value"), text right after a closing quote, an unresolved ${,
 * AV_MAX_WORDS words or more. The sentence never repeats a word's value after its "=". */
const char *av_words_split(const char *line, av_words *words, apr_pool_t *pool);

#endif
