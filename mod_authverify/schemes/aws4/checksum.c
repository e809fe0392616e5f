/* Checksums beside a body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"
#include "../../core/codec.h"
#include "../../core/secret.h"

struct av_aws4_checksum {
    const av_crc_table *table; /* NULL: it is a digest */
    apr_size_t size;           /* of the value, in bytes */
    uint64_t crc;
    EVP_MD_CTX *context;
};

typedef enum kind { MD5, SHA1, SHA256, CRC32, CRC32C, CRC64NVME, NONE } kind;

static const struct {
    av_slice name;
    apr_size_t size;
} kinds[] = {
    [MD5] = { { "content-md5", 11 }, 16 },
    [SHA1] = { { "x-amz-checksum-sha1", 19 }, 20 },
    [SHA256] = { { "x-amz-checksum-sha256", 21 }, 32 },
    [CRC32] = { { "x-amz-checksum-crc32", 20 }, 4 },
    [CRC32C] = { { "x-amz-checksum-crc32c", 21 }, 4 },
    [CRC64NVME] = { { "x-amz-checksum-crc64nvme", 24 }, 8 },
};

static kind kind_of(av_slice name)
{
    kind found = MD5;
    while (found < NONE && !av_slice_equal_nocase(name, kinds[found].name)) {
        found++;
    }
    return found;
}

static const EVP_MD *digest_of(kind which, const av_crypto *crypto)
{
    return which == MD5 ? crypto->md5 : which == SHA1 ? crypto->sha1 : which == SHA256 ? crypto->sha256 : NULL;
}

static const av_crc_table *table_of(kind which, const av_crypto *crypto)
{
    return which == CRC32       ? &crypto->crc.crc32
           : which == CRC32C    ? &crypto->crc.crc32c
           : which == CRC64NVME ? &crypto->crc.crc64nvme
                                : NULL;
}

bool av_aws4_checksum_is_one(av_slice name)
{
    return kind_of(name) != NONE;
}

av_aws4_checksum *av_aws4_checksum_create(av_slice name, const av_crypto *crypto, apr_pool_t *pool)
{
    kind which = kind_of(name);
    const EVP_MD *digest = digest_of(which, crypto);
    av_aws4_checksum *checksum = apr_pcalloc(pool, sizeof(*checksum));
    checksum->table = table_of(which, crypto);
    if (checksum->table) {
        checksum->size = kinds[which].size;
        checksum->crc = checksum->table->start;
        return checksum;
    }
    if (!digest) {
        return NULL;
    }
    checksum->size = kinds[which].size;
    checksum->context = av_digest_context(pool);
    return checksum->context && EVP_DigestInit_ex(checksum->context, digest, NULL) == 1 ? checksum : NULL;
}

bool av_aws4_checksum_add(av_aws4_checksum *checksum, av_slice bytes)
{
    if (!checksum->table) {
        return EVP_DigestUpdate(checksum->context, bytes.at, bytes.len) == 1;
    }
    checksum->crc = av_crc_add(checksum->table, checksum->crc, bytes);
    return true;
}

/* The value of what was read, the highest byte first. */
static bool finish(av_aws4_checksum *checksum, unsigned char value[EVP_MAX_MD_SIZE])
{
    unsigned size = 0;
    if (!checksum->table) {
        return EVP_DigestFinal_ex(checksum->context, value, &size) == 1;
    }
    uint64_t crc = av_crc_finish(checksum->table, checksum->crc);
    for (apr_size_t i = checksum->size; i > 0; i--) {
        value[i - 1] = (unsigned char)crc;
        crc >>= 8;
    }
    return true;
}

bool av_aws4_checksum_check(av_aws4_checksum *checksum, av_slice value)
{
    unsigned char expected[EVP_MAX_MD_SIZE], sent[EVP_MAX_MD_SIZE];
    apr_size_t len = 0;
    return finish(checksum, expected) && av_decode(AV_BASE64, value, sent, sizeof(sent), &len) &&
           av_secret_equal((av_slice){ (const char *)expected, checksum->size }, (av_slice){ (const char *)sent, len });
}
