/* authverify sign: what a sender would send, as headers or as a curl command.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "delivery.h"
#include "file_input.h"
#include "rule_shape.h"
#include "secret_input.h"
#include "tool.h"

#include <apr_strings.h>
#include <stdio.h>

typedef struct sign_options {
    bool curl;
    const char *secret, *body, *method, *url, *time, *client, *id, *path;
    apr_array_header_t *headers;
} sign_options;

#define OPTION(name, kind, member)                 \
    {                                              \
        name, kind, offsetof(sign_options, member) \
    }

static const avt_option rows[] = {
    OPTION("--curl", AVT_SWITCH, curl),
    OPTION("--secret", AVT_TEXT, secret),
    OPTION("--body", AVT_TEXT, body),
    OPTION("--method", AVT_TEXT, method),
    OPTION("--url", AVT_TEXT, url),
    OPTION("--time", AVT_TEXT, time),
    OPTION("--client", AVT_TEXT, client),
    OPTION("--id", AVT_TEXT, id),
    OPTION("--path", AVT_TEXT, path),
    OPTION("--header", AVT_TEXTS, headers),
    { NULL, AVT_SWITCH, 0 },
};

static const char *begin(const sign_options *options, avt_delivery *delivery, apr_pool_t *pool)
{
    const char *error = NULL;
    *delivery = (avt_delivery){ .method = av_slice_of(options->method ? options->method
                                                      : options->body ? "POST"
                                                                      : "GET"),
                                .url = options->url ? options->url : "https://localhost/",
                                .headers = apr_array_make(pool, 8, sizeof(av_header)),
                                .body = { "", 0 },
                                .client = options->client,
                                .id = options->id,
                                .time = apr_time_now() };
    for (int i = 0; !error && options->headers && i < options->headers->nelts; i++) {
        error = avt_delivery_add_header(delivery, APR_ARRAY_IDX(options->headers, i, const char *), pool);
    }
    return error || !options->time ? error : avt_time_read(options->time, &delivery->time, pool);
}

/* In single quotes, for a shell. */
static const char *quote(const char *text, apr_pool_t *pool)
{
    av_slice rest = av_slice_of(text), part;
    const char *made = "'";
    bool is_first = true;
    while (av_slice_split(&rest, '\'', &part)) {
        made = apr_pstrcat(pool, made, is_first ? "" : "'\\''", av_slice_string(part, pool), NULL);
        is_first = false;
    }
    return apr_pstrcat(pool, made, "'", NULL);
}

static const char *header_line(const avt_delivery *delivery, int index, apr_pool_t *pool)
{
    const av_header *header = &APR_ARRAY_IDX(delivery->headers, index, av_header);
    return apr_pstrcat(pool, av_slice_string(header->name, pool), ": ", av_slice_string(header->value, pool), NULL);
}

static void print_curl(const sign_options *options, const avt_delivery *delivery, apr_pool_t *pool)
{
    printf("curl -X %s", quote(av_slice_string(delivery->method, pool), pool));
    for (int i = 0; i < delivery->headers->nelts; i++) {
        printf(" -H %s", quote(header_line(delivery, i, pool), pool));
    }
    if (options->body) {
        printf(" --data-binary %s", quote(apr_pstrcat(pool, "@", options->body, NULL), pool));
    }
    printf(" %s\n", quote(delivery->url, pool));
}

/* The URL only where the credential is in it. */
static void print_headers(const sign_options *options, const avt_delivery *delivery, apr_pool_t *pool)
{
    for (int i = 0; i < delivery->headers->nelts; i++) {
        puts(header_line(delivery, i, pool));
    }
    if (strcmp(delivery->url, options->url ? options->url : "https://localhost/") != 0) {
        puts(delivery->url);
    }
}

/* The rule, as far as it goes without its secret. */
static const char *shape(const sign_options *options, const apr_array_header_t *operands, av_rule **rule,
                         apr_pool_t *pool)
{
    const av_words words = { (const char *const *)operands->elts, (apr_size_t)operands->nelts };
    const av_compiler *compiler = avt_compiler_create(options->path, pool);
    if (!words.count) {
        return "sign as whom? sign PRESET|SCHEME [name=value ...]";
    }
    return compiler ? avt_rule_shape(&words, compiler, rule) : "the library lacks an algorithm";
}

static avt_status sign(int count, const char *const *arguments, apr_pool_t *pool)
{
    sign_options options = { 0 };
    avt_delivery delivery;
    apr_array_header_t *operands;
    av_rule *rule = NULL;
    av_slice secret = { "", 0 };
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    error = error ? error : shape(&options, operands, &rule, pool);
    error = error ? error : begin(&options, &delivery, pool);
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    error = options.body ? avt_file_read(options.body, &delivery.body, pool) : NULL;
    if (error) {
        return avt_fail(AVT_FILE, "%s", error);
    }
    error = avt_secret_read(options.secret, false, &secret, pool);
    error = error ? error : avt_delivery_sign(&delivery, rule, secret, pool);
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    (options.curl ? print_curl : print_headers)(&options, &delivery, pool);
    return avt_printed();
}

const avt_command avt_sign = {
    .name = "sign",
    .brief = "sign a request as a provider would: print its headers or a curl command",
    .help =
        "usage: authverify sign PRESET|SCHEME [name=value ...] [OPTION ...]\n\n"
        "Words and options are those of AuthVerify, without secret= and clients=. Prints each header that the request\n"
        "needs; where the credential travels in the query, the URL too.\n\n"
        "  --secret SOURCE        - (standard input), prompt, file:PATH, env:NAME, exec:PROGRAM, credential:NAME;\n"
        "                         for ed25519 the private key: PEM, or 32 bytes as key-encoding= says\n"
        "  --body FILE            what is sent\n"
        "  --method METHOD        POST with a body, else GET\n"
        "  --url URL              https://localhost/\n"
        "  --header NAME:VALUE    a header that is sent besides; again for another\n"
        "  --time TIME            when it is signed (now)\n"
        "  --client NAME          who sends it: the token of token-pair, the user of basic, what client= selects\n"
        "  --id ID                the delivery's id (a new one)\n"
        "  --path DIR             the folder of presets\n"
        "  --curl                 print a curl command; schemes whose secret is sent show it there\n\n"
        "Status: 0 done, 2 usage, 3 the body cannot be read.\n",
    .run = sign,
};
