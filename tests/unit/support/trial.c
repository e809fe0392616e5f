/* Rules and requests that must be as a test says.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

av_compiler compiler;

static void prepare(void)
{
    compiler = request_compiler(NULL, pool);
    ck_assert_ptr_nonnull(compiler.crypto);
    setenv("SECRET", SECRET, 1);
    setenv("SECOND", SECOND_SECRET, 1);
}

TCase *trial_case(Suite *suite, const char *name)
{
    TCase *tests = suite_case(suite, name);

    tcase_add_checked_fixture(tests, prepare, NULL);
    return tests;
}

av_rule *rule_of(const char *line)
{
    av_rule *rule;
    const char *error = request_rule(line, &compiler, &rule);

    ck_assert_msg(!error && rule, "%s: %s", line, error);
    return rule;
}

const char *fault_of(const char *line)
{
    av_rule *rule;
    const char *error = request_rule(line, &compiler, &rule);

    ck_assert_msg(error && !rule, "%s was compiled", line);
    ck_assert_msg(!strstr(error, SECRET), "%s", error);
    return error;
}

void assert_sentence(const char *sentence, const char *part)
{
    ck_assert_msg(sentence != NULL, "no sentence, wanted \"%s\"", part);
    ck_assert_msg(strstr(sentence, part) != NULL, "wanted \"%s\", found \"%s\"", part, sentence);
}

void define_preset(const char *line)
{
    av_words words;
    const char *error = av_words_split(line, &words, pool);

    error = error ? error : av_presets_add(compiler.presets, &words, "line 1 of test.conf");
    ck_assert_msg(!error, "%s: %s", line, error);
}

av_policy *policy_of(const char *line)
{
    av_policy *policy = av_policy_create(pool);

    ck_assert_ptr_null(av_policy_add(policy, rule_of(line), false));
    return policy;
}

void add_also(av_policy *policy, const char *line)
{
    ck_assert_ptr_null(av_policy_add(policy, rule_of(line), true));
}

built_request request_of(const char *text)
{
    built_request request;

    ck_assert_msg(request_build(tight_copy(av_slice_of(text)), &request, pool), "no request: %s", text);
    return request;
}

static void assert_consistent(const av_verdict *verdict)
{
    ck_assert_int_eq(verdict->reason == AV_ACCEPTED, verdict->client != NULL);
    ck_assert_int_eq(verdict->reason == AV_ACCEPTED, verdict->label != NULL);
    ck_assert_int_eq(verdict->reason == AV_ACCEPTED, av_reason_status(verdict->reason) == 0);
    ck_assert(verdict->rule || verdict->reason == AV_NOT_PRESENTED);
}

av_verdict decide(const av_policy *policy, const built_request *request)
{
    built_request by_byte = *request;
    by_byte.step = 1;
    av_verdict verdict = request_decide(policy, request, pool);
    av_verdict again = request_decide(policy, &by_byte, pool);

    assert_reason(again.reason, verdict.reason, "byte by byte");
    ck_assert_ptr_eq(again.rule, verdict.rule);
    ck_assert_pstr_eq(again.client, verdict.client);
    ck_assert_pstr_eq(again.label, verdict.label);
    assert_slice(again.id, verdict.id, "id");
    assert_consistent(&verdict);
    note_reason(verdict.reason);
    return verdict;
}

av_reason reason_of(const char *line, const char *request)
{
    built_request built = request_of(request);

    return decide(policy_of(line), &built).reason;
}

void assert_reason(av_reason found, av_reason wanted, const char *name)
{
    ck_assert_msg(found == wanted, "%s: found %s, wanted %s", name, av_reason_name(found), av_reason_name(wanted));
}

void note_reason(av_reason reason)
{
    const char *path = getenv("AUTHVERIFY_REASONS_SEEN");
    const char *line = apr_pstrcat(pool, av_reason_name(reason), "\n", NULL);
    int file = path && *path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;

    if (file >= 0) {
        ck_assert_int_eq(write(file, line, strlen(line)), (ssize_t)strlen(line));
        close(file);
    }
}
