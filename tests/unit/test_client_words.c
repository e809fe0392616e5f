/* A client's line as its words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/client_words.h"

static const struct {
    const char *line, *joined;
} lines[] = {
    { "", "" },
    { "  \t", "" },
    { "a", "a" },
    { "a b", "a b" },
    { " a\t b  c ", "a b c" },
    { "a  org=x#y", "a org=x#y" },
};

START_TEST(a_line_is_split_at_blanks_and_joined_by_one)
{
    av_slice line = av_slice_of(lines[_i].line);

    assert_slice(avt_words_join(avt_words_of(line, pool), pool), av_slice_of(lines[_i].joined), lines[_i].line);
}
END_TEST

static const struct {
    const char *line, *id;
    bool is_its;
} ids[] = {
    { "acme sha256:x", "acme", true },   { " acme\torg=x", "acme", true },    { "acme", "acme", true },
    { "acmee sha256:x", "acme", false }, { "acm sha256:x", "acme", false },   { "Acme sha256:x", "acme", false },
    { "a%20b sha256:x", "a b", true },   { "%61cme sha256:x", "acme", true }, { "a%2", "a%2", false },
    { "# acme", "acme", false },         { "sha256:x acme", "acme", false },  { "", "acme", false },
};

START_TEST(a_line_is_known_by_its_decoded_id)
{
    ck_assert_int_eq(avt_line_is_of(av_slice_of(ids[_i].line), ids[_i].id, pool), ids[_i].is_its);
}
END_TEST

static const struct {
    const char *word;
    bool is_secret;
    const char *label;
} words[] = {
    { "sha256:AAAA", true, "" },
    { "plain:secret", true, "" },
    { "bcrypt:$2y$05$x", true, "" },
    { "2026:sha256:AAAA", true, "2026" },
    { "plainer:plain:x=y", true, "plainer" },
    { "plain:a=b:c", true, "" },
    { "org=acme", false, NULL },
    { "from=2001:db8::/32", false, NULL },
    { "not-before=2026-01-01T00:00:00Z", false, NULL },
    { "neither", false, NULL },
};

START_TEST(secrets_and_limits_are_told_apart)
{
    ck_assert_int_eq(avt_word_is_secret(words[_i].word), words[_i].is_secret);
    if (words[_i].is_secret) {
        assert_slice(avt_word_label(words[_i].word), av_slice_of(words[_i].label), words[_i].word);
    }
}
END_TEST

START_TEST(a_secret_is_found_by_its_label_and_no_limit_is)
{
    apr_array_header_t *found = avt_words_of(AV_SLICE("id new:sha256:A old:plain:B sha256:C from=::1"), pool);

    ck_assert_int_eq(avt_words_find_label(found, "new"), 1);
    ck_assert_int_eq(avt_words_find_label(found, "old"), 2);
    ck_assert_int_eq(avt_words_find_label(found, ""), 3);
    ck_assert_int_eq(avt_words_find_label(found, "ol"), -1);
    ck_assert_int_eq(avt_words_find_label(found, "from=:"), -1);
    ck_assert_int_eq(avt_words_count_secrets(found), 3);
}
END_TEST

#define FIRST "2026-01-01T00:00:00Z"
#define SECOND "2027-01-01T00:00:00Z"

/* An expiry never becomes later. */
static const struct {
    const char *word, *expires, *made;
} expiries[] = {
    { "plain:x", FIRST, "plain:x;expires=" FIRST },
    { "plain:x;expires=" SECOND, FIRST, "plain:x;expires=" FIRST },
    { "plain:x;expires=" FIRST, SECOND, "plain:x;expires=" FIRST },
    { "plain:x;expires=" FIRST, FIRST, "plain:x;expires=" FIRST },
    { "l:plain:x;not-before=" FIRST, SECOND, "l:plain:x;not-before=" FIRST ";expires=" SECOND },
    { "plain:x;expires=" SECOND ";not-before=" FIRST, FIRST, "plain:x;not-before=" FIRST ";expires=" FIRST },
};

START_TEST(a_secret_expires_no_later_than_before)
{
    ck_assert_str_eq(avt_word_expire(expiries[_i].word, expiries[_i].expires, pool), expiries[_i].made);
}
END_TEST

static const struct {
    const char *line, *expires, *made;
} limits[] = {
    { "id plain:x", FIRST, "id plain:x expires=" FIRST },
    { "id plain:x expires=" SECOND " org=a", FIRST, "id plain:x expires=" FIRST " org=a" },
    { "id plain:x expires=" FIRST, SECOND, "id plain:x expires=" FIRST },
    { "id plain:x;expires=" FIRST, SECOND, "id plain:x;expires=" FIRST " expires=" SECOND },
};

START_TEST(a_client_expires_no_later_than_before)
{
    apr_array_header_t *found = avt_words_of(av_slice_of(limits[_i].line), pool);

    avt_words_expire(found, limits[_i].expires);
    assert_slice(avt_words_join(found, pool), av_slice_of(limits[_i].made), limits[_i].line);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("client_words");
    TCase *tests = suite_case(suite, "client_words");

    tcase_add_loop_test(tests, a_line_is_split_at_blanks_and_joined_by_one, 0, ROWS(lines));
    tcase_add_loop_test(tests, a_line_is_known_by_its_decoded_id, 0, ROWS(ids));
    tcase_add_loop_test(tests, secrets_and_limits_are_told_apart, 0, ROWS(words));
    tcase_add_test(tests, a_secret_is_found_by_its_label_and_no_limit_is);
    tcase_add_loop_test(tests, a_secret_expires_no_later_than_before, 0, ROWS(expiries));
    tcase_add_loop_test(tests, a_client_expires_no_later_than_before, 0, ROWS(limits));
    return suite;
}
