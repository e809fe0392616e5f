/* Nonces of the time: whose they are, and for how long they are good.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/nonce.h"
#include "support/suite.h"

#define NOW apr_time_from_sec(1767312000) /* the first second of a span */
#define SPAN AV_NONCE_SPAN

static const av_hmac_key *key_of(const char *secret)
{
    const av_hmac_key *key = av_hmac_prepare(av_crypto_create(pool)->sha256, av_slice_of(secret), pool);

    ck_assert_ptr_nonnull(key);
    return key;
}

START_TEST(a_nonce_is_good_in_its_span_and_the_next)
{
    const av_hmac_key *key = key_of("a key");
    av_slice nonce = av_nonce_make(key, NOW, pool);

    ck_assert_uint_eq(nonce.len, 22);
    assert_slice(av_nonce_make(key, NOW + SPAN - 1, pool), nonce, "the same span");
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW - 1, pool), AV_NONCE_NONE);
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW, pool), AV_NONCE_NEW);
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW + SPAN - 1, pool), AV_NONCE_NEW);
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW + SPAN, pool), AV_NONCE_OLD);
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW + 2 * SPAN - 1, pool), AV_NONCE_OLD);
    ck_assert_int_eq(av_nonce_check(key, nonce, NOW + 2 * SPAN, pool), AV_NONCE_NONE);
}
END_TEST

START_TEST(nobody_else_makes_one)
{
    const av_hmac_key *key = key_of("a key");
    av_slice nonce = av_nonce_make(key, NOW, pool), shorter = { nonce.at, nonce.len - 1 };

    ck_assert_int_eq(av_nonce_check(key, av_nonce_make(key_of("another"), NOW, pool), NOW, pool), AV_NONCE_NONE);
    ck_assert_int_eq(av_nonce_check(key, shorter, NOW, pool), AV_NONCE_NONE);
    ck_assert_int_eq(av_nonce_check(key, AV_SLICE(""), NOW, pool), AV_NONCE_NONE);
    ck_assert_int_eq(av_nonce_check(key, (av_slice){ NULL, 0 }, NOW, pool), AV_NONCE_NONE);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("nonce");
    TCase *tests = suite_case(suite, "nonce");

    tcase_add_test(tests, a_nonce_is_good_in_its_span_and_the_next);
    tcase_add_test(tests, nobody_else_makes_one);
    return suite;
}
