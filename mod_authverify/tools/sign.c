/* authverify sign: what a sender would send, as headers, as a curl command, or sent.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/codec.h"
#include "arguments.h"
#include "delivery.h"
#include "file_input.h"
#include "rule_shape.h"
#include "secret_input.h"
#include "send.h"
#include "tool.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdio.h>

typedef struct sign_options {
    bool curl, send, json;
    const char *secret, *body, *method, *url, *time, *client, *id, *path, *authorities, *expires;
    apr_array_header_t *headers;
} sign_options;

#define OPTION(name, kind, member)                 \
    {                                              \
        name, kind, offsetof(sign_options, member) \
    }

static const avt_option rows[] = {
    OPTION("--curl", AVT_SWITCH, curl),     OPTION("--send", AVT_SWITCH, send),     OPTION("--json", AVT_SWITCH, json),
    OPTION("--ca", AVT_TEXT, authorities),  OPTION("--secret", AVT_TEXT, secret),   OPTION("--body", AVT_TEXT, body),
    OPTION("--method", AVT_TEXT, method),   OPTION("--url", AVT_TEXT, url),         OPTION("--time", AVT_TEXT, time),
    OPTION("--client", AVT_TEXT, client),   OPTION("--id", AVT_TEXT, id),           OPTION("--path", AVT_TEXT, path),
    OPTION("--expires", AVT_TEXT, expires), OPTION("--header", AVT_TEXTS, headers), { NULL, AVT_SWITCH, 0 },
};

static const char *check_options(const sign_options *options)
{
    if (!options->send) {
        return options->json || options->authorities ? "--json and --ca go with --send" : NULL;
    }
    if (options->curl) {
        return "either --send or --curl";
    }
    av_slice url = av_slice_of(options->url);
    if (!av_slice_starts_with(url, AV_SLICE("https://")) && !av_slice_starts_with(url, AV_SLICE("http://"))) {
        return "where to? --send needs --url, which begins with https:// or http://";
    }
    return avt_send_missing();
}

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
                                .expires = options->expires,
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

static void print_answer(const avt_answer *answer, apr_pool_t *pool)
{
    (void)pool;
    printf("status %ld\n\n", answer->status);
    fwrite(answer->body.at, 1, answer->body.len, stdout);
}

/* A body that is no text is written in base64. */
static void print_answer_value(const avt_answer *answer, apr_pool_t *pool)
{
    json_t *value = json_object(), *text = json_stringn(answer->body.at, answer->body.len);
    json_object_set_new(value, "status", json_integer(answer->status));
    if (text) {
        json_object_set_new(value, "body", text);
    } else {
        json_object_set_new(value, "body-base64", json_string(av_encode(AV_BASE64, answer->body, pool).at));
    }
    json_dumpf(value, stdout, JSON_INDENT(2));
    json_decref(value);
    putchar('\n');
}

static avt_status send_delivery(const sign_options *options, const avt_delivery *delivery, apr_pool_t *pool)
{
    avt_answer answer = { 0, { "", 0 } };
    const char *error = avt_send(delivery, options->authorities, &answer, pool);
    if (error) {
        return avt_fail(AVT_NO_ANSWER, "%s", error);
    }
    (options->json ? print_answer_value : print_answer)(&answer, pool);
    avt_status printed = avt_printed();
    return printed != AVT_OK ? printed : answer.status / 100 == 2 ? AVT_OK : AVT_REFUSED;
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

static const char *check_expires(const sign_options *options, const av_rule *rule)
{
    const char *text = options->expires;
    if (!text) {
        return NULL;
    }
    if (strcmp(rule->scheme->name, "aws4") != 0) {
        return "--expires is for aws4";
    }
    apr_int64_t seconds = strspn(text, "0123456789") == strlen(text) ? apr_atoi64(text) : 0;
    return seconds >= 1 && seconds <= 604800 ? NULL : "--expires is a number of seconds, a week (604800) at most";
}

static avt_status sign(int count, const char *const *arguments, apr_pool_t *pool)
{
    sign_options options = { 0 };
    avt_delivery delivery;
    apr_array_header_t *operands;
    av_rule *rule = NULL;
    av_slice secret = { "", 0 };
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    error = error ? error : check_options(&options);
    error = error ? error : shape(&options, operands, &rule, pool);
    error = error ? error : begin(&options, &delivery, pool);
    error = error ? error : check_expires(&options, rule);
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
    if (options.send) {
        return send_delivery(&options, &delivery, pool);
    }
    (options.curl ? print_curl : print_headers)(&options, &delivery, pool);
    return avt_printed();
}

const avt_command avt_sign = {
    .name = "sign",
    .brief = "sign a request as a sender would: print its headers or a curl command, or send it",
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
        "  --expires SECONDS      aws4: sign the URL, to be good for so long, and not the headers\n"
        "  --path DIR             the folder of presets\n"
        "  --curl                 print a curl command; schemes whose secret is sent show it there\n"
        "  --send                 send it to --url, once: print the answer's status, an empty line and its body\n"
        "  --ca FILE              the authorities, in PEM, that the server's certificate may come from (the system's)\n"
        "  --json                 of the answer, print an object\n\n"
        "Status: 0 done, and sent: the answer is 2xx; 1 sent: another answer; 2 usage; 3 the body cannot be read;\n"
        "4 there was no answer.\n",
    .run = sign,
};
