/* Clients: which secret is presented, when it counts, what a client may do, and who is looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"
#include "core/rule.h"
#include "stores/clients_line.h"
#include "support/trial.h"

#include <apr_md5.h>
#include <apr_strings.h>

/* Of "abc". */
#define SHA256_ABC "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static av_client_record record;

static void read_client(const char *line)
{
    const char *error = av_clients_line_parse(av_slice_of(line), &record, pool);
    ck_assert_msg(!error, "%s: %s", line, error);
}

static const char *label_of(const av_presented *shown, apr_time_t now)
{
    bool failed = true;
    const av_client_secret *found = av_client_match(&record, compiler.crypto, NULL, shown, now, &failed);
    ck_assert(!failed);
    return found ? found->label : NULL;
}

/* Whether its digest is known already makes no difference. */
static const char *match_at(av_slice secret, apr_time_t now)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ck_assert(av_digest(compiler.crypto->sha256, secret, digest, &size));
    const av_presented shown = { .secret = tight_copy(secret) };
    const av_presented hashed = { shown.secret, { (const char *)digest, size } };
    const char *label = label_of(&shown, now);
    ck_assert_pstr_eq(label_of(&hashed, now), label);
    return label;
}

static const struct {
    const char *line;
    av_slice presented;
    const char *label; /* NULL: none */
} presented[] = {
    { "a x:plain:abc", TEXT("abc"), "x" },
    { "a x:plain:abc", TEXT("abd"), NULL },
    { "a x:plain:abc", TEXT("ab"), NULL },
    { "a x:plain:abc", TEXT("abcd"), NULL },
    { "a x:plain:abc", TEXT("abc\0"), NULL },
    { "a x:plain:abc", TEXT("ABC"), NULL },
    { "a x:plain:abc", TEXT(""), NULL },
    { "a x:" SHA256_ABC, TEXT("abc"), "x" },
    { "a x:" SHA256_ABC, TEXT("abd"), NULL },
    { "a x:" SHA256_ABC, TEXT(""), NULL },
    { "a x:" SHA256_ABC, TEXT(SHA256_ABC), NULL },
    { "a x:plain:def y:" SHA256_ABC " z:plain:ghi", TEXT("def"), "x" },
    { "a x:plain:def y:" SHA256_ABC " z:plain:ghi", TEXT("abc"), "y" },
    { "a x:plain:def y:" SHA256_ABC " z:plain:ghi", TEXT("ghi"), "z" },
    { "a x:plain:def y:" SHA256_ABC " z:plain:ghi", TEXT("jkl"), NULL },
};

START_TEST(a_secret_is_the_one_that_is_presented)
{
    read_client(presented[_i].line);
    const char *label = match_at(presented[_i].presented, RECEIVED_AT);
    ck_assert_pstr_eq(label, presented[_i].label);
}
END_TEST

START_TEST(a_password_is_the_one_that_was_hashed)
{
    /* "U*U": a vector of crypt_blowfish's. */
    read_client("a x:bcrypt:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    ck_assert_pstr_eq(match_at((av_slice)TEXT("U*U"), RECEIVED_AT), "x");
    ck_assert_ptr_null(match_at((av_slice)TEXT("U*V"), RECEIVED_AT));
    ck_assert_ptr_null(match_at((av_slice)TEXT("U*U\0"), RECEIVED_AT));
    ck_assert_ptr_null(match_at((av_slice)TEXT("U*U\0x"), RECEIVED_AT));
    ck_assert_ptr_null(match_at((av_slice)TEXT(""), RECEIVED_AT));
}
END_TEST

/* 72 bytes: bcrypt would not look at a byte more. */
#define LONGEST "123456789012345678901234567890123456789012345678901234567890123456789012"

START_TEST(a_password_that_bcrypt_might_cut_is_refused)
{
    char hash[64];
    for (apr_size_t len = 71; len <= 72; len++) {
        const char *password = apr_pstrmemdup(pool, LONGEST, len);
        ck_assert_int_eq(
            apr_bcrypt_encode(password, 4, (const unsigned char *)"0123456789abcdef", 16, hash, sizeof(hash)), 0);
        read_client(apr_pstrcat(pool, "a x:bcrypt:", hash, NULL));
        ck_assert_pstr_eq(match_at(av_slice_of(password), RECEIVED_AT), len == 71 ? "x" : NULL);
    }
}
END_TEST

START_TEST(a_secret_counts_from_its_beginning_to_its_end)
{
    const apr_time_t start = apr_time_from_sec(1767225600), end = apr_time_from_sec(1798761600);
    read_client("a x:plain:abc;not-before=2026-01-01;expires=2027-01-01");
    ck_assert_ptr_null(match_at((av_slice)TEXT("abc"), start - 1));
    ck_assert_pstr_eq(match_at((av_slice)TEXT("abc"), start), "x");
    ck_assert_pstr_eq(match_at((av_slice)TEXT("abc"), end - 1), "x");
    ck_assert_ptr_null(match_at((av_slice)TEXT("abc"), end));
}
END_TEST

static const struct {
    const char *line;
    av_slice org, environment, scopes; /* the rule's */
    av_reason reason;
} checks[] = {
    { "a plain:b", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b not-before=2026-01-02", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b not-before=2026-01-03", TEXT(""), TEXT(""), TEXT(""), AV_CLIENT_EXPIRED },
    { "a plain:b expires=2026-01-02", TEXT(""), TEXT(""), TEXT(""), AV_CLIENT_EXPIRED },
    { "a plain:b expires=2026-01-03", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b schemes=bearer,basic", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b schemes=basic", TEXT(""), TEXT(""), TEXT(""), AV_SCHEME_NOT_ALLOWED },
    { "a plain:b schemes=client-credentials", TEXT(""), TEXT(""), TEXT(""), AV_SCHEME_NOT_ALLOWED },
    { "a plain:b org=acme", TEXT("acme,other"), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b org=acme", TEXT("other"), TEXT(""), TEXT(""), AV_CLIENT_NOT_ALLOWED },
    { "a plain:b", TEXT("acme"), TEXT(""), TEXT(""), AV_CLIENT_NOT_ALLOWED },
    { "a plain:b environment=test", TEXT(""), TEXT("test"), TEXT(""), AV_ACCEPTED },
    { "a plain:b environment=test", TEXT(""), TEXT("live"), TEXT(""), AV_CLIENT_NOT_ALLOWED },
    { "a plain:b scopes=r,w", TEXT(""), TEXT(""), TEXT("w,r"), AV_ACCEPTED },
    { "a plain:b scopes=r", TEXT(""), TEXT(""), TEXT("w,r"), AV_CLIENT_NOT_ALLOWED },
    { "a plain:b", TEXT(""), TEXT(""), TEXT("r"), AV_CLIENT_NOT_ALLOWED },
    { "a plain:b methods=GET", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b methods=POST", TEXT(""), TEXT(""), TEXT(""), AV_METHOD_NOT_ALLOWED },
    { "a plain:b paths=/a", TEXT(""), TEXT(""), TEXT(""), AV_ACCEPTED },
    { "a plain:b paths=/b", TEXT(""), TEXT(""), TEXT(""), AV_PATH_NOT_ALLOWED },
    { "a plain:b from=192.0.2.0/24", TEXT(""), TEXT(""), TEXT(""), AV_NETWORK_REFUSED },
};

START_TEST(a_client_may_do_what_its_line_and_the_rule_say)
{
    av_rule rule = { .scheme = av_scheme_find(AV_SLICE("bearer")),
                     .org = checks[_i].org,
                     .environment = checks[_i].environment,
                     .scopes = checks[_i].scopes };
    av_request request = {
        .method = AV_SLICE("GET"), .path = AV_SLICE("/a"), .place = AV_SLICE("/a"), .received_at = RECEIVED_AT
    };
    read_client(checks[_i].line);
    assert_reason(av_client_check(&record, &rule, &request), checks[_i].reason, checks[_i].line);
}
END_TEST

START_TEST(a_client_is_called_by_its_user_or_its_id)
{
    read_client("a plain:b");
    ck_assert_str_eq(av_client_name(&record), "a");
    read_client("a plain:b user=u");
    ck_assert_str_eq(av_client_name(&record), "u");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("client");
    TCase *tests = trial_case(suite, "clients");

    tcase_add_loop_test(tests, a_secret_is_the_one_that_is_presented, 0, ROWS(presented));
    tcase_add_test(tests, a_password_is_the_one_that_was_hashed);
    tcase_add_test(tests, a_password_that_bcrypt_might_cut_is_refused);
    tcase_add_test(tests, a_secret_counts_from_its_beginning_to_its_end);
    tcase_add_loop_test(tests, a_client_may_do_what_its_line_and_the_rule_say, 0, ROWS(checks));
    tcase_add_test(tests, a_client_is_called_by_its_user_or_its_id);
    return suite;
}
