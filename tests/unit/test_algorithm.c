/* Algorithms: which proof of several is that of a text under a key. The vectors of RFC 2202, RFC 4231 and RFC 8032.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/algorithm.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <openssl/err.h>

static const av_crypto *crypto;

static void create_crypto(void)
{
    crypto = av_crypto_create(pool);
    ck_assert_ptr_nonnull(crypto);
}

static const struct {
    const char *name;
    bool reads_text, streams, public_key;
    apr_size_t proof_size;
} rows[] = {
    { "hmac-sha256", true, true, false, 32 }, { "hmac-sha1", true, true, false, 20 },
    { "hmac-sha512", true, true, false, 64 }, { "ed25519", true, false, true, 64 },
    { "token", false, false, false, 0 },
};

START_TEST(an_algorithm_is_found_by_its_name)
{
    const av_algorithm *algorithm = av_algorithm_find(tight_copy(av_slice_of(rows[_i].name)));

    ck_assert_ptr_nonnull(algorithm);
    ck_assert_str_eq(algorithm->name, rows[_i].name);
    ck_assert_int_eq(algorithm->reads_text, rows[_i].reads_text);
    ck_assert_int_eq(algorithm->streams, rows[_i].streams);
    ck_assert_int_eq(algorithm->public_key, rows[_i].public_key);
    ck_assert_uint_eq(algorithm->proof_size, rows[_i].proof_size);
    ck_assert_int_eq(algorithm->start != NULL, rows[_i].streams);
    ck_assert_ptr_nonnull(strstr(av_algorithm_names(), rows[_i].name));
}
END_TEST

static const char *const no_algorithms[] = { "",       "none",         "HMAC-SHA256", "hmac-sha25",
                                             "sha256", "hmac-sha256 ", "hmac-md5",    "hmac-sha2566" };

START_TEST(what_is_no_algorithm_is_not_found)
{
    ck_assert_ptr_null(av_algorithm_find(av_slice_of(no_algorithms[_i])));
}
END_TEST

static const char *prepare(av_key *key, const char *algorithm, av_slice secret)
{
    *key = (av_key){ .algorithm = av_algorithm_find(av_slice_of(algorithm)), .crypto = crypto, .label = "test" };
    return key->algorithm->prepare(key, secret, pool);
}

static av_key key_of(const char *algorithm, av_slice secret)
{
    av_key key;
    const char *error = prepare(&key, algorithm, secret);

    ck_assert_msg(!error, "%s: %s", algorithm, error);
    return key;
}

static int match(const av_key *key, av_slice text, const av_proof *proofs, apr_size_t count)
{
    EVP_MD_CTX *context = av_digest_context(pool);

    if (key->algorithm->streams) {
        ck_assert(key->algorithm->start(key, context));
        ck_assert_int_eq(EVP_DigestUpdate(context, text.at, text.len), 1);
    }
    int found = key->algorithm->match(key, context, text, proofs, count);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return found;
}

static int match_one(const av_key *key, av_slice text, av_slice proof)
{
    av_proof only = { proof };
    return match(key, text, &only, 1);
}

#define JEFE AV_SLICE("Jefe")
#define WHAT AV_SLICE("what do ya want for nothing?")
#define JEFE_MAC "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

/* RFC 2202 section 3 and RFC 4231 section 4.3 */
static const struct {
    const char *algorithm, *mac;
} macs[] = {
    { "hmac-sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
    { "hmac-sha256", JEFE_MAC },
    { "hmac-sha512", "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e"
                     "070a38bce737" },
};

START_TEST(a_mac_proves_its_text)
{
    av_key key = key_of(macs[_i].algorithm, JEFE);
    av_slice mac = from_hex(macs[_i].mac);

    ck_assert_int_eq(match_one(&key, WHAT, mac), 0);
    ck_assert_int_eq(match_one(&key, AV_SLICE("what do ya want for nothing!"), mac), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, AV_SLICE(""), mac), AV_NO_PROOF);
    key = key_of(macs[_i].algorithm, AV_SLICE("jefe"));
    ck_assert_int_eq(match_one(&key, WHAT, mac), AV_NO_PROOF);
}
END_TEST

START_TEST(a_mac_with_any_bit_changed_proves_nothing)
{
    av_key key = key_of(macs[_i].algorithm, JEFE);
    av_slice mac = from_hex(macs[_i].mac);

    for (apr_size_t bit = 0; bit < mac.len * 8; bit++) {
        ((char *)mac.at)[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_int_eq(match_one(&key, WHAT, mac), AV_NO_PROOF);
        ((char *)mac.at)[bit / 8] ^= (char)(1 << bit % 8);
    }
}
END_TEST

START_TEST(a_mac_is_as_long_as_it_is)
{
    av_key key = key_of(macs[_i].algorithm, JEFE);
    av_slice mac = from_hex(apr_pstrcat(pool, macs[_i].mac, "00", NULL));

    ck_assert_int_eq(match_one(&key, WHAT, mac), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, WHAT, (av_slice){ mac.at, mac.len - 2 }), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, WHAT, (av_slice){ mac.at, 0 }), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, WHAT, (av_slice){ mac.at, mac.len - 1 }), 0);
}
END_TEST

START_TEST(the_proof_that_matches_is_found_wherever_it_stands)
{
    av_key key = key_of("hmac-sha256", JEFE);
    av_slice mac = from_hex(JEFE_MAC), other = from_hex(JEFE_MAC);
    av_proof proofs[] = { { other }, { other }, { mac }, { AV_SLICE("") }, { other } };

    ((char *)other.at)[31] ^= 1;
    ck_assert_int_eq(match(&key, WHAT, proofs, 5), 2);
    ck_assert_int_eq(match(&key, WHAT, proofs + 1, 2), 1);
    ck_assert_int_eq(match(&key, WHAT, proofs + 2, 3), 0);
    ck_assert_int_eq(match(&key, WHAT, proofs, 2), AV_NO_PROOF);
    ck_assert_int_eq(match(&key, WHAT, proofs, 0), AV_NO_PROOF);
}
END_TEST

START_TEST(an_empty_secret_makes_no_mac)
{
    av_key key;

    ck_assert_str_eq(prepare(&key, macs[_i].algorithm, AV_SLICE("")), "the secret cannot be used as an HMAC key");
}
END_TEST

START_TEST(a_context_that_was_never_started_tells_nothing)
{
    av_key key = key_of("hmac-sha256", JEFE);
    av_proof proof = { AV_SLICE("") };

    ck_assert_int_eq(key.algorithm->match(&key, av_digest_context(pool), AV_SLICE(""), &proof, 1), AV_CANNOT_TELL);
}
END_TEST

#define ED25519_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ED25519_SIGNATURE                                                  \
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8" \
    "821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
/* The signature above, with the group's order added to its second half: RFC 8032 section 5.1.7 refuses it. */
#define ED25519_MALLEABLE                                                  \
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901554c8c" \
    "7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b"

/* RFC 8032 section 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc) */
static const struct {
    const char *key, *text, *signature;
} signatures[] = {
    { ED25519_KEY, "", ED25519_SIGNATURE },
    { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
      "291612bb0c00" },
    { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027b"
      "eceea1ec40a" },
    { "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac"
      "94fa54ca49f",
      "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
      "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef"
      "1177331a704" },
};

START_TEST(a_signature_proves_its_text)
{
    av_key key = key_of("ed25519", from_hex(signatures[_i].key));
    av_slice text = from_hex(signatures[_i].text), signature = from_hex(signatures[_i].signature);

    ck_assert_int_eq(match_one(&key, text, signature), 0);
    ck_assert_int_eq(match_one(&key, AV_SLICE("another text"), signature), AV_NO_PROOF);
}
END_TEST

START_TEST(a_signature_with_any_bit_changed_proves_nothing)
{
    av_key key = key_of("ed25519", from_hex(signatures[_i].key));
    av_slice text = from_hex(signatures[_i].text), signature = from_hex(signatures[_i].signature);

    for (apr_size_t bit = 0; bit < signature.len * 8; bit++) {
        ((char *)signature.at)[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_int_eq(match_one(&key, text, signature), AV_NO_PROOF);
        ((char *)signature.at)[bit / 8] ^= (char)(1 << bit % 8);
    }
}
END_TEST

START_TEST(a_signature_is_written_in_one_way)
{
    av_key key = key_of("ed25519", from_hex(ED25519_KEY));
    av_slice signature = from_hex(ED25519_SIGNATURE);

    ck_assert_int_eq(match_one(&key, AV_SLICE(""), from_hex(ED25519_MALLEABLE)), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, AV_SLICE(""), (av_slice){ signature.at, 63 }), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, AV_SLICE(""), from_hex(ED25519_SIGNATURE "00")), AV_NO_PROOF);
    ck_assert_int_eq(match_one(&key, AV_SLICE(""), AV_SLICE("")), AV_NO_PROOF);
}
END_TEST

START_TEST(the_signature_that_matches_is_found_wherever_it_stands)
{
    av_key key = key_of("ed25519", from_hex(ED25519_KEY));
    av_slice signature = from_hex(ED25519_SIGNATURE), other = from_hex(signatures[1].signature);
    av_proof proofs[] = { { other }, { other }, { signature }, { other } };

    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 4), 2);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs + 2, 2), 0);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 2), AV_NO_PROOF);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 0), AV_NO_PROOF);
}
END_TEST

#define PEM(base64) "-----BEGIN PUBLIC KEY-----\n" base64 "\n-----END PUBLIC KEY-----\n"
#define ED25519_PEM PEM("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")

START_TEST(a_public_key_may_be_a_pem)
{
    av_key key = key_of("ed25519", tight_copy(AV_SLICE(ED25519_PEM)));

    ck_assert_int_eq(match_one(&key, AV_SLICE(""), from_hex(ED25519_SIGNATURE)), 0);
    ck_assert_int_eq(match_one(&key, AV_SLICE("x"), from_hex(ED25519_SIGNATURE)), AV_NO_PROOF);
}
END_TEST

static const struct {
    const char *name;
    av_slice key;
} no_keys[] = {
    { "31 bytes", TEXT("0123456789abcdef0123456789abcde") },
    { "33 bytes", TEXT("0123456789abcdef0123456789abcdef0") },
    { "one byte", TEXT("0") },
    { "the key in hexadecimal", TEXT(ED25519_KEY) },
    { "a PEM without end",
      TEXT("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n") },
    { "a PEM of nothing", TEXT(PEM("")) },
    { "a PEM cut short", TEXT(PEM("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==")) },
    { "an X25519 key", TEXT(PEM("MCowBQYDK2VuAyEALXk8edUywzCM700DYaseM3UWUlMMDx8iKelW8HxMRmA=")) },
    { "an Ed448 key", TEXT(PEM("MEMwBQYDK2VxAzoAVTBvK+9/UzZ5M5dVzXYtFTq+mdE8Y2zsy+YPv8PuS4t/PXGe\n"
                               "mKjWzCMuMUjMlqDgf7Mi8Rz5O0cA")) },
    { "a key of the curve P-256", TEXT(PEM("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyV2+u8dgmJmI8rYd1gETEW75I5L4\n"
                                           "bTePlKwjxANxn5McPl5UeCo8unsl5fHuF/Ec3GcpPaPJvjSZDm5YJmJEGQ==")) },
    { "the private key", TEXT("-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                              "-----END PRIVATE KEY-----\n") },
};

START_TEST(what_is_no_ed25519_key_is_refused)
{
    av_key key;
    const char *error = prepare(&key, "ed25519", tight_copy(no_keys[_i].key));

    ck_assert_msg(error != NULL, "%s was taken", no_keys[_i].name);
    ck_assert_msg(strstr(error, "the key is not an Ed25519 public key") != NULL, "%s", error);
    ck_assert_ptr_null(key.ready);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static const struct {
    const char *name;
    av_slice sent;
    int found;
} tokens[] = {
    { "the token", TEXT("a shared token"), 0 },
    { "nothing", TEXT(""), AV_NO_PROOF },
    { "its beginning", TEXT("a shared toke"), AV_NO_PROOF },
    { "more than it", TEXT("a shared token "), AV_NO_PROOF },
    { "a NUL after it", TEXT("a shared token\0"), AV_NO_PROOF },
    { "another first byte", TEXT("b shared token"), AV_NO_PROOF },
    { "another last byte", TEXT("a shared tokeN"), AV_NO_PROOF },
};

START_TEST(a_token_is_that_and_nothing_else)
{
    av_key key = key_of("token", AV_SLICE("a shared token"));

    ck_assert_msg(match_one(&key, AV_SLICE(""), tight_copy(tokens[_i].sent)) == tokens[_i].found, "%s",
                  tokens[_i].name);
}
END_TEST

/* Enough that some begin with the same byte as the token, and so do some of their digests. */
START_TEST(no_other_token_will_do)
{
    av_key key = key_of("token", AV_SLICE("token 0"));

    ck_assert_int_eq(match_one(&key, AV_SLICE(""), AV_SLICE("token 0")), 0);
    for (int i = 1; i < 3000; i++) {
        av_slice other = av_slice_of(apr_psprintf(pool, "token %d", i));
        ck_assert_int_eq(match_one(&key, AV_SLICE(""), other), AV_NO_PROOF);
    }
}
END_TEST

START_TEST(the_token_that_matches_is_found_wherever_it_stands)
{
    av_key key = key_of("token", AV_SLICE("two"));
    av_proof proofs[] = { { AV_SLICE("one") }, { AV_SLICE("two") }, { AV_SLICE("three") } };

    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 3), 1);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs + 1, 2), 0);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 1), AV_NO_PROOF);
    ck_assert_int_eq(match(&key, AV_SLICE(""), proofs, 0), AV_NO_PROOF);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("algorithm");
    TCase *tests = suite_case(suite, "algorithm");

    tcase_add_checked_fixture(tests, create_crypto, NULL);
    tcase_add_loop_test(tests, an_algorithm_is_found_by_its_name, 0, ROWS(rows));
    tcase_add_loop_test(tests, what_is_no_algorithm_is_not_found, 0, ROWS(no_algorithms));
    tcase_add_loop_test(tests, a_mac_proves_its_text, 0, ROWS(macs));
    tcase_add_loop_test(tests, a_mac_with_any_bit_changed_proves_nothing, 0, ROWS(macs));
    tcase_add_loop_test(tests, a_mac_is_as_long_as_it_is, 0, ROWS(macs));
    tcase_add_test(tests, the_proof_that_matches_is_found_wherever_it_stands);
    tcase_add_loop_test(tests, an_empty_secret_makes_no_mac, 0, ROWS(macs));
    tcase_add_test(tests, a_context_that_was_never_started_tells_nothing);
    tcase_add_loop_test(tests, a_signature_proves_its_text, 0, ROWS(signatures));
    tcase_add_loop_test(tests, a_signature_with_any_bit_changed_proves_nothing, 0, ROWS(signatures));
    tcase_add_test(tests, a_signature_is_written_in_one_way);
    tcase_add_test(tests, the_signature_that_matches_is_found_wherever_it_stands);
    tcase_add_test(tests, a_public_key_may_be_a_pem);
    tcase_add_loop_test(tests, what_is_no_ed25519_key_is_refused, 0, ROWS(no_keys));
    tcase_add_loop_test(tests, a_token_is_that_and_nothing_else, 0, ROWS(tokens));
    tcase_add_test(tests, no_other_token_will_do);
    tcase_add_test(tests, the_token_that_matches_is_found_wherever_it_stands);
    return suite;
}
