/* The cases of a folder of tests/vectors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/cases.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <dirent.h>
#include <stdlib.h>

static struct dirent **cases;
static const char *folder_of_cases;

const char *source_path(const char *name)
{
    const char *source = getenv("AUTHVERIFY_SOURCE");

    return apr_pstrcat(pool, source ? source : ".", "/", name, NULL);
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int cases_find(const char *below)
{
    folder_of_cases = below;
    apr_pool_create(&pool, NULL);
    int count = scandir(source_path(below), &cases, is_case, alphasort);
    apr_pool_destroy(pool);
    return count;
}

const char *case_name(int index)
{
    return cases[index]->d_name;
}

const av_slice *case_part(int index, const char *name)
{
    apr_file_t *file;
    apr_finfo_t info;
    av_slice *content = apr_palloc(pool, sizeof(*content));
    const char *path = source_path(apr_pstrcat(pool, folder_of_cases, "/", case_name(index), "/", name, NULL));

    if (apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    char *bytes = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(file, bytes, (apr_size_t)info.size, &content->len), APR_SUCCESS);
    apr_file_close(file);
    content->at = bytes;
    return content;
}

/* "accept LABEL" or "refuse REASON", and perhaps "clock SECOND". */
case_end case_expectation(int index)
{
    av_slice rest = *case_part(index, "expect.txt"), line, word;
    case_end end = { NULL, NULL, 0 };

    while (av_slice_split(&rest, '\n', &line) && line.len) {
        av_slice_split(&line, ' ', &word);
        if (av_slice_equal(word, AV_SLICE("clock"))) {
            end.at = apr_time_from_sec(apr_atoi64(av_slice_string(line, pool)));
        } else if (av_slice_equal(word, AV_SLICE("accept"))) {
            end.label = av_slice_string(line, pool);
            end.reason = "accepted";
        } else {
            end.reason = av_slice_string(line, pool);
        }
    }
    ck_assert_ptr_nonnull(end.reason);
    return end;
}

av_rule *case_rule(int index)
{
    static const char *const secrets[] = { "secret.txt", "old.txt", "new.txt", "token.txt" };

    compiler.access.base = folder;
    av_presets_set_path(compiler.presets, source_path("conf/presets"));
    for (int i = 0; i < ROWS(secrets); i++) {
        const av_slice *secret = case_part(index, secrets[i]);
        if (secret) {
            make_file(secrets[i], *secret, 0600);
        }
    }
    return rule_of(av_slice_string(*case_part(index, "rule.txt"), pool));
}
