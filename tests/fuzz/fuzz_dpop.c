/* Proofs of possession that are signed as they should be: what is read of one is bounded, a right one is by the key in it,
 * which is public, and it is for one URL.
 * Input: the header, in which $ stands for the key, a line end, and the claims; both are signed with that key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/dpop.h"
#include "core/jwk.h"
#include "core/token.h"
#include "core/url.h"
#include "fuzz.h"
#include "support/jose_builder.h"
#include "support/request_builder.h"

#include <apr_strings.h>
#include <jansson.h>

#define ALGORITHM "EdDSA"
#define WORDS "EdDSA,ES256,RS256"

static const char *with_key(av_slice text, apr_pool_t *pool)
{
    const char *made = "";
    av_slice part;
    for (bool is_first = true; av_slice_split(&text, '$', &part); is_first = false) {
        made = apr_pstrcat(pool, made, is_first ? "" : jose_jwk(ALGORITHM, "", pool).at, av_slice_string(part, pool),
                           NULL);
    }
    return made;
}

static void require_ours(const av_dpop_proof *proof, const av_crypto *crypto, apr_pool_t *pool)
{
    unsigned char thumbprint[AV_SHA256_SIZE];
    json_t *ours = json_loads(jose_jwk(ALGORITHM, "", pool).at, 0, NULL);

    REQUIRE(av_jwk_thumbprint(ours, crypto, thumbprint, pool));
    REQUIRE(memcmp(thumbprint, proof->thumbprint, sizeof(thumbprint)) == 0);
    REQUIRE(!json_object_get(proof->jwk, "d") && !json_object_get(proof->jwk, "k"));
    json_decref(ours);
}

static void require_bounded(const av_dpop_proof *proof, const av_request *request, const av_crypto *crypto,
                            apr_pool_t *pool)
{
    av_slice url, again;
    av_once once;

    REQUIRE(proof->id.len > 0 && proof->id.len <= 256 && av_text_is_plain(proof->id));
    REQUIRE(proof->method.len > 0 && proof->url.len > 0 && proof->issued >= 0);
    REQUIRE(av_dpop_once(proof, apr_time_from_sec(60), crypto, &once) && once.until > apr_time_from_sec(proof->issued));
    if (av_url_normalise(proof->url, &url, pool)) {
        REQUIRE(av_url_normalise(url, &again, pool) && av_slice_equal(url, again));
        REQUIRE(!av_slice_contains(url, '?') && !av_slice_contains(url, '#') && url.len <= proof->url.len + 1);
    }
    if (av_dpop_check_target(proof, request, AV_SLICE("token"), crypto, pool) != AV_WRONG_PROOF_TARGET) {
        REQUIRE(av_slice_equal(url, AV_SLICE("https://api.example/x")));
    }
    av_reason reason = av_dpop_verify(proof, crypto, pool);
    REQUIRE(reason == AV_ACCEPTED || reason == AV_WRONG_PROOF || reason == AV_MALFORMED_PROOF);
    if (reason == AV_ACCEPTED) {
        require_ours(proof, crypto, pool);
    }
}

static void try_proof(const char *header, const char *claims, apr_pool_t *pool)
{
    built_request request;
    av_dpop_proof proof = { .issued = 0 };
    apr_array_header_t *algorithms = NULL;
    const av_crypto *crypto = av_crypto_create(pool);
    const char *text =
        apr_pstrcat(pool, "GET /x HTTP/1.1\nHost: api.example\nDPoP: ", jose_token(ALGORITHM, header, claims, pool).at,
                    "\n\n", NULL);

    REQUIRE(request_build(av_slice_of(text), &request, pool));
    REQUIRE(!av_jws_algorithms_read(WORDS, &algorithms, pool));
    av_reason reason = av_dpop_find(&request.head, algorithms, crypto, &proof, pool);
    REQUIRE(reason == AV_ACCEPTED || reason == AV_MALFORMED_PROOF);
    if (reason == AV_ACCEPTED) {
        require_bounded(&proof, &request.head, crypto, pool);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool has_keys;
    apr_pool_t *pool = fresh_pool();
    av_slice rest = { (const char *)data, size }, header;

    if (!has_keys) {
        jose_create_keys();
        has_keys = true;
    }
    if (size && av_slice_split(&rest, '\n', &header) && rest.at) {
        try_proof(with_key(header, pool), av_slice_string(rest, pool), pool);
    }
    apr_pool_clear(pool); /* what the libraries gave is returned now, so that only a leak looks like one */
    return 0;
}
