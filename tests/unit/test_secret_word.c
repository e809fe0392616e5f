/* A secret as a list of clients keeps it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/secret_word.h"

#include <apr_md5.h>

#define SIXTEEN "0123456789abcdef"
#define EIGHT_TIMES(text) text text text text text text text text
#define NINE "123456789"

static const struct {
    av_secret_kind kind;
    const char *secret, *word;
} words[] = {
    { AV_SECRET_SHA256, SIXTEEN, "sha256:n59REfeyengfHx3d5evC3St5a/xzZcnCi1SOVkF2kp8=" },
    { AV_SECRET_PLAIN, SIXTEEN, "plain:" SIXTEEN },
    { AV_SECRET_PLAIN, "a b;c%d", "plain:a%20b%3Bc%25d" },
};

START_TEST(a_secret_is_kept_as_its_kind_says)
{
    const char *word = NULL;

    ck_assert_ptr_null(avt_secret_word(words[_i].kind, av_slice_of(words[_i].secret), 4, &word, pool));
    ck_assert_str_eq(word, words[_i].word);
}
END_TEST

START_TEST(a_password_is_kept_with_a_salt_of_its_own)
{
    const char *one = NULL, *other = NULL;

    ck_assert_ptr_null(avt_secret_word(AV_SECRET_BCRYPT, AV_SLICE("pass word"), 4, &one, pool));
    ck_assert_ptr_null(avt_secret_word(AV_SECRET_BCRYPT, AV_SLICE("pass word"), 4, &other, pool));
    ck_assert(av_slice_starts_with(av_slice_of(one), AV_SLICE("bcrypt:$2y$04$")));
    ck_assert_str_ne(one, other);
    ck_assert_int_eq(apr_password_validate("pass word", one + strlen("bcrypt:")), APR_SUCCESS);
    ck_assert_int_ne(apr_password_validate("pass wore", one + strlen("bcrypt:")), APR_SUCCESS);
}
END_TEST

static const struct {
    av_secret_kind kind;
    const char *secret, *said;
} refused[] = {
    { AV_SECRET_SHA256, "0123456789abcde", "fewer than 16 bytes" },
    { AV_SECRET_SHA256, "", "fewer than 16 bytes" },
    { AV_SECRET_BCRYPT, EIGHT_TIMES(NINE), "at most 71 bytes" },
};

START_TEST(a_secret_that_is_not_kept_well_is_a_sentence_without_it)
{
    const char *word = NULL, *secret = refused[_i].secret;
    const char *sentence = avt_secret_word(refused[_i].kind, av_slice_of(secret), 4, &word, pool);

    assert_sentence(sentence, refused[_i].said);
    ck_assert(!*secret || !strstr(sentence, secret));
    ck_assert_ptr_null(word);
}
END_TEST

START_TEST(the_longest_password_is_kept)
{
    const char *word = NULL, *longest = &(EIGHT_TIMES(NINE))[1];

    ck_assert_ptr_null(avt_secret_word(AV_SECRET_BCRYPT, av_slice_of(longest), 4, &word, pool));
}
END_TEST

static const struct {
    const char *text;
    int cost;
} costs[] = {
    { "4", 4 },   { "17", 17 }, { "3", 0 },  { "18", 0 }, { "", 0 },   { "x", 0 },
    { "10x", 0 }, { "-4", 0 },  { " 4", 0 }, { "+4", 0 }, { "4 ", 0 }, { "99999999999999999999", 0 },
};

START_TEST(a_cost_is_a_number_from_4_to_17)
{
    int cost = 0;
    const char *sentence = avt_cost_read(costs[_i].text, &cost);

    if (costs[_i].cost) {
        ck_assert_ptr_null(sentence);
        ck_assert_int_eq(cost, costs[_i].cost);
    } else {
        assert_sentence(sentence, "from 4 to 17");
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("secret_word");
    TCase *tests = suite_case(suite, "secret_word");

    tcase_add_loop_test(tests, a_secret_is_kept_as_its_kind_says, 0, ROWS(words));
    tcase_add_test(tests, a_password_is_kept_with_a_salt_of_its_own);
    tcase_add_loop_test(tests, a_secret_that_is_not_kept_well_is_a_sentence_without_it, 0, ROWS(refused));
    tcase_add_test(tests, the_longest_password_is_kept);
    tcase_add_loop_test(tests, a_cost_is_a_number_from_4_to_17, 0, ROWS(costs));
    return suite;
}
