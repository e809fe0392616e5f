/* A text with %{…} in it: what a sender signs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_TEMPLATE_H
#define AV_TEMPLATE_H

#include "selector.h"

typedef struct av_template_part {
    bool is_literal;
    av_slice literal; /* NUL-terminated */
    av_selector selector;
} av_template_part;

typedef struct av_template {
    const av_template_part *parts;
    apr_size_t count;
} av_template;

/* Compiles `text`: literals, selectors, %% for a percent sign, %{lf} for a line feed. Copies into `pool`.
 * Returns NULL or a sentence: empty, a lone %, a brace that is not closed, what av_selector_parse says. */
const char *av_template_parse(const char *text, av_template *made, apr_pool_t *pool);

/* How often a selector of this kind occurs. */
apr_size_t av_template_count(const av_template *made, av_selector_kind kind);

/* Whoever signs the template signs the value too: the same selector is in it, or one that holds it (%{body} holds what
 * %{json:…}, %{form:…} and %{body-sha256} select, %{url} and %{query} hold %{query:…}, and so on). */
bool av_template_covers(const av_template *made, const av_selector *value);

/* The literal bytes right before and right after the value where it first stands, by its own selector or as `alias`. 0
 * where there is none, and for `before` also where only a literal stands before the value. A text cannot be cut in two
 * ways if the value may hold neither. */
void av_template_delimiters(const av_template *made, const av_selector *value, av_selector_kind alias, char *before,
                            char *after);

/* Puts in what is known: adjacent known parts become one piece, %{body} stays a piece of its own, and what the body
 * still hides stays derived. Returns AV_FOUND with *pieces in `pool`, or what av_selector_read said of the part that
 * could not be had. */
av_found av_template_pieces(const av_template *made, const av_view *view, const av_piece **pieces, apr_size_t *count,
                            apr_pool_t *pool);

#endif
