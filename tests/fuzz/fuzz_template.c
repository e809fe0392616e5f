/* Templates: what parses, parses again to the same parts; the pieces hold each known part once and in order.
 * Input: the template.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/template.h"
#include "fuzz.h"

#include <apr_strings.h>

/* The template as an administrator would write it. */
static const char *write_again(const av_template *made, apr_pool_t *pool)
{
    const char *text = "";

    for (apr_size_t i = 0; i < made->count; i++) {
        const av_template_part *part = &made->parts[i];
        if (!part->is_literal) {
            text = apr_pstrcat(pool, text, av_selector_text(&part->selector, pool), NULL);
            continue;
        }
        REQUIRE(part->literal.len > 0 && part->literal.len == strlen(part->literal.at));
        for (const char *at = part->literal.at; *at; at++) {
            const char byte[2] = { *at, '\0' };
            text = apr_pstrcat(pool, text, *at == '%' ? "%%" : *at == '\n' ? "%{lf}" : byte, NULL);
        }
    }
    return text;
}

static void require_same_again(const av_template *made, apr_pool_t *pool)
{
    av_template again;

    REQUIRE(av_template_parse(write_again(made, pool), &again, pool) == NULL);
    REQUIRE(again.count == made->count);
    for (apr_size_t i = 0; i < made->count; i++) {
        const av_template_part *a = &made->parts[i], *b = &again.parts[i];
        REQUIRE(a->is_literal == b->is_literal);
        REQUIRE(a->is_literal ? av_slice_equal(a->literal, b->literal) : av_selector_equal(&a->selector, &b->selector));
        REQUIRE(i == 0 || !a->is_literal || !made->parts[i - 1].is_literal);
        REQUIRE(a->is_literal || av_template_covers(made, &a->selector));
        REQUIRE(a->is_literal || av_template_count(made, a->selector.kind) > 0);
    }
}

/* Every selector of the head but a header's gives one byte. */
static void require_all_pieces(const av_template *made, apr_pool_t *pool)
{
    av_request request = {
        .method = AV_SLICE("M"), .target = AV_SLICE("T"), .path = AV_SLICE("P"), .query = AV_SLICE("Q")
    };
    av_view view = { .request = &request, .timestamp = AV_SLICE("1"), .id = AV_SLICE("I") };
    const av_piece *pieces;
    apr_size_t count = 0, known = 0, wanted = 0, derived = 0;

    request.origin = AV_SLICE("");
    if (av_template_pieces(made, &view, &pieces, &count, pool) != AV_FOUND) {
        return;
    }
    for (apr_size_t i = 0; i < made->count; i++) {
        const av_template_part *part = &made->parts[i];
        bool is_inside = !part->is_literal && av_selector_is_in_body(&part->selector);
        derived += is_inside;
        wanted += part->is_literal ? part->literal.len : !is_inside;
    }
    for (apr_size_t i = 0; i < count; i++) {
        bool is_known = pieces[i].kind == AV_PIECE_BYTES;
        REQUIRE(i == 0 || !is_known || pieces[i - 1].kind != AV_PIECE_BYTES);
        known += is_known ? pieces[i].bytes.len : 0;
        derived -= !is_known;
    }
    REQUIRE(known == wanted && derived == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    char *text = malloc(size + 1);
    av_template made;

    REQUIRE(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *sentence = av_template_parse(text, &made, pool);
    REQUIRE(!sentence || *sentence);
    if (!sentence) {
        require_same_again(&made, pool);
        require_all_pieces(&made, pool);
    }
    free(text);
    return 0;
}
