/* Proofs of possession: what is one, what it is for, and who has signed it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/dpop.h"
#include "support/jose_builder.h"
#include "support/trial.h"

#include <apr_strings.h>

#define TOKEN "a.token"
#define ATH "rppX1zK6Y9CD4aMJMssbvrPSvY8XTG54RBMCQtd4elY"
#define URL "https://api.example/orders"

static const av_crypto *crypto;

static apr_array_header_t *algorithms(void)
{
    apr_array_header_t *list = NULL;

    ck_assert_ptr_null(av_jws_algorithms_read("ES256,EdDSA,RS256,PS256", &list, pool));
    return list;
}

static const char *hash_of(const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ck_assert(av_digest(crypto->sha256, av_slice_of(text), digest, &size));
    return av_encode(AV_BASE64URL, (av_slice){ (char *)digest, size }, pool).at;
}

/* The header of a proof that is right; `more` begins with a comma or is empty. */
static const char *header_of(const char *algorithm, const char *more)
{
    return apr_psprintf(pool, "{\"typ\":\"dpop+jwt\",\"alg\":\"%s\",\"jwk\":%s%s}", algorithm,
                        jose_jwk(algorithm, "", pool).at, more);
}

static const char *claims_of(const char *url, const char *more)
{
    return apr_psprintf(pool, "{\"jti\":\"an-id\",\"htm\":\"GET\",\"htu\":\"%s\",\"iat\":%d,\"ath\":\"%s\"%s}", url,
                        RECEIVED_SECOND, hash_of(TOKEN), more);
}

static built_request request_with(const char *proof)
{
    return request_of(apr_pstrcat(pool, "GET /orders?a=1 HTTP/1.1\nHost: api.example\nDPoP: ", proof, "\n\n", NULL));
}

static av_reason find(const char *proof, av_dpop_proof *found)
{
    built_request request = request_with(proof);

    *found = (av_dpop_proof){ .issued = 0 };
    return av_dpop_find(&request.head, algorithms(), crypto, found, pool);
}

static void prepare(void)
{
    crypto = av_crypto_create(pool);
}

static const char *const all[] = { "ES256", "EdDSA", "RS256", "PS256" };

START_TEST(a_proof_is_read_and_verified)
{
    av_dpop_proof proof;
    av_slice text = jose_token(all[_i], header_of(all[_i], ""), claims_of(URL, ",\"nonce\":\"n\""), pool);

    assert_reason(find(text.at, &proof), AV_ACCEPTED, all[_i]);
    assert_slice(proof.id, AV_SLICE("an-id"), "jti");
    assert_slice(proof.nonce, AV_SLICE("n"), "nonce");
    ck_assert_int_eq(proof.issued, RECEIVED_SECOND);
    assert_reason(av_dpop_verify(&proof, crypto, pool), AV_ACCEPTED, all[_i]);
}
END_TEST

START_TEST(a_proof_is_signed_by_the_key_in_it)
{
    av_dpop_proof proof;
    av_slice other = jose_token("ES384", header_of("ES256", ""), claims_of(URL, ""), pool);
    char *text = apr_pstrdup(pool, jose_token("RS256", header_of("RS256", ""), claims_of(URL, ""), pool).at);
    char *at = strrchr(text, '.') + 5;

    assert_reason(find(other.at, &proof), AV_ACCEPTED, "another key");
    assert_reason(av_dpop_verify(&proof, crypto, pool), AV_WRONG_PROOF, "another key");
    *at = *at == 'A' ? 'B' : 'A';
    assert_reason(find(text, &proof), AV_ACCEPTED, "changed");
    assert_reason(av_dpop_verify(&proof, crypto, pool), AV_WRONG_PROOF, "changed");
    note_reason(AV_WRONG_PROOF);
}
END_TEST

/* What the library would take for a signature of the key is not one of the algorithm. */
START_TEST(a_key_is_of_its_algorithm)
{
    av_dpop_proof proof;
    const char *header =
        apr_psprintf(pool, "{\"typ\":\"dpop+jwt\",\"alg\":\"RS256\",\"jwk\":%s}", jose_jwk("ES256", "", pool).at);

    assert_reason(find(jose_token("RS256", header, claims_of(URL, ""), pool).at, &proof), AV_ACCEPTED, "header");
    assert_reason(av_dpop_verify(&proof, crypto, pool), AV_MALFORMED_PROOF, "key");
}
END_TEST

#define POINT "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define KEY ",\"jwk\":{" POINT "}"
#define TYPE "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\""

static const struct {
    const char *header;
    av_reason found, verified;
} headers[] = {
    { TYPE KEY "}", AV_ACCEPTED, AV_WRONG_PROOF },
    { "{\"typ\":\"application/DPoP+JWT\",\"alg\":\"EdDSA\"" KEY "}", AV_ACCEPTED, AV_WRONG_PROOF },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"Ed25519\"" KEY "}", AV_ACCEPTED, AV_WRONG_PROOF },
    { TYPE ",\"kid\":\"k\",\"jku\":\"https://example.com/\"" KEY "}", AV_ACCEPTED, AV_WRONG_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"EdDSA\"}}", AV_ACCEPTED, AV_WRONG_PROOF },
    { "{\"typ\":\"JWT\",\"alg\":\"EdDSA\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { "{\"alg\":\"EdDSA\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"ES384\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"HS256\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"none\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { "{\"typ\":\"dpop+jwt\"" KEY "}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"crit\":[\"b64\"]" KEY "}", AV_MALFORMED_PROOF, 0 },
    { TYPE KEY KEY "}", AV_MALFORMED_PROOF, 0 },
    { TYPE "}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":null}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":[{" POINT "}]}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qY\"}}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}}", AV_MALFORMED_PROOF, 0 },
    { TYPE ",\"jwk\":{" POINT ",\"d\":\"AQAB\"}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"d\":null}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"use\":\"enc\"}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"key_ops\":[\"sign\"]}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"alg\":\"ES256\"}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{" POINT ",\"alg\":7}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"" KEY "}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { TYPE ",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}}", AV_ACCEPTED, AV_MALFORMED_PROOF },
    { "{\"typ\":\"dpop+jwt\",\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}}", AV_ACCEPTED,
      AV_MALFORMED_PROOF },
};

START_TEST(a_header_says_what_and_by_whom)
{
    av_dpop_proof proof;
    av_slice text = jose_token("EdDSA", headers[_i].header, claims_of(URL, ""), pool);

    assert_reason(find(text.at, &proof), headers[_i].found, headers[_i].header);
    if (headers[_i].found == AV_ACCEPTED) {
        assert_reason(av_dpop_verify(&proof, crypto, pool), headers[_i].verified, headers[_i].header);
    }
}
END_TEST

#define ID "\"jti\":\"i\""
#define FOR "\"htm\":\"GET\",\"htu\":\"" URL "\""
#define AT "\"iat\":1767312000"
#define OF "\"ath\":\"" ATH "\""

static const struct {
    const char *claims;
    av_reason reason;
} claims[] = {
    { "{" ID "," FOR "," AT "," OF "}", AV_ACCEPTED },
    { "{" ID "," FOR ",\"iat\":1767312000.9," OF "}", AV_ACCEPTED },
    { "{" ID "," FOR "," AT "," OF ",\"exp\":\"x\",\"cnf\":{}}", AV_ACCEPTED },
    { "{" FOR "," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{\"jti\":\"\"," FOR "," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{\"jti\":7," FOR "," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{\"jti\":\"a\\nb\"," FOR "," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{" ID ",\"htu\":\"" URL "\"," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{" ID ",\"htm\":\"GET\"," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{" ID ",\"htm\":[\"GET\"],\"htu\":\"" URL "\"," AT "," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR ",\"iat\":\"1767312000\"," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR ",\"iat\":-1," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR ",\"iat\":1e300," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR ",\"iat\":null," OF "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT "}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT ",\"ath\":\"" ATH "=\"}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT ",\"ath\":\"" ATH "AA\"}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT ",\"ath\":\"\"}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT "," OF ",\"nonce\":\"\"}", AV_MALFORMED_PROOF },
    { "{" ID "," FOR "," AT "," OF ",\"nonce\":7}", AV_MALFORMED_PROOF },
    { "{" ID "," ID "," FOR "," AT "," OF "}", AV_MALFORMED_PROOF },
    { "[]", AV_MALFORMED_PROOF },
    { "", AV_MALFORMED_PROOF },
};

START_TEST(a_proof_says_all_that_it_must)
{
    av_dpop_proof proof;

    assert_reason(find(jose_token("ES256", header_of("ES256", ""), claims[_i].claims, pool).at, &proof),
                  claims[_i].reason, claims[_i].claims);
}
END_TEST

START_TEST(an_id_is_not_too_long)
{
    av_dpop_proof proof;
    for (int len = 256; len < 258; len++) {
        const char *said = apr_psprintf(pool, "{\"jti\":\"%0*d\"," FOR "," AT "," OF "}", len, 7);
        assert_reason(find(jose_token("ES256", header_of("ES256", ""), said, pool).at, &proof),
                      len == 256 ? AV_ACCEPTED : AV_MALFORMED_PROOF, said);
    }
}
END_TEST

START_TEST(there_is_one_header)
{
    av_dpop_proof proof;
    const char *text = jose_token("ES256", header_of("ES256", ""), claims_of(URL, ""), pool).at;
    built_request none = request_of("GET / HTTP/1.1\nHost: api.example\n\n");

    assert_reason(av_dpop_find(&none.head, algorithms(), crypto, &proof, pool), AV_MALFORMED_PROOF, "none");
    assert_reason(find("", &proof), AV_MALFORMED_PROOF, "empty");
    assert_reason(find(apr_pstrcat(pool, text, "\ndpop: ", text, NULL), &proof), AV_AMBIGUOUS_CREDENTIAL, "two");
    assert_reason(find(apr_pstrcat(pool, text, ", ", text, NULL), &proof), AV_AMBIGUOUS_CREDENTIAL, "merged");
}
END_TEST

static av_reason check(const char *text, const char *request, const char *token)
{
    av_dpop_proof proof;
    built_request built = request_of(request);

    ck_assert_int_eq(find(text, &proof), AV_ACCEPTED);
    return av_dpop_check_target(&proof, &built.head, av_slice_of(token), crypto, pool);
}

START_TEST(a_proof_is_for_one_request_and_one_token)
{
    const char *text = jose_token("ES256", header_of("ES256", ""), claims_of(URL, ""), pool).at;
    const char *encoded =
        jose_token("ES256", header_of("ES256", ""), claims_of("HTTPS://API.example:443/./%6frders", ""), pool).at;
    const char *asked = "GET /orders?a=1 HTTP/1.1\nHost: api.example\n\n";

    assert_reason(check(text, asked, TOKEN), AV_ACCEPTED, "it");
    assert_reason(check(encoded, asked, TOKEN), AV_ACCEPTED, "it, written otherwise");
    assert_reason(check(text, "GET /%6Frders HTTP/1.1\nHost: API.example\n\n", TOKEN), AV_ACCEPTED, "asked otherwise");
    assert_reason(check(text, asked, "another"), AV_WRONG_PROOF, "token");
    assert_reason(check(text, "POST /orders HTTP/1.1\nHost: api.example\n\n", TOKEN), AV_WRONG_PROOF_TARGET, "method");
    assert_reason(check(text, "get /orders HTTP/1.1\nHost: api.example\n\n", TOKEN), AV_WRONG_PROOF_TARGET, "case");
    assert_reason(check(text, "GET /orders/ HTTP/1.1\nHost: api.example\n\n", TOKEN), AV_WRONG_PROOF_TARGET, "path");
    assert_reason(check(text, "GET /orders HTTP/1.1\nHost: example\n\n", TOKEN), AV_WRONG_PROOF_TARGET, "host");
    text = jose_token("ES256", header_of("ES256", ""), claims_of(URL "?a=1", ""), pool).at;
    assert_reason(check(text, asked, TOKEN), AV_WRONG_PROOF_TARGET, "query");
}
END_TEST

START_TEST(a_proof_is_young)
{
    const av_dpop_proof proof = { .issued = 1000 };
    const apr_interval_time_t past = apr_time_from_sec(60), future = apr_time_from_sec(5);

    assert_reason(av_dpop_check_time(&proof, apr_time_from_sec(1061) - 1, past, future), AV_ACCEPTED, "60 seconds");
    assert_reason(av_dpop_check_time(&proof, apr_time_from_sec(1061), past, future), AV_PROOF_OUT_OF_TIME, "61");
    assert_reason(av_dpop_check_time(&proof, apr_time_from_sec(995), past, future), AV_ACCEPTED, "5 ahead");
    assert_reason(av_dpop_check_time(&proof, apr_time_from_sec(995) - 1, past, future), AV_PROOF_OUT_OF_TIME,
                  "6 ahead");
}
END_TEST

static av_once once_of(const char *algorithm, const char *id)
{
    av_dpop_proof proof;
    av_once once;
    const char *said = apr_psprintf(pool, "{\"jti\":\"%s\"," FOR "," AT "," OF "}", id);

    assert_reason(find(jose_token(algorithm, header_of(algorithm, ""), said, pool).at, &proof), AV_ACCEPTED, algorithm);
    ck_assert(av_dpop_once(&proof, apr_time_from_sec(60), crypto, &once));
    return once;
}

/* It is remembered for as long as av_dpop_check_time takes it. */
START_TEST(what_is_good_once_is_an_id_of_a_key)
{
    av_once once = once_of("ES256", "a"), again = once_of("ES256", "a");
    av_once other = once_of("ES256", "b"), another = once_of("EdDSA", "a");

    ck_assert_mem_eq(once.key, again.key, sizeof(once.key));
    ck_assert_mem_ne(once.key, other.key, sizeof(once.key));
    ck_assert_mem_ne(once.key, another.key, sizeof(once.key));
    ck_assert_int_eq(once.until, apr_time_from_sec(RECEIVED_SECOND + 61));
    assert_reason(once.reason, AV_PROOF_REPLAYED, "reason");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("dpop");
    TCase *tests = trial_case(suite, "dpop");

    jose_create_keys();
    tcase_add_checked_fixture(tests, prepare, NULL);
    tcase_add_loop_test(tests, a_proof_is_read_and_verified, 0, ROWS(all));
    tcase_add_test(tests, a_proof_is_signed_by_the_key_in_it);
    tcase_add_test(tests, a_key_is_of_its_algorithm);
    tcase_add_loop_test(tests, a_header_says_what_and_by_whom, 0, ROWS(headers));
    tcase_add_loop_test(tests, a_proof_says_all_that_it_must, 0, ROWS(claims));
    tcase_add_test(tests, an_id_is_not_too_long);
    tcase_add_test(tests, there_is_one_header);
    tcase_add_test(tests, a_proof_is_for_one_request_and_one_token);
    tcase_add_test(tests, a_proof_is_young);
    tcase_add_test(tests, what_is_good_once_is_an_id_of_a_key);
    return suite;
}
