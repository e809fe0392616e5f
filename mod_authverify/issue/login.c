/* Decides on token pairs for users.
 * SPDX-License-Identifier: Apache-2.0 */
#include "login.h"
#include "../core/secret.h"
#include "../core/timestamp.h"
#include "json_writer.h"
#include "pair.h"

#include <apr_strings.h>
#include <openssl/crypto.h>

static av_reason prove_application(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                                   av_claim *claim, const char **label, apr_pool_t *pool)
{
    av_proof *proof = apr_pmemdup(pool, &(av_proof){ asked->application }, sizeof(*proof));
    *claim = (av_claim){ .rule = issuer->login, .now = request->received_at, .proofs = proof, .proof_count = 1 };
    av_reason reason = av_clients_identify(claim, pool);
    return reason == AV_ACCEPTED ? av_client_prove(claim, NULL, label, pool) : reason;
}

/* No pair outlives its application. */
static apr_time_t end_of(const av_issuer *issuer, const av_client_record *application, apr_time_t now)
{
    apr_time_t end = now + apr_time_from_sec(issuer->user_lifetime);
    end = application->expires && application->expires < end ? application->expires : end;
    return apr_time_from_sec(apr_time_sec(end));
}

/* It is for no more than its application is. */
static av_reason make_pair(av_login *login, const av_issuer *issuer, const av_token_request *asked,
                           const av_client_record *application, apr_time_t now, apr_pool_t *pool)
{
    av_issued_pair *pair = &login->pair;
    *pair = (av_issued_pair){ .token = av_pair_token(pool),
                              .secret = av_pair_secret(pool),
                              .application = asked->application,
                              .user = av_slice_of(login->verdict.client),
                              .org = application->org,
                              .environment = application->environment,
                              .expires = end_of(issuer, application, now) };
    (void)av_grant_scopes(issuer, application, (av_slice){ "", 0 }, &pair->scopes, pool);
    return pair->token.len && pair->secret.len ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

av_login av_login_decide(const av_issuer *issuer, const av_token_request *asked, const av_request *request,
                         apr_pool_t *pool)
{
    av_claim claim;
    const char *name = NULL, *label = NULL;
    av_login login = { .verdict = { .rule = issuer->login, .claimed = asked->client_id } };
    av_verdict *verdict = &login.verdict;
    av_reason known = prove_application(issuer, asked, request, &claim, &label, pool);
    av_reason right =
        issuer->users->check(issuer->users, request->server, asked->client_id, asked->client_secret, &name, pool);
    verdict->reason = known == AV_ACCEPTED ? right : known;
    if (verdict->reason != AV_ACCEPTED) {
        return login;
    }
    verdict->proven = claim.record->id;
    verdict->reason = av_client_check(claim.record, issuer->login, request);
    if (verdict->reason == AV_ACCEPTED) {
        verdict->proven = name;
        verdict->client = name;
        verdict->label = label;
        verdict->record = claim.record;
        verdict->reason = make_pair(&login, issuer, asked, claim.record, request->received_at, pool);
    }
    if (verdict->reason != AV_ACCEPTED) {
        verdict->client = verdict->label = NULL;
        verdict->record = NULL;
    }
    return login;
}

/* As Sirportly's answer has it, without the secret, which would come last. */
static av_slice write_public(const av_issued_pair *pair, apr_pool_t *pool)
{
    json_t *answer = json_object(), *users = json_array(), *user = json_object(), *token = json_object();
    bool done = av_json_set_text(answer, "status", AV_SLICE("Authenticated")) &&
                av_json_set_text(user, "username", pair->user) &&
                av_json_set_text(token, "expires_at", av_slice_of(av_timestamp_text(pair->expires, pool))) &&
                av_json_set_text(token, "token", pair->token);
    done = json_object_set_new(user, "api_token", token) == 0 && done;
    done = json_array_append_new(users, user) == 0 && done;
    done = json_object_set_new(answer, "users", users) == 0 && done;
    av_slice text = av_json_write(answer, false, pool);
    return done ? text : (av_slice){ "", 0 };
}

/* The library would leave a copy of the secret behind. */
av_slice av_login_answer(const av_login *login, apr_pool_t *pool)
{
    static const char end[] = "\"}}]}";
    av_slice text = write_public(&login->pair, pool), secret = login->pair.secret;
    if (text.len < sizeof(end) || !secret.len) {
        return (av_slice){ "", 0 };
    }
    text.len -= strlen("}}]}");
    av_slice whole =
        av_slice_of(apr_pstrcat(pool, av_slice_string(text, pool), ",\"secret\":\"", secret.at, end, NULL));
    av_slice kept = av_secret_keep(whole, pool);
    OPENSSL_cleanse((char *)whole.at, whole.len);
    return kept;
}
