/* Who must wait: lines of AuthVerifyThrottle, networks and names, what counts, and where it is asked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stores/throttle.h"
#include "support/trial.h"

#include <apr_strings.h>

#define LATER(seconds) (RECEIVED_AT + apr_time_from_sec(seconds))

static av_leaky_table *table;

static void make_table(void)
{
    table = av_leaky_tables_create(1);
}

static void release_table(void)
{
    av_leaky_tables_release(table, 1);
}

static const char *read_line(const char *text, av_throttle_line *line)
{
    av_words words;
    ck_assert_ptr_null(av_words_split(apr_pstrcat(pool, "AuthVerifyThrottle ", text, NULL), &words, pool));
    return av_throttle_line_read(&words, &compiler, line);
}

static const av_throttle *throttle_of(const char *text)
{
    av_throttle_line line;
    ck_assert_pstr_eq(read_line(text, &line), NULL);
    return av_throttle_create(&line, table, pool);
}

static av_address ipv4(unsigned char last)
{
    return av_address_of_ipv4((const unsigned char[]){ 192, 0, 2, last });
}

static void fail_from(const av_throttle *throttle, av_address from, const char *name, int times)
{
    while (times--) {
        throttle->count(throttle, &from, av_slice_of(name), RECEIVED_AT);
    }
}

static bool waits(const av_throttle *throttle, av_address from, const char *name)
{
    return throttle->wait(throttle, &from, av_slice_of(name), RECEIVED_AT) > 0;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    av_throttle_line line;
} lines[] = {
    { "failures=20", { 20, 200, 0, 60, 32, 64 } },
    { "failures=20 network-failures=20", { 20, 20, 0, 60, 32, 64 } },
    { "tokens=5", { 0, 0, 5, 60, 32, 64 } },
    { "failures=1 tokens=100 window=1 ipv4=24 ipv6=48", { 1, 10, 100, 1, 24, 48 } },
    { "window=86400 failures=100000", { 100000, 1000000, 0, 86400, 32, 64 } },
    { "failures=1000", { 1000, 6000, 0, 60, 32, 64 } },
    { "failures=9 ipv4=8 ipv6=16", { 9, 90, 0, 60, 8, 16 } },
};

START_TEST(a_line_is_read)
{
    av_throttle_line line;

    ck_assert_pstr_eq(read_line(lines[_i].text, &line), NULL);
    ck_assert_mem_eq(&line, &lines[_i].line, sizeof(line));
}
END_TEST

static const struct {
    const char *text, *sentence;
} faults[] = {
    { "", "counts nothing; add failures=20" },
    { "window=60", "counts nothing; add failures=20" },
    { "network-failures=60 tokens=1", "network-failures= needs failures=" },
    { "failures=20 network-failures=19", "network-failures= is less than failures=" },
    { "failures=0", "failures=: is a number from 1 to 100000" },
    { "failures=-1", "failures=: is a number from 1 to 100000" },
    { "failures=+1", "failures=: is a number from 1 to 100000" },
    { "failures=100001", "failures=: is a number from 1 to 100000" },
    { "failures=99999999999999999999999", "failures=: is a number from 1 to 100000" },
    { "failures=2x", "failures=: is a number from 1 to 100000" },
    { "failures=", "failures= has no value" },
    { "failures=2 failures=3", "failures=" },
    { "failures=101 window=1", "counts more than 100 a second; raise window=" },
    { "failures=1 network-failures=101 window=1", "counts more than 100 a second; raise window=" },
    { "tokens=101 window=1", "counts more than 100 a second; raise window=" },
    { "failures=1 window=0", "window=: is a number from 1 to 86400" },
    { "failures=1 window=86401", "window=: is a number from 1 to 86400" },
    { "failures=1 window=60s", "window=: is a number from 1 to 86400" },
    { "failures=1 ipv4=33", "ipv4=: is a number from 8 to 32" },
    { "failures=1 ipv4=7", "ipv4=: is a number from 8 to 32" },
    { "failures=1 ipv6=129", "ipv6=: is a number from 16 to 128" },
    { "failures=1 ipv6=/64", "ipv6=: is a number from 16 to 128" },
    { "failure=1", "did you mean \"failures\"?" },
    { "20", "is not written name=value" },
    { "off failures=1", "is not written name=value" },
};

START_TEST(a_line_with_a_mistake_says_so)
{
    av_throttle_line line;

    assert_sentence(read_line(faults[_i].text, &line), faults[_i].sentence);
}
END_TEST

/* --- networks and names ------------------------------------------------------------------------------------------- */

START_TEST(a_name_waits_before_its_network)
{
    const av_throttle *throttle = throttle_of("failures=2 network-failures=3");

    fail_from(throttle, ipv4(1), "alice", 2);
    ck_assert(waits(throttle, ipv4(1), "alice"));
    ck_assert(!waits(throttle, ipv4(1), "bob"));
    ck_assert(!waits(throttle, ipv4(1), ""));
    ck_assert(!waits(throttle, ipv4(2), "alice"));
    fail_from(throttle, ipv4(1), "", 1);
    ck_assert(waits(throttle, ipv4(1), "bob"));
    ck_assert(waits(throttle, ipv4(1), ""));
    ck_assert(!waits(throttle, ipv4(2), "alice"));
}
END_TEST

START_TEST(the_longer_of_both_is_waited_for)
{
    const av_throttle *throttle = throttle_of("failures=2 network-failures=2 window=10");
    av_address from = ipv4(1);

    fail_from(throttle, from, "alice", 3);
    ck_assert_int_eq(throttle->wait(throttle, &from, AV_SLICE("alice"), RECEIVED_AT), apr_time_from_sec(10));
    ck_assert_int_eq(throttle->wait(throttle, &from, AV_SLICE("bob"), RECEIVED_AT), apr_time_from_sec(10));
    throttle = throttle_of("failures=2 network-failures=60 window=60");
    ck_assert_int_eq(throttle->wait(throttle, &from, AV_SLICE("bob"), RECEIVED_AT), 0);
}
END_TEST

START_TEST(what_is_forgotten_is_not_more_than_the_line_says)
{
    const av_throttle *throttle = throttle_of("failures=7 window=1");
    av_address from = ipv4(1);

    fail_from(throttle, from, "alice", 7);
    ck_assert_int_eq(throttle->wait(throttle, &from, AV_SLICE("alice"), RECEIVED_AT), apr_time_from_msec(143));
}
END_TEST

static const struct {
    const char *line;
    unsigned char one[16], other[16];
    bool is_same;
} networks[] = {
    { "failures=1", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 2, 1 }, true },
    { "failures=1", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 2, 0 }, false },
    { "failures=1 ipv4=24", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 2, 255 }, true },
    { "failures=1 ipv4=24", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 3, 1 }, false },
    { "failures=1 ipv4=23", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 3, 1 }, true },
    { "failures=1 ipv4=31", { [10] = 255, 255, 192, 0, 2, 1 }, { [10] = 255, 255, 192, 0, 2, 2 }, false },
    { "failures=1", { 0x20, 1, [7] = 1, [15] = 1 }, { 0x20, 1, [7] = 1, [8] = 255, [15] = 2 }, true },
    { "failures=1", { 0x20, 1, [7] = 1, [15] = 1 }, { 0x20, 1, [7] = 2, [15] = 1 }, false },
    { "failures=1 ipv6=48", { 0x20, 1, [7] = 1, [15] = 1 }, { 0x20, 1, [6] = 9, [15] = 1 }, true },
    { "failures=1 ipv6=48", { 0x20, 1, [5] = 1, [15] = 1 }, { 0x20, 1, [5] = 2, [15] = 1 }, false },
    { "failures=1 ipv6=60", { 0x20, 1, [7] = 1, [15] = 1 }, { 0x20, 1, [7] = 2, [15] = 1 }, true },
    { "failures=1 ipv6=60", { 0x20, 1, [7] = 1, [15] = 1 }, { 0x20, 1, [7] = 0x10, [15] = 1 }, false },
    { "failures=1 ipv6=128", { 0x20, 1, [15] = 1 }, { 0x20, 1, [15] = 2 }, false },
};

START_TEST(a_network_is_so_many_bits)
{
    const av_throttle *throttle = throttle_of(networks[_i].line);

    fail_from(throttle, av_address_of_ipv6(networks[_i].one), "alice", 10);
    ck_assert(waits(throttle, av_address_of_ipv6(networks[_i].one), ""));
    ck_assert_int_eq(waits(throttle, av_address_of_ipv6(networks[_i].other), "alice"), networks[_i].is_same);
    ck_assert_int_eq(waits(throttle, av_address_of_ipv6(networks[_i].other), ""), networks[_i].is_same);
}
END_TEST

static const struct {
    const char *one, *other;
    bool is_same;
} names[] = {
    { "alice", "ALICE", true },    { "alice", " alice\t", true }, { "alice", "alicf", false },
    { "alice", "alice2", false },  { "alice", "ali ce", false },  { "\xc3\xa4", "\xc3\x84", false },
    { "\x7f[`", "\x7f{@", false },
};

START_TEST(a_name_may_be_written_in_several_ways)
{
    const av_throttle *throttle = throttle_of("failures=1");

    fail_from(throttle, ipv4(1), names[_i].one, 1);
    ck_assert_int_eq(waits(throttle, ipv4(1), names[_i].other), names[_i].is_same);
}
END_TEST

START_TEST(of_a_long_name_the_start_counts)
{
    const av_throttle *throttle = throttle_of("failures=1");
    char *name = apr_pcalloc(pool, 10001);

    memset(name, 'a', 10000);
    fail_from(throttle, ipv4(1), name, 1);
    name[9999] = 'b';
    ck_assert(waits(throttle, ipv4(1), name));
    name[239] = 'b';
    ck_assert(!waits(throttle, ipv4(1), name));
}
END_TEST

START_TEST(a_flood_of_one_family_leaves_the_other_alone)
{
    const av_throttle *throttle = throttle_of("failures=1 network-failures=1");
    unsigned char bytes[16] = { 0x20, 1, 0xd, 0xb8 };

    fail_from(throttle, ipv4(1), "", 1);
    for (unsigned i = 0; i < 100000; i++) {
        memcpy(bytes + 4, &i, sizeof(i));
        fail_from(throttle, av_address_of_ipv6(bytes), "x", 1);
    }
    ck_assert(waits(throttle, ipv4(1), ""));
}
END_TEST

START_TEST(tokens_are_counted_by_client)
{
    const av_throttle *throttle = throttle_of("tokens=2 window=10");
    av_request request = { .throttle = throttle, .received_at = RECEIVED_AT, .address = ipv4(1) };

    fail_from(throttle, ipv4(1), "billing", 100);
    ck_assert(!waits(throttle, ipv4(1), "billing"));
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("billing")), 0);
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("billing")), 0);
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("billing")), apr_time_from_sec(5));
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("Billing")), 0);
    request.throttle = throttle_of("failures=1");
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("billing")), 0);
    request.throttle = NULL;
    ck_assert_int_eq(av_throttle_take(&request, AV_SLICE("billing")), 0);
    note_reason(AV_TOO_MANY_TOKENS);
}
END_TEST

/* --- what counts, and where it is asked --------------------------------------------------------------------------- */

static const av_reason failed_proofs[] = {
    AV_UNKNOWN_CLIENT,      AV_WRONG_APPLICATION, AV_WRONG_SIGNATURE, AV_WRONG_SECRET,
    AV_WRONG_SESSION_TOKEN, AV_UNPROVEN_BINDING,  AV_WRONG_PROOF,     AV_INACTIVE_TOKEN,
};

START_TEST(only_a_failed_proof_counts)
{
    const av_throttle *throttle = throttle_of("failures=1");
    av_address from = ipv4(1);
    bool is_one = false;

    for (int i = 0; i < ROWS(failed_proofs); i++) {
        is_one |= failed_proofs[i] == (av_reason)_i;
    }
    const av_verdict verdict = { .reason = (av_reason)_i, .claimed = AV_SLICE("alice") };
    ck_assert(!av_throttle_tell(NULL, &from, &verdict, RECEIVED_AT));
    ck_assert_int_eq(av_throttle_tell(throttle, &from, &verdict, RECEIVED_AT), is_one);
    ck_assert_int_eq(waits(throttle, from, "alice"), is_one);
}
END_TEST

#define RULE "basic secret=env:SECRET identity=alice "
#define RIGHT "GET / HTTP/1.1\nAuthorization: Basic YWxpY2U6YSBmaXJzdCBzZWNyZXQgb2YgMjYgYnl0ZXM=\n\n"
#define WRONG "GET / HTTP/1.1\nAuthorization: Basic YWxpY2U6d3Jvbmc=\n\n"

static built_request throttled_request(const char *text, const av_throttle *throttle)
{
    built_request request = request_of(text);
    request.head.throttle = throttle;
    request.head.address = ipv4(1);
    return request;
}

START_TEST(a_refusal_says_in_whose_name_and_how_long_to_wait)
{
    const av_throttle *throttle = throttle_of("failures=2 window=10");
    built_request right = throttled_request(RIGHT, throttle), wrong = throttled_request(WRONG, throttle);

    for (int i = 0; i < 2; i++) {
        av_verdict verdict = decide(policy_of(RULE), &wrong);
        assert_reason(verdict.reason, AV_WRONG_SECRET, "wrong");
        assert_slice(verdict.claimed, AV_SLICE("alice"), "claimed");
        ck_assert(av_throttle_tell(throttle, &wrong.head.address, &verdict, RECEIVED_AT));
    }
    av_verdict verdict = decide(policy_of(RULE), &right);
    assert_reason(verdict.reason, AV_THROTTLED, "right");
    ck_assert_int_eq(verdict.wait, apr_time_from_sec(5));
    right.head.received_at = LATER(5);
    assert_reason(decide(policy_of(RULE), &right).reason, AV_ACCEPTED, "later");
}
END_TEST

/* What the head decides comes first, whoever asks. */
static const struct {
    const char *line, *request;
    av_reason reason;
} orders[] = {
    { RULE, RIGHT, AV_THROTTLED },
    { RULE "from=192.0.2.2", RIGHT, AV_NETWORK_REFUSED },
    { RULE "methods=POST", RIGHT, AV_METHOD_NOT_ALLOWED },
    { RULE, "GET / HTTP/1.1\n\n", AV_NOT_PRESENTED },
    { RULE, "GET / HTTP/1.1\nAuthorization: Basic *\n\n", AV_MALFORMED_CREDENTIAL },
    { "signature fields=%{header:S} signature=%{field:v} timestamp=%{field:t} tolerance=9 signed=%{timestamp} secret=env:SECRET",
      "GET / HTTP/1.1\nS: t=1767311000,v="
      "00000000000000000000000000000000000000000000000000000000000000ff\n\n",
      AV_TOO_LATE },
    { "signature fields=%{header:S} signature=%{field:v} timestamp=%{field:t} tolerance=9 signed=%{timestamp} secret=env:SECRET",
      "GET / HTTP/1.1\nS: t=1767312000,v="
      "00000000000000000000000000000000000000000000000000000000000000ff\n\n",
      AV_THROTTLED },
    { "none methods=GET", "GET / HTTP/1.1\n\n", AV_ACCEPTED },
};

START_TEST(it_is_asked_after_the_head_and_before_the_proof)
{
    const av_throttle *throttle = throttle_of("failures=1");
    built_request request = throttled_request(orders[_i].request, throttle);

    fail_from(throttle, ipv4(1), "", 10);
    assert_reason(request_decide(policy_of(orders[_i].line), &request, pool).reason, orders[_i].reason,
                  orders[_i].line);
}
END_TEST

START_TEST(a_rule_that_must_hold_besides_is_asked_for_too)
{
    const av_throttle *throttle = throttle_of("failures=1");
    av_policy *policy = policy_of("none methods=GET");
    built_request request = throttled_request(RIGHT, throttle);

    add_also(policy, RULE);
    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, "before");
    fail_from(throttle, ipv4(1), "alice", 1);
    av_verdict verdict = decide(policy, &request);
    assert_reason(verdict.reason, AV_THROTTLED, "after");
    ck_assert_int_eq(verdict.wait, apr_time_from_sec(60));
    policy = policy_of(RULE);
    add_also(policy, "none methods=GET");
    assert_reason(decide(policy, &request).reason, AV_THROTTLED, "the other way round");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("throttle");
    TCase *tests = trial_case(suite, "throttle");

    tcase_add_checked_fixture(tests, make_table, release_table);
    tcase_add_loop_test(tests, a_line_is_read, 0, ROWS(lines));
    tcase_add_loop_test(tests, a_line_with_a_mistake_says_so, 0, ROWS(faults));
    tcase_add_test(tests, a_name_waits_before_its_network);
    tcase_add_test(tests, the_longer_of_both_is_waited_for);
    tcase_add_test(tests, what_is_forgotten_is_not_more_than_the_line_says);
    tcase_add_loop_test(tests, a_network_is_so_many_bits, 0, ROWS(networks));
    tcase_add_loop_test(tests, a_name_may_be_written_in_several_ways, 0, ROWS(names));
    tcase_add_test(tests, of_a_long_name_the_start_counts);
    tcase_add_test(tests, a_flood_of_one_family_leaves_the_other_alone);
    tcase_add_test(tests, tokens_are_counted_by_client);
    tcase_add_loop_test(tests, only_a_failed_proof_counts, 0, AV_REASON_COUNT);
    tcase_add_test(tests, a_refusal_says_in_whose_name_and_how_long_to_wait);
    tcase_add_loop_test(tests, it_is_asked_after_the_head_and_before_the_proof, 0, ROWS(orders));
    tcase_add_test(tests, a_rule_that_must_hold_besides_is_asked_for_too);
    return suite;
}
