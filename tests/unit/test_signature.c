/* The signature scheme: its options and what must hold between them, how signatures are written, and what
 * is read besides.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/trial.h"

#include <apr_strings.h>
#include <stdlib.h>

#define RULE "signature secret=env:SECRET signature=%{header:X-S} "
#define FIELDS "signature secret=env:SECRET fields=%{header:X-F} signature=%{field:v1} "
#define TOKEN "signature secret=env:SECRET signature=%{header:X-S} algorithm=token "
#define TIMES_8(word) word word word word word word word word

static const struct {
    const char *line, *fault;
} faults[] = {
    { "signature secret=env:SECRET", "signature= must say where the signature is" },
    { RULE TIMES_8("signature=%{header:X-S} "), "signature=: is given more than 8 times" },
    { "signature secret=env:SECRET signature=X-S", "signature=: \"X-S\" must be one of %{header:" },
    { "signature secret=env:SECRET signature=%{json:/s}", "signature=: \"%{json:/s}\" must be one of" },
    { "signature secret=env:SECRET signature=%{body}", "signature=: \"%{body}\" must be one of" },
    { "signature secret=env:SECRET signature=%{header:}", "signature=: %{header:}: a name must follow the colon" },
    { RULE "fields=%{query:f}", "fields=: \"%{query:f}\" must be one of %{header:" },
    { RULE "timestamp=%{path}", "timestamp=: \"%{path}\" must be one of" },
    { RULE "timestamp=%{timestamp}", "timestamp=: \"%{timestamp}\" must be one of" },
    { RULE "id=%{body}", "id=: \"%{body}\" must be one of" },
    { RULE "unsigned-id=%{method}", "unsigned-id=: \"%{method}\" must be one of" },
    { FIELDS "separator=,", "separator=: \",\" is none of comma, semicolon" },
    { RULE "list=tab", "list=: \"tab\" is none of space, comma" },
    { RULE "case=upper", "case=: \"upper\" is none of lower, any" },
    { RULE "encoding=HEX", "encoding=: \"HEX\" is none of hex, base64, base64url" },
    { RULE "key-encoding=base64url", "key-encoding=: \"base64url\" is none of raw, hex, base64, pem" },
    { RULE "timestamp-format=iso", "timestamp-format=: \"iso\" is none of unix, unix-ms, rfc3339" },
    { RULE "unsigned-ok=id", "unsigned-ok=: \"id\" is none of timestamp" },
    { RULE "algorithm=none", "algorithm=: \"none\" is none of hmac-sha256, hmac-sha1, hmac-sha512, ed25519, token" },
    { RULE "signed=%{bdoy}", "signed=: %{bdoy} is no selector" },
    { RULE "signed=50%", "signed=: a \"%\" stands alone" },
    { RULE "list=space version=v1,", "version=: holds a blank, a comma or an equals sign" },
    { RULE "list=space version=v=1", "version=: holds a blank, a comma or an equals sign" },
    { RULE "list=space \"version=v 1\"", "version=: holds a blank, a comma or an equals sign" },
    { RULE "expect=x", "expect=: must be written %{" },
    { RULE "expect=%{method}", "expect=: must be written %{" },
    { RULE "expect=%{method}:", "expect=: must be written %{" },
    { RULE "expect=%{body}:x", "expect=: \"%{body}\" must be one of" },
    { RULE "expect=%{query}:x", "expect=: \"%{query}\" must be one of" },
    { RULE "expect=method}:x", "expect=: \"method}\" must be one of" },
    { RULE "expect=%{header:A}:1 expect=%{header:B}:1 expect=%{header:C}:1 expect=%{header:D}:1 expect=%{header:E}:1 "
           "expect=%{header:F}:1 expect=%{header:G}:1 expect=%{header:H}:1 expect=%{header:I}:1",
      "expect=: is given more than 8 times" },
    { RULE "expect=%{method}:GET expect=%{method}:POST",
      "expect= is given twice for %{method}; no request can meet both" },
    { RULE "expect=%{header:X}:1 expect=%{header:A}:1 expect=%{header:x}:1", "expect= is given twice for %{header:x}" },
    { RULE "case=any encoding=base64", "case= is about hexadecimal digits; it does not go with this encoding=" },
    { RULE "case=lower encoding=base64", "case= is about hexadecimal digits; it does not go with this encoding=" },
    { RULE "version=v1", "version= chooses among entries; say with list= how they are separated" },
    { FIELDS "list=comma", "list= and fields= do not go together" },
    { RULE "separator=comma", "separator= stands between the fields of fields=, which is not there" },
    { TOKEN "encoding=hex", "a token is compared as it is sent; leave encoding= out" },
    { TOKEN "case=any", "a token is compared as it is sent; leave case= out" },
    { TOKEN "case=lower", "a token is compared as it is sent; leave case= out" },
    { TOKEN "signed=%{body}", "a token signs nothing; leave signed= out" },
    { RULE "fields=%{header:X-F}", "fields= is read but no %{field:" },
    { "signature secret=env:SECRET signature=%{field:v1}",
      "needs fields=%{header:NAME}: the header that holds the fields" },
    { RULE "signed=%{field:t}%{body}", "needs fields=%{header:NAME}" },
    { RULE "expect=%{field:t}:1", "needs fields=%{header:NAME}" },
    { RULE "unsigned-id=%{field:t}", "needs fields=%{header:NAME}" },
    { RULE "timestamp-format=unix", "timestamp-format= says how timestamp= is written, which is not there" },
    { RULE "unsigned-ok=timestamp", "unsigned-ok=timestamp is about timestamp=, which is not there" },
    { RULE "timestamp=%{header:X-T}",
      "timestamp=%{header:X-T} is not part of what is signed, so anybody can change it; put %{timestamp} into signed=, "
      "or add unsigned-ok=timestamp" },
    { RULE "timestamp=%{header:X-T} signed=%{header:X-U}%{body}",
      "timestamp=%{header:X-T} is not part of what is signed" },
    { RULE "timestamp=%{json:/t} signed=%{json:/u}", "timestamp=%{json:/t} is not part of what is signed" },
    { TOKEN "timestamp=%{header:X-T}", "timestamp=%{header:X-T} is not part of what is signed" },
    { RULE "signed=%{timestamp}%{body}", "signed= holds %{timestamp}, but timestamp= does not say what that is" },
    { RULE "timestamp=%{json:/t} signed=%{timestamp}%{body}",
      "%{timestamp} stands inside the body; write its own selector in signed=" },
    { RULE "id=%{header:X-I}",
      "id=%{header:X-I} is not part of what is signed, so anybody can change it; put %{id} into signed=, or "
      "use unsigned-id=" },
    { RULE "id=%{header:X-I} unsigned-ok=timestamp", "unsigned-ok=timestamp is about timestamp=, which is not there" },
    { TOKEN "id=%{header:X-I}", "id=%{header:X-I} is not part of what is signed" },
    { RULE "signed=%{id}%{body}", "signed= holds %{id}, but id= does not say what that is" },
    { RULE "id=%{form:i} signed=%{id}%{body}", "%{id} stands inside the body; write its own selector in signed=" },
    { RULE "key-encoding=pem", "key-encoding=pem is for public keys; this algorithm= takes a shared secret" },
    { TOKEN "key-encoding=pem", "key-encoding=pem is for public keys" },
};

START_TEST(options_that_do_not_go_together_are_refused)
{
    assert_sentence(fault_of(faults[_i].line), faults[_i].fault);
}
END_TEST

static const struct {
    const char *line;
    bool has_time, looks_inside, covers_host;
    int warnings;
} rules[] = {
    { RULE, false, false, false, 0 },
    { RULE "signed=%{body-sha256}", false, false, false, 0 },
    { RULE "signed=%{method}%{json:/a}", false, false, false, 1 },
    { RULE "signed=%{url}%{body}", false, false, true, 0 },
    { RULE "signed=%{header:HOST}%{body}", false, false, true, 0 },
    { RULE "signed=%{path}%{query}%{body}", false, false, false, 0 },
    { TOKEN, false, false, false, 0 },
    { TOKEN "timestamp=%{header:X-T} unsigned-ok=timestamp", true, false, false, 0 },
    { RULE "timestamp=%{header:X-T} signed=%{timestamp}%{body}", true, false, false, 0 },
    { RULE "timestamp=%{header:X-T} signed=%{header:x-t}%{body}", true, false, false, 0 },
    { RULE "timestamp=%{query:t} signed=%{url}%{body}", true, false, true, 0 },
    { RULE "timestamp=%{json:/t}", true, true, false, 0 },
    { RULE "timestamp=%{form:t}", true, true, false, 0 },
    { RULE "id=%{json:/i}", false, true, false, 0 },
    { RULE "unsigned-id=%{json:/i}", false, true, false, 0 },
    { RULE "unsigned-id=%{header:X-I}", false, false, false, 0 },
    { RULE "expect=%{json:/i}:1", false, true, false, 0 },
    { RULE "expect=%{method}:POST expect=%{path}:/p expect=%{query:a}:1", false, false, false, 0 },
    { RULE "expect=%{header:A}:1 expect=%{header:B}:1 expect=%{header:C}:1 expect=%{header:D}:1 expect=%{header:E}:1 "
           "expect=%{header:F}:1 expect=%{header:G}:1 expect=%{header:H}:1",
      false, false, false, 0 },
    { "signature secret=env:SECRET " TIMES_8("signature=%{header:X-S} "), false, false, false, 0 },
    { FIELDS "separator=semicolon timestamp=%{field:t} signed=%{timestamp}%{body}", true, false, false, 0 },
    { RULE "fields=%{header:X-F} expect=%{field:v}:1", false, false, false, 0 },
    { RULE "fields=%{header:X-F} unsigned-id=%{field:i}", false, false, false, 0 },
    { RULE "fields=%{header:X-F} timestamp=%{field:t} signed=%{timestamp}%{body}", true, false, false, 0 },
    { RULE "fields=%{header:X-F} id=%{field:i} signed=%{id}%{body}", false, false, false, 0 },
    { RULE "fields=%{header:X-F} signed=%{field:t}%{body}", false, false, false, 0 },
};

START_TEST(a_rule_knows_what_it_needs)
{
    av_rule *rule = rule_of(rules[_i].line);

    ck_assert_int_eq(rule->has_time, rules[_i].has_time);
    ck_assert_int_eq(rule->looks_inside, rules[_i].looks_inside);
    ck_assert_int_eq(rule->covers_host, rules[_i].covers_host);
    ck_assert_int_eq(compiler.warnings->nelts, rules[_i].warnings);
}
END_TEST

START_TEST(a_body_that_is_not_signed_is_warned_of)
{
    rule_of(RULE "signed=%{method}");
    ck_assert_int_eq(compiler.warnings->nelts, 1);
    assert_sentence(
        APR_ARRAY_IDX(compiler.warnings, 0, const char *),
        "rule \"signature\": signed= does not cover the body; whoever sees one request can send another body");
}
END_TEST

/* MACs of BODY with SECRET: printf 'a body' | openssl dgst -sha256 -hmac "$SECRET", written in four ways. */
#define BODY "a body"
#define HEX "be0c294239ec6ca8819f62c96ab16b834616a4ba68a263cd619d2dd25921d69e"
#define UPPER "BE0C294239EC6CA8819F62C96AB16B834616A4BA68A263CD619D2DD25921D69E"
#define BASE64 "vgwpQjnsbKiBn2LJarFrg0YWpLpoomPNYZ0t0lkh1p4="
#define BASE64URL "vgwpQjnsbKiBn2LJarFrg0YWpLpoomPNYZ0t0lkh1p4"
#define SHA1 "f5d7bd4d22bfbe4dba9c1f4e2485df7a5885e5a0"
#define SHA512                                                         \
    "0c9ee66e99d183dc5c51ab3d0cc072e64e38bbc268493442a6059cf4dc4ef937" \
    "684f8abdbbe7ed4166096842972071180f0b517f0e6cc5ae532268c855d302dc"
/* Well-formed, and of nothing. */
#define WRONG "00000000000000000000000000000000000000000000000000000000000000ff"
#define WRONG_BASE64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="

#define S(value) "POST /p HTTP/1.1\nX-S: " value "\n\n" BODY
#define F(value) "POST /p HTTP/1.1\nX-F: " value "\n\n" BODY
#define TIMES_15(word) word word word word word word word word word word word word word word word
#define TIMES_16(word) TIMES_15(word) word

typedef struct trial {
    const char *line, *request;
    av_reason reason;
} trial;

static const trial forms[] = {
    { RULE, S(HEX), AV_ACCEPTED },
    { RULE, S(WRONG), AV_WRONG_SIGNATURE },
    { RULE, S(""), AV_MALFORMED_CREDENTIAL },
    { RULE, S(UPPER), AV_MALFORMED_CREDENTIAL },
    { RULE, S(HEX "0"), AV_MALFORMED_CREDENTIAL },
    { RULE, S(HEX "00"), AV_MALFORMED_CREDENTIAL },
    { RULE, S("sha256=" HEX), AV_MALFORMED_CREDENTIAL },
    { RULE, S("\"" HEX "\""), AV_MALFORMED_CREDENTIAL },
    { RULE, S(HEX ", " HEX), AV_MALFORMED_CREDENTIAL },
    { RULE, S(SHA1), AV_MALFORMED_CREDENTIAL },
    { RULE, S(BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "case=lower", S(UPPER), AV_MALFORMED_CREDENTIAL },
    { RULE "case=any", S(UPPER), AV_ACCEPTED },
    { RULE "case=any", S(HEX), AV_ACCEPTED },
    { RULE "case=any encoding=hex", S(UPPER), AV_ACCEPTED },
    { RULE "encoding=base64", S(BASE64), AV_ACCEPTED },
    { RULE "encoding=base64", S(BASE64URL), AV_MALFORMED_CREDENTIAL },
    { RULE "encoding=base64", S(BASE64 "="), AV_MALFORMED_CREDENTIAL },
    { RULE "encoding=base64", S(BASE64 "AAAA"), AV_MALFORMED_CREDENTIAL },
    { RULE "encoding=base64", S(HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "encoding=base64url", S(BASE64URL), AV_ACCEPTED },
    { RULE "encoding=base64url", S(BASE64URL "="), AV_MALFORMED_CREDENTIAL },
    { RULE "algorithm=hmac-sha1", S(SHA1), AV_ACCEPTED },
    { RULE "algorithm=hmac-sha1", S(HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "algorithm=hmac-sha512", S(SHA512), AV_ACCEPTED },
    { RULE "algorithm=hmac-sha512", S(HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=sha256=", S("sha256=" HEX), AV_ACCEPTED },
    { RULE "prefix=sha256=", S("sha256=" WRONG), AV_WRONG_SIGNATURE },
    { RULE "prefix=sha256=", S(HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=sha256=", S("SHA256=" HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=sha256=", S("sha256=sha256=" HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=sha256=", S("sha256="), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=sha256=", S("sha1=" SHA1), AV_MALFORMED_CREDENTIAL },
    { RULE "prefix=" HEX, S(HEX), AV_MALFORMED_CREDENTIAL },
    /* several places */
    { RULE "signature=%{header:X-T}", S(HEX), AV_ACCEPTED },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-T: " HEX "\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-S: " WRONG "\nX-T: " HEX "\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-S: " HEX "\nX-T: " WRONG "\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-S: nonsense\nX-T: " HEX "\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-S: " WRONG "\nX-T: " WRONG "\n\n" BODY, AV_WRONG_SIGNATURE },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-S: \nX-T: \n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\nX-T: " HEX "\nX-T: " HEX "\n\n" BODY,
      AV_AMBIGUOUS_CREDENTIAL },
    { RULE "signature=%{query:s}", "POST /p?s=" HEX " HTTP/1.1\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{query:s}", "POST /p?s=%3" HEX " HTTP/1.1\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { RULE "signature=%{query:s} encoding=base64", "POST /p?s=" BASE64 " HTTP/1.1\n\n" BODY, AV_ACCEPTED },
    { RULE "signature=%{query:s}", "POST /p?s=%zz HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { RULE "signature=%{header:X-T}", "POST /p HTTP/1.1\n\n" BODY, AV_NOT_PRESENTED },
    /* tokens */
    { TOKEN, S(SECRET), AV_ACCEPTED },
    { TOKEN, S(SECRET "."), AV_WRONG_SECRET },
    { TOKEN, S("a first secret"), AV_WRONG_SECRET },
    { TOKEN, S(SECOND_SECRET), AV_WRONG_SECRET },
    { TOKEN, S(""), AV_MALFORMED_CREDENTIAL },
    { TOKEN "secret=env:SECOND", S(SECOND_SECRET), AV_ACCEPTED },
    { TOKEN "prefix=Bearer:", S("Bearer:" SECRET), AV_ACCEPTED },
    { TOKEN "prefix=Bearer:", S(SECRET), AV_MALFORMED_CREDENTIAL },
    { TOKEN "list=comma", S(SECOND_SECRET ", " SECRET), AV_ACCEPTED },
};

static const trial lists[] = {
    { RULE "list=comma", S(HEX), AV_ACCEPTED },
    { RULE "list=comma", S(WRONG "," HEX), AV_ACCEPTED },
    { RULE "list=comma", S(HEX "," WRONG), AV_ACCEPTED },
    { RULE "list=comma", S(WRONG ",\t " HEX " ,nonsense"), AV_ACCEPTED },
    { RULE "list=comma", S(WRONG "," WRONG), AV_WRONG_SIGNATURE },
    { RULE "list=comma", S("nonsense,"), AV_MALFORMED_CREDENTIAL },
    { RULE "list=comma", S(","), AV_MALFORMED_CREDENTIAL },
    { RULE "list=comma", S(WRONG " " HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space", S(WRONG " " HEX), AV_ACCEPTED },
    { RULE "list=space", S(WRONG "  " HEX), AV_ACCEPTED },
    { RULE "list=space", S(WRONG "," HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space", S(WRONG "\t" HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space", S(WRONG " \t" HEX), AV_WRONG_SIGNATURE },
    { RULE "list=comma prefix=v0=", S("v0=" WRONG ",v0=" HEX), AV_ACCEPTED },
    { RULE "list=comma prefix=v0=", S(HEX ",v0=" WRONG), AV_WRONG_SIGNATURE },
    { RULE "list=comma", S(TIMES_15(WRONG ",") HEX), AV_ACCEPTED },
    { RULE "list=comma", S(TIMES_16(WRONG ",") HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=comma", S(HEX "," TIMES_15(WRONG ",") WRONG), AV_MALFORMED_CREDENTIAL },
    { RULE "list=comma", S(TIMES_15("nonsense,") HEX), AV_ACCEPTED },
    { RULE "list=comma", S(TIMES_16("nonsense,") HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=comma", S(TIMES_16(",") HEX), AV_MALFORMED_CREDENTIAL },
    /* versions */
    { RULE "list=space version=v1 encoding=base64", S("v1," BASE64), AV_ACCEPTED },
    { RULE "list=space version=v1 encoding=base64", S("v1," WRONG_BASE64 " v1," BASE64), AV_ACCEPTED },
    { RULE "list=space version=v1 encoding=base64", S("v1a,x v2 v1," BASE64), AV_ACCEPTED },
    { RULE "list=space version=v1 encoding=base64", S("v2," BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("V1," BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("v1a," BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("v1=" BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S(BASE64), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("v1"), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("v1,"), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 encoding=base64", S("v1,nonsense v1," WRONG_BASE64), AV_WRONG_SIGNATURE },
    { RULE "list=comma version=v1", S("v1=" HEX), AV_ACCEPTED },
    { RULE "list=comma version=v1", S("v0=" HEX ", v1=" WRONG), AV_WRONG_SIGNATURE },
    { RULE "list=comma version=v1", S("v0=" WRONG ", v1=" HEX), AV_ACCEPTED },
    { RULE "list=comma version=v1", S("v1," HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1", S(TIMES_15("v2,x ") "v1," HEX), AV_ACCEPTED },
    { RULE "list=space version=v1", S(TIMES_16("v2,x ") "v1," HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1", S("v1," HEX TIMES_15(" v2,x")), AV_ACCEPTED },
    { RULE "list=space version=v1", S("v1," HEX TIMES_16(" v2,x")), AV_MALFORMED_CREDENTIAL },
    { RULE "list=space version=v1 prefix=x", S("v1,x" HEX), AV_ACCEPTED },
    /* fields */
    { FIELDS, F("v1=" HEX), AV_ACCEPTED },
    { FIELDS, F("t=1, v1=" HEX ",v0=x"), AV_ACCEPTED },
    { FIELDS, F("v1=\"" HEX "\""), AV_ACCEPTED },
    { FIELDS, F("v1=" WRONG ",v1=" HEX), AV_ACCEPTED },
    { FIELDS, F("v1=nonsense,v1=" HEX), AV_ACCEPTED },
    { FIELDS, F("v1=" WRONG ",v1=" WRONG), AV_WRONG_SIGNATURE },
    { FIELDS, F("v0=" HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F("V1=" HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F("v1=" HEX ";t=1"), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F("v1=" HEX ",x"), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F(HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F(""), AV_MALFORMED_CREDENTIAL },
    { FIELDS, "POST /p HTTP/1.1\nX-F: v1=" HEX "\nX-F: v1=" HEX "\n\n" BODY, AV_AMBIGUOUS_CREDENTIAL },
    { FIELDS, "POST /p HTTP/1.1\nX-F: x\nX-F: x\n\n" BODY, AV_AMBIGUOUS_CREDENTIAL },
    { FIELDS "separator=semicolon", F("v1=" HEX ";t=1"), AV_ACCEPTED },
    { FIELDS "separator=semicolon", F("v1=" HEX ",t=1"), AV_MALFORMED_CREDENTIAL },
    { FIELDS "separator=comma", F("v1=" HEX ",t=1"), AV_ACCEPTED },
    { FIELDS "prefix=x", F("v1=x" HEX), AV_ACCEPTED },
    { FIELDS "signature=%{field:v0}", F("v0=" HEX ",v1=" WRONG), AV_ACCEPTED },
    { FIELDS "signature=%{header:X-S}", "POST /p HTTP/1.1\nX-F: v1=" WRONG "\nX-S: " HEX "\n\n" BODY, AV_ACCEPTED },
    { FIELDS "signature=%{header:X-S}", S(HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS, F(TIMES_15("v1=" WRONG ",") "v1=" HEX), AV_ACCEPTED },
    { FIELDS, F(TIMES_16("v1=" WRONG ",") "v1=" HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS "timestamp=%{field:t} signed=%{timestamp}.%{body}",
      F("t=1767312000,v1=3f215617933affd0ad54f743992ec60f738660354e25a65e4be78261df19b375"), AV_ACCEPTED },
    { FIELDS "timestamp=%{field:t} signed=%{timestamp}.%{body}",
      F("t=1767312000,t=1767312000,v1=3f215617933affd0ad54f743992ec60f738660354e25a65e4be78261df19b375"),
      AV_MALFORMED_CREDENTIAL },
    { FIELDS "timestamp=%{field:t} signed=%{timestamp}.%{body}", F("v1=" HEX), AV_MALFORMED_CREDENTIAL },
    { FIELDS "signed=%{field:t}%{body}", F("v1=" HEX ",t=1,t=2"), AV_MALFORMED_CREDENTIAL },
};

static void assert_trial(const trial *row)
{
    assert_reason(reason_of(row->line, row->request), row->reason, apr_pstrcat(pool, row->line, row->request, NULL));
}

START_TEST(a_signature_is_read_as_its_options_say)
{
    assert_trial(&forms[_i]);
}
END_TEST

START_TEST(one_of_several_signatures_is_enough)
{
    assert_trial(&lists[_i]);
}
END_TEST

#define T RULE "timestamp=%{header:X-T} signed=%{timestamp}.%{body} "
#define I RULE "id=%{header:X-I} signed=%{id}.%{body} "
#define EXPECT RULE "expect=%{header:X-E}:yes "
#define LONG_ID TIMES_16("0123456789abcdef")

static const trial values[] = {
    /* times that are none */
    { T, "POST / HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { T, "POST / HTTP/1.1\nX-T:\nX-S: 6b1e492acf040a4308777189119ac0ed97161a0e8b05429d7b17013bd71210db\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { T, "POST / HTTP/1.1\nX-T: now\nX-S: 24636e589e322928b4fbdf746aaf0e50389a6c547e7ae193142a0f3095c5feb7\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { T,
      "POST / HTTP/1.1\nX-T: +1767312000\nX-S: "
      "42668da5b6e39cecdad6ec14b2f4ecc25aeef6ff1680143c3dbfe3516c8c395f\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { T,
      "POST / HTTP/1.1\nX-T: 01767312000\nX-S: "
      "b1b53d1134e5b8b22053e68be4b0a12a65323149a8aeba21411a1d45dba992be\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { T, "POST / HTTP/1.1\nX-T: 2026-01-02T00:00:00Z\nX-S: " WRONG "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { T, "POST / HTTP/1.1\nX-T: 1767312000\nX-T: 1767312000\nX-S: " WRONG "\n\n" BODY, AV_AMBIGUOUS_CREDENTIAL },
    { T, "POST / HTTP/1.1\nX-T: 1767312000\nX-S: " WRONG "\n\n" BODY, AV_WRONG_SIGNATURE },
    /* ids */
    { I, "POST / HTTP/1.1\nX-I: id\nX-S: 88d8284e07f43d9c1d683e55b111687604a905dfc0326b7662909f0a814650f5\n\n" BODY,
      AV_ACCEPTED },
    { I, "POST / HTTP/1.1\nX-I: id2\nX-S: 88d8284e07f43d9c1d683e55b111687604a905dfc0326b7662909f0a814650f5\n\n" BODY,
      AV_WRONG_SIGNATURE },
    { I, "POST / HTTP/1.1\nX-I: id.a\nX-S: 5db9a35045ca0217512b3b6e22068628f51b02886506cd7f1bbd8e63eb5f3387\n\nbody",
      AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I: id\nX-S: 5db9a35045ca0217512b3b6e22068628f51b02886506cd7f1bbd8e63eb5f3387\n\na.body",
      AV_ACCEPTED },
    { I, "POST / HTTP/1.1\nX-I: a b\nX-S: 6a54a4c95ff75a39b6ac2795258ce82f15796c38aa1a08ee7c3e79a04daaac11\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I:\nX-S: 6b1e492acf040a4308777189119ac0ed97161a0e8b05429d7b17013bd71210db\n\n" BODY,
      AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I: \x7f\nX-S: " WRONG "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I: \xc3\xa4\nX-S: " WRONG "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I: a\nX-I: b\nX-S: " HEX "\n\n" BODY, AV_AMBIGUOUS_CREDENTIAL },
    { I, "POST / HTTP/1.1\nX-I: " LONG_ID "\nX-S: " WRONG "\n\n" BODY, AV_WRONG_SIGNATURE },
    { I, "POST / HTTP/1.1\nX-I: " LONG_ID "0\nX-S: " WRONG "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { RULE "id=%{header:X-I} signed=%{id}:%{body}",
      "POST / HTTP/1.1\nX-I: i.d\nX-S: 4732bba2f0b46fd866b369bbee3717016eab3f134a3d869122979c5f0b67f9bc\n\n" BODY,
      AV_ACCEPTED },
    { RULE "id=%{header:X-I} signed=%{id}::.%{body}",
      "POST / HTTP/1.1\nX-I: i.d\nX-S: 80bb05612e79f5a248273b20bf34e58d17f362d11d5e19d46b097c050e268881\n\n" BODY,
      AV_ACCEPTED },
    { RULE "id=%{header:X-I} signed=v1.%{id}:%{body}",
      "POST / HTTP/1.1\nX-I: i.d\nX-S: 1e329162373aa06802dcf8bd711bc6dfd272af71a2cdfd820d674a8eb19f78d6\n\n" BODY,
      AV_ACCEPTED },
    /* cut in two ways, one of which is refused: the delimiter may stand before the id, and the id go by its own name */
    { RULE "id=%{header:X-I} signed=%{body}.%{id}",
      "POST / HTTP/1.1\nX-I: id\nX-S: 193a1f2540130b37cd822da4526067f29ba35933444d1cb6f6d1a379750fab9f\n\nbody.a",
      AV_ACCEPTED },
    { RULE "id=%{header:X-I} signed=%{body}.%{id}",
      "POST / HTTP/1.1\nX-I: a.id\nX-S: 193a1f2540130b37cd822da4526067f29ba35933444d1cb6f6d1a379750fab9f\n\nbody",
      AV_MALFORMED_CREDENTIAL },
    { RULE "id=%{header:X-I} signed=%{header:x-i}.%{body}",
      "POST / HTTP/1.1\nX-I: id\nX-S: 5db9a35045ca0217512b3b6e22068628f51b02886506cd7f1bbd8e63eb5f3387\n\na.body",
      AV_ACCEPTED },
    { RULE "id=%{header:X-I} signed=%{header:x-i}.%{body}",
      "POST / HTTP/1.1\nX-I: id.a\nX-S: 5db9a35045ca0217512b3b6e22068628f51b02886506cd7f1bbd8e63eb5f3387\n\nbody",
      AV_MALFORMED_CREDENTIAL },
    { RULE "id=%{json:/i} signed=%{json:/i}.%{json:/j}",
      "POST / HTTP/1.1\nX-S: "
      "9766cf0316de3cd9f2c74183be8bf40caf1d05db971688b69cb752094b6d4174"
      "\n\n{\"i\":\"a\",\"j\":\"b.c\"}",
      AV_ACCEPTED },
    { RULE "id=%{json:/i} signed=%{json:/i}.%{json:/j}",
      "POST / HTTP/1.1\nX-S: "
      "9766cf0316de3cd9f2c74183be8bf40caf1d05db971688b69cb752094b6d4174"
      "\n\n{\"i\":\"a.b\",\"j\":\"c\"}",
      AV_BODY_NOT_UNDERSTOOD },
    { RULE "id=%{query:i} signed=%{url}%{body}",
      "POST /?i=%69d HTTP/1.1\nHost: example.org\nX-S: "
      "c1a5f29794a0b4fe5793a6dda937d057f144df31b7b5bc35b08c537706b7f727\n\n" BODY,
      AV_ACCEPTED },
    /* what is signed and not there */
    { RULE "signed=%{header:X-P}%{body}", S(HEX), AV_MALFORMED_CREDENTIAL },
    { RULE "signed=%{header:X-P}%{body}", "POST / HTTP/1.1\nX-P:\nX-S: " HEX "\n\n" BODY, AV_ACCEPTED },
    { RULE "signed=%{header:X-P}%{body}", "POST / HTTP/1.1\nX-P: 1\nX-P: 2\nX-S: " HEX "\n\n" BODY,
      AV_AMBIGUOUS_CREDENTIAL },
    { RULE "signed=%{query:p}%{body}", "POST /?p=%zz HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    /* expectations */
    { EXPECT, "POST / HTTP/1.1\nX-E: yes\nX-S: " HEX "\n\n" BODY, AV_ACCEPTED },
    { EXPECT, "POST / HTTP/1.1\nX-E: no\nX-S: " HEX "\n\n" BODY, AV_UNEXPECTED_VALUE },
    { EXPECT, "POST / HTTP/1.1\nX-E: yes!\nX-S: " HEX "\n\n" BODY, AV_UNEXPECTED_VALUE },
    { EXPECT, "POST / HTTP/1.1\nX-E: YES\nX-S: " HEX "\n\n" BODY, AV_UNEXPECTED_VALUE },
    { EXPECT, "POST / HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_UNEXPECTED_VALUE },
    { EXPECT, "POST / HTTP/1.1\nX-E: yes\nX-E: yes\nX-S: " HEX "\n\n" BODY, AV_UNEXPECTED_VALUE },
    { EXPECT, "POST / HTTP/1.1\nX-E: no\nX-S: nonsense\n\n" BODY, AV_MALFORMED_CREDENTIAL },
    { EXPECT, "POST / HTTP/1.1\nX-E: yes\nX-S: " WRONG "\n\n" BODY, AV_WRONG_SIGNATURE },
    { RULE "expect=%{header:X-E}:a}:b", "POST / HTTP/1.1\nX-E: a}:b\nX-S: " HEX "\n\n" BODY, AV_ACCEPTED },
    { RULE "expect=%{method}:POST expect=%{path}:/p", S(HEX), AV_ACCEPTED },
    { RULE "expect=%{method}:POST expect=%{path}:/q", S(HEX), AV_UNEXPECTED_VALUE },
    { RULE "expect=%{method}:PUT expect=%{path}:/p", S(HEX), AV_UNEXPECTED_VALUE },
    { RULE "expect=%{query:e}:yes", "POST /?e=%79es HTTP/1.1\nX-S: " HEX "\n\n" BODY, AV_ACCEPTED },
    { TOKEN "expect=%{method}:POST", S(SECRET), AV_ACCEPTED },
    { TOKEN "expect=%{method}:PUT", S(SECRET), AV_UNEXPECTED_VALUE },
};

START_TEST(what_the_head_says_besides_is_read_and_checked)
{
    assert_trial(&values[_i]);
}
END_TEST

#define EVENT RULE "expect=%{json:/event}:ping "
#define J(mac, body) "POST / HTTP/1.1\nX-S: " mac "\n\n" body

static const trial inside[] = {
    { EVENT, J("3275eba49a0a86064c518d01f45fb0bf96625bbd0fe107d6ea0d9c1dbfde0279", "{\"event\":\"ping\"}"),
      AV_ACCEPTED },
    { EVENT, J("0e05a034f01caa41ce43643cc3b416adb6ca6cb86a0ec3cbc0eff3405260310d", "{\"event\":\"push\"}"),
      AV_UNEXPECTED_VALUE },
    { EVENT, J("b42d711f821c0d4bf600d15129d3603a5ce2188355dad8efeb38329ec94179d7", "{\"other\":\"ping\"}"),
      AV_UNEXPECTED_VALUE },
    { EVENT, J("c8623d7ce9115581b0f13673a7063343b524712655f889c295138cb1703266da", "event=ping"), AV_UNEXPECTED_VALUE },
    { EVENT, J("18a4f7b0351eb38aed1a9ade19b093ff82ac8d69befbe01303bd72e01905a92f", ""), AV_UNEXPECTED_VALUE },
    { EVENT, J(WRONG, "{\"event\":\"push\"}"), AV_WRONG_SIGNATURE },
    { EVENT, J(WRONG, "{\"event\":\"ping\"}"), AV_WRONG_SIGNATURE },
    { EVENT "expect=%{method}:PUT",
      J("3275eba49a0a86064c518d01f45fb0bf96625bbd0fe107d6ea0d9c1dbfde0279", "{\"event\":\"ping\"}"),
      AV_UNEXPECTED_VALUE },
    { RULE "expect=%{form:event}:a+b",
      J("59566a62bd2f329792af783c042db302be14e38c85d2f53ff6e1fd33f7a0a1f9", "event=a%2Bb"), AV_ACCEPTED },
    { RULE "expect=%{form:event}:a+b",
      J("c3efaf22b9c91708a29c2d458b6ac8bf166f0b76c31dfac711b0819a91d8a5b4", "event=a+b"), AV_UNEXPECTED_VALUE },
    { RULE "expect=%{form:event}:x",
      J("effa138b38eeed27eb9bec65d57de3d9012ec0e61a9c294a66221cfb040cc2b8", "event=x&event=x"), AV_UNEXPECTED_VALUE },
    { TOKEN "expect=%{json:/event}:ping", J(SECRET, "{\"event\":\"ping\"}"), AV_ACCEPTED },
    { TOKEN "expect=%{json:/event}:ping", J(SECRET, "{\"event\":\"push\"}"), AV_UNEXPECTED_VALUE },
    { TOKEN "expect=%{json:/event}:ping", J("x", "{\"event\":\"push\"}"), AV_WRONG_SECRET },
    { RULE "id=%{json:/id}", J("6581002541615d41071b6d8d189ad71857e679a068f2a237f77a442c10b88d13", "{\"id\":\"1\"}"),
      AV_ACCEPTED },
    { RULE "id=%{json:/id}", J("6bad97ea08fb29e051a8827dba31e2b671ed6bf18bd0aa3c52c630361ea2dd68", "{\"id\":\"a b\"}"),
      AV_BODY_NOT_UNDERSTOOD },
    { RULE "id=%{json:/id}", J("fd3a094fb32e99fad2a0533ef7c960bbad41d3879f90cfd94c93617e20da510c", "{\"id\":\"\"}"),
      AV_BODY_NOT_UNDERSTOOD },
    { RULE "id=%{json:/id}", J("af568547e366380ccc82a5e7dffb5ddcbae00c98aa908eae23f778ea1ac0aee3", "{}"),
      AV_BODY_NOT_UNDERSTOOD },
    { RULE "id=%{form:id}", J("8aeb0d1494b41ee8f67d8d92a33a8b11363ae1d92413dc2cde360f973e110c38", "id=1"),
      AV_ACCEPTED },
    { RULE "id=%{form:id}", J("56894577f8fdc4fab68231bbeebcc0617c8e3513c61579fa36c2b85ffa1a7d50", "id=1&id=2"),
      AV_AMBIGUOUS_CREDENTIAL },
    { RULE "unsigned-id=%{json:/id}", J("af568547e366380ccc82a5e7dffb5ddcbae00c98aa908eae23f778ea1ac0aee3", "{}"),
      AV_ACCEPTED },
    { RULE "unsigned-id=%{json:/id}", J("9b5a999f17376f91ecc8fa4bd21fa38a1b6da33e4d220b8d576e0ab3e4aae93f", "no JSON"),
      AV_ACCEPTED },
};

START_TEST(what_the_body_says_is_checked_after_the_proof)
{
    assert_trial(&inside[_i]);
}
END_TEST

static const struct {
    const char *line, *request, *id;
} ids[] = {
    { I, "POST / HTTP/1.1\nX-I: one\nX-S: 2f59120acac598e3eecedba5612be7b25e70e279b7bba479e21dd97d407770e8\n\n" BODY,
      "one" },
    { RULE "id=%{json:/id}", J("5eaf754ae5109882682c6be282e7cafbc0fd941f024525c230d12466fb2bdf18", "{\"id\":7}"), "7" },
    { RULE "id=%{form:id}", J("dce53bbc793bc07c1f90ba0ef82e1e985959cc7ae7fd7858fa388aceca15465d", "id=%37"), "7" },
    { RULE "unsigned-id=%{json:/id}",
      J("5eaf754ae5109882682c6be282e7cafbc0fd941f024525c230d12466fb2bdf18", "{\"id\":7}"), "7" },
    { RULE "unsigned-id=%{header:X-I}", "POST / HTTP/1.1\nX-I: a.b\nX-S: " HEX "\n\n" BODY, "a.b" },
    { RULE "unsigned-id=%{header:X-I}", "POST / HTTP/1.1\nX-I: a b\nX-S: " HEX "\n\n" BODY, "" },
    { RULE "unsigned-id=%{header:X-I}", "POST / HTTP/1.1\nX-I: a\nX-I: b\nX-S: " HEX "\n\n" BODY, "" },
    { RULE "unsigned-id=%{header:X-I}", "POST / HTTP/1.1\nX-I: " LONG_ID "0\nX-S: " HEX "\n\n" BODY, "" },
    { RULE "unsigned-id=%{header:X-I}", "POST / HTTP/1.1\nX-I: " LONG_ID "\nX-S: " HEX "\n\n" BODY, LONG_ID },
};

START_TEST(an_accepted_delivery_has_its_id)
{
    built_request request = request_of(ids[_i].request);
    av_verdict verdict = decide(policy_of(ids[_i].line), &request);

    assert_reason(verdict.reason, AV_ACCEPTED, ids[_i].line);
    assert_slice(verdict.id, av_slice_of(ids[_i].id), ids[_i].line);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_not_looked_into)
{
    built_request request = request_of(inside[0].request);

    request.parse_limit = request.body.len;
    assert_reason(decide(policy_of(EVENT), &request).reason, AV_ACCEPTED, "at the limit");
    request.parse_limit--;
    assert_reason(decide(policy_of(EVENT), &request).reason, AV_BODY_NOT_UNDERSTOOD, "beyond it");
    assert_reason(decide(policy_of(RULE "unsigned-id=%{json:/id}"), &request).reason, AV_BODY_NOT_UNDERSTOOD, "an id");
}
END_TEST

/* A signature of the text by the key of RFC 8032 section 7.1, TEST 1, and its public key. */
#define ED25519 "signature algorithm=ed25519 key-encoding=hex secret=env:ED25519 signature=%{header:X-S} "
#define ED25519_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define OTHER_KEY "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

static const trial public_keys[] = {
    { ED25519,
      S("0e960bd9577e61387e5500b740daa3351c3c3652c42ec36ad20c074c94855af0"
        "4b971949bf807193eaa7ae1f467129d8893a0899c0d951ce5c0c1478f7535605"),
      AV_ACCEPTED },
    { ED25519,
      S("f87c425155622eff1b2d57ba7ab5255c53fbb5289d3d2962714a02f4edf31f6f"
        "e912ca295a17ce404380cea3c6d3747f08492857ef120131d18dabc9d7193008"),
      AV_WRONG_SIGNATURE },
    { ED25519,
      S("0e960bd9577e61387e5500b740daa3351c3c3652c42ec36ad20c074c94855af0"
        "4b971949bf807193eaa7ae1f467129d8893a0899c0d951ce5c0c1478f753560500"),
      AV_MALFORMED_CREDENTIAL },
    { ED25519, S(HEX), AV_MALFORMED_CREDENTIAL },
    { ED25519 "secret=env:OTHER",
      S("f87c425155622eff1b2d57ba7ab5255c53fbb5289d3d2962714a02f4edf31f6f"
        "e912ca295a17ce404380cea3c6d3747f08492857ef120131d18dabc9d7193008"),
      AV_ACCEPTED },
    { ED25519 "encoding=base64",
      S("DpYL2Vd+YTh+VQC3QNqjNRw8NlLELsNq0gwHTJSFWvBLlxlJv4Bxk+qnrh9GcSnYiToImcDZUc5cDBR491NWBQ=="), AV_ACCEPTED },
    { ED25519 "list=comma",
      S("f87c425155622eff1b2d57ba7ab5255c53fbb5289d3d2962714a02f4edf31f6f"
        "e912ca295a17ce404380cea3c6d3747f08492857ef120131d18dabc9d7193008"
        ","
        "0e960bd9577e61387e5500b740daa3351c3c3652c42ec36ad20c074c94855af0"
        "4b971949bf807193eaa7ae1f467129d8893a0899c0d951ce5c0c1478f7535605"),
      AV_ACCEPTED },
    { ED25519 "signed=%{header:X-T}%{body}",
      "POST / HTTP/1.1\nX-T: 17\nX-S: "
      "f8f5f5064103972936225b413689ee340d483b768fe06c4ec94bae9c3e085ee3"
      "01cd7324ee1d97acc9a747082379a514235d61a76fcb8003789dcf256d26e301\n\n" BODY,
      AV_ACCEPTED },
    { ED25519 "signed=%{header:X-T}%{body}",
      "POST / HTTP/1.1\nX-T: 18\nX-S: "
      "f8f5f5064103972936225b413689ee340d483b768fe06c4ec94bae9c3e085ee3"
      "01cd7324ee1d97acc9a747082379a514235d61a76fcb8003789dcf256d26e301\n\n" BODY,
      AV_WRONG_SIGNATURE },
    { ED25519 "signed=%{header:X-T}%{body}",
      "POST / HTTP/1.1\nX-T: 1\nX-S: "
      "f8f5f5064103972936225b413689ee340d483b768fe06c4ec94bae9c3e085ee3"
      "01cd7324ee1d97acc9a747082379a514235d61a76fcb8003789dcf256d26e301\n\n7" BODY,
      AV_ACCEPTED }, /* the sender's own weakness: nothing stands between the two */
    { ED25519 "expect=%{json:/a}:1",
      J("dc2a199ab86f27979a7e7eb3c4a890f1cf7f991531b716b03380c58a909ea23a"
        "7f6e4b347a6486178aa98908e417d6ae59e15e534610f2c60861c7bf79b4610f",
        "{\"a\":1}"),
      AV_ACCEPTED },
    { ED25519 "expect=%{json:/a}:1",
      J("14a79e95c9257acdea48b78406aa5616a11b738c38900575d34ac0d381638ef6"
        "4b742b297a50695481883c788c8b4f45b989e793323898cc28da31bc5c8e370d",
        "{\"a\":2}"),
      AV_UNEXPECTED_VALUE },
};

START_TEST(a_public_key_proves_its_text)
{
    setenv("ED25519", ED25519_KEY, 1);
    setenv("OTHER", OTHER_KEY, 1);
    assert_trial(&public_keys[_i]);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("signature");
    TCase *tests = trial_case(suite, "settings");

    tcase_add_loop_test(tests, options_that_do_not_go_together_are_refused, 0, ROWS(faults));
    tcase_add_loop_test(tests, a_rule_knows_what_it_needs, 0, ROWS(rules));
    tcase_add_test(tests, a_body_that_is_not_signed_is_warned_of);
    tests = trial_case(suite, "find");
    tcase_add_loop_test(tests, a_signature_is_read_as_its_options_say, 0, ROWS(forms));
    tcase_add_loop_test(tests, one_of_several_signatures_is_enough, 0, ROWS(lists));
    tcase_add_loop_test(tests, what_the_head_says_besides_is_read_and_checked, 0, ROWS(values));
    tests = trial_case(suite, "prove");
    tcase_add_loop_test(tests, what_the_body_says_is_checked_after_the_proof, 0, ROWS(inside));
    tcase_add_loop_test(tests, an_accepted_delivery_has_its_id, 0, ROWS(ids));
    tcase_add_test(tests, a_body_beyond_the_limit_is_not_looked_into);
    tcase_add_loop_test(tests, a_public_key_proves_its_text, 0, ROWS(public_keys));
    return suite;
}
