/* A document that one process publishes and others read while it does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/remote_document.h"
#include "support/suite.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND APR_USEC_PER_SEC
#define NOW apr_time_from_sec(1767312000)
#define ROUNDS 20000
#define LENGTH ((apr_size_t)4099) /* no multiple of a word */

static av_remote_document *document;

static void prepare(void)
{
    document = av_remote_document_create();
    ck_assert_ptr_nonnull(document);
}

static void forget(void)
{
    av_remote_document_destroy(document);
}

START_TEST(nothing_is_there_at_first)
{
    uint64_t generation = 7;
    ck_assert_uint_eq(av_remote_document_generation(document), 0);
    ck_assert_ptr_null(av_remote_document_copy(document, &generation, pool).at);
    ck_assert_int_eq(av_remote_document_time(document), 0);
}
END_TEST

/* Every length around a word, so that no byte of the last one is lost or added. */
START_TEST(what_was_published_is_copied)
{
    char bytes[40];
    uint64_t generation = 0;
    for (int i = 0; i < 40; i++) {
        bytes[i] = (char)(i * 7 + _i + 1);
    }
    av_slice text = tight_copy((av_slice){ bytes, (apr_size_t)_i });
    av_remote_document_publish(document, text, NOW);
    av_slice copy = av_remote_document_copy(document, &generation, pool);
    assert_slice(copy, text, "copy");
    ck_assert_uint_eq(generation, 1);
    ck_assert_int_eq(av_remote_document_time(document), NOW);
}
END_TEST

START_TEST(only_another_text_is_another_generation)
{
    uint64_t generation = 0;
    av_remote_document_publish(document, AV_SLICE("one text"), NOW);
    av_remote_document_publish(document, AV_SLICE("one text"), NOW + SECOND);
    ck_assert_uint_eq(av_remote_document_generation(document), 1);
    ck_assert_int_eq(av_remote_document_time(document), NOW + SECOND);
    av_remote_document_publish(document, AV_SLICE("one texT"), NOW);
    av_remote_document_publish(document, AV_SLICE("one"), NOW);
    ck_assert_uint_eq(av_remote_document_generation(document), 3);
    assert_slice(av_remote_document_copy(document, &generation, pool), AV_SLICE("one"), "the last");
}
END_TEST

START_TEST(the_largest_fits)
{
    uint64_t generation = 0;
    char *bytes = apr_palloc(pool, AV_LARGEST_DOCUMENT);
    memset(bytes, 'x', AV_LARGEST_DOCUMENT);
    av_remote_document_publish(document, (av_slice){ bytes, AV_LARGEST_DOCUMENT }, NOW);
    ck_assert_uint_eq(av_remote_document_copy(document, &generation, pool).len, AV_LARGEST_DOCUMENT);
}
END_TEST

static bool is_due(apr_time_t now)
{
    return av_remote_document_is_due(document, now, 600 * SECOND, 30 * SECOND, 60 * SECOND);
}

START_TEST(it_is_asked_for_until_it_is_there)
{
    ck_assert(is_due(NOW));
    ck_assert(!is_due(NOW + 29 * SECOND));
    ck_assert(is_due(NOW + 30 * SECOND));
}
END_TEST

START_TEST(it_is_asked_for_again_when_it_is_old)
{
    ck_assert(is_due(NOW));
    av_remote_document_publish(document, AV_SLICE("text"), NOW + SECOND);
    ck_assert(!is_due(NOW + 600 * SECOND));
    ck_assert(is_due(NOW + 601 * SECOND));
    ck_assert(!is_due(NOW + 602 * SECOND));
}
END_TEST

START_TEST(whoever_wants_a_newer_one_is_heard_once_a_minute)
{
    ck_assert(is_due(NOW));
    av_remote_document_publish(document, AV_SLICE("text"), NOW);
    av_remote_document_want(document);
    ck_assert(!is_due(NOW + 59 * SECOND));
    ck_assert(is_due(NOW + 60 * SECOND));
    ck_assert(!is_due(NOW + 130 * SECOND));
}
END_TEST

/* Each text is one letter all through: a mixture of two was torn. */
static bool is_whole(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.at[i] != text.at[0]) {
            return false;
        }
    }
    return true;
}

static void publish_for_ever(void)
{
    char bytes[LENGTH];
    for (unsigned i = 0;; i++) {
        memset(bytes, 'a' + (int)(i % 26), LENGTH);
        av_remote_document_publish(document, (av_slice){ bytes, LENGTH - i % 9 }, NOW);
    }
}

START_TEST(who_reads_while_another_writes_reads_one_text)
{
    uint64_t generation;
    unsigned read = 0;
    pid_t child = fork();
    if (child == 0) {
        publish_for_ever();
    }
    for (int i = 0; i < ROUNDS; i++) {
        apr_pool_t *round;
        ck_assert_int_eq(apr_pool_create(&round, pool), APR_SUCCESS);
        av_slice text = av_remote_document_copy(document, &generation, round);
        ck_assert(!text.at || (text.len > LENGTH - 9 && is_whole(text)));
        read += text.at != NULL;
        apr_pool_destroy(round);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_uint_gt(read, 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("remote_document");
    TCase *tests = suite_case(suite, "document");

    tcase_add_checked_fixture(tests, prepare, forget);
    tcase_add_test(tests, nothing_is_there_at_first);
    tcase_add_loop_test(tests, what_was_published_is_copied, 0, 40);
    tcase_add_test(tests, only_another_text_is_another_generation);
    tcase_add_test(tests, the_largest_fits);
    tcase_add_test(tests, it_is_asked_for_until_it_is_there);
    tcase_add_test(tests, it_is_asked_for_again_when_it_is_old);
    tcase_add_test(tests, whoever_wants_a_newer_one_is_heard_once_a_minute);
    tcase_add_test(tests, who_reads_while_another_writes_reads_one_text);
    tcase_set_timeout(tests, 60);
    return suite;
}
