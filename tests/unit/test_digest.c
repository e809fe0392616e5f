/* Digests and HMAC: the vectors of FIPS 180-4, RFC 2202 and RFC 4231, and keys around the size of a block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"
#include "support/suite.h"

#include <openssl/err.h>

static const av_crypto *crypto;

static void create_crypto(void)
{
    crypto = av_crypto_create(pool);
    ck_assert_ptr_nonnull(crypto);
}

typedef enum which { SHA1, SHA256, SHA512 } which;

static const EVP_MD *digest_of(which name)
{
    return name == SHA1 ? crypto->sha1 : name == SHA256 ? crypto->sha256 : crypto->sha512;
}

static const struct {
    which digest;
    const char *text, *value;
} digests[] = {
    { SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { SHA512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9a"
      "c94fa54ca49f" },
};

START_TEST(a_digest_is_that_of_the_standard)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ck_assert(av_digest(digest_of(digests[_i].digest), tight_copy(av_slice_of(digests[_i].text)), value, &size));
    assert_slice((av_slice){ (char *)value, size }, from_hex(digests[_i].value), digests[_i].text);
}
END_TEST

#define TEN_0B "0b0b0b0b0b0b0b0b0b0b"
#define TEN_0C "0c0c0c0c0c0c0c0c0c0c"
#define TEN_AA "aaaaaaaaaaaaaaaaaaaa"
#define FIFTY_AA TEN_AA TEN_AA TEN_AA TEN_AA TEN_AA
#define EIGHTY_AA FIFTY_AA TEN_AA TEN_AA TEN_AA
#define TEN_DD "dddddddddddddddddddd"
#define TEN_CD "cdcdcdcdcdcdcdcdcdcd"
#define COUNTED "0102030405060708090a0b0c0d0e0f10111213141516171819"
#define HI_THERE "4869205468657265"
#define JEFE "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
#define FIFTY_DD TEN_DD TEN_DD TEN_DD TEN_DD TEN_DD
#define FIFTY_CD TEN_CD TEN_CD TEN_CD TEN_CD TEN_CD
/* "Test With Truncation" */
#define TRUNCATED "546573742057697468205472756e636174696f6e"
/* "Test Using Larger Than Block-Size Key - Hash Key First" */
#define LARGE_KEY \
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374"
/* "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed
 * before being used by the HMAC algorithm." */
#define LARGE_TEXT                                                                                                   \
    "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e6420"   \
    "61206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f2062652068617368" \
    "6564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e"
/* "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data" */
#define LARGE_BOTH                                                                                                 \
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e64204c6172676572205468616e20" \
    "4f6e6520426c6f636b2d53697a652044617461"
#define TEN_A "61616161616161616161"
#define SIXTY_A TEN_A TEN_A TEN_A TEN_A TEN_A TEN_A
#define ABC "616263"

/* In hexadecimal. The last rows' keys are one byte shorter than a block, a block, and one byte longer; their MACs are
 * openssl's (openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY). */
static const struct {
    which digest;
    const char *key, *text, *mac;
} macs[] = {
    /* RFC 2202 section 3 */
    { SHA1, TEN_0B TEN_0B, HI_THERE, "b617318655057264e28bc0b6fb378c8ef146be00" },
    { SHA1, JEFE, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
    { SHA1, TEN_AA TEN_AA, FIFTY_DD, "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
    { SHA1, COUNTED, FIFTY_CD, "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
    { SHA1, TEN_0C TEN_0C, TRUNCATED, "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
    { SHA1, EIGHTY_AA, LARGE_KEY, "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
    { SHA1, EIGHTY_AA, LARGE_BOTH, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
    /* RFC 4231 section 4; of section 4.6 the whole MAC */
    { SHA256, TEN_0B TEN_0B, HI_THERE, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { SHA256, JEFE, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { SHA256, TEN_AA TEN_AA, FIFTY_DD, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { SHA256, COUNTED, FIFTY_CD, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
    { SHA256, TEN_0C TEN_0C, TRUNCATED, "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5" },
    { SHA256, EIGHTY_AA FIFTY_AA "aa", LARGE_KEY, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { SHA256, EIGHTY_AA FIFTY_AA "aa", LARGE_TEXT, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
    { SHA512, TEN_0B TEN_0B, HI_THERE,
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e69"
      "6c203a126854" },
    { SHA512, JEFE,
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e"
      "070a38bce737" },
    { SHA512, TEN_AA TEN_AA, FIFTY_DD,
      "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
      "bf3e848279a722c806b485a47e67c807b946a337bee894267427"
      "8859e13292fb" },
    { SHA512, COUNTED, FIFTY_CD,
      "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
      "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2ad"
      "ebeb10a298dd" },
    { SHA512, TEN_0C TEN_0C, TRUNCATED,
      "415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008"
      "711c5b50ddd0fc235084eb9d3364a1454fb2ef67cd1d29fe6773"
      "068ea266e96b" },
    { SHA512, EIGHTY_AA FIFTY_AA "aa", LARGE_KEY,
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b91"
      "5a985d786598" },
    { SHA512, EIGHTY_AA FIFTY_AA "aa", LARGE_TEXT,
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
      "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c9"
      "7440fa8c6a58" },
    { SHA1, SIXTY_A "616161", ABC, "59aaae060241dd68e8df7ca5ee45ac5d9d772d13" },
    { SHA1, SIXTY_A "61616161", ABC, "5e38c87c9cd9f6f82d5ce182869bf58605fb308c" },
    { SHA1, SIXTY_A "6161616161", ABC, "50be8baf8ee0bd1e81eecb6fed827e4d28b3f199" },
    { SHA256, SIXTY_A "616161", ABC, "0a261b1a2941dfb294b904f925c4fafa1746eaa1f1d2318964ab2650b8908777" },
    { SHA256, SIXTY_A "61616161", ABC, "6608ac82dca1cb1fddbb5d81e3d9877642b744f565cd9697ac27daa250c80d28" },
    { SHA256, SIXTY_A "6161616161", ABC, "c0d2f0e7f578e80e4996cf2ffb922ea70fe1094e693f2cd75bbba0281add9da5" },
    { SHA512, SIXTY_A SIXTY_A "61616161616161", ABC,
      "7f9dc44d9fa416feb3376da3f4b4e2a1daf1f6063bcc66d8ecb09904603ec38c"
      "054f583b8e62871ac73906e19337134a06617ec00f83c6d17ef3"
      "e0e5c9220b44" },
    { SHA512, SIXTY_A SIXTY_A "6161616161616161", ABC,
      "d0ff08d9905b273296a66c5f513299a333746022c26d50eadfa4f67b3a464d3b"
      "e966eb1e938e110fcb2c8b34cbe8a50d559f5deb7e450ca22c8b"
      "e74d01a08a05" },
    { SHA512, SIXTY_A SIXTY_A "616161616161616161", ABC,
      "64ce9e2f41d08fd1bc0cd8cd457b3cf507a397f854674aebbc7a63484fdbbb81"
      "89000b5142545473776d50014451a9ebefbd5c3b61ef925488334e"
      "74744f8f6a" },
};

static av_slice finish(const av_hmac_key *key, EVP_MD_CTX *context)
{
    unsigned char *mac = apr_palloc(pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;

    ck_assert(av_hmac_finish(key, context, mac, &size));
    return (av_slice){ (char *)mac, size };
}

/* With the text fed `step` bytes at once. */
static av_slice mac_of(const av_hmac_key *key, EVP_MD_CTX *context, av_slice text, apr_size_t step)
{
    ck_assert(av_hmac_start(key, context));
    for (av_slice rest = text; rest.len; rest = av_slice_skip(rest, step)) {
        ck_assert_int_eq(EVP_DigestUpdate(context, rest.at, rest.len < step ? rest.len : step), 1);
    }
    return finish(key, context);
}

START_TEST(a_mac_is_that_of_the_standard)
{
    const av_hmac_key *key = av_hmac_prepare(digest_of(macs[_i].digest), from_hex(macs[_i].key), pool);
    EVP_MD_CTX *context = av_digest_context(pool);
    av_slice text = from_hex(macs[_i].text), mac = from_hex(macs[_i].mac);

    ck_assert_ptr_nonnull(key);
    assert_slice(mac_of(key, context, text, text.len), mac, "at once");
    assert_slice(mac_of(key, context, text, 1), mac, "byte by byte, with the same key and context");
    assert_slice(mac_of(key, context, text, 7), mac, "in steps");
}
END_TEST

START_TEST(another_key_or_text_has_another_mac)
{
    av_slice secret = from_hex(macs[_i].key), text = from_hex(macs[_i].text), mac = from_hex(macs[_i].mac);
    EVP_MD_CTX *context = av_digest_context(pool);
    const av_hmac_key *key = av_hmac_prepare(digest_of(macs[_i].digest), secret, pool);

    ((char *)text.at)[text.len - 1] ^= 1;
    ck_assert(!av_slice_equal(mac_of(key, context, text, text.len), mac));
    ((char *)text.at)[text.len - 1] ^= 1;
    ((char *)secret.at)[secret.len - 1] ^= 1;
    key = av_hmac_prepare(digest_of(macs[_i].digest), secret, pool);
    ck_assert(!av_slice_equal(mac_of(key, context, text, text.len), mac));
}
END_TEST

START_TEST(contexts_of_one_key_do_not_know_of_each_other)
{
    const av_hmac_key *key = av_hmac_prepare(crypto->sha256, from_hex(macs[7].key), pool);
    EVP_MD_CTX *one = av_digest_context(pool), *other = av_digest_context(pool);
    av_slice text = from_hex(macs[7].text);

    ck_assert(av_hmac_start(key, one) && av_hmac_start(key, other));
    ck_assert_int_eq(EVP_DigestUpdate(other, "x", 1), 1);
    ck_assert_int_eq(EVP_DigestUpdate(one, text.at, text.len), 1);
    av_slice mac = finish(key, other);
    ck_assert(!av_slice_equal(mac, from_hex(macs[7].mac)));
    assert_slice(finish(key, one), from_hex(macs[7].mac), "the first context");
}
END_TEST

START_TEST(an_empty_key_is_refused)
{
    ck_assert_ptr_null(av_hmac_prepare(crypto->sha256, AV_SLICE(""), pool));
    ck_assert_ptr_null(av_hmac_prepare(crypto->sha256, (av_slice){ NULL, 0 }, pool));
}
END_TEST

START_TEST(a_failure_leaves_no_error_behind)
{
    EVP_MD_CTX *context = av_digest_context(pool);
    const av_hmac_key *key = av_hmac_prepare(crypto->sha256, AV_SLICE("key"), pool);
    av_hmac_key half = { key->inner, av_digest_context(pool) };
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ck_assert(!av_hmac_finish(key, context, mac, &size));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert(av_hmac_start(&half, context));
    ck_assert(!av_hmac_finish(&half, context, mac, &size));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("digest");
    TCase *tests = suite_case(suite, "digest");

    tcase_add_checked_fixture(tests, create_crypto, NULL);
    tcase_add_loop_test(tests, a_digest_is_that_of_the_standard, 0, ROWS(digests));
    tcase_add_loop_test(tests, a_mac_is_that_of_the_standard, 0, ROWS(macs));
    tcase_add_loop_test(tests, another_key_or_text_has_another_mac, 0, ROWS(macs));
    tcase_add_test(tests, contexts_of_one_key_do_not_know_of_each_other);
    tcase_add_test(tests, an_empty_key_is_refused);
    tcase_add_test(tests, a_failure_leaves_no_error_behind);
    return suite;
}
