/* The schemes there are.
 * SPDX-License-Identifier: Apache-2.0 */
#include "scheme.h"

#include <apr_strings.h>

extern const av_scheme av_scheme_api_key;
extern const av_scheme av_scheme_aws4;
extern const av_scheme av_scheme_basic;
extern const av_scheme av_scheme_bearer;
extern const av_scheme av_scheme_introspection;
extern const av_scheme av_scheme_jwt;
extern const av_scheme av_scheme_none;
extern const av_scheme av_scheme_signature;
extern const av_scheme av_scheme_token_pair;

static const av_scheme *const schemes[] = {
    &av_scheme_token_pair, &av_scheme_basic, &av_scheme_bearer,        &av_scheme_api_key, &av_scheme_signature,
    &av_scheme_aws4,       &av_scheme_jwt,   &av_scheme_introspection, &av_scheme_none,
};

#define SCHEME_COUNT (sizeof(schemes) / sizeof(schemes[0]))

const av_scheme *av_scheme_find(av_slice name)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        if (av_slice_equal(name, av_slice_of(schemes[i]->name))) {
            return schemes[i];
        }
    }
    return NULL;
}

apr_array_header_t *av_scheme_list(apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, (int)SCHEME_COUNT, sizeof(const char *));
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        *(const char **)apr_array_push(names) = schemes[i]->name;
    }
    return names;
}

const char *av_scheme_names(apr_pool_t *pool)
{
    const char *names = schemes[0]->name;
    for (size_t i = 1; i < SCHEME_COUNT; i++) {
        names = apr_pstrcat(pool, names, ", ", schemes[i]->name, NULL);
    }
    return names;
}
