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
    av_slice encoded;    /* base64url, or where it is empty: */
    av_slice text;       /* JSON */
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

/* What a token is found by in a memory: its SHA-256, the settings of the rule that took it, and the mark of the keys that
 * were in force. */
typedef struct av_token_name {
    unsigned char digest[32];
    const void *owner;
    uint64_t mark;
} av_token_name;

/* Bytes of notes on one token, at most, whatever the memory. */
#define AV_MOST_TOKEN_NOTES 8192

/* Remembers tokens until they end (stores/token_cache.h), by notes that their scheme makes; the core keeps no state. */
typedef struct av_token_memory {
    void *store;
    apr_size_t room; /* bytes of notes on one token, at most */
    /* Copies the notes. *len is the room for them, and then how long they are. */
    bool (*recall)(void *store, const av_token_name *name, apr_time_t now, void *notes, apr_size_t *len);
    void (*keep)(void *store, const av_token_name *name, apr_time_t expires, const void *notes, apr_size_t len);
} av_token_memory;

/* No control character of ASCII or of Unicode (U+0080 to U+009F, as UTF-8) is in the text. */
bool av_text_is_plain(av_slice text);

#endif
