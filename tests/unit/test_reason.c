/* Reasons: each name, status and class is an interface, and a forgotten verdict refuses.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/reason.h"
#include "support/trial.h"

static const struct {
    av_reason reason;
    const char *name;
    int status;
    av_class what;
} reasons[] = {
    { AV_UNDECIDED, "undecided", 500, AV_CLASS_OURS },
    { AV_ACCEPTED, "accepted", 0, AV_CLASS_ACCEPTED },
    { AV_NOT_PRESENTED, "not-presented", 401, AV_CLASS_NOT_PRESENTED },
    { AV_MALFORMED_CREDENTIAL, "malformed-credential", 401, AV_CLASS_MALFORMED },
    { AV_AMBIGUOUS_CREDENTIAL, "ambiguous-credential", 400, AV_CLASS_AMBIGUOUS },
    { AV_UNEXPECTED_VALUE, "unexpected-value", 401, AV_CLASS_MALFORMED },
    { AV_MALFORMED_PROOF, "malformed-proof", 401, AV_CLASS_MALFORMED },
    { AV_NONCE_REQUIRED, "nonce-required", 401, AV_CLASS_MALFORMED },
    { AV_BODY_NOT_UNDERSTOOD, "body-not-understood", 401, AV_CLASS_MALFORMED },
    { AV_HEADER_NOT_SIGNED, "header-not-signed", 401, AV_CLASS_MALFORMED },
    { AV_PAYLOAD_NOT_SIGNED, "payload-not-signed", 401, AV_CLASS_MALFORMED },
    { AV_MALFORMED_CHUNKS, "malformed-chunks", 401, AV_CLASS_MALFORMED },
    { AV_UNKNOWN_CLIENT, "unknown-client", 401, AV_CLASS_WRONG },
    { AV_WRONG_APPLICATION, "wrong-application", 401, AV_CLASS_WRONG },
    { AV_CLIENT_MISMATCH, "client-mismatch", 401, AV_CLASS_WRONG },
    { AV_WRONG_SIGNATURE, "wrong-signature", 401, AV_CLASS_WRONG },
    { AV_WRONG_SECRET, "wrong-secret", 401, AV_CLASS_WRONG },
    { AV_WRONG_SCOPE, "wrong-scope", 401, AV_CLASS_WRONG },
    { AV_WRONG_SESSION_TOKEN, "wrong-session-token", 401, AV_CLASS_WRONG },
    { AV_PAYLOAD_MISMATCH, "payload-mismatch", 401, AV_CLASS_WRONG },
    { AV_CHECKSUM_MISMATCH, "checksum-mismatch", 401, AV_CLASS_WRONG },
    { AV_WRONG_HOST, "wrong-host", 401, AV_CLASS_WRONG },
    { AV_ALGORITHM_NOT_ALLOWED, "algorithm-not-allowed", 401, AV_CLASS_WRONG },
    { AV_UNKNOWN_KEY, "unknown-key", 401, AV_CLASS_WRONG },
    { AV_WRONG_ISSUER, "wrong-issuer", 401, AV_CLASS_WRONG },
    { AV_WRONG_AUDIENCE, "wrong-audience", 401, AV_CLASS_WRONG },
    { AV_WRONG_TOKEN_TYPE, "wrong-token-type", 401, AV_CLASS_WRONG },
    { AV_UNFIT_CLAIM, "unfit-claim", 401, AV_CLASS_WRONG },
    { AV_UNPROVEN_BINDING, "unproven-binding", 401, AV_CLASS_WRONG },
    { AV_UNBOUND_TOKEN, "unbound-token", 401, AV_CLASS_WRONG },
    { AV_WRONG_PROOF, "wrong-proof", 401, AV_CLASS_WRONG },
    { AV_WRONG_PROOF_TARGET, "wrong-proof-target", 401, AV_CLASS_WRONG },
    { AV_PROOF_OUT_OF_TIME, "proof-out-of-time", 401, AV_CLASS_WRONG },
    { AV_PROOF_REPLAYED, "proof-replayed", 401, AV_CLASS_WRONG },
    { AV_TOKEN_EXPIRED, "token-expired", 401, AV_CLASS_WRONG },
    { AV_INACTIVE_TOKEN, "inactive-token", 401, AV_CLASS_WRONG },
    { AV_TOO_EARLY, "too-early", 401, AV_CLASS_WRONG },
    { AV_TOO_LATE, "too-late", 401, AV_CLASS_WRONG },
    { AV_NETWORK_REFUSED, "network-refused", 403, AV_CLASS_LIMIT },
    { AV_METHOD_NOT_ALLOWED, "method-not-allowed", 403, AV_CLASS_LIMIT },
    { AV_PATH_NOT_ALLOWED, "path-not-allowed", 403, AV_CLASS_LIMIT },
    { AV_CLIENT_EXPIRED, "client-expired", 403, AV_CLASS_LIMIT },
    { AV_SCHEME_NOT_ALLOWED, "scheme-not-allowed", 403, AV_CLASS_LIMIT },
    { AV_CLIENT_NOT_ALLOWED, "client-not-allowed", 403, AV_CLASS_LIMIT },
    { AV_TOO_MANY_PAIRS, "too-many-pairs", 403, AV_CLASS_LIMIT },
    { AV_NO_USER, "no-user", 403, AV_CLASS_LIMIT },
    { AV_SCOPE_NOT_ALLOWED, "scope-not-allowed", 400, AV_CLASS_LIMIT },
    { AV_INSECURE_TRANSPORT, "insecure-transport", 403, AV_CLASS_LIMIT },
    { AV_THROTTLED, "throttled", 429, AV_CLASS_THROTTLED },
    { AV_TOO_MANY_TOKENS, "too-many-tokens", 429, AV_CLASS_THROTTLED },
    { AV_METHOD_REFUSED, "method-refused", 405, AV_CLASS_METHOD },
    { AV_MALFORMED_TOKEN_REQUEST, "malformed-token-request", 400, AV_CLASS_REQUEST },
    { AV_UNSUPPORTED_GRANT, "unsupported-grant", 400, AV_CLASS_REQUEST },
    { AV_MALFORMED_REQUEST, "malformed-request", 400, AV_CLASS_REQUEST },
    { AV_LENGTH_REQUIRED, "length-required", 411, AV_CLASS_REQUEST },
    { AV_BODY_INCOMPLETE, "body-incomplete", 400, AV_CLASS_REQUEST },
    { AV_BODY_TOO_LARGE, "body-too-large", 413, AV_CLASS_BODY },
    { AV_BODY_TOO_SLOW, "body-too-slow", 408, AV_CLASS_BODY },
    { AV_STORE_UNAVAILABLE, "store-unavailable", 503, AV_CLASS_BUSY },
    { AV_KEYS_UNAVAILABLE, "keys-unavailable", 503, AV_CLASS_BUSY },
    { AV_INTROSPECTION_UNAVAILABLE, "introspection-unavailable", 503, AV_CLASS_BUSY },
    { AV_INTROSPECTION_MALFORMED, "introspection-malformed", 503, AV_CLASS_BUSY },
    { AV_REPLAY_MEMORY_FULL, "replay-memory-full", 503, AV_CLASS_BUSY },
    { AV_NO_ROOM, "no-room", 503, AV_CLASS_BUSY },
    { AV_MISCONFIGURED, "misconfigured", 500, AV_CLASS_OURS },
    { AV_INTERNAL_ERROR, "internal-error", 500, AV_CLASS_OURS },
};

START_TEST(a_reason_has_its_name_status_and_class)
{
    av_reason reason = reasons[_i].reason;

    ck_assert_str_eq(av_reason_name(reason), reasons[_i].name);
    ck_assert_int_eq(av_reason_status(reason), reasons[_i].status);
    ck_assert_int_eq(av_reason_class(reason), reasons[_i].what);
    ck_assert_str_ne(av_reason_text(reason), "");
}
END_TEST

START_TEST(every_reason_is_in_the_table_once)
{
    ck_assert_int_eq(ROWS(reasons), AV_REASON_COUNT);
    for (int i = 0; i < ROWS(reasons); i++) {
        ck_assert_int_eq(reasons[i].reason, (av_reason)i);
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(reasons[i].name, reasons[j].name);
        }
    }
}
END_TEST

START_TEST(only_one_reason_lets_a_request_in)
{
    for (int i = 0; i < AV_REASON_COUNT; i++) {
        av_reason reason = (av_reason)i;
        ck_assert_int_eq(av_reason_status(reason) == 0, reason == AV_ACCEPTED);
        ck_assert_int_eq(av_reason_class(reason) == AV_CLASS_ACCEPTED, reason == AV_ACCEPTED);
    }
}
END_TEST

START_TEST(a_zeroed_verdict_refuses)
{
    av_verdict verdict = { 0 };

    ck_assert_int_eq(av_reason_status(verdict.reason), 500);
    ck_assert_str_eq(av_reason_name(verdict.reason), "undecided");
    ck_assert_int_eq(av_reason_status(0), 500);
    note_reason(verdict.reason);
}
END_TEST

static const int no_reasons[] = { AV_REASON_COUNT, AV_REASON_COUNT + 1, -1, 0x7fffffff };

START_TEST(what_is_no_reason_refuses)
{
    av_reason reason = (av_reason)no_reasons[_i];

    ck_assert_int_eq(av_reason_status(reason), 500);
    ck_assert_str_eq(av_reason_name(reason), "undecided");
    ck_assert_int_eq(av_reason_class(reason), AV_CLASS_OURS);
    ck_assert_str_eq(av_reason_text(reason), av_reason_text(AV_UNDECIDED));
}
END_TEST

/* What a client can tell a class by. */
static av_class shown_class(av_class what)
{
    return what == AV_CLASS_MALFORMED ? AV_CLASS_WRONG : what;
}

START_TEST(the_client_learns_the_class_alone)
{
    for (int i = 0; i < ROWS(reasons); i++) {
        const char *text = av_class_text(reasons[i].what);
        ck_assert_ptr_nonnull(text);
        for (int j = 0; j < i; j++) {
            bool is_same = strcmp(text, av_class_text(reasons[j].what)) == 0;
            ck_assert_int_eq(is_same, shown_class(reasons[i].what) == shown_class(reasons[j].what));
        }
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("reason");
    TCase *tests = suite_case(suite, "reasons");

    tcase_add_loop_test(tests, a_reason_has_its_name_status_and_class, 0, ROWS(reasons));
    tcase_add_test(tests, every_reason_is_in_the_table_once);
    tcase_add_test(tests, only_one_reason_lets_a_request_in);
    tcase_add_test(tests, a_zeroed_verdict_refuses);
    tcase_add_loop_test(tests, what_is_no_reason_refuses, 0, ROWS(no_reasons));
    tcase_add_test(tests, the_client_learns_the_class_alone);
    return suite;
}
