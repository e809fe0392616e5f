/* Tokens that are bound to their holder: the examples of RFC 9449, and cases of certificates. They are data kept beside
 * the source tree, in $AUTHVERIFY_SHARED; where they are not, nothing is tried here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/dpop.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "vectors/jose/"
#define RULE "jwt keys=env:KEYS algorithms=RS256 issuer=https://issuer.example/ audience=https://api.example/hooks"

static const char *shared_path(const char *name)
{
    const char *shared = getenv("AUTHVERIFY_SHARED"), *source = getenv("AUTHVERIFY_SOURCE");

    return shared ? apr_psprintf(pool, "%s/" FOLDER "%s", shared, name)
                  : apr_psprintf(pool, "%s/../shared/" FOLDER "%s", source ? source : ".", name);
}

static apr_status_t release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

/* NULL where there are no vectors at all. */
static json_t *load(const char *name)
{
    if (access(shared_path("README.md"), R_OK) != 0) {
        return NULL;
    }
    json_t *json = json_load_file(shared_path(name), 0, NULL);
    ck_assert_msg(json != NULL, "%s cannot be read", name);
    apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    return json;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static av_slice encoded(const unsigned char digest[AV_SHA256_SIZE])
{
    return av_encode(AV_BASE64URL, (av_slice){ (const char *)digest, AV_SHA256_SIZE }, pool);
}

static const char *request_with(const char *proof)
{
    return apr_pstrcat(pool, "GET /protectedresource HTTP/1.1\nHost: resource.example.org\nDPoP: ", proof, "\n\n",
                       NULL);
}

/* The last of its examples is a proof for a resource, the first one for the token endpoint: without "ath". */
START_TEST(the_examples_of_rfc_9449)
{
    const json_t *all = load("rfc9449-examples.json");
    const json_t *vectors = json_object_get(all, "vectors"), *last = json_array_get(vectors, 2);
    const av_crypto *crypto = av_crypto_create(pool);
    apr_array_header_t *algorithms = NULL;
    av_dpop_proof proof = { .issued = 0 };

    if (!all) {
        return;
    }
    ck_assert_ptr_null(av_jws_algorithms_read("ES256", &algorithms, pool));
    built_request first = request_of(request_with(text_of(json_array_get(vectors, 0), "compact")));
    assert_reason(av_dpop_find(&first.head, algorithms, crypto, &proof, pool), AV_MALFORMED_PROOF, "without ath");

    built_request request = request_of(request_with(text_of(last, "compact")));
    assert_reason(av_dpop_find(&request.head, algorithms, crypto, &proof, pool), AV_ACCEPTED, "form");
    assert_slice(encoded(proof.thumbprint), av_slice_of(text_of(last, "jkt")), "thumbprint");
    assert_slice(encoded(proof.token_digest), av_slice_of(text_of(all, "expected_ath")), "ath");
    av_slice token = av_slice_of(text_of(all, "access_token_for_ath"));
    assert_reason(av_dpop_check_target(&proof, &request.head, token, crypto, pool), AV_ACCEPTED, "target");
    assert_reason(av_dpop_check_time(&proof, apr_time_from_sec(1562262620), apr_time_from_sec(60), 0), AV_ACCEPTED,
                  "time");
    assert_reason(av_dpop_verify(&proof, crypto, pool), AV_ACCEPTED, "signature");
}
END_TEST

static av_slice certificate_digest(const char *pem)
{
    unsigned char *digest = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ck_assert(X509_digest(certificate, EVP_sha256(), digest, &size) == 1);
    X509_free(certificate);
    BIO_free(bio);
    return (av_slice){ (const char *)digest, size };
}

static void try_certificate(const json_t *vector, const char *keys)
{
    bool is_right = strcmp(text_of(vector, "expect"), "accept") == 0;
    built_request request =
        request_of(apr_pstrcat(pool, "GET / HTTP/1.1\nAuthorization: Bearer ", text_of(vector, "token"), "\n\n", NULL));

    setenv("KEYS", keys, 1);
    request.head.received_at =
        apr_time_from_sec(json_integer_value(json_object_get(json_object_get(vector, "policy"), "now")));
    if (*text_of(vector, "client_cert_pem")) {
        request.head.certificate = certificate_digest(text_of(vector, "client_cert_pem"));
    }
    assert_reason(decide(policy_of(RULE), &request).reason, is_right ? AV_ACCEPTED : AV_UNPROVEN_BINDING,
                  text_of(vector, "desc"));
}

START_TEST(the_cases_of_certificates)
{
    const json_t *vector, *cases = json_object_get(load("mtls/mtls.json"), "cases");
    const json_t *sets = json_object_get(load("jwt/keysets.json"), "keysets");
    size_t i;

    json_array_foreach(cases, i, vector)
    {
        char *keys = json_dumps(json_object_get(sets, text_of(json_object_get(vector, "policy"), "keyset")), 0);
        try_certificate(vector, keys);
        free(keys);
    }
    ck_assert(!cases || i > 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("possession");
    TCase *tests = trial_case(suite, "possession");

    tcase_add_test(tests, the_examples_of_rfc_9449);
    tcase_add_test(tests, the_cases_of_certificates);
    return suite;
}
