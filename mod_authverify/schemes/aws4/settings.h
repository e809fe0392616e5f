/* What the options of an aws4 rule come to.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_SETTINGS_H
#define AV_AWS4_SETTINGS_H

#include "../../core/rule.h"

/* How the path of the request stands in the canonical request. */
typedef enum av_aws4_path {
    AV_AWS4_PATH_IMPLIED,   /* S3 for S3, NORMALIZE for everything else */
    AV_AWS4_PATH_NORMALIZE, /* without empty and dot segments, and encoded once more */
    AV_AWS4_PATH_RAW,       /* as it was sent; what may not stand in a path is encoded */
    AV_AWS4_PATH_S3,        /* each segment decoded and encoded again */
    AV_AWS4_PATH_S3_MERGE   /* the same, and an encoded slash is a slash */
} av_aws4_path;

typedef enum av_aws4_s3 { AV_AWS4_S3_BY_SERVICE, AV_AWS4_S3_ON, AV_AWS4_S3_OFF } av_aws4_s3;

typedef struct av_aws4_settings {
    av_slice access_key;    /* of the rule's one sender; empty where it has clients */
    av_slice session_token; /* exactly this one is required; empty: there must be none */
    const av_source *session_token_source;
    av_slice regions;  /* a comma list; "*": any */
    av_slice services; /* a comma list */
    av_aws4_s3 s3;
    av_aws4_path path;
    av_slice unsigned_headers;    /* x-amz-… that need not be signed: a comma list in lower case */
    bool allows_unsigned_payload; /* unsigned-payload=on */
    bool needs_no_content_sha256; /* content-sha256=optional */
    bool needs_no_expires;        /* expires=optional */
    bool needs_no_decoded_length; /* decoded-length=optional */
    bool plus_is_space;           /* plus=space: in a path */
    bool allows_unsigned_token;   /* token=unsigned */
} av_aws4_settings;

/* The scheme's option table, and its init and finish; see av_scheme. */
extern const av_option av_aws4_options[];
void av_aws4_init(void *settings);
const char *av_aws4_finish(av_rule *rule, const av_compiler *compiler);

/* The S3 rules hold for a request that was signed for this service. */
bool av_aws4_is_s3(const av_aws4_settings *settings, av_slice service);

/* How the path of such a request stands in the canonical request: path=, or what S3's rules imply. */
av_aws4_path av_aws4_path_form(const av_aws4_settings *settings, av_slice service);

#endif
