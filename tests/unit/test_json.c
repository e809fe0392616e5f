/* Single values out of JSON bodies, and the texts that no value is taken from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "support/suite.h"

#include <apr_strings.h>

/* The document of RFC 6901 section 5, its backslashes as JSON writes them. */
#define RFC6901                                                                                                    \
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7," \
    "\"m~n\":8}"

static const struct {
    av_slice text;
    const char *pointer;
    av_slice value;
} values[] = {
    { TEXT(RFC6901), "/foo/0", TEXT("bar") },
    { TEXT(RFC6901), "/foo/1", TEXT("baz") },
    { TEXT(RFC6901), "/", TEXT("0") },
    { TEXT(RFC6901), "/a~1b", TEXT("1") },
    { TEXT(RFC6901), "/c%d", TEXT("2") },
    { TEXT(RFC6901), "/e^f", TEXT("3") },
    { TEXT(RFC6901), "/g|h", TEXT("4") },
    { TEXT(RFC6901), "/i\\j", TEXT("5") },
    { TEXT(RFC6901), "/k\"l", TEXT("6") },
    { TEXT(RFC6901), "/ ", TEXT("7") },
    { TEXT(RFC6901), "/m~0n", TEXT("8") },
    { TEXT("{\"~1\":\"tilde one\",\"/\":\"slash\"}"), "/~01", TEXT("tilde one") },
    { TEXT("\"alone\""), "", TEXT("alone") },
    { TEXT(" 12 "), "", TEXT("12") },
    { TEXT("true"), "", TEXT("true") },
    { TEXT("{\"a\":{\"b\":{\"c\":false}}}"), "/a/b/c", TEXT("false") },
    { TEXT("{\"a\":\"\"}"), "/a", TEXT("") },
    { TEXT("{\"a\":[0,1,2,3,4,5,6,7,8,9,\"ten\"]}"), "/a/10", TEXT("ten") },
    { TEXT("{\"0\":\"member\"}"), "/0", TEXT("member") },
    { TEXT("{\"-\":\"member\"}"), "/-", TEXT("member") },
    { TEXT("{\"\":{\"\":\"deep\"}}"), "//", TEXT("deep") },
    { TEXT("{\"n\":-9223372036854775808}"), "/n", TEXT("-9223372036854775808") },
    { TEXT("{\"n\":9223372036854775807}"), "/n", TEXT("9223372036854775807") },
    { TEXT("{\"a\":\"\\u00e4\\n\\\"\\\\\\/\"}"), "/a", TEXT("\xc3\xa4\n\"\\/") },
    { TEXT("{\"a\":\"\\ud83d\\ude00\"}"), "/a", TEXT("\xf0\x9f\x98\x80") },
    { TEXT("{\"\\u0061\":1}"), "/a", TEXT("1") },
    { TEXT("{\"\xc3\xa4\":1}"), "/\xc3\xa4", TEXT("1") },
    { TEXT("{\"a\":\"[[[{\\\"\"}"), "/a", TEXT("[[[{\"") },
    { TEXT("\t\r\n{ \"a\" : 1 }\n"), "/a", TEXT("1") },
    { TEXT("[{\"a\":1},{\"a\":2}]"), "/1/a", TEXT("2") },
};

START_TEST(a_pointer_gives_the_text_of_a_scalar)
{
    av_json *json = av_json_load(tight_copy(values[_i].text), pool);
    av_slice text;

    ck_assert_ptr_nonnull(json);
    ck_assert(av_json_text(json, values[_i].pointer, &text, pool));
    assert_slice(text, values[_i].value, values[_i].pointer);
}
END_TEST

static const struct {
    const char *name;
    const char *text;
    const char *pointer;
} absent[] = {
    { "no such member", "{\"a\":1}", "/b" },
    { "another case", "{\"a\":1}", "/A" },
    { "a member's first letters", "{\"ab\":1}", "/a" },
    { "below a scalar", "{\"a\":1}", "/a/b" },
    { "an index into a string", "{\"a\":\"x\"}", "/a/0" },
    { "null", "{\"a\":null}", "/a" },
    { "a real number", "{\"a\":1.0}", "/a" },
    { "a number with an exponent", "{\"a\":1e3}", "/a" },
    { "an object", "{\"a\":{}}", "/a" },
    { "an array", "{\"a\":[]}", "/a" },
    { "the whole object", "{\"a\":1}", "" },
    { "an index past the end", "[1]", "/1" },
    { "the element after the last", "[1]", "/-" },
    { "a leading zero", "[1,2]", "/01" },
    { "two zeros", "[1,2]", "/00" },
    { "a sign", "[1,2]", "/+1" },
    { "an empty index", "[1]", "/" },
    { "letters", "[1]", "/a" },
    { "the byte behind 9", "[0,1,2,3,4,5,6,7,8,9,10]", "/:" },
    { "digits, then letters", "[1,2]", "/1a" },
    { "an index that overflows", "[1]", "/18446744073709551616" },
    { "an empty member that is not there", "{\"a\":{\"b\":1}}", "/a/" },
    { "no slash", "{\"a\":1}", "a" },
    { "a tilde at the end", "{\"a~\":1}", "/a~" },
    { "a tilde before another digit", "{\"a~2\":1}", "/a~2" },
    { "invalid UTF-8", "{\"a\":1}", "/\xff" },
};

START_TEST(where_no_scalar_is_there_is_no_text)
{
    av_json *json = av_json_load(av_slice_of(absent[_i].text), pool);
    av_slice text = AV_SLICE("before");

    ck_assert_ptr_nonnull(json);
    ck_assert_msg(!av_json_text(json, absent[_i].pointer, &text, pool), "%s", absent[_i].name);
    ck_assert_uint_eq(text.len, 0);
}
END_TEST

static const struct {
    const char *name;
    av_slice text;
} refused[] = {
    { "nothing", TEXT("") },
    { "NULL", { NULL, 0 } },
    { "blanks", TEXT(" \n") },
    { "a member twice", TEXT("{\"a\":1,\"a\":1}") },
    { "a member twice, once escaped", TEXT("{\"a\":1,\"\\u0061\":2}") },
    { "a member twice, below", TEXT("{\"x\":[{\"a\":1,\"a\":2}]}") },
    { "an escaped NUL in a string", TEXT("{\"a\":\"x\\u0000\"}") },
    { "an escaped NUL in a name", TEXT("{\"a\\u0000\":1}") },
    { "NUL at the end", TEXT("{\"a\":1}\0") },
    { "NUL at the start", TEXT("\0{\"a\":1}") },
    { "NUL in a string", TEXT("{\"a\":\"\0\"}") },
    { "NUL after a number", TEXT("{\"a\":1\0}") },
    { "NUL after a word", TEXT("[true\0]") },
    { "NUL between tokens", TEXT("{\"a\":\0 1}") },
    { "text behind", TEXT("{\"a\":1}x") },
    { "a second document", TEXT("{\"a\":1}{\"a\":1}") },
    { "a second line", TEXT("{\"a\":1}\n{\"a\":1}") },
    { "a byte order mark", TEXT("\xef\xbb\xbf{\"a\":1}") },
    { "half of a document", TEXT("{\"a\":1") },
    { "half of a string", TEXT("{\"a\":\"b") },
    { "a backslash as the last byte", TEXT("{\"a\":\"b\\") },
    { "a comma too much", TEXT("{\"a\":1,}") },
    { "single quotes", TEXT("{'a':1}") },
    { "a comment", TEXT("{\"a\":1}/**/") },
    { "a name without quotes", TEXT("{a:1}") },
    { "NaN", TEXT("{\"a\":NaN}") },
    { "True", TEXT("{\"a\":True}") },
    { "a leading zero", TEXT("{\"a\":01}") },
    { "a plus", TEXT("{\"a\":+1}") },
    { "an integer of more than 64 bits", TEXT("{\"a\":9223372036854775808}") },
    { "a real number out of range", TEXT("{\"a\":1e999}") },
    { "invalid UTF-8 in a string", TEXT("{\"a\":\"\xff\"}") },
    { "overlong UTF-8", TEXT("{\"a\":\"\xc0\xaf\"}") },
    { "UTF-8 of a surrogate", TEXT("{\"a\":\"\xed\xa0\x80\"}") },
    { "half of an escaped pair", TEXT("{\"a\":\"\\ud83d\"}") },
    { "a control byte in a string", TEXT("{\"a\":\"\n\"}") },
    { "brackets that do not match", TEXT("[}") },
    { "a closing bracket first", TEXT("][") },
};

START_TEST(what_is_not_strictly_json_is_refused)
{
    ck_assert_msg(!av_json_load(tight_copy(refused[_i].text), pool), "%s", refused[_i].name);
}
END_TEST

/* `depth` brackets around nothing, each array in the one before it. */
static const char *nested(int depth)
{
    char *text = apr_palloc(pool, (apr_size_t)depth * 2 + 1);

    memset(text, '[', (apr_size_t)depth);
    memset(text + depth, ']', (apr_size_t)depth);
    text[depth * 2] = '\0';
    return text;
}

START_TEST(the_deepest_text_is_read)
{
    ck_assert_ptr_nonnull(av_json_load(av_slice_of(nested(AV_JSON_MAX_DEPTH)), pool));
}
END_TEST

START_TEST(a_deeper_text_is_refused)
{
    const char *objects = apr_pstrcat(pool, "{\"a\":", nested(AV_JSON_MAX_DEPTH), "}", NULL);

    ck_assert_ptr_null(av_json_load(av_slice_of(nested(AV_JSON_MAX_DEPTH + 1)), pool));
    ck_assert_ptr_null(av_json_load(av_slice_of(nested(1000000)), pool));
    ck_assert_ptr_null(av_json_load(av_slice_of(objects), pool));
}
END_TEST

START_TEST(brackets_in_strings_and_closed_ones_are_not_depth)
{
    const char *open = apr_pstrcat(pool, "[\"\\\"", nested(AV_JSON_MAX_DEPTH + 1), "\\\\\",1]", NULL);
    const char *text = "[";

    for (int i = 0; i < AV_JSON_MAX_DEPTH; i++) {
        text = apr_pstrcat(pool, text, "[{}],", NULL);
    }
    ck_assert_ptr_nonnull(av_json_load(av_slice_of(open), pool));
    ck_assert_ptr_nonnull(av_json_load(av_slice_of(apr_pstrcat(pool, text, "1]", NULL)), pool));
}
END_TEST

START_TEST(the_text_need_not_outlive_the_document)
{
    char text[] = "{\"a\":\"b\"}";
    av_json *json = av_json_load(av_slice_of(text), pool);
    av_slice value;

    memset(text, 'x', sizeof(text));
    ck_assert(av_json_text(json, "/a", &value, pool));
    assert_slice(value, AV_SLICE("b"), "value");
}
END_TEST

static const struct {
    const char *pointer;
    bool is_valid;
} pointers[] = {
    { "", true },     { "/", true },      { "/a", true },   { "/a/0/b", true }, { "/~0~1", true },
    { "//", true },   { "/%7d", true },   { "a", false },   { "#/a", false },   { "/~", false },
    { "/~2", false }, { "/a~/b", false }, { " /a", false }, { "~0", false },
};

START_TEST(a_pointer_begins_with_a_slash_and_escapes_tildes)
{
    ck_assert_msg(av_json_pointer_is_valid(pointers[_i].pointer) == pointers[_i].is_valid, "%s", pointers[_i].pointer);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = suite_case(suite, "json");

    tcase_add_loop_test(tests, a_pointer_gives_the_text_of_a_scalar, 0, ROWS(values));
    tcase_add_loop_test(tests, where_no_scalar_is_there_is_no_text, 0, ROWS(absent));
    tcase_add_loop_test(tests, what_is_not_strictly_json_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, the_deepest_text_is_read);
    tcase_add_test(tests, a_deeper_text_is_refused);
    tcase_add_test(tests, brackets_in_strings_and_closed_ones_are_not_depth);
    tcase_add_test(tests, the_text_need_not_outlive_the_document);
    tcase_add_loop_test(tests, a_pointer_begins_with_a_slash_and_escapes_tildes, 0, ROWS(pointers));
    return suite;
}
