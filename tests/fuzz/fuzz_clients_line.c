/* Lines of a clients file: what is read keeps its promises, and comes back the same when it is packed and unpacked. No
 * bytes can be unpacked beyond their end.
 * Input: the line, which is also taken for a packed record.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"
#include "fuzz.h"
#include "stores/client_packing.h"
#include "stores/clients_line.h"

static void require_same_secret(const av_client_secret *a, const av_client_secret *b)
{
    REQUIRE(a->kind == b->kind && av_slice_equal(a->value, b->value));
    REQUIRE(strcmp(a->label, b->label) == 0);
    REQUIRE(a->not_before == b->not_before && a->expires == b->expires);
    REQUIRE(b->value.len > 0 && b->value.at[b->value.len] == '\0');
    REQUIRE(b->kind != AV_SECRET_SHA256 || b->value.len == AV_SHA256_SIZE);
    REQUIRE(!b->not_before || !b->expires || b->not_before < b->expires);
}

static void require_same_networks(const av_networks *a, const av_networks *b)
{
    REQUIRE((a == NULL) == (b == NULL));
    REQUIRE(!a || av_slice_equal(av_networks_words(a), av_networks_words(b)));
}

static void require_same(const av_client_record *a, const av_client_record *b)
{
    REQUIRE(*a->id && strcmp(a->id, b->id) == 0);
    REQUIRE(a->secret_count > 0 && a->secret_count == b->secret_count);
    for (apr_size_t i = 0; i < a->secret_count; i++) {
        require_same_secret(&a->secrets[i], &b->secrets[i]);
    }
    require_same_networks(a->limits.from, b->limits.from);
    REQUIRE(av_slice_equal(a->limits.methods, b->limits.methods) && av_slice_equal(a->limits.paths, b->limits.paths));
    REQUIRE(av_slice_equal(a->schemes, b->schemes) && av_slice_equal(a->scopes, b->scopes));
    REQUIRE(av_slice_equal(a->org, b->org) && av_slice_equal(a->environment, b->environment));
    REQUIRE(av_slice_equal(a->application, b->application) && av_slice_equal(a->user, b->user));
    REQUIRE(a->not_before == b->not_before && a->expires == b->expires);
}

static void pack_and_unpack(const av_client_record *record, apr_pool_t *pool)
{
    av_client_record again;
    av_client_digests digests;
    apr_size_t passwords = 0;
    const av_crypto *crypto = av_crypto_create(pool);
    REQUIRE(crypto != NULL);
    av_slice packed = av_client_pack(record, crypto, pool);
    REQUIRE(packed.len > 0 && av_client_unpack(packed, &again, pool));
    require_same(record, &again);
    REQUIRE(av_slice_equal(av_client_packed_id(packed), av_slice_of(record->id)));
    av_client_packed_digests(packed, &digests);
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        passwords += record->secrets[i].kind == AV_SECRET_BCRYPT;
    }
    REQUIRE(digests.count + passwords == record->secret_count);
}

static void unpack_anything(av_slice bytes, apr_pool_t *pool)
{
    av_client_record record;
    av_client_digests digests;
    av_slice id = av_client_packed_id(bytes);
    av_client_packed_digests(bytes, &digests);
    REQUIRE(digests.count <= AV_MAX_CLIENT_SECRETS && id.len <= bytes.len);
    if (av_client_unpack(bytes, &record, pool)) {
        REQUIRE(record.id && record.secret_count > 0 && record.secret_count <= AV_MAX_CLIENT_SECRETS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    av_client_record record;
    apr_pool_t *pool = fresh_pool();
    av_slice line = tight_copy(data, size);
    const char *error = av_clients_line_parse(line, &record, pool);

    REQUIRE(!error || *error);
    if (!error) {
        pack_and_unpack(&record, pool);
    }
    unpack_anything(line, pool);
    apr_pool_clear(pool);
    free((char *)line.at);
    return 0;
}
