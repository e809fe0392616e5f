/* Why a request was accepted or refused: what must be said, and what must never be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"
#include "tools/explanation.h"

#include <apr_strings.h>

/* The steps of a request under a rule (and another that must hold besides), one a line. */
static const char *explain(const char *line, const char *also, const char *text, avt_explanation *explanation)
{
    avt_capture capture;
    av_claim *claim = NULL;
    av_policy *policy = policy_of(line);
    built_request request = { 0 };

    if (also) {
        add_also(policy, also);
    }
    ck_assert_ptr_null(avt_capture_read(av_slice_of(text), &capture, pool));
    capture.request.received_at = RECEIVED_AT;
    *explanation = (avt_explanation){ .steps = apr_array_make(pool, 8, sizeof(const char *)), .pool = pool };
    av_reason reason = av_find(policy, &capture.request, &claim, pool);
    avt_explain_choice(explanation, policy, claim, reason);
    request.head = capture.request;
    request.body = capture.body;
    request.parse_limit = 1024;
    av_verdict verdict = reason == AV_ACCEPTED ? request_prove(&request, claim, pool) : av_refusal(reason, claim);
    avt_explain_claims(explanation, claim, &capture, &verdict);
    return apr_array_pstrcat(pool, explanation->steps, '\n');
}

#define HMAC "signature secret=env:SECRET signature=%{header:X-S}"
#define POST "POST / HTTP/1.1\n"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
/* Of "body" under SECRET. */
#define OF_BODY "@BODY@"
#define OF_CRLF "@CRLF@"
#define OF_NOTHING "@NOTHING@"

static const struct {
    const char *rule, *also, *request, *said;
} cases[] = {
    { HMAC, NULL, POST "\nbody", "looks at header X-S: not there" },
    { HMAC, NULL, POST "\nbody", "no rule sees its credential" },
    { HMAC, NULL, POST "X-S:\n\nbody", "the head alone is refused: " },
    { HMAC, NULL, POST "X-S: " ZERO "\n\nbody", "it sees its credential, and decides" },
    { HMAC, NULL, POST "X-S: " ZERO "\n\nbody", "signed text, 4 bytes: body" },
    { HMAC, NULL, POST "X-S: " ZERO "\n\nbody", "signature sent: " ZERO },
    { HMAC, NULL, POST "X-S: " ZERO "\n\nbody",
      "signature under the secret \"SECRET\": " OF_BODY ", which was not sent" },
    { HMAC, NULL, POST "X-S: " OF_BODY "\n\nbody", OF_BODY ", which was sent" },
    { HMAC, NULL, POST "X-S: " OF_BODY "\n\nbody\n", "without the line end at its end" },
    { HMAC, NULL, POST "X-S: " OF_BODY "\n\nbody\r\n", "without the line end at its end" },
    { HMAC, NULL, POST "X-S: " OF_CRLF "\n\na\nb", "with CRLF for each LF" },
    { HMAC, NULL, POST "X-S: " OF_NOTHING "\n\nbody", "the empty body" },
    { HMAC, NULL, POST "X-S: " ZERO "\n\n\x01\\\xff\n", "signed text, 4 bytes: \\x01\\\\\\xff\\n" },
    { HMAC " timestamp=%{header:X-T} signed=%{timestamp}%{body}", NULL, POST "X-T: 1767311000\nX-S: " ZERO "\n\nbody",
      "1000 seconds old; 300 back and 300 ahead are allowed" },
    { HMAC " timestamp=%{header:X-T} signed=%{timestamp}%{body}", NULL, POST "X-T: 1767313000\nX-S: " ZERO "\n\nbody",
      "999 seconds ahead" },
    { HMAC " signed=%{json:/a}", NULL, POST "X-S: " ZERO "\n\n{}", "cannot be read from the body" },
    { HMAC, "bearer secret=env:SECOND", POST "X-S: " OF_BODY "\nAuthorization: Bearer x\n\nbody",
      "rule \"bearer\" must hold besides: it sees its credential" },
    { "bearer secret=env:SECRET from=192.0.2.1", NULL, "GET / HTTP/1.1\nAuthorization: Bearer x\n\n", "--address" },
    { "api-key secret=env:SECRET in=query:k", NULL, "GET /?k=x HTTP/1.1\n\n", "looks at query parameter k: it sees" },
    { "bearer secret=env:SECRET prefix=none", NULL, "GET / HTTP/1.1\n\n", "Authorization without a word: not there" },
};

static const char *filled(const char *text)
{
    static const struct {
        const char *mark;
        av_slice body;
    } macs[] = { { OF_BODY, TEXT("body") }, { OF_CRLF, TEXT("a\r\nb") }, { OF_NOTHING, TEXT("") } };

    for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
        const char *at = strstr(text, macs[i].mark);
        unsigned char mac[EVP_MAX_MD_SIZE];
        size_t size = 0;
        if (at) {
            ck_assert_ptr_nonnull(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, SECRET, strlen(SECRET),
                                            (const unsigned char *)macs[i].body.at, macs[i].body.len, mac, sizeof(mac),
                                            &size));
            return apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(at - text)),
                               av_encode(AV_HEX, (av_slice){ (const char *)mac, size }, pool).at,
                               at + strlen(macs[i].mark), NULL);
        }
    }
    return text;
}

START_TEST(what_differs_is_said)
{
    avt_explanation explanation;

    assert_sentence(explain(cases[_i].rule, cases[_i].also, filled(cases[_i].request), &explanation),
                    filled(cases[_i].said));
}
END_TEST

/* Credentials that are right, wrong, and in the wrong place. */
static const struct {
    const char *rule, *request;
} silent[] = {
    { "bearer secret=env:SECRET", "GET / HTTP/1.1\nAuthorization: Bearer s3cr3t\n\n" },
    { "bearer secret=env:SECRET", "GET / HTTP/1.1\nAuthorization: Bearer s3cr3t s3cr3t\n\n" },
    { "bearer secret=env:SECRET prefix=EN", "GET / HTTP/1.1\nAuthorization: Bearer s3cr3t\n\n" },
    { "api-key secret=env:SECRET in=query:k", "GET /?k=s3cr3t HTTP/1.1\n\n" },
    { "api-key secret=env:SECRET in=header:X-K,query:k", "GET /?k=s3cr3t HTTP/1.1\nX-K: s3cr3t\n\n" },
    { "token-pair secret=env:SECRET", "GET / HTTP/1.1\nX-Auth-Token: s3cr3t\nX-Auth-Secret: s3cr3t\n\n" },
    { "basic secret=env:SECRET", "GET / HTTP/1.1\nAuthorization: Basic YWxpY2U6czNjcjN0\n\n" },
    { "signature secret=env:SECRET algorithm=token signature=%{header:X-Token}", POST "X-Token: s3cr3t\n\nbody" },
    { "signature secret=env:SECRET algorithm=token signature=%{header:X-Token}", POST "X-Token: " SECRET "\n\nbody" },
    { HMAC, POST "X-S: " ZERO "\n\nbody" },
};

START_TEST(no_secret_is_said)
{
    avt_explanation explanation;
    const char *told = explain(silent[_i].rule, NULL, silent[_i].request, &explanation);

    ck_assert_msg(!strstr(told, "s3cr3t") && !strstr(told, SECRET), "%s", told);
    ck_assert_ptr_null(strstr(told, "YWxpY2U"));
}
END_TEST

START_TEST(a_long_text_is_cut)
{
    avt_explanation explanation;
    char *body = apr_pcalloc(pool, 5001);

    memset(body, 'x', 5000);
    const char *told = explain(HMAC, NULL, apr_pstrcat(pool, POST "X-S: " ZERO "\n\n", body, NULL), &explanation);
    assert_sentence(told, "signed text, 5000 bytes: xxx");
    ck_assert_uint_eq(strlen(explanation.signed_text), 2000);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("explanation");
    TCase *tests = trial_case(suite, "explanation");

    tcase_add_loop_test(tests, what_differs_is_said, 0, ROWS(cases));
    tcase_add_loop_test(tests, no_secret_is_said, 0, ROWS(silent));
    tcase_add_test(tests, a_long_text_is_cut);
    return suite;
}
