/* Signing keys: derived as published, remembered, and what they take for a signature.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/keys.h"
#include "stores/key_cache.h"
#include "support/suite.h"

#include <apr_strings.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* "Create a signed request" of the IAM User Guide, step "Derive a signing key". */
#define IAM_KEY "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"

/* aws-c-auth, tests/aws-signing-test-suite: get-vanilla of v4 and of v4a, and the public key beside the latter. */
#define V4_TEXT                                 \
    "AWS4-HMAC-SHA256\n20150830T123600Z\n"      \
    "20150830/us-east-1/service/aws4_request\n" \
    "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63"
#define V4_SIGNATURE "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define V4A_TEXT                                 \
    "AWS4-ECDSA-P256-SHA256\n20150830T123600Z\n" \
    "20150830/service/aws4_request\n"            \
    "cf59db423e841c8b7e3444158185aa261b724a5c27cbe762676f3eed19f4dc02"
#define V4A_R "18b4e277d0281864beb51d3600e23f88510ea5031d68ddfbb68614b82a5eb7d2"
#define V4A_S "effb9c5f22ed9ef3ae0ab243d21f06bce82365bbb79529a07b6888c343ae5f8c"
#define V4A_SIGNATURE "30450220" V4A_R "022100" V4A_S
#define V4A_POINT                                                      \
    "b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1" \
    "865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518"

static av_aws4_credential credential_for(const char *service, bool is_ecdsa)
{
    const char *scope = is_ecdsa ? apr_pstrcat(pool, "20150830/", service, "/aws4_request", NULL)
                                 : apr_pstrcat(pool, "20150830/us-east-1/", service, "/aws4_request", NULL);

    return (av_aws4_credential){ .is_ecdsa = is_ecdsa,
                                 .text = av_slice_of(apr_pstrcat(pool, "AKIDEXAMPLE/", scope, NULL)),
                                 .access_key = AV_SLICE("AKIDEXAMPLE"),
                                 .scope = av_slice_of(scope),
                                 .date = AV_SLICE("20150830"),
                                 .region = is_ecdsa ? AV_SLICE("") : AV_SLICE("us-east-1"),
                                 .service = av_slice_of(service) };
}

static av_key key_of(const char *secret)
{
    av_key key = { .algorithm = &av_aws4_algorithm, .crypto = av_crypto_create(pool) };

    ck_assert_ptr_null(av_aws4_algorithm.prepare(&key, av_slice_of(secret), pool));
    return key;
}

static av_aws4_signer *signer_with(const av_aws4_credential *credential, const av_key *key)
{
    av_aws4_signer *signer = av_aws4_signer_create(key->crypto, credential, pool);

    ck_assert_ptr_nonnull(signer);
    ck_assert(av_aws4_signer_derive(signer, key));
    return signer;
}

static av_slice key_text(const av_aws4_signer *signer, apr_size_t size)
{
    return av_encode(AV_HEX, (av_slice){ (const char *)signer->key, size }, pool);
}

START_TEST(a_key_is_derived_for_a_day_a_region_and_a_service)
{
    av_key key = key_of(SECRET);
    av_aws4_credential credential = credential_for("iam", false);

    assert_slice(key_text(signer_with(&credential, &key), 32), AV_SLICE(IAM_KEY), "published");
    credential.date = AV_SLICE("20150831");
    ck_assert(!av_slice_equal(key_text(signer_with(&credential, &key), 32), AV_SLICE(IAM_KEY)));
    credential = credential_for("iam", false);
    credential.region = AV_SLICE("us-east-2");
    ck_assert(!av_slice_equal(key_text(signer_with(&credential, &key), 32), AV_SLICE(IAM_KEY)));
    credential = credential_for("iaM", false);
    ck_assert(!av_slice_equal(key_text(signer_with(&credential, &key), 32), AV_SLICE(IAM_KEY)));
}
END_TEST

START_TEST(a_point_is_derived_for_an_access_key)
{
    av_key key = key_of(SECRET);
    av_aws4_credential credential = credential_for("service", true);

    assert_slice(key_text(signer_with(&credential, &key), 64), AV_SLICE(V4A_POINT), "published");
    credential.access_key = AV_SLICE("AKIDEXAMPLF");
    ck_assert(!av_slice_equal(key_text(signer_with(&credential, &key), 64), AV_SLICE(V4A_POINT)));
}
END_TEST

/* A counter of 1 gives a scalar for all but one in four billion secrets, so that no such secret is at hand; the longest
 * access key must fit all the same. */
START_TEST(a_point_is_derived_for_the_longest_access_key)
{
    char longest[AV_AWS4_LONGEST_ACCESS_KEY];
    av_key key = key_of(SECRET);
    av_aws4_credential credential = credential_for("service", true);

    memset(longest, 'K', sizeof(longest));
    credential.access_key = (av_slice){ longest, sizeof(longest) };
    ck_assert_ptr_nonnull(signer_with(&credential, &key)->public_key);
}
END_TEST

static const struct {
    const char *text, *signature;
    bool is_right;
} hmacs[] = {
    { V4_TEXT, V4_SIGNATURE, true },
    { V4_TEXT "\n", V4_SIGNATURE, false },
    { "", V4_SIGNATURE, false },
    { V4_TEXT, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf30", false },
    { V4_TEXT, "4fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", false },
    { V4_TEXT, "5FA00FA31553B73EBF1942676E86291E8372FF2A2260956D9B8AAE1D763FBF31", false },
    { V4_TEXT, V4_SIGNATURE "00", false },
    { V4_TEXT, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf", false },
    { V4_TEXT, "5fa0", false },
    { V4_TEXT, "", false },
};

START_TEST(an_hmac_is_compared_whole)
{
    av_key key = key_of(SECRET), other = key_of("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ");
    av_aws4_credential credential = credential_for("service", false);
    av_slice text = av_slice_of(hmacs[_i].text), signature = tight_copy(av_slice_of(hmacs[_i].signature));

    ck_assert_int_eq(av_aws4_signer_check(signer_with(&credential, &key), text, signature), hmacs[_i].is_right);
    ck_assert(!av_aws4_signer_check(signer_with(&credential, &other), text, signature));
}
END_TEST

#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *what, *signature;
    bool is_right;
} ders[] = {
    { "as published", V4A_SIGNATURE, true },
    { "another bit of r",
      "30450220"
      "18b4e277d0281864beb51d3600e23f88510ea5031d68ddfbb68614b82a5eb7d3"
      "022100" V4A_S,
      false },
    { "a byte behind it", V4A_SIGNATURE "00", false },
    { "a byte inside behind it", "30460220" V4A_R "022100" V4A_S "00", false },
    { "a byte short", "30450220" V4A_R "022100effb9c5f22ed9ef3ae0ab243d21f06bce82365bbb79529a07b6888c343ae5f", false },
    { "a long length", "3081450220" V4A_R "022100" V4A_S, false },
    { "a zero before r", "3046022100" V4A_R "022100" V4A_S, false },
    { "a negative s", "30440220" V4A_R "0220" V4A_S, false },
    { "indefinite", "30800220" V4A_R "022100" V4A_S "0000", false },
    { "r and s bare", V4A_R V4A_S, false },
    { "r = s = 0", "3006020100020100", false },
    { "r = s = 0 at length", "30440220" ZERO "0220" ZERO, false },
    { "r = s = 1", "3006020101020101", false },
    { "r = n, s = n", "3046022100" ORDER "022100" ORDER, false },
    { "s + 0", "30250220" V4A_R "020100", false },
    { "empty", "", false },
    { "an empty sequence", "3000", false },
};

START_TEST(an_ecdsa_signature_is_der_to_the_letter)
{
    av_key key = key_of(SECRET);
    av_aws4_credential credential = credential_for("service", true);
    av_aws4_signer *signer = signer_with(&credential, &key);

    ck_assert_msg(av_aws4_signer_check(signer, AV_SLICE(V4A_TEXT), tight_copy(av_slice_of(ders[_i].signature))) ==
                      ders[_i].is_right,
                  "%s", ders[_i].what);
    ck_assert(av_aws4_signer_check(signer, AV_SLICE(V4A_TEXT), AV_SLICE(V4A_SIGNATURE)));
    ck_assert(!av_aws4_signer_check(signer, AV_SLICE(V4A_TEXT "\n"), AV_SLICE(V4A_SIGNATURE)));
}
END_TEST

/* n - s proves as much as s does: a signature is no name of a request. */
START_TEST(the_other_s_of_an_ecdsa_signature_is_right_too)
{
    av_key key = key_of(SECRET);
    av_aws4_credential credential = credential_for("service", true);
    BIGNUM *order = NULL, *s = NULL;
    unsigned char bytes[32];

    BN_hex2bn(&order, ORDER);
    BN_hex2bn(&s, V4A_S);
    ck_assert(BN_sub(s, order, s) == 1 && BN_bn2binpad(s, bytes, sizeof(bytes)) == sizeof(bytes) && bytes[0] < 0x80);
    av_slice other = av_encode(AV_HEX, (av_slice){ (const char *)bytes, sizeof(bytes) }, pool);
    BN_free(order);
    BN_free(s);
    ck_assert(av_aws4_signer_check(signer_with(&credential, &key), AV_SLICE(V4A_TEXT),
                                   av_slice_join(AV_SLICE("30440220" V4A_R "0220"), other, pool)));
}
END_TEST

static bool recall(void *store, av_slice secret, av_slice purpose, unsigned char *key, apr_size_t size)
{
    return av_key_cache_find(store, secret, purpose, key, size);
}

static void keep(void *store, av_slice secret, av_slice purpose, const unsigned char *key, apr_size_t size)
{
    av_key_cache_add(store, secret, purpose, key, size);
}

static bool is_remembered(const av_key_memory *memory, const av_key *key, const av_aws4_credential *credential)
{
    bool is_known = true;
    av_aws4_signer *signer = av_aws4_signer_create(key->crypto, credential, pool);

    ck_assert(av_aws4_signer_recall(signer, key, memory, &is_known));
    const char *text = credential->is_ecdsa ? V4A_TEXT : V4_TEXT;
    const char *signature = credential->is_ecdsa ? V4A_SIGNATURE : V4_SIGNATURE;
    bool is_right = av_aws4_signer_check(signer, av_slice_of(text), av_slice_of(signature));
    ck_assert_msg(!is_right || is_known, "nobody's key is right");
    return is_known;
}

START_TEST(a_key_is_remembered_for_its_secret_and_purpose_alone)
{
    av_key_memory memory = { av_key_cache_create(pool), recall, keep };
    av_key key = key_of(SECRET), other = key_of("another secret, as long as the first one");
    av_aws4_credential credential = credential_for("service", _i), elsewhere = credential_for("service", _i);

    ck_assert(!is_remembered(NULL, &key, &credential));
    ck_assert(!is_remembered(&memory, &key, &credential));
    av_aws4_signer_keep(signer_with(&credential, &key), &key, NULL);
    ck_assert(!is_remembered(&memory, &key, &credential));
    av_aws4_signer_keep(signer_with(&credential, &key), &key, &memory);
    ck_assert(is_remembered(&memory, &key, &credential));
    ck_assert(!is_remembered(&memory, &other, &credential));
    elsewhere.text = AV_SLICE("AKIDEXAMPLE/20150830/us-east-2/service/aws4_request");
    elsewhere.access_key = _i ? AV_SLICE("AKIDEXAMPLF") : elsewhere.access_key;
    ck_assert(!is_remembered(&memory, &key, &elsewhere));
    elsewhere = credential_for("service", !_i);
    ck_assert(!is_remembered(&memory, &key, &elsewhere));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 keys");
    TCase *tests = suite_case(suite, "keys");

    tcase_add_test(tests, a_key_is_derived_for_a_day_a_region_and_a_service);
    tcase_add_test(tests, a_point_is_derived_for_an_access_key);
    tcase_add_test(tests, a_point_is_derived_for_the_longest_access_key);
    tcase_add_loop_test(tests, an_hmac_is_compared_whole, 0, ROWS(hmacs));
    tcase_add_loop_test(tests, an_ecdsa_signature_is_der_to_the_letter, 0, ROWS(ders));
    tcase_add_test(tests, the_other_s_of_an_ecdsa_signature_is_right_too);
    tcase_add_loop_test(tests, a_key_is_remembered_for_its_secret_and_purpose_alone, 0, 2);
    return suite;
}
