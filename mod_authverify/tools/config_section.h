/* What is in force for a path of an httpd configuration, without a server that reads it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_CONFIG_SECTION_H
#define AVT_CONFIG_SECTION_H

#include "../core/preset.h"
#include "../core/slice.h"

/* Where to look. */
typedef struct avt_config_query {
    const char *file;
    const char *root;                  /* until the file says a ServerRoot; NULL: the file's folder */
    const apr_array_header_t *defines; /* of const char *, as httpd's -D; NULL: none */
    const char *virtual_host;          /* as written behind <VirtualHost, or "none"; NULL: by `host` */
    av_slice host;                     /* the request's, without a port */
    const char *path;                  /* decoded, without dot segments */
} avt_config_query;

typedef struct avt_section {
    apr_array_header_t *rules;      /* of const char *: what follows AuthVerify, in order */
    apr_array_header_t *also;       /* the same of AuthVerifyAlso */
    apr_array_header_t *notes;      /* of const char *: sentences on what was taken, and what was not looked at */
    const char *preset_path, *root; /* the folder of presets (NULL: not said), and what relative paths start from */
    const char *origin;             /* AuthVerifyExternalURL; NULL: not said, or as-registered */
    const char *mode;               /* AuthVerifyMode; NULL: not said */
    bool host_is_ours;              /* the host is one that the server calls itself, or none is known */
    bool strict_path, preflight;
} avt_section;

/* Finds what httpd would have in force: the server's and the virtual host's own lines, and of each <Location> that the
 * path is in, the later one before the earlier one. The AuthVerifyPreset lines are added to `presets`.
 * Returns NULL or a sentence with the remedy: unreadable, several virtual hosts that may answer, no rule, AuthVerify
 * off, or rules that hang on what only httpd knows: in <Directory>, <Files>, <Proxy> and <If>, where a regular expression
 * must match, under an <IfModule> that is in doubt. */
const char *avt_section_read(const avt_config_query *query, av_presets *presets, avt_section *section,
                             apr_pool_t *pool);

#endif
