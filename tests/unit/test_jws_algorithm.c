/* The algorithms of tokens: which signature is that of a text under a key, and which is not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/jwk.h"
#include "support/jose_builder.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <openssl/err.h>

#define SIGNED AV_SLICE("what is signed")

static const struct {
    const char *name;
    av_key_kind kind;
    apr_size_t hash_size, signature_size;
} rows[] = {
    { "RS256", AV_KEY_RSA, 32, 0 },     { "RS384", AV_KEY_RSA, 48, 0 },       { "RS512", AV_KEY_RSA, 64, 0 },
    { "PS256", AV_KEY_RSA, 32, 0 },     { "PS384", AV_KEY_RSA, 48, 0 },       { "PS512", AV_KEY_RSA, 64, 0 },
    { "ES256", AV_KEY_P256, 32, 64 },   { "ES384", AV_KEY_P384, 48, 96 },     { "ES512", AV_KEY_P521, 64, 132 },
    { "EdDSA", AV_KEY_ED25519, 0, 64 }, { "Ed25519", AV_KEY_ED25519, 0, 64 }, { "HS256", AV_KEY_SECRET, 32, 32 },
    { "HS384", AV_KEY_SECRET, 48, 48 }, { "HS512", AV_KEY_SECRET, 64, 64 },
};

START_TEST(an_algorithm_is_found_by_its_name)
{
    const av_jws_algorithm *found = av_jws_algorithm_find(tight_copy(av_slice_of(rows[_i].name)));

    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->name, rows[_i].name);
    ck_assert_int_eq(found->kind, rows[_i].kind);
    ck_assert_uint_eq(found->hash_size, rows[_i].hash_size);
    ck_assert_uint_eq(found->signature_size, rows[_i].signature_size);
    ck_assert_ptr_nonnull(strstr(av_jws_algorithm_names(pool), rows[_i].name));
}
END_TEST

static const char *const no_algorithms[] = { "",      "none",   "None",   "NONE",   " none", "rs256",  "RS256 ",
                                             "RS25",  "RS1",    "RS2566", "HS1",    "HS224", "ES256K", "ES521",
                                             "Ed448", "RSA1_5", "SHA256", "RSA256", "A128KW" };

START_TEST(what_is_no_algorithm_is_not_found)
{
    ck_assert_ptr_null(av_jws_algorithm_find(av_slice_of(no_algorithms[_i])));
}
END_TEST

static bool is_same_name(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (strncmp(a, "Ed", 2) == 0 && strncmp(b, "Ed", 2) == 0);
}

START_TEST(two_algorithms_are_equal_under_two_names_of_one_only)
{
    for (int i = 0; i < ROWS(rows); i++) {
        const av_jws_algorithm *a = av_jws_algorithm_find(av_slice_of(rows[_i].name));
        const av_jws_algorithm *b = av_jws_algorithm_find(av_slice_of(rows[i].name));
        ck_assert_int_eq(av_jws_algorithm_equal(a, b), is_same_name(a->name, b->name));
    }
}
END_TEST

/* The key of one algorithm, which says itself what it is for. */
static av_jws_key key_of(const char *name)
{
    av_jwk_set set;
    const char *alg = apr_psprintf(pool, ",\"alg\":\"%s\"", name);
    apr_array_header_t *algorithms = apr_array_make(pool, 1, sizeof(av_jws_algorithm *));

    *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(av_slice_of(name));
    const char *error = av_jwk_set_read(jose_jwk(name, alg, pool), algorithms, av_crypto_create(pool), &set, pool);
    ck_assert_msg(!error && set.count == 1, "%s: %s", name, error);
    return set.keys[0];
}

static av_jws_result verify(const av_jws_key *key, av_slice text, av_slice signature)
{
    av_jws_result result = av_jws_key_verify(key, tight_copy(text), tight_copy(signature));

    ck_assert_uint_eq(ERR_peek_error(), 0);
    return result;
}

START_TEST(a_signature_is_right_for_its_text_and_key_alone)
{
    av_jws_key key = key_of(rows[_i].name);
    av_slice signature = jose_sign(rows[_i].name, SIGNED, pool);

    ck_assert_int_eq(verify(&key, SIGNED, signature), AV_JWS_RIGHT);
    ck_assert_int_eq(verify(&key, AV_SLICE("what is signeD"), signature), AV_JWS_WRONG);
    ck_assert_int_eq(verify(&key, AV_SLICE(""), signature), AV_JWS_WRONG);
}
END_TEST

START_TEST(a_signature_is_wrong_with_any_byte_another)
{
    av_jws_key key = key_of(rows[_i].name);
    av_slice signature = jose_sign(rows[_i].name, SIGNED, pool);

    for (apr_size_t i = 0; i < signature.len; i += 7) {
        ((char *)signature.at)[i] ^= 1;
        ck_assert_int_eq(verify(&key, SIGNED, signature), AV_JWS_WRONG);
        ((char *)signature.at)[i] ^= 1;
    }
}
END_TEST

START_TEST(a_signature_of_another_length_is_wrong)
{
    av_jws_key key = key_of(rows[_i].name);
    av_slice signature = jose_sign(rows[_i].name, SIGNED, pool);
    av_slice longer = av_slice_join(signature, AV_SLICE("\0"), pool);
    av_slice led = av_slice_join(AV_SLICE("\0"), signature, pool);

    ck_assert_int_eq(verify(&key, SIGNED, longer), AV_JWS_WRONG);
    ck_assert_int_eq(verify(&key, SIGNED, led), AV_JWS_WRONG);
    ck_assert_int_eq(verify(&key, SIGNED, (av_slice){ signature.at, signature.len - 1 }), AV_JWS_WRONG);
    ck_assert_int_eq(verify(&key, SIGNED, (av_slice){ signature.at, 0 }), AV_JWS_WRONG);
    ck_assert_int_eq(verify(&key, SIGNED, (av_slice){ apr_pcalloc(pool, 9000), 9000 }), AV_JWS_WRONG);
}
END_TEST

/* CVE-2022-21449: numbers that make the equation hold for every text where nobody looks at them. */
START_TEST(a_signature_of_nothing_but_zeros_or_ones_is_wrong)
{
    av_jws_key key = key_of(rows[_i].name);
    av_slice signature = jose_sign(rows[_i].name, SIGNED, pool);

    memset((char *)signature.at, 0, signature.len);
    ck_assert_int_eq(verify(&key, SIGNED, signature), AV_JWS_WRONG);
    memset((char *)signature.at, 0xff, signature.len);
    ck_assert_int_eq(verify(&key, SIGNED, signature), AV_JWS_WRONG);
}
END_TEST

START_TEST(a_signature_of_another_algorithm_of_the_same_key_is_wrong)
{
    av_jws_key key = key_of(rows[_i].name);

    for (int i = 0; i < ROWS(rows); i++) {
        if (rows[i].kind == rows[_i].kind && !is_same_name(rows[i].name, rows[_i].name)) {
            ck_assert_int_eq(verify(&key, SIGNED, jose_sign(rows[i].name, SIGNED, pool)), AV_JWS_WRONG);
        }
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("jws_algorithm");
    TCase *tests = suite_case(suite, "jws_algorithm");

    jose_create_keys();
    tcase_add_loop_test(tests, an_algorithm_is_found_by_its_name, 0, ROWS(rows));
    tcase_add_loop_test(tests, what_is_no_algorithm_is_not_found, 0, ROWS(no_algorithms));
    tcase_add_loop_test(tests, two_algorithms_are_equal_under_two_names_of_one_only, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_signature_is_right_for_its_text_and_key_alone, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_signature_is_wrong_with_any_byte_another, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_signature_of_another_length_is_wrong, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_signature_of_nothing_but_zeros_or_ones_is_wrong, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_signature_of_another_algorithm_of_the_same_key_is_wrong, 0, ROWS(rows));
    return suite;
}
