/* Selectors: how they are written, what they read of a request, and what they refuse to choose between.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/selector.h"
#include "support/trial.h"

#include <apr_strings.h>

static const struct {
    const char *text;
    av_selector_kind kind;
    const char *name;
} selectors[] = {
    { "body", AV_SELECT_BODY, "" },
    { "body-sha256", AV_SELECT_BODY_SHA256, "" },
    { "method", AV_SELECT_METHOD, "" },
    { "url", AV_SELECT_URL, "" },
    { "target", AV_SELECT_TARGET, "" },
    { "path", AV_SELECT_PATH, "" },
    { "query", AV_SELECT_QUERY, "" },
    { "header:X-Signature", AV_SELECT_HEADER, "X-Signature" },
    { "query:sig", AV_SELECT_PARAMETER, "sig" },
    { "query:a:b", AV_SELECT_PARAMETER, "a:b" },
    { "form:token", AV_SELECT_FORM, "token" },
    { "json:/data/id", AV_SELECT_JSON, "/data/id" },
    { "json:/", AV_SELECT_JSON, "/" },
    { "json:/a~0b~1c", AV_SELECT_JSON, "/a~0b~1c" },
    { "field:v1", AV_SELECT_FIELD, "v1" },
    { "timestamp", AV_SELECT_TIMESTAMP, "" },
    { "id", AV_SELECT_ID, "" },
};

START_TEST(a_selector_is_a_word_and_perhaps_a_name)
{
    av_selector selector;
    av_slice text = tight_copy(av_slice_of(selectors[_i].text));
    const char *error = av_selector_parse(text, &selector, pool);

    ck_assert_msg(!error, "%s", error);
    memset((char *)text.at, 'x', text.len);
    ck_assert_int_eq(selector.kind, selectors[_i].kind);
    assert_slice(selector.name, av_slice_of(selectors[_i].name), "name");
    ck_assert_int_eq(selector.name.at[selector.name.len], '\0');
    ck_assert_str_eq(av_selector_text(&selector, pool), apr_pstrcat(pool, "%{", selectors[_i].text, "}", NULL));
}
END_TEST

static const struct {
    const char *text, *fault;
} no_selectors[] = {
    { "", "%{} is no selector; there are %{body} %{body-sha256} %{method}" },
    { "lf", "%{lf} is no selector" },
    { "Body", "%{Body} is no selector" },
    { " body", "%{ body} is no selector" },
    { "body ", "%{body } is no selector" },
    { "body:", "%{body:} is no selector" },
    { "body:x", "%{body:x} is no selector" },
    { "id:x", "%{id:x} is no selector" },
    { "header", "%{header} is no selector" },
    { "headers:X", "%{headers:X} is no selector" },
    { "header:", "%{header:}: a name must follow the colon" },
    { "query:", "%{query:}: a name must follow the colon" },
    { "form:", "%{form:}: a name must follow the colon" },
    { "field:", "%{field:}: a name must follow the colon" },
    { "header:X Y", "%{header:X Y}: a name holds neither blanks nor braces" },
    { "header:X\tY", "a name holds neither blanks nor braces" },
    { "header: X", "a name holds neither blanks nor braces" },
    { "query:a}b", "a name holds neither blanks nor braces" },
    { "query:a{b", "a name holds neither blanks nor braces" },
    { "json:/a b", "a name holds neither blanks nor braces" },
    { "json:", "%{json:}: after json: stands a pointer such as /data/id" },
    { "json:data", "%{json:data}: after json: stands a pointer such as /data/id" },
    { "json:/a~2", "%{json:/a~2}: after json: stands a pointer" },
    { "json:/a~", "%{json:/a~}: after json: stands a pointer" },
};

START_TEST(what_is_no_selector_is_refused)
{
    av_selector selector;

    assert_sentence(av_selector_parse(tight_copy(av_slice_of(no_selectors[_i].text)), &selector, pool),
                    no_selectors[_i].fault);
}
END_TEST

START_TEST(a_name_does_not_end_at_a_nul)
{
    av_selector selector;

    assert_sentence(av_selector_parse(AV_SLICE("header:X\0Y"), &selector, pool), "holds neither blanks nor braces");
    assert_sentence(av_selector_parse(AV_SLICE("json:\0"), &selector, pool), "holds neither blanks nor braces");
    assert_sentence(av_selector_parse(AV_SLICE("body\0"), &selector, pool), "is no selector");
}
END_TEST

#define SOME (AV_SELECTS(HEADER) | AV_SELECTS(JSON) | AV_SELECTS(METHOD))

static const struct {
    const char *value, *fault;
} options[] = {
    { "%{header:X}", NULL },
    { "%{json:/a}", NULL },
    { "%{method}", NULL },
    { "%{body}", "\"%{body}\" must be one of %{method}, %{header:" },
    { "%{query:x}", "must be one of" },
    { "header:X", "\"header:X\" must be one of" },
    { "%header:X", "must be one of" },
    { "%{header:X", "must be one of" },
    { "{header:X}", "must be one of" },
    { "x%{header:X}", "must be one of" },
    { "%{header:X}x", "must be one of" },
    { "%{header:X}%{header:Y}", "a name holds neither blanks nor braces" },
    { "%{", "must be one of" },
    { "%}", "must be one of" },
    { "}", "must be one of" },
    { "", "must be one of" },
    { "%{}", "%{} is no selector" },
    { "%{nothing}", "%{nothing} is no selector" },
};

START_TEST(an_option_takes_one_selector_of_the_kinds_it_allows)
{
    av_selector selector;
    const char *error = av_selector_parse_only(options[_i].value, SOME, &selector, pool);

    if (options[_i].fault) {
        assert_sentence(error, options[_i].fault);
    } else {
        ck_assert_msg(!error, "%s", error);
        ck_assert_str_eq(av_selector_text(&selector, pool), options[_i].value);
    }
}
END_TEST

#define REQUEST                                                                                    \
    "POST /hooks/a%20b?one=1&two=a%2Bb+c&e=&n%61med=2&twice=1&tw%69ce=2&=nameless&flag HTTP/1.1\n" \
    "Host: example.org\n"                                                                          \
    "X-One:  a value\n"                                                                            \
    "X-Empty:\n"                                                                                   \
    "X-Twice: 1\n"                                                                                 \
    "x-tWICE: 2\n"                                                                                 \
    "\n"

static const struct {
    const char *selector;
    av_found found;
    const char *value;
} head_values[] = {
    { "method", AV_FOUND, "POST" },
    { "path", AV_FOUND, "/hooks/a%20b" },
    { "target", AV_FOUND, "/hooks/a%20b?one=1&two=a%2Bb+c&e=&n%61med=2&twice=1&tw%69ce=2&=nameless&flag" },
    { "query", AV_FOUND, "one=1&two=a%2Bb+c&e=&n%61med=2&twice=1&tw%69ce=2&=nameless&flag" },
    { "url", AV_FOUND,
      "https://example.org/hooks/a%20b?one=1&two=a%2Bb+c&e=&n%61med=2&twice=1&tw%69ce=2&=nameless&flag" },
    { "header:X-One", AV_FOUND, "a value" },
    { "header:x-oNE", AV_FOUND, "a value" },
    { "header:X-Empty", AV_FOUND, "" },
    { "header:X-Twice", AV_TWICE, NULL },
    { "header:X-None", AV_ABSENT, NULL },
    { "header:X-On", AV_ABSENT, NULL },
    { "query:one", AV_FOUND, "1" },
    { "query:two", AV_FOUND, "a+b c" },
    { "query:e", AV_FOUND, "" },
    { "query:flag", AV_FOUND, "" },
    { "query:named", AV_FOUND, "2" },
    { "query:twice", AV_TWICE, NULL },
    { "query:One", AV_ABSENT, NULL },
    { "query:none", AV_ABSENT, NULL },
    { "query:n%61med", AV_ABSENT, NULL },
    { "body", AV_ABSENT, NULL },
    { "body-sha256", AV_ABSENT, NULL },
    { "form:one", AV_ABSENT, NULL },
    { "json:/one", AV_ABSENT, NULL },
    { "field:one", AV_ABSENT, NULL },
    { "timestamp", AV_FOUND, "123" },
    { "id", AV_FOUND, "id-1" },
};

static av_found read_text(const char *text, const av_view *view, av_slice *value)
{
    av_selector selector;

    ck_assert_ptr_null(av_selector_parse(av_slice_of(text), &selector, pool));
    return av_selector_read(&selector, view, value, pool);
}

static void assert_read(const char *text, const av_view *view, av_found found, const char *wanted)
{
    av_slice value = { NULL, 0 };

    ck_assert_msg(read_text(text, view, &value) == found, "%s", text);
    if (wanted) {
        assert_slice(value, av_slice_of(wanted), text);
    }
}

START_TEST(the_head_s_values_are_there_before_the_body)
{
    built_request request = request_of(REQUEST);
    av_view view = { .request = &request.head, .timestamp = AV_SLICE("123"), .id = AV_SLICE("id-1") };

    assert_read(head_values[_i].selector, &view, head_values[_i].found, head_values[_i].value);
}
END_TEST

static const struct {
    const char *query, *name;
    av_found found;
    const char *value;
} queries[] = {
    { "", "a", AV_ABSENT, NULL },         { "a", "a", AV_FOUND, "" },
    { "a=", "a", AV_FOUND, "" },          { "a=b=c", "a", AV_FOUND, "b=c" },
    { "a=1&", "a", AV_FOUND, "1" },       { "&&a=1", "a", AV_FOUND, "1" },
    { "a=1&a=1", "a", AV_TWICE, NULL },   { "a&a", "a", AV_TWICE, NULL },
    { "a=1&%61=1", "a", AV_TWICE, NULL }, { "a=%", "a", AV_BROKEN, NULL },
    { "a=%4", "a", AV_BROKEN, NULL },     { "a=%zz", "a", AV_BROKEN, NULL },
    { "a=%00", "a", AV_BROKEN, NULL },    { "a=1&%zz=2", "a", AV_BROKEN, NULL },
    { "b=%zz", "a", AV_ABSENT, NULL },    { "a+b=1", "a b", AV_ABSENT, NULL },
    { "a;b=1", "b", AV_ABSENT, NULL },    { "A=1", "a", AV_ABSENT, NULL },
};

static av_request query_of(const char *query)
{
    return (av_request){ .query = tight_copy(av_slice_of(query)) };
}

START_TEST(a_parameter_is_read_decoded_and_once)
{
    bool has_blank = strchr(queries[_i].name, ' ') != NULL;
    const char *selector = apr_pstrcat(pool, "query:", has_blank ? "a" : queries[_i].name, NULL);
    const char *in_form = apr_pstrcat(pool, "form:", has_blank ? "a" : queries[_i].name, NULL);
    av_request request = query_of(queries[_i].query), none = { .query = AV_SLICE("") };
    av_slice body = request.query;
    av_view view = { .request = &request }, form = { .request = &none, .body = &body };

    assert_read(selector, &view, queries[_i].found, queries[_i].value);
    assert_read(in_form, &form, queries[_i].found, queries[_i].value);
}
END_TEST

#define JSON "{\"id\":\"x\",\"n\":12,\"deep\":{\"a/b\":[true]},\"none\":null,\"real\":1.5,\"empty\":\"\"}"

static const struct {
    const char *selector;
    av_found found;
    const char *value;
} body_values[] = {
    { "body", AV_FOUND, JSON },         { "body-sha256", AV_FOUND, "0123" },       { "json:/id", AV_FOUND, "x" },
    { "json:/n", AV_FOUND, "12" },      { "json:/deep/a~1b/0", AV_FOUND, "true" }, { "json:/empty", AV_FOUND, "" },
    { "json:/none", AV_ABSENT, NULL },  { "json:/real", AV_ABSENT, NULL },         { "json:/deep", AV_ABSENT, NULL },
    { "json:/other", AV_ABSENT, NULL },
};

START_TEST(the_body_s_values_are_there_with_the_body)
{
    built_request request = request_of(REQUEST);
    av_slice body = AV_SLICE(JSON);
    av_view view = {
        .request = &request.head, .body = &body, .json = av_json_load(body, pool), .body_sha256 = AV_SLICE("0123")
    };

    assert_read(body_values[_i].selector, &view, body_values[_i].found, body_values[_i].value);
}
END_TEST

START_TEST(a_field_is_read_if_it_is_the_only_one)
{
    av_fields fields;
    av_view view = { .fields = &fields };

    ck_assert(av_fields_parse(AV_SLICE("t=1,v1=a,v1=b"), ",", &fields));
    assert_read("field:t", &view, AV_FOUND, "1");
    assert_read("field:T", &view, AV_ABSENT, NULL);
    assert_read("field:v1", &view, AV_BROKEN, NULL);
}
END_TEST

START_TEST(a_body_may_be_empty)
{
    av_slice body = { NULL, 0 };
    av_view view = { .body = &body };

    assert_read("body", &view, AV_FOUND, "");
    assert_read("form:a", &view, AV_ABSENT, NULL);
}
END_TEST

static const char *const inside[] = { "body", "body-sha256", "form:a", "json:/a" };

START_TEST(a_selector_knows_whether_it_needs_the_body)
{
    int found = 0;

    for (int i = 0; i < ROWS(selectors); i++) {
        av_selector selector;
        ck_assert_ptr_null(av_selector_parse(av_slice_of(selectors[i].text), &selector, pool));
        found += av_selector_is_in_body(&selector);
    }
    ck_assert_int_eq(found, 6); /* three rows are JSON pointers */
    for (int i = 0; i < ROWS(inside); i++) {
        av_selector selector;
        ck_assert_ptr_null(av_selector_parse(av_slice_of(inside[i]), &selector, pool));
        ck_assert(av_selector_is_in_body(&selector));
    }
}
END_TEST

static const struct {
    const char *a, *b;
    bool is_equal;
} pairs[] = {
    { "body", "body", true },          { "body", "body-sha256", false }, { "header:X-A", "header:x-a", true },
    { "header:X", "header:Y", false }, { "query:a", "query:a", true },   { "query:a", "query:A", false },
    { "query:a", "form:a", false },    { "field:a", "field:A", false },  { "query", "query:a", false },
    { "json:/a", "json:/a", true },    { "json:/a", "json:/A", false },  { "timestamp", "id", false },
};

START_TEST(selectors_are_equal_if_they_name_the_same_value)
{
    av_selector a, b;

    ck_assert_ptr_null(av_selector_parse(av_slice_of(pairs[_i].a), &a, pool));
    ck_assert_ptr_null(av_selector_parse(av_slice_of(pairs[_i].b), &b, pool));
    ck_assert_int_eq(av_selector_equal(&a, &b), pairs[_i].is_equal);
    ck_assert_int_eq(av_selector_equal(&b, &a), pairs[_i].is_equal);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("selector");
    TCase *tests = suite_case(suite, "selector");

    tcase_add_loop_test(tests, a_selector_is_a_word_and_perhaps_a_name, 0, ROWS(selectors));
    tcase_add_loop_test(tests, what_is_no_selector_is_refused, 0, ROWS(no_selectors));
    tcase_add_test(tests, a_name_does_not_end_at_a_nul);
    tcase_add_loop_test(tests, an_option_takes_one_selector_of_the_kinds_it_allows, 0, ROWS(options));
    tcase_add_loop_test(tests, the_head_s_values_are_there_before_the_body, 0, ROWS(head_values));
    tcase_add_loop_test(tests, a_parameter_is_read_decoded_and_once, 0, ROWS(queries));
    tcase_add_loop_test(tests, the_body_s_values_are_there_with_the_body, 0, ROWS(body_values));
    tcase_add_test(tests, a_field_is_read_if_it_is_the_only_one);
    tcase_add_test(tests, a_body_may_be_empty);
    tcase_add_test(tests, a_selector_knows_whether_it_needs_the_body);
    tcase_add_loop_test(tests, selectors_are_equal_if_they_name_the_same_value, 0, ROWS(pairs));
    return suite;
}
