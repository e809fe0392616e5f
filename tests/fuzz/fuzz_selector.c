/* Selectors: what parses, its own text parses to again; what is read comes out of the request.
 * Input: what stands between the braces, a line end, and then what serves as query, header, fields and body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/selector.h"
#include "fuzz.h"

static void require_same_again(const av_selector *selector, apr_pool_t *pool)
{
    const char *text = av_selector_text(selector, pool);
    av_slice inside = { text + 2, strlen(text) - 3 };
    av_selector again;

    REQUIRE(av_selector_parse(inside, &again, pool) == NULL);
    REQUIRE(av_selector_equal(selector, &again));
    REQUIRE(av_selector_parse_only(text, 1u << selector->kind, &again, pool) == NULL);
    REQUIRE(av_selector_equal(selector, &again));
    REQUIRE(av_selector_parse_only(text, ~(1u << selector->kind), &again, pool) != NULL);
}

static av_found read_value(const av_selector *selector, const av_view *view, av_slice text, apr_pool_t *pool)
{
    av_slice value = { NULL, 1 };
    av_found found = av_selector_read(selector, view, &value, pool);

    REQUIRE(value.len == 0 || value.at != NULL);
    REQUIRE(value.len <= text.len + 64);
    if (selector->kind == AV_SELECT_PARAMETER || selector->kind == AV_SELECT_FORM) {
        REQUIRE(found != AV_FOUND || !av_slice_contains(value, '\0') || av_slice_contains(text, '\0'));
    }
    return found;
}

static void read_from(const av_selector *selector, av_slice text, apr_pool_t *pool)
{
    av_fields fields;
    const av_header header = { selector->name, text };
    const av_request request = { .query = text, .headers = &header, .header_count = 1 };
    av_view view = { .request = &request };
    av_selector form = *selector;

    view.fields = av_fields_parse(text, ",", &fields) ? &fields : NULL;
    REQUIRE(!av_selector_is_in_body(selector) || read_value(selector, &view, text, pool) == AV_ABSENT);
    view.body = &text;
    view.json = av_json_load(text, pool);
    av_found found = read_value(selector, &view, text, pool);
    REQUIRE(selector->kind != AV_SELECT_HEADER || found == AV_FOUND);
    if (selector->kind == AV_SELECT_PARAMETER) {
        form.kind = AV_SELECT_FORM;
        REQUIRE(read_value(&form, &view, text, pool) == found);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice input = tight_copy(data, size), rest = input, text;
    av_selector selector;

    av_slice_split(&rest, '\n', &text);
    const char *sentence = av_selector_parse(text, &selector, pool);
    REQUIRE(!sentence || *sentence);
    if (!sentence) {
        REQUIRE(selector.name.len == strlen(selector.name.at));
        require_same_again(&selector, pool);
        read_from(&selector, rest.at ? rest : AV_SLICE(""), pool);
    }
    free((char *)input.at);
    return 0;
}
