/* Log-ins: which user of which application gets a pair, and what he is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"
#include "issue/login.h"
#include "stores/clients_line.h"
#include "support/clients.h"

#include <apr_strings.h>
#include <string.h>

#define DESK "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10"
#define OTHER "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c11"

static const char *lines;
static int times_asked;
static av_issuer issuer;

static av_reason find_by_id(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *to)
{
    (void)source;
    (void)id;
    (void)record;
    (void)to;
    ck_abort_msg("an application is looked for by its token");
    return AV_INTERNAL_ERROR;
}

/* A plain: secret of the lines has the digest. */
static av_reason find_by_digest(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                                av_client_record *record, apr_pool_t *to)
{
    av_slice rest = av_slice_of(lines), line;
    unsigned char own[EVP_MAX_MD_SIZE];
    unsigned size;

    (void)source;
    while (av_slice_split(&rest, '\n', &line)) {
        ck_assert_ptr_null(av_clients_line_parse(line, record, to));
        ck_assert(av_digest(compiler.crypto->sha256, record->secrets[0].value, own, &size));
        if (memcmp(own, digest, size) == 0) {
            return AV_ACCEPTED;
        }
    }
    return lines[0] == '-' ? AV_STORE_UNAVAILABLE : AV_UNKNOWN_CLIENT;
}

static av_client_secret dummy(const av_client_source *source, av_secret_kind kind, apr_pool_t *to)
{
    (void)source;
    (void)to;
    ck_assert_int_eq(kind, AV_SECRET_SHA256);
    return (av_client_secret){ .kind = AV_SECRET_PLAIN, .value = AV_SLICE("nobody's"), .label = "" };
}

static const char *open_list(void *baton, const char *location, const av_client_source **source)
{
    static const av_client_source list = { NULL, find_by_id, find_by_digest, dummy };

    (void)baton;
    (void)location;
    *source = &list;
    return NULL;
}

/* "jane" has "secret", and is called Jane; "odd" has a name that JSON cannot hold; "broken" nobody can look up. */
static av_reason check(const av_password_source *source, void *server, av_slice user, av_slice password,
                       const char **name, apr_pool_t *to)
{
    (void)source;
    ck_assert_ptr_eq(server, &issuer);
    times_asked++;
    if (av_slice_equal(user, AV_SLICE("broken"))) {
        return AV_STORE_UNAVAILABLE;
    }
    if (!av_slice_equal(user, AV_SLICE("jane")) && !av_slice_equal(user, AV_SLICE("odd"))) {
        return AV_UNKNOWN_CLIENT;
    }
    *name = av_slice_equal(user, AV_SLICE("jane")) ? apr_pstrdup(to, "Jane") : "\xff";
    return av_slice_equal(password, AV_SLICE("secret")) ? AV_ACCEPTED : AV_WRONG_SECRET;
}

static const char *open_users(const av_compiler *given, const char *names, const av_password_source **source)
{
    static const av_password_source users = { NULL, check };

    (void)given;
    (void)names;
    *source = &users;
    return NULL;
}

static const char *open_issued(void *baton, const char *location, const av_pair_store **store,
                               const av_client_source **source)
{
    static const av_pair_store nowhere;

    (void)baton;
    (void)location;
    *store = &nowhere;
    *source = NULL;
    return NULL;
}

static void compile(const char *more)
{
    av_words words;
    const char *line = apr_pstrcat(pool, "AuthVerifyToken clients=file:c users=file issued=file:i ", more, NULL);
    const char *error = av_words_split(line, &words, pool);

    compiler.open_clients = open_list;
    compiler.open_provider = open_users;
    compiler.open_issued = open_issued;
    error = error ? error : av_issuer_compile(&words, &compiler, &issuer);
    ck_assert_msg(!error, "%s", error);
}

static av_login decide_for(const char *application, const char *user, const char *password)
{
    const av_request request = { .method = AV_SLICE("POST"),
                                 .path = AV_SLICE("/login"),
                                 .place = AV_SLICE("/login"),
                                 .received_at = RECEIVED_AT,
                                 .server = &issuer };
    av_token_request asked = { .form = AV_FORM_LOGIN,
                               .application = tight_copy(av_slice_of(application)),
                               .client_id = tight_copy(av_slice_of(user)),
                               .client_secret = tight_copy(av_slice_of(password)) };
    times_asked = 0;
    av_login login = av_login_decide(&issuer, &asked, &request, pool);

    ck_assert_int_eq(times_asked, 1);
    ck_assert_ptr_eq(login.verdict.rule, issuer.login);
    ck_assert_int_eq(login.verdict.client != NULL, login.verdict.reason == AV_ACCEPTED);
    ck_assert_int_eq(login.verdict.record != NULL, login.verdict.reason == AV_ACCEPTED);
    ck_assert_int_eq(login.verdict.label != NULL, login.verdict.reason == AV_ACCEPTED);
    ck_assert_int_eq(login.pair.secret.len == 50, login.verdict.reason == AV_ACCEPTED);
    note_reason(login.verdict.reason);
    return login;
}

static const struct {
    const char *more, *line, *application, *user, *password;
    av_reason reason;
    const char *proven;
} rows[] = {
    { "", "desk l:plain:" DESK, DESK, "jane", "secret", AV_ACCEPTED, "Jane" },
    { "", "desk plain:" DESK, OTHER, "jane", "secret", AV_UNKNOWN_CLIENT, NULL },
    { "", "desk plain:" DESK, OTHER, "jane", "wrong", AV_UNKNOWN_CLIENT, NULL },
    { "", "desk plain:" DESK, DESK, "joe", "secret", AV_UNKNOWN_CLIENT, NULL },
    { "", "desk plain:" DESK, DESK, "jane", "wrong", AV_WRONG_SECRET, NULL },
    { "", "desk plain:" DESK, DESK, "broken", "secret", AV_STORE_UNAVAILABLE, NULL },
    { "", "desk plain:" DESK, OTHER, "broken", "secret", AV_UNKNOWN_CLIENT, NULL },
    { "", "- plain:" DESK, OTHER, "jane", "secret", AV_STORE_UNAVAILABLE, NULL },
    { "", "desk plain:" DESK ";expires=2026-01-02", DESK, "jane", "secret", AV_WRONG_SECRET, NULL },
    { "", "desk plain:" DESK " expires=2026-01-02", DESK, "jane", "secret", AV_CLIENT_EXPIRED, "desk" },
    { "", "desk plain:" DESK " expires=2026-01-02", DESK, "jane", "wrong", AV_WRONG_SECRET, NULL },
    { "", "desk plain:" DESK " schemes=client-credentials", DESK, "jane", "secret", AV_SCHEME_NOT_ALLOWED, "desk" },
    { "", "desk plain:" DESK " schemes=user-credentials", DESK, "jane", "secret", AV_ACCEPTED, "Jane" },
    { "", "desk plain:" DESK " from=192.0.2.0/24", DESK, "jane", "secret", AV_NETWORK_REFUSED, "desk" },
    { "environment=live", "desk plain:" DESK, DESK, "jane", "secret", AV_CLIENT_NOT_ALLOWED, "desk" },
};

START_TEST(who_gets_a_pair)
{
    compile(rows[_i].more);
    lines = rows[_i].line;
    av_login login = decide_for(rows[_i].application, rows[_i].user, rows[_i].password);
    assert_reason(login.verdict.reason, rows[_i].reason, rows[_i].line);
    ck_assert_int_eq(login.verdict.proven != NULL, rows[_i].proven != NULL);
    if (rows[_i].proven) {
        ck_assert_str_eq(login.verdict.proven, rows[_i].proven);
    }
}
END_TEST

START_TEST(a_pair_is_the_users_and_the_applications)
{
    compile("user-lifetime=3600 scopes=a,c");
    lines = "desk l:plain:" DESK " org=o environment=e scopes=a,b";
    av_login login = decide_for(DESK, "jane", "secret");
    assert_slice(login.pair.application, AV_SLICE(DESK), "application");
    assert_slice(login.pair.user, AV_SLICE("Jane"), "user");
    assert_slice(login.pair.scopes, AV_SLICE("a"), "scopes");
    assert_slice(login.pair.org, AV_SLICE("o"), "org");
    assert_slice(login.pair.environment, AV_SLICE("e"), "environment");
    ck_assert_int_eq(login.pair.expires, apr_time_from_sec(apr_time_sec(RECEIVED_AT) + 3600));
    ck_assert_str_eq(login.verdict.client, "Jane");
    ck_assert_str_eq(login.verdict.label, "l");
    ck_assert_uint_eq(login.pair.token.len, 36);
    lines = "desk plain:" DESK " expires=2026-01-02T00:05:00Z";
    login = decide_for(DESK, "jane", "secret");
    ck_assert_int_eq(login.pair.expires, apr_time_from_sec(apr_time_sec(RECEIVED_AT) + 300));
}
END_TEST

START_TEST(an_answer_holds_the_pair)
{
    compile("user-lifetime=3600");
    lines = "desk plain:" DESK;
    av_login login = decide_for(DESK, "jane", "secret");
    const char *wanted = apr_pstrcat(pool,
                                     "{\"status\":\"Authenticated\",\"users\":[{\"username\":\"Jane\",\"api_token\":"
                                     "{\"expires_at\":\"2026-01-02T01:00:00Z\",\"token\":\"",
                                     login.pair.token.at, "\",\"secret\":\"", login.pair.secret.at, "\"}}]}", NULL);
    assert_slice(av_login_answer(&login, pool), av_slice_of(wanted), "answer");
    login.pair.user = AV_SLICE("a \"b\" \\");
    assert_sentence(av_login_answer(&login, pool).at, "\"username\":\"a \\\"b\\\" \\\\\"");
    login = decide_for(DESK, "odd", "secret");
    ck_assert_uint_eq(av_login_answer(&login, pool).len, 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("login");
    TCase *tests = trial_case(suite, "log-ins");

    tcase_add_loop_test(tests, who_gets_a_pair, 0, ROWS(rows));
    tcase_add_test(tests, a_pair_is_the_users_and_the_applications);
    tcase_add_test(tests, an_answer_holds_the_pair);
    return suite;
}
