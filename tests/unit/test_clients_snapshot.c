/* A set of clients that others look into while it grows: whose pairs it counts, and when it is full.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/digest.h"
#include "stores/client_packing.h"
#include "stores/clients_snapshot.h"
#include "support/suite.h"

#include <apr_strings.h>

#define WORDS 8192
#define NOW apr_time_from_sec(1767312000)

static _Atomic uint64_t words[WORDS];
static const av_slot slot = { words, WORDS };

/* An empty set; `capacity` words are all there are. */
static av_slot start(apr_size_t capacity)
{
    const av_slot small = { words, capacity };
    av_snapshot_builder builder;
    apr_array_header_t *duplicates = apr_array_make(pool, 1, sizeof(av_duplicate));

    av_snapshot_start(&builder, small, av_crypto_create(pool), NULL);
    ck_assert_int_eq(av_snapshot_finish(&builder, duplicates, 1, pool), AV_BUILD_DONE);
    return small;
}

static av_client_record record_of(int number, av_slice application, av_slice user, apr_time_t expires)
{
    av_client_record record = { .application = application, .user = user, .expires = expires };

    record.id = apr_psprintf(pool, "client-%d", number);
    record.secrets[0] = (av_client_secret){ .kind = AV_SECRET_PLAIN,
                                            .value = av_slice_of(apr_psprintf(pool, "secret-%d", number)),
                                            .label = "" };
    record.secret_count = 1;
    return record;
}

static av_build extend(av_slot to, int number, av_slice application, av_slice user, apr_time_t expires)
{
    const av_client_record record = record_of(number, application, user, expires);
    return av_snapshot_extend(to, &record, av_crypto_create(pool), pool);
}

static apr_size_t count(av_slice application, av_slice user)
{
    return av_snapshot_count_pairs(slot, application, user, NOW, pool);
}

START_TEST(pairs_are_counted_for_one_owner_until_they_end)
{
    start(WORDS);
    ck_assert_uint_eq(count(AV_SLICE("app"), AV_SLICE("jane")), 0);
    ck_assert_int_eq(extend(slot, 1, AV_SLICE("app"), AV_SLICE("jane"), NOW + 1), AV_BUILD_DONE);
    ck_assert_int_eq(extend(slot, 2, AV_SLICE("app"), AV_SLICE("jane"), 0), AV_BUILD_DONE);
    ck_assert_int_eq(extend(slot, 3, AV_SLICE("app"), AV_SLICE("jane"), NOW), AV_BUILD_DONE);
    ck_assert_int_eq(extend(slot, 4, AV_SLICE("app"), AV_SLICE("joe"), 0), AV_BUILD_DONE);
    ck_assert_int_eq(extend(slot, 5, AV_SLICE("app"), AV_SLICE(""), 0), AV_BUILD_DONE);
    ck_assert_int_eq(extend(slot, 6, AV_SLICE(""), AV_SLICE("jane"), 0), AV_BUILD_DONE);
    ck_assert_uint_eq(count(AV_SLICE("app"), AV_SLICE("jane")), 2);
    ck_assert_uint_eq(count(AV_SLICE("app"), AV_SLICE("joe")), 1);
    ck_assert_uint_eq(av_slot_get(slot, AV_SLOT_COUNT), 6);
}
END_TEST

/* Both texts hash alike: together they are the same bytes, wherever the one ends. */
START_TEST(owners_with_one_hash_are_two)
{
    const av_slice app = AV_SLICE("app"), longer_app = AV_SLICE("app\0x"), jane = AV_SLICE("jane"),
                   longer_jane = AV_SLICE("x\0jane");

    start(WORDS);
    ck_assert_int_eq(extend(slot, 1, longer_app, jane, 0), AV_BUILD_DONE);
    ck_assert_uint_eq(count(app, longer_jane), 0);
    ck_assert_uint_eq(count(longer_app, jane), 1);
    ck_assert_int_eq(extend(slot, 2, app, longer_jane, 0), AV_BUILD_DONE);
    ck_assert_uint_eq(count(app, longer_jane), 1);
    ck_assert_uint_eq(count(longer_app, jane), 1);
}
END_TEST

START_TEST(it_is_full_while_there_are_free_places)
{
    int added = 0;

    start(WORDS);
    while (extend(slot, added, AV_SLICE("app"), AV_SLICE("jane"), 0) == AV_BUILD_DONE) {
        ck_assert_int_lt(++added, 64);
    }
    ck_assert_int_eq(added, 48);
    ck_assert_int_eq(extend(slot, added, AV_SLICE(""), AV_SLICE(""), 0), AV_BUILD_FULL);
    for (int i = 0; i < added; i++) {
        av_slice id = av_slice_of(apr_psprintf(pool, "client-%d", i));
        assert_slice(av_client_packed_id(av_snapshot_find_id(slot, id, pool)), id, "id");
    }
    ck_assert_uint_eq(av_snapshot_find_id(slot, AV_SLICE("client-48"), pool).len, 0);
    ck_assert_uint_eq(count(AV_SLICE("app"), AV_SLICE("jane")), 48);
}
END_TEST

START_TEST(it_ends_where_its_memory_ends)
{
    apr_size_t capacity;

    start(WORDS);
    capacity = av_slot_get(slot, AV_SLOT_END) + 4;
    const av_slot small = start(capacity);
    av_slot_set(slot, capacity, 0x7777);
    ck_assert_int_eq(extend(small, 1, AV_SLICE("app"), AV_SLICE("jane"), 0), AV_BUILD_FULL);
    ck_assert_uint_eq(av_slot_get(slot, capacity), 0x7777);
    ck_assert_uint_eq(av_slot_get(small, AV_SLOT_COUNT), 0);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("clients_snapshot");
    TCase *tests = suite_case(suite, "sets that grow");

    tcase_add_test(tests, pairs_are_counted_for_one_owner_until_they_end);
    tcase_add_test(tests, owners_with_one_hash_are_two);
    tcase_add_test(tests, it_is_full_while_there_are_free_places);
    tcase_add_test(tests, it_ends_where_its_memory_ends);
    return suite;
}
