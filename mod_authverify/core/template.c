/* A text with %{…} in it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <apr_strings.h>
#include <apr_tables.h>

/* One literal byte goes to the literal that is being made, or starts one. */
static void add_byte(apr_array_header_t *parts, char byte, apr_pool_t *pool)
{
    av_template_part *last = parts->nelts ? &APR_ARRAY_IDX(parts, parts->nelts - 1, av_template_part) : NULL;
    if (!last || !last->is_literal) {
        last = apr_array_push(parts);
        *last = (av_template_part){ .is_literal = true, .literal = { "", 0 } };
    }
    last->literal = (av_slice){ apr_psprintf(pool, "%s%c", last->literal.at, byte), last->literal.len + 1 };
}

/* What stands between the braces that open at `text`. Returns NULL and moves *rest behind the closing one, or a
 * sentence. */
static const char *add_selector(apr_array_header_t *parts, const char *text, const char **rest, apr_pool_t *pool)
{
    const char *end = strchr(text, '}');
    if (!end) {
        return "a \"%{\" is not closed by \"}\"";
    }
    av_slice inside = { text + 2, (apr_size_t)(end - text - 2) };
    *rest = end + 1;
    if (av_slice_equal(inside, AV_SLICE("lf"))) {
        add_byte(parts, '\n', pool);
        return NULL;
    }
    av_template_part *part = apr_array_push(parts);
    *part = (av_template_part){ .is_literal = false };
    return av_selector_parse(inside, &part->selector, pool);
}

const char *av_template_parse(const char *text, av_template *made, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 8, sizeof(av_template_part));
    while (*text) {
        const char *error = NULL;
        if (text[0] == '%' && text[1] == '{') {
            error = add_selector(parts, text, &text, pool);
        } else if (text[0] == '%' && text[1] != '%') {
            error = "a \"%\" stands alone; write %% for a percent sign, or %{...}";
        } else {
            add_byte(parts, *text, pool);
            text += text[0] == '%' ? 2 : 1;
        }
        if (error) {
            return error;
        }
    }
    *made = (av_template){ (const av_template_part *)parts->elts, (apr_size_t)parts->nelts };
    return parts->nelts ? NULL : "the template is empty";
}

apr_size_t av_template_count(const av_template *made, av_selector_kind kind)
{
    apr_size_t count = 0;
    for (apr_size_t i = 0; i < made->count; i++) {
        count += !made->parts[i].is_literal && made->parts[i].selector.kind == kind;
    }
    return count;
}

/* The kinds that hold all that a selector of `kind` could select. */
static unsigned holders_of(av_selector_kind kind)
{
    switch (kind) {
    case AV_SELECT_BODY:
        return AV_SELECTS(BODY_SHA256);
    case AV_SELECT_BODY_SHA256:
    case AV_SELECT_FORM:
    case AV_SELECT_JSON:
        return AV_SELECTS(BODY) | AV_SELECTS(BODY_SHA256);
    case AV_SELECT_PARAMETER:
        return AV_SELECTS(QUERY) | AV_SELECTS(TARGET) | AV_SELECTS(URL);
    case AV_SELECT_PATH:
    case AV_SELECT_QUERY:
        return AV_SELECTS(TARGET) | AV_SELECTS(URL);
    case AV_SELECT_TARGET:
        return AV_SELECTS(URL);
    default:
        return 0;
    }
}

bool av_template_covers(const av_template *made, const av_selector *value)
{
    unsigned holders = holders_of(value->kind);
    for (apr_size_t i = 0; i < made->count; i++) {
        const av_selector *selector = &made->parts[i].selector;
        if (!made->parts[i].is_literal && ((holders & (1u << selector->kind)) || av_selector_equal(selector, value))) {
            return true;
        }
    }
    return false;
}

static bool is_value(const av_template_part *part, const av_selector *value, av_selector_kind alias)
{
    return !part->is_literal && (part->selector.kind == alias || av_selector_equal(&part->selector, value));
}

void av_template_delimiters(const av_template *made, const av_selector *value, av_selector_kind alias, char *before,
                            char *after)
{
    apr_size_t i = 0;
    *before = *after = '\0';
    while (i < made->count && !is_value(&made->parts[i], value, alias)) {
        i++;
    }
    if (i >= 2 && i < made->count && made->parts[i - 1].is_literal) {
        av_slice literal = made->parts[i - 1].literal;
        *before = literal.at[literal.len - 1];
    }
    if (i + 1 < made->count && made->parts[i + 1].is_literal) {
        *after = made->parts[i + 1].literal.at[0];
    }
}

/* A known value goes to the piece before it where that is known, too. */
static void add_known(av_piece *pieces, apr_size_t *count, av_slice value, apr_pool_t *pool)
{
    av_piece *last = *count ? &pieces[*count - 1] : NULL;
    if (!last || last->kind != AV_PIECE_BYTES) {
        pieces[(*count)++] = (av_piece){ .kind = AV_PIECE_BYTES, .bytes = value };
        return;
    }
    last->bytes = av_slice_join(last->bytes, value, pool);
}

av_found av_template_pieces(const av_template *made, const av_view *view, const av_piece **pieces, apr_size_t *count,
                            apr_pool_t *pool)
{
    av_piece *list = apr_palloc(pool, made->count * sizeof(*list));
    *count = 0;
    for (apr_size_t i = 0; i < made->count; i++) {
        const av_template_part *part = &made->parts[i];
        av_slice value = part->literal;
        if (!part->is_literal && av_selector_is_in_body(&part->selector)) {
            bool whole = part->selector.kind == AV_SELECT_BODY;
            list[(*count)++] =
                (av_piece){ .kind = whole ? AV_PIECE_BODY : AV_PIECE_DERIVED, .selector = &part->selector };
            continue;
        }
        av_found found = part->is_literal ? AV_FOUND : av_selector_read(&part->selector, view, &value, pool);
        if (found != AV_FOUND) {
            return found;
        }
        add_known(list, count, value, pool);
    }
    *pieces = list;
    return AV_FOUND;
}
