/* Where a secret comes from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "secret_input.h"
#include "../core/secret.h"

#include <apr_strings.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#define LONGEST_SECRET 65536
#define LONGEST_TYPED 1024

static const char *keep(av_slice text, av_slice *secret, apr_pool_t *pool)
{
    if (text.len && text.at[text.len - 1] == '\n') {
        text.len--;
        text.len -= text.len && text.at[text.len - 1] == '\r';
    }
    if (!text.len) {
        return "the secret is empty";
    }
    if (memchr(text.at, '\0', text.len)) {
        return "the secret holds a NUL byte";
    }
    *secret = av_secret_keep(text, pool);
    return NULL;
}

static const char *read_standard_input(av_slice *secret, apr_pool_t *pool)
{
    char text[LONGEST_SECRET + 1];
    size_t len = 0;
    ssize_t got = 1;
    while (got && len < sizeof(text)) {
        got = read(STDIN_FILENO, text + len, sizeof(text) - len);
        if (got < 0 && errno != EINTR) {
            OPENSSL_cleanse(text, len);
            return apr_psprintf(pool, "standard input cannot be read: %pm", &errno);
        }
        len += got > 0 ? (size_t)got : 0;
    }
    const char *error =
        len == sizeof(text) ? "the secret is longer than 64 KiB" : keep((av_slice){ text, len }, secret, pool);
    OPENSSL_cleanse(text, sizeof(text));
    return error;
}

/* The library asks on the terminal itself, with the echo off, and puts it right again when a signal comes. */
static const char *ask(bool confirm, av_slice *secret, apr_pool_t *pool)
{
    char typed[LONGEST_TYPED];
    const char *error = "nothing was typed, or not the same twice";
    if (EVP_read_pw_string(typed, sizeof(typed), "Secret: ", confirm) == 0) {
        error = keep(av_slice_of(typed), secret, pool);
    }
    OPENSSL_cleanse(typed, sizeof(typed));
    return error;
}

static const char *read_source(const char *text, av_slice *secret, apr_pool_t *pool)
{
    const av_source_access access = { .base = ".", .may_execute = true };
    const char *warning = NULL;
    av_source source;
    const char *error = av_source_parse(text, &source, pool);
    return error ? error : av_source_load(&source, &access, secret, &warning, pool);
}

const char *avt_secret_read(const char *source, bool confirm, av_slice *secret, apr_pool_t *pool)
{
    source = source ? source : isatty(STDIN_FILENO) ? "prompt" : "-";
    if (strcmp(source, "-") == 0) {
        return read_standard_input(secret, pool);
    }
    return strcmp(source, "prompt") == 0 ? ask(confirm, secret, pool) : read_source(source, secret, pool);
}
