/* Named sets of options: those of the configuration, and those shipped as files, which are read when first named.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_PRESET_H
#define AV_PRESET_H

#include "words.h"

#include <apr_tables.h>
#include <stdbool.h>

struct av_rule;

typedef struct av_preset {
    const char *name;
    av_words words;     /* the scheme (or another preset), and its options */
    const char *origin; /* "line 3 of /etc/…" */
    bool is_shipped;
    struct av_rule *rule; /* compiled once, where the preset brings its secret; NULL otherwise */
} av_preset;

typedef struct av_presets av_presets;

av_presets *av_presets_create(apr_pool_t *pool);

/* The folder of shipped presets, NAME.conf each; NULL before it is set. Copied. */
void av_presets_set_path(av_presets *presets, const char *path);
const char *av_presets_path(const av_presets *presets);

/* Adds what AuthVerifyPreset says: `words` are NAME SCHEME name=value …; they and `origin` are copied.
 * Returns NULL or a sentence: no scheme, a name that is a scheme's or "off", a name that is not made of a-z, 0-9 and
 * inner hyphens, a second preset of that name in the configuration. */
const char *av_presets_add(av_presets *presets, const av_words *words, const char *origin);

/* The preset of that name: the configuration's, else the shipped one, whose file is read now. Returns NULL with *preset
 * NULL where there is none, or a sentence where its file is there and wrong. */
const char *av_presets_find(av_presets *presets, const char *name, const av_preset **preset);

/* True if the folder has a preset of that name, too. */
bool av_presets_ships(const av_presets *presets, const char *name);

/* The names of all presets, loaded and shipped, in `pool`: for a sentence. */
apr_array_header_t *av_presets_names(const av_presets *presets, apr_pool_t *pool);

/* The configuration's presets in order, for who wants to compile those that bring a secret: index from 0, NULL at the
 * end. */
av_preset *av_presets_at(const av_presets *presets, int index);

#endif
