/* A set of clients in a slot. It begins with a header; records and the indexes follow, and then records that were added
 * later.
 *
 * A record is a word that holds its size in words and its line, and then its packed bytes. An index is a table of words
 * with open addressing, at most half full when it is built and three quarters when records were added: the upper half
 * of a word is the upper half of a key's hash, the lower half is where its record is. The hash of an id, and of whose
 * pair it is, is keyed with a salt of this set; a digest is a hash already.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_snapshot.h"
#include "../core/codec.h"
#include "../core/digest.h"
#include "client_packing.h"
#include "siphash.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#define LARGEST_RECORD (1 << 17) /* words: a line of 64 KiB comes to less, whatever its networks */
#define SMALLEST_INDEX 64        /* room for some that are added */
#define RANDOM_WORDS 8
#define WORDS_IN_A_STEP 4096

/* Where in the header. */
enum {
    ID_INDEX = AV_SLOT_HEADER, /* where it is; its mask follows, and how many keys it holds */
    DIGEST_INDEX = ID_INDEX + 3,
    OWNER_INDEX = DIGEST_INDEX + 3,
    COST = OWNER_INDEX + 3,
    SALT,
    RANDOM = SALT + 2,
    HEADER = RANDOM + RANDOM_WORDS
};

static apr_status_t wipe(void *copy)
{
    av_slice *bytes = copy;
    OPENSSL_cleanse((char *)bytes->at, bytes->len);
    return APR_SUCCESS;
}

/* Room that is wiped with the pool. */
static uint64_t *secret_words(apr_size_t count, apr_pool_t *pool)
{
    uint64_t *words = apr_palloc(pool, count * sizeof(*words));
    av_slice *bytes = apr_palloc(pool, sizeof(*bytes));
    *bytes = (av_slice){ (const char *)words, count * sizeof(*words) };
    apr_pool_cleanup_register(pool, bytes, wipe, apr_pool_cleanup_null);
    return words;
}

/* A copy of the packed record at `at`; empty where there cannot be one. */
static av_slice copy_record(av_slot from, apr_size_t at, apr_pool_t *pool)
{
    apr_size_t size = at < from.capacity ? av_slot_get(from, at) & UINT32_MAX : 0;
    if (size <= 1 || size > LARGEST_RECORD || size > from.capacity - at) {
        return (av_slice){ "", 0 };
    }
    apr_size_t count = size - 1;
    uint64_t *words = secret_words(count, pool);
    for (apr_size_t i = 0; i < count; i++) {
        words[i] = av_slot_get(from, at + 1 + i);
    }
    return (av_slice){ (const char *)words, count * sizeof(*words) };
}

static unsigned line_of(av_slot from, apr_size_t at)
{
    return (unsigned)(av_slot_get(from, at) >> 32);
}

static uint64_t hash_id(av_slot slot, av_slice id)
{
    uint64_t key[2] = { av_slot_get(slot, SALT), av_slot_get(slot, SALT + 1) };
    return av_siphash(key, id);
}

static uint64_t hash_digest(const unsigned char digest[AV_SHA256_SIZE])
{
    uint64_t hash;
    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

/* What is looked for. */
typedef struct sought {
    uint64_t hash;
    bool (*is_it)(av_slice packed, const struct sought *wanted);
    av_slice id;
    const unsigned char *digest;
    const av_client_owner *owner; /* whose pairs are counted, those that have not expired by owner->expires */
    apr_size_t *count;
} sought;

static bool has_id(av_slice packed, const sought *wanted)
{
    return av_slice_equal(av_client_packed_id(packed), wanted->id);
}

/* Looks at every digest, whichever it is. */
static bool has_digest(av_slice packed, const sought *wanted)
{
    av_client_digests digests;
    int found = 0;
    av_client_packed_digests(packed, &digests);
    for (apr_size_t i = 0; i < digests.count; i++) {
        found |= CRYPTO_memcmp(digests.at[i], wanted->digest, AV_SHA256_SIZE) == 0;
    }
    OPENSSL_cleanse(&digests, sizeof(digests));
    return found != 0;
}

/* Many may be of one owner: each is counted, and the search goes on. */
static bool count_pair(av_slice packed, const sought *wanted)
{
    av_client_owner owner;
    av_client_packed_owner(packed, &owner);
    *wanted->count += av_slice_equal(owner.application, wanted->owner->application) &&
                      av_slice_equal(owner.user, wanted->owner->user) &&
                      (!owner.expires || owner.expires > wanted->owner->expires);
    return false;
}

static uint64_t hash_owner(av_slot slot, const av_client_owner *owner, apr_pool_t *pool)
{
    return hash_id(slot,
                   av_slice_join(av_slice_join(owner->application, (av_slice){ "", 1 }, pool), owner->user, pool));
}

/* Walks from the hash's slot to the record that is looked for, or to the free slot where it would be. Returns the slot;
 * *at is the record, 0 where there is none. `index` names the index's words in the header. */
static apr_size_t find_slot(av_slot from, apr_size_t index, const sought *wanted, apr_size_t *at, av_slice *packed,
                            apr_pool_t *pool)
{
    apr_size_t start = av_slot_get(from, index), mask = av_slot_get(from, index + 1);
    *at = 0;
    if (mask >= from.capacity || start > from.capacity - mask - 1) {
        return 0;
    }
    for (apr_size_t i = 0; i <= mask; i++) {
        apr_size_t slot = start + ((wanted->hash + i) & mask);
        uint64_t entry = av_slot_get(from, slot);
        if (!entry) {
            return slot;
        }
        if (entry >> 32 != wanted->hash >> 32) {
            continue;
        }
        atomic_thread_fence(memory_order_acquire); /* of one that was added later, the record was there first */
        *packed = copy_record(from, entry & UINT32_MAX, pool);
        if (wanted->is_it(*packed, wanted)) {
            *at = entry & UINT32_MAX;
            return slot;
        }
    }
    return 0;
}

static av_slice find(av_slot from, apr_size_t index, const sought *wanted, apr_pool_t *pool)
{
    apr_size_t at;
    av_slice packed = { "", 0 };
    find_slot(from, index, wanted, &at, &packed, pool);
    return at ? packed : (av_slice){ "", 0 };
}

av_slice av_snapshot_find_id(av_slot slot, av_slice id, apr_pool_t *pool)
{
    sought wanted = { .hash = hash_id(slot, id), .is_it = has_id, .id = id };
    return find(slot, ID_INDEX, &wanted, pool);
}

av_slice av_snapshot_find_digest(av_slot slot, const unsigned char digest[AV_SHA256_SIZE], apr_pool_t *pool)
{
    sought wanted = { .hash = hash_digest(digest), .is_it = has_digest, .digest = digest };
    return find(slot, DIGEST_INDEX, &wanted, pool);
}

apr_size_t av_snapshot_count_pairs(av_slot slot, av_slice application, av_slice user, apr_time_t now, apr_pool_t *pool)
{
    apr_size_t count = 0;
    const av_client_owner owner = { application, user, now };
    sought wanted = { .hash = hash_owner(slot, &owner, pool), .is_it = count_pair, .owner = &owner, .count = &count };
    find(slot, OWNER_INDEX, &wanted, pool);
    return count;
}

/* A bcrypt hash of nothing anybody knows: a salt and a hash are random bytes in its base64. */
static av_slice make_bcrypt(unsigned cost, const unsigned char bytes[RANDOM_WORDS * 8], apr_pool_t *pool)
{
    static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char *text = apr_psprintf(pool, "$2y$%02u$%*s", cost, 53, "");
    for (apr_size_t i = 0; i < 53; i++) {
        text[7 + i] = alphabet[bytes[i] & 0x3f];
    }
    text[28] = alphabet[bytes[21] & 0x30];
    text[59] = alphabet[bytes[52] & 0x3c];
    return (av_slice){ text, 60 };
}

av_client_secret av_snapshot_dummy(av_slot slot, av_secret_kind kind, apr_pool_t *pool)
{
    uint64_t words[RANDOM_WORDS];
    unsigned cost = (unsigned)av_slot_get(slot, COST);
    av_slice bytes = { (const char *)words, AV_SHA256_SIZE };
    for (apr_size_t i = 0; i < RANDOM_WORDS; i++) {
        words[i] = av_slot_get(slot, RANDOM + i);
    }
    if (kind == AV_SECRET_BCRYPT && cost) {
        return (av_client_secret){ kind, make_bcrypt(cost, (const unsigned char *)words, pool), "", 0, 0 };
    }
    if (kind == AV_SECRET_PLAIN) { /* in digits that every encoding of a key can read */
        return (av_client_secret){ kind, av_encode(AV_HEX, bytes, pool), "", 0, 0 };
    }
    return (av_client_secret){ AV_SECRET_SHA256, { av_slice_string(bytes, pool), bytes.len }, "", 0, 0 };
}

/* Building. */

void av_snapshot_start(av_snapshot_builder *builder, av_slot to, const av_crypto *crypto, av_pace *pace)
{
    *builder = (av_snapshot_builder){ .to = to, .crypto = crypto, .pace = pace, .end = HEADER };
    for (apr_size_t i = 0; i < HEADER; i++) {
        av_slot_set(to, i, 0);
    }
    av_slot_set(to, AV_SLOT_END, HEADER);
}

/* Its cost is two digits behind "$2y$". */
static unsigned cost_of(const av_client_secret *secret)
{
    const char *at = secret->value.at;
    return secret->kind == AV_SECRET_BCRYPT ? (unsigned)((at[4] - '0') * 10 + at[5] - '0') : 0;
}

static void note_keys(av_snapshot_builder *builder, const av_client_record *record)
{
    builder->pair_count += record->application.len && record->user.len;
    for (apr_size_t i = 0; i < record->secret_count; i++) {
        unsigned cost = cost_of(&record->secrets[i]);
        builder->digest_count += record->secrets[i].kind != AV_SECRET_BCRYPT;
        builder->dearest_cost = cost > builder->dearest_cost ? cost : builder->dearest_cost;
    }
}

static void store_record(av_slot to, apr_size_t at, av_slice packed, uint64_t head)
{
    av_slot_set(to, at, head);
    for (apr_size_t done = 0; done < packed.len; done += sizeof(uint64_t)) {
        uint64_t word = 0;
        apr_size_t left = packed.len - done;
        memcpy(&word, packed.at + done, left < sizeof(word) ? left : sizeof(word));
        av_slot_set(to, ++at, word);
    }
}

av_build av_snapshot_add(av_snapshot_builder *builder, const av_client_record *record, unsigned line, apr_pool_t *pool)
{
    av_slice packed = av_client_pack(record, builder->crypto, pool);
    apr_size_t size = 1 + (packed.len + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    if (!packed.len) {
        return AV_BUILD_FAILED;
    }
    /* An index has 32 bits for a record's place. */
    if (size > LARGEST_RECORD || size > builder->to.capacity - builder->end || builder->end > UINT32_MAX) {
        return AV_BUILD_FULL;
    }
    store_record(builder->to, builder->end, packed, (uint64_t)line << 32 | size);
    builder->end += size;
    av_slot_set(builder->to, AV_SLOT_END, builder->end);
    builder->client_count++;
    note_keys(builder, record);
    return AV_BUILD_DONE;
}

/* Reserves an index for so many keys, and empties it. */
static bool add_index(av_snapshot_builder *builder, apr_size_t index, apr_size_t count)
{
    apr_size_t size = SMALLEST_INDEX;
    while (size < 2 * count) {
        size *= 2;
    }
    if (size > builder->to.capacity - builder->end) {
        return false;
    }
    av_slot_set(builder->to, index, builder->end);
    av_slot_set(builder->to, index + 1, size - 1);
    for (apr_size_t i = 0; i < size; i++) {
        av_slot_set(builder->to, builder->end + i, 0);
        if (i % WORDS_IN_A_STEP == 0) {
            av_pace_step(builder->pace);
        }
    }
    builder->end += size;
    av_slot_set(builder->to, AV_SLOT_END, builder->end);
    return true;
}

/* What the records are entered with. */
typedef struct entrance {
    av_slot to;
    apr_array_header_t *duplicates;
    int most;
    apr_pool_t *pool; /* cleared for each record */
} entrance;

static void enter_key(const entrance *entering, apr_size_t index, const sought *wanted, apr_size_t at)
{
    apr_size_t earlier;
    av_slice packed;
    apr_size_t slot = find_slot(entering->to, index, wanted, &earlier, &packed, entering->pool);
    if (!earlier) {
        av_slot_set(entering->to, slot, wanted->hash >> 32 << 32 | at);
        av_slot_set(entering->to, index + 2, av_slot_get(entering->to, index + 2) + 1);
        return;
    }
    if (entering->duplicates->nelts < entering->most) {
        *(av_duplicate *)apr_array_push(entering->duplicates) =
            (av_duplicate){ line_of(entering->to, at), line_of(entering->to, earlier), index == DIGEST_INDEX };
    }
}

static bool is_nobodys(av_slice packed, const sought *wanted)
{
    (void)packed;
    (void)wanted;
    return false;
}

static void enter_owner(const entrance *entering, av_slice packed, apr_size_t at)
{
    av_client_owner owner;
    av_client_packed_owner(packed, &owner);
    if (owner.application.len && owner.user.len) {
        sought whose = { .hash = hash_owner(entering->to, &owner, entering->pool), .is_it = is_nobodys };
        enter_key(entering, OWNER_INDEX, &whose, at);
    }
}

static void enter_record(const entrance *entering, apr_size_t at)
{
    av_client_digests digests;
    av_slice packed = copy_record(entering->to, at, entering->pool);
    av_slice id = av_client_packed_id(packed);
    sought name = { .hash = hash_id(entering->to, id), .is_it = has_id, .id = id };
    enter_key(entering, ID_INDEX, &name, at);
    av_client_packed_digests(packed, &digests);
    for (apr_size_t i = 0; i < digests.count; i++) {
        sought secret = { .hash = hash_digest(digests.at[i]), .is_it = has_digest, .digest = digests.at[i] };
        enter_key(entering, DIGEST_INDEX, &secret, at);
    }
    enter_owner(entering, packed, at);
    OPENSSL_cleanse(&digests, sizeof(digests));
}

/* The salt, and what dummies are made of. */
static bool store_random(av_slot to)
{
    uint64_t words[HEADER - SALT];
    if (RAND_bytes((unsigned char *)words, sizeof(words)) != 1) {
        ERR_clear_error();
        return false;
    }
    for (apr_size_t i = 0; i < HEADER - SALT; i++) {
        av_slot_set(to, SALT + i, words[i]);
    }
    return true;
}

av_build av_snapshot_finish(av_snapshot_builder *builder, apr_array_header_t *duplicates, int most, apr_pool_t *pool)
{
    av_slot to = builder->to;
    apr_size_t records_end = builder->end;
    entrance entering = { to, duplicates, most, NULL };
    if (!store_random(to) || apr_pool_create(&entering.pool, pool) != APR_SUCCESS) {
        return AV_BUILD_FAILED;
    }
    if (!add_index(builder, ID_INDEX, builder->client_count) ||
        !add_index(builder, DIGEST_INDEX, builder->digest_count) ||
        !add_index(builder, OWNER_INDEX, builder->pair_count)) {
        return AV_BUILD_FULL;
    }
    for (apr_size_t at = HEADER; at < records_end; at += av_slot_get(to, at) & UINT32_MAX) {
        enter_record(&entering, at);
        apr_pool_clear(entering.pool);
        av_pace_step(builder->pace);
    }
    apr_pool_destroy(entering.pool);
    av_slot_set(to, COST, builder->dearest_cost);
    av_slot_set(to, AV_SLOT_COUNT, builder->client_count);
    return AV_BUILD_DONE;
}

/* So many more keys leave a free place, and looking for what is not there stays short. */
static bool has_room(av_slot slot, apr_size_t index, apr_size_t more)
{
    uint64_t size = av_slot_get(slot, index + 1) + 1;
    return (av_slot_get(slot, index + 2) + more) * 4 <= size * 3;
}

av_build av_snapshot_extend(av_slot slot, const av_client_record *record, const av_crypto *crypto, apr_pool_t *pool)
{
    av_slice packed = av_client_pack(record, crypto, pool);
    apr_size_t at = av_slot_get(slot, AV_SLOT_END), size = 1 + (packed.len + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    entrance entering = { slot, apr_array_make(pool, 1, sizeof(av_duplicate)), 0, pool };
    if (!packed.len) {
        return AV_BUILD_FAILED;
    }
    if (size > LARGEST_RECORD || size > slot.capacity - at || at > UINT32_MAX || !has_room(slot, ID_INDEX, 1) ||
        !has_room(slot, DIGEST_INDEX, record->secret_count) || !has_room(slot, OWNER_INDEX, 1)) {
        return AV_BUILD_FULL;
    }
    av_slot_set(slot, AV_SLOT_END, at + size);
    store_record(slot, at, packed, size);
    atomic_thread_fence(memory_order_release);
    enter_record(&entering, at);
    av_slot_set(slot, AV_SLOT_COUNT, av_slot_get(slot, AV_SLOT_COUNT) + 1);
    return AV_BUILD_DONE;
}
