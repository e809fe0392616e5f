/* Lines of a clients file: what each word becomes, and each way in which a line cannot be right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/timestamp.h"
#include "stores/clients_line.h"
#include "support/suite.h"

#include <apr_strings.h>

/* SHA-256 of "abc". */
#define ABC "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define BCRYPT "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"
#define MARK "5tray-c4nary"

static av_client_record record;

static const char *parse(const char *line)
{
    return av_clients_line_parse(tight_copy(av_slice_of(line)), &record, pool);
}

static void assert_read(const char *line)
{
    const char *error = parse(line);
    ck_assert_msg(!error, "%s: %s", line, error);
}

static apr_time_t date(const char *text)
{
    apr_time_t time;
    ck_assert(av_timestamp_parse(av_slice_of(text), AV_TIME_RFC3339, &time));
    return time;
}

START_TEST(an_id_and_a_secret_are_enough)
{
    assert_read("a plain:b");
    ck_assert_str_eq(record.id, "a");
    ck_assert_uint_eq(record.secret_count, 1);
    ck_assert_int_eq(record.secrets[0].kind, AV_SECRET_PLAIN);
    ck_assert_str_eq(record.secrets[0].value.at, "b");
    ck_assert_str_eq(record.secrets[0].label, "");
    ck_assert_int_eq(record.secrets[0].not_before, 0);
    ck_assert_int_eq(record.secrets[0].expires, 0);
    ck_assert_ptr_null(record.limits.from);
    ck_assert_ptr_null(record.limits.besides);
    ck_assert_uint_eq(record.limits.methods.len + record.limits.paths.len + record.schemes.len + record.user.len, 0);
    ck_assert_int_eq(record.not_before, 0);
    ck_assert_int_eq(record.expires, 0);
}
END_TEST

static const struct {
    const char *line;
    av_secret_kind kind;
    const char *label;
    const char *value; /* in hexadecimal where it is a digest */
} secrets[] = {
    { "a plain:b", AV_SECRET_PLAIN, "", "b" },
    { " \ta\t plain:b \t", AV_SECRET_PLAIN, "", "b" },
    { "a plain:b:c=d", AV_SECRET_PLAIN, "", "b:c=d" },
    { "a plain:%20%23%22%27%25%0a%3b", AV_SECRET_PLAIN, "", " #\"'%\n;" },
    { "a plain:b+c", AV_SECRET_PLAIN, "", "b+c" },
    { "a plain:\xc3\xa9", AV_SECRET_PLAIN, "", "\xc3\xa9" },
    { "a plain:sha256:b", AV_SECRET_PLAIN, "", "sha256:b" },
    { "a sha256:" ABC, AV_SECRET_SHA256, "", ABC_HEX },
    { "a bcrypt:" BCRYPT, AV_SECRET_BCRYPT, "", BCRYPT },
    { "a bcrypt:$2a$17$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", AV_SECRET_BCRYPT, "",
      "$2a$17$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC" },
    { "a bcrypt:$2b$04$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", AV_SECRET_BCRYPT, "",
      "$2b$04$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC" },
    { "a old-1_x.y:plain:b", AV_SECRET_PLAIN, "old-1_x.y", "b" },
    { "a old:sha256:" ABC, AV_SECRET_SHA256, "old", ABC_HEX },
    { "a org=x plain:b", AV_SECRET_PLAIN, "", "b" },
};

START_TEST(a_secret_is_a_label_a_kind_and_a_value)
{
    assert_read(secrets[_i].line);
    ck_assert_uint_eq(record.secret_count, 1);
    const av_client_secret *secret = &record.secrets[0];
    ck_assert_int_eq(secret->kind, secrets[_i].kind);
    ck_assert_str_eq(secret->label, secrets[_i].label);
    av_slice wanted = secret->kind == AV_SECRET_SHA256 ? from_hex(secrets[_i].value) : av_slice_of(secrets[_i].value);
    assert_slice(secret->value, wanted, secrets[_i].line);
    ck_assert_int_eq(secret->value.at[secret->value.len], '\0');
}
END_TEST

START_TEST(secrets_keep_their_order_and_their_times)
{
    assert_read("a new:plain:b;not-before=2026-01-01T00:00:01Z old:plain:c;expires=2027-01-01 "
                "plain:d;expires=2027-01-01;not-before=2026-01-01");
    ck_assert_uint_eq(record.secret_count, 3);
    ck_assert_str_eq(record.secrets[0].label, "new");
    ck_assert_str_eq(record.secrets[0].value.at, "b");
    ck_assert_int_eq(record.secrets[0].not_before, date("2026-01-01T00:00:01Z"));
    ck_assert_int_eq(record.secrets[0].expires, 0);
    ck_assert_str_eq(record.secrets[1].label, "old");
    ck_assert_int_eq(record.secrets[1].not_before, 0);
    ck_assert_int_eq(record.secrets[1].expires, date("2027-01-01T00:00:00Z"));
    ck_assert_int_eq(record.secrets[2].not_before, date("2026-01-01T00:00:00Z"));
    ck_assert_int_eq(record.secrets[2].expires, date("2027-01-01T00:00:00Z"));
}
END_TEST

START_TEST(limits_are_read)
{
    const unsigned char inside[4] = { 192, 0, 2, 9 }, outside[4] = { 192, 0, 3, 1 };
    av_address near = av_address_of_ipv4(inside), far = av_address_of_ipv4(outside);
    assert_read(
        "a plain:b schemes=basic,bearer methods=GET,HEAD paths=/a/*,/b from=192.0.2.0/24,2001:db8::/32 scopes=x,y "
        "org=Acme%20Inc environment=test application=11 user=J%c3%bcrgen not-before=2026-01-01 "
        "expires=2027-01-01T01:00:00+01:00");
    ck_assert_str_eq(record.schemes.at, "basic,bearer");
    ck_assert_str_eq(record.limits.methods.at, "GET,HEAD");
    ck_assert_str_eq(record.limits.paths.at, "/a/*,/b");
    ck_assert_str_eq(record.scopes.at, "x,y");
    ck_assert_str_eq(record.org.at, "Acme Inc");
    ck_assert_str_eq(record.environment.at, "test");
    ck_assert_str_eq(record.application.at, "11");
    ck_assert_str_eq(record.user.at, "J\xc3\xbcrgen");
    ck_assert_int_eq(record.not_before, date("2026-01-01T00:00:00Z"));
    ck_assert_int_eq(record.expires, date("2027-01-01T00:00:00Z"));
    ck_assert(av_networks_contain(record.limits.from, &near));
    ck_assert(!av_networks_contain(record.limits.from, &far));
}
END_TEST

static const struct {
    av_slice line;
    const char *id;
} ids[] = {
    { TEXT("d3f269a9-932e-eeb0-05e7-14fdff8696b2 plain:b"), "d3f269a9-932e-eeb0-05e7-14fdff8696b2" },
    { TEXT("a%20b%23%25%22 plain:b"), "a b#%\"" },
    { TEXT("a:b=c;d plain:b"), "a:b=c;d" },
    { TEXT("plain:x plain:b"), "plain:x" },
    { TEXT("org=x plain:b"), "org=x" },
    { TEXT("\xc3\xa9 plain:b"), "\xc3\xa9" },
};

START_TEST(an_id_is_any_text)
{
    const char *error = av_clients_line_parse(tight_copy(ids[_i].line), &record, pool);
    ck_assert_msg(!error, "%s: %s", ids[_i].line.at, error);
    ck_assert_str_eq(record.id, ids[_i].id);
}
END_TEST

static const struct {
    av_slice line;
    const char *part; /* of the sentence */
} refused[] = {
    { TEXT("a"), "has no secret" },
    { TEXT("a org=x"), "has no secret" },
    { TEXT("a%zz plain:b"), "the id has a percent sign" },
    { TEXT("a% plain:b"), "the id has a percent sign" },
    { TEXT("a%00 plain:b"), "the id has a percent sign" },
    { TEXT("a%0ab plain:b"), "the id holds a control byte" },
    { TEXT("a%7F plain:b"), "the id holds a control byte" },
    { TEXT("a plain:b user=x%0d"), "user= holds a control byte" },
    { TEXT("a plain:b schemes=basic,bearr"), "schemes= names a scheme that there is not" },
    { TEXT("a\0 plain:b"), "holds a NUL byte" },
    { TEXT("a plain:b\r"), "CR LF" },
    { TEXT("a\rb plain:b"), "control byte" },
    { TEXT("a\x7f plain:b"), "control byte" },
    { TEXT("a\x1f plain:b"), "control byte" },
    { TEXT("a plain:b # a comment"), "hash sign" },
    { TEXT("a plain:b#c"), "hash sign" },
    { TEXT("a plain:\"b\""), "quote" },
    { TEXT("a plain:'b'"), "quote" },
    { TEXT("a plain:"), "word 2: the secret is empty" },
    { TEXT("a sha256:"), "word 2: the secret is empty" },
    { TEXT("a bcrypt:"), "word 2: the secret is empty" },
    { TEXT("a old:plain:"), "word 2: the secret is empty" },
    { TEXT("a plain:;expires=2027-01-01"), "word 2: the secret is empty" },
    { TEXT("a plain:%00"), "word 2: the secret has a percent sign" },
    { TEXT("a plain:" MARK "%"), "word 2: the secret has a percent sign" },
    { TEXT("a plain:" MARK ";x"), "semicolon" },
    { TEXT("a plain:b;" MARK), "semicolon" },
    { TEXT("a plain:b;"), "semicolon" },
    { TEXT("a plain:b;expires"), "semicolon" },
    { TEXT("a plain:b;expires=2027-01-01;expires=2027-01-01"), "twice" },
    { TEXT("a plain:b;not-before=2027-01-01;not-before=2027-01-01"), "twice" },
    { TEXT("a plain:b;not-before=2027-01-01;expires=2027-01-01"), "not later" },
    { TEXT("a plain:b;expires=2027-1-1"), "expires= is no date" },
    { TEXT("a plain:b;not-before=2027-02-29"), "not-before= is no date" },
    { TEXT("a plain:b;expires="), "expires= is no date" },
    { TEXT("a plain:b;expires=1970-01-01"), "later than 1970-01-01" },
    { TEXT("a plain:b;expires=1969-12-31"), "later than 1970-01-01" },
    { TEXT("a sha256:" MARK), "base64 of 32 bytes" },
    { TEXT("a sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0"), "base64 of 32 bytes" },
    { TEXT("a sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0="), "base64 of 32 bytes" },
    { TEXT("a sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1="), "base64 of 32 bytes" },
    { TEXT("a sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFQ=="), "base64 of 32 bytes" },
    { TEXT("a sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa2t"), "base64 of 32 bytes" },
    { TEXT("a sha256:" ABC_HEX), "base64 of 32 bytes" },
    { TEXT("a sha256:" NOTHING), "empty secret" },
    { TEXT("a bcrypt:" MARK), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqCC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2x$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$3y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$03$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$18$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$0a$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$05$c4WoMPo3SXsafkva.HHa6vXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqD"), "no bcrypt hash" },
    { TEXT("a bcrypt:$2y$05$c4WoMPo3SXsafkva:HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"), "no bcrypt hash" },
    { TEXT("a bcrypt:$apr1$mvqcxSZ3$oSi2oHErl2gXzDZU4F/N81"), "no bcrypt hash" },
    { TEXT("a " MARK), "word 2: is neither a secret" },
    { TEXT("a x:" MARK), "word 2: is neither a secret" },
    { TEXT("a x:y:" MARK), "word 2: is neither a secret" },
    { TEXT("a Plain:" MARK), "word 2: is neither a secret" },
    { TEXT("a :plain:" MARK), "label" },
    { TEXT("a x/y:plain:" MARK), "label" },
    { TEXT("a 12345678901234567890123456789012345678901234567890123456789012345:plain:" MARK), "label" },
    { TEXT("a plain:b c:plain:" MARK "%"), "word 3: the secret has a percent sign" },
    { TEXT("a " MARK "="), "word 2: is neither a secret nor one of the limits" },
    { TEXT("a plain:b Methods=GET"), "word 3: is neither a secret nor one of the limits" },
    { TEXT("a plain:b label=x"), "word 3: is neither a secret nor one of the limits" },
    { TEXT("a plain:b org="), "word 3: org= is empty" },
    { TEXT("a plain:b from="), "word 3: from= is empty" },
    { TEXT("a plain:b expires="), "word 3: expires= is empty" },
    { TEXT("a plain:b org=x org=y"), "word 4: org= is given twice" },
    { TEXT("a plain:b from=::1 from=::2"), "word 4: from= is given twice" },
    { TEXT("a plain:b expires=2027-01-01 expires=2028-01-01"), "word 4: expires= is given twice" },
    { TEXT("a plain:b org=x,y"), "org= is one word" },
    { TEXT("a plain:b environment=x%2cy"), "environment= is one word" },
    { TEXT("a plain:b methods=GET,,HEAD"), "methods= is a comma list" },
    { TEXT("a plain:b methods=GET%20"), "methods= is a comma list" },
    { TEXT("a plain:b schemes=,"), "schemes= is a comma list" },
    { TEXT("a plain:b scopes=x,"), "scopes= is a comma list" },
    { TEXT("a plain:b paths=reports"), "paths= is a comma list of paths" },
    { TEXT("a plain:b paths=/a*"), "paths= takes a star" },
    { TEXT("a plain:b paths=/a%2a"), "paths= takes a star" },
    { TEXT("a plain:b from=10.0.0.1/8"), "from= \"10.0.0.1/8\" has bits behind its prefix" },
    { TEXT("a plain:b from=10.0.0.0/8,x"), "from= \"x\" is not an IP address" },
    { TEXT("a plain:b from=10.0.0.0/8,"), "from= \"\" is not an IP address" },
    { TEXT("a plain:b from=file:/x"), "from= " },
    { TEXT("a plain:b expires=tomorrow"), "expires= is no date" },
    { TEXT("a plain:b expires=2027-01-01T00:00:00"), "expires= is no date" },
    { TEXT("a plain:b expires=1970-01-01"), "expires= is no date" },
    { TEXT("a plain:b not-before=2027-01-01 expires=2026-01-01"), "not later" },
    { TEXT("a plain:b user=%zz"), "user= has a percent sign" },
};

START_TEST(a_line_that_cannot_be_right_is_refused)
{
    const char *error = av_clients_line_parse(tight_copy(refused[_i].line), &record, pool);
    ck_assert_msg(error != NULL, "%s was read", refused[_i].line.at);
    ck_assert_msg(strstr(error, refused[_i].part) != NULL, "%s: %s", refused[_i].line.at, error);
    ck_assert_msg(!strstr(error, MARK), "%s", error);
}
END_TEST

START_TEST(there_are_at_most_eight_secrets)
{
    const char *line = "a";
    for (int i = 0; i < AV_MAX_CLIENT_SECRETS; i++) {
        line = apr_psprintf(pool, "%s plain:%d", line, i);
    }
    assert_read(line);
    ck_assert_uint_eq(record.secret_count, AV_MAX_CLIENT_SECRETS);
    ck_assert_str_eq(parse(apr_pstrcat(pool, line, " plain:x", NULL)), "word 10: a client has at most 8 secrets");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("clients_line");
    TCase *tests = suite_case(suite, "lines");

    tcase_add_test(tests, an_id_and_a_secret_are_enough);
    tcase_add_loop_test(tests, a_secret_is_a_label_a_kind_and_a_value, 0, ROWS(secrets));
    tcase_add_test(tests, secrets_keep_their_order_and_their_times);
    tcase_add_test(tests, limits_are_read);
    tcase_add_loop_test(tests, an_id_is_any_text, 0, ROWS(ids));
    tcase_add_loop_test(tests, a_line_that_cannot_be_right_is_refused, 0, ROWS(refused));
    tcase_add_test(tests, there_are_at_most_eight_secrets);
    return suite;
}
