/* Cyclic redundancy checks: published values, and eight bytes at a time against one bit at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/crc.h"
#include "support/suite.h"

#define LONGEST 40

static av_crc_tables tables;

/* The polynomials as they are published, highest power in the highest bit; and the "check" of "123456789" that the
 * catalogue of parametrised CRC algorithms gives for CRC-32/ISO-HDLC, CRC-32/ISCSI and CRC-64/NVME. */
static const struct {
    const char *name;
    const av_crc_table *table;
    int bits;
    uint64_t polynomial, check;
} kinds[] = {
    { "crc32", &tables.crc32, 32, 0x04c11db7, 0xcbf43926 },
    { "crc32c", &tables.crc32c, 32, 0x1edc6f41, 0xe3069283 },
    { "crc64nvme", &tables.crc64nvme, 64, 0xad93d23594c93659, 0xae8b14860a799888 },
};

static void prepare(void)
{
    av_crc_prepare(&tables);
}

static uint64_t crc_of(const av_crc_table *table, av_slice bytes)
{
    return av_crc_finish(table, av_crc_add(table, table->start, bytes));
}

START_TEST(the_published_value_comes_out)
{
    ck_assert_msg(crc_of(kinds[_i].table, AV_SLICE("123456789")) == kinds[_i].check, "%s", kinds[_i].name);
    ck_assert_uint_eq(crc_of(kinds[_i].table, AV_SLICE("")), 0);
}
END_TEST

static uint64_t reflected(uint64_t value, int bits)
{
    uint64_t mirrored = 0;
    for (int i = 0; i < bits; i++) {
        mirrored |= (value >> i & 1) << (bits - 1 - i);
    }
    return mirrored;
}

/* As the definition has it: the register shifts left, each byte enters with its lowest bit first. */
static uint64_t bit_by_bit(uint64_t polynomial, int bits, av_slice bytes)
{
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, top = UINT64_C(1) << (bits - 1), crc = mask;
    for (apr_size_t i = 0; i < bytes.len; i++) {
        crc ^= reflected((unsigned char)bytes.at[i], 8) << (bits - 8);
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & top ? crc << 1 ^ polynomial : crc << 1) & mask;
        }
    }
    return reflected(crc ^ mask, bits);
}

static av_slice some_bytes(apr_size_t len)
{
    char *bytes = apr_palloc(pool, len + 1);
    unsigned state = 12345;
    for (apr_size_t i = 0; i < len; i++) {
        state = state * 1103515245 + 12345;
        bytes[i] = (char)(state >> 16);
    }
    return tight_copy((av_slice){ bytes, len });
}

START_TEST(every_length_is_that_of_the_definition)
{
    for (apr_size_t len = 0; len <= LONGEST; len++) {
        av_slice bytes = some_bytes(len);
        ck_assert_msg(crc_of(kinds[_i].table, bytes) == bit_by_bit(kinds[_i].polynomial, kinds[_i].bits, bytes),
                      "%s of %zu bytes", kinds[_i].name, len);
    }
}
END_TEST

START_TEST(bytes_may_come_in_any_two_pieces)
{
    const av_crc_table *table = kinds[_i].table;
    av_slice bytes = some_bytes(LONGEST);
    for (apr_size_t cut = 0; cut <= LONGEST; cut++) {
        uint64_t crc = av_crc_add(table, table->start, (av_slice){ bytes.at, cut });
        crc = av_crc_finish(table, av_crc_add(table, crc, av_slice_skip(bytes, cut)));
        ck_assert_msg(crc == crc_of(table, bytes), "%s cut at %zu", kinds[_i].name, cut);
    }
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("crc");
    TCase *tests = suite_case(suite, "crc");

    tcase_add_checked_fixture(tests, prepare, NULL);
    tcase_add_loop_test(tests, the_published_value_comes_out, 0, ROWS(kinds));
    tcase_add_loop_test(tests, every_length_is_that_of_the_definition, 0, ROWS(kinds));
    tcase_add_loop_test(tests, bytes_may_come_in_any_two_pieces, 0, ROWS(kinds));
    return suite;
}
