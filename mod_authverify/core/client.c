/* A client's secrets and limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "client.h"
#include "reading.h"
#include "secret.h"

#include <apr_md5.h>
#include <openssl/crypto.h>

#define LONGEST_PASSWORD 71 /* bcrypt looks at 72 bytes: of a longer password any other with the same start would do */

static bool is_valid_at(apr_time_t not_before, apr_time_t expires, apr_time_t now)
{
    return (!not_before || now >= not_before) && (!expires || now < expires);
}

/* crypt(3) takes a string; what does not fit is no password anybody has set. */
static bool is_password(av_slice hash, av_slice presented)
{
    char password[LONGEST_PASSWORD + 1];
    if (presented.len > LONGEST_PASSWORD || (presented.len && memchr(presented.at, '\0', presented.len))) {
        return false;
    }
    memcpy(password, presented.at, presented.len);
    password[presented.len] = '\0';
    bool is_right = apr_password_validate(password, hash.at) == APR_SUCCESS;
    OPENSSL_cleanse(password, sizeof(password));
    return is_right;
}

static bool is_known_password(const av_client_record *record, const av_password_memory *passwords, av_slice hash,
                              av_slice presented)
{
    av_slice id = av_slice_of(record->id);
    if (passwords && passwords->knows(passwords->store, id, hash, presented)) {
        return true;
    }
    bool is_right = is_password(hash, presented);
    if (is_right && passwords) {
        passwords->learn(passwords->store, id, hash, presented);
    }
    return is_right;
}

/* Digests are compared, so that not even a length shows. */
static bool is_secret(const av_client_secret *secret, av_slice digest, const av_crypto *crypto, bool *failed)
{
    unsigned char kept[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (secret->kind == AV_SECRET_SHA256) {
        return av_secret_equal(secret->value, digest);
    }
    *failed |= !av_digest(crypto->sha256, secret->value, kept, &size);
    bool is_right = av_secret_equal((av_slice){ (const char *)kept, size }, digest);
    OPENSSL_cleanse(kept, sizeof(kept));
    return is_right;
}

const av_client_secret *av_client_match(const av_client_record *record, const av_crypto *crypto,
                                        const av_password_memory *passwords, const av_presented *presented,
                                        apr_time_t now, bool *failed)
{
    const av_client_secret *found = NULL;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    *failed = !presented->digest.len && !av_digest(crypto->sha256, presented->secret, bytes, &size);
    av_slice digest = presented->digest.len ? presented->digest : (av_slice){ (const char *)bytes, size };
    for (apr_size_t i = 0; !*failed && i < record->secret_count; i++) {
        const av_client_secret *secret = &record->secrets[i];
        bool is_right = secret->kind == AV_SECRET_BCRYPT
                            ? is_known_password(record, passwords, secret->value, presented->secret)
                            : is_secret(secret, digest, crypto, failed);
        if (is_right && is_valid_at(secret->not_before, secret->expires, now)) {
            found = secret;
        }
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return *failed ? NULL : found;
}

/* Every word of `wanted` is in `has`. */
static bool has_all(av_slice has, av_slice wanted)
{
    av_slice word;
    while (wanted.at && wanted.len && av_slice_split(&wanted, ',', &word)) {
        if (!av_list_has(has, word)) {
            return false;
        }
    }
    return true;
}

static bool is_for(const av_client_record *record, const av_rule *rule)
{
    return (!rule->org.len || av_list_has(rule->org, record->org)) &&
           (!rule->environment.len || av_list_has(rule->environment, record->environment)) &&
           has_all(record->scopes, rule->scopes);
}

av_reason av_client_check(const av_client_record *record, const av_rule *rule, const av_request *request)
{
    if (!is_valid_at(record->not_before, record->expires, request->received_at)) {
        return AV_CLIENT_EXPIRED;
    }
    if (record->schemes.len && !av_list_has(record->schemes, av_slice_of(rule->scheme->name))) {
        return AV_SCHEME_NOT_ALLOWED;
    }
    return is_for(record, rule) ? av_limits_check(&record->limits, request) : AV_CLIENT_NOT_ALLOWED;
}

const char *av_client_name(const av_client_record *record)
{
    return record->user.len ? record->user.at : record->id;
}

/* The secret is all there is: hashed once, to find the client and to prove it. */
static bool hash_secret(av_claim *claim, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool done = av_digest(claim->rule->crypto->sha256, claim->proofs[0].bytes, digest, &size) && size == AV_SHA256_SIZE;
    claim->secret_digest = av_secret_keep((av_slice){ (const char *)digest, done ? size : 0 }, pool);
    OPENSSL_cleanse(digest, sizeof(digest));
    return done;
}

static av_reason look_up(av_claim *claim, av_client_record *record, apr_pool_t *pool)
{
    av_reason reason = AV_UNKNOWN_CLIENT;
    if (!claim->client_id.len && !hash_secret(claim, pool)) {
        return AV_INTERNAL_ERROR;
    }
    const unsigned char *digest = (const unsigned char *)claim->secret_digest.at;
    for (const av_client_source *const *source = claim->rule->clients; *source && reason == AV_UNKNOWN_CLIENT;
         source++) {
        reason = claim->client_id.len ? (*source)->find_by_id(*source, claim->client_id, record, pool)
                                      : (*source)->find_by_digest(*source, digest, record, pool);
    }
    return reason;
}

/* Signing schemes: the client's plain: secrets that are valid now, as keys. */
static bool prepare_keys(av_claim *claim, av_client *client, apr_pool_t *pool)
{
    const av_client_record *record = claim->record;
    av_key *keys = apr_pcalloc(pool, AV_MAX_CLIENT_SECRETS * sizeof(*keys));
    client->keys = keys;
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        const av_client_secret *secret = &record->secrets[i];
        av_key *key = &keys[client->key_count];
        *key = (av_key){ .algorithm = claim->rule->algorithm, .crypto = claim->rule->crypto, .label = secret->label };
        if (secret->kind == AV_SECRET_PLAIN && is_valid_at(secret->not_before, secret->expires, claim->now)) {
            client->key_count += !av_rule_prepare_key(claim->rule, key, secret->value, pool);
        }
    }
    return client->key_count > 0;
}

static void use_dummy(av_claim *claim, av_client_record *record, apr_pool_t *pool)
{
    const av_client_source *source = claim->rule->clients[0];
    memset(record, 0, sizeof(*record));
    record->id = "";
    record->secrets[0] = source->dummy(source, claim->rule->scheme->secret_kind, pool);
    record->secret_count = 1;
    claim->is_unknown = true;
}

av_reason av_clients_identify(av_claim *claim, apr_pool_t *pool)
{
    av_client_record *record = apr_pcalloc(pool, sizeof(*record));
    av_client *client = apr_pcalloc(pool, sizeof(*client));
    av_reason reason = look_up(claim, record, pool);
    claim->record = record;
    claim->client = client;
    if (reason != AV_ACCEPTED && reason != AV_UNKNOWN_CLIENT) {
        return reason;
    }
    if (reason == AV_UNKNOWN_CLIENT) {
        use_dummy(claim, record, pool);
    }
    if (claim->rule->algorithm && !prepare_keys(claim, client, pool)) {
        use_dummy(claim, record, pool); /* a client without a secret that is valid now is as good as unknown */
        if (!prepare_keys(claim, client, pool)) {
            return AV_INTERNAL_ERROR;
        }
    }
    client->id = record->id;
    return AV_ACCEPTED;
}

/* The rule's one sender: its name is the identity, where the scheme has names. */
static av_reason prove_sender(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    av_slice name = av_slice_of(claim->rule->identity);
    av_reason reason = av_reading_match(reading, claim, AV_WRONG_SECRET, label, pool);
    bool is_other = claim->client_id.len && !av_secret_equal(claim->client_id, name);
    return reason == AV_ACCEPTED && is_other ? AV_UNKNOWN_CLIENT : reason;
}

static av_reason ask_server(const av_claim *claim, const char **label, apr_pool_t *pool)
{
    const av_password_source *provider = claim->rule->provider;
    *label = "";
    return provider->check(provider, claim->server, claim->client_id, claim->proofs[0].bytes, &claim->asked->id, pool);
}

av_reason av_client_prove(const av_claim *claim, const av_reading *reading, const char **label, apr_pool_t *pool)
{
    bool failed = false;
    if (claim->asked) {
        return ask_server(claim, label, pool);
    }
    if (!claim->record) {
        return prove_sender(claim, reading, label, pool);
    }
    const av_presented presented = { claim->proofs[0].bytes, claim->secret_digest };
    const av_client_secret *secret =
        av_client_match(claim->record, claim->rule->crypto, claim->rule->passwords, &presented, claim->now, &failed);
    *label = secret ? secret->label : NULL;
    if (failed) {
        return AV_INTERNAL_ERROR;
    }
    return claim->is_unknown ? AV_UNKNOWN_CLIENT : secret ? AV_ACCEPTED : AV_WRONG_SECRET;
}
