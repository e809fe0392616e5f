/* The three calls: which rule decides, in what order its checks come, and that nothing is accepted but what is proven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define A "signature signature=%{header:X-A} secret=env:SECRET "
#define B "signature signature=%{header:X-B} secret=env:SECOND "
#define C "signature signature=%{query:c} secret=env:THIRD "
#define BODY "a body"

/* MACs of BODY: printf 'a body' | openssl dgst -sha256 -hmac "$SECRET", and with SECOND_SECRET. */
#define RIGHT_A "be0c294239ec6ca8819f62c96ab16b834616a4ba68a263cd619d2dd25921d69e"
#define RIGHT_B "1e16ca70d4da7e0700c3329e127cf40ad57a6a832abba592a8ba9018b226dfff"
#define WRONG "00000000000000000000000000000000000000000000000000000000000000ff"

#define REQUEST(headers) "POST / HTTP/1.1\nHost: example.org\n" headers "\n" BODY

/* The first secret by another name. */
static void set_third(void)
{
    setenv("THIRD", SECRET, 1);
}

static void add_rule(av_policy *policy, const char *line)
{
    ck_assert_ptr_null(av_policy_add(policy, rule_of(line), false));
}

/* Of three alternatives the index of the rule that decides; -1: none. */
static const struct {
    const char *request;
    int rule;
    av_reason reason;
} choices[] = {
    { REQUEST(""), -1, AV_NOT_PRESENTED },
    { REQUEST("X-AA: " RIGHT_A "\n"), -1, AV_NOT_PRESENTED },
    { "POST /?cc=" RIGHT_A " HTTP/1.1\n\n" BODY, -1, AV_NOT_PRESENTED },
    { "POST /?C=" RIGHT_A " HTTP/1.1\n\n" BODY, -1, AV_NOT_PRESENTED },
    { REQUEST("X-A: " RIGHT_A "\n"), 0, AV_ACCEPTED },
    { REQUEST("x-a: " RIGHT_A "\n"), 0, AV_ACCEPTED },
    { REQUEST("X-B: " RIGHT_B "\n"), 1, AV_ACCEPTED },
    { "POST /?c=" RIGHT_A " HTTP/1.1\n\n" BODY, 2, AV_ACCEPTED },
    { "POST /?x&%63=" RIGHT_A "&y HTTP/1.1\n\n" BODY, 2, AV_ACCEPTED },
    { REQUEST("X-B: " RIGHT_B "\nX-A: " RIGHT_A "\n"), 0, AV_ACCEPTED },
    { REQUEST("X-B: " RIGHT_B "\nX-A: " WRONG "\n"), 0, AV_WRONG_SIGNATURE },
    { REQUEST("X-B: " RIGHT_B "\nX-A:\n"), 0, AV_MALFORMED_CREDENTIAL },
    { REQUEST("X-B: " RIGHT_B "\nX-A: nonsense\n"), 0, AV_MALFORMED_CREDENTIAL },
    { REQUEST("X-A: " RIGHT_B "\n"), 0, AV_WRONG_SIGNATURE },
    { REQUEST("X-B: " RIGHT_A "\n"), 1, AV_WRONG_SIGNATURE },
    { "POST /?c HTTP/1.1\n\n" BODY, 2, AV_MALFORMED_CREDENTIAL },
    { "POST /?c= HTTP/1.1\n\n" BODY, 2, AV_MALFORMED_CREDENTIAL },
    { "POST /?c=" RIGHT_A "&c=" RIGHT_A " HTTP/1.1\n\n" BODY, 2, AV_AMBIGUOUS_CREDENTIAL },
    { "POST /?c=" RIGHT_A "&%zz HTTP/1.1\n\n" BODY, 2, AV_MALFORMED_CREDENTIAL },
    { REQUEST("X-A: " RIGHT_A "\nX-A: " RIGHT_A "\n"), 0, AV_AMBIGUOUS_CREDENTIAL },
};

START_TEST(the_first_rule_that_sees_its_credential_decides)
{
    av_policy *policy = policy_of(A "identity=a");
    built_request request = request_of(choices[_i].request);

    add_rule(policy, B "identity=b");
    add_rule(policy, C "identity=c");
    av_verdict verdict = decide(policy, &request);
    assert_reason(verdict.reason, choices[_i].reason, choices[_i].request);
    const av_rule *wanted =
        choices[_i].rule < 0 ? NULL : APR_ARRAY_IDX(policy->rules, choices[_i].rule, const av_rule *);
    ck_assert_ptr_eq(verdict.rule, wanted);
    if (verdict.reason == AV_ACCEPTED) {
        ck_assert_str_eq(verdict.client, wanted->identity);
        ck_assert_pstr_eq(verdict.label, wanted->sender.keys[0].label);
    }
}
END_TEST

static const struct {
    const char *name, *request;
    av_reason reason;
} exclusives[] = {
    { "the rule's own", REQUEST("X-A: " RIGHT_A "\n"), AV_ACCEPTED },
    { "another's too", REQUEST("X-A: " RIGHT_A "\nX-B: " RIGHT_B "\n"), AV_AMBIGUOUS_CREDENTIAL },
    { "another's too, empty", REQUEST("X-A: " RIGHT_A "\nX-B:\n"), AV_AMBIGUOUS_CREDENTIAL },
    { "the last one's too", "POST /?c HTTP/1.1\nX-A: " RIGHT_A "\n\n" BODY, AV_AMBIGUOUS_CREDENTIAL },
    { "another's alone", REQUEST("X-B: " RIGHT_B "\n"), AV_ACCEPTED },
};

START_TEST(an_exclusive_rule_refuses_the_credential_of_another)
{
    av_policy *policy = policy_of(A "exclusive=on");
    built_request request = request_of(exclusives[_i].request);

    add_rule(policy, B);
    add_rule(policy, C);
    av_verdict verdict = decide(policy, &request);
    assert_reason(verdict.reason, exclusives[_i].reason, exclusives[_i].name);
    ck_assert_ptr_nonnull(verdict.rule);
}
END_TEST

START_TEST(a_rule_that_must_hold_besides_is_no_other_credential)
{
    av_policy *policy = policy_of(A "exclusive=on");
    built_request request = request_of(REQUEST("X-A: " RIGHT_A "\nX-B: " RIGHT_B "\n"));

    add_also(policy, B);
    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, "both hold");
}
END_TEST

/* X-A decides; X-B, and then c of the query, must hold besides. */
static const struct {
    const char *name, *request;
    av_reason reason;
    int rule; /* that the verdict names: 0 the deciding one, 1 and 2 those besides */
} chains[] = {
    { "all hold", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " RIGHT_B "\n\n" BODY, AV_ACCEPTED, 0 },
    { "the first is wrong", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " WRONG "\nX-B: " RIGHT_B "\n\n" BODY,
      AV_WRONG_SIGNATURE, 0 },
    { "the second is wrong", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " WRONG "\n\n" BODY,
      AV_WRONG_SIGNATURE, 1 },
    { "the third is wrong", "POST /?c=" WRONG " HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " RIGHT_B "\n\n" BODY,
      AV_WRONG_SIGNATURE, 2 },
    { "the second is the first's", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " RIGHT_A "\n\n" BODY,
      AV_WRONG_SIGNATURE, 1 },
    { "the first is missing", "POST /?c=" RIGHT_A " HTTP/1.1\nX-B: " RIGHT_B "\n\n" BODY, AV_NOT_PRESENTED, -1 },
    { "the second is missing", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " RIGHT_A "\n\n" BODY, AV_NOT_PRESENTED, 0 },
    { "the third is missing", "POST / HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " RIGHT_B "\n\n" BODY, AV_NOT_PRESENTED, 0 },
    { "the second is malformed", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: " RIGHT_A "\nX-B: x\n\n" BODY,
      AV_MALFORMED_CREDENTIAL, 0 },
    { "the third is empty", "POST /?c= HTTP/1.1\nX-A: " RIGHT_A "\nX-B: " RIGHT_B "\n\n" BODY, AV_MALFORMED_CREDENTIAL,
      0 },
    { "the first is malformed", "POST /?c=" RIGHT_A " HTTP/1.1\nX-A: x\nX-B: " RIGHT_B "\n\n" BODY,
      AV_MALFORMED_CREDENTIAL, 0 },
};

START_TEST(every_rule_of_a_chain_must_hold)
{
    av_policy *policy = policy_of(A "identity=a");
    built_request request = request_of(chains[_i].request);
    const av_rule *rules[3] = { APR_ARRAY_IDX(policy->rules, 0, const av_rule *) };

    add_also(policy, B "identity=b");
    add_also(policy, C "identity=c");
    rules[1] = APR_ARRAY_IDX(policy->also, 0, const av_rule *);
    rules[2] = APR_ARRAY_IDX(policy->also, 1, const av_rule *);
    av_verdict verdict = decide(policy, &request);
    assert_reason(verdict.reason, chains[_i].reason, chains[_i].name);
    ck_assert_ptr_eq(verdict.rule, chains[_i].rule < 0 ? NULL : rules[chains[_i].rule]);
    if (verdict.reason == AV_ACCEPTED) {
        ck_assert_str_eq(verdict.client, "a");
        ck_assert_str_eq(verdict.label, "SECRET");
    }
}
END_TEST

/* RECEIVED_SECOND is 1767312000. Each text is "TIME.a body", signed with SECRET. */
#define TIMED(options) A "timestamp=%{header:X-T} signed=%{timestamp}.%{body} " options
#define AT(time, mac) REQUEST("X-T: " time "\nX-A: " mac "\n")

static const struct {
    const char *rule, *request;
    av_reason reason;
} times[] = {
    { TIMED(""), AT("1767312000", "3f215617933affd0ad54f743992ec60f738660354e25a65e4be78261df19b375"), AV_ACCEPTED },
    { TIMED(""), AT("1767311700", "4149e70a5ff02ecad023f72a2d8065eddb385e6a25af44710c9dc01f2707f7f6"), AV_ACCEPTED },
    { TIMED(""), AT("1767311699", "8132ef62c8210d0813a68731ef79333e99e30a45d823302639737f2921fb164e"), AV_TOO_LATE },
    { TIMED(""), AT("1767312300", "6c48dbd30ad60cc6ff3da086ba696838d034a3ca4d06849a8fac37145e97814e"), AV_ACCEPTED },
    { TIMED(""), AT("1767312301", "36e5b65b23187d21c43d0b319ad27486ed2d470119c93c91c72973ed85e99e58"), AV_TOO_EARLY },
    { TIMED("tolerance=5"), AT("1767311995", "eaddd70a66bd53e31cc4855fb66c75511bb2f0c3a331a9953bbabd042b7fe1cd"),
      AV_ACCEPTED },
    { TIMED("tolerance=5"), AT("1767311994", "04613d7c7e5418158ef220953a98331ddcffa79903fb4a18718ad32be27fe523"),
      AV_TOO_LATE },
    { TIMED("tolerance=5"), AT("1767312005", "db5d3a089fd1fcee38a2ad607a9ed956c134cd390076bb6c339e95d34e853d1f"),
      AV_ACCEPTED },
    { TIMED("tolerance=5"), AT("1767312006", "c8ffb0911577b49f4927f8cb39aa917bd767687840907e5bda026b9ae14f32fb"),
      AV_TOO_EARLY },
    { TIMED("tolerance=300:5"), AT("1767311700", "4149e70a5ff02ecad023f72a2d8065eddb385e6a25af44710c9dc01f2707f7f6"),
      AV_ACCEPTED },
    { TIMED("tolerance=300:5"), AT("1767312006", "c8ffb0911577b49f4927f8cb39aa917bd767687840907e5bda026b9ae14f32fb"),
      AV_TOO_EARLY },
    { TIMED("tolerance=5:300"), AT("1767311994", "04613d7c7e5418158ef220953a98331ddcffa79903fb4a18718ad32be27fe523"),
      AV_TOO_LATE },
    { TIMED("tolerance=5:300"), AT("1767312300", "6c48dbd30ad60cc6ff3da086ba696838d034a3ca4d06849a8fac37145e97814e"),
      AV_ACCEPTED },
    { TIMED("tolerance=0"), AT("1767312000", "3f215617933affd0ad54f743992ec60f738660354e25a65e4be78261df19b375"),
      AV_ACCEPTED },
    { TIMED("tolerance=0"), AT("1767311999", "47d59ef61412849bafd19152467218d3700398bf42e034b02f1eed5cab4fa948"),
      AV_TOO_LATE },
    { TIMED("tolerance=0"), AT("1767312001", "9a9600dd7bfe1779d7d216554c177484d1c91e4613c53770cd9deba9fc8ab12b"),
      AV_TOO_EARLY },
    { TIMED(""), AT("0", "96cb120815df6f8a987eef3da2d18a47fa8a78ac3aa97c975014e9c4df575873"), AV_TOO_LATE },
    { TIMED(""), AT("999999999999", "bb90c5b5247099bb6d6df8bba54f02aa8b36fc38f797f0ae3ff643dda9c6d6a3"), AV_TOO_EARLY },
    { TIMED("timestamp-format=unix-ms tolerance=60"),
      AT("1767311940654", "e0d056c28a37b66c4a6530e6dce98ff63803763a0d60f441cdb624836ee1cc8f"), AV_ACCEPTED },
    { TIMED("timestamp-format=unix-ms tolerance=60"),
      AT("1767311940653", "cdadbcc31b597fc6910cb735140b36cb0f57cc7a4cbcdc52b4645961de001ed7"), AV_TOO_LATE },
    { TIMED("timestamp-format=unix-ms tolerance=60"),
      AT("1767312060654", "bd6ba8b9132a340e6a32e534c7ccc781979dbf6ecd88c3aedf09e985b71a34ce"), AV_ACCEPTED },
    { TIMED("timestamp-format=unix-ms tolerance=60"),
      AT("1767312060655", "55bfbee768cca7276f5f7b5321049531e304080f642e4b76db7e7c39bbeae0aa"), AV_TOO_EARLY },
    { TIMED("timestamp-format=unix-ms"),
      AT("1767312000", "3f215617933affd0ad54f743992ec60f738660354e25a65e4be78261df19b375"), AV_TOO_LATE },
    { TIMED("timestamp-format=rfc3339"),
      AT("2026-01-01T23:55:00.654321Z", "5b83e302c4c7cc5e683b069e67fe20c58a19e9ba1bc4b460fda280b1c74f6736"),
      AV_ACCEPTED },
    { TIMED("timestamp-format=rfc3339"),
      AT("2026-01-01T23:55:00.654320Z", "6f1e3114d0cc78899285a568b72278c2cc262aab25ea96a2db3f44c6219477b1"),
      AV_TOO_LATE },
    { TIMED("timestamp-format=rfc3339"),
      AT("2026-01-02T01:05:00.654321+01:00", "a5c81984d2c37693a39b633c86ebb76aece5136787d751027fc6c9c09a0500ce"),
      AV_ACCEPTED },
    { TIMED("timestamp-format=rfc3339"),
      AT("2026-01-02T01:05:00.654322+01:00", "2e0027a2e4bce141bfae6d1da54983200cc35538e9b20b3b9d2d4dd2dc28829f"),
      AV_TOO_EARLY },
    { A "timestamp=%{header:X-T} unsigned-ok=timestamp", AT("1767311699", RIGHT_A), AV_TOO_LATE },
    { A "timestamp=%{header:X-T} unsigned-ok=timestamp", AT("1767311700", RIGHT_A), AV_ACCEPTED },
};

START_TEST(a_time_is_as_far_from_now_as_the_tolerance_at_most)
{
    assert_reason(reason_of(times[_i].rule, times[_i].request), times[_i].reason, times[_i].request);
}
END_TEST

START_TEST(a_time_of_the_head_is_checked_before_the_body_is_asked_for)
{
    built_request request = request_of(AT("1767311699", WRONG));
    av_claim *claim = NULL;

    assert_reason(av_find(policy_of(TIMED("")), &request.head, &claim, pool), AV_TOO_LATE, "find");
    ck_assert_ptr_nonnull(claim);
}
END_TEST

START_TEST(a_second_s_time_is_compared_in_seconds)
{
    built_request request = request_of(times[1].request);

    request.head.received_at = apr_time_from_sec(RECEIVED_SECOND) + 999999;
    assert_reason(decide(policy_of(TIMED("")), &request).reason, AV_ACCEPTED, "the last microsecond");
    request.head.received_at++;
    assert_reason(decide(policy_of(TIMED("")), &request).reason, AV_TOO_LATE, "the next");
}
END_TEST

START_TEST(a_time_of_each_rule_of_a_chain_is_checked)
{
    av_policy *policy = policy_of(B);
    built_request request = request_of(REQUEST(
        "X-T: 1767311699\nX-B: " RIGHT_B "\nX-A: 8132ef62c8210d0813a68731ef79333e99e30a45d823302639737f2921fb164e\n"));

    add_also(policy, TIMED(""));
    assert_reason(decide(policy, &request).reason, AV_TOO_LATE, "the second's");
}
END_TEST

static const struct {
    const char *rule, *request;
    bool needs_host;
} hosts[] = {
    { A, REQUEST("X-A: " RIGHT_A "\n"), false },
    { A "signed=%{path}%{body}", REQUEST("X-A: 7810b2e4e4840e2ef59d3af1c32357f1802dc6f774d8b73de4d3886a74258de7\n"),
      false },
    { A "signed=%{url}%{body}", REQUEST("X-A: 47d8753a965504d0d04b67467438a57749675b1463cc2a1b82337e064b694f52\n"),
      true },
    { A "signed=%{header:Host}%{body}",
      REQUEST("X-A: 31c629643a07d0d9d6666da67eccbd446a6ca7eb14cc8bea48b32288936f28c8\n"), true },
    { A "signed=%{header:host}%{body}",
      REQUEST("X-A: 31c629643a07d0d9d6666da67eccbd446a6ca7eb14cc8bea48b32288936f28c8\n"), true },
};

START_TEST(a_signed_host_must_be_ours)
{
    built_request request = request_of(hosts[_i].request);
    av_policy *policy = policy_of(hosts[_i].rule);

    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, "our host");
    request.head.host_is_ours = false;
    assert_reason(decide(policy, &request).reason, hosts[_i].needs_host ? AV_WRONG_HOST : AV_ACCEPTED, "another host");
}
END_TEST

START_TEST(the_form_is_checked_before_the_host_and_the_host_before_the_time)
{
    built_request malformed = request_of(REQUEST("X-A: x\nX-T: 1\n"));
    built_request late = request_of(AT("1", WRONG));
    av_policy *policy = policy_of(A "timestamp=%{header:X-T} signed=%{timestamp}%{url}%{body}");

    malformed.head.host_is_ours = late.head.host_is_ours = false;
    assert_reason(decide(policy, &malformed).reason, AV_MALFORMED_CREDENTIAL, "malformed, elsewhere and late");
    assert_reason(decide(policy, &late).reason, AV_WRONG_HOST, "elsewhere and late");
    late.head.host_is_ours = true;
    assert_reason(decide(policy, &late).reason, AV_TOO_LATE, "late");
}
END_TEST

/* The time stands inside the body, as Linear sends it. */
#define INSIDE A "timestamp=%{json:/t} signed=%{body}"
#define BODY_AT(time, mac) "POST / HTTP/1.1\nX-A: " mac "\n\n{\"t\":" time "}"

static const struct {
    const char *rule, *request;
    av_reason reason;
} inside[] = {
    { INSIDE, BODY_AT("1767311700", "8e35e36d23986e2af8c982f137e811bab83a8d55da98f08d334a0f1e4d909c10"), AV_ACCEPTED },
    { INSIDE, BODY_AT("1767311699", "95b69cec7d248ee897a19f809479b192f978cbccb0df1f805869a833dc31d66e"), AV_TOO_LATE },
    { INSIDE, BODY_AT("1767312300", "5bbd81c95e97560a60b52470b04ab1cf3df753df44f9d0d415de97acc155e632"), AV_ACCEPTED },
    { INSIDE, BODY_AT("1767312301", "5f460d4a76b8e3c8ad69ca6bdfae9cc2bc1592d9f7be0cc453e635c87c6f695e"), AV_TOO_EARLY },
    { INSIDE, BODY_AT("\"1767312000\"", "d32c9051b572dc176db9302d49def365561af852dd5fcfbea479916c96599cec"),
      AV_ACCEPTED },
    { INSIDE, BODY_AT("1767312000.0", "90a2c2c0519a635594e1d695985cf677251bacd92f0c93773b82c14c37d13bc1"),
      AV_BODY_NOT_UNDERSTOOD },
    { INSIDE, BODY_AT("null", "c141e4008a60e1f8406b6f448e8a021306dd05abd142568f2cc4a56972068dd1"),
      AV_BODY_NOT_UNDERSTOOD },
    { INSIDE, BODY_AT("-1", "539867cb6086bf4e3f96e1ed42bcfb7a6dfbaef737f2c2845e969b1714b2b2f3"),
      AV_BODY_NOT_UNDERSTOOD },
    { INSIDE, BODY_AT("1767311699", WRONG), AV_WRONG_SIGNATURE },
    { INSIDE, BODY_AT("null", WRONG), AV_WRONG_SIGNATURE },
};

START_TEST(a_time_inside_the_body_is_checked_after_the_proof)
{
    assert_reason(reason_of(inside[_i].rule, inside[_i].request), inside[_i].reason, inside[_i].request);
}
END_TEST

START_TEST(a_claim_without_a_key_proves_nothing)
{
    av_policy *policy = policy_of("signature signature=%{header:X-A} secret=exec:/bin/true");
    built_request request = request_of(REQUEST("X-A: " RIGHT_A "\n"));

    ck_assert_uint_eq(APR_ARRAY_IDX(policy->rules, 0, const av_rule *)->sender.key_count, 0);
    assert_reason(decide(policy, &request).reason, AV_INTERNAL_ERROR, "no key");
    policy = policy_of(A);
    add_also(policy, "signature signature=%{header:X-A} secret=exec:/bin/true");
    assert_reason(decide(policy, &request).reason, AV_INTERNAL_ERROR, "no key of the second rule");
}
END_TEST

START_TEST(a_reading_that_failed_proves_nothing)
{
    built_request request = request_of(REQUEST("X-A: " RIGHT_A "\n"));
    av_claim *claim;
    av_reading reading;

    assert_reason(av_find(policy_of(A), &request.head, &claim, pool), AV_ACCEPTED, "find");
    assert_reason(av_open(claim, &reading, pool), AV_ACCEPTED, "open");
    request_read_body(&request, &reading, pool);
    reading.refusal = AV_INTERNAL_ERROR;
    av_verdict verdict = av_prove(claim, &reading, &request.head, pool);
    assert_reason(verdict.reason, AV_INTERNAL_ERROR, "failed");
    ck_assert_ptr_null(verdict.client);
    note_reason(verdict.reason);
}
END_TEST

START_TEST(a_body_that_was_not_fed_is_not_proven)
{
    built_request request = request_of(REQUEST("X-A: " RIGHT_A "\n"));

    request.body.len--;
    assert_reason(decide(policy_of(A), &request).reason, AV_WRONG_SIGNATURE, "the last byte is missing");
    request.body.len = 0;
    assert_reason(decide(policy_of(A), &request).reason, AV_WRONG_SIGNATURE, "all is missing");
}
END_TEST

/* As .htaccess may have it: both rules are narrowed from one, and share its keys. */
START_TEST(rules_that_share_their_keys_are_proven_each)
{
    av_rule *base = rule_of(TIMED("")), *one, *other;
    av_words words = { (const char *const[]){ "preset", "tolerance=60" }, 2 };
    av_policy *policy = av_policy_create(pool);
    built_request request = request_of(times[0].request);

    ck_assert_ptr_null(av_rule_narrow(base, &words, &compiler, &one));
    ck_assert_ptr_null(av_rule_narrow(base, &words, &compiler, &other));
    ck_assert_ptr_null(av_policy_add(policy, one, false));
    ck_assert_ptr_null(av_policy_add(policy, other, true));
    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, "both");
}
END_TEST

static const struct {
    const char *name, *request;
    const char *id;
} ids[] = {
    { "both", REQUEST("X-I: one\nX-U: two\nX-A: 2f59120acac598e3eecedba5612be7b25e70e279b7bba479e21dd97d407770e8\n"),
      "one" },
    { "not proven", REQUEST("X-I: one\nX-U: two\nX-A: " WRONG "\n"), "one" },
    { "no unsigned one", REQUEST("X-I: one\nX-A: " WRONG "\n"), "one" },
    { "no signed one", REQUEST("X-U: two\nX-A: " WRONG "\n"), "" },
};

START_TEST(a_verdict_names_the_delivery)
{
    built_request request = request_of(ids[_i].request);
    av_policy *policy = policy_of(A "id=%{header:X-I} unsigned-id=%{header:X-U} signed=%{id}.%{body}");

    assert_slice(decide(policy, &request).id, av_slice_of(ids[_i].id), ids[_i].name);
}
END_TEST

START_TEST(an_unsigned_id_is_named_where_there_is_no_other)
{
    built_request request = request_of(REQUEST("X-U: two\nX-A: " RIGHT_A "\n"));

    assert_slice(decide(policy_of(A "unsigned-id=%{header:X-U}"), &request).id, AV_SLICE("two"), "unsigned");
    assert_slice(decide(policy_of(A), &request).id, AV_SLICE(""), "none");
}
END_TEST

START_TEST(a_refusal_never_names_a_client)
{
    av_claim claim = { .rule = rule_of(A), .unsigned_id = AV_SLICE("two") };

    claim.client = &claim.rule->sender;
    for (int i = 0; i < AV_REASON_COUNT; i++) {
        av_verdict verdict = av_refusal((av_reason)i, &claim);
        ck_assert_int_eq(verdict.reason, (av_reason)i);
        ck_assert_ptr_eq(verdict.rule, claim.rule);
        ck_assert_ptr_null(verdict.client);
        ck_assert_ptr_null(verdict.label);
        assert_slice(verdict.id, AV_SLICE("two"), "id");
    }
    ck_assert_ptr_null(av_refusal(AV_NO_ROOM, NULL).rule);
}
END_TEST

static av_reason gone(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                      av_client_record *record, apr_pool_t *of)
{
    (void)digest;
    (void)record;
    (void)of;
    ++*(int *)source->store;
    return AV_STORE_UNAVAILABLE;
}

static const char *open_gone(void *baton, const char *location, const av_client_source **source)
{
    (void)location;
    *source = baton;
    return NULL;
}

/* A list that cannot answer is no list without the client: the next one is not asked, and nobody is let in. */
START_TEST(clients_that_cannot_be_looked_up_refuse)
{
    int asked = 0;
    av_client_source source = { .store = &asked, .find_by_digest = gone };
    built_request request = request_of(REQUEST("Authorization: Bearer abc\n"));

    compiler.open_clients = open_gone;
    compiler.open_baton = &source;
    av_verdict verdict = decide(policy_of("bearer clients=file:a,file:b"), &request);
    assert_reason(verdict.reason, AV_STORE_UNAVAILABLE, "bearer");
    ck_assert_int_eq(asked, 2); /* decide() decides twice */
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = trial_case(suite, "find");

    tcase_add_checked_fixture(tests, set_third, NULL);
    tcase_add_loop_test(tests, the_first_rule_that_sees_its_credential_decides, 0, ROWS(choices));
    tcase_add_loop_test(tests, an_exclusive_rule_refuses_the_credential_of_another, 0, ROWS(exclusives));
    tcase_add_test(tests, a_rule_that_must_hold_besides_is_no_other_credential);
    tcase_add_loop_test(tests, every_rule_of_a_chain_must_hold, 0, ROWS(chains));
    tcase_add_loop_test(tests, a_signed_host_must_be_ours, 0, ROWS(hosts));
    tcase_add_test(tests, the_form_is_checked_before_the_host_and_the_host_before_the_time);
    tests = trial_case(suite, "time");
    tcase_add_loop_test(tests, a_time_is_as_far_from_now_as_the_tolerance_at_most, 0, ROWS(times));
    tcase_add_test(tests, a_time_of_the_head_is_checked_before_the_body_is_asked_for);
    tcase_add_test(tests, a_second_s_time_is_compared_in_seconds);
    tcase_add_test(tests, a_time_of_each_rule_of_a_chain_is_checked);
    tcase_add_loop_test(tests, a_time_inside_the_body_is_checked_after_the_proof, 0, ROWS(inside));
    tests = trial_case(suite, "prove");
    tcase_add_test(tests, a_claim_without_a_key_proves_nothing);
    tcase_add_test(tests, a_reading_that_failed_proves_nothing);
    tcase_add_test(tests, a_body_that_was_not_fed_is_not_proven);
    tcase_add_test(tests, rules_that_share_their_keys_are_proven_each);
    tcase_add_loop_test(tests, a_verdict_names_the_delivery, 0, ROWS(ids));
    tcase_add_test(tests, an_unsigned_id_is_named_where_there_is_no_other);
    tcase_add_test(tests, a_refusal_never_names_a_client);
    tcase_add_test(tests, clients_that_cannot_be_looked_up_refuse);
    return suite;
}
