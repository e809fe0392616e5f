/* AuthVerifyToken lines: which are whole, and what is published of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"
#include "issue/issuer.h"
#include "support/clients.h"
#include "support/jose_builder.h"

#include <apr_strings.h>
#include <stdlib.h>

#define WHO "clients=file:c issuer=https://id.example audience=https://api.example "
#define WHOLE WHO "key=env:ES256 algorithm=ES256"

static const char *compile(const char *line, av_issuer *issuer)
{
    av_words words;

    ck_assert_ptr_null(av_words_split(apr_pstrcat(pool, "AuthVerifyToken ", line, NULL), &words, pool));
    use_clients("a plain:b");
    setenv("ES256", jose_private("ES256", pool).at, 1);
    setenv("RS256", jose_private("RS256", pool).at, 1);
    setenv("HS256", JOSE_SECRET, 1);
    return av_issuer_compile(&words, &compiler, issuer);
}

static av_slice text_at(av_slice document, const char *pointer)
{
    av_slice text = { "", 0 };
    const av_json *json = av_json_load(document, pool);

    ck_assert_msg(json != NULL, "%.*s", (int)document.len, document.at);
    return av_json_text(json, pointer, &text, pool) ? text : (av_slice){ "-", 1 };
}

START_TEST(a_whole_line_is_taken)
{
    av_issuer issuer;

    ck_assert_ptr_null(compile(WHOLE, &issuer));
    ck_assert_int_eq(issuer.lifetime, 600);
    ck_assert(!issuer.insecure);
    ck_assert_uint_eq(issuer.key_count, 1);
    ck_assert_uint_eq(issuer.scopes.len, 0);
    ck_assert_str_eq(issuer.door->name, "token");
    ck_assert_ptr_null(compile(WHOLE " lifetime=604800 scopes=a,b insecure=on environment=test org=o", &issuer));
    ck_assert_int_eq(issuer.lifetime, 604800);
    ck_assert(issuer.insecure);
    assert_slice(issuer.scopes, AV_SLICE("a,b"), "scopes");
    assert_slice(issuer.door->environment, AV_SLICE("test"), "environment");
}
END_TEST

static const struct {
    const char *line, *part;
} mistakes[] = {
    { WHO "key=env:ES256", "algorithm= is missing" },
    { WHO "algorithm=ES256", "key= is missing" },
    { "key=env:ES256 algorithm=ES256 issuer=https://h audience=a", "clients= is missing" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a", "issuer= is missing" },
    { "clients=file:c key=env:ES256 algorithm=ES256 issuer=https://h", "audience= is missing" },
    { WHO "key=env:ES256 algorithm=none", "algorithm=: is one of RS256" },
    { WHO "key=env:ES256 algorithm=es256", "algorithm=: is one of RS256" },
    { WHO "key=env:RS256 algorithm=ES256", "key= RS256: it must be one private key" },
    { WHO "key=env:NOT_THERE algorithm=ES256", "NOT_THERE" },
    { WHO "key=literal algorithm=ES256", "key=" },
    { WHOLE " key=env:ES256", "names one key twice" },
    { WHOLE " lifetime=0", "from 1 to 2678400" },
    { WHOLE " lifetime=2678401", "from 1 to 2678400" },
    { WHOLE " lifetime=600s", "from 1 to 2678400" },
    { WHOLE " lifetime=-1", "from 1 to 2678400" },
    { WHOLE " lifetime=99999999999999999999", "from 1 to 2678400" },
    { WHOLE " scopes=a,,b", "scopes=" },
    { WHOLE " scopes=a\\\\b", "a quote or a backslash" },
    { WHOLE " insecure=yes", "insecure=" },
    { WHOLE " secret=env:ES256", "no option \"secret\"" },
    { WHOLE " tolerance=3", "no option \"tolerance\"" },
    { WHOLE " methods=POST", "no option \"methods\"" },
    { WHOLE " token-endpoint=/oauth/token", "is a URL without" },
    { WHOLE " token-endpoint=http://id.example/token", "are https URLs" },
    { WHOLE " jwks-uri=http://id.example/jwks", "are https URLs" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a issuer=http://h", "are https URLs" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a issuer=https://h/", "does not end in a slash" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a issuer=https://h?x", "is a URL without" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a issuer=h", "is a URL without" },
    { "clients=file:c key=env:ES256 algorithm=ES256 audience=a,, issuer=https://h", "audience=" },
    { WHOLE " \"legacy=E N\"", "is one word" },
    { "", "clients= is missing" },
    { "off", "" },
};

START_TEST(a_mistake_is_named)
{
    av_issuer issuer;

    assert_sentence(compile(mistakes[_i].line, &issuer), mistakes[_i].part);
}
END_TEST

#define USERS "clients=file:c users=file issued=file:i "

static const av_password_source nobody;
static const av_pair_store nowhere;
static const char *said_of_provider, *said_of_issued;
static const av_client_source *issued_source;

static const char *open_users(const av_compiler *given, const char *names, const av_password_source **source)
{
    ck_assert_str_eq(names, "file");
    ck_assert_ptr_null(given->section);
    ck_assert_ptr_null(given->passwords);
    *source = &nobody;
    return said_of_provider;
}

static const char *open_issued(void *baton, const char *location, const av_pair_store **store,
                               const av_client_source **source)
{
    (void)baton;
    ck_assert_str_eq(location, "file:i");
    *store = &nowhere;
    *source = issued_source;
    return said_of_issued;
}

static const char *compile_for_users(const char *line, av_issuer *issuer)
{
    static const av_password_memory memory;

    compiler.open_provider = open_users;
    compiler.open_issued = open_issued;
    compiler.section = &nobody;
    compiler.passwords = &memory;
    return compile(line, issuer);
}

START_TEST(a_line_for_users_is_taken)
{
    av_issuer issuer;

    ck_assert_ptr_null(compile_for_users(USERS "org=o", &issuer));
    ck_assert(!av_issuer_signs(&issuer));
    ck_assert_ptr_eq(issuer.users, &nobody);
    ck_assert_ptr_eq(issuer.pairs, &nowhere);
    ck_assert_int_eq(issuer.user_lifetime, 43200);
    ck_assert_uint_eq(issuer.user_pairs, 32);
    ck_assert_str_eq(issuer.login->name, "users");
    ck_assert_str_eq(issuer.login->scheme->name, "user-credentials");
    ck_assert_str_eq(issuer.door->scheme->name, "client-credentials");
    assert_slice(issuer.login->org, AV_SLICE("o"), "org");
}
END_TEST

START_TEST(a_line_may_be_for_both)
{
    av_issuer issuer;

    ck_assert_ptr_null(compile_for_users(WHOLE " users=file issued=file:i user-lifetime=60 user-pairs=2", &issuer));
    ck_assert(av_issuer_signs(&issuer));
    ck_assert_int_eq(issuer.user_lifetime, 60);
    ck_assert_uint_eq(issuer.user_pairs, 2);
    ck_assert_int_eq(issuer.lifetime, 600);
    ck_assert_ptr_null(compile(WHOLE, &issuer));
    ck_assert_ptr_null(issuer.login);
}
END_TEST

static const struct {
    const char *line, *part;
} user_mistakes[] = {
    { "clients=file:c users=file", "issued= is missing" },
    { "clients=file:c issued=file:i", "users= is missing" },
    { "clients=file:c user-lifetime=60", "users= is missing" },
    { "users=file issued=file:i", "clients= is missing" },
    { USERS "algorithm=ES256", "key= is missing" },
    { USERS "key=env:ES256", "algorithm= is missing" },
    { USERS "issuer=https://h", "algorithm= is missing" },
    { USERS "audience=a", "algorithm= is missing" },
    { USERS "legacy=EN", "algorithm= is missing" },
    { USERS "lifetime=60", "algorithm= is missing" },
    { USERS "jwks-uri=https://h/j", "algorithm= is missing" },
    { USERS "token-endpoint=https://h/t", "algorithm= is missing" },
    { USERS "user-lifetime=0", "from 1 to 31622400" },
    { USERS "user-pairs=x", "from 1 to 10000" },
};

START_TEST(a_mistake_of_a_line_for_users_is_named)
{
    av_issuer issuer;

    assert_sentence(compile_for_users(user_mistakes[_i].line, &issuer), user_mistakes[_i].part);
}
END_TEST

START_TEST(what_cannot_be_opened_is_named)
{
    av_issuer issuer;

    said_of_provider = "nobody: is here";
    assert_sentence(compile_for_users(USERS, &issuer), "users=nobody: is here");
    said_of_provider = NULL;
    said_of_issued = "is not here";
    assert_sentence(compile_for_users(USERS, &issuer), "issued= is not here");
    said_of_issued = NULL;
    ck_assert_ptr_null(compile_for_users(USERS, &issuer));
    issued_source = issuer.door->clients[0];
    assert_sentence(compile_for_users(USERS, &issuer), "issued= is a file of clients= as well");
    issued_source = NULL;
    compiler.open_issued = NULL;
    assert_sentence(compile(USERS, &issuer), "issued= ");
    compiler.open_provider = NULL;
    assert_sentence(compile(USERS, &issuer), "users= asks the providers of httpd");
}
END_TEST

START_TEST(metadata_say_where_and_how)
{
    av_issuer issuer;

    ck_assert_ptr_null(compile(WHOLE, &issuer));
    assert_slice(text_at(issuer.metadata, "/issuer"), AV_SLICE("https://id.example"), "issuer");
    assert_slice(text_at(issuer.metadata, "/token_endpoint"), AV_SLICE("https://id.example/token"), "token_endpoint");
    assert_slice(text_at(issuer.metadata, "/jwks_uri"), AV_SLICE("https://id.example/jwks"), "jwks_uri");
    assert_slice(text_at(issuer.metadata, "/grant_types_supported/0"), AV_SLICE("client_credentials"), "grant");
    assert_slice(text_at(issuer.metadata, "/token_endpoint_auth_methods_supported/1"), AV_SLICE("client_secret_post"),
                 "method");
    assert_slice(text_at(issuer.metadata, "/scopes_supported/0"), AV_SLICE("-"), "no scopes");
    ck_assert_ptr_null(compile(WHOLE " scopes=a,b token-endpoint=https://h/t jwks-uri=https://h/k", &issuer));
    assert_slice(text_at(issuer.metadata, "/scopes_supported/1"), AV_SLICE("b"), "scopes");
    assert_slice(text_at(issuer.metadata, "/token_endpoint"), AV_SLICE("https://h/t"), "token_endpoint");
    assert_slice(text_at(issuer.metadata, "/jwks_uri"), AV_SLICE("https://h/k"), "jwks_uri");
}
END_TEST

START_TEST(all_public_keys_are_published_and_nothing_else)
{
    av_issuer issuer;

    jose_create_keys();
    setenv("OTHER", jose_private("ES256", pool).at, 1);
    jose_create_keys();
    ck_assert_ptr_null(compile(WHOLE " key=env:OTHER", &issuer));
    ck_assert_uint_eq(issuer.key_count, 2);
    for (apr_size_t i = 0; i < 2; i++) {
        const char *kid = apr_psprintf(pool, "/keys/%d/kid", (int)i);
        assert_slice(text_at(issuer.key_set, kid), av_slice_of(issuer.keys[i].kid), kid);
    }
    ck_assert_ptr_null(strstr(issuer.key_set.at, "\"d\""));
    assert_slice(text_at(issuer.key_set, "/keys/0/use"), AV_SLICE("sig"), "use");
    assert_slice(text_at(issuer.key_set, "/keys/0/alg"), AV_SLICE("ES256"), "alg");
    assert_slice(text_at(issuer.key_set, "/keys/2/kid"), AV_SLICE("-"), "no third");
}
END_TEST

START_TEST(a_secret_is_not_published)
{
    av_issuer issuer;

    ck_assert_ptr_null(compile(WHO "key=env:HS256 algorithm=HS256", &issuer));
    assert_slice(issuer.key_set, AV_SLICE("{\"keys\":[]}"), "keys");
    assert_slice(text_at(issuer.metadata, "/jwks_uri"), AV_SLICE("-"), "jwks_uri");
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("issuer");
    TCase *tests = trial_case(suite, "lines");

    jose_create_keys();
    tcase_add_test(tests, a_whole_line_is_taken);
    tcase_add_loop_test(tests, a_mistake_is_named, 0, ROWS(mistakes));
    tcase_add_test(tests, a_line_for_users_is_taken);
    tcase_add_test(tests, a_line_may_be_for_both);
    tcase_add_loop_test(tests, a_mistake_of_a_line_for_users_is_named, 0, ROWS(user_mistakes));
    tcase_add_test(tests, what_cannot_be_opened_is_named);
    tcase_add_test(tests, metadata_say_where_and_how);
    tcase_add_test(tests, all_public_keys_are_published_and_nothing_else);
    tcase_add_test(tests, a_secret_is_not_published);
    return suite;
}
