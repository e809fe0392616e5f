/* Written keys: which serve an algorithm, which are passed over, and which are unfit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/jwk.h"
#include "support/jose_builder.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <jansson.h>
#include <openssl/err.h>

static apr_array_header_t *algorithms_of(const char *names)
{
    apr_array_header_t *algorithms = apr_array_make(pool, 4, sizeof(av_jws_algorithm *));
    av_slice rest = av_slice_of(names), name;

    while (av_slice_split(&rest, ',', &name)) {
        *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(name);
        ck_assert_ptr_nonnull(av_jws_algorithm_find(name));
    }
    return algorithms;
}

static const char *read_keys(av_slice text, const char *algorithms, av_jwk_set *set)
{
    const char *error = av_jwk_set_read(tight_copy(text), algorithms_of(algorithms), av_crypto_create(pool), set, pool);

    ck_assert_uint_eq(ERR_peek_error(), 0);
    return error;
}

static const char *const all[] = { "RS256", "RS384", "RS512", "PS256",   "PS384", "PS512", "ES256",
                                   "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512" };

START_TEST(a_key_serves_its_algorithm)
{
    av_jwk_set set;

    ck_assert_ptr_null(read_keys(jose_jwk(all[_i], ",\"kid\":\"a\",\"use\":\"sig\"", pool), all[_i], &set));
    ck_assert_uint_eq(set.count, 1);
    ck_assert_int_eq(set.faults->nelts, 0);
    ck_assert_str_eq(set.keys[0].algorithm->name, all[_i]);
    ck_assert_str_eq(set.keys[0].kid, "a");
    ck_assert_str_eq(set.keys[0].label, "a");
    ck_assert_int_eq(set.has_secret, *all[_i] == 'H');
    ck_assert_int_eq(set.keys[0].secret != NULL, *all[_i] == 'H');
    ck_assert_int_eq(set.keys[0].public_key != NULL, *all[_i] != 'H');
}
END_TEST

START_TEST(pem_gives_keys_without_a_kid)
{
    av_jwk_set set;
    av_slice text = av_slice_join(jose_pem("ES256", pool), jose_pem("RS256", pool), pool);

    ck_assert_ptr_null(read_keys(text, "RS256", &set));
    ck_assert_uint_eq(set.count, 1);
    ck_assert_ptr_null(set.keys[0].kid);
    ck_assert_str_eq(set.keys[0].label, "number 2");
    ck_assert_ptr_null(read_keys(text, "ES256,RS256", &set));
    ck_assert_uint_eq(set.count, 2);
    ck_assert(!set.has_secret);
}
END_TEST

/* Members added to the JWK of an algorithm. The fault is a part of the sentence; "" is silence, NULL a key. */
static const struct {
    const char *name, *jwk, *of, *algorithms, *fault;
} rows[] = {
    { "alg is one of several", ",\"alg\":\"PS256\"", "RS256", "RS256,PS256", NULL },
    { "alg is not configured", ",\"alg\":\"RS384\"", "RS256", "RS256", "" },
    { "alg is under its other name", ",\"alg\":\"Ed25519\"", "EdDSA", "EdDSA", NULL },
    { "two names of one algorithm", "", "EdDSA", "EdDSA,Ed25519", NULL },
    { "no alg, and two fit", "", "RS256", "RS256,PS256", "one key serves one algorithm" },
    { "no alg, and two hashes fit", "", "RS256", "RS256,RS512", "one key serves one algorithm" },
    { "no alg, and two hashes fit a secret", "", "HS256", "HS256,HS512", "one key serves one algorithm" },
    { "another kind", "", "RS256", "ES256", "" },
    { "another curve", "", "ES384", "ES256", "" },
    { "alg of another kind", ",\"alg\":\"ES256\"", "RS256", "ES256,RS256", "\"alg\" is for another kind" },
    { "alg of another curve", ",\"alg\":\"ES384\"", "ES256", "ES256", "\"alg\" is for another kind" },
    { "alg is HMAC, the key public", ",\"alg\":\"HS256\"", "RS256", "HS256", "\"alg\" is for another kind" },
    { "alg for encryption", ",\"alg\":\"RSA-OAEP\",\"use\":\"enc\"", "RS256", "RS256", "" },
    { "alg is unknown", ",\"alg\":\"RS257\"", "RS256", "RS256", "" },
    { "alg is none", ",\"alg\":\"none\"", "RS256", "RS256", "" },
    { "alg is no string", ",\"alg\":256", "RS256", "RS256", "\"alg\" is no string" },
    { "use is enc", ",\"use\":\"enc\"", "RS256", "RS256", "\"use\" is not sig" },
    { "use is no string", ",\"use\":[\"sig\"]", "RS256", "RS256", "\"use\" is not sig" },
    { "key_ops verifies", ",\"key_ops\":[\"sign\",\"verify\"]", "RS256", "RS256", NULL },
    { "key_ops encrypts", ",\"key_ops\":[\"encrypt\"]", "RS256", "RS256", "\"key_ops\"" },
    { "key_ops is empty", ",\"key_ops\":[]", "RS256", "RS256", "\"key_ops\"" },
    { "key_ops is no array", ",\"key_ops\":\"verify\"", "RS256", "RS256", "\"key_ops\"" },
    { "kid is a number", ",\"kid\":7", "RS256", "RS256", "\"kid\" is empty or no string" },
    { "kid is empty", ",\"kid\":\"\"", "RS256", "RS256", "\"kid\" is empty or no string" },
    { "members nobody knows", ",\"x5c\":[\"AA==\"],\"future\":{}", "RS256", "RS256", NULL },
};

START_TEST(a_key_serves_one_algorithm_or_none)
{
    av_jwk_set set;

    ck_assert_ptr_null(read_keys(jose_jwk(rows[_i].of, rows[_i].jwk, pool), rows[_i].algorithms, &set));
    ck_assert_msg(set.count == !rows[_i].fault, "%s", rows[_i].name);
    ck_assert_msg(set.faults->nelts == (rows[_i].fault && *rows[_i].fault), "%s", rows[_i].name);
    if (set.faults->nelts) {
        const char *fault = APR_ARRAY_IDX(set.faults, 0, const char *);
        ck_assert_msg(strstr(fault, rows[_i].fault), "%s: %s", rows[_i].name, fault);
    }
}
END_TEST

#define BYTES_31 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BYTES_32 BYTES_31 "A"

static const struct {
    const char *jwk, *algorithms, *fault;
} texts[] = {
    { "{\"kty\":\"oct\",\"k\":\"" BYTES_31 "\"}", "HS256", "shorter than the hash" },
    { "{\"kty\":\"oct\",\"k\":\"" BYTES_32 "\"}", "HS256", NULL },
    { "{\"kty\":\"oct\",\"k\":\"" BYTES_32 "\"}", "HS384", "" },
    { "{\"kty\":\"oct\",\"k\":\"" BYTES_32 "\"}", "HS256,HS384", NULL },
    { "{\"kty\":\"oct\",\"alg\":\"HS384\",\"k\":\"" BYTES_32 "\"}", "HS384", "shorter than the hash" },
    { "{\"kty\":\"oct\",\"k\":\"\"}", "HS256", "\"k\" is missing, empty" },
    { "{\"kty\":\"oct\"}", "HS256", "\"k\" is missing, empty" },
    { "{\"kty\":\"oct\",\"k\":7}", "HS256", "\"k\" is missing, empty" },
    { "{\"kty\":\"oct\",\"k\":\"" BYTES_32 "=\"}", "HS256", "not base64url" },
    { "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "RS256", "2048 bits" },
    { "{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "RS256", "\"e\" is missing" },
    { "{\"kty\":\"RSA\",\"n\":12345,\"e\":\"AQAB\"}", "RS256", "\"n\" is missing, empty or no string" },
    { "{\"kty\":\"RSA\",\"n\":\"AAEB\",\"e\":\"AQAB\"}", "RS256", "begins with a zero byte" },
    { "{\"kty\":\"RSA\",\"n\":\"AQ+B\",\"e\":\"AQAB\"}", "RS256", "not base64url" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" BYTES_32 "\",\"y\":\"" BYTES_32 "\"}", "ES256", "no public key" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" BYTES_31 "\",\"y\":\"" BYTES_32 "\"}", "ES256", "coordinates" },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" BYTES_32 "\"}", "ES256", "\"y\" is missing" },
    { "{\"kty\":\"EC\",\"x\":\"" BYTES_32 "\",\"y\":\"" BYTES_32 "\"}", "ES256", "" },
    { "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" BYTES_32 "\",\"y\":\"" BYTES_32 "\"}", "ES256", "" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" BYTES_31 "\"}", "EdDSA", "no public key" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" BYTES_31 "\"}", "EdDSA", "" },
    { "{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AAAA\"}", "RS256", "" },
    { "{\"kid\":\"no-kty\"}", "RS256", "" },
    { "{\"kty\":7}", "RS256", "" },
    { "{}", "RS256", "" },
};

START_TEST(a_key_is_fit)
{
    av_jwk_set set;

    ck_assert_ptr_null(read_keys(av_slice_of(texts[_i].jwk), texts[_i].algorithms, &set));
    ck_assert_msg(set.count == !texts[_i].fault, "%s", texts[_i].jwk);
    ck_assert_msg(set.faults->nelts == (texts[_i].fault && *texts[_i].fault), "%s", texts[_i].jwk);
    if (set.faults->nelts) {
        const char *fault = APR_ARRAY_IDX(set.faults, 0, const char *);
        ck_assert_msg(strstr(fault, texts[_i].fault), "%s: %s", texts[_i].jwk, fault);
    }
}
END_TEST

START_TEST(a_set_gives_what_is_fit_in_order)
{
    av_jwk_set set;
    const char *text =
        apr_pstrcat(pool, "{\"keys\":[{\"kty\":\"AKP\"},", jose_jwk("ES256", ",\"kid\":\"first\"", pool).at, ",7,",
                    "{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"AQAB\",\"e\":\"AQAB\"},",
                    "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},",
                    jose_jwk("RS256", ",\"kid\":\"second\",\"d\":\"AQAB\"", pool).at, "],\"more\":1}", NULL);

    ck_assert_ptr_null(read_keys(av_slice_of(text), "RS256,ES256", &set));
    ck_assert_uint_eq(set.count, 2);
    ck_assert_str_eq(set.keys[0].kid, "first");
    ck_assert_str_eq(set.keys[1].kid, "second");
    ck_assert_int_eq(set.faults->nelts, 2);
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(set.faults, 0, const char *), "\"small\""));
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(set.faults, 1, const char *), "\"number 5\""));
    ck_assert(set.has_secret);
}
END_TEST

START_TEST(a_set_is_marked_by_its_text)
{
    av_jwk_set first, again, second;
    av_slice text = jose_jwk("RS256", "", pool);

    ck_assert_ptr_null(read_keys(text, "RS256", &first));
    ck_assert_ptr_null(read_keys(text, "RS256", &again));
    ck_assert_ptr_null(read_keys(jose_jwk("RS256", ",\"kid\":\"other\"", pool), "RS256", &second));
    ck_assert_uint_eq(first.mark, again.mark);
    ck_assert_uint_ne(first.mark, second.mark);
}
END_TEST

START_TEST(a_set_may_be_empty)
{
    av_jwk_set set;

    ck_assert_ptr_null(read_keys(AV_SLICE(" \n{\"keys\":[]}"), "RS256", &set));
    ck_assert_uint_eq(set.count, 0);
    ck_assert_int_eq(set.faults->nelts, 0);
}
END_TEST

static const char *const no_keys[] = { "",
                                       " ",
                                       "[]",
                                       "null",
                                       "{",
                                       "{\"keys\":{}}",
                                       "{\"keys\":null}",
                                       "AQAB",
                                       "{\"keys\":[],\"keys\":[]}",
                                       "\xff\xfe{",
                                       "-----BEGIN" };

START_TEST(what_is_no_key_is_refused)
{
    av_jwk_set set;

    ck_assert_msg(read_keys(av_slice_of(no_keys[_i]), "RS256", &set), "%s", no_keys[_i]);
}
END_TEST

START_TEST(a_set_is_bounded)
{
    av_jwk_set set;
    const char *text = "{\"keys\":[{}";

    for (int i = 1; i < AV_MAX_JWKS_KEYS; i++) {
        text = apr_pstrcat(pool, text, ",{}", NULL);
    }
    ck_assert_ptr_null(read_keys(av_slice_of(apr_pstrcat(pool, text, "]}", NULL)), "RS256", &set));
    ck_assert_ptr_nonnull(read_keys(av_slice_of(apr_pstrcat(pool, text, ",{}]}", NULL)), "RS256", &set));
}
END_TEST

START_TEST(a_pem_file_is_bounded)
{
    av_jwk_set set;
    av_slice one = jose_pem("ES256", pool);
    char *text = apr_palloc(pool, one.len * (AV_MAX_JWKS_KEYS + 1));

    for (apr_size_t i = 0; i <= AV_MAX_JWKS_KEYS; i++) {
        memcpy(text + i * one.len, one.at, one.len);
    }
    ck_assert_ptr_null(read_keys((av_slice){ text, one.len * AV_MAX_JWKS_KEYS }, "ES256", &set));
    ck_assert_uint_eq(set.count, AV_MAX_JWKS_KEYS);
    ck_assert_ptr_nonnull(read_keys((av_slice){ text, one.len * (AV_MAX_JWKS_KEYS + 1) }, "ES256", &set));
}
END_TEST

static const struct {
    apr_size_t len;
    const char *algorithms, *chosen;
} secrets[] = {
    { 32, "HS256", "HS256" },       { 31, "HS256", NULL },    { 64, "HS512", "HS512" },
    { 63, "HS512", NULL },          { 48, "HS256", "HS256" }, { 64, "HS256,HS512", NULL },
    { 32, "HS256,HS512", "HS256" }, { 64, "RS256", NULL },    { 64, "RS256,HS256", "HS256" },
};

START_TEST(a_secret_is_as_long_as_its_hash)
{
    av_jws_key key;
    av_slice secret = tight_copy((av_slice){ JOSE_SECRET, secrets[_i].len });
    const char *error =
        av_jwk_of_secret(secret, algorithms_of(secrets[_i].algorithms), av_crypto_create(pool), &key, pool);

    ck_assert_int_eq(error == NULL, secrets[_i].chosen != NULL);
    if (!error) {
        ck_assert_str_eq(key.algorithm->name, secrets[_i].chosen);
        ck_assert_int_eq(av_jws_key_verify(&key, AV_SLICE(""), (av_slice){ apr_pcalloc(pool, 64), 64 }), AV_JWS_WRONG);
    }
}
END_TEST

/* RFC 7638 section 3.1 and RFC 8037 appendix A.3: whatever else stands in the key, and in whatever order. */
static const struct {
    const char *jwk, *thumbprint; /* NULL: there is none */
} thumbprints[] = {
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" },
    { "{\"use\":\"sig\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"a\",\"crv\":\"Ed25519\","
      "\"kty\":\"OKP\"}",
      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" },
    { "{\"kty\":\"RSA\",\"n\":"
      "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjh"
      "Mstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
      "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\","
      "\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
      "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", NULL },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":7}", NULL },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"a\\\"b\"}", NULL },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"a\\\\b\"}", NULL },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\"}", NULL },
    { "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AQAB\",\"y\":\"AQAB\"}", NULL },
    { "{\"kty\":\"oct\",\"k\":\"AQAB\"}", NULL },
    { "[]", NULL },
    { "7", NULL },
};

START_TEST(a_key_has_one_thumbprint)
{
    unsigned char digest[AV_SHA256_SIZE] = { 0 };
    json_t *jwk = json_loads(thumbprints[_i].jwk, JSON_DECODE_ANY, NULL);
    bool has_one = av_jwk_thumbprint(jwk, av_crypto_create(pool), digest, pool);

    ck_assert_msg(has_one == (thumbprints[_i].thumbprint != NULL), "%s", thumbprints[_i].jwk);
    if (has_one) {
        assert_slice(av_encode(AV_BASE64URL, (av_slice){ (char *)digest, sizeof(digest) }, pool),
                     av_slice_of(thumbprints[_i].thumbprint), thumbprints[_i].jwk);
    }
    json_decref(jwk);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("jwk");
    TCase *tests = suite_case(suite, "jwk");

    jose_create_keys();
    tcase_add_loop_test(tests, a_key_serves_its_algorithm, 0, ROWS(all));
    tcase_add_test(tests, pem_gives_keys_without_a_kid);
    tcase_add_loop_test(tests, a_key_serves_one_algorithm_or_none, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_key_is_fit, 0, ROWS(texts));
    tcase_add_test(tests, a_set_gives_what_is_fit_in_order);
    tcase_add_test(tests, a_set_is_marked_by_its_text);
    tcase_add_test(tests, a_set_may_be_empty);
    tcase_add_loop_test(tests, what_is_no_key_is_refused, 0, ROWS(no_keys));
    tcase_add_test(tests, a_set_is_bounded);
    tcase_add_test(tests, a_pem_file_is_bounded);
    tcase_add_loop_test(tests, a_secret_is_as_long_as_its_hash, 0, ROWS(secrets));
    tcase_add_loop_test(tests, a_key_has_one_thumbprint, 0, ROWS(thumbprints));
    return suite;
}
