/* Published tokens, keys and signatures: RFC 7515 appendix A, the JOSE cookbook, Wycheproof. They are data kept beside
 * the source tree, in $AUTHVERIFY_SHARED; where they are not, nothing is tried here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/codec.h"
#include "core/jwk.h"
#include "core/jws.h"
#include "support/suite.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "vectors/jose/"

static const char *shared_path(const char *name)
{
    const char *shared = getenv("AUTHVERIFY_SHARED"), *source = getenv("AUTHVERIFY_SOURCE");

    return shared ? apr_psprintf(pool, "%s/" FOLDER "%s", shared, name)
                  : apr_psprintf(pool, "%s/../shared/" FOLDER "%s", source ? source : ".", name);
}

static bool has_vectors(void)
{
    return access(shared_path("README.md"), R_OK) == 0;
}

static apr_status_t release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

/* NULL where there are no vectors at all. */
static json_t *load(const char *name)
{
    if (!has_vectors()) {
        return NULL;
    }
    json_t *json = json_load_file(shared_path(name), 0, NULL);
    ck_assert_msg(json != NULL, "%s cannot be read", name);
    apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    return json;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void add_algorithm(apr_array_header_t *algorithms, const char *name)
{
    const av_jws_algorithm *found = av_jws_algorithm_find(av_slice_of(name));

    if (found) {
        *(const av_jws_algorithm **)apr_array_push(algorithms) = found;
    }
}

static apr_array_header_t *list_of(const char *name)
{
    apr_array_header_t *algorithms = apr_array_make(pool, 2, sizeof(av_jws_algorithm *));

    add_algorithm(algorithms, name);
    return algorithms;
}

static void read_keys(const char *text, const apr_array_header_t *algorithms, av_jwk_set *set)
{
    const char *error = av_jwk_set_read(tight_copy(av_slice_of(text)), algorithms, av_crypto_create(pool), set, pool);

    ck_assert_msg(!error, "%s: %.60s", error, text);
}

static const char *json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    const char *copy = apr_pstrdup(pool, text);

    free(text);
    return copy;
}

/* As the scheme takes it: malformed is refused, and one of the keys that its kid names must prove it. */
static bool is_accepted(const char *token, const av_jwk_set *set)
{
    av_jws jws;
    bool is_right = false;

    if (!av_jws_parse(tight_copy(av_slice_of(token)), &jws, pool)) {
        return false;
    }
    for (apr_size_t i = 0; i < set->count; i++) {
        const av_jws_key *key = &set->keys[i];
        bool is_named = !jws.has_kid || !key->kid || av_slice_equal(jws.kid, av_slice_of(key->kid));
        is_right |= is_named && av_jws_verify(&jws, key) == AV_JWS_RIGHT;
    }
    return is_right;
}

START_TEST(rfc_7515_appendix_a)
{
    const json_t *vector;
    size_t i;

    json_array_foreach(json_object_get(load("rfc7515-appendix-a.json"), "vectors"), i, vector)
    {
        av_jwk_set set = { 0 };
        if (json_is_object(json_object_get(vector, "jwk"))) {
            read_keys(json_text(json_object_get(vector, "jwk")), list_of(text_of(vector, "alg")), &set);
        }
        ck_assert_msg(is_accepted(text_of(vector, "compact"), &set) ==
                          (strcmp(text_of(vector, "expect"), "accept") == 0),
                      "%s", text_of(vector, "id"));
    }
}
END_TEST

/* Detached content and RFC 7797's unencoded payloads are no tokens. */
static bool is_token(const char *file)
{
    return !strstr(file, "rfc7797") && !strstr(file, "detached");
}

START_TEST(the_cookbook)
{
    const json_t *vector;
    size_t i, accepted = 0;

    json_array_foreach(json_object_get(load("rfc7520-8037-7797-cookbook.json"), "vectors"), i, vector)
    {
        const json_t *data = json_object_get(vector, "data"), *input = json_object_get(data, "input");
        const char *token = text_of(json_object_get(data, "output"), "compact");
        av_jwk_set set;
        if (*token) {
            read_keys(json_text(json_object_get(input, "key")), list_of(text_of(input, "alg")), &set);
            ck_assert_msg(is_accepted(token, &set) == is_token(text_of(vector, "file")), "%s", text_of(vector, "file"));
            accepted += is_token(text_of(vector, "file"));
        }
    }
    ck_assert(!has_vectors() || accepted == 5);
}
END_TEST

/* An empty payload is a JWS and no JWT. Two tokens of RFC 7520, which the cookbook has, come with a key whose alg is
 * another, or none ("ES521"). Two tokens whose padding is to be refused are, byte for byte, the first one that is valid.
 * Two that are said to be valid hold a "?", which others ignore. Two keys under one kid are tried in turn, as a change of
 * keys needs it. Secrets beside public keys are refused by the rule that lists algorithms of both kinds. */
static bool is_other_view(const json_t *group, const json_t *test)
{
    static const char *const comments[] = { "emptyPayload",
                                            "Figure20",
                                            "Figure27",
                                            "invalidBase64Padding",
                                            "invalidBase64PaddingInPayload",
                                            "InvalidCharacterInsertedInHeader",
                                            "InvalidCharacterInsertedInPayload",
                                            "rejectsDuplicateKid" };
    for (int i = 0; i < ROWS(comments); i++) {
        if (strcmp(text_of(test, "comment"), comments[i]) == 0) {
            return true;
        }
    }
    return strcmp(text_of(group, "comment"), "jws_mixedSymmetryKeyset") == 0;
}

/* The algorithms that the keys name; for one that names none, the token's, so that only the key can refuse. */
static apr_array_header_t *algorithms_of(const json_t *jwk)
{
    apr_array_header_t *algorithms = list_of(text_of(jwk, "alg"));
    const json_t *each;
    size_t i;

    json_array_foreach(json_object_get(jwk, "keys"), i, each)
    {
        add_algorithm(algorithms, text_of(each, "alg"));
    }
    if (!algorithms->nelts) {
        add_algorithm(algorithms, strcmp(text_of(jwk, "kty"), "EC") == 0 ? "ES256" : "RS256");
    }
    return algorithms;
}

static void try_tokens(const json_t *group, apr_size_t *tried)
{
    const json_t *jwk = json_object_get(group, "public"), *test;
    av_jwk_set set;
    size_t i;

    jwk = jwk ? jwk : json_object_get(group, "private");
    read_keys(json_text(jwk), algorithms_of(jwk), &set);
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        bool is_valid = strcmp(text_of(test, "result"), "valid") == 0;
        if (json_is_string(json_object_get(test, "jws"))) {
            bool as_told = is_accepted(text_of(test, "jws"), &set) == is_valid;
            ck_assert_msg(as_told != is_other_view(group, test), "%s, %d: %s", text_of(group, "comment"),
                          (int)json_integer_value(json_object_get(test, "tcId")), text_of(test, "comment"));
            ++*tried;
        }
    }
}

static const struct {
    const char *file;
    apr_size_t least;
} token_files[] = {
    { "wycheproof/json_web_signature_test.json", 390 },
    { "wycheproof/json_web_key_test.json", 25 },
    { "wycheproof/json_web_crypto_test.json", 20 },
};

START_TEST(wycheproof_tokens)
{
    const json_t *group;
    apr_size_t tried = 0;
    size_t i;

    json_array_foreach(json_object_get(load(token_files[_i].file), "testGroups"), i, group)
    {
        try_tokens(group, &tried);
    }
    ck_assert_msg(!has_vectors() || tried >= token_files[_i].least, "%s: %zu", token_files[_i].file, tried);
}
END_TEST

static av_slice bytes_of(const json_t *test, const char *name)
{
    return from_hex(text_of(test, name));
}

/* The key of a group of signatures; false: it is none that RFC 7518 signs with. */
static bool read_group(const json_t *group, const char *algorithm, av_jws_key *key)
{
    const json_t *jwk = json_object_get(group, "publicKeyJwk");
    const char *pem = text_of(group, "publicKeyPem");
    av_jwk_set set;

    jwk = jwk ? jwk : json_object_get(group, "keyJwk");
    read_keys(jwk ? json_text(jwk) : pem, list_of(algorithm), &set);
    if (set.count == 1) {
        *key = set.keys[0];
    }
    return set.count == 1;
}

/* What is only acceptable is not accepted. */
static void try_signatures(const json_t *group, const char *algorithm, apr_size_t *right)
{
    const json_t *test;
    av_jws_key key;
    size_t i;

    ck_assert_msg(read_group(group, algorithm, &key), "%s", text_of(group, "publicKeyPem"));
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        bool is_valid = strcmp(text_of(test, "result"), "valid") == 0;
        av_jws_result found = av_jws_key_verify(&key, bytes_of(test, "msg"), bytes_of(test, "sig"));
        ck_assert_msg(found == (is_valid ? AV_JWS_RIGHT : AV_JWS_WRONG), "%s %d: %s", algorithm,
                      (int)json_integer_value(json_object_get(test, "tcId")), text_of(test, "comment"));
        *right += is_valid;
    }
}

static const struct {
    const char *file, *algorithm;
    apr_size_t least;
} signature_files[] = {
    { "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", "ES256", 100 },
    { "wycheproof/ecdsa_secp384r1_sha384_p1363_test.json", "ES384", 100 },
    { "wycheproof/ecdsa_secp521r1_sha512_p1363_test.json", "ES512", 100 },
    { "wycheproof/ed25519_test.json", "EdDSA", 60 },
    { "wycheproof/rsa_signature_2048_sha256_test.json", "RS256", 7 },
    { "wycheproof/rsa_signature_2048_sha384_test.json", "RS384", 7 },
    { "wycheproof/rsa_signature_2048_sha512_test.json", "RS512", 7 },
    { "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json", "PS256", 40 },
    { "wycheproof/rsa_pss_2048_sha384_mgf1_48_test.json", "PS384", 40 },
    { "wycheproof/rsa_pss_4096_sha512_mgf1_64_test.json", "PS512", 40 },
};

START_TEST(wycheproof_signatures)
{
    const json_t *group;
    apr_size_t right = 0;
    size_t i;

    json_array_foreach(json_object_get(load(signature_files[_i].file), "testGroups"), i, group)
    {
        try_signatures(group, signature_files[_i].algorithm, &right);
    }
    ck_assert_msg(!has_vectors() || right >= signature_files[_i].least, "%s: %zu", signature_files[_i].file, right);
}
END_TEST

static const struct {
    const char *file, *algorithm;
} der_files[] = {
    { "wycheproof/ecdsa_secp256r1_sha256_test.json", "ES256" },
    { "wycheproof/ecdsa_secp384r1_sha384_test.json", "ES384" },
    { "wycheproof/ecdsa_secp521r1_sha512_test.json", "ES512" },
};

/* What is right in DER is wrong in a token. */
START_TEST(wycheproof_signatures_in_der)
{
    const json_t *group, *test;
    av_jws_key key;
    size_t i, j;

    json_array_foreach(json_object_get(load(der_files[_i].file), "testGroups"), i, group)
    {
        ck_assert(read_group(group, der_files[_i].algorithm, &key));
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            ck_assert_int_eq(av_jws_key_verify(&key, bytes_of(test, "msg"), bytes_of(test, "sig")), AV_JWS_WRONG);
        }
    }
}
END_TEST

static const char *name_of_hash(const char *name)
{
    return strcmp(name, "SHA-256") == 0 ? "PS256" : strcmp(name, "SHA-384") == 0 ? "PS384" : "PS512";
}

/* One hash for everything, and a salt of its length: any other choice is wrong in a token. */
START_TEST(wycheproof_pss_with_other_parameters)
{
    const json_t *group, *test;
    size_t i, j, right = 0;

    json_array_foreach(json_object_get(load("wycheproof/rsa_pss_misc_test.json"), "testGroups"), i, group)
    {
        const char *algorithm = name_of_hash(text_of(group, "sha"));
        av_jws_key key;
        ck_assert(read_group(group, algorithm, &key));
        bool is_ours = strcmp(text_of(group, "sha"), text_of(group, "mgfSha")) == 0 &&
                       strncmp(text_of(group, "sha"), "SHA-1", 6) != 0 &&
                       strcmp(text_of(group, "sha"), "SHA-224") != 0 &&
                       json_integer_value(json_object_get(group, "sLen")) == (json_int_t)key.algorithm->hash_size;
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            av_jws_result found = av_jws_key_verify(&key, bytes_of(test, "msg"), bytes_of(test, "sig"));
            ck_assert_int_eq(found, is_ours ? AV_JWS_RIGHT : AV_JWS_WRONG);
            right += is_ours;
        }
    }
    ck_assert(!has_vectors() || right >= 3);
}
END_TEST

static const struct {
    const char *file, *algorithm;
    apr_size_t hash_size;
} mac_files[] = {
    { "wycheproof/hmac_sha256_test.json", "HS256", 32 },
    { "wycheproof/hmac_sha384_test.json", "HS384", 48 },
    { "wycheproof/hmac_sha512_test.json", "HS512", 64 },
};

/* A key that is too short is none, and a MAC that is cut is wrong. */
static void try_mac(const json_t *test, const char *algorithm, apr_size_t hash_size, apr_size_t *right)
{
    av_jws_key key;
    av_slice secret = bytes_of(test, "key"), mac = bytes_of(test, "tag");
    const char *error = av_jwk_of_secret(secret, list_of(algorithm), av_crypto_create(pool), &key, pool);
    bool is_valid = strcmp(text_of(test, "result"), "valid") == 0 && mac.len == hash_size;

    ck_assert_int_eq(error != NULL, secret.len < hash_size);
    if (!error) {
        av_jws_result found = av_jws_key_verify(&key, bytes_of(test, "msg"), mac);
        ck_assert_msg(found == (is_valid ? AV_JWS_RIGHT : AV_JWS_WRONG), "%s %d", algorithm,
                      (int)json_integer_value(json_object_get(test, "tcId")));
        *right += is_valid;
    }
}

START_TEST(wycheproof_macs)
{
    const json_t *group, *test;
    size_t i, j, right = 0;

    json_array_foreach(json_object_get(load(mac_files[_i].file), "testGroups"), i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            try_mac(test, mac_files[_i].algorithm, mac_files[_i].hash_size, &right);
        }
    }
    ck_assert(!has_vectors() || right >= 30);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("jose_vectors");
    TCase *tests = suite_case(suite, "jose_vectors");

    tcase_add_test(tests, rfc_7515_appendix_a);
    tcase_add_test(tests, the_cookbook);
    tcase_add_loop_test(tests, wycheproof_tokens, 0, ROWS(token_files));
    tcase_add_loop_test(tests, wycheproof_signatures, 0, ROWS(signature_files));
    tcase_add_loop_test(tests, wycheproof_signatures_in_der, 0, ROWS(der_files));
    tcase_add_test(tests, wycheproof_pss_with_other_parameters);
    tcase_add_loop_test(tests, wycheproof_macs, 0, ROWS(mac_files));
    return suite;
}
