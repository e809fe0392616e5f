/* The rules of one <Location> of an httpd configuration file, without a server that reads it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CONFIG_SECTION_H
#define AVT_CONFIG_SECTION_H

#include "../core/preset.h"

typedef struct avt_section {
    apr_array_header_t *rules;                      /* of const char *: what follows AuthVerify, in order */
    apr_array_header_t *also;                       /* the same of AuthVerifyAlso */
    const char *preset_path, *server_root, *origin; /* as the file says; NULL: not said */
} avt_section;

/* Reads the file's one <Location> that is written with this path, and what stands outside of it for the whole server.
 * The AuthVerifyPreset lines are added to `presets`. <IfModule> and <IfDefine> are taken for true; Include is not
 * followed, and no other section is merged. Returns NULL or a sentence: unreadable, no such section, two of them, no
 * rule in it, AuthVerify off. */
const char *avt_section_read(const char *path, const char *location, av_presets *presets, avt_section *section,
                             apr_pool_t *pool);

#endif
