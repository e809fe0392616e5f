/* Rules: how a line and the presets it builds on become one rule, its secrets, and how .htaccess may narrow it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/rule.h"
#include "support/folder.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define RULE "signature signature=%{header:X-S} secret=env:SECRET "
#define TIMED RULE "timestamp=%{header:X-T} signed=%{timestamp}%{body} "
#define ED25519 "signature signature=%{header:X-S} algorithm=ed25519 "

START_TEST(a_rule_has_its_defaults)
{
    av_rule *rule = rule_of(RULE);

    ck_assert_str_eq(rule->scheme->name, "signature");
    ck_assert_str_eq(rule->name, "signature");
    ck_assert_str_eq(rule->identity, "signature");
    ck_assert_str_eq(rule->sender.id, "signature");
    ck_assert_ptr_null(rule->realm);
    ck_assert(rule->strip);
    ck_assert(!rule->exclusive && !rule->has_time && !rule->covers_host && !rule->looks_inside);
    ck_assert_int_eq(rule->past, apr_time_from_sec(300));
    ck_assert_int_eq(rule->future, apr_time_from_sec(300));
    ck_assert_uint_eq(rule->sender.key_count, 1);
    ck_assert_str_eq(rule->sender.keys[0].label, "SECRET");
    ck_assert_int_eq(compiler.warnings->nelts, 0);
}
END_TEST

START_TEST(a_rule_has_what_its_line_says)
{
    char *line = apr_pstrdup(pool, TIMED "identity=Somebody \"realm=My realm\" tolerance=60:5 strip=off exclusive=on");
    av_rule *rule = rule_of(line);

    memset(line, 'x', strlen(line));
    ck_assert_str_eq(rule->identity, "Somebody");
    ck_assert_str_eq(rule->sender.id, "Somebody");
    ck_assert_str_eq(rule->realm, "My realm");
    ck_assert_int_eq(rule->past, apr_time_from_sec(60));
    ck_assert_int_eq(rule->future, apr_time_from_sec(5));
    ck_assert(!rule->strip && rule->exclusive && rule->has_time && rule->has_tolerance);
}
END_TEST

static const struct {
    const char *line, *fault;
} faults[] = {
    { "sginature",
      "\"sginature\" is neither a scheme (token-pair, basic, bearer, api-key, signature, aws4, jwt, introspection, none) nor a preset; presets are looked up in no folder" },
    { "sginature", "; did you mean \"signature\"?" },
    { "nothing-like-it secret=env:SECRET", "(AuthVerifyPresetPath is not set)" },
    { "signature word", "word 1 after \"signature\" is not written name=value" },
    { "signature secret=", "secret= has no value" },
    { RULE "secrt=env:SECRET", "there is no option \"secrt\"; did you mean \"secret\"?" },
    { RULE "clients=file:x", "clients=: lists of clients cannot be named here" },
    { RULE "audience=x", "there is no option \"audience\"; there are: signature fields separator" },
    { RULE "identity=a identity=b", "identity= is given twice; keep one" },
    { RULE "realm=a realm=b", "realm= is given twice" },
    { RULE "strip=on strip=on", "strip= is given twice" },
    { TIMED "tolerance=1 tolerance=1", "tolerance= is given twice" },
    { RULE "\"identity=two words\"", "identity=: must be visible ASCII characters without blanks" },
    { RULE "identity=\xc3\xa4", "identity=: must be visible ASCII characters without blanks" },
    { RULE "realm=a\\b", "realm=: holds a backslash or a control character" },
    { RULE "realm=a\x01", "realm=: holds a backslash or a control character" },
    { RULE "realm=a\x7f", "realm=: holds a backslash or a control character" },
    { RULE "strip=no", "strip=: must be on or off" },
    { RULE "exclusive=yes", "exclusive=: must be on or off" },
    { TIMED "tolerance=x", "tolerance=: must be seconds, PAST or PAST:FUTURE, a year at most" },
    { TIMED "tolerance=5m", "tolerance=: must be seconds" },
    { TIMED "tolerance=-1", "tolerance=: must be seconds" },
    { TIMED "tolerance=1.5", "tolerance=: must be seconds" },
    { TIMED "tolerance=:5", "tolerance=: must be seconds" },
    { TIMED "tolerance=5:", "tolerance=: must be seconds" },
    { TIMED "tolerance=5:5:5", "tolerance=: must be seconds" },
    { TIMED "tolerance=31622401", "tolerance=: must be seconds" },
    { TIMED "tolerance=5:31622401", "tolerance=: must be seconds" },
    { TIMED "tolerance=99999999999999999999", "tolerance=: must be seconds" },
    { TIMED "tolerance=18446744073709551616", "tolerance=: must be seconds" },
    { RULE "tolerance=300", "tolerance= needs a time to compare with, and this rule reads none" },
    { "signature signature=%{header:X-S}", "no secret= is given; add secret=file:PATH" },
    { "signature signature=%{header:X-S} secret=SECRET", "secret=: a secret is not written here but named: file:PATH" },
    { "signature signature=%{header:X-S} secret=env:NOT_SET", "environment variable NOT_SET is not set" },
    { "signature signature=%{header:X-S} secret=env:NOT_SET secret=env:SECRET",
      "environment variable NOT_SET is not set" },
    { RULE "secret=env:NOT_SET", "environment variable NOT_SET is not set" },
    { RULE "key-encoding=hex", "secret= SECRET: its text is not written as key-encoding= says" },
    { RULE "key-encoding=base64", "secret= SECRET: its text is not written as key-encoding= says" },
    { "signature signature=%{header:X-S} secret=env:PREFIX key-prefix=whsec_",
      "secret= PREFIX: nothing is left of it once its prefix is cut off" },
    { ED25519 "secret=env:SECRET", "secret= SECRET: the key is not an Ed25519 public key" },
};

START_TEST(a_rule_that_cannot_be_is_refused_with_the_remedy)
{
    setenv("PREFIX", "whsec_", 1);
    assert_sentence(fault_of(faults[_i].line), faults[_i].fault);
}
END_TEST

static const struct {
    const char *text;
    int past, future;
} tolerances[] = {
    { "0", 0, 0 },   { "5", 5, 5 }, { "0:5", 0, 5 }, { "5:0", 5, 0 }, { "31622400:31622400", 31622400, 31622400 },
    { "007", 7, 7 },
};

START_TEST(a_tolerance_is_seconds_of_past_and_future)
{
    av_rule *rule = rule_of(apr_pstrcat(pool, TIMED "tolerance=", tolerances[_i].text, NULL));

    ck_assert_int_eq(rule->past, apr_time_from_sec(tolerances[_i].past));
    ck_assert_int_eq(rule->future, apr_time_from_sec(tolerances[_i].future));
}
END_TEST

/* SECRET, as it may be written. */
static const struct {
    const char *secret, *options;
} same_keys[] = {
    { SECRET, "" },
    { SECRET, "key-encoding=raw" },
    { SECRET, "key-prefix=whsec_" },
    { "whsec_" SECRET, "key-prefix=whsec_" },
    { "YSBmaXJzdCBzZWNyZXQgb2YgMjYgYnl0ZXM=", "key-encoding=base64" },
    { "whsec_YSBmaXJzdCBzZWNyZXQgb2YgMjYgYnl0ZXM=", "key-encoding=base64 key-prefix=whsec_" },
    { "YSBmaXJzdCBzZWNyZXQgb2YgMjYgYnl0ZXM=", "key-encoding=base64 key-prefix=whsec_" },
    { "6120666972737420736563726574206f66203236206279746573", "key-encoding=hex" },
    { "6120666972737420736563726574206F66203236206279746573", "key-encoding=hex" },
};

#define REQUEST(mac) "POST / HTTP/1.1\nX-S: " mac "\n\na body"
#define SIGNED REQUEST("be0c294239ec6ca8819f62c96ab16b834616a4ba68a263cd619d2dd25921d69e")

START_TEST(a_secret_is_decoded_as_its_options_say)
{
    setenv("KEY", same_keys[_i].secret, 1);
    const char *line =
        apr_pstrcat(pool, "signature signature=%{header:X-S} secret=env:KEY ", same_keys[_i].options, NULL);
    assert_reason(reason_of(line, SIGNED), AV_ACCEPTED, line);
}
END_TEST

static const struct {
    const char *secret, *options;
} other_keys[] = {
    { "whsec_" SECRET, "" },
    { "WHSEC_" SECRET, "key-prefix=whsec_" },
    { SECRET " ", "" },
    { "whsec_whsec_" SECRET, "key-prefix=whsec_" },
    { "YSBmaXJzdCBzZWNyZXQgb2YgMjYgYnl0ZXM=", "" },
};

START_TEST(another_secret_is_another_key)
{
    setenv("KEY", other_keys[_i].secret, 1);
    const char *line =
        apr_pstrcat(pool, "signature signature=%{header:X-S} secret=env:KEY ", other_keys[_i].options, NULL);
    assert_reason(reason_of(line, SIGNED), AV_WRONG_SIGNATURE, line);
}
END_TEST

/* One secret of six is SECRET; its place, counted from 1. */
static const struct {
    int count, place;
} rotations[] = { { 1, 1 }, { 2, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }, { 5, 1 },
                  { 5, 5 }, { 6, 1 }, { 6, 5 }, { 6, 6 }, { 6, 0 } };

START_TEST(every_secret_is_tried_and_the_one_that_matched_is_named)
{
    const char *line = "signature signature=%{header:X-S}";
    built_request request = request_of(SIGNED);

    for (int i = 1; i <= rotations[_i].count; i++) {
        const char *name = apr_psprintf(pool, "ROTATED%d", i);
        setenv(name, i == rotations[_i].place ? SECRET : apr_psprintf(pool, "another secret, number %d", i), 1);
        line = apr_pstrcat(pool, line, " secret=env:", name, NULL);
    }
    av_verdict verdict = decide(policy_of(line), &request);
    assert_reason(verdict.reason, rotations[_i].place ? AV_ACCEPTED : AV_WRONG_SIGNATURE, line);
    ck_assert_pstr_eq(verdict.label, rotations[_i].place ? apr_psprintf(pool, "ROTATED%d", rotations[_i].place) : NULL);
}
END_TEST

START_TEST(a_secret_that_must_not_be_known_now_is_no_key_and_no_error)
{
    av_rule *rule = rule_of("signature signature=%{header:X-S} secret=exec:/bin/true secret=env:SECRET");

    ck_assert_uint_eq(rule->sender.key_count, 1);
    ck_assert_str_eq(rule->sender.keys[0].label, "SECRET");
}
END_TEST

START_TEST(a_secret_comes_from_a_file_beside_the_configuration)
{
    compiler.access.base = folder;
    make_file("github.secret", AV_SLICE(SECRET "\n"), 0600);
    built_request request = request_of(SIGNED);
    av_verdict verdict = decide(policy_of("signature signature=%{header:X-S} secret=file:github.secret"), &request);
    assert_reason(verdict.reason, AV_ACCEPTED, "file");
    ck_assert_str_eq(verdict.label, "github.secret");
    make_file("github.secret", AV_SLICE(SECRET "\n"), 0644);
    compiler.loaded = apr_hash_make(pool);
    assert_sentence(fault_of("signature signature=%{header:X-S} secret=file:github.secret"), "is readable by others");
}
END_TEST

START_TEST(a_public_key_may_be_read_by_everybody)
{
    compiler.access.base = folder;
    make_file("key", AV_SLICE("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), 0644);
    rule_of(ED25519 "key-encoding=hex secret=file:key");
    assert_sentence(fault_of("signature signature=%{header:X-S} secret=file:key"), "is readable by others");
    make_file("pem",
              AV_SLICE("-----BEGIN PUBLIC KEY-----\n"
                       "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                       "-----END PUBLIC KEY-----\n"),
              0644);
    rule_of(ED25519 "key-encoding=pem secret=file:pem");
}
END_TEST

START_TEST(a_source_is_read_once_and_warned_of_once)
{
    setenv("SHORT", "fifteen bytes..", 1);
    rule_of("signature signature=%{header:X-S} secret=env:SHORT secret=env:SHORT");
    rule_of("signature signature=%{header:X-S} secret=env:SHORT");
    ck_assert_int_eq(compiler.warnings->nelts, 1);
    assert_sentence(APR_ARRAY_IDX(compiler.warnings, 0, const char *), "shorter than 16 bytes");
    setenv("SHORT", SECRET, 1);
    assert_reason(reason_of("signature signature=%{header:X-S} secret=env:SHORT", SIGNED), AV_WRONG_SIGNATURE,
                  "read once");
}
END_TEST

START_TEST(a_preset_is_used_and_overridden)
{
    define_preset(
        "mine signature signature=%{header:X-S} timestamp=%{header:X-T} signed=%{timestamp}%{body} tolerance=60");
    av_rule *rule = rule_of("mine secret=env:SECRET");
    ck_assert_str_eq(rule->name, "mine");
    ck_assert_str_eq(rule->sender.id, "mine");
    ck_assert_int_eq(rule->past, apr_time_from_sec(60));
    rule = rule_of("mine secret=env:SECRET tolerance=5 identity=Me");
    ck_assert_str_eq(rule->name, "mine");
    ck_assert_str_eq(rule->sender.id, "Me");
    ck_assert_int_eq(rule->past, apr_time_from_sec(5));
}
END_TEST

START_TEST(a_preset_may_build_on_another)
{
    define_preset("base signature signature=%{header:X-A} signature=%{header:X-B} prefix=a=");
    define_preset("above base prefix=b= identity=above");
    define_preset("top above signature=%{header:X-C} secret=env:SECRET");
    av_rule *rule = rule_of("top");
    ck_assert_str_eq(rule->name, "top");
    ck_assert_str_eq(rule->identity, "above");
    ck_assert_uint_eq(rule->place_count, 1);
    assert_slice(rule->places[0].name, AV_SLICE("X-C"), "all signature= are replaced");
    assert_reason(
        reason_of("top",
                  "POST / HTTP/1.1\nX-C: b=be0c294239ec6ca8819f62c96ab16b834616a4ba68a263cd619d2dd25921d69e\n\na body"),
        AV_ACCEPTED, "prefix");
}
END_TEST

static const struct {
    const char *presets[3], *line, *fault;
} wrong_presets[] = {
    { { "a b" },
      "a",
      "\"b\" is neither a scheme (token-pair, basic, bearer, api-key, signature, aws4, jwt, introspection, none) nor a preset" },
    { { "a a" }, "a", "preset \"a\" builds on itself" },
    { { "a b", "b a" }, "a", "builds on itself" },
    { { "a b", "b c", "c b" }, "a", "builds on itself" },
    { { "a signature word" }, "a", "word 1 after \"signature\" is not written name=value" },
    { { "a signature colour=1" }, "a", "preset \"a\" of line 1 of test.conf: there is no option \"colour\"" },
    { { "a signature strip=on strip=on" }, "a", "preset \"a\" of line 1 of test.conf: strip= is given twice" },
    { { "a b strip=maybe", "b signature" }, "a", "preset \"a\" of line 1 of test.conf: strip=: must be on or off" },
    { { "a b", "b signature strip=maybe" }, "a", "preset \"b\" of line 1 of test.conf: strip=: must be on or off" },
    { { "a b", "b signature strip=maybe" },
      "a strip=on",
      "preset \"b\" of line 1 of test.conf: strip=: must be on or off" },
    { { "a signature" }, "a strip=maybe", "strip=: must be on or off" },
};

static void define_presets(const char *const *lines)
{
    for (int i = 0; i < 3 && lines[i]; i++) {
        define_preset(lines[i]);
    }
}

START_TEST(a_mistake_in_a_preset_is_blamed_on_its_line)
{
    define_presets(wrong_presets[_i].presets);
    assert_sentence(fault_of(wrong_presets[_i].line), wrong_presets[_i].fault);
}
END_TEST

START_TEST(a_mistake_of_the_line_is_not_blamed_on_a_preset)
{
    define_preset("a signature");
    ck_assert_ptr_null(strstr(fault_of("a strip=maybe"), "preset"));
}
END_TEST

static av_words words_of(const char *line)
{
    av_words words;

    ck_assert_ptr_null(av_words_split(line, &words, pool));
    return words;
}

START_TEST(an_unused_preset_is_looked_at_without_its_secret)
{
    av_words words = words_of("signature signature=%{header:X-S} secret=env:NOT_SET");
    av_words wrong = words_of("signature colour=1"), unknown = words_of("other");

    ck_assert_ptr_null(av_rule_check(&words, &compiler));
    assert_sentence(av_rule_check(&wrong, &compiler), "there is no option \"colour\"");
    assert_sentence(
        av_rule_check(&unknown, &compiler),
        "\"other\" is neither a scheme (token-pair, basic, bearer, api-key, signature, aws4, jwt, introspection, none) nor a preset");
}
END_TEST

START_TEST(presets_may_be_a_few_deep)
{
    define_preset("p1 signature signature=%{header:X-S} secret=env:SECRET");
    for (int i = 2; i <= 9; i++) {
        define_preset(apr_psprintf(pool, "p%d p%d", i, i - 1));
    }
    rule_of("p8");
    assert_sentence(fault_of("p9"), "preset \"p1\" builds on itself, or more than 8 presets build on each other");
}
END_TEST

static const struct {
    const char *line;
    bool has_secret;
} with_secret[] = {
    { "signature secret=env:SECRET", true },
    { "signature", false },
    { "signature identity=secret", false },
    { "has", true },
    { "above-has", true },
    { "has-not", false },
    { "has-not secret=env:SECRET", true },
    { "circle secret=env:SECRET", false },
    { "unknown secret=env:SECRET", false },
    { "signature secret", false },
};

START_TEST(a_preset_knows_whether_it_brings_a_secret)
{
    av_words words = words_of(with_secret[_i].line);

    define_preset("has signature secret=env:SECRET");
    define_preset("above-has has strip=off");
    define_preset("has-not signature strip=off");
    define_preset("circle circle");
    ck_assert_int_eq(av_rule_has_secret(&words, &compiler), with_secret[_i].has_secret);
}
END_TEST

static const struct {
    const char *base, *line;
    int past, future; /* where it is taken */
    const char *fault;
} narrowings[] = {
    { TIMED "tolerance=60:5", "any", 60, 5, NULL },
    { TIMED "tolerance=60:5", "any tolerance=60:5", 60, 5, NULL },
    { TIMED "tolerance=60:5", "any tolerance=5", 5, 5, NULL },
    { TIMED "tolerance=60:5", "any tolerance=0:0", 0, 0, NULL },
    { TIMED "tolerance=60:5", "any tolerance=61:5", 0, 0, "tolerance= may only be smaller here" },
    { TIMED "tolerance=60:5", "any tolerance=60:6", 0, 0, "tolerance= may only be smaller here" },
    { TIMED "tolerance=60:5", "any tolerance=60", 0, 0, "tolerance= may only be smaller here" },
    { TIMED, "any tolerance=301", 0, 0, "tolerance= may only be smaller here" },
    { TIMED, "any tolerance=1 tolerance=1", 0, 0, "tolerance= is given twice" },
    { TIMED, "any tolerance=x", 0, 0, "tolerance=: must be seconds" },
    { TIMED, "any secret=env:SECRET", 0, 0, "there is no option \"secret\"; there are: tolerance" },
    { TIMED, "any strip=off", 0, 0, "there is no option \"strip\"" },
    { TIMED, "any identity=root", 0, 0, "there is no option \"identity\"" },
    { TIMED, "any signed=%{method}", 0, 0, "there is no option \"signed\"" },
    { TIMED, "any word", 0, 0, "word 1 after \"any\" is not written name=value" },
    { RULE, "any", 300, 300, NULL },
    { RULE, "any tolerance=5", 0, 0, "tolerance= needs a time to compare with" },
    { TIMED, "any scopes=a", 0, 0, "scopes= and any-client= are about the clients of clients=" },
};

START_TEST(a_rule_is_narrowed_and_never_widened)
{
    av_rule *base = rule_of(narrowings[_i].base), *rule = NULL;
    av_rule before = *base;
    av_words words = words_of(narrowings[_i].line);
    const char *error = av_rule_narrow(base, &words, &compiler, &rule);

    ck_assert_int_eq(rule == NULL, narrowings[_i].fault != NULL);
    if (narrowings[_i].fault) {
        assert_sentence(error, narrowings[_i].fault);
    } else {
        ck_assert_msg(!error, "%s", error);
        ck_assert_ptr_ne(rule, base);
        ck_assert_int_eq(rule->past, apr_time_from_sec(narrowings[_i].past));
        ck_assert_int_eq(rule->future, apr_time_from_sec(narrowings[_i].future));
        ck_assert_ptr_eq(rule->sender.keys, base->sender.keys);
        ck_assert_ptr_eq(rule->settings, base->settings);
    }
    ck_assert_int_eq(base->past, before.past);
    ck_assert_int_eq(base->future, before.future);
}
END_TEST

START_TEST(a_narrowed_rule_is_narrower)
{
    av_rule *rule = NULL;
    av_words words = words_of("any tolerance=5");
    av_policy *policy = av_policy_create(pool);
    built_request request = request_of("POST / HTTP/1.1\nX-T: 1767311994\nX-S: "
                                       "5041dabc525de8a9c380f54038a5995bccd43d7419d21b287e770891d1b52995\n\na body");

    ck_assert_ptr_null(av_rule_narrow(rule_of(TIMED), &words, &compiler, &rule));
    ck_assert_ptr_null(av_policy_add(policy, rule, false));
    assert_reason(decide(policy, &request).reason, AV_TOO_LATE, "narrowed");
    assert_reason(decide(policy_of(TIMED), &request).reason, AV_ACCEPTED, "as it was");
}
END_TEST

static const char *open_nobody(void *baton, const char *location, const av_client_source **source)
{
    static const av_client_source nobody = { 0 };
    (void)baton;
    (void)location;
    *source = &nobody;
    return NULL;
}

static const struct {
    const char *base, *line, *scopes;
} scopes[] = {
    { "bearer clients=x", "any", "" },
    { "bearer clients=x scopes=a,b", "any", "a,b" },
    { "bearer clients=x", "any scopes=c", "c" },
    { "bearer clients=x scopes=a,b", "any scopes=c,d", "a,b,c,d" },
    { "bearer clients=x scopes=a", "any scopes=a", "a,a" },
};

START_TEST(scopes_are_added_to_those_of_the_server)
{
    av_rule *rule = NULL;
    av_words words = words_of(scopes[_i].line);
    compiler.open_clients = open_nobody;
    av_rule *base = rule_of(scopes[_i].base);
    av_slice before = base->scopes;
    ck_assert_ptr_null(av_rule_narrow(base, &words, &compiler, &rule));
    assert_slice(rule->scopes, av_slice_of(scopes[_i].scopes), scopes[_i].line);
    assert_slice(base->scopes, before, "as it was");
}
END_TEST

START_TEST(a_rule_looks_at_eight_places_each_once)
{
    av_rule rule = { 0 };

    for (int i = 0; i < AV_MAX_PLACES; i++) {
        av_place place = { AV_PLACE_HEADER, av_slice_of(apr_psprintf(pool, "X-%d", i)) };
        ck_assert_ptr_null(av_rule_add_place(&rule, place));
    }
    ck_assert_ptr_null(av_rule_add_place(&rule, (av_place){ AV_PLACE_HEADER, AV_SLICE("x-3") }));
    ck_assert_uint_eq(rule.place_count, AV_MAX_PLACES);
    assert_sentence(av_rule_add_place(&rule, (av_place){ AV_PLACE_PARAMETER, AV_SLICE("X-3") }),
                    "a rule cannot look at more than 8 places");
    ck_assert_uint_eq(rule.place_count, AV_MAX_PLACES);
}
END_TEST

static const struct {
    const char *line, *names;
} relied_on[] = {
    { "signature secret=env:SECRET signature=%{header:X-S} signature=%{query:s} id=%{header:X-I} "
      "timestamp=%{header:X-T} unsigned-id=%{header:X-U} signed=%{id}.%{timestamp}.%{header:X-P}.%{body}",
      "X-T X-I X-U X-S X-P" },
    { "signature secret=env:SECRET fields=%{header:X-F} signature=%{field:v1}", "X-F" },
    { "signature secret=env:SECRET signature=%{query:s}", "" },
};

START_TEST(a_rule_relies_on_the_headers_of_its_proof)
{
    av_rule *rule = rule_of(relied_on[_i].line);
    const char *names = "";

    for (int i = 0; i < rule->header_names->nelts; i++) {
        names = apr_pstrcat(pool, names, i ? " " : "", APR_ARRAY_IDX(rule->header_names, i, av_slice).at, NULL);
    }
    ck_assert_str_eq(names, relied_on[_i].names);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("rule");
    TCase *tests = trial_case(suite, "compile");

    tcase_add_test(tests, a_rule_has_its_defaults);
    tcase_add_test(tests, a_rule_has_what_its_line_says);
    tcase_add_loop_test(tests, a_rule_that_cannot_be_is_refused_with_the_remedy, 0, ROWS(faults));
    tcase_add_loop_test(tests, a_tolerance_is_seconds_of_past_and_future, 0, ROWS(tolerances));
    tcase_add_test(tests, a_rule_looks_at_eight_places_each_once);
    tcase_add_loop_test(tests, a_rule_relies_on_the_headers_of_its_proof, 0, ROWS(relied_on));
    tests = trial_case(suite, "secrets");
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, a_secret_is_decoded_as_its_options_say, 0, ROWS(same_keys));
    tcase_add_loop_test(tests, another_secret_is_another_key, 0, ROWS(other_keys));
    tcase_add_loop_test(tests, every_secret_is_tried_and_the_one_that_matched_is_named, 0, ROWS(rotations));
    tcase_add_test(tests, a_secret_that_must_not_be_known_now_is_no_key_and_no_error);
    tcase_add_test(tests, a_secret_comes_from_a_file_beside_the_configuration);
    tcase_add_test(tests, a_public_key_may_be_read_by_everybody);
    tcase_add_test(tests, a_source_is_read_once_and_warned_of_once);
    tests = trial_case(suite, "presets");
    tcase_add_test(tests, a_preset_is_used_and_overridden);
    tcase_add_test(tests, a_preset_may_build_on_another);
    tcase_add_loop_test(tests, a_mistake_in_a_preset_is_blamed_on_its_line, 0, ROWS(wrong_presets));
    tcase_add_test(tests, a_mistake_of_the_line_is_not_blamed_on_a_preset);
    tcase_add_test(tests, an_unused_preset_is_looked_at_without_its_secret);
    tcase_add_test(tests, presets_may_be_a_few_deep);
    tcase_add_loop_test(tests, a_preset_knows_whether_it_brings_a_secret, 0, ROWS(with_secret));
    tests = trial_case(suite, "narrow");
    tcase_add_loop_test(tests, a_rule_is_narrowed_and_never_widened, 0, ROWS(narrowings));
    tcase_add_test(tests, a_narrowed_rule_is_narrower);
    tcase_add_loop_test(tests, scopes_are_added_to_those_of_the_server, 0, ROWS(scopes));
    return suite;
}
