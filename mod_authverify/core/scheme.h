/* One way to present and prove a credential. A scheme is one constant at the end of its file and one line in
 * scheme_list.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SCHEME_H
#define AV_SCHEME_H

#include "authverify.h"
#include "client.h"
#include "options.h"

typedef struct av_scheme {
    const char *name;
    const char *challenge;    /* its registered name for WWW-Authenticate (RFC 9110 section 11.6.1); NULL: AuthVerify */
    const av_option *options; /* besides those that every rule has; ends with a row whose name is NULL */
    apr_size_t settings_size;
    bool takes_jws;             /* its credential is a JSON Web Signature (jws.h), and in Authorization nothing else */
    av_secret_kind secret_kind; /* how its clients' secrets are kept: what an unknown client's dummy must cost */

    /* Fresh settings: defaults into zeroed memory of settings_size. */
    void (*init)(void *settings);

    /* All options are set: checks them together, says where the credential is (rule->places), loads the keys. Returns
     * NULL or a sentence with the remedy. */
    const char *(*finish)(av_rule *rule, const av_compiler *compiler);

    /* The rule sees its credential: parses it into `claim`, whose rule is set. Sees no secret.
     * Returns AV_ACCEPTED where it is well-formed, else the reason. */
    av_reason (*find)(const av_request *request, av_claim *claim, apr_pool_t *pool);

    /* Optional. Before the body, once the client is known: opens what the body is to be fed to (av_reading_read), and
     * may already tell a wrong proof. Returns AV_ACCEPTED or the reason. Without it lanes are opened for the claim's
     * pieces. */
    av_reason (*open)(av_claim *claim, av_reading *reading, apr_pool_t *pool);

    /* Is the claim proven by one of its client's secrets? Sets *label to that one's and returns AV_ACCEPTED, else the
     * reason. */
    av_reason (*prove)(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool);

    /* Optional. After the proof: reads what may be believed only now, inside the body or a token, into `claim`, and
     * checks what the rule expects there. */
    av_reason (*inspect)(const av_request *request, const av_reading *reading, av_claim *claim, apr_pool_t *pool);
} av_scheme;

/* What the token endpoint (issue/issuer.h), and what it does for users, is called where a client's schemes= says by which ways it may come. */
#define AV_CLIENT_CREDENTIALS "client-credentials"
#define AV_USER_CREDENTIALS "user-credentials"

/* The scheme of that name, NULL where there is none. */
const av_scheme *av_scheme_find(av_slice name);

/* All names, as an array of const char * and separated by ", ", for a sentence. */
apr_array_header_t *av_scheme_list(apr_pool_t *pool);
const char *av_scheme_names(apr_pool_t *pool);

#endif
