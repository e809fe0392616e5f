/* Signs a request as the options of a signature rule say: the other end of schemes/signature.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../core/secret.h"
#include "../core/timestamp.h"
#include "../issue/pair.h"
#include "../schemes/signature/settings.h"
#include "arguments.h"
#include "delivery.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

typedef struct signing {
    const av_rule *rule;
    const av_signature_settings *settings;
    avt_delivery *delivery;
    av_fields *fields; /* of the header that fields= names */
    av_view view;
    av_request request;
    apr_pool_t *pool;
} signing;

/* What the sender makes up: its own time and id. Values inside the body or the URL are the caller's. */
static void put_value(signing *sign, const av_selector *place, av_slice value)
{
    av_slice there;
    if (place->kind == AV_SELECT_FIELD) {
        sign->fields->at[sign->fields->count++] = (av_field){ place->name, value };
    } else if (place->kind == AV_SELECT_HEADER &&
               av_selector_read(place, &sign->view, &there, sign->pool) == AV_ABSENT) {
        avt_delivery_put(sign->delivery, place, value, sign->pool);
    }
}

static const char *time_text(const signing *sign)
{
    apr_time_t time = sign->delivery->time;
    switch (sign->settings->format) {
    case AV_TIME_UNIX:
        return apr_psprintf(sign->pool, "%" APR_TIME_T_FMT, apr_time_sec(time));
    case AV_TIME_UNIX_MS:
        return apr_psprintf(sign->pool, "%" APR_TIME_T_FMT, apr_time_as_msec(time));
    default:
        return av_timestamp_text(time, sign->pool);
    }
}

static const char *put_values(signing *sign)
{
    const av_signature_settings *settings = sign->settings;
    const av_optional_selector *ids[] = { &settings->id, &settings->unsigned_id };
    if (settings->timestamp.is_set) {
        put_value(sign, &settings->timestamp.selector, av_slice_of(time_text(sign)));
    }
    if (settings->client.is_set && sign->delivery->client) {
        put_value(sign, &settings->client.selector, av_slice_of(sign->delivery->client));
    }
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        av_slice id = sign->delivery->id ? av_slice_of(sign->delivery->id) : av_pair_token(sign->pool);
        if (ids[i]->is_set) {
            put_value(sign, &ids[i]->selector, id);
        }
    }
    return avt_delivery_view(sign->delivery, &sign->request, sign->pool);
}

static const char *read_value(const signing *sign, const av_optional_selector *value, av_slice *text)
{
    return !value->is_set || av_selector_is_in_body(&value->selector) ||
                   av_selector_read(&value->selector, &sign->view, text, sign->pool) == AV_FOUND
               ? NULL
               : apr_psprintf(sign->pool, "%s is signed and not there, or is there twice",
                              av_selector_text(&value->selector, sign->pool));
}

/* All that the text is made of is in the request by now. */
static const char *view_request(signing *sign)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_digest(sign->rule->crypto->sha256, sign->delivery->body, digest, &size);
    sign->view.request = &sign->request;
    sign->view.fields = sign->settings->fields.is_set ? sign->fields : NULL;
    sign->view.body = &sign->delivery->body;
    sign->view.json = av_json_load(sign->delivery->body, sign->pool);
    sign->view.body_sha256 = av_encode(AV_HEX, (av_slice){ (const char *)digest, size }, sign->pool);
    const char *error = read_value(sign, &sign->settings->timestamp, &sign->view.timestamp);
    return error ? error : read_value(sign, &sign->settings->id, &sign->view.id);
}

static const char *part_text(const signing *sign, const av_template_part *part, av_slice *text)
{
    *text = part->literal;
    if (part->is_literal || av_selector_read(&part->selector, &sign->view, text, sign->pool) == AV_FOUND) {
        return NULL;
    }
    return apr_psprintf(sign->pool, "%s is signed and not there; add it to the request%s",
                        av_selector_text(&part->selector, sign->pool),
                        part->selector.kind == AV_SELECT_HEADER ? " with --header" : "");
}

static const char *build_text(const signing *sign, av_slice *text)
{
    const av_template *template = &sign->settings->text;
    av_slice *parts = apr_pcalloc(sign->pool, (template->count + 1) * sizeof(*parts));
    apr_size_t len = 0;
    const char *error = NULL;
    for (apr_size_t i = 0; !error && i < template->count; i++) {
        error = part_text(sign, &template->parts[i], &parts[i]);
        len += parts[i].len;
    }
    char *bytes = apr_palloc(sign->pool, len + 1), *end = bytes;
    for (apr_size_t i = 0; !error && i < template->count; i++) {
        memcpy(end, parts[i].at, parts[i].len);
        end += parts[i].len;
    }
    *text = (av_slice){ bytes, len };
    return error;
}

/* Keys. */

static const char *decode_key(const signing *sign, av_slice secret, av_slice *key)
{
    const char *prefix = sign->rule->key_prefix;
    if (prefix && av_slice_starts_with(secret, av_slice_of(prefix))) {
        secret = av_slice_skip(secret, strlen(prefix));
    }
    apr_size_t size = av_decoded_size(sign->rule->key_encoding, secret.len) + 1, len = 0;
    *key = av_secret_keep((av_slice){ apr_pcalloc(sign->pool, size), size }, sign->pool);
    bool done = av_decode(sign->rule->key_encoding, secret, (unsigned char *)key->at, size, &len);
    key->len = len;
    return done && len ? NULL : "the secret's text is not written as key-encoding= says";
}

static const char *sign_hmac(const signing *sign, av_slice secret, av_slice text, av_slice *proof)
{
    const char *name = sign->settings->algorithm->name + strlen("hmac-");
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t size = 0;
    av_slice key;
    const char *error = decode_key(sign, secret, &key);
    if (!error && !EVP_Q_mac(NULL, "HMAC", NULL, name, NULL, key.at, key.len, (const unsigned char *)text.at, text.len,
                             mac, sizeof(mac), &size)) {
        error = "the library refused to sign";
    }
    *proof = (av_slice){ apr_pmemdup(sign->pool, mac, size), size };
    return error;
}

static EVP_PKEY *read_private_key(const signing *sign, av_slice secret)
{
    av_slice seed;
    EVP_PKEY *key = NULL;
    if (av_slice_starts_with(secret, AV_SLICE("-----BEGIN"))) {
        BIO *bio = BIO_new_mem_buf(secret.at, (int)secret.len);
        key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, "") : NULL;
        BIO_free(bio);
    } else if (!decode_key(sign, secret, &seed)) {
        key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)seed.at, seed.len);
    }
    ERR_clear_error();
    return key;
}

static const char *sign_ed25519(const signing *sign, av_slice secret, av_slice text, av_slice *proof)
{
    unsigned char signature[64];
    size_t size = sizeof(signature);
    EVP_PKEY *key = read_private_key(sign, secret);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = key && context && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
                EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &size, (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    *proof = (av_slice){ apr_pmemdup(sign->pool, signature, sizeof(signature)), done ? size : 0 };
    return done ? NULL
                : "the secret is not an Ed25519 private key without a password: PEM, or 32 bytes under key-encoding=";
}

static const char *prove(const signing *sign, av_slice secret, av_slice text, av_slice *proof)
{
    const av_algorithm *algorithm = sign->settings->algorithm;
    if (!algorithm->reads_text) {
        *proof = secret;
        return NULL;
    }
    if (strcmp(algorithm->name, "ed25519") == 0) {
        return sign_ed25519(sign, secret, text, proof);
    }
    if (av_slice_starts_with(av_slice_of(algorithm->name), AV_SLICE("hmac-"))) {
        return sign_hmac(sign, secret, text, proof);
    }
    return apr_psprintf(sign->pool, "signing with %s is not built in", algorithm->name);
}

/* The signature, written. */

static av_slice write_entry(const signing *sign, av_slice proof)
{
    const av_signature_settings *settings = sign->settings;
    const char *version = settings->version.len ? av_slice_string(settings->version, sign->pool) : "";
    const char *between = settings->version.len ? settings->list == ' ' ? "," : "=" : "";
    return av_slice_of(apr_pstrcat(sign->pool, version, between, av_slice_string(settings->prefix, sign->pool),
                                   av_encode(settings->encoding, proof, sign->pool).at, NULL));
}

static void put_signature(signing *sign, av_slice entry)
{
    const av_signature_settings *settings = sign->settings;
    const av_selector *place = &settings->signatures[0];
    const char *text = "";
    if (place->kind != AV_SELECT_FIELD) {
        avt_delivery_put(sign->delivery, place, entry, sign->pool);
        return;
    }
    put_value(sign, place, entry);
    for (apr_size_t i = 0; i < sign->fields->count; i++) {
        const av_field *field = &sign->fields->at[i];
        const char *separator = apr_pstrmemdup(sign->pool, settings->separator, i ? 1 : 0);
        text = apr_pstrcat(sign->pool, text, separator, av_slice_string(field->name, sign->pool), "=",
                           av_slice_string(field->value, sign->pool), NULL);
    }
    avt_delivery_put(sign->delivery, &settings->fields.selector, av_slice_of(text), sign->pool);
}

const char *avt_sign_text(avt_delivery *delivery, const av_rule *rule, av_slice secret, apr_pool_t *pool)
{
    signing sign = { .rule = rule, .settings = rule->settings, .delivery = delivery, .pool = pool };
    av_slice text = { "", 0 }, proof = { "", 0 };
    sign.fields = apr_pcalloc(pool, sizeof(*sign.fields));
    const char *error = avt_delivery_view(delivery, &sign.request, pool);
    sign.view.request = &sign.request;
    error = error ? error : put_values(&sign);
    error = error ? error : view_request(&sign);
    error = error ? error : build_text(&sign, &text);
    error = error ? error : prove(&sign, secret, text, &proof);
    if (!error) {
        put_signature(&sign, write_entry(&sign, proof));
    }
    return error;
}
