/* Rules without a server: compiled as httpd compiles them, with or without their secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_RULE_SHAPE_H
#define AVT_RULE_SHAPE_H

#include "../core/preset.h"
#include "../core/rule.h"

/* What compiling needs. Presets are looked up in `path`, or where they are installed if it is NULL; secrets may be read
 * as who runs this may. NULL: the library lacks an algorithm. */
av_compiler *avt_compiler_create(const char *path, apr_pool_t *pool);

/* Compiles the rule as far as it goes without a secret: where the credential stands, what is signed. `words` name none.
 * Returns NULL with *rule set, or a sentence. */
const char *avt_rule_shape(const av_words *words, const av_compiler *compiler, av_rule **rule);

#endif
