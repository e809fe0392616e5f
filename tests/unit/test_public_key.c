/* Public keys: what is a fit one, and what OpenSSL would import and we do not.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/public_key.h"
#include "support/jose_builder.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static av_slice bytes_of(const EVP_PKEY *key, const char *name, apr_size_t size)
{
    BIGNUM *value = NULL;
    ck_assert_int_eq(EVP_PKEY_get_bn_param(key, name, &value), 1);
    size = size ? size : (apr_size_t)BN_num_bytes(value);
    char *bytes = apr_palloc(pool, size);
    ck_assert_int_eq(BN_bn2binpad(value, (unsigned char *)bytes, (int)size), (int)size);
    BN_free(value);
    return tight_copy((av_slice){ bytes, size });
}

static av_slice modulus_of(size_t bits)
{
    EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
    av_slice modulus = bytes_of(made, OSSL_PKEY_PARAM_RSA_N, 0);

    EVP_PKEY_free(made);
    return modulus;
}

static const struct {
    const char *name;
    av_slice exponent;
    bool is_fit;
} exponents[] = {
    { "65537", TEXT("\x01\x00\x01"), true },
    { "3", TEXT("\x03"), true },
    { "64 bits", TEXT("\xff\xff\xff\xff\xff\xff\xff\xff"), true },
    { "0", TEXT("\x00"), false },
    { "1", TEXT("\x01"), false },
    { "2", TEXT("\x02"), false },
    { "65536", TEXT("\x01\x00\x00"), false },
    { "65 bits", TEXT("\x01\xff\xff\xff\xff\xff\xff\xff\xff"), false },
    { "nothing", TEXT(""), false },
};

START_TEST(an_rsa_exponent_is_odd_and_no_one)
{
    EVP_PKEY *key;
    const char *error = av_public_key_rsa(modulus_of(2048), exponents[_i].exponent, &key, pool);

    ck_assert_msg(!error == exponents[_i].is_fit, "%s: %s", exponents[_i].name, error);
    ck_assert_int_eq(key != NULL, exponents[_i].is_fit);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(an_rsa_modulus_has_2048_bits_at_least)
{
    EVP_PKEY *key;
    av_slice exponent = AV_SLICE("\x01\x00\x01");

    ck_assert_ptr_nonnull(strstr(av_public_key_rsa(modulus_of(1024), exponent, &key, pool), "2048"));
    ck_assert_ptr_nonnull(strstr(av_public_key_rsa(modulus_of(2047), exponent, &key, pool), "2048"));
    ck_assert_ptr_null(av_public_key_rsa(modulus_of(3072), exponent, &key, pool));
    ck_assert_ptr_nonnull(av_public_key_rsa(AV_SLICE(""), exponent, &key, pool));
    ck_assert_ptr_null(key);
}
END_TEST

START_TEST(an_rsa_modulus_is_no_even_number_and_no_giant)
{
    EVP_PKEY *key;
    av_slice modulus = modulus_of(2048), giant = { apr_pcalloc(pool, 2049), 2049 };

    ((char *)modulus.at)[modulus.len - 1] &= (char)~1;
    memset((char *)giant.at, 0xff, giant.len);
    ck_assert_ptr_nonnull(av_public_key_rsa(modulus, AV_SLICE("\x03"), &key, pool));
    ck_assert_ptr_nonnull(av_public_key_rsa(giant, AV_SLICE("\x03"), &key, pool));
}
END_TEST

static const struct {
    av_key_kind kind;
    const char *group;
    apr_size_t size;
} curves[] = { { AV_KEY_P256, "P-256", 32 }, { AV_KEY_P384, "P-384", 48 }, { AV_KEY_P521, "P-521", 66 } };

START_TEST(a_point_is_on_its_curve)
{
    EVP_PKEY *key, *made = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[_i].group);
    av_slice x = bytes_of(made, OSSL_PKEY_PARAM_EC_PUB_X, curves[_i].size);
    av_slice y = bytes_of(made, OSSL_PKEY_PARAM_EC_PUB_Y, curves[_i].size);
    av_slice zero = { apr_pcalloc(pool, curves[_i].size), curves[_i].size };

    EVP_PKEY_free(made);
    ck_assert_ptr_null(av_public_key_ec(curves[_i].kind, x, y, &key, pool));
    ck_assert_ptr_nonnull(key);
    ck_assert_ptr_nonnull(av_public_key_ec(curves[_i].kind, zero, zero, &key, pool));
    ck_assert_ptr_nonnull(av_public_key_ec(curves[_i].kind, (av_slice){ x.at, x.len - 1 }, y, &key, pool));
    ck_assert_ptr_nonnull(av_public_key_ec(curves[_i].kind, x, av_slice_join(y, y, pool), &key, pool));
    ck_assert_ptr_nonnull(av_public_key_ec(AV_KEY_RSA, x, y, &key, pool));
    for (int i = 0; i < ROWS(curves); i++) {
        ck_assert(i == _i || av_public_key_ec(curves[i].kind, x, y, &key, pool));
    }
    ((char *)y.at)[y.len - 1] ^= 1;
    ck_assert_ptr_nonnull(av_public_key_ec(curves[_i].kind, x, y, &key, pool));
    ck_assert_ptr_null(key);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(an_ed25519_point_has_32_bytes)
{
    EVP_PKEY *key;
    av_slice point = from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

    ck_assert_ptr_null(av_public_key_ed25519(point, &key, pool));
    ck_assert_ptr_nonnull(av_public_key_ed25519((av_slice){ point.at, 31 }, &key, pool));
    ck_assert_ptr_nonnull(av_public_key_ed25519(av_slice_join(point, AV_SLICE("\0"), pool), &key, pool));
    ck_assert_ptr_null(key);
}
END_TEST

static const struct {
    const char *algorithm;
    av_key_kind kind;
} pems[] = {
    { "RS256", AV_KEY_RSA },  { "ES256", AV_KEY_P256 },    { "ES384", AV_KEY_P384 },
    { "ES512", AV_KEY_P521 }, { "EdDSA", AV_KEY_ED25519 },
};

START_TEST(pem_says_what_kind_of_key_it_is)
{
    EVP_PKEY *key;
    av_key_kind kind;
    av_slice one = jose_pem(pems[_i].algorithm, pool);
    av_slice text = tight_copy(av_slice_join(AV_SLICE("a remark\n"), av_slice_join(one, one, pool), pool));

    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(av_public_key_pem(&text, &key, &kind, pool));
        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(kind, pems[_i].kind);
    }
    ck_assert_ptr_null(av_public_key_pem(&text, &key, &kind, pool));
    ck_assert_ptr_null(key);
    ck_assert_uint_eq(text.len, 0);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static av_slice pem_of(const char *type, const char *argument, bool is_private)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, type, argument);
    ck_assert_int_eq(is_private ? PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL)
                                : PEM_write_bio_PUBKEY(bio, made),
                     1);
    long len = BIO_get_mem_data(bio, &text);
    av_slice pem = tight_copy((av_slice){ text, (apr_size_t)len });
    BIO_free(bio);
    EVP_PKEY_free(made);
    return pem;
}

START_TEST(pem_of_another_key_is_refused)
{
    static const struct {
        const char *type, *argument, *part;
        bool is_private;
    } others[] = {
        { "EC", "P-256", "openssl pkey -pubout", true },
        { "EC", "secp256k1", "P-256", false },
        { "ED448", NULL, "Ed25519", false },
        { "X25519", NULL, "Ed25519", false },
    };
    for (int i = 0; i < ROWS(others); i++) {
        EVP_PKEY *key;
        av_key_kind kind;
        av_slice text = pem_of(others[i].type, others[i].argument, others[i].is_private);
        const char *error = av_public_key_pem(&text, &key, &kind, pool);
        ck_assert_msg(error && strstr(error, others[i].part), "%s: %s", others[i].type, error);
        ck_assert_ptr_null(key);
    }
}
END_TEST

START_TEST(pem_is_whole)
{
    EVP_PKEY *key;
    av_key_kind kind;
    av_slice whole = jose_pem("ES256", pool);
    av_slice cut = tight_copy((av_slice){ whole.at, whole.len / 2 });

    ck_assert_ptr_nonnull(av_public_key_pem(&cut, &key, &kind, pool));
    ck_assert_ptr_null(key);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("public_key");
    TCase *tests = suite_case(suite, "public_key");

    jose_create_keys();
    tcase_add_loop_test(tests, an_rsa_exponent_is_odd_and_no_one, 0, ROWS(exponents));
    tcase_add_test(tests, an_rsa_modulus_has_2048_bits_at_least);
    tcase_add_test(tests, an_rsa_modulus_is_no_even_number_and_no_giant);
    tcase_add_loop_test(tests, a_point_is_on_its_curve, 0, ROWS(curves));
    tcase_add_test(tests, an_ed25519_point_has_32_bytes);
    tcase_add_loop_test(tests, pem_says_what_kind_of_key_it_is, 0, ROWS(pems));
    tcase_add_test(tests, pem_of_another_key_is_refused);
    tcase_add_test(tests, pem_is_whole);
    return suite;
}
