/* Checksums beside a body: which headers are one, and which value is right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/checksum.h"
#include "support/suite.h"

/* Of "123456789": the published checks of the CRCs in base64; printf 123456789 | openssl dgst -NAME -binary | base64. */
static const struct {
    const char *name, *value, *of_nothing;
} sums[] = {
    { "x-amz-checksum-crc32", "y/Q5Jg==", "AAAAAA==" },
    { "x-amz-checksum-crc32c", "4waSgw==", "AAAAAA==" },
    { "x-amz-checksum-crc64nvme", "rosUhgp5mIg=", "AAAAAAAAAAA=" },
    { "x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    { "x-amz-checksum-sha256",
      "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
    { "Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw==", "1B2M2Y8AsgTpgAmY7PhCfg==" },
    { "X-AMZ-CHECKSUM-SHA256",
      "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
};

/* Is the value right of the text, which comes in pieces of `step` bytes? */
static bool is_right(const char *name, av_slice text, apr_size_t step, av_slice value)
{
    av_aws4_checksum *checksum = av_aws4_checksum_create(av_slice_of(name), av_crypto_create(pool), pool);

    ck_assert_msg(checksum != NULL, "%s", name);
    for (av_slice rest = text; rest.len; rest = av_slice_skip(rest, step)) {
        ck_assert(av_aws4_checksum_add(checksum, (av_slice){ rest.at, rest.len < step ? rest.len : step }));
    }
    return av_aws4_checksum_check(checksum, tight_copy(value));
}

START_TEST(a_checksum_is_that_of_its_body_alone)
{
    av_slice value = av_slice_of(sums[_i].value);

    ck_assert(av_aws4_checksum_is_one(av_slice_of(sums[_i].name)));
    for (apr_size_t step = 1; step <= 9; step++) {
        ck_assert_msg(is_right(sums[_i].name, AV_SLICE("123456789"), step, value), "%s", sums[_i].name);
    }
    ck_assert(!is_right(sums[_i].name, AV_SLICE("123456788"), 9, value));
    ck_assert(!is_right(sums[_i].name, AV_SLICE("12345678"), 9, value));
    ck_assert(is_right(sums[_i].name, AV_SLICE(""), 1, av_slice_of(sums[_i].of_nothing)));
}
END_TEST

START_TEST(a_checksum_is_written_in_base64_to_the_letter)
{
    av_slice value = av_slice_of(sums[_i].value), body = AV_SLICE("123456789");

    ck_assert(!is_right(sums[_i].name, body, 9, AV_SLICE("")));
    ck_assert(!is_right(sums[_i].name, body, 9, (av_slice){ value.at, value.len - 1 }));
    ck_assert(!is_right(sums[_i].name, body, 9, (av_slice){ value.at, value.len - 4 }));
    ck_assert(!is_right(sums[_i].name, body, 9, av_slice_join(value, AV_SLICE("A"), pool)));
    ck_assert(!is_right(sums[_i].name, body, 9, av_slice_join(value, AV_SLICE(" "), pool)));
    ck_assert(!is_right(sums[_i].name, body, 9, av_slice_join(value, AV_SLICE("AAAA"), pool)));
    ck_assert(!is_right(sums[_i].name, body, 9, av_slice_join(value, value, pool)));
    ck_assert(!is_right(sums[_i].name, body, 9, AV_SLICE("cbf43926")));
}
END_TEST

static const char *const others[] = {
    "",
    "content-md",
    "content-md55",
    "x-amz-checksum-",
    "x-amz-checksum-crc",
    "x-amz-checksum-crc64",
    "x-amz-checksum-sha512",
    "x-amz-checksum-type",
    "x_amz_checksum_crc32",
    "x-amz-checksum-algorithm",
    "x-amz-sdk-checksum-algorithm",
    "etag",
};

START_TEST(another_header_is_no_checksum)
{
    ck_assert_msg(!av_aws4_checksum_is_one(av_slice_of(others[_i])), "%s", others[_i]);
    ck_assert_ptr_null(av_aws4_checksum_create(av_slice_of(others[_i]), av_crypto_create(pool), pool));
}
END_TEST

START_TEST(a_library_without_md5_gives_no_checksum_of_it)
{
    av_crypto crypto = *av_crypto_create(pool);

    crypto.md5 = NULL;
    ck_assert_ptr_null(av_aws4_checksum_create(AV_SLICE("content-md5"), &crypto, pool));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 checksum");
    TCase *tests = suite_case(suite, "checksum");

    tcase_add_loop_test(tests, a_checksum_is_that_of_its_body_alone, 0, ROWS(sums));
    tcase_add_loop_test(tests, a_checksum_is_written_in_base64_to_the_letter, 0, ROWS(sums));
    tcase_add_loop_test(tests, another_header_is_no_checksum, 0, ROWS(others));
    tcase_add_test(tests, a_library_without_md5_gives_no_checksum_of_it);
    return suite;
}
