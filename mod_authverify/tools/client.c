/* authverify client add, rotate, revoke: who may come, changed in a clients file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/codec.h"
#include "../core/timestamp.h"
#include "../issue/pair.h"
#include "../stores/clients_line.h"
#include "arguments.h"
#include "client_words.h"
#include "clients_edit.h"
#include "secret_input.h"
#include "secret_word.h"
#include "tool.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdio.h>

#define SECRET_OPTIONS                                                                                         \
    "  --password             a password, asked for or read, and kept as bcrypt\n"                             \
    "  --signing              kept as it is (plain:), for schemes whose sender signs with it\n"                \
    "  --secret SOURCE        take this secret instead of a new one: - (standard input), prompt, file:PATH,\n" \
    "                         env:NAME, exec:PROGRAM, credential:NAME\n"                                       \
    "  --cost N               of bcrypt, 4 to 17 (10)\n"                                                       \
    "  --label NAME           what the log calls this secret\n"                                                \
    "  --not-before TIME      the secret holds from then on\n"                                                 \
    "  --expires TIME         the secret holds until then\n"

#define COMMON_END                                                                               \
    "A TIME is 2027-01-01, 2027-01-01T12:00:00Z, seconds since 1970, +30d (s m h d w) or now.\n" \
    "The file is replaced in one step; httpd sees the change within a second.\n"                 \
    "Status: 0 done, 1 no such client or one already, 2 usage, 3 file.\n"

/* What the options of add and rotate come to, and those of revoke. */
typedef struct client_options {
    bool create, json, password, signing;
    const char *secret, *cost, *label, *not_before, *expires, *expire_old, *at;
} client_options;

#define OPTION(name, kind, member)                   \
    {                                                \
        name, kind, offsetof(client_options, member) \
    }
#define SECRET_ROWS                                                                                                 \
    OPTION("--password", AVT_SWITCH, password), OPTION("--signing", AVT_SWITCH, signing),                           \
        OPTION("--secret", AVT_TEXT, secret), OPTION("--cost", AVT_TEXT, cost), OPTION("--label", AVT_TEXT, label), \
        OPTION("--not-before", AVT_TEXT, not_before), OPTION("--expires", AVT_TEXT, expires),                       \
        OPTION("--json", AVT_SWITCH, json)

static const avt_option add_rows[] = { SECRET_ROWS, OPTION("--create", AVT_SWITCH, create), { NULL, AVT_SWITCH, 0 } };
static const avt_option rotate_rows[] = { SECRET_ROWS,
                                          OPTION("--expire-old", AVT_TEXT, expire_old),
                                          { NULL, AVT_SWITCH, 0 } };
static const avt_option revoke_rows[] = { OPTION("--label", AVT_TEXT, label),
                                          OPTION("--at", AVT_TEXT, at),
                                          { NULL, AVT_SWITCH, 0 } };

/* A secret that is to be written: its word for the file and, where it is new, itself. */
typedef struct new_secret {
    const char *word;
    av_slice text; /* empty: whoever gave it knows it */
} new_secret;

static const char *add_time(const char **word, const char *name, const char *text, apr_pool_t *pool)
{
    apr_time_t time = 0;
    const char *error = text ? avt_time_read(text, &time, pool) : NULL;
    if (text && !error) {
        *word = apr_pstrcat(pool, *word, ";", name, "=", av_timestamp_text(time, pool), NULL);
    }
    return error;
}

/* A new secret, or the one that --secret names. */
static const char *take_secret(const client_options *options, av_secret_kind kind, av_slice *text, bool *is_new,
                               apr_pool_t *pool)
{
    *is_new = !options->secret && kind != AV_SECRET_BCRYPT;
    if (!*is_new) {
        return avt_secret_read(options->secret, true, text, pool);
    }
    *text = av_pair_secret(pool);
    return text->len ? NULL : "the library has no random bytes";
}

static const char *make_secret(const client_options *options, av_secret_kind kind, new_secret *made, apr_pool_t *pool)
{
    int cost = AVT_DEFAULT_COST;
    bool is_new = false;
    av_slice text = { "", 0 };
    const char *error = options->cost ? avt_cost_read(options->cost, &cost) : NULL;
    error = error ? error : take_secret(options, kind, &text, &is_new, pool);
    error = error ? error : avt_secret_word(kind, text, cost, &made->word, pool);
    if (!error && options->label) {
        made->word = apr_pstrcat(pool, options->label, ":", made->word, NULL);
    }
    error = error ? error : add_time(&made->word, "not-before", options->not_before, pool);
    error = error ? error : add_time(&made->word, "expires", options->expires, pool);
    made->text = is_new ? text : (av_slice){ "", 0 };
    return error;
}

/* The line as httpd will read it. */
static const char *check_words(const apr_array_header_t *words, apr_pool_t *pool)
{
    av_client_record record;
    return av_clients_line_parse(avt_words_join(words, pool), &record, pool);
}

static avt_status print_secret(const client_options *options, const char *id, const new_secret *made)
{
    if (options->json) {
        json_t *object = json_pack("{s:s}", "id", id);
        if (made->text.len) {
            json_object_set_new(object, "secret", json_stringn(made->text.at, made->text.len));
        }
        json_dumpf(object, stdout, JSON_COMPACT);
        json_decref(object);
        putchar('\n');
        return avt_printed();
    }
    printf("id: %s\n", id);
    if (made->text.len) {
        printf("secret: %.*s\n", (int)made->text.len, made->text.at);
    }
    return avt_printed();
}

/* add */

/* "methods=GET": encoded where the value needs it. */
static const char *limit_word(const char *operand, apr_pool_t *pool)
{
    const char *value = strchr(operand, '=') + 1;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, operand, (apr_size_t)(value - operand)),
                       av_percent_encode(av_slice_of(value), "", pool), NULL);
}

/* FILE [ID] [LIMIT=VALUE...]: the id, or a new token where none is given, and the limits behind `words`. */
static const char *read_add_operands(const apr_array_header_t *operands, const char **id, apr_array_header_t *limits,
                                     apr_pool_t *pool)
{
    *id = NULL;
    for (int i = 1; i < operands->nelts; i++) {
        const char *operand = APR_ARRAY_IDX(operands, i, const char *);
        if (strchr(operand, '=')) {
            *(const char **)apr_array_push(limits) = limit_word(operand, pool);
        } else if (*id || !*operand) {
            return "one client at a time: FILE [ID] [LIMIT=VALUE ...]";
        } else {
            *id = operand;
        }
    }
    *id = *id ? *id : av_pair_token(pool).at;
    return operands->nelts < 1 ? "which file? client add FILE [ID] [LIMIT=VALUE ...]"
           : *id               ? NULL
                               : "the library has no random bytes";
}

static av_secret_kind kind_asked_for(const client_options *options)
{
    return options->password ? AV_SECRET_BCRYPT : options->signing ? AV_SECRET_PLAIN : AV_SECRET_SHA256;
}

static avt_status append(const client_options *options, const char *path, const char *id,
                         const apr_array_header_t *words, apr_pool_t *pool)
{
    avt_clients clients;
    int index = -1;
    const char *error = avt_clients_edit(&clients, path, options->create, pool);
    error = error ? error : avt_clients_find(&clients, id, &index);
    if (!error && index >= 0) {
        return avt_fail(AVT_REFUSED, "%s has the client \"%s\" already, in line %d; use client rotate", path, id,
                        index + 1);
    }
    if (!error) {
        *(av_slice *)apr_array_push(clients.lines) = avt_words_join(words, pool);
        error = avt_clients_save(&clients);
    }
    return error ? avt_fail(AVT_FILE, "%s", error) : AVT_OK;
}

static avt_status run_add(int count, const char *const *arguments, apr_pool_t *pool)
{
    client_options options = { 0 };
    new_secret made = { 0 };
    const char *id = NULL;
    apr_array_header_t *operands, *words = apr_array_make(pool, 8, sizeof(const char *)),
                                  *limits = apr_array_make(pool, 8, sizeof(const char *));
    const char *error = avt_arguments_read(count, arguments, add_rows, &options, &operands, pool);
    error = error ? error : read_add_operands(operands, &id, limits, pool);
    if (!error && options.password && options.signing) {
        error = "--password cannot sign: bcrypt keeps no secret";
    }
    error = error ? error : make_secret(&options, kind_asked_for(&options), &made, pool);
    if (!error) {
        *(const char **)apr_array_push(words) = av_percent_encode(av_slice_of(id), "", pool);
        *(const char **)apr_array_push(words) = made.word;
        apr_array_cat(words, limits);
        error = check_words(words, pool);
    }
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    avt_status status = append(&options, APR_ARRAY_IDX(operands, 0, const char *), id, words, pool);
    return status == AVT_OK ? print_secret(&options, id, &made) : status;
}

const avt_command avt_client_add = {
    .name = "client add",
    .brief = "add a client with a new token pair, key, token or password",
    .help =
        "usage: authverify client add FILE [ID] [LIMIT=VALUE ...] [OPTION ...]\n\n"
        "Adds a client with a new secret of 50 letters and digits, which is printed once and kept as its digest. Without\n"
        "ID a token of 36 hexadecimal digits and hyphens is made: with its secret it is a pair for token-pair. The\n"
        "secret by itself is a token for bearer, or a key for api-key.\n\n"
        "LIMIT is one of schemes methods paths from scopes org environment application user not-before expires.\n\n"
        "  --create               make the file, mode 0640, where it is missing\n" SECRET_OPTIONS
        "  --json                 print an object\n\n" COMMON_END,
    .run = run_add,
};

/* rotate and revoke: of a client that is there */

/* FILE ID: opens the file and finds the client's words. */
static avt_status open_client(const apr_array_header_t *operands, avt_clients *clients, int *index,
                              apr_array_header_t **words, apr_pool_t *pool)
{
    if (operands->nelts != 2) {
        return avt_fail(AVT_USAGE, "which client? FILE ID");
    }
    const char *path = APR_ARRAY_IDX(operands, 0, const char *), *id = APR_ARRAY_IDX(operands, 1, const char *);
    const char *error = avt_clients_edit(clients, path, false, pool);
    error = error ? error : avt_clients_find(clients, id, index);
    if (error) {
        return avt_fail(AVT_FILE, "%s", error);
    }
    if (*index < 0) {
        return avt_fail(AVT_REFUSED, "%s has no client \"%s\"", path, id);
    }
    *words = avt_words_of(APR_ARRAY_IDX(clients->lines, *index, av_slice), pool);
    error = check_words(*words, pool);
    return error ? avt_fail(AVT_FILE, "%s line %d: %s", path, *index + 1, error) : AVT_OK;
}

/* Puts the words back, if httpd would take them. */
static avt_status put_back(avt_clients *clients, int index, const apr_array_header_t *words, apr_pool_t *pool)
{
    const char *error = check_words(words, pool);
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    APR_ARRAY_IDX(clients->lines, index, av_slice) = avt_words_join(words, pool);
    error = avt_clients_save(clients);
    return error ? avt_fail(AVT_FILE, "%s", error) : AVT_OK;
}

/* Of the kind that the client has, unless another is asked for. */
static av_secret_kind kind_for(const client_options *options, const apr_array_header_t *words, apr_pool_t *pool)
{
    av_client_record record;
    if (options->password || options->signing || av_clients_line_parse(avt_words_join(words, pool), &record, pool)) {
        return kind_asked_for(options);
    }
    return record.secrets[0].kind;
}

static void expire_secrets(apr_array_header_t *words, const char *expires, apr_pool_t *pool)
{
    for (int i = 1; i < words->nelts; i++) {
        const char **word = &APR_ARRAY_IDX(words, i, const char *);
        *word = avt_word_is_secret(*word) ? avt_word_expire(*word, expires, pool) : *word;
    }
}

/* Behind the last secret, before the limits. */
static apr_array_header_t *insert_secret(const apr_array_header_t *words, const char *secret, apr_pool_t *pool)
{
    apr_array_header_t *made = apr_array_make(pool, words->nelts + 1, sizeof(const char *));
    int last = 0;
    for (int i = 1; i < words->nelts; i++) {
        last = avt_word_is_secret(APR_ARRAY_IDX(words, i, const char *)) ? i : last;
    }
    for (int i = 0; i < words->nelts; i++) {
        *(const char **)apr_array_push(made) = APR_ARRAY_IDX(words, i, const char *);
        if (i == last) {
            *(const char **)apr_array_push(made) = secret;
        }
    }
    return made;
}

static const char *add_secret(const client_options *options, apr_array_header_t **words, new_secret *made,
                              apr_pool_t *pool)
{
    apr_time_t end = 0;
    const char *error = options->expire_old ? avt_time_read(options->expire_old, &end, pool) : NULL;
    if (!error && options->label && avt_words_find_label(*words, options->label) > 0) {
        error = apr_psprintf(pool, "a secret of this client is labelled \"%s\" already", options->label);
    }
    error = error ? error : make_secret(options, kind_for(options, *words, pool), made, pool);
    if (!error && end) {
        expire_secrets(*words, av_timestamp_text(end, pool), pool);
    }
    *words = error ? *words : insert_secret(*words, made->word, pool);
    return error;
}

static avt_status run_rotate(int count, const char *const *arguments, apr_pool_t *pool)
{
    client_options options = { 0 };
    avt_clients clients;
    new_secret made = { 0 };
    int index = -1;
    apr_array_header_t *operands, *words = NULL;
    const char *error = avt_arguments_read(count, arguments, rotate_rows, &options, &operands, pool);
    avt_status status =
        error ? avt_fail(AVT_USAGE, "%s", error) : open_client(operands, &clients, &index, &words, pool);
    if (status != AVT_OK) {
        return status;
    }
    error = add_secret(&options, &words, &made, pool);
    status = error ? avt_fail(AVT_USAGE, "%s", error) : put_back(&clients, index, words, pool);
    return status == AVT_OK ? print_secret(&options, APR_ARRAY_IDX(operands, 1, const char *), &made) : status;
}

const avt_command avt_client_rotate = {
    .name = "client rotate",
    .brief = "give a client another secret beside the one it has",
    .help =
        "usage: authverify client rotate FILE ID [OPTION ...]\n\n"
        "Adds a secret of the kind that the client has. Both are valid until the old one expires or is revoked; the log\n"
        "and AUTHVERIFY_SECRET_LABEL tell by their labels which one is still in use.\n\n"
        "  --expire-old TIME      the secrets from before hold until then at most\n" SECRET_OPTIONS
        "  --json                 print an object\n\n" COMMON_END,
    .run = run_rotate,
};

static void remove_at(apr_array_header_t *list, int index)
{
    char *at = list->elts + (apr_size_t)index * (apr_size_t)list->elt_size;
    memmove(at, at + list->elt_size, (apr_size_t)(list->nelts - index - 1) * (apr_size_t)list->elt_size);
    list->nelts--;
}

/* One of the client's secrets. */
static const char *revoke_secret(const client_options *options, apr_array_header_t *words, const char *end,
                                 apr_pool_t *pool)
{
    int index = avt_words_find_label(words, options->label);
    if (index < 0) {
        return apr_psprintf(pool, "no secret of this client is labelled \"%s\"", options->label);
    }
    if (end) {
        const char **word = &APR_ARRAY_IDX(words, index, const char *);
        *word = avt_word_expire(*word, end, pool);
        return NULL;
    }
    if (avt_words_count_secrets(words) == 1) {
        return "it is the client's only secret; leave --label out to revoke the client";
    }
    remove_at(words, index);
    return NULL;
}

static avt_status revoke_within(const client_options *options, avt_clients *clients, int index,
                                apr_array_header_t *words, const char *end, apr_pool_t *pool)
{
    if (options->label) {
        const char *error = revoke_secret(options, words, end, pool);
        return error ? avt_fail(AVT_REFUSED, "%s", error) : put_back(clients, index, words, pool);
    }
    if (end) {
        avt_words_expire(words, end);
        return put_back(clients, index, words, pool);
    }
    if (avt_clients_count(clients) == 1 && !avt_clients_are_issued(clients)) {
        return avt_fail(AVT_REFUSED,
                        "it is the only client: httpd does not take a list of nobody, and would keep the one from "
                        "before; let the client expire with --at now");
    }
    remove_at(clients->lines, index);
    const char *error = avt_clients_save(clients);
    return error ? avt_fail(AVT_FILE, "%s", error) : AVT_OK;
}

static avt_status run_revoke(int count, const char *const *arguments, apr_pool_t *pool)
{
    client_options options = { 0 };
    avt_clients clients;
    int index = -1;
    apr_time_t end = 0;
    apr_array_header_t *operands, *words = NULL;
    const char *error = avt_arguments_read(count, arguments, revoke_rows, &options, &operands, pool);
    error = error || !options.at ? error : avt_time_read(options.at, &end, pool);
    avt_status status =
        error ? avt_fail(AVT_USAGE, "%s", error) : open_client(operands, &clients, &index, &words, pool);
    return status == AVT_OK
               ? revoke_within(&options, &clients, index, words, end ? av_timestamp_text(end, pool) : NULL, pool)
               : status;
}

const avt_command avt_client_revoke = {
    .name = "client revoke",
    .brief = "remove a client or one of its secrets, at once or at a given time",
    .help =
        "usage: authverify client revoke FILE ID [OPTION ...]\n\n"
        "Removes the client's line. The only client of a file can only expire: httpd does not take a list of nobody,\n"
        "unless it is one that the token endpoint writes.\n\n"
        "  --label NAME           only the secret of that label\n"
        "  --at TIME              keep it, and let it expire then\n\n" COMMON_END,
    .run = run_revoke,
};
