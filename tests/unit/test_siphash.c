/* SipHash-2-4: the example of its paper, and libcrypto's own for every length up to some blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/siphash.h"
#include "support/suite.h"

#include <openssl/evp.h>
#include <openssl/params.h>

static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

START_TEST(the_papers_example_holds)
{
    av_slice text = from_hex("000102030405060708090a0b0c0d0e");
    ck_assert_uint_eq(av_siphash(key, text), 0xa129ca6149be45e5);
}
END_TEST

START_TEST(libcrypto_agrees)
{
    unsigned char bytes[16], mac[8];
    char text[100];
    size_t size = sizeof(mac);
    uint64_t wanted = 0;
    for (int i = 0; i < 16; i++) {
        bytes[i] = (unsigned char)i;
    }
    for (int i = 0; i < _i; i++) {
        text[i] = (char)(i * 37 + _i);
    }
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end() };
    ck_assert_int_eq(EVP_MAC_CTX_set_params(context, params), 1);
    ck_assert_int_eq(EVP_MAC_init(context, bytes, sizeof(bytes), NULL), 1);
    ck_assert_int_eq(EVP_MAC_update(context, (unsigned char *)text, (size_t)_i), 1);
    ck_assert_int_eq(EVP_MAC_final(context, mac, &size, sizeof(mac)), 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
    for (int i = 7; i >= 0; i--) {
        wanted = wanted << 8 | mac[i];
    }
    ck_assert_uint_eq(av_siphash(key, tight_copy((av_slice){ text, (apr_size_t)_i })), wanted);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("siphash");
    TCase *tests = suite_case(suite, "hashes");

    tcase_add_test(tests, the_papers_example_holds);
    tcase_add_loop_test(tests, libcrypto_agrees, 0, 100);
    return suite;
}
