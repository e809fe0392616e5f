/* Templates: their parts, what they cover, and the pieces that a request makes of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/template.h"
#include "support/trial.h"

#include <apr_strings.h>

static av_template template_of(const char *text)
{
    av_template made;
    const char *error = av_template_parse(text, &made, pool);

    ck_assert_msg(!error, "%s: %s", text, error);
    return made;
}

/* A selector is written in its own braces, so that a literal cannot look like one: <literal>, {selector}. */
static const char *parts_text(const av_template *made)
{
    const char *text = "";

    for (apr_size_t i = 0; i < made->count; i++) {
        const av_template_part *part = &made->parts[i];
        text = part->is_literal ? apr_pstrcat(pool, text, "<", part->literal.at, ">", NULL)
                                : apr_pstrcat(pool, text, av_selector_text(&part->selector, pool) + 1, NULL);
    }
    return text;
}

static const struct {
    const char *text, *parts;
} templates[] = {
    { "%{body}", "{body}" },
    { "v0:%{timestamp}:%{body}", "<v0:>{timestamp}<:>{body}" },
    { "%{id}.%{timestamp}.%{body}", "{id}<.>{timestamp}<.>{body}" },
    { "%{header:X-Time}%{body}", "{header:X-Time}{body}" },
    { "%{method}%{lf}%{url}%{lf}", "{method}<\n>{url}<\n>" },
    { "100%%", "<100%>" },
    { "%%{body}", "<%{body}>" },
    { "%%%{body}%%", "<%>{body}<%>" },
    { "}{", "<}{>" },
    { " ", "< >" },
    { "%{lf}%{lf}", "<\n\n>" },
    { "%{body}%{body}", "{body}{body}" },
    { "%{json:/a}", "{json:/a}" },
};

START_TEST(a_template_is_literals_and_selectors)
{
    char *text = apr_pstrdup(pool, templates[_i].text);
    av_template made = template_of(text);

    memset(text, 'x', strlen(text));
    ck_assert_str_eq(parts_text(&made), templates[_i].parts);
    for (apr_size_t i = 0; i < made.count; i++) {
        ck_assert(!made.parts[i].is_literal || made.parts[i].literal.len == strlen(made.parts[i].literal.at));
    }
}
END_TEST

static const struct {
    const char *text, *fault;
} no_templates[] = {
    { "", "the template is empty" },
    { "%", "a \"%\" stands alone; write %% for a percent sign" },
    { "%{body}%", "a \"%\" stands alone" },
    { "50% off", "a \"%\" stands alone" },
    { "%%%", "a \"%\" stands alone" },
    { "%body", "a \"%\" stands alone" },
    { "%{body", "a \"%{\" is not closed by \"}\"" },
    { "%{", "a \"%{\" is not closed by \"}\"" },
    { "%{body}.%{", "a \"%{\" is not closed by \"}\"" },
    { "%{}", "%{} is no selector" },
    { "%{bdoy}", "%{bdoy} is no selector" },
    { "%{body}%{header:}", "a name must follow the colon" },
    { "%{a%{body}", "%{a%{body} is no selector" },
};

START_TEST(what_is_no_template_is_refused)
{
    av_template made;

    assert_sentence(av_template_parse(no_templates[_i].text, &made, pool), no_templates[_i].fault);
}
END_TEST

START_TEST(selectors_of_a_kind_are_counted)
{
    av_template made = template_of("body%{body}%{header:A}%{header:B}%{body}%%{body}");

    ck_assert_uint_eq(av_template_count(&made, AV_SELECT_BODY), 2);
    ck_assert_uint_eq(av_template_count(&made, AV_SELECT_HEADER), 2);
    ck_assert_uint_eq(av_template_count(&made, AV_SELECT_METHOD), 0);
}
END_TEST

static const struct {
    const char *text, *selector;
    bool covers;
} covered[] = {
    { "%{body}", "body", true },
    { "%{body-sha256}", "body", true },
    { "%{json:/a}", "body", false },
    { "%{form:a}", "body", false },
    { "body", "body", false },
    { "%{url}", "body", false },
    { "%{body}", "body-sha256", true },
    { "%{body-sha256}", "body-sha256", true },
    { "%{json:/a}", "body-sha256", false },
    { "%{body}", "json:/a", true },
    { "%{body-sha256}", "json:/a", true },
    { "%{json:/a}", "json:/a", true },
    { "%{json:/b}", "json:/a", false },
    { "%{form:a}", "json:/a", false },
    { "%{body}", "form:a", true },
    { "%{body-sha256}", "form:a", true },
    { "%{form:a}", "form:a", true },
    { "%{query:a}", "form:a", false },
    { "%{query}", "query:a", true },
    { "%{url}", "query:a", true },
    { "%{query:a}", "query:a", true },
    { "%{target}", "query:a", true },
    { "%{query:b}", "query:a", false },
    { "%{path}", "query:a", false },
    { "%{form:a}", "query:a", false },
    { "%{url}", "path", true },
    { "%{path}", "path", true },
    { "%{target}", "path", true },
    { "%{query}", "path", false },
    { "%{url}", "query", true },
    { "%{target}", "query", true },
    { "%{url}", "target", true },
    { "%{path}%{query}", "target", false },
    { "%{target}", "url", false },
    { "%{query:a}", "query", false },
    { "%{path}%{query}", "url", false },
    { "%{header:X}", "header:x", true },
    { "%{header:X}", "header:Y", false },
    { "%{url}", "header:Host", false },
    { "%{url}", "method", false },
    { "%{method}", "method", true },
    { "%{field:t}", "field:t", true },
    { "%{field:v}", "field:t", false },
    { "a%{method}b%{header:X}c", "header:X", true },
};

START_TEST(a_template_covers_what_it_holds)
{
    av_template made = template_of(covered[_i].text);
    av_selector selector;

    ck_assert_ptr_null(av_selector_parse(av_slice_of(covered[_i].selector), &selector, pool));
    ck_assert_msg(av_template_covers(&made, &selector) == covered[_i].covers, "%s: %s", covered[_i].text,
                  covered[_i].selector);
}
END_TEST

static const char *piece_text(const av_piece *piece)
{
    switch (piece->kind) {
    case AV_PIECE_BYTES:
        return apr_pstrcat(pool, "<", av_slice_string(piece->bytes, pool), ">", NULL);
    case AV_PIECE_BODY:
        return "{body}";
    case AV_PIECE_DERIVED:
        break;
    }
    return av_selector_text(piece->selector, pool) + 1;
}

static av_found pieces_of(const char *text, const av_view *view, const char **pieces)
{
    av_template *made = apr_palloc(pool, sizeof(*made));
    const av_piece *at;
    apr_size_t count = 0;

    *made = template_of(text);
    av_found found = av_template_pieces(made, view, &at, &count, pool);
    *pieces = "";
    for (apr_size_t i = 0; found == AV_FOUND && i < count; i++) {
        *pieces = apr_pstrcat(pool, *pieces, piece_text(&at[i]), NULL);
    }
    return found;
}

static const struct {
    const char *text;
    char before, after;
} delimiters[] = {
    { "%{id}.%{body}", 0, '.' },
    { "%{id}.-%{body}", 0, '.' },
    { "%{body}.-%{id}", '-', 0 },
    { "%{timestamp}.%{id}:%{body}", '.', ':' },
    { "v1.%{id}:%{body}", 0, ':' },
    { "%{id}", 0, 0 },
    { "%{id}%{body}", 0, 0 },
    { "%{body}%{id}", 0, 0 },
    { "%{id}.%{body}-%{id}", 0, '.' },
    { "%{header:x-id}.%{body}", 0, '.' },
    { "%{header:X-Other}.%{header:X-Id}:%{body}", '.', ':' },
    { "%{header:X-Other}.%{body}", 0, 0 },
    { "id.%{body}", 0, 0 },
    { "%{id}%%", 0, '%' },
    { "%{body}%{lf}%{id}", '\n', 0 },
};

START_TEST(what_stands_beside_a_value_is_told)
{
    av_template made = template_of(delimiters[_i].text);
    av_selector id = { AV_SELECT_HEADER, AV_SLICE("X-Id") };
    char before = 'x', after = 'x';

    av_template_delimiters(&made, &id, AV_SELECT_ID, &before, &after);
    ck_assert_msg(before == delimiters[_i].before && after == delimiters[_i].after, "%s: found '%c' and '%c'",
                  delimiters[_i].text, before, after);
}
END_TEST

#define REQUEST                    \
    "POST /p?a=1&c=%zz HTTP/1.1\n" \
    "Host: example.org\n"          \
    "X-One: one\n"                 \
    "X-Empty:\n"                   \
    "X-Twice: 1\n"                 \
    "X-Twice: 2\n"                 \
    "\n"

static const struct {
    const char *text;
    av_found found;
    const char *pieces;
} pieces[] = {
    { "%{body}", AV_FOUND, "{body}" },
    { "v0:%{timestamp}:%{body}", AV_FOUND, "<v0:123:>{body}" },
    { "%{id}.%{timestamp}.%{body}", AV_FOUND, "<id-1.123.>{body}" },
    { "%{body}.%{timestamp}", AV_FOUND, "{body}<.123>" },
    { "a%{body}b%{header:X-One}", AV_FOUND, "<a>{body}<bone>" },
    { "%{body}%{body}", AV_FOUND, "{body}{body}" },
    { "%{body-sha256}", AV_FOUND, "{body-sha256}" },
    { "%{method}%{json:/a}%{path}%{form:b}", AV_FOUND, "<POST>{json:/a}</p>{form:b}" },
    { "%{url}%{lf}", AV_FOUND, "<https://example.org/p?a=1&c=%zz\n>" },
    { "%{header:X-Empty}%{body}", AV_FOUND, "<>{body}" },
    { "%{field:t}%{body}", AV_FOUND, "<9>{body}" },
    { "%{header:X-None}%{body}", AV_ABSENT, NULL },
    { "%{body}%{header:X-None}", AV_ABSENT, NULL },
    { "%{header:X-Twice}%{body}", AV_TWICE, NULL },
    { "%{query:a}", AV_FOUND, "<1>" },
    { "%{query:c}", AV_BROKEN, NULL },
    { "%{field:x}%{body}", AV_ABSENT, NULL },
    { "%{field:v}%{body}", AV_BROKEN, NULL },
};

START_TEST(what_is_known_becomes_pieces_and_the_body_stays)
{
    built_request request = request_of(REQUEST);
    av_fields fields;
    av_view view = {
        .request = &request.head, .fields = &fields, .timestamp = AV_SLICE("123"), .id = AV_SLICE("id-1")
    };
    const char *found;

    ck_assert(av_fields_parse(AV_SLICE("t=9,v=1,v=2"), ",", &fields));
    ck_assert_int_eq(pieces_of(pieces[_i].text, &view, &found), pieces[_i].found);
    if (pieces[_i].pieces) {
        ck_assert_str_eq(found, pieces[_i].pieces);
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tests = suite_case(suite, "template");

    tcase_add_loop_test(tests, a_template_is_literals_and_selectors, 0, ROWS(templates));
    tcase_add_loop_test(tests, what_is_no_template_is_refused, 0, ROWS(no_templates));
    tcase_add_test(tests, selectors_of_a_kind_are_counted);
    tcase_add_loop_test(tests, a_template_covers_what_it_holds, 0, ROWS(covered));
    tcase_add_loop_test(tests, what_stands_beside_a_value_is_told, 0, ROWS(delimiters));
    tcase_add_loop_test(tests, what_is_known_becomes_pieces_and_the_body_stays, 0, ROWS(pieces));
    return suite;
}
