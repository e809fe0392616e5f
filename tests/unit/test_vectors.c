/* The cases of tests/vectors through the core, each preset as it is shipped; and of each that is accepted, the twins
 * that must not be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"
#include "support/trial.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <dirent.h>
#include <stdlib.h>

#define CASES "tests/vectors/signature"

static struct dirent **cases;
static int case_count;

static const char *source_path(const char *name)
{
    const char *source = getenv("AUTHVERIFY_SOURCE");

    return apr_pstrcat(pool, source ? source : ".", "/", name, NULL);
}

/* The content of a file of the tree; NULL where there is none. */
static const av_slice *content_of(const char *path)
{
    apr_file_t *file;
    apr_finfo_t info;
    av_slice *content = apr_palloc(pool, sizeof(*content));

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

/* One folder of tests/vectors. */
typedef struct vector {
    const char *name;
    av_rule *rule;
    av_policy *policy;
    built_request request;
    const av_slice *signed_text; /* NULL: nothing is signed */
    const char *label;           /* of the secret that matches; NULL: refused */
    const char *reason;
} vector;

static const av_slice *part_of(const vector *read, const char *name)
{
    return content_of(source_path(apr_pstrcat(pool, CASES "/", read->name, "/", name, NULL)));
}

/* Secrets as files that only their owner reads: those of a tree are read by everybody. */
static void copy_secrets(const vector *read)
{
    static const char *const names[] = { "secret.txt", "old.txt", "new.txt" };

    for (int i = 0; i < ROWS(names); i++) {
        const av_slice *secret = part_of(read, names[i]);
        if (secret) {
            make_file(names[i], *secret, 0600);
        }
    }
}

/* "accept LABEL" or "refuse REASON", and perhaps "clock SECOND". */
static void read_expectation(vector *read)
{
    av_slice rest = *part_of(read, "expect.txt"), line, word;

    while (av_slice_split(&rest, '\n', &line) && line.len) {
        av_slice_split(&line, ' ', &word);
        if (av_slice_equal(word, AV_SLICE("clock"))) {
            read->request.head.received_at = apr_time_from_sec(apr_atoi64(av_slice_string(line, pool)));
        } else if (av_slice_equal(word, AV_SLICE("accept"))) {
            read->label = av_slice_string(line, pool);
            read->reason = "accepted";
        } else {
            read->reason = av_slice_string(line, pool);
        }
    }
    ck_assert_ptr_nonnull(read->reason);
}

static vector read_vector(int index)
{
    vector read = { .name = cases[index]->d_name };

    compiler.access.base = folder;
    av_presets_set_path(compiler.presets, source_path("conf/presets"));
    copy_secrets(&read);
    read.rule = rule_of(av_slice_string(*part_of(&read, "rule.txt"), pool));
    read.policy = av_policy_create(pool);
    ck_assert_ptr_null(av_policy_add(read.policy, read.rule, false));
    ck_assert(request_build(tight_copy(*part_of(&read, "request.txt")), &read.request, pool));
    read.signed_text = part_of(&read, "signed.txt");
    read_expectation(&read);
    return read;
}

START_TEST(a_case_ends_as_it_says)
{
    vector read = read_vector(_i);
    av_verdict verdict = decide(read.policy, &read.request);

    ck_assert_msg(strcmp(av_reason_name(verdict.reason), read.reason) == 0, "%s: found %s, wanted %s", read.name,
                  av_reason_name(verdict.reason), read.reason);
    ck_assert_pstr_eq(verdict.label, read.label);
}
END_TEST

/* What the claim says was signed; presets sign nothing that is taken out of the body. */
static av_slice text_of(const vector *read)
{
    av_claim *claim;
    av_slice text = AV_SLICE("");

    assert_reason(av_find(read->policy, &read->request.head, &claim, pool), AV_ACCEPTED, read->name);
    for (apr_size_t i = 0; i < claim->piece_count; i++) {
        ck_assert_int_ne(claim->pieces[i].kind, AV_PIECE_DERIVED);
        text = av_slice_join(text, claim->pieces[i].kind == AV_PIECE_BODY ? read->request.body : claim->pieces[i].bytes,
                             pool);
    }
    return text;
}

START_TEST(what_is_accepted_signs_the_text_of_its_case)
{
    vector read = read_vector(_i);

    if (read.label) {
        assert_slice(text_of(&read), read.signed_text ? *read.signed_text : AV_SLICE(""), read.name);
    }
}
END_TEST

/* The header in which the rule looks for its credential. */
static av_header *credential_of(const vector *read)
{
    av_request *head = (av_request *)&read->request.head;

    for (apr_size_t i = 0; i < head->header_count; i++) {
        if (av_slice_equal_nocase(head->headers[i].name, read->rule->places[0].name)) {
            return (av_header *)&head->headers[i];
        }
    }
    ck_abort_msg("%s: no credential", read->name);
    return NULL;
}

static void assert_refused(const vector *read, av_reason reason, const char *twin)
{
    assert_reason(decide(read->policy, &read->request).reason, reason, apr_pstrcat(pool, read->name, ": ", twin, NULL));
}

START_TEST(what_is_accepted_is_refused_without_its_credential)
{
    vector read = read_vector(_i);

    if (read.label) {
        av_header *credential = credential_of(&read), before = *credential;
        credential->name = AV_SLICE("X-Other");
        assert_refused(&read, AV_NOT_PRESENTED, "elsewhere");
        *credential = (av_header){ before.name, AV_SLICE("") };
        assert_refused(&read, AV_MALFORMED_CREDENTIAL, "empty");
        *credential = before;
        ((av_header *)read.request.head.headers)[read.request.head.header_count++] = before;
        assert_refused(&read, AV_AMBIGUOUS_CREDENTIAL, "twice");
    }
}
END_TEST

START_TEST(what_is_accepted_is_refused_with_another_body)
{
    vector read = read_vector(_i);

    if (read.label && read.signed_text) {
        av_slice body = read.request.body;
        read.request.body = av_slice_join(body, AV_SLICE("\n"), pool);
        assert_refused(&read, AV_WRONG_SIGNATURE, "longer");
        for (apr_size_t i = 0; i < body.len; i++) {
            read.request.body = av_slice_join(body, AV_SLICE(""), pool);
            ((char *)read.request.body.at)[i] ^= 1;
            assert_refused(&read, AV_WRONG_SIGNATURE, "a bit is another");
        }
    }
}
END_TEST

START_TEST(what_is_accepted_is_refused_under_another_secret)
{
    vector read = read_vector(_i);

    if (read.label && !read.rule->sender.keys[0].algorithm->public_key) {
        const char *preset = read.rule->name;
        setenv("OTHER", "whsec_YW5vdGhlciBzZWNyZXQgb2YgMjcgYnl0ZXM=", 1);
        av_verdict verdict = decide(policy_of(apr_pstrcat(pool, preset, " secret=env:OTHER", NULL)), &read.request);
        ck_assert_int_eq(av_reason_class(verdict.reason), AV_CLASS_WRONG);
    }
}
END_TEST

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void find_cases(void)
{
    apr_pool_create(&pool, NULL);
    case_count = scandir(source_path(CASES), &cases, is_case, alphasort);
    apr_pool_destroy(pool);
}

/* Without its folder this program would test nothing. */
START_TEST(there_are_cases)
{
    ck_assert_msg(case_count > 0, "no case in %s", source_path(CASES));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tests = trial_case(suite, "vectors");

    find_cases();
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, there_are_cases);
    tcase_add_loop_test(tests, a_case_ends_as_it_says, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_signs_the_text_of_its_case, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_without_its_credential, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_with_another_body, 0, case_count);
    tcase_add_loop_test(tests, what_is_accepted_is_refused_under_another_secret, 0, case_count);
    return suite;
}
