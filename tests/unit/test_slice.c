/* Bytes that someone else owns: every answer of slice.c, empty and NULL slices included.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/suite.h"

static const struct {
    av_slice a, b;
    bool is_equal, is_equal_nocase;
} pairs[] = {
    { TEXT("abc"), TEXT("abc"), true, true },     { TEXT(""), TEXT(""), true, true },
    { { NULL, 0 }, TEXT(""), true, true },        { TEXT("a\0b"), TEXT("a\0b"), true, true },
    { TEXT("a\0b"), TEXT("a\0c"), false, false }, { TEXT("abc"), TEXT("abd"), false, false },
    { TEXT("abc"), TEXT("ab"), false, false },    { TEXT("ab"), TEXT("abc"), false, false },
    { TEXT(""), TEXT("a"), false, false },        { TEXT("X-Key"), TEXT("x-kEY"), false, true },
    { TEXT("AZ"), TEXT("az"), false, true },      { TEXT("@"), TEXT("`"), false, false },
    { TEXT("["), TEXT("{"), false, false },       { TEXT("\xc4"), TEXT("\xe4"), false, false },
};

START_TEST(equality_looks_at_length_and_bytes)
{
    av_slice a = tight_copy(pairs[_i].a);
    av_slice b = tight_copy(pairs[_i].b);

    ck_assert_int_eq(av_slice_equal(a, b), pairs[_i].is_equal);
    ck_assert_int_eq(av_slice_equal_nocase(a, b), pairs[_i].is_equal_nocase);
}
END_TEST

static const struct {
    av_slice slice, prefix;
    bool starts;
} prefixes[] = {
    { TEXT("sha256=ab"), TEXT("sha256="), true },
    { TEXT("sha256="), TEXT("sha256="), true },
    { TEXT("sha256"), TEXT("sha256="), false },
    { TEXT("SHA256=ab"), TEXT("sha256="), false },
    { TEXT("xsha256=ab"), TEXT("sha256="), false },
    { TEXT("ab"), TEXT(""), true },
    { TEXT(""), TEXT(""), true },
    { { NULL, 0 }, TEXT("a"), false },
};

START_TEST(a_prefix_stands_at_the_start)
{
    ck_assert_int_eq(av_slice_starts_with(tight_copy(prefixes[_i].slice), prefixes[_i].prefix), prefixes[_i].starts);
}
END_TEST

START_TEST(a_byte_is_found_anywhere)
{
    ck_assert(av_slice_contains(AV_SLICE("abc"), 'a'));
    ck_assert(av_slice_contains(AV_SLICE("abc"), 'c'));
    ck_assert(av_slice_contains(AV_SLICE("a\0b"), 'b'));
    ck_assert(av_slice_contains(AV_SLICE("a\0b"), '\0'));
}
END_TEST

START_TEST(a_byte_that_is_not_there_is_not_found)
{
    ck_assert(!av_slice_contains(AV_SLICE("abc"), '\0'));
    ck_assert(!av_slice_contains(AV_SLICE("abc"), 'd'));
    ck_assert(!av_slice_contains(AV_SLICE(""), 'a'));
    ck_assert(!av_slice_contains((av_slice){ NULL, 0 }, '\0'));
}
END_TEST

START_TEST(skipping_stops_at_the_end)
{
    assert_slice(av_slice_skip(AV_SLICE("abc"), 0), AV_SLICE("abc"), "none");
    assert_slice(av_slice_skip(AV_SLICE("abc"), 2), AV_SLICE("c"), "some");
    assert_slice(av_slice_skip(AV_SLICE("abc"), 3), AV_SLICE(""), "all");
    assert_slice(av_slice_skip(AV_SLICE("abc"), 4), AV_SLICE(""), "more than all");
    assert_slice(av_slice_skip((av_slice){ NULL, 0 }, 0), AV_SLICE(""), "none of nothing");
    assert_slice(av_slice_skip((av_slice){ NULL, 0 }, 1), AV_SLICE(""), "some of nothing");
}
END_TEST

static const struct {
    av_slice slice, trimmed;
} trims[] = {
    { TEXT("abc"), TEXT("abc") },     { TEXT(" \tabc\t "), TEXT("abc") },
    { TEXT("a b"), TEXT("a b") },     { TEXT(" "), TEXT("") },
    { TEXT(""), TEXT("") },           { TEXT("\r\n"), TEXT("\r\n") },
    { TEXT("\va\f"), TEXT("\va\f") }, { TEXT("\0 "), TEXT("\0") },
    { { NULL, 0 }, TEXT("") },
};

START_TEST(only_blanks_at_the_ends_are_trimmed)
{
    assert_slice(av_slice_trim(tight_copy(trims[_i].slice)), trims[_i].trimmed, "trimmed");
}
END_TEST

static const struct {
    av_slice text;
    const char *parts[4];
} splits[] = {
    { TEXT("a"), { "a" } },    { TEXT("a,b"), { "a", "b" } },       { TEXT("a,,b"), { "a", "", "b" } },
    { TEXT(","), { "", "" } }, { TEXT("a,"), { "a", "" } },         { TEXT(",a"), { "", "a" } },
    { TEXT(""), { "" } },      { TEXT("a;b, c"), { "a;b", " c" } },
};

START_TEST(splitting_gives_every_part_once)
{
    av_slice rest = splits[_i].text;
    av_slice part;

    for (const char *const *wanted = splits[_i].parts; *wanted; wanted++) {
        ck_assert(av_slice_split(&rest, ',', &part));
        assert_slice(part, av_slice_of(*wanted), "part");
    }
    ck_assert(!av_slice_split(&rest, ',', &part));
    ck_assert_ptr_null(rest.at);
}
END_TEST

START_TEST(splitting_null_gives_no_part)
{
    av_slice rest = { NULL, 0 };
    av_slice part;

    ck_assert(!av_slice_split(&rest, ',', &part));
}
END_TEST

static const struct {
    av_slice slice;
    bool is_visible;
} visibles[] = {
    { TEXT("!~"), true },        { TEXT("abc"), true },   { TEXT(""), false },     { TEXT(" "), false },
    { TEXT("a b"), false },      { TEXT("a\t"), false },  { TEXT("a\0"), false },  { TEXT("\x7f"), false },
    { TEXT("\x80"), false },     { TEXT("\xff"), false }, { TEXT("\x1f"), false }, { TEXT("a\r\n"), false },
    { TEXT("\xc3\xa4"), false },
};

START_TEST(visible_is_ascii_that_prints)
{
    ck_assert_int_eq(av_slice_is_visible(visibles[_i].slice), visibles[_i].is_visible);
}
END_TEST

START_TEST(a_string_is_a_copy_that_ends_in_nul)
{
    char bytes[] = { 'a', 'b', 'c' };
    char *string = av_slice_string((av_slice){ bytes, sizeof(bytes) }, pool);

    bytes[0] = 'x';
    ck_assert_str_eq(string, "abc");
    ck_assert_str_eq(av_slice_string((av_slice){ NULL, 0 }, pool), "");
}
END_TEST

static const struct {
    av_slice a, b, joined;
} joins[] = {
    { TEXT("abc"), TEXT("de"), TEXT("abcde") }, { TEXT("abc"), TEXT(""), TEXT("abc") },
    { TEXT(""), TEXT("de"), TEXT("de") },       { TEXT(""), TEXT(""), TEXT("") },
    { { NULL, 0 }, TEXT("de"), TEXT("de") },    { TEXT("abc"), { NULL, 0 }, TEXT("abc") },
    { { NULL, 0 }, { NULL, 0 }, TEXT("") },     { TEXT("a\0b"), TEXT("\0c"), TEXT("a\0b\0c") },
};

START_TEST(two_slices_are_joined_in_order)
{
    av_slice joined = av_slice_join(tight_copy(joins[_i].a), tight_copy(joins[_i].b), pool);

    assert_slice(joined, joins[_i].joined, "joined");
    ck_assert_int_eq(joined.at[joined.len], '\0');
    assert_slice(av_slice_join(joins[_i].a, joins[_i].b, pool), joins[_i].joined, "joined as they are");
}
END_TEST

START_TEST(null_is_the_empty_slice)
{
    ck_assert_uint_eq(av_slice_of(NULL).len, 0);
    assert_slice(av_slice_of("ab"), AV_SLICE("ab"), "of a string");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("slice");
    TCase *tests = suite_case(suite, "slice");

    tcase_add_loop_test(tests, equality_looks_at_length_and_bytes, 0, ROWS(pairs));
    tcase_add_loop_test(tests, a_prefix_stands_at_the_start, 0, ROWS(prefixes));
    tcase_add_test(tests, a_byte_is_found_anywhere);
    tcase_add_test(tests, a_byte_that_is_not_there_is_not_found);
    tcase_add_test(tests, skipping_stops_at_the_end);
    tcase_add_loop_test(tests, only_blanks_at_the_ends_are_trimmed, 0, ROWS(trims));
    tcase_add_loop_test(tests, splitting_gives_every_part_once, 0, ROWS(splits));
    tcase_add_test(tests, splitting_null_gives_no_part);
    tcase_add_loop_test(tests, visible_is_ascii_that_prints, 0, ROWS(visibles));
    tcase_add_test(tests, a_string_is_a_copy_that_ends_in_nul);
    tcase_add_loop_test(tests, two_slices_are_joined_in_order, 0, ROWS(joins));
    tcase_add_test(tests, null_is_the_empty_slice);
    return suite;
}
