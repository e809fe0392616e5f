/* A body of chunks (aws-chunked), each signed with the one before it, and the trailers behind them.
 * Source: Amazon S3 API Reference, "Signature calculations for the Authorization header: transferring payload in multiple
 * chunks", and the same "including trailing headers".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_AWS4_STREAM_H
#define AV_AWS4_STREAM_H

#include "keys.h"
#include "payload.h"

typedef struct av_aws4_stream av_aws4_stream;

/* A reader that takes such a body apart and refuses it at the first chunk that is wrong. `signer` has the key that has
 * proven the head. NULL where the library failed. */
av_aws4_stream *av_aws4_stream_create(const av_claim *claim, av_aws4_payload *payload, av_aws4_signer *signer,
                                      apr_pool_t *pool);

av_reader *av_aws4_stream_reader(av_aws4_stream *stream);

/* After the body: it has ended as it must. Returns AV_ACCEPTED, AV_MALFORMED_CHUNKS, AV_CHECKSUM_MISMATCH. */
av_reason av_aws4_stream_finish(av_aws4_stream *stream);

#endif
