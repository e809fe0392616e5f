/* Checksums beside a body: Content-MD5 (RFC 1864) and x-amz-checksum-… in headers or trailers.
 * Source: Amazon S3 User Guide, "Checking object integrity".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_CHECKSUM_H
#define AV_AWS4_CHECKSUM_H

#include "../../core/digest.h"

typedef struct av_aws4_checksum av_aws4_checksum;

/* The header or trailer of that name (in any case) carries a checksum. */
bool av_aws4_checksum_is_one(av_slice name);

/* The checksum that `name` carries, of which nothing is read yet. NULL where it carries none, or where the library cannot
 * compute it. */
av_aws4_checksum *av_aws4_checksum_create(av_slice name, const av_crypto *crypto, apr_pool_t *pool);

/* False: the library failed. */
bool av_aws4_checksum_add(av_aws4_checksum *checksum, av_slice bytes);

/* Is the value, in base64, that of what was read? Ends the checksum. */
bool av_aws4_checksum_check(av_aws4_checksum *checksum, av_slice value);

#endif
