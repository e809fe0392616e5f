/* authverify client list: who may come, without a secret.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/timestamp.h"
#include "../stores/clients_line.h"
#include "arguments.h"
#include "client_words.h"
#include "clients_edit.h"
#include "tool.h"

#include <jansson.h>
#include <stdio.h>

typedef struct list_options {
    bool json;
} list_options;

static const avt_option rows[] = { { "--json", AVT_SWITCH, offsetof(list_options, json) }, { NULL, AVT_SWITCH, 0 } };

static const char *kind_name(av_secret_kind kind)
{
    static const char *const names[] = { "plain", "sha256", "bcrypt" };
    return names[kind];
}

static const char *state_of(apr_time_t not_before, apr_time_t expires)
{
    apr_time_t now = apr_time_now();
    return expires && now >= expires ? "expired" : not_before && now < not_before ? "not yet valid" : "valid";
}

static void print_secret(const av_client_secret *secret, apr_pool_t *pool)
{
    printf("    %s", kind_name(secret->kind));
    if (secret->label[0]) {
        printf(" label=%s", secret->label);
    }
    if (secret->not_before) {
        printf(" not-before=%s", av_timestamp_text(secret->not_before, pool));
    }
    if (secret->expires) {
        printf(" expires=%s", av_timestamp_text(secret->expires, pool));
    }
    printf(" (%s)\n", state_of(secret->not_before, secret->expires));
}

/* The limits as they are written. */
static void print_client(const av_client_record *record, const apr_array_header_t *words, apr_pool_t *pool)
{
    printf("%s", APR_ARRAY_IDX(words, 0, const char *));
    for (int i = 1; i < words->nelts; i++) {
        const char *word = APR_ARRAY_IDX(words, i, const char *);
        if (!avt_word_is_secret(word)) {
            printf(" %s", word);
        }
    }
    if (record->not_before || record->expires) {
        printf(" (%s)", state_of(record->not_before, record->expires));
    }
    putchar('\n');
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        print_secret(&record->secrets[i], pool);
    }
}

static json_t *time_value(apr_time_t time, apr_pool_t *pool)
{
    return time ? json_string(av_timestamp_text(time, pool)) : json_null();
}

static json_t *secrets_value(const av_client_record *record, apr_pool_t *pool)
{
    json_t *list = json_array();
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        const av_client_secret *secret = &record->secrets[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:b}", "kind", kind_name(secret->kind), "label",
                                              secret->label, "not-before", time_value(secret->not_before, pool),
                                              "expires", time_value(secret->expires, pool), "valid",
                                              strcmp(state_of(secret->not_before, secret->expires), "valid") == 0));
    }
    return list;
}

static json_t *limits_value(const apr_array_header_t *words, apr_pool_t *pool)
{
    json_t *limits = json_object();
    for (int i = 1; i < words->nelts; i++) {
        av_slice value = av_slice_of(APR_ARRAY_IDX(words, i, const char *)), name;
        if (!avt_word_is_secret(value.at)) {
            av_slice_split(&value, '=', &name);
            json_object_set_new(limits, av_slice_string(name, pool), json_stringn(value.at, value.len));
        }
    }
    return limits;
}

static json_t *client_value(const av_client_record *record, const apr_array_header_t *words, apr_pool_t *pool)
{
    return json_pack("{s:s, s:o, s:o}", "id", record->id, "secrets", secrets_value(record, pool), "limits",
                     limits_value(words, pool));
}

/* One line. Returns false, having said so, where httpd would not take it. */
static bool show(const avt_clients *clients, int index, json_t *list, apr_pool_t *pool)
{
    av_client_record record;
    av_slice line = APR_ARRAY_IDX(clients->lines, index, av_slice);
    const char *error = av_clients_line_parse(line, &record, pool);
    if (error) {
        avt_fail(AVT_FILE, "%s line %d: %s", clients->edit.path, index + 1, error);
        return false;
    }
    if (list) {
        json_array_append_new(list, client_value(&record, avt_words_of(line, pool), pool));
    } else {
        print_client(&record, avt_words_of(line, pool), pool);
    }
    return true;
}

/* All of them, or the one at `only`. */
static avt_status show_clients(const avt_clients *clients, int only, json_t *list, apr_pool_t *pool)
{
    apr_pool_t *each;
    bool is_right = true;
    apr_pool_create(&each, pool);
    for (int i = 0; i < clients->lines->nelts; i++) {
        if ((only < 0 || i == only) && avt_is_client(APR_ARRAY_IDX(clients->lines, i, av_slice))) {
            is_right &= show(clients, i, list, each);
            apr_pool_clear(each);
        }
    }
    return is_right ? AVT_OK : AVT_FILE;
}

static avt_status list_all(const list_options *options, const avt_clients *clients, int only, apr_pool_t *pool)
{
    json_t *list = options->json ? json_array() : NULL;
    avt_status status = show_clients(clients, only, list, pool);
    if (list) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        json_decref(list);
        putchar('\n');
    }
    return status == AVT_OK ? avt_printed() : status;
}

static avt_status list(int count, const char *const *arguments, apr_pool_t *pool)
{
    list_options options = { 0 };
    avt_clients clients;
    apr_array_header_t *operands;
    int only = -1;
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    if (error || operands->nelts < 1 || operands->nelts > 2) {
        return avt_fail(AVT_USAGE, "%s", error ? error : "which file? client list FILE [ID]");
    }
    const char *id = operands->nelts > 1 ? APR_ARRAY_IDX(operands, 1, const char *) : NULL;
    error = avt_clients_read(&clients, APR_ARRAY_IDX(operands, 0, const char *), pool);
    error = error || !id ? error : avt_clients_find(&clients, id, &only);
    if (error) {
        return avt_fail(AVT_FILE, "%s", error);
    }
    return id && only < 0 ? avt_fail(AVT_REFUSED, "%s has no client \"%s\"", clients.edit.path, id)
                          : list_all(&options, &clients, only, pool);
}

const avt_command avt_client_list = {
    .name = "client list",
    .brief = "show clients, their secrets' labels and dates, and their limits; never a secret",
    .help =
        "usage: authverify client list FILE [ID] [--json]\n\n"
        "Shows who is in the file: the id and the limits as they are written, and of each secret its kind, its label\n"
        "and its dates. A line that httpd would not take is reported with its number.\n\n"
        "Status: 0 all lines are right, 1 no such client, 2 usage, 3 the file or a line is not right.\n",
    .run = list,
};
