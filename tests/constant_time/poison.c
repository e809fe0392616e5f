/* Secrets marked as undefined, and valgrind as the witness: no branch and no address may depend on one.
 *
 * Each path is walked as a server walks it, with the stored secret, every key made of it and what is presented
 * poisoned. One bit is made public again: whether two values are equal, where CRYPTO_memcmp says so (the linker puts
 * ours before it, --wrap), and whether a text is of its format. Each path is its own control: with that bit kept
 * secret, the same walk must be found out, or else the poison never came as far as the comparison.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/secret.h"
#include "issue/login.h"
#include "leaky.h"
#include "schemes/token_pair/format.h"
#include "stores/client_packing.h"
#include "stores/clients_line.h"
#include "stores/clients_snapshot.h"
#include "support/request_builder.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>

#define CANNOT_RUN 2
#define LIST_WORDS 1024
#define PADDING 2 /* where base64 may end in "=": its length, which is no secret */

static apr_pool_t *pool;
static av_compiler compiler;
static bool verdicts_are_public;

/* --- what becomes public ------------------------------------------------------------------------------------------ */

int __real_CRYPTO_memcmp(const void *a, const void *b, size_t len);
int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len);
bool __real_av_token_format_is(const av_token_format *format, av_slice text);
bool __wrap_av_token_format_is(const av_token_format *format, av_slice text);
bool __real_av_decode(av_encoding encoding, av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len);
bool __wrap_av_decode(av_encoding encoding, av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len);

static void make_public(void *verdict, apr_size_t size)
{
    if (verdicts_are_public) {
        (void)VALGRIND_MAKE_MEM_DEFINED(verdict, size);
    }
}

int __wrap_CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    int differs = __real_CRYPTO_memcmp(a, b, len) != 0;
    make_public(&differs, sizeof(differs));
    return differs;
}

bool __wrap_av_token_format_is(const av_token_format *format, av_slice text)
{
    bool is = __real_av_token_format_is(format, text);
    make_public(&is, sizeof(is));
    return is;
}

/* Whether a text can be decoded, and so to how many bytes. */
bool __wrap_av_decode(av_encoding encoding, av_slice text, unsigned char *out, apr_size_t capacity, apr_size_t *len)
{
    bool done = __real_av_decode(encoding, text, out, capacity, len);
    make_public(&done, sizeof(done));
    make_public(len, sizeof(*len));
    return done;
}

/* --- paths through the core --------------------------------------------------------------------------------------- */

#define KEY "a first secret of 26 bytes"
#define BASE64_KEY "dGhpcnR5IGJ5dGVzIG9mIGEgc2VjcmV0LCBzdXJl"
#define TOKEN "AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW0"
#define TOKEN_DIGEST "KtpEY4qgyw23J3i1e/0RwCKzGa/e4cdZBjoNNaB/L6M="
#define NAME "d3f269a9-932e-eeb0-05e7-14fdff8696b2"
#define OTHER_NAME "d3f269a9-932e-eeb0-05e7-14fdff8696b3"

#define SIGNED "signature signature=%{header:X-Signature} secret=env:SECRET"
#define SIGNED_BY \
    "signature signature=%{header:X-Signature} client=%{header:X-Client} unsigned-ok=client clients=file:list"
#define PAIR "X-Auth-Token: " NAME "\nX-Auth-Secret: "

/* Of "body", by openssl dgst -hmac KEY. */
#define MAC_SHA1 "1d3686f97a276a87e1061dae203ceccbb86c887f"
#define MAC_SHA256 "40b1fbc5c056bb8a7d287554c64c69d6d5a1bcd13fb2cd220219c58941527a45"
#define MAC_SHA512                                                     \
    "e53c08300619d9f51bab26397e38c281c6ce059897e1fb532480581b5966147c" \
    "92e890b4b0bdc45b142db03e8170dfeca00f986b9f872498b0dcd1d176e4097a"
/* The same under the bytes that BASE64_KEY stands for. */
#define MAC_BASE64 "FrfZ3hY3/83J+4l93jofNPi8wsBAumBRiGa3ozzILHo="

#define APPLICATION "5b1c9e02-77aa-4d1f-b0c3-8e2f4a6d9c10"
#define ENDPOINT "AuthVerifyToken clients=file:list"
#define SIGNING ENDPOINT " key=env:SIGNING algorithm=HS256 issuer=https://id.example audience=https://api.example"
#define LOGIN ENDPOINT " users=file issued=file:issued"

typedef struct path {
    av_reason (*walk)(const struct path *walked, bool is_right);
    const char *name;
    const char *rule;    /* or the line of the endpoint */
    const char *list;    /* the one line of its list of clients; NULL: the rule has one sender */
    const char *secret;  /* what becomes poison where it is kept, as it is and as its digest */
    const char *headers; /* up to the proof; of the endpoint who it is */
    const char *proof;   /* the right one */
    bool hides_proof;    /* the proof is the secret itself: it becomes poison once the head is parsed */
    av_reason right, wrong;
} path;

/* The list of clients of the running walk: a snapshot as the server's children have it in shared memory. */
static _Atomic uint64_t list_words[LIST_WORDS];
static const av_slot list = { list_words, LIST_WORDS };

static av_reason unpack(av_slice packed, av_client_record *record, apr_pool_t *to)
{
    return !packed.len ? AV_UNKNOWN_CLIENT : av_client_unpack(packed, record, to) ? AV_ACCEPTED : AV_STORE_UNAVAILABLE;
}

static av_reason find_by_id(const av_client_source *source, av_slice id, av_client_record *record, apr_pool_t *to)
{
    (void)source;
    return unpack(av_snapshot_find_id(list, id, to), record, to);
}

static av_reason find_by_digest(const av_client_source *source, const unsigned char digest[AV_SHA256_SIZE],
                                av_client_record *record, apr_pool_t *to)
{
    (void)source;
    return unpack(av_snapshot_find_digest(list, digest, to), record, to);
}

static av_client_secret dummy(const av_client_source *source, av_secret_kind kind, apr_pool_t *to)
{
    (void)source;
    return av_snapshot_dummy(list, kind, to);
}

static const char *open_list(void *baton, const char *location, const av_client_source **source)
{
    static const av_client_source made = { NULL, find_by_id, find_by_digest, dummy };
    (void)baton;
    (void)location;
    *source = &made;
    return NULL;
}

static void fail(const char *name, const char *what)
{
    fprintf(stderr, "%s: %s\n", name, what);
    exit(CANNOT_RUN);
}

static void build_list(const path *walked)
{
    av_client_record record;
    av_snapshot_builder builder;
    apr_array_header_t *duplicates = apr_array_make(pool, 1, sizeof(av_duplicate));
    const char *error = av_clients_line_parse(av_slice_of(walked->list), &record, pool);
    if (error) {
        fail(walked->name, error);
    }
    av_snapshot_start(&builder, list, compiler.crypto, NULL);
    if (av_snapshot_add(&builder, &record, 1, pool) != AV_BUILD_DONE ||
        av_snapshot_finish(&builder, duplicates, 1, pool) != AV_BUILD_DONE) {
        fail(walked->name, "the list cannot be built");
    }
}

/* Where a text is in the list; NULL where it is not. */
static const char *place_of(av_slice text)
{
    const char *words = (const char *)list_words;
    for (apr_size_t at = 0; at + text.len <= sizeof(list_words); at++) {
        if (av_slice_equal((av_slice){ words + at, text.len }, text)) {
            return words + at;
        }
    }
    return NULL;
}

static void poison_list(const path *walked)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_slice secret = av_slice_of(walked->secret);
    av_digest(compiler.crypto->sha256, secret, digest, &size);
    const char *text_at = place_of(secret), *digest_at = place_of((av_slice){ (const char *)digest, size });
    if (!digest_at) {
        fail(walked->name, "the list does not hold the secret");
    }
    (void)VALGRIND_MAKE_MEM_UNDEFINED(digest_at, size);
    if (text_at) {
        (void)VALGRIND_MAKE_MEM_UNDEFINED(text_at, secret.len - PADDING);
    }
}

/* The rule's keys, made anew of a poisoned secret. */
static void poison_keys(const path *walked, const av_rule *rule)
{
    char *secret = apr_pstrdup(pool, walked->secret);
    av_slice poisoned = { secret, strlen(secret) };
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, poisoned.len - PADDING);
    for (apr_size_t i = 0; i < rule->sender.key_count; i++) {
        av_key key = rule->sender.keys[i];
        const char *error = av_rule_prepare_key(rule, &key, poisoned, pool);
        if (error) {
            fail(walked->name, error);
        }
        memcpy((void *)&rule->sender.keys[i], &key, sizeof(key));
    }
}

static const av_rule *compile(const path *walked)
{
    av_rule *rule;
    const char *error = request_rule(walked->rule, &compiler, &rule);
    if (error) {
        fail(walked->name, error);
    }
    return rule;
}

static const char *request_text(const path *walked, bool is_right)
{
    char *proof = apr_pstrdup(pool, walked->proof);
    if (!is_right) {
        proof[0] = proof[0] == '0' ? '1' : '0';
    }
    return apr_pstrcat(pool, "POST / HTTP/1.1\n", walked->headers, proof, "\n\nbody", NULL);
}

/* From the head of a request to the verdict. */
static av_reason walk_rule(const path *walked, bool is_right)
{
    built_request request;
    av_claim *claim;
    compiler = request_compiler(NULL, pool);
    compiler.open_clients = open_list;
    const av_rule *rule = compile(walked);
    av_policy *policy = av_policy_create(pool);
    if (walked->list) {
        build_list(walked);
    }
    if (av_policy_add(policy, rule, false) ||
        !request_build(av_slice_of(request_text(walked, is_right)), &request, pool)) {
        fail(walked->name, "cannot be tried");
    }
    av_reason reason = av_find(policy, &request.head, &claim, pool);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    for (apr_size_t i = 0; walked->hides_proof && i < claim->proof_count; i++) {
        (void)VALGRIND_MAKE_MEM_UNDEFINED(claim->proofs[i].bytes.at, claim->proofs[i].bytes.len);
    }
    if (walked->list) {
        poison_list(walked);
    }
    poison_keys(walked, rule);
    return request_prove(&request, claim, pool).reason;
}

/* --- at the token endpoint ------------------------------------------------------------------------------------------ */

static av_reason ask_nobody(const av_password_source *source, void *server, av_slice user, av_slice password,
                            const char **name, apr_pool_t *to)
{
    (void)source;
    (void)server;
    (void)password;
    *name = av_slice_string(user, to);
    return AV_ACCEPTED;
}

static const char *open_users(const av_compiler *given, const char *names, const av_password_source **source)
{
    static const av_password_source users = { NULL, ask_nobody };
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

static void compile_endpoint(const path *walked, av_issuer *issuer)
{
    av_words words;
    compiler = request_compiler(NULL, pool);
    compiler.open_clients = open_list;
    compiler.open_provider = open_users;
    compiler.open_issued = open_issued;
    const char *error = av_words_split(walked->rule, &words, pool);
    error = error ? error : av_issuer_compile(&words, &compiler, issuer);
    if (error) {
        fail(walked->name, error);
    }
    build_list(walked);
}

static av_slice proof_of(const path *walked, bool is_right)
{
    char *proof = apr_pstrdup(pool, walked->proof);
    if (!is_right) {
        proof[0] = proof[0] == '0' ? '1' : '0';
    }
    av_slice sent = av_slice_of(proof);
    if (walked->hides_proof) {
        (void)VALGRIND_MAKE_MEM_UNDEFINED(sent.at, sent.len);
    }
    return sent;
}

static const av_request asking = { .method = AV_SLICE("POST"), .path = AV_SLICE("/"), .place = AV_SLICE("/") };

static av_reason walk_grant(const path *walked, bool is_right)
{
    av_issuer issuer;
    compile_endpoint(walked, &issuer);
    poison_list(walked);
    const av_token_request asked = { .client_id = av_slice_of(walked->headers),
                                     .client_secret = proof_of(walked, is_right),
                                     .scope = AV_SLICE("") };
    return av_grant_decide(&issuer, &asked, &asking, pool).verdict.reason;
}

static av_reason walk_login(const path *walked, bool is_right)
{
    av_issuer issuer;
    compile_endpoint(walked, &issuer);
    poison_list(walked);
    const av_token_request asked = { .client_id = av_slice_of(walked->headers),
                                     .client_secret = AV_SLICE("password"),
                                     .application = proof_of(walked, is_right) };
    return av_login_decide(&issuer, &asked, &asking, pool).verdict.reason;
}

static const path paths[] = {
    { walk_rule, "HMAC-SHA256", SIGNED, NULL, KEY, "X-Signature: ", MAC_SHA256, false, AV_ACCEPTED,
      AV_WRONG_SIGNATURE },
    { walk_rule, "HMAC-SHA1", SIGNED " algorithm=hmac-sha1", NULL, KEY, "X-Signature: ", MAC_SHA1, false, AV_ACCEPTED,
      AV_WRONG_SIGNATURE },
    { walk_rule, "HMAC-SHA512", SIGNED " algorithm=hmac-sha512", NULL, KEY, "X-Signature: ", MAC_SHA512, false,
      AV_ACCEPTED, AV_WRONG_SIGNATURE },
    { walk_rule, "HMAC of a client", SIGNED_BY, "a plain:a%20first%20secret%20of%2026%20bytes", KEY,
      "X-Client: a\nX-Signature: ", MAC_SHA256, false, AV_ACCEPTED, AV_WRONG_SIGNATURE },
    { walk_rule, "HMAC of a client whose key is base64", SIGNED_BY " encoding=base64 key-encoding=base64",
      "a plain:" BASE64_KEY, BASE64_KEY, "X-Client: a\nX-Signature: ", MAC_BASE64, false, AV_ACCEPTED,
      AV_WRONG_SIGNATURE },
    { walk_rule, "shared token", SIGNED " algorithm=token", NULL, KEY, "X-Signature: ", KEY, true, AV_ACCEPTED,
      AV_WRONG_SECRET },
    { walk_rule, "token pair kept as a digest", "token-pair clients=file:list", NAME " sha256:" TOKEN_DIGEST, TOKEN,
      PAIR, TOKEN, true, AV_ACCEPTED, AV_WRONG_SECRET },
    { walk_rule, "token pair kept as it is", "token-pair clients=file:list", NAME " plain:" TOKEN, TOKEN, PAIR, TOKEN,
      true, AV_ACCEPTED, AV_WRONG_SECRET },
    { walk_rule, "token pair of one sender", "token-pair identity=" NAME " secret=env:SECRET", NULL, TOKEN, PAIR, TOKEN,
      true, AV_ACCEPTED, AV_WRONG_SECRET },
    { walk_rule, "token pair of nobody", "token-pair clients=file:list", OTHER_NAME " sha256:" TOKEN_DIGEST, TOKEN,
      PAIR, TOKEN, true, AV_UNKNOWN_CLIENT, AV_UNKNOWN_CLIENT },
    { walk_rule, "bearer token", "bearer clients=file:list", "a sha256:" TOKEN_DIGEST, TOKEN, "Authorization: Bearer ",
      TOKEN, false, AV_ACCEPTED, AV_UNKNOWN_CLIENT },
    { walk_rule, "API key", "api-key in=header:X-Key clients=file:list", "a plain:" TOKEN, TOKEN, "X-Key: ", TOKEN,
      false, AV_ACCEPTED, AV_UNKNOWN_CLIENT },
    { walk_grant, "token endpoint", SIGNING, "a sha256:" TOKEN_DIGEST, TOKEN, "a", TOKEN, true, AV_ACCEPTED,
      AV_WRONG_SECRET },
    { walk_grant, "token endpoint, secret kept as it is", SIGNING, "a plain:" TOKEN, TOKEN, "a", TOKEN, true,
      AV_ACCEPTED, AV_WRONG_SECRET },
    { walk_grant, "token endpoint, nobody", SIGNING, "a sha256:" TOKEN_DIGEST, TOKEN, "b", TOKEN, true,
      AV_UNKNOWN_CLIENT, AV_UNKNOWN_CLIENT },
    { walk_login, "token endpoint, an application", LOGIN, "a plain:" APPLICATION, APPLICATION, "jane", APPLICATION,
      false, AV_ACCEPTED, AV_UNKNOWN_CLIENT },
};

/* Errors that valgrind has seen on a walk. */
static unsigned long errors_of(const path *walked, bool is_right, bool is_public)
{
    unsigned long before = VALGRIND_COUNT_ERRORS;
    verdicts_are_public = is_public;
    av_reason reason = walked->walk(walked, is_right);
    unsigned long errors = VALGRIND_COUNT_ERRORS - before;
    (void)VALGRIND_MAKE_MEM_DEFINED(&reason, sizeof(reason));
    if (reason != (is_right ? walked->right : walked->wrong)) {
        fail(walked->name, av_reason_name(reason));
    }
    (void)VALGRIND_MAKE_MEM_DEFINED(list_words, sizeof(list_words));
    apr_pool_clear(pool);
    return errors;
}

/* --- functions of their own ----------------------------------------------------------------------------------------- */

static bool is_equal(av_slice secret)
{
    return av_secret_equal(secret, AV_SLICE(TOKEN));
}

static bool is_of_format(av_slice secret)
{
    return av_token_format_is(&av_token_format_alphanumeric, secret);
}

static bool is_leaky_equal(av_slice secret)
{
    return leaky_equal(secret, AV_SLICE(TOKEN));
}

typedef struct function {
    const char *name;
    bool (*call)(av_slice secret);
    bool is_leaky;
} function;

static const function functions[] = {
    { "comparison", is_equal, false },
    { "format of a secret", is_of_format, false },
    { "comparison that ends early", is_leaky_equal, true },
};

static unsigned long errors_in(const function *tried)
{
    char secret[] = TOKEN;
    unsigned long before = VALGRIND_COUNT_ERRORS;
    verdicts_are_public = true;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof(secret) - 1);
    bool verdict = tried->call((av_slice){ secret, sizeof(secret) - 1 });
    unsigned long errors = VALGRIND_COUNT_ERRORS - before;
    (void)VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof(verdict));
    if (!verdict) {
        fail(tried->name, "the right secret is wrong");
    }
    return errors;
}

/* --- the report ----------------------------------------------------------------------------------------------------- */

static int wrong_results;

static void report(const char *name, unsigned long errors, bool must_be_found)
{
    bool is_right = must_be_found == (errors > 0);
    printf("%s %s: %lu errors%s\n", is_right ? "ok  " : "FAIL", name, errors,
           must_be_found ? " (control: there must be some)" : "");
    wrong_results += !is_right;
}

static void try_path(const path *walked)
{
    unsigned long errors = errors_of(walked, true, true) + errors_of(walked, false, true);
    report(walked->name, errors, false);
    report(walked->name, errors_of(walked, true, false), true);
}

int main(void)
{
    if (!RUNNING_ON_VALGRIND) {
        fail("poison", "run it under valgrind");
    }
    setenv("SECRET", KEY, 1);
    setenv("SIGNING", "a secret that signs, of 32 bytes and more", 1);
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        report(functions[i].name, errors_in(&functions[i]), functions[i].is_leaky);
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        try_path(&paths[i]);
    }
    return wrong_results > 0;
}
