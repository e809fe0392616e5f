/* A captured request, as a file holds it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/capture.h"

static const struct {
    const char *text;
    const char *method, *target, *path, *query, *place, *body;
} requests[] = {
    { "GET / HTTP/1.1\n\n", "GET", "/", "/", "", "/", "" },
    { "GET / HTTP/1.1\r\n\r\n", "GET", "/", "/", "", "/", "" },
    { "POST /a?b=c?d HTTP/1.0\nA: b\n\nbody\n", "POST", "/a?b=c?d", "/a", "b=c?d", "/a", "body\n" },
    { "GET /? HTTP/2\n\n", "GET", "/?", "/", "", "/", "" },
    { "GET https://host/a?b HTTP/1.1\n\n", "GET", "/a?b", "/a", "b", "/a", "" },
    { "GET /a?u=http://x/y HTTP/1.1\n\n", "GET", "/a?u=http://x/y", "/a", "u=http://x/y", "/a", "" },
    { "GET /%61/./b/../c//d HTTP/1.1\n\n", "GET", "/%61/./b/../c//d", "/%61/./b/../c//d", "", "/a/c/d", "" },
    { "GET /a/b/.. HTTP/1.1\n\n", "GET", "/a/b/..", "/a/b/..", "", "/a/", "" },
    { "GET /a/. HTTP/1.1\n\n", "GET", "/a/.", "/a/.", "", "/a/", "" },
    { "GET /../../a/ HTTP/1.1\n\n", "GET", "/../../a/", "/../../a/", "", "/a/", "" },
    { "GET /a%zz HTTP/1.1\n\n", "GET", "/a%zz", "/a%zz", "", "", "" },
    { "POST / HTTP/1.1\nContent-Length: 4\n\nbody", "POST", "/", "/", "", "/", "body" },
    { "POST / HTTP/1.1\n\n\nbody\r\n", "POST", "/", "/", "", "/", "\nbody\r\n" },
};

START_TEST(a_request_is_taken_apart)
{
    avt_capture capture;
    const av_request *request = &capture.request;

    ck_assert_ptr_null(avt_capture_read(tight_copy(av_slice_of(requests[_i].text)), &capture, pool));
    assert_slice(request->method, av_slice_of(requests[_i].method), "method");
    assert_slice(request->target, av_slice_of(requests[_i].target), "target");
    assert_slice(request->path, av_slice_of(requests[_i].path), "path");
    assert_slice(request->query, av_slice_of(requests[_i].query), "query");
    assert_slice(request->place, av_slice_of(requests[_i].place), "place");
    assert_slice(capture.body, av_slice_of(requests[_i].body), "body");
    ck_assert_ptr_null(capture.note);
    ck_assert(request->host_is_ours);
}
END_TEST

START_TEST(fields_of_one_name_are_one_value_as_httpd_makes_it)
{
    avt_capture capture;

    ck_assert_ptr_null(
        avt_capture_read(AV_SLICE("GET / HTTP/1.1\nHost: h:1\nX-A:  1 \nB:\nx-a:2\n\n"), &capture, pool));
    ck_assert_uint_eq(capture.request.header_count, 3);
    assert_slice(capture.request.headers[1].name, AV_SLICE("X-A"), "name");
    assert_slice(capture.request.headers[1].value, AV_SLICE("1, 2"), "value");
    assert_slice(capture.request.headers[2].value, AV_SLICE(""), "empty");
    assert_slice(capture.request.origin, AV_SLICE("https://h:1"), "origin");
}
END_TEST

static const struct {
    const char *text, *body, *said;
} lengths[] = {
    { "POST / HTTP/1.1\nContent-Length: 3\n\nbody", "bod", "the rest is left out" },
    { "POST / HTTP/1.1\ncontent-length: 0\n\nbody", "", "the rest is left out" },
    { "POST / HTTP/1.1\nContent-Length: 5\n\nbody", "body", "it is cut off" },
};

START_TEST(a_body_that_is_not_as_long_as_it_says_is_told)
{
    avt_capture capture;

    ck_assert_ptr_null(avt_capture_read(av_slice_of(lengths[_i].text), &capture, pool));
    assert_slice(capture.body, av_slice_of(lengths[_i].body), "body");
    assert_sentence(capture.note, lengths[_i].said);
}
END_TEST

static const struct {
    const char *text, *said;
} mistakes[] = {
    { "", "no request line" },
    { "\n", "no request line" },
    { "GET\n\n", "no request line" },
    { "GET /\n\n", "no request line" },
    { " / HTTP/1.1\n\n", "no request line" },
    { "GET  HTTP/1.1\n\n", "no request line" },
    { "GET / FTP/1.1\n\n", "no request line" },
    { "GET / HTTP/1.1\nA\n\n", "line 2" },
    { "GET / HTTP/1.1\nA: b\n c\n\n", "line 3" },
    { "GET / HTTP/1.1\n: b\n\n", "line 2" },
    { "GET / HTTP/1.1\nA b: c\n\n", "line 2" },
    { "GET / HTTP/1.1\nA: b", "empty line" },
    { "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\n", "chunks" },
    { "POST / HTTP/1.1\nContent-Length:\n\n", "no number" },
    { "POST / HTTP/1.1\nContent-Length: -1\n\n", "no number" },
    { "POST / HTTP/1.1\nContent-Length: 1\nContent-Length: 1\n\nx", "no number" },
    { "POST / HTTP/1.1\nContent-Length: 1234567890123456789\n\nx", "no number" },
};

START_TEST(what_is_no_request_is_a_sentence)
{
    avt_capture capture;

    assert_sentence(avt_capture_read(tight_copy(av_slice_of(mistakes[_i].text)), &capture, pool), mistakes[_i].said);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("capture");
    TCase *tests = suite_case(suite, "capture");

    tcase_add_loop_test(tests, a_request_is_taken_apart, 0, ROWS(requests));
    tcase_add_test(tests, fields_of_one_name_are_one_value_as_httpd_makes_it);
    tcase_add_loop_test(tests, a_body_that_is_not_as_long_as_it_says_is_told, 0, ROWS(lengths));
    tcase_add_loop_test(tests, what_is_no_request_is_a_sentence, 0, ROWS(mistakes));
    return suite;
}
