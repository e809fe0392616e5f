/* Strict decoding: one text for one value, in every encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "support/suite.h"

#include <apr_strings.h>

#define ROOM 1024

/* RFC 4648 section 10, and what its tables do not touch: the last two characters of each alphabet, NUL, high bytes. */
static const struct {
    av_encoding encoding;
    av_slice value, text;
} both_ways[] = {
    { AV_BASE64, TEXT(""), TEXT("") },
    { AV_BASE64, TEXT("f"), TEXT("Zg==") },
    { AV_BASE64, TEXT("fo"), TEXT("Zm8=") },
    { AV_BASE64, TEXT("foo"), TEXT("Zm9v") },
    { AV_BASE64, TEXT("foob"), TEXT("Zm9vYg==") },
    { AV_BASE64, TEXT("fooba"), TEXT("Zm9vYmE=") },
    { AV_BASE64, TEXT("foobar"), TEXT("Zm9vYmFy") },
    { AV_BASE64, TEXT("\xfb\xff\xbf"), TEXT("+/+/") },
    { AV_BASE64, TEXT("\0\0"), TEXT("AAA=") },
    { AV_BASE64URL, TEXT(""), TEXT("") },
    { AV_BASE64URL, TEXT("f"), TEXT("Zg") },
    { AV_BASE64URL, TEXT("fo"), TEXT("Zm8") },
    { AV_BASE64URL, TEXT("foo"), TEXT("Zm9v") },
    { AV_BASE64URL, TEXT("\xfb\xff\xbf"), TEXT("-_-_") },
    { AV_HEX, TEXT(""), TEXT("") },
    { AV_HEX, TEXT("foobar"), TEXT("666f6f626172") },
    { AV_HEX, TEXT("\0\x09\xa0\xff"), TEXT("0009a0ff") },
    { AV_HEX_ANY, TEXT("\0\x09\xa0\xff"), TEXT("0009a0ff") },
    { AV_RAW, TEXT(""), TEXT("") },
    { AV_RAW, TEXT("a\0 \xff\n"), TEXT("a\0 \xff\n") },
};

START_TEST(a_text_gives_its_value)
{
    unsigned char out[ROOM];
    apr_size_t len = ROOM;

    ck_assert(av_decode(both_ways[_i].encoding, tight_copy(both_ways[_i].text), out, sizeof(out), &len));
    assert_slice((av_slice){ (char *)out, len }, both_ways[_i].value, "decoded");
}
END_TEST

START_TEST(a_value_gives_its_text)
{
    av_slice text = av_encode(both_ways[_i].encoding, tight_copy(both_ways[_i].value), pool);

    assert_slice(text, both_ways[_i].text, "encoded");
    ck_assert_int_eq(text.at[text.len], '\0');
}
END_TEST

static const struct {
    const char *name;
    av_encoding encoding;
    av_slice text;
} refused[] = {
    { "an odd digit", AV_HEX, TEXT("abc") },
    { "an upper-case digit", AV_HEX, TEXT("aB") },
    { "a letter behind f", AV_HEX, TEXT("ag") },
    { "a letter behind F", AV_HEX_ANY, TEXT("AG") },
    { "a prefix of C", AV_HEX_ANY, TEXT("0xab") },
    { "a blank before", AV_HEX, TEXT(" a") },
    { "two blanks behind", AV_HEX, TEXT("ab  ") },
    { "a line feed", AV_HEX, TEXT("abc\n") },
    { "NUL", AV_HEX, TEXT("a\0") },
    { "a sign", AV_HEX, TEXT("-1") },
    { "no padding, two characters", AV_BASE64, TEXT("Zg") },
    { "no padding, three characters", AV_BASE64, TEXT("Zm8") },
    { "half of the padding", AV_BASE64, TEXT("Zg=") },
    { "padding behind a whole group", AV_BASE64, TEXT("Zm9v====") },
    { "three of padding", AV_BASE64, TEXT("Z===") },
    { "padding alone", AV_BASE64, TEXT("====") },
    { "one of padding too much", AV_BASE64, TEXT("Zm8==") },
    { "padding inside", AV_BASE64, TEXT("Zg==Zg==") },
    { "text behind padding", AV_BASE64, TEXT("Zg=a") },
    { "unused bits of four set", AV_BASE64, TEXT("Zh==") },
    { "unused bits of two set", AV_BASE64, TEXT("Zm9=") },
    { "one character too many", AV_BASE64, TEXT("Zm9vY") },
    { "a line feed at the end", AV_BASE64, TEXT("Zm9v\n") },
    { "a line feed inside, whole groups", AV_BASE64, TEXT("Zm9\nvYmF") },
    { "a blank", AV_BASE64, TEXT("Zm9 ") },
    { "the other alphabet's minus", AV_BASE64, TEXT("-A==") },
    { "the other alphabet's underscore", AV_BASE64, TEXT("_A==") },
    { "NUL", AV_BASE64, TEXT("Zm9\0") },
    { "padding of two", AV_BASE64URL, TEXT("Zg==") },
    { "padding of one", AV_BASE64URL, TEXT("Zm8=") },
    { "one character alone", AV_BASE64URL, TEXT("A") },
    { "one character too many", AV_BASE64URL, TEXT("Zm9vA") },
    { "unused bits of four set", AV_BASE64URL, TEXT("Zh") },
    { "unused bits of two set", AV_BASE64URL, TEXT("Zm9") },
    { "the other alphabet's plus", AV_BASE64URL, TEXT("+A") },
    { "the other alphabet's slash", AV_BASE64URL, TEXT("/A") },
    { "a full stop", AV_BASE64URL, TEXT("Zm9v.Zm9v") },
};

START_TEST(what_is_not_of_the_encoding_is_refused)
{
    unsigned char out[ROOM];
    apr_size_t len = 1;

    ck_assert_msg(!av_decode(refused[_i].encoding, tight_copy(refused[_i].text), out, sizeof(out), &len), "%s",
                  refused[_i].name);
    ck_assert_uint_eq(len, 0);
}
END_TEST

/* Each byte in each place of a group: what decodes at all is what the encoder writes. */
START_TEST(no_other_byte_belongs_to_an_alphabet)
{
    static const av_encoding encodings[] = { AV_HEX, AV_BASE64, AV_BASE64URL };
    static const int alphabet_sizes[] = { 16, 64, 64 };
    int accepted = 0;

    for (int byte = 0; byte < 256; byte++) {
        char text[4] = { '0', '0', '0', '0' };
        unsigned char out[ROOM];
        apr_size_t len;
        text[_i % 4] = (char)byte;
        if (av_decode(encodings[_i / 4], (av_slice){ text, 4 }, out, sizeof(out), &len)) {
            av_slice again = av_encode(encodings[_i / 4], (av_slice){ (char *)out, len }, pool);
            assert_slice(again, (av_slice){ text, 4 }, "encoded again");
            accepted++;
        }
    }
    /* At the end of a group of base64 a "=" may stand, as the 0 before it leaves no bit of an unfinished byte. */
    int padding = encodings[_i / 4] == AV_BASE64 && _i % 4 == 3;
    ck_assert_int_eq(accepted, alphabet_sizes[_i / 4] + padding);
}
END_TEST

START_TEST(every_length_comes_back)
{
    unsigned char value[100];
    unsigned char out[100];
    apr_size_t len;

    for (apr_size_t i = 0; i < sizeof(value); i++) {
        value[i] = (unsigned char)(i * 37 + 200);
    }
    for (apr_size_t i = 0; i <= sizeof(value); i++) {
        av_slice text = av_encode((av_encoding)_i, (av_slice){ (char *)value, i }, pool);
        ck_assert(av_decode((av_encoding)_i, text, out, sizeof(out), &len));
        assert_slice((av_slice){ (char *)out, len }, (av_slice){ (char *)value, i }, "decoded again");
    }
}
END_TEST

START_TEST(upper_case_is_read_where_it_is_allowed)
{
    unsigned char out[4];
    apr_size_t len;

    ck_assert(av_decode(AV_HEX_ANY, AV_SLICE("aBCdEF09"), out, sizeof(out), &len));
    assert_slice((av_slice){ (char *)out, len }, AV_SLICE("\xab\xcd\xef\x09"), "mixed case");
}
END_TEST

static const struct {
    av_encoding encoding;
    av_slice text;
    apr_size_t size;
} sizes[] = {
    { AV_HEX, TEXT("aabbcc"), 3 },       { AV_HEX_ANY, TEXT("aabbcc"), 3 },    { AV_BASE64, TEXT("Zm9vYmE="), 5 },
    { AV_BASE64, TEXT("Zm9vYg=="), 4 },  { AV_BASE64, TEXT("Zm9vYmFy"), 6 },   { AV_BASE64URL, TEXT("Zm9v"), 3 },
    { AV_BASE64URL, TEXT("Zm9vYg"), 4 }, { AV_BASE64URL, TEXT("Zm9vYmE"), 5 }, { AV_RAW, TEXT("abc"), 3 },
};

START_TEST(a_value_fits_into_its_size)
{
    unsigned char out[ROOM];
    apr_size_t len;

    ck_assert(av_decode(sizes[_i].encoding, sizes[_i].text, out, sizes[_i].size, &len));
    ck_assert_uint_eq(len, sizes[_i].size);
    ck_assert_uint_ge(av_decoded_size(sizes[_i].encoding, sizes[_i].text.len), sizes[_i].size);
}
END_TEST

START_TEST(a_value_that_does_not_fit_is_refused)
{
    unsigned char out[ROOM];
    apr_size_t len = 1;

    memset(out, 0x5a, sizeof(out));
    ck_assert(!av_decode(sizes[_i].encoding, sizes[_i].text, out, sizes[_i].size - 1, &len));
    ck_assert_uint_eq(len, 0);
    ck_assert_uint_eq(out[sizes[_i].size - 1], 0x5a);
}
END_TEST

START_TEST(the_size_of_the_longest_text_does_not_overflow)
{
    ck_assert_uint_eq(av_decoded_size(AV_BASE64URL, APR_SIZE_MAX), APR_SIZE_MAX / 4 * 3 + 2);
    ck_assert_uint_eq(av_decoded_size(AV_HEX, APR_SIZE_MAX), APR_SIZE_MAX / 2);
    ck_assert_uint_eq(av_decoded_size(AV_RAW, APR_SIZE_MAX), APR_SIZE_MAX);
}
END_TEST

static const struct {
    av_slice text;
    bool plus_is_space;
    av_slice decoded;
} percent[] = {
    { TEXT("abc"), false, TEXT("abc") },     { TEXT(""), false, TEXT("") },
    { { NULL, 0 }, true, TEXT("") },         { TEXT("%41%7a"), false, TEXT("Az") },
    { TEXT("%2f%2F"), false, TEXT("//") },   { TEXT("%ff%0a"), false, TEXT("\xff\n") },
    { TEXT("100%25"), false, TEXT("100%") }, { TEXT("%2541"), false, TEXT("%41") },
    { TEXT("%10"), false, TEXT("\x10") },    { TEXT("%01"), false, TEXT("\x01") },
    { TEXT("a+b"), false, TEXT("a+b") },     { TEXT("%20+b"), false, TEXT(" +b") },
    { TEXT("a+b"), true, TEXT("a b") },      { TEXT("%2b+"), true, TEXT("+ ") },
};

START_TEST(percent_is_decoded_once)
{
    av_slice out;

    ck_assert(av_percent_decode(tight_copy(percent[_i].text), percent[_i].plus_is_space, &out, pool));
    assert_slice(out, percent[_i].decoded, "decoded");
}
END_TEST

static const av_slice bad_percent[] = {
    TEXT("%"),      TEXT("a%"),  TEXT("%4"),    TEXT("%%41"), TEXT("%4g"), TEXT("%g4"), TEXT("%0x"),
    TEXT("%u0041"), TEXT("%00"), TEXT("a%00b"), TEXT("%-1"),  TEXT("% 1"), TEXT("+%"),
};

START_TEST(a_percent_without_two_digits_and_nul_are_refused)
{
    av_slice out;

    ck_assert(!av_percent_decode(tight_copy(bad_percent[_i]), false, &out, pool));
    ck_assert(!av_percent_decode(tight_copy(bad_percent[_i]), true, &out, pool));
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

START_TEST(what_is_not_encoded_is_borrowed)
{
    av_slice text = AV_SLICE("a+b");
    av_slice out;

    ck_assert(av_percent_decode(text, false, &out, pool));
    ck_assert_ptr_eq(out.at, text.at);
}
END_TEST

static const struct {
    av_slice text;
    const char *also, *written;
} words[] = {
    { TEXT("abc"), "", "abc" },
    { TEXT("a b\tc"), "", "a%20b%09c" },
    { TEXT("%#\"'"), "", "%25%23%22%27" },
    { TEXT("a;b=c"), "", "a;b=c" },
    { TEXT("a;b=c"), ";=", "a%3Bb%3Dc" },
    { TEXT("\x7f\x01"), "", "%7F%01" },
    { TEXT("zo\xc3\xab"), "", "zo\xc3\xab" },
    { TEXT(""), "", "" },
};

START_TEST(what_may_not_stand_in_a_word_is_encoded)
{
    ck_assert_str_eq(av_percent_encode(words[_i].text, words[_i].also, pool), words[_i].written);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *tests = suite_case(suite, "hex, base64, base64url, raw");

    tcase_add_loop_test(tests, a_text_gives_its_value, 0, ROWS(both_ways));
    tcase_add_loop_test(tests, a_value_gives_its_text, 0, ROWS(both_ways));
    tcase_add_loop_test(tests, what_is_not_of_the_encoding_is_refused, 0, ROWS(refused));
    tcase_add_loop_test(tests, no_other_byte_belongs_to_an_alphabet, 0, 12);
    tcase_add_loop_test(tests, every_length_comes_back, AV_HEX, AV_RAW + 1);
    tcase_add_test(tests, upper_case_is_read_where_it_is_allowed);
    tcase_add_loop_test(tests, a_value_fits_into_its_size, 0, ROWS(sizes));
    tcase_add_loop_test(tests, a_value_that_does_not_fit_is_refused, 0, ROWS(sizes));
    tcase_add_test(tests, the_size_of_the_longest_text_does_not_overflow);
    tests = suite_case(suite, "percent-encoding");
    tcase_add_loop_test(tests, percent_is_decoded_once, 0, ROWS(percent));
    tcase_add_loop_test(tests, a_percent_without_two_digits_and_nul_are_refused, 0, ROWS(bad_percent));
    tcase_add_test(tests, what_is_not_encoded_is_borrowed);
    tcase_add_loop_test(tests, what_may_not_stand_in_a_word_is_encoded, 0, ROWS(words));
    return suite;
}
