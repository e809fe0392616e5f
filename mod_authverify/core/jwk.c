/* Reads JSON Web Keys and PEM.
 * SPDX-License-Identifier: Apache-2.0 */
#include "jwk.h"
#include "codec.h"
#include "json.h"
#include "secret.h"

#include <apr_strings.h>
#include <jansson.h>

#define LEAST_SECRET 32
#define NO_KEYS "it is neither a JSON Web Key, nor a set of them, nor PEM"

/* A key on its way into the set. */
typedef struct draft {
    const json_t *jwk; /* NULL: it is PEM, or a secret alone */
    const char *name;  /* for sentences */
    const char *kid;   /* NULL: it has none */
    av_key_kind kind;
    EVP_PKEY *public_key;
    av_slice secret;
} draft;

/* One call of av_jwk_set_read. */
typedef struct reader {
    const apr_array_header_t *algorithms;
    const av_crypto *crypto;
    av_jwk_set *set;
    av_jws_key *room;
    apr_pool_t *pool;
} reader;

static void add_fault(const reader *into, const char *name, const char *fault)
{
    *(const char **)apr_array_push(into->set->faults) = apr_psprintf(into->pool, "key \"%s\": %s", name, fault);
}

/* Which of `algorithms` the key serves, NULL for none. Returns NULL or a sentence: several do. `stated` may be NULL. */
static const char *choose_algorithm(const draft *key, const av_jws_algorithm *stated,
                                    const apr_array_header_t *algorithms, const av_jws_algorithm **chosen,
                                    apr_pool_t *pool)
{
    *chosen = NULL;
    for (int i = 0; i < algorithms->nelts; i++) {
        const av_jws_algorithm *each = APR_ARRAY_IDX(algorithms, i, const av_jws_algorithm *);
        bool fits = each->kind == key->kind && (!stated || av_jws_algorithm_equal(each, stated)) &&
                    (each->kind != AV_KEY_SECRET || key->secret.len >= each->hash_size);
        if (fits && *chosen && !av_jws_algorithm_equal(each, *chosen)) {
            return apr_psprintf(pool,
                                "it could serve %s and %s, and one key serves one algorithm: say in its alg which, or "
                                "leave one of them out of algorithms=",
                                (*chosen)->name, each->name);
        }
        *chosen = fits && !*chosen ? each : *chosen;
    }
    return NULL;
}

static const char *finish_key(const draft *from, const av_jws_algorithm *algorithm, const av_crypto *crypto,
                              av_jws_key *key, apr_pool_t *pool)
{
    *key = (av_jws_key){ .algorithm = algorithm, .crypto = crypto, .kid = from->kid, .label = from->name };
    key->public_key = from->public_key;
    if (algorithm->kind == AV_KEY_SECRET) {
        key->secret = av_hmac_prepare(av_jws_algorithm_hash(algorithm, crypto), from->secret, pool);
    }
    if (key->public_key && !av_jws_key_start(key, pool)) {
        return "libcrypto cannot verify with it";
    }
    return key->public_key || key->secret ? NULL : "it cannot be used as an HMAC key";
}

static const char *add_key(const reader *into, const draft *from, const av_jws_algorithm *stated)
{
    const av_jws_algorithm *algorithm = NULL;
    const char *error = choose_algorithm(from, stated, into->algorithms, &algorithm, into->pool);
    if (error || !algorithm) {
        return error;
    }
    error = finish_key(from, algorithm, into->crypto, &into->room[into->set->count], into->pool);
    into->set->count += !error;
    return error;
}

/* A string member that is no empty one. False: it is missing, or something else. */
static bool get_text(const json_t *jwk, const char *name, av_slice *text)
{
    const json_t *member = json_object_get(jwk, name);
    *text = (av_slice){ json_string_value(member), json_string_length(member) };
    return text->len > 0;
}

/* A member in base64url, decoded into memory that is wiped: it may be a secret. */
static const char *get_bytes(const json_t *jwk, const char *name, av_slice *bytes, apr_pool_t *pool)
{
    av_slice text;
    if (!get_text(jwk, name, &text)) {
        return apr_psprintf(pool, "its \"%s\" is missing, empty or no string", name);
    }
    apr_size_t size = av_decoded_size(AV_BASE64URL, text.len), len = 0;
    *bytes = av_secret_keep((av_slice){ apr_pcalloc(pool, size + 1), size }, pool);
    return av_decode(AV_BASE64URL, text, (unsigned char *)bytes->at, size, &len)
               ? NULL
               : apr_psprintf(pool, "its \"%s\" is not base64url without padding", name);
}

/* A number is written with no leading zero byte (RFC 7518 section 2). */
static const char *get_number(const json_t *jwk, const char *name, av_slice *number, apr_pool_t *pool)
{
    const char *error = get_bytes(jwk, name, number, pool);
    return error || number->at[0] ? error : apr_psprintf(pool, "its \"%s\" begins with a zero byte", name);
}

static const char *read_rsa(draft *key, apr_pool_t *pool)
{
    av_slice modulus, exponent;
    const char *error = get_number(key->jwk, "n", &modulus, pool);
    error = error ? error : get_number(key->jwk, "e", &exponent, pool);
    return error ? error : av_public_key_rsa(modulus, exponent, &key->public_key, pool);
}

static const char *read_point(draft *key, apr_pool_t *pool)
{
    av_slice x, y;
    const char *error = get_bytes(key->jwk, "x", &x, pool);
    if (error || key->kind == AV_KEY_ED25519) {
        return error ? error : av_public_key_ed25519(x, &key->public_key, pool);
    }
    error = get_bytes(key->jwk, "y", &y, pool);
    return error ? error : av_public_key_ec(key->kind, x, y, &key->public_key, pool);
}

static const char *read_secret(draft *key, const av_jws_algorithm *stated, apr_pool_t *pool)
{
    const char *error = get_bytes(key->jwk, "k", &key->secret, pool);
    apr_size_t least = stated ? stated->hash_size : LEAST_SECRET;
    return error || key->secret.len >= least
               ? error
               : apr_psprintf(pool, "it is shorter than the hash it is for: %" APR_SIZE_T_FMT " bytes at least", least);
}

static const struct {
    const char *kty, *crv; /* crv NULL: such a key has none */
    av_key_kind kind;
    const char *members; /* that make the public key what it is, in their order (RFC 7638 section 3.2, RFC 8037) */
} kinds[] = {
    { "RSA", NULL, AV_KEY_RSA, "e kty n" },
    { "EC", "P-256", AV_KEY_P256, "crv kty x y" },
    { "EC", "P-384", AV_KEY_P384, "crv kty x y" },
    { "EC", "P-521", AV_KEY_P521, "crv kty x y" },
    { "OKP", "Ed25519", AV_KEY_ED25519, "crv kty x" },
    { "oct", NULL, AV_KEY_SECRET, "" },
};

static bool find_row(const json_t *jwk, size_t *row)
{
    av_slice kty, crv;
    bool has_curve = get_text(jwk, "crv", &crv);
    for (*row = 0; get_text(jwk, "kty", &kty) && *row < sizeof(kinds) / sizeof(kinds[0]); ++*row) {
        if (av_slice_equal(kty, av_slice_of(kinds[*row].kty)) &&
            (!kinds[*row].crv || (has_curve && av_slice_equal(crv, av_slice_of(kinds[*row].crv))))) {
            return true;
        }
    }
    return false;
}

static bool find_kind(const json_t *jwk, av_key_kind *kind)
{
    size_t row;
    bool is_known = find_row(jwk, &row);
    *kind = is_known ? kinds[row].kind : AV_KEY_SECRET;
    return is_known;
}

/* RFC 7517 sections 4.2 and 4.3: what the key is for. */
static const char *check_purpose(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use"), *operations = json_object_get(jwk, "key_ops"), *each;
    size_t i;
    if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0)) {
        return "its \"use\" is not sig";
    }
    json_array_foreach(operations, i, each)
    {
        if (json_is_string(each) && strcmp(json_string_value(each), "verify") == 0) {
            return NULL;
        }
    }
    return operations ? "its \"key_ops\" does not hold verify" : NULL;
}

static const char *read_numbers(draft *key, const av_jws_algorithm *stated, apr_pool_t *pool)
{
    switch (key->kind) {
    case AV_KEY_RSA:
        return read_rsa(key, pool);
    case AV_KEY_SECRET:
        return read_secret(key, stated, pool);
    default:
        return read_point(key, pool);
    }
}

static const char *read_fit_key(const reader *into, draft *key, const av_jws_algorithm *stated)
{
    av_slice kid = { NULL, 0 };
    if (json_object_get(key->jwk, "kid") && !get_text(key->jwk, "kid", &kid)) {
        return "its \"kid\" is empty or no string";
    }
    if (stated && stated->kind != key->kind) {
        return "its \"alg\" is for another kind of key";
    }
    key->kid = kid.len ? av_slice_string(kid, into->pool) : NULL;
    const char *error = check_purpose(key->jwk);
    error = error ? error : read_numbers(key, stated, into->pool);
    return error ? error : add_key(into, key, stated);
}

static const char *name_of(const json_t *jwk, size_t index, apr_pool_t *pool)
{
    av_slice kid;
    bool has_name = get_text(jwk, "kid", &kid) && av_slice_is_visible(kid);
    return has_name ? av_slice_string(kid, pool) : apr_psprintf(pool, "number %" APR_SIZE_T_FMT, (apr_size_t)index + 1);
}

static void read_jwk(const reader *into, const json_t *jwk, size_t index)
{
    draft key = { .jwk = jwk, .name = name_of(jwk, index, into->pool) };
    const json_t *alg = json_object_get(jwk, "alg");
    av_slice name = { json_string_value(alg), json_string_length(alg) };
    const av_jws_algorithm *stated = alg ? av_jws_algorithm_find(name) : NULL;
    into->set->has_secret |= json_object_get(jwk, "d") || json_object_get(jwk, "k");
    if (!find_kind(jwk, &key.kind) || (json_is_string(alg) && !stated)) {
        return;
    }
    const char *fault = alg && !stated ? "its \"alg\" is no string" : read_fit_key(into, &key, stated);
    if (fault) {
        add_fault(into, key.name, fault);
    }
}

static const char *make_room(reader *into, apr_size_t count)
{
    if (count > AV_MAX_JWKS_KEYS) {
        return apr_psprintf(into->pool, "it holds more than %d keys", AV_MAX_JWKS_KEYS);
    }
    into->room = apr_pcalloc(into->pool, (count + 1) * sizeof(*into->room));
    into->set->keys = into->room;
    return NULL;
}

static const char *read_json(reader *into, av_slice text)
{
    const av_json *json = av_json_load(text, into->pool);
    const json_t *root = json ? av_json_root(json) : NULL;
    const json_t *keys = json_object_get(root, "keys"), *each;
    size_t i;
    if (!json_is_object(root) || (keys && !json_is_array(keys))) {
        return NO_KEYS;
    }
    const char *error = make_room(into, keys ? json_array_size(keys) : 1);
    if (!error && !keys) {
        read_jwk(into, root, 0);
    }
    json_array_foreach(error ? NULL : keys, i, each)
    {
        read_jwk(into, each, i);
    }
    return error;
}

static const char *read_pem(reader *into, av_slice text)
{
    apr_size_t found = 0;
    const char *error = make_room(into, AV_MAX_JWKS_KEYS);
    while (!error && text.len) {
        draft key = { .name = apr_psprintf(into->pool, "number %" APR_SIZE_T_FMT, found + 1) };
        const char *fault = av_public_key_pem(&text, &key.public_key, &key.kind, into->pool);
        if (!fault && !key.public_key) {
            break;
        }
        if (++found > AV_MAX_JWKS_KEYS) {
            return make_room(into, found);
        }
        fault = fault ? fault : add_key(into, &key, NULL);
        if (fault) {
            add_fault(into, key.name, fault);
        }
    }
    return error || found ? error : NO_KEYS;
}

const char *av_jwk_set_read(av_slice text, const apr_array_header_t *algorithms, const av_crypto *crypto,
                            av_jwk_set *set, apr_pool_t *pool)
{
    reader into = { algorithms, crypto, set, NULL, pool };
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = 0;
    *set = (av_jwk_set){ .faults = apr_array_make(pool, 2, sizeof(const char *)) };
    if (!av_digest(crypto->sha256, text, digest, &size)) {
        return "it cannot be hashed";
    }
    memcpy(&set->mark, digest, sizeof(set->mark));
    av_slice start = text;
    while (start.len && strchr(" \t\r\n", *start.at)) {
        start = av_slice_skip(start, 1);
    }
    return av_slice_starts_with(start, AV_SLICE("{")) ? read_json(&into, text) : read_pem(&into, text);
}

const char *av_jwk_of_secret(av_slice secret, const apr_array_header_t *algorithms, const av_crypto *crypto,
                             av_jws_key *key, apr_pool_t *pool)
{
    const draft from = { .name = "", .kind = AV_KEY_SECRET, .secret = secret };
    const av_jws_algorithm *algorithm = NULL;
    const char *error = choose_algorithm(&from, NULL, algorithms, &algorithm, pool);
    if (error) {
        return error;
    }
    return algorithm
               ? finish_key(&from, algorithm, crypto, key, pool)
               : "it is shorter than the hash of the HMAC in algorithms=, or none is there: 32 bytes for HS256, 48 "
                 "for HS384, 64 for HS512";
}

/* RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1. */
static bool has_private_member(const json_t *jwk)
{
    static const char *const names[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_object_get(jwk, names[i])) {
            return true;
        }
    }
    return false;
}

static const char *check_message_key(const json_t *jwk, const av_jws_algorithm *algorithm, av_key_kind *kind)
{
    const json_t *alg = json_object_get(jwk, "alg");
    av_slice name = { json_string_value(alg), json_string_length(alg) };
    const av_jws_algorithm *stated = alg ? av_jws_algorithm_find(name) : algorithm;
    if (has_private_member(jwk)) {
        return "it holds a private key or a secret";
    }
    if (!find_kind(jwk, kind) || *kind != algorithm->kind) {
        return "it is of another kind than the algorithm's";
    }
    return stated && av_jws_algorithm_equal(stated, algorithm) ? check_purpose(jwk) : "its \"alg\" is another";
}

const char *av_jwk_read_public(const json_t *jwk, const av_jws_algorithm *algorithm, const av_crypto *crypto,
                               av_jws_key *key, apr_pool_t *pool)
{
    draft from = { .jwk = jwk, .name = "" };
    const char *error = check_message_key(jwk, algorithm, &from.kind);
    error = error ? error : read_numbers(&from, algorithm, pool);
    return error ? error : finish_key(&from, algorithm, crypto, key, pool);
}

/* Nothing that JSON would have to escape, and so would write in more ways than one. */
static bool is_plain_member(av_slice value)
{
    return av_slice_is_visible(value) && !av_slice_contains(value, '"') && !av_slice_contains(value, '\\');
}

bool av_jwk_thumbprint(const json_t *jwk, const av_crypto *crypto, unsigned char thumbprint[AV_SHA256_SIZE],
                       apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    size_t row;
    const char *text = "{";
    av_slice rest = find_row(jwk, &row) ? av_slice_of(kinds[row].members) : AV_SLICE(""), name, value;
    if (!rest.len) {
        return false;
    }
    while (av_slice_split(&rest, ' ', &name)) {
        const char *member = av_slice_string(name, pool);
        if (!get_text(jwk, member, &value) || !is_plain_member(value)) {
            return false;
        }
        text = apr_pstrcat(pool, text, text[1] ? "," : "", "\"", member, "\":\"", av_slice_string(value, pool), "\"",
                           NULL);
    }
    text = apr_pstrcat(pool, text, "}", NULL);
    bool done = av_digest(crypto->sha256, av_slice_of(text), digest, &size) && size == AV_SHA256_SIZE;
    memcpy(thumbprint, digest, done ? AV_SHA256_SIZE : 0);
    return done;
}
