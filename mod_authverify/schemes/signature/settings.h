/* What the options of a signature rule come to.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SIGNATURE_SETTINGS_H
#define AV_SIGNATURE_SETTINGS_H

#include "../../core/rule.h"
#include "../../core/template.h"
#include "../../core/timestamp.h"

#define AV_MAX_EXPECTATIONS 8

/* expect=%{…}:VALUE */
typedef struct av_expectation {
    av_selector selector;
    av_slice value;
} av_expectation;

/* A value that an option names, if it does. */
typedef struct av_optional_selector {
    bool is_set;
    av_selector selector;
} av_optional_selector;

typedef struct av_signature_settings {
    /* where the signature is and how it is written */
    av_selector signatures[AV_MAX_PLACES];
    apr_size_t signature_count;
    av_optional_selector fields;
    const char *separator; /* between fields; NULL: not written */
    av_slice prefix;       /* empty: none */
    char list;             /* between entries; 0: there is one */
    av_slice version;      /* of the entries to look at; empty: all */
    av_encoding encoding;
    bool has_encoding, has_case, any_case;

    /* what is signed, and with what */
    const av_algorithm *algorithm;
    bool has_text;
    av_template text;
    av_encoding key_encoding;
    bool key_is_pem;
    const char *key_prefix; /* NULL: none */

    /* what is said besides */
    av_optional_selector timestamp;
    bool has_format;
    av_time_format format;
    bool unsigned_timestamp, unsigned_client; /* the administrator knows that it is not signed */
    av_optional_selector id, unsigned_id;
    av_optional_selector client; /* which of many senders it says it is */
    char before_id, after_id;    /* stand beside the id in the signed text, so they cannot be in it; 0: none */
    av_expectation expectations[AV_MAX_EXPECTATIONS];
    apr_size_t expectation_count;
    bool wants_json; /* a value stands inside a JSON body */
} av_signature_settings;

/* The option table; ends with a row whose name is NULL. */
extern const av_option av_signature_options[];

void av_signature_init(void *settings);

/* See av_scheme.finish. */
const char *av_signature_finish(av_rule *rule, const av_compiler *compiler);

#endif
