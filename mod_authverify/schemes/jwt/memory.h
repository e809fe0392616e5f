/* What is remembered of a proven token, so that its next request costs no signature and no JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_JWT_MEMORY_H
#define AV_JWT_MEMORY_H

#include "../../core/token.h"
#include "facts.h"

/* Packs what a token says into notes. Returns how long they are; 0: there is not that much room. */
apr_size_t av_jwt_memory_pack(const av_jwt_facts *facts, const char *label, char *notes, apr_size_t room);

/* The reverse. Texts live in `pool`. Returns how much of the notes that was; 0: they are none. */
apr_size_t av_jwt_memory_unpack(av_slice notes, av_jwt_facts *facts, const char **label, apr_pool_t *pool);

/* The name of a token under a rule and the keys of that mark. False: the library failed, or the rule has no memory. */
bool av_jwt_memory_name(const av_rule *rule, av_slice token, uint64_t mark, av_token_name *name);

/* Fills facts and label of a token that the rule has taken before; texts live in `pool`. False: it has not. All that
 * does not change with time was checked then, and the name holds for this rule's settings alone. */
bool av_jwt_memory_recall(const av_rule *rule, const av_token_name *name, apr_time_t now, av_jwt_facts *facts,
                          const char **label, apr_pool_t *pool);

/* Remembers an accepted token until it ends. One that never ends, or says much, is not remembered. */
void av_jwt_memory_keep(const av_rule *rule, const av_token_name *name, const av_jwt_facts *facts, const char *label);

#endif
