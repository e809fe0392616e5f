/* Requests under an aws4 rule: nothing that the signer did not sign is accepted, in a header or in a URL, and what is
 * canonical stays so.
 * Input: a request as request_build takes it. It is well-formed at RECEIVED_SECOND under access-key AKID, in any region,
 * for s3 and iam; no signature of it can be right but with a key of nobody, so that whatever is accepted is a finding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"
#include "schemes/aws4/request.h"
#include "support/request_builder.h"

#include <openssl/rand.h>

#define RULE "aws4 access-key=AKID secret=env:SECRET region=* service=s3,iam unsigned-payload=on "

static const char *const rules[] = { RULE, RULE "path=s3-merge plus=space expires=optional token=unsigned",
                                     RULE "s3=off path=raw content-sha256=optional decoded-length=optional" };

/* A secret that no input can know. */
static void set_secret(void)
{
    static char secret[65];

    for (size_t i = 0; !secret[63] && i < 64; i++) {
        unsigned char byte;
        REQUIRE(RAND_bytes(&byte, 1) == 1);
        secret[i] = (char)('a' + byte % 26);
    }
    setenv("SECRET", secret, 1);
}

static const av_policy *policy_of(const char *line, apr_pool_t *pool)
{
    av_compiler compiler = request_compiler(NULL, pool);
    av_policy *policy = av_policy_create(pool);
    av_rule *rule;

    REQUIRE(request_rule(line, &compiler, &rule) == NULL && av_policy_add(policy, rule, false) == NULL);
    return policy;
}

static bool lies_in(av_slice part, av_slice whole)
{
    return !part.len || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* What is read of a credential is a part of it. */
static void require_parts(const av_aws4_credential *credential)
{
    REQUIRE(lies_in(credential->access_key, credential->text) && lies_in(credential->scope, credential->text));
    REQUIRE(lies_in(credential->date, credential->scope) && lies_in(credential->service, credential->scope));
    REQUIRE(credential->access_key.len + 1 + credential->scope.len == credential->text.len);
    REQUIRE(credential->access_key.len > 0 && credential->access_key.len <= AV_AWS4_LONGEST_ACCESS_KEY);
    REQUIRE(credential->signature.len > 0 && credential->signature.len <= 2 * AV_AWS4_LARGEST_SIGNATURE);
}

/* A canonical path of S3 and a canonical query are their own. */
static void require_canonical(const av_aws4_canonical *canonical, apr_pool_t *pool)
{
    av_slice query = av_aws4_canonical_query(canonical->query, AV_SLICE(""), AV_SLICE(""), pool);
    av_slice path = av_aws4_canonical_path(canonical->path, AV_AWS4_PATH_S3, false, pool);

    REQUIRE(av_slice_equal(query, canonical->query));
    REQUIRE(!path.at || path.len <= canonical->path.len);
    REQUIRE(av_aws4_canonical_write(canonical, 0).len <= canonical->room);
    REQUIRE(av_aws4_canonical_write(canonical, AV_AWS4_ALL_JOINED).len <= canonical->room);
}

static void try_rule(const char *line, built_request *request, apr_pool_t *pool)
{
    const av_policy *policy = policy_of(line, pool);
    av_claim *claim;

    request->step = 0;
    av_reason reason = request_decide(policy, request, pool).reason;
    REQUIRE(reason != AV_ACCEPTED && reason != AV_UNDECIDED && reason != AV_INTERNAL_ERROR);
    request->step = 1;
    REQUIRE(request_decide(policy, request, pool).reason == reason);
    if (av_find(policy, &request->head, &claim, pool) == AV_ACCEPTED) {
        const av_aws4_request *notes = claim->parsed;
        require_parts(&notes->credential);
        require_canonical(&notes->canonical, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fresh_pool();
    av_slice input = tight_copy(data, size);
    built_request request;

    set_secret();
    if (request_build(input, &request, pool)) {
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
            try_rule(rules[i], &request, pool);
        }
    }
    apr_pool_clear(pool); /* what OpenSSL gave is returned now, so that only a leak looks like one */
    free((char *)input.at);
    return 0;
}
