/* The value of AuthVerifyHeader: a text with %{client}, %{claim:NAME} and the like in it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVH_HEADER_VALUE_H
#define AVH_HEADER_VALUE_H

#include "private.h"

#include "../core/authverify.h"

typedef struct avh_value avh_value;

/* Compiles the text; %% is a percent sign. Returns NULL with *value set in `pool`, or a sentence. */
const char *avh_value_parse(const char *text, const avh_value **value, apr_pool_t *pool);

/* The text for an accepted request, in `pool`. NULL where a claim in it cannot be handed on (av_token_claim). */
const char *avh_value_of(const avh_value *value, const av_verdict *verdict, apr_pool_t *pool);

#endif
