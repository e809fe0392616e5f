/* A body of chunks: what is one, byte by byte, and that the same comes out of it however it is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/stream.h"
#include "support/aws4_builder.h"
#include "support/trial.h"

#include <apr_strings.h>

#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define CRC "x-amz-checksum-crc32"
#define CRC_OF_TEXT "ad1ORQ==" /* of TEXT_SENT, as zlib.crc32 of Python has it */
#define TEXT_SENT "Wikipedia in chunks."

/* One stream at a time, and what has come out of it. */
static av_aws4_payload payload;
static av_aws4_credential credential;
static av_aws4_stream *stream;
static av_claim claim;
static char carried[128 * 1024];
static apr_size_t carried_len;

static void begin(av_aws4_payload_kind kind, const char *trailers, apr_int64_t length)
{
    av_key key = { .algorithm = &av_aws4_algorithm, .crypto = compiler.crypto };
    av_slice names = av_slice_of(trailers), name;

    ck_assert_ptr_null(av_aws4_algorithm.prepare(&key, AV_SLICE(AWS4_SECRET), pool));
    credential = (av_aws4_credential){ .scope = AV_SLICE(AWS4_SCOPE),
                                       .date = AV_SLICE("20260102"),
                                       .region = AV_SLICE("us-east-1"),
                                       .service = AV_SLICE("s3"),
                                       .signature = AV_SLICE(SEED),
                                       .timestamp = AWS4_TIME };
    payload = (av_aws4_payload){ .kind = kind, .decoded_length = length, .has_trailers = trailers != NULL };
    while (trailers && av_slice_split(&names, ',', &name)) {
        payload.sums[payload.sum_count++].name = name;
    }
    payload.trailer_count = payload.sum_count;
    ck_assert(av_aws4_payload_prepare(&payload, compiler.crypto, pool));
    av_aws4_signer *signer = av_aws4_signer_create(compiler.crypto, &credential, pool);
    ck_assert(signer && av_aws4_signer_derive(signer, &key));
    stream = av_aws4_stream_create(&claim, &payload, signer, pool);
    ck_assert_ptr_nonnull(stream);
    carried_len = 0;
}

/* Feeds a piece in place, in memory of its own size. */
static av_reason feed(av_slice piece)
{
    av_reader *reader = av_aws4_stream_reader(stream);
    av_slice copy = tight_copy(piece);
    apr_size_t len = piece.len;
    av_reason reason = reader->take(reader, copy.at, &len, (char *)copy.at);

    ck_assert_uint_le(len, piece.len);
    memcpy(carried + carried_len, copy.at, len);
    carried_len += len;
    return reason;
}

/* The first refusal of the body in pieces of `step`, or what its end comes to. */
static av_reason feed_all(av_slice body, apr_size_t step)
{
    for (av_slice rest = body; rest.len; rest = av_slice_skip(rest, step)) {
        av_reason reason = feed((av_slice){ rest.at, rest.len < step ? rest.len : step });
        if (reason != AV_ACCEPTED) {
            return reason;
        }
    }
    return av_aws4_stream_finish(stream);
}

static void assert_carried(av_slice wanted)
{
    assert_slice((av_slice){ carried, carried_len }, wanted, "carried");
}

/* --- the published stream ------------------------------------------------------------------------------------------ */

/* Amazon S3 API Reference, "Transferring Payload in Multiple Chunks": 65 KiB of "a" in chunks of 64 KiB. */
START_TEST(the_published_stream_is_right)
{
    char *text = apr_palloc(pool, 66560);
    av_key key = { .algorithm = &av_aws4_algorithm, .crypto = compiler.crypto };

    begin(AV_AWS4_CHUNKS, NULL, 66560);
    credential.scope = AV_SLICE("20130524/us-east-1/s3/aws4_request");
    credential.date = AV_SLICE("20130524");
    memcpy(credential.timestamp, "20130524T000000Z", AV_TIME_BASIC_SIZE);
    ck_assert_ptr_null(av_aws4_algorithm.prepare(&key, AV_SLICE("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), pool));
    av_aws4_signer *signer = av_aws4_signer_create(compiler.crypto, &credential, pool);
    ck_assert(av_aws4_signer_derive(signer, &key));
    stream = av_aws4_stream_create(&claim, &payload, signer, pool);
    memset(text, 'a', 66560);
    ck_assert_int_eq(
        feed(AV_SLICE("10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
                      "\r\n")),
        AV_ACCEPTED);
    ck_assert_int_eq(feed((av_slice){ text, 65536 }), AV_ACCEPTED);
    ck_assert_int_eq(feed(AV_SLICE("\r\n400;chunk-signature="
                                   "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n")),
                     AV_ACCEPTED);
    ck_assert_int_eq(feed((av_slice){ text, 1024 }), AV_ACCEPTED);
    ck_assert_int_eq(feed(AV_SLICE("\r\n0;chunk-signature="
                                   "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n")),
                     AV_ACCEPTED);
    ck_assert_int_eq(av_aws4_stream_finish(stream), AV_ACCEPTED);
    assert_carried((av_slice){ text, 66560 });
}
END_TEST

/* --- the three shapes, cut everywhere ------------------------------------------------------------------------------- */

#define BARE "7\r\nWikiped\r\na\r\nia in chun\r\n3\r\nks.\r\n0\r\n"

typedef struct shape {
    av_aws4_payload_kind kind;
    const char *trailers, *lines;
} shape;

static const shape shapes[] = {
    { AV_AWS4_CHUNKS, NULL, NULL },
    { AV_AWS4_CHUNKS, CRC, CRC ":" CRC_OF_TEXT "\n" },
    { AV_AWS4_CHUNKS, "x-amz-meta-second," CRC, CRC ":" CRC_OF_TEXT "\nx-amz-meta-second:2nd\n" },
    { AV_AWS4_UNSIGNED_CHUNKS, CRC, NULL },
};

static av_slice body_of(const shape *of)
{
    return of->kind == AV_AWS4_CHUNKS ? aws4_chunks(SEED, AV_SLICE(TEXT_SENT), 7, of->lines, pool)
                                      : AV_SLICE(BARE CRC ":" CRC_OF_TEXT "\r\n\r\n");
}

static void begin_shape(const shape *of)
{
    begin(of->kind, of->trailers, sizeof(TEXT_SENT) - 1);
}

START_TEST(a_stream_is_the_same_in_steps_of_any_size)
{
    av_slice body = body_of(&shapes[_i]);

    for (apr_size_t step = 1; step <= body.len; step++) {
        begin_shape(&shapes[_i]);
        assert_reason(feed_all(body, step), AV_ACCEPTED, "steps");
        assert_carried(AV_SLICE(TEXT_SENT));
    }
}
END_TEST

START_TEST(a_stream_may_be_cut_at_every_byte)
{
    av_slice body = body_of(&shapes[_i]);

    for (apr_size_t cut = 0; cut <= body.len; cut++) {
        begin_shape(&shapes[_i]);
        ck_assert_int_eq(feed((av_slice){ body.at, cut }), AV_ACCEPTED);
        ck_assert_int_eq(feed(av_slice_skip(body, cut)), AV_ACCEPTED);
        ck_assert_int_eq(av_aws4_stream_finish(stream), AV_ACCEPTED);
        assert_carried(AV_SLICE(TEXT_SENT));
    }
}
END_TEST

START_TEST(a_stream_that_ends_early_has_not_ended)
{
    av_slice body = body_of(&shapes[_i]);

    for (apr_size_t cut = 0; cut < body.len; cut++) {
        begin_shape(&shapes[_i]);
        assert_reason(feed_all((av_slice){ body.at, cut }, 16), AV_MALFORMED_CHUNKS, "cut off");
    }
}
END_TEST

START_TEST(nothing_follows_the_end_of_a_stream)
{
    static const char *const more[] = { "\r\n", "\n", "x", "0\r\n\r\n", "\0" };

    for (int i = 0; i < ROWS(more); i++) {
        begin_shape(&shapes[_i]);
        av_slice longer = av_slice_join(body_of(&shapes[_i]), (av_slice){ more[i], strlen(more[i]) + !*more[i] }, pool);
        assert_reason(feed_all(longer, 4096), AV_MALFORMED_CHUNKS, "more");
        assert_carried(AV_SLICE(TEXT_SENT));
    }
}
END_TEST

/* Whatever byte is another: a signed stream is refused, but for the case of a size's or a trailer's letters. */
START_TEST(no_byte_of_a_stream_may_be_another)
{
    static const char others[] = "\r\n 0aA;:=*\x80";
    av_slice body = body_of(&shapes[_i]);

    for (apr_size_t at = 0; at < body.len; at++) {
        for (size_t i = 0; i < sizeof(others); i++) {
            if (body.at[at] == others[i] || (body.at[at] | 0x20) == (others[i] | 0x20)) {
                continue;
            }
            av_slice changed = av_slice_join(body, AV_SLICE(""), pool);
            ((char *)changed.at)[at] = others[i];
            begin_shape(&shapes[_i]);
            ck_assert_msg(feed_all(changed, 64) != AV_ACCEPTED, "byte %zu as %02x", at, (unsigned char)others[i]);
        }
    }
}
END_TEST

START_TEST(no_byte_of_a_stream_is_missing_or_twice)
{
    av_slice body = body_of(&shapes[_i]);

    for (apr_size_t at = 0; at < body.len; at++) {
        av_slice start = { body.at, at }, twice = { body.at, at + 1 };
        begin_shape(&shapes[_i]);
        ck_assert_msg(feed_all(av_slice_join(start, av_slice_skip(body, at + 1), pool), 64) != AV_ACCEPTED,
                      "without byte %zu", at);
        if (body.at[at] == '0' && at && body.at[at - 1] == '\n') {
            continue; /* the size of the last chunk may have more digits than it needs */
        }
        begin_shape(&shapes[_i]);
        ck_assert_msg(feed_all(av_slice_join(twice, av_slice_skip(body, at), pool), 64) != AV_ACCEPTED,
                      "byte %zu twice", at);
    }
}
END_TEST

/* --- each state, and what it takes ---------------------------------------------------------------------------------- */

/* Chunks without signatures: nothing but their form is wrong. "abc" has the CRC "NSRBwg==". */
#define END "\r\n0\r\n" CRC ":NSRBwg==\r\n\r\n"

static const struct {
    const char *body;
    av_reason reason;
} forms[] = {
    { "3\r\nabc" END, AV_ACCEPTED },
    { "00000003\r\nabc" END, AV_ACCEPTED },
    { "1\r\na\r\n2\r\nbc" END, AV_ACCEPTED },
    { "3\r\nabc\r\n00000000\r\n" CRC ":NSRBwg==\r\n\r\n", AV_ACCEPTED },
    { "3\r\nabc\r\n0\r\nX-Amz-Checksum-CRC32: \tNSRBwg== \r\n\r\n", AV_ACCEPTED },
    /* at a chunk */
    { "\r\n3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3\nabc" END, AV_MALFORMED_CHUNKS },
    { "3\rabc" END, AV_MALFORMED_CHUNKS },
    { "3\r\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "\r3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { " 3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3 \r\nabc" END, AV_MALFORMED_CHUNKS },
    { "+3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "-3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "0x3\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3g\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3;a=b\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3;\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3;chunk-signature=" SEED "\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "000000003\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "100000003\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "10000000000000003\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "ffffffffffffffffffffffffffffffff\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "ffffffff\r\nabc" END, AV_MALFORMED_CHUNKS },
    /* behind its bytes */
    { "3\r\nabcd" END, AV_MALFORMED_CHUNKS },
    { "2\r\nabc" END, AV_MALFORMED_CHUNKS },
    { "3\r\nabc\n0\r\n" CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc0\r\n" CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc \r\n0\r\n" CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n\r\n0\r\n" CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    /* the length that was announced is 3 */
    { "2\r\nab\r\n0\r\n" CRC ":noNIbQ==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n1\r\nd" END, AV_MALFORMED_CHUNKS },
    { "0\r\n" CRC ":AAAAAA==\r\n\r\n", AV_MALFORMED_CHUNKS },
    /* at a trailer */
    { "3\r\nabc\r\n0\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC "\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ": \r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC " :NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n " CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==\r\n\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==\r\n" CRC ":NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==\r\nother:1\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\nother:NSRBwg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRB\x01wg==\r\n\r\n", AV_MALFORMED_CHUNKS },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==\r\nx-amz-trailer-signature:" SEED "\r\n\r\n", AV_MALFORMED_CHUNKS },
    /* the checksum */
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBww==\r\n\r\n", AV_CHECKSUM_MISMATCH },
    { "3\r\nabd\r\n0\r\n" CRC ":NSRBwg==\r\n\r\n", AV_CHECKSUM_MISMATCH },
    { "3\r\nabc\r\n0\r\n" CRC ":NSRBwg==NSRBwg==\r\n\r\n", AV_CHECKSUM_MISMATCH },
};

START_TEST(a_chunk_has_one_form)
{
    av_slice body = av_slice_of(forms[_i].body);

    for (apr_size_t step = 1; step <= body.len; step++) {
        begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, 3);
        assert_reason(feed_all(body, step), forms[_i].reason, forms[_i].body);
    }
}
END_TEST

START_TEST(a_line_has_a_longest_length)
{
    char *digits = apr_palloc(pool, 4096);

    memset(digits, '0', 4096);
    for (apr_size_t len = 9; len <= 4096; len += 7) {
        begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, 3);
        av_slice body = av_slice_join((av_slice){ digits, len }, AV_SLICE("3\r\nabc" END), pool);
        assert_reason(feed_all(body, 4096), AV_MALFORMED_CHUNKS, "length");
    }
    begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, 3);
    ck_assert_int_eq(feed((av_slice){ digits, 1024 }), AV_ACCEPTED);
    ck_assert_int_eq(feed((av_slice){ digits, 1 }), AV_MALFORMED_CHUNKS);
}
END_TEST

START_TEST(a_length_that_was_not_announced_may_be_any)
{
    begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, -1);
    assert_reason(feed_all(AV_SLICE("3\r\nabc" END), 5), AV_ACCEPTED, "three");
    begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, -1);
    assert_reason(feed_all(AV_SLICE("0\r\n" CRC ":AAAAAA==\r\n\r\n"), 5), AV_ACCEPTED, "none");
}
END_TEST

START_TEST(more_than_was_announced_is_refused_before_it_is_read)
{
    begin(AV_AWS4_UNSIGNED_CHUNKS, CRC, 3);
    ck_assert_int_eq(feed(AV_SLICE("4\r\n")), AV_MALFORMED_CHUNKS);
    ck_assert_uint_eq(carried_len, 0);
}
END_TEST

/* --- the chain of signatures ---------------------------------------------------------------------------------------- */

/* A signed chunk whose signature builds on `before`; its signature is the next one's before. */
static const char *chunk(const char **before, const char *text, const char *extension)
{
    *before = aws4_sign_chunk(*before, av_slice_of(text), pool);
    return apr_psprintf(pool, "%lx;chunk-signature=%s%s\r\n%s\r\n", (unsigned long)strlen(text), *before, extension,
                        text);
}

static av_reason reason_of_chunks(const char *body, const char *trailers, apr_int64_t length)
{
    begin(AV_AWS4_CHUNKS, trailers, length);
    return feed_all(av_slice_of(body), 16);
}

START_TEST(each_chunk_is_signed_with_the_one_before)
{
    const char *before = SEED, *other = SEED;
    const char *first = chunk(&before, "abc", ""), *second = chunk(&before, "de", ""), *last = chunk(&before, "", "");
    const char *alone = chunk(&other, "de", "");

    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, second, last, NULL), NULL, 5), AV_ACCEPTED);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, alone, last, NULL), NULL, 5), AV_WRONG_SIGNATURE);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, second, first, last, NULL), NULL, 5), AV_WRONG_SIGNATURE);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, last, NULL), NULL, 3), AV_WRONG_SIGNATURE);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, first, last, NULL), NULL, 6), AV_WRONG_SIGNATURE);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, second, NULL), NULL, 5), AV_MALFORMED_CHUNKS);
    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, first, second, "0\r\n\r\n", NULL), NULL, 5),
                     AV_MALFORMED_CHUNKS);
    ck_assert_int_eq(
        reason_of_chunks(apr_pstrcat(pool, first, second, "0;chunk-signature=" SEED "\r\n\r\n", NULL), NULL, 5),
        AV_WRONG_SIGNATURE);
}
END_TEST

static const char *const extensions[] = {
    (";chunk-signature=" SEED), ";a=b", ";", " ", "0", ",",
};

START_TEST(a_signed_chunk_has_no_other_extension)
{
    const char *before = SEED, *body = chunk(&before, "abc", extensions[_i]);

    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, body, chunk(&before, "", ""), NULL), NULL, 3),
                     AV_MALFORMED_CHUNKS);
}
END_TEST

static const char *const starts[] = {
    "3;Chunk-Signature=",  "3; chunk-signature=", "3;chunk-signature= ",    "3;chunk-signature:", "3;signature=",
    "3;;chunk-signature=", "3 ;chunk-signature=", "3;a=b;chunk-signature=", "3,chunk-signature=",
};

START_TEST(a_signed_chunk_says_its_signature_in_one_way)
{
    const char *signature = aws4_sign_chunk(SEED, AV_SLICE("abc"), pool);

    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, starts[_i], signature, "\r\nabc\r\n", NULL), NULL, 3),
                     AV_MALFORMED_CHUNKS);
}
END_TEST

START_TEST(a_refused_chunk_ends_the_stream)
{
    const char *before = SEED, *first = chunk(&before, "abc", "");
    const char *forged = apr_pstrcat(pool, "2;chunk-signature=", SEED, "\r\nde\r\n", NULL);

    begin(AV_AWS4_CHUNKS, NULL, 5);
    ck_assert_int_eq(feed(av_slice_of(apr_pstrcat(pool, first, forged, "unread", NULL))), AV_WRONG_SIGNATURE);
    assert_carried(AV_SLICE("abcde"));
}
END_TEST

/* --- trailers -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *names, *signed_lines, *sent;
    av_reason reason;
} trailers[] = {
    { "a", "a:1\n", "a:1\r\n", AV_ACCEPTED },
    { "A", "a:1\n", "a:1\r\n", AV_ACCEPTED },
    { "a", "a:1\n", "A: 1 \r\n", AV_ACCEPTED },
    { "a,b", "b:2\na:1\n", "b:2\r\na:1\r\n", AV_ACCEPTED },
    { "a,b", "a:1\nb:2\n", "b:2\r\na:1\r\n", AV_WRONG_SIGNATURE },
    { "a", "a:1\n", "a:2\r\n", AV_WRONG_SIGNATURE },
    { "a", "a:1", "a:1\r\n", AV_WRONG_SIGNATURE },
    { "a", "a:1\r\n", "a:1\r\n", AV_WRONG_SIGNATURE },
    { "a", "A:1\n", "A:1\r\n", AV_WRONG_SIGNATURE },
    { "a,b", "a:1\n", "a:1\r\n", AV_MALFORMED_CHUNKS },
    { "a", "a:1\nb:2\n", "a:1\r\nb:2\r\n", AV_MALFORMED_CHUNKS },
    { "a", "", "", AV_WRONG_SIGNATURE },
};

static const char *trailers_body(const char *signed_lines, const char *sent, const char *extra)
{
    const char *before = SEED, *chunks = chunk(&before, "abc", "");
    const char *last = aws4_sign_chunk(before, AV_SLICE(""), pool);

    return apr_pstrcat(pool, chunks, "0;chunk-signature=", last, "\r\n", sent,
                       "x-amz-trailer-signature:", aws4_sign_trailers(last, signed_lines, pool), "\r\n", extra, "\r\n",
                       NULL);
}

START_TEST(trailers_are_signed_as_they_are_announced_and_sent)
{
    av_reason reason =
        reason_of_chunks(trailers_body(trailers[_i].signed_lines, trailers[_i].sent, ""), trailers[_i].names, 3);

    if (*trailers[_i].sent) {
        assert_reason(reason, trailers[_i].reason, trailers[_i].sent);
    } else {
        ck_assert(reason != AV_ACCEPTED);
    }
}
END_TEST

START_TEST(the_signature_of_trailers_is_there_and_last)
{
    const char *before = SEED, *chunks = chunk(&before, "abc", "");
    const char *last = aws4_sign_chunk(before, AV_SLICE(""), pool);
    const char *body = apr_pstrcat(pool, chunks, "0;chunk-signature=", last, "\r\n", NULL);
    const char *right = aws4_sign_trailers(last, "a:1\n", pool);

    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, body, "a:1\r\n\r\n", NULL), "a", 3), AV_WRONG_SIGNATURE);
    ck_assert_int_eq(
        reason_of_chunks(apr_pstrcat(pool, body, "a:1\r\nx-amz-trailer-signature:" SEED "\r\n\r\n", NULL), "a", 3),
        AV_WRONG_SIGNATURE);
    ck_assert_int_eq(
        reason_of_chunks(apr_pstrcat(pool, body, "a:1\r\nx-amz-trailer-signature:", right, "0\r\n\r\n", NULL), "a", 3),
        AV_MALFORMED_CHUNKS);
    ck_assert_int_eq(reason_of_chunks(trailers_body("a:1\n", "a:1\r\n", "b:2\r\n"), "a,b", 3), AV_MALFORMED_CHUNKS);
    ck_assert_int_eq(
        reason_of_chunks(trailers_body("a:1\n", "a:1\r\n", "x-amz-trailer-signature:" SEED "\r\n"), "a", 3),
        AV_MALFORMED_CHUNKS);
}
END_TEST

/* As a proxy did that took trailers for one more chunk. */
START_TEST(trailers_are_not_signed_as_a_chunk)
{
    const char *before = SEED, *chunks = chunk(&before, "abc", "");
    const char *last = aws4_sign_chunk(before, AV_SLICE(""), pool);

    ck_assert_int_eq(reason_of_chunks(apr_pstrcat(pool, chunks, "0;chunk-signature=", last, "\r\na:1\r\n",
                                                  "x-amz-trailer-signature:",
                                                  aws4_sign_chunk(last, AV_SLICE("a:1\n"), pool), "\r\n\r\n", NULL),
                                      "a", 3),
                     AV_WRONG_SIGNATURE);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 stream");
    TCase *tests = trial_case(suite, "stream");

    tcase_add_test(tests, the_published_stream_is_right);
    tcase_add_loop_test(tests, a_stream_is_the_same_in_steps_of_any_size, 0, ROWS(shapes));
    tcase_add_loop_test(tests, a_stream_may_be_cut_at_every_byte, 0, ROWS(shapes));
    tcase_add_loop_test(tests, a_stream_that_ends_early_has_not_ended, 0, ROWS(shapes));
    tcase_add_loop_test(tests, nothing_follows_the_end_of_a_stream, 0, ROWS(shapes));
    tcase_add_loop_test(tests, no_byte_of_a_stream_may_be_another, 0, ROWS(shapes));
    tcase_add_loop_test(tests, no_byte_of_a_stream_is_missing_or_twice, 0, ROWS(shapes));
    tcase_add_loop_test(tests, a_chunk_has_one_form, 0, ROWS(forms));
    tcase_add_test(tests, a_line_has_a_longest_length);
    tcase_add_test(tests, a_length_that_was_not_announced_may_be_any);
    tcase_add_test(tests, more_than_was_announced_is_refused_before_it_is_read);
    tcase_add_test(tests, each_chunk_is_signed_with_the_one_before);
    tcase_add_loop_test(tests, a_signed_chunk_has_no_other_extension, 0, ROWS(extensions));
    tcase_add_loop_test(tests, a_signed_chunk_says_its_signature_in_one_way, 0, ROWS(starts));
    tcase_add_test(tests, a_refused_chunk_ends_the_stream);
    tcase_add_loop_test(tests, trailers_are_signed_as_they_are_announced_and_sent, 0, ROWS(trailers));
    tcase_add_test(tests, the_signature_of_trailers_is_there_and_last);
    tcase_add_test(tests, trailers_are_not_signed_as_a_chunk);
    return suite;
}
