/* Headers of key=value fields: what Stripe, Paddle and others send, and what none of them may send.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/fields.h"
#include "support/suite.h"

#include <apr_strings.h>

static const struct {
    const char *separators;
    av_slice text;
    av_field fields[4];
} headers[] = {
    { ",", TEXT("t=1492774577,v1=5257a8"), { { TEXT("t"), TEXT("1492774577") }, { TEXT("v1"), TEXT("5257a8") } } },
    { ";", TEXT("ts=1671552777;h1=eb4d"), { { TEXT("ts"), TEXT("1671552777") }, { TEXT("h1"), TEXT("eb4d") } } },
    { ",",
      TEXT("v1=a,v1=b,v0=c"),
      { { TEXT("v1"), TEXT("a") }, { TEXT("v1"), TEXT("b") }, { TEXT("v0"), TEXT("c") } } },
    { ",",
      TEXT(" a=1 ,\tb=2\t, c=3 "),
      { { TEXT("a"), TEXT("1") }, { TEXT("b"), TEXT("2") }, { TEXT("c"), TEXT("3") } } },
    { ",;", TEXT("a=1;b=2,c=3"), { { TEXT("a"), TEXT("1") }, { TEXT("b"), TEXT("2") }, { TEXT("c"), TEXT("3") } } },
    { "&", TEXT("a=1&b=2"), { { TEXT("a"), TEXT("1") }, { TEXT("b"), TEXT("2") } } },
    { ",", TEXT("a=1&b=2"), { { TEXT("a"), TEXT("1&b=2") } } },
    { ",", TEXT("a=Zg=="), { { TEXT("a"), TEXT("Zg==") } } },
    { ",", TEXT("a=="), { { TEXT("a"), TEXT("=") } } },
    { ",", TEXT("a=1;b=2"), { { TEXT("a"), TEXT("1;b=2") } } },
    { ",", TEXT("a=\"1\",b=2"), { { TEXT("a"), TEXT("1") }, { TEXT("b"), TEXT("2") } } },
    { ",", TEXT("a=\"x, y=z\" ,b=2"), { { TEXT("a"), TEXT("x, y=z") }, { TEXT("b"), TEXT("2") } } },
    { ",", TEXT("a=\"\t\xc3\xa4\""), { { TEXT("a"), TEXT("\t\xc3\xa4") } } },
    { ",", TEXT("!#$%&'*+-.^_`|~Az09=1"), { { TEXT("!#$%&'*+-.^_`|~Az09"), TEXT("1") } } },
    { ",", TEXT("A=1,a=2"), { { TEXT("A"), TEXT("1") }, { TEXT("a"), TEXT("2") } } },
    { ",", TEXT("a=!~\\'"), { { TEXT("a"), TEXT("!~\\'") } } },
};

START_TEST(fields_are_read_in_order)
{
    av_fields fields;
    apr_size_t count = 0;

    ck_assert(av_fields_parse(tight_copy(headers[_i].text), headers[_i].separators, &fields));
    for (; count < ROWS(headers[_i].fields) && headers[_i].fields[count].name.at; count++) {
        ck_assert_uint_lt(count, fields.count);
        assert_slice(fields.at[count].name, headers[_i].fields[count].name, "name");
        assert_slice(fields.at[count].value, headers[_i].fields[count].value, "value");
    }
    ck_assert_uint_eq(fields.count, count);
}
END_TEST

static const struct {
    const char *name;
    av_slice text;
} malformed[] = {
    { "nothing", TEXT("") },
    { "a blank", TEXT(" ") },
    { "a separator", TEXT(",") },
    { "no =", TEXT("abc") },
    { "no = in the second", TEXT("a=1,b") },
    { "no name", TEXT("=1") },
    { "no value", TEXT("a=") },
    { "no value before a separator", TEXT("a=,b=1") },
    { "an empty quoted value", TEXT("a=\"\"") },
    { "an empty field inside", TEXT("a=1,,b=2") },
    { "an empty field of blanks", TEXT("a=1, ,b=2") },
    { "an empty field at the end", TEXT("a=1,") },
    { "an empty field and a blank at the end", TEXT("a=1, ") },
    { "an empty field at the start", TEXT(",a=1") },
    { "a blank before =", TEXT("a =1") },
    { "a blank after =", TEXT("a= 1") },
    { "a blank in a value", TEXT("a=1 2") },
    { "a tab in a value", TEXT("a=1\t2") },
    { "a quote in a value", TEXT("a=1\"2") },
    { "a quote at a value's end", TEXT("a=1\"") },
    { "a control byte in a value", TEXT("a=1\x01") },
    { "NUL in a value", TEXT("a=1\0") },
    { "DEL in a value", TEXT("a=1\x7f") },
    { "a high byte in a bare value", TEXT("a=\xc3\xa4") },
    { "a line end", TEXT("a=1\r\n") },
    { "a quote that is not closed", TEXT("a=\"1") },
    { "a quote alone", TEXT("a=\"") },
    { "a backslash in quotes", TEXT("a=\"1\\\"2\"") },
    { "a backslash before a letter in quotes", TEXT("a=\"1\\2\"") },
    { "text after a closing quote", TEXT("a=\"1\"2") },
    { "a second quoted value", TEXT("a=\"1\"\"2\"") },
    { "a control byte in quotes", TEXT("a=\"1\n\"") },
    { "NUL in quotes", TEXT("a=\"1\0\"") },
    { "DEL in quotes", TEXT("a=\"1\x7f\"") },
    { "a slash in a name", TEXT("a/b=1") },
    { "a quoted name", TEXT("\"a\"=1") },
    { "a high byte in a name", TEXT("\xe4=1") },
    { "NUL in a name", TEXT("a\0=1") },
    { "another separator's field", TEXT("a=\"1\";b=2") },
};

START_TEST(what_is_not_a_list_of_fields_is_refused)
{
    av_fields fields;

    ck_assert_msg(!av_fields_parse(tight_copy(malformed[_i].text), ",", &fields), "%s", malformed[_i].name);
}
END_TEST

START_TEST(a_separator_is_no_part_of_a_name)
{
    av_fields fields;

    ck_assert(av_fields_parse(AV_SLICE("a|b=1"), ",", &fields));
    ck_assert(!av_fields_parse(AV_SLICE("a|b=1"), "|", &fields));
}
END_TEST

static av_slice header_of(int count)
{
    const char *text = "a=1";

    for (int i = 1; i < count; i++) {
        text = apr_pstrcat(pool, text, ",a=1", NULL);
    }
    return av_slice_of(text);
}

START_TEST(the_most_fields_are_read)
{
    av_fields fields;

    ck_assert(av_fields_parse(header_of(AV_MAX_FIELDS), ",", &fields));
    ck_assert_uint_eq(fields.count, AV_MAX_FIELDS);
}
END_TEST

START_TEST(one_field_more_is_refused)
{
    av_fields fields;

    ck_assert(!av_fields_parse(header_of(AV_MAX_FIELDS + 1), ",", &fields));
}
END_TEST

START_TEST(fields_borrow_from_the_text)
{
    av_slice text = AV_SLICE("t=\"1\",v1=2");
    av_fields fields;

    ck_assert(av_fields_parse(text, ",", &fields));
    ck_assert_ptr_eq(fields.at[0].value.at, text.at + 3);
    ck_assert_ptr_eq(fields.at[1].name.at, text.at + 6);
}
END_TEST

START_TEST(a_field_is_found_by_its_exact_name_if_it_is_the_only_one)
{
    av_slice before = AV_SLICE("unchanged");
    av_slice value = before;
    av_fields fields;

    ck_assert(av_fields_parse(AV_SLICE("t=1,v1=a,T=2,v1=b,v1=c"), ",", &fields));
    ck_assert_uint_eq(av_fields_get(&fields, AV_SLICE("v1"), &value), 3);
    assert_slice(value, before, "of three");
    ck_assert_uint_eq(av_fields_get(&fields, AV_SLICE("v"), &value), 0);
    assert_slice(value, before, "of none");
    ck_assert_uint_eq(av_fields_get(&fields, AV_SLICE("t"), &value), 1);
    assert_slice(value, AV_SLICE("1"), "of one");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("fields");
    TCase *tests = suite_case(suite, "fields");

    tcase_add_loop_test(tests, fields_are_read_in_order, 0, ROWS(headers));
    tcase_add_loop_test(tests, what_is_not_a_list_of_fields_is_refused, 0, ROWS(malformed));
    tcase_add_test(tests, a_separator_is_no_part_of_a_name);
    tcase_add_test(tests, the_most_fields_are_read);
    tcase_add_test(tests, one_field_more_is_refused);
    tcase_add_test(tests, fields_borrow_from_the_text);
    tcase_add_test(tests, a_field_is_found_by_its_exact_name_if_it_is_the_only_one);
    return suite;
}
