/* Keys that sign: what they sign is right under what is published of them, and only fit ones are read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/jwk.h"
#include "core/jws.h"
#include "issue/json_writer.h"
#include "issue/signing_key.h"
#include "support/jose_builder.h"
#include "support/suite.h"

#include <openssl/err.h>
#include <openssl/pem.h>

static const char *const all[] = { "RS256", "RS384", "RS512", "PS256",   "PS384", "PS512", "ES256",
                                   "ES384", "ES512", "EdDSA", "Ed25519", "HS256", "HS384", "HS512" };

static const char *read_key(av_slice text, const char *algorithm, av_signing_key *key)
{
    const char *error = av_signing_key_read(tight_copy(text), av_jws_algorithm_find(av_slice_of(algorithm)),
                                            av_crypto_create(pool), key, pool);

    ck_assert_uint_eq(ERR_peek_error(), 0);
    return error;
}

static av_jws_key read_published(av_slice text, const char *algorithm)
{
    av_jwk_set set;
    apr_array_header_t *algorithms = apr_array_make(pool, 1, sizeof(av_jws_algorithm *));

    *(const av_jws_algorithm **)apr_array_push(algorithms) = av_jws_algorithm_find(av_slice_of(algorithm));
    ck_assert_ptr_null(av_jwk_set_read(text, algorithms, av_crypto_create(pool), &set, pool));
    ck_assert_uint_eq(set.count, 1);
    ck_assert(*algorithm == 'H' || !set.has_secret);
    return set.keys[0];
}

/* What is published is all that is needed to tell that a token is right; a secret's is known to both. */
START_TEST(what_is_signed_is_right_under_what_is_published)
{
    av_signing_key key;
    av_jws jws;

    ck_assert_ptr_null(read_key(jose_private(all[_i], pool), all[_i], &key));
    json_t *jwk = av_signing_key_jwk(&key, pool);
    ck_assert_int_eq(jwk != NULL, *all[_i] != 'H');
    av_slice text = jwk ? av_json_write(jwk, false, pool) : jose_jwk(all[_i], "", pool);
    av_jws_key verifier = read_published(text, all[_i]);
    av_slice token = av_signing_key_token(&key, "at+jwt", AV_SLICE("{\"a\":1}"), pool);
    ck_assert(av_jws_parse(token, &jws, pool));
    ck_assert_int_eq(av_jws_verify(&jws, &verifier), AV_JWS_RIGHT);
    assert_slice(jws.type, AV_SLICE("at+jwt"), "typ");
    ck_assert_int_eq(jws.has_kid, *all[_i] != 'H');
    if (jws.has_kid) {
        assert_slice(jws.kid, av_slice_of(verifier.kid), "kid");
        ck_assert_uint_eq(jws.kid.len, 43);
    }
}
END_TEST

/* RFC 8037 appendix A.1 to A.4: this key has this name, and signs this text so. */
START_TEST(ed25519_signs_and_is_called_as_in_rfc_8037)
{
    av_signing_key key;
    char *pem = NULL;
    av_slice seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    EVP_PKEY *made = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.at, seed.len);
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL), 1);
    av_slice text = { NULL, (apr_size_t)BIO_get_mem_data(bio, &pem) };
    text.at = pem;
    ck_assert_ptr_null(read_key(text, "EdDSA", &key));
    ck_assert_str_eq(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    av_slice signature =
        av_signing_key_sign(&key, AV_SLICE("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"), pool);
    assert_slice(av_encode(AV_BASE64URL, signature, pool),
                 AV_SLICE("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
                 "signature");
    BIO_free(bio);
    EVP_PKEY_free(made);
}
END_TEST

/* ECDSA's numbers are short now and then; they are padded all the same. */
START_TEST(an_ecdsa_signature_has_one_length)
{
    av_signing_key key;

    ck_assert_ptr_null(read_key(jose_private("ES512", pool), "ES512", &key));
    for (int i = 0; i < 64; i++) {
        ck_assert_uint_eq(av_signing_key_sign(&key, AV_SLICE("text"), pool).len, 132);
    }
}
END_TEST

static av_slice written(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    char *pem = NULL;
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert_int_eq(
        PEM_write_bio_PrivateKey(bio, key, cipher, (const unsigned char *)"pw", cipher ? 2 : 0, NULL, NULL), 1);
    av_slice text = { NULL, (apr_size_t)BIO_get_mem_data(bio, &pem) };
    text.at = pem;
    text = tight_copy(text);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

static void assert_unfit(av_slice text, const char *algorithm, const char *part)
{
    av_signing_key key;
    const char *error = read_key(text, algorithm, &key);

    ck_assert_msg(error && strstr(error, part), "%s: %s", algorithm, error);
}

START_TEST(an_unfit_key_is_refused)
{
    assert_unfit(AV_SLICE(""), "ES256", "one private key in PEM");
    assert_unfit(AV_SLICE("secret"), "RS256", "one private key in PEM");
    assert_unfit(jose_pem("ES256", pool), "ES256", "one private key in PEM");
    assert_unfit(jose_private("ES384", pool), "ES256", "of the kind that algorithm= wants");
    assert_unfit(jose_private("RS256", pool), "EdDSA", "of the kind that algorithm= wants");
    assert_unfit(jose_private("EdDSA", pool), "PS256", "of the kind that algorithm= wants");
    assert_unfit(written(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), NULL), "RS256", "2048 bits");
    assert_unfit(written(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), EVP_aes_128_cbc()), "ES256", "not encrypted");
    assert_unfit(AV_SLICE("31 bytes are not enough, by one"), "HS256", "32 bytes at least");
    assert_unfit(AV_SLICE("32 bytes are enough for the next"), "HS384", "48 bytes at least");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("signing_key");
    TCase *tests = suite_case(suite, "keys");

    jose_create_keys();
    tcase_add_loop_test(tests, what_is_signed_is_right_under_what_is_published, 0, ROWS(all));
    tcase_add_test(tests, ed25519_signs_and_is_called_as_in_rfc_8037);
    tcase_add_test(tests, an_ecdsa_signature_has_one_length);
    tcase_add_test(tests, an_unfit_key_is_refused);
    return suite;
}
