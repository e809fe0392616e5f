/* What a proven token says: its claims (RFC 7519 section 4), for whoever asks for them by name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TOKEN_H
#define AV_TOKEN_H

#include "json.h"
#include "selector.h"

#include <apr_time.h>
#include <stdint.h>

/* Bytes of a claim that is handed on. */
#define AV_MAX_CLAIM_BYTES 1024

typedef struct av_token {
    av_slice encoded;    /* base64url */
    const av_json *json; /* the same, once somebody has read it; NULL before */
} av_token;

/* The JSON pointer of a claim as it is named in the configuration: by its name, or by a pointer (RFC 6901), which begins
 * with a slash; in both %3A stands for a colon and so on. Returns NULL with *pointer set in `pool`, or a sentence. */
const char *av_claim_name(av_slice name, const char **pointer, apr_pool_t *pool);

/* What the claim says, as text: a string, an integer or a boolean as av_json_text has it, an array or an object as JSON
 * in ASCII. AV_ABSENT where there is no token or no such claim, or it is null; AV_BROKEN where it cannot be handed on:
 * a real number, control characters, more than AV_MAX_CLAIM_BYTES, a payload that cannot be read. Reads the token on
 * first use. */
av_found av_token_claim(av_token *token, const char *pointer, av_slice *text, apr_pool_t *pool);

/* The claim is this scalar, or an array that has it as an element. */
bool av_token_says(av_token *token, const char *pointer, av_slice value, apr_pool_t *pool);

/* What a proven token is found by in a memory: its SHA-256, the settings of the rule that took it, and the mark of the
 * keys that were in force. */
typedef struct av_token_name {
    unsigned char digest[32];
    const void *owner;
    uint64_t mark;
} av_token_name;

/* What is remembered of one: whatever its scheme writes here. */
typedef struct av_token_notes {
    uint64_t words[56];
} av_token_notes;

/* Remembers proven tokens until they end (stores/token_cache.h); the core keeps no state. */
typedef struct av_token_memory {
    void *store;
    bool (*recall)(void *store, const av_token_name *name, apr_time_t now, av_token_notes *notes);
    void (*keep)(void *store, const av_token_name *name, apr_time_t expires, const av_token_notes *notes);
} av_token_memory;

/* No control character of ASCII or of Unicode (U+0080 to U+009F, as UTF-8) is in the text. */
bool av_text_is_plain(av_slice text);

#endif
