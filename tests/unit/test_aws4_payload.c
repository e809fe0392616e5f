/* What a request says of its body, and checksums that the body is held against.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/payload.h"
#include "support/trial.h"

#include <apr_strings.h>

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */
#define SIGNED "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define SIGNED_A "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
#define UNSIGNED_CHUNKS "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#define LENGTH "X-Amz-Decoded-Content-Length: 3\n"
#define TRAILER "X-Amz-Trailer: x-amz-checksum-crc32\n"

static av_aws4_settings settings;

static av_reason find_for(const char *service, bool in_query, bool is_ecdsa, const char *said, const char *fields,
                          av_aws4_payload *found)
{
    built_request request = request_of(apr_pstrcat(pool, "PUT / HTTP/1.1\nHost: h\n", fields, "\n", NULL));
    av_aws4_credential credential = { .service = av_slice_of(service),
                                      .in_query = in_query,
                                      .is_ecdsa = is_ecdsa,
                                      .content_sha256 = { said, said ? strlen(said) : 0 } };

    memset(found, 0, sizeof(*found));
    return av_aws4_payload_find(&request.head, &settings, &credential, found);
}

/* All is strict but what the row says. */
static const struct {
    const char *service;
    bool in_query, allows_unsigned, needs_no_content;
    const char *said;
    av_reason reason;
    av_aws4_payload_kind kind;
    const char *line;
} bodies[] = {
    { "s3", false, false, false, HASH, AV_ACCEPTED, AV_AWS4_HASHED, HASH },
    { "iam", false, false, false, HASH, AV_ACCEPTED, AV_AWS4_HASHED, HASH },
    { "s3", true, false, false, HASH, AV_ACCEPTED, AV_AWS4_HASHED, HASH },
    { "iam", true, false, false, HASH, AV_ACCEPTED, AV_AWS4_HASHED, HASH },
    { "s3", false, false, false, NULL, AV_PAYLOAD_NOT_SIGNED, AV_AWS4_COMPUTED, "" },
    { "s3", false, true, false, NULL, AV_PAYLOAD_NOT_SIGNED, AV_AWS4_COMPUTED, "" },
    { "s3", false, false, true, NULL, AV_ACCEPTED, AV_AWS4_COMPUTED, "" },
    { "s3", true, false, false, NULL, AV_ACCEPTED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "iam", false, false, false, NULL, AV_ACCEPTED, AV_AWS4_COMPUTED, "" },
    { "iam", true, false, false, NULL, AV_ACCEPTED, AV_AWS4_COMPUTED, "" },
    { "s3", false, false, false, "UNSIGNED-PAYLOAD", AV_PAYLOAD_NOT_SIGNED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "s3", false, true, false, "UNSIGNED-PAYLOAD", AV_ACCEPTED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "iam", false, false, false, "UNSIGNED-PAYLOAD", AV_PAYLOAD_NOT_SIGNED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "iam", true, false, false, "UNSIGNED-PAYLOAD", AV_PAYLOAD_NOT_SIGNED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "iam", true, true, false, "UNSIGNED-PAYLOAD", AV_ACCEPTED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
    { "s3", true, false, false, "UNSIGNED-PAYLOAD", AV_ACCEPTED, AV_AWS4_UNSIGNED, "UNSIGNED-PAYLOAD" },
};

START_TEST(a_body_is_signed_as_its_service_asks)
{
    av_aws4_payload found;

    settings = (av_aws4_settings){ .allows_unsigned_payload = bodies[_i].allows_unsigned,
                                   .needs_no_content_sha256 = bodies[_i].needs_no_content };
    assert_reason(find_for(bodies[_i].service, bodies[_i].in_query, false, bodies[_i].said, "", &found),
                  bodies[_i].reason, bodies[_i].said ? bodies[_i].said : "unsaid");
    ck_assert_int_eq(found.kind, bodies[_i].kind);
    assert_slice(found.line, av_slice_of(bodies[_i].line), "line");
}
END_TEST

static const char *const not_said[] = {
    "",
    "unsigned-payload",
    "UNSIGNED-PAYLOAD ",
    "UNSIGNED",
    "required",
    "STREAMING",
    "STREAMING-AWS4-HMAC-SHA256",
    "STREAMING-AWS4-HMAC-SHA256-EVENTS",
    "streaming-aws4-hmac-sha256-payload",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILERS",
    "STREAMING-UNSIGNED-PAYLOAD",
    "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
    "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
    HASH HASH,
};

START_TEST(anything_else_is_malformed)
{
    av_aws4_payload found;

    settings = (av_aws4_settings){ .allows_unsigned_payload = true, .needs_no_content_sha256 = true };
    assert_reason(find_for("s3", false, false, not_said[_i], LENGTH TRAILER, &found), AV_MALFORMED_CREDENTIAL,
                  not_said[_i]);
}
END_TEST

static const struct {
    bool in_query, is_ecdsa, allows_unsigned, needs_no_length;
    const char *said, *fields;
    av_reason reason;
} streams[] = {
    { false, false, false, false, SIGNED, LENGTH, AV_ACCEPTED },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH TRAILER, AV_ACCEPTED },
    { false, true, false, false, SIGNED_A, LENGTH, AV_ACCEPTED },
    { false, true, false, false, SIGNED_A "-TRAILER", LENGTH TRAILER, AV_ACCEPTED },
    { false, false, true, false, UNSIGNED_CHUNKS, LENGTH TRAILER, AV_ACCEPTED },
    { false, true, true, false, UNSIGNED_CHUNKS, LENGTH TRAILER, AV_ACCEPTED },
    /* of another signature */
    { false, true, false, false, SIGNED, LENGTH, AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED_A, LENGTH, AV_MALFORMED_CREDENTIAL },
    { false, true, false, false, SIGNED "-TRAILER", LENGTH TRAILER, AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED_A "-TRAILER", LENGTH TRAILER, AV_MALFORMED_CREDENTIAL },
    /* in a URL */
    { true, false, true, false, SIGNED, LENGTH, AV_MALFORMED_CREDENTIAL },
    { true, false, true, false, UNSIGNED_CHUNKS, LENGTH TRAILER, AV_MALFORMED_CREDENTIAL },
    /* unsigned */
    { false, false, false, false, UNSIGNED_CHUNKS, LENGTH TRAILER, AV_PAYLOAD_NOT_SIGNED },
    /* the length */
    { false, false, false, false, SIGNED, "", AV_LENGTH_REQUIRED },
    { false, false, false, true, SIGNED, "", AV_ACCEPTED },
    { false, false, false, true, SIGNED, "X-Amz-Decoded-Content-Length: x\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length:\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: -3\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: +3\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: 0x3\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: 3, 3\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, LENGTH LENGTH, AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: 999999999999999999\n", AV_ACCEPTED },
    { false, false, false, false, SIGNED, "X-Amz-Decoded-Content-Length: 9999999999999999999\n",
      AV_MALFORMED_CREDENTIAL },
    /* the names of trailers */
    { false, false, false, false, SIGNED "-TRAILER", LENGTH, AV_MALFORMED_CREDENTIAL },
    { false, false, true, false, UNSIGNED_CHUNKS, LENGTH, AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer:\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer: a,\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer: a b\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer: a, A\n", AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH TRAILER TRAILER, AV_MALFORMED_CREDENTIAL },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer: a,b,c,d,e,f,g,h\n", AV_ACCEPTED },
    { false, false, false, false, SIGNED "-TRAILER", LENGTH "X-Amz-Trailer: a,b,c,d,e,f,g,h,i\n",
      AV_MALFORMED_CREDENTIAL },
};

START_TEST(a_stream_says_what_it_needs)
{
    av_aws4_payload found;

    settings = (av_aws4_settings){ .allows_unsigned_payload = streams[_i].allows_unsigned,
                                   .needs_no_decoded_length = streams[_i].needs_no_length };
    assert_reason(
        find_for("s3", streams[_i].in_query, streams[_i].is_ecdsa, streams[_i].said, streams[_i].fields, &found),
        streams[_i].reason, apr_pstrcat(pool, streams[_i].said, " ", streams[_i].fields, NULL));
}
END_TEST

START_TEST(a_stream_is_read_field_by_field)
{
    av_aws4_payload found;

    settings = (av_aws4_settings){ .needs_no_decoded_length = true };
    assert_reason(find_for("s3", false, false, SIGNED "-TRAILER",
                           LENGTH "X-Amz-Trailer: x-amz-checksum-crc32 ,first\nContent-MD5: m\n", &found),
                  AV_ACCEPTED, "trailers");
    ck_assert_int_eq(found.kind, AV_AWS4_CHUNKS);
    ck_assert(found.has_trailers);
    ck_assert_int_eq(found.decoded_length, 3);
    ck_assert_uint_eq(found.trailer_count, 2);
    ck_assert_uint_eq(found.sum_count, 3);
    assert_slice(found.sums[0].name, AV_SLICE("x-amz-checksum-crc32"), "first");
    assert_slice(found.sums[1].name, AV_SLICE("first"), "second");
    assert_slice(found.sums[2].name, AV_SLICE("Content-MD5"), "third");
    assert_slice(found.sums[2].value, AV_SLICE("m"), "its value");
    assert_reason(find_for("s3", false, false, SIGNED, "", &found), AV_ACCEPTED, "no length");
    ck_assert(!found.has_trailers);
    ck_assert_int_eq(found.decoded_length, -1);
}
END_TEST

/* Of "abc": printf abc | openssl dgst -NAME -binary | base64; the CRC as gzip writes it. */
static const struct {
    const char *fields;
    bool is_right;
} sums[] = {
    { "", true },
    { "X-Amz-Checksum-Crc32: NSRBwg==\n", true },
    { "X-Amz-Checksum-Crc32: NSRBww==\n", false },
    { "X-Amz-Checksum-Crc32:\n", false },
    { "X-Amz-Checksum-Crc32: 352441c2\n", false },
    { "X-Amz-Checksum-Crc32: NSRBwg==, NSRBwg==\n", false },
    { "X-Amz-Checksum-Crc32: NSRBwg==\nX-Amz-Checksum-Sha1: qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n", true },
    { "X-Amz-Checksum-Crc32: NSRBwg==\nX-Amz-Checksum-Sha1: qZk+NkcGgWq6PiVxeFDCbJzQ2J4=\n", false },
    { "Content-MD5: kAFQmDzST7DWlj99KOF/cg==\n", true },
    { "Content-MD5: kAFQmDzST7DWlj99KOF/cw==\n", false },
    { "X-Amz-Checksum-Type: FULL_OBJECT\n", true },
};

START_TEST(every_checksum_beside_a_body_is_looked_at)
{
    av_aws4_payload found;

    settings = (av_aws4_settings){ 0 };
    assert_reason(find_for("s3", false, false, HASH, sums[_i].fields, &found), AV_ACCEPTED, sums[_i].fields);
    ck_assert(av_aws4_payload_prepare(&found, compiler.crypto, pool));
    ck_assert(av_aws4_payload_add(&found, AV_SLICE("a")) && av_aws4_payload_add(&found, AV_SLICE("bc")));
    ck_assert_msg(av_aws4_payload_sums_agree(&found) == sums[_i].is_right, "%s", sums[_i].fields);
}
END_TEST

START_TEST(there_is_an_end_to_checksums)
{
    av_aws4_payload found;
    const char *fields = "";

    settings = (av_aws4_settings){ 0 };
    for (int i = 0; i <= AV_AWS4_MOST_SUMS; i++) {
        assert_reason(find_for("s3", false, false, HASH, fields, &found), AV_ACCEPTED, fields);
        fields = apr_pstrcat(pool, fields, "Content-MD5: m\n", NULL);
    }
    assert_reason(find_for("s3", false, false, HASH, fields, &found), AV_MALFORMED_CREDENTIAL, fields);
}
END_TEST

START_TEST(a_checksum_that_the_library_refuses_is_not_passed_over)
{
    av_aws4_payload found;
    av_crypto crypto = *compiler.crypto;

    crypto.md5 = NULL;
    assert_reason(find_for("s3", true, false, NULL, "Content-MD5: kAFQmDzST7DWlj99KOF/cg==\n", &found), AV_ACCEPTED,
                  "MD5");
    ck_assert(!av_aws4_payload_prepare(&found, &crypto, pool));
    assert_reason(find_for("s3", true, false, NULL, "X-Amz-Checksum-Crc32: NSRBwg==\n", &found), AV_ACCEPTED, "CRC");
    ck_assert(av_aws4_payload_prepare(&found, &crypto, pool));
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 payload");
    TCase *tests = trial_case(suite, "payload");

    tcase_add_loop_test(tests, a_body_is_signed_as_its_service_asks, 0, ROWS(bodies));
    tcase_add_loop_test(tests, anything_else_is_malformed, 0, ROWS(not_said));
    tcase_add_loop_test(tests, a_stream_says_what_it_needs, 0, ROWS(streams));
    tcase_add_test(tests, a_stream_is_read_field_by_field);
    tcase_add_loop_test(tests, every_checksum_beside_a_body_is_looked_at, 0, ROWS(sums));
    tcase_add_test(tests, there_is_an_end_to_checksums);
    tcase_add_test(tests, a_checksum_that_the_library_refuses_is_not_passed_over);
    return suite;
}
