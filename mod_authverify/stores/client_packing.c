/* A packed record: fields one behind the other, each a byte that says what it is, its length, its bytes and a NUL. What
 * a field says of a secret follows that secret. Zeros fill the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "client_packing.h"
#include "../core/digest.h"
#include "../core/secret.h"

#include <openssl/crypto.h>
#include <stddef.h>
#include <stdint.h>

#define LONG_LENGTH 255 /* the length stands in the next four bytes */

enum {
    TAG_END, /* what fills up reads as */
    TAG_ID,
    TAG_PLAIN,
    TAG_SHA256,
    TAG_BCRYPT,
    TAG_SECRET_DIGEST, /* of a plain: secret */
    TAG_SECRET_LABEL,
    TAG_SECRET_NOT_BEFORE,
    TAG_SECRET_EXPIRES,
    TAG_NOT_BEFORE,
    TAG_EXPIRES,
    TAG_FROM,
    TAG_TEXT, /* and above: the texts, in the order of the table */
    TAG_APPLICATION = TAG_TEXT + 6,
    TAG_USER
};

static const size_t texts[] = {
    offsetof(av_client_record, limits.methods),
    offsetof(av_client_record, limits.paths),
    offsetof(av_client_record, schemes),
    offsetof(av_client_record, scopes),
    offsetof(av_client_record, org),
    offsetof(av_client_record, environment),
    offsetof(av_client_record, application),
    offsetof(av_client_record, user),
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

/* Writes, or where `at` is NULL only counts. */
typedef struct writer {
    unsigned char *at;
    apr_size_t len;
} writer;

static void put_bytes(writer *to, const void *bytes, apr_size_t len)
{
    if (to->at && len) {
        memcpy(to->at + to->len, bytes, len);
    }
    to->len += len;
}

static void put_byte(writer *to, unsigned char byte)
{
    put_bytes(to, &byte, 1);
}

static void put_field(writer *to, unsigned tag, const void *bytes, apr_size_t len)
{
    uint32_t size = (uint32_t)len;
    put_byte(to, (unsigned char)tag);
    put_byte(to, len < LONG_LENGTH ? (unsigned char)len : LONG_LENGTH);
    if (len >= LONG_LENGTH) {
        put_bytes(to, &size, sizeof(size));
    }
    put_bytes(to, bytes, len);
    put_byte(to, '\0');
}

static void put_text(writer *to, unsigned tag, av_slice text)
{
    if (text.len) {
        put_field(to, tag, text.at, text.len);
    }
}

static void put_time(writer *to, unsigned tag, apr_time_t time)
{
    if (time) {
        put_field(to, tag, &time, sizeof(time));
    }
}

static bool put_digest(writer *to, av_slice secret, const av_crypto *crypto)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = 0;
    if (to->at && !av_digest(crypto->sha256, secret, digest, &size)) {
        return false;
    }
    put_field(to, TAG_SECRET_DIGEST, digest, AV_SHA256_SIZE);
    OPENSSL_cleanse(digest, sizeof(digest));
    return true;
}

static bool put_secret(writer *to, const av_client_secret *secret, const av_crypto *crypto)
{
    put_field(to, TAG_PLAIN + (unsigned)secret->kind, secret->value.at, secret->value.len);
    put_text(to, TAG_SECRET_LABEL, av_slice_of(secret->label));
    put_time(to, TAG_SECRET_NOT_BEFORE, secret->not_before);
    put_time(to, TAG_SECRET_EXPIRES, secret->expires);
    return secret->kind != AV_SECRET_PLAIN || put_digest(to, secret->value, crypto);
}

static bool put_record(writer *to, const av_client_record *record, av_slice networks, const av_crypto *crypto)
{
    bool done = true;
    put_field(to, TAG_ID, record->id, strlen(record->id));
    for (apr_size_t i = 0; done && i < record->secret_count; i++) {
        done = put_secret(to, &record->secrets[i], crypto);
    }
    put_time(to, TAG_NOT_BEFORE, record->not_before);
    put_time(to, TAG_EXPIRES, record->expires);
    put_text(to, TAG_FROM, networks);
    for (unsigned i = 0; i < TEXT_COUNT; i++) {
        put_text(to, TAG_TEXT + i, *(const av_slice *)((const char *)record + texts[i]));
    }
    return done;
}

av_slice av_client_pack(const av_client_record *record, const av_crypto *crypto, apr_pool_t *pool)
{
    writer counter = { NULL, 0 };
    av_slice networks = { "", 0 };
    if (record->limits.from) {
        networks = av_networks_words(record->limits.from);
    }
    put_record(&counter, record, networks, crypto);
    av_slice packed = av_secret_keep((av_slice){ apr_pcalloc(pool, counter.len), counter.len }, pool);
    writer to = { (unsigned char *)packed.at, 0 };
    return put_record(&to, record, networks, crypto) ? packed : (av_slice){ "", 0 };
}

/* Cuts the next field off. False at the end, and where what stands there is none. */
static bool take_field(av_slice *rest, unsigned *tag, av_slice *value)
{
    uint32_t size;
    apr_size_t head = 2;
    if (rest->len < head || rest->at[0] == TAG_END) {
        return false;
    }
    *tag = (unsigned char)rest->at[0];
    size = (unsigned char)rest->at[1];
    if (size == LONG_LENGTH) {
        head += sizeof(size);
        if (rest->len < head) {
            return false;
        }
        memcpy(&size, rest->at + 2, sizeof(size));
    }
    if (rest->len - head <= size || rest->at[head + size] != '\0') {
        return false;
    }
    *value = (av_slice){ rest->at + head, size };
    *rest = av_slice_skip(*rest, head + size + 1);
    return true;
}

static bool read_time(av_slice value, apr_time_t *time)
{
    if (value.len != sizeof(*time)) {
        return false;
    }
    memcpy(time, value.at, sizeof(*time));
    return true;
}

static bool begin_secret(unsigned tag, av_slice value, av_client_record *record)
{
    if (record->secret_count == AV_MAX_CLIENT_SECRETS) {
        return false;
    }
    av_client_secret *secret = &record->secrets[record->secret_count++];
    *secret = (av_client_secret){ .kind = (av_secret_kind)(tag - TAG_PLAIN), .value = value, .label = "" };
    return tag != TAG_SHA256 || value.len == AV_SHA256_SIZE;
}

static bool add_to_secret(unsigned tag, av_slice value, av_client_record *record)
{
    if (!record->secret_count) {
        return false;
    }
    av_client_secret *secret = &record->secrets[record->secret_count - 1];
    switch (tag) {
    case TAG_SECRET_LABEL:
        secret->label = value.at;
        return true;
    case TAG_SECRET_NOT_BEFORE:
        return read_time(value, &secret->not_before);
    case TAG_SECRET_EXPIRES:
        return read_time(value, &secret->expires);
    default:
        return value.len == AV_SHA256_SIZE; /* the digest: only for finding */
    }
}

static bool set_text(unsigned tag, av_slice value, av_client_record *record)
{
    if (tag >= TAG_TEXT + TEXT_COUNT) {
        return false;
    }
    *(av_slice *)((char *)record + texts[tag - TAG_TEXT]) = value;
    return true;
}

static bool set_field(unsigned tag, av_slice value, av_client_record *record, apr_pool_t *pool)
{
    switch (tag) {
    case TAG_ID:
        record->id = value.at;
        return true;
    case TAG_PLAIN:
    case TAG_SHA256:
    case TAG_BCRYPT:
        return begin_secret(tag, value, record);
    case TAG_NOT_BEFORE:
        return read_time(value, &record->not_before);
    case TAG_EXPIRES:
        return read_time(value, &record->expires);
    case TAG_FROM:
        record->limits.from = av_networks_of_words(value, pool);
        return record->limits.from != NULL;
    default:
        return tag < TAG_TEXT ? add_to_secret(tag, value, record) : set_text(tag, value, record);
    }
}

bool av_client_unpack(av_slice packed, av_client_record *record, apr_pool_t *pool)
{
    unsigned tag;
    av_slice value;
    bool done = true;
    memset(record, 0, sizeof(*record));
    while (done && take_field(&packed, &tag, &value)) {
        done = set_field(tag, value, record, pool);
    }
    bool is_whole = !packed.len || packed.at[0] == TAG_END;
    return done && is_whole && record->id && record->secret_count;
}

av_slice av_client_packed_id(av_slice packed)
{
    unsigned tag;
    av_slice value;
    return take_field(&packed, &tag, &value) && tag == TAG_ID ? value : (av_slice){ "", 0 };
}

void av_client_packed_digests(av_slice packed, av_client_digests *digests)
{
    unsigned tag;
    av_slice value;
    digests->count = 0;
    while (digests->count < AV_MAX_CLIENT_SECRETS && take_field(&packed, &tag, &value)) {
        if ((tag == TAG_SHA256 || tag == TAG_SECRET_DIGEST) && value.len == AV_SHA256_SIZE) {
            memcpy(digests->at[digests->count++], value.at, AV_SHA256_SIZE);
        }
    }
}

void av_client_packed_owner(av_slice packed, av_client_owner *owner)
{
    unsigned tag;
    av_slice value;
    *owner = (av_client_owner){ .expires = 0 };
    while (take_field(&packed, &tag, &value)) {
        if (tag == TAG_APPLICATION) {
            owner->application = value;
        } else if (tag == TAG_USER) {
            owner->user = value;
        } else if (tag == TAG_EXPIRES) {
            read_time(value, &owner->expires);
        }
    }
}
