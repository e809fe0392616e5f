/* A body of chunks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define LONGEST_LINE 1024
#define MOST_SIZE_DIGITS 8
#define ECDSA_FIELD 144 /* characters: a chunk's ECDSA signature is filled up with stars */
#define HASH_TEXT 64
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef enum state {
    AT_CHUNK,     /* at the line that begins a chunk */
    IN_CHUNK,     /* in its bytes */
    BEHIND_CHUNK, /* at the line end behind them */
    AT_TRAILER,   /* at a trailer, or at the empty line behind the last */
    AT_END,       /* at the empty line behind chunks without trailers */
    ENDED         /* nothing may follow */
} state;

struct av_aws4_stream {
    av_reader reader; /* the first member: who has it has the stream */
    apr_pool_t *pool;
    av_aws4_payload *payload;
    av_aws4_signer *signer; /* NULL: the chunks are not signed */
    state state;
    char line[LONGEST_LINE];
    apr_size_t line_len;
    apr_int64_t left;  /* bytes of the chunk that are still to come */
    apr_int64_t total; /* bytes of all chunks */
    EVP_MD_CTX *hash;  /* of the chunk, or of the trailers */
    char signature[2 * AV_AWS4_LARGEST_SIGNATURE], sent[2 * AV_AWS4_LARGEST_SIGNATURE];
    apr_size_t signature_len, sent_len; /* of the chunk before, and what this one claims */
    bool is_trailer_signed;             /* its signature has been read, and was right */
    char *text;                         /* room for a string to sign */
};

static const char *const coding_headers[] = { "x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer",
                                              NULL };
static const av_coding aws_chunked = { "aws-chunked", coding_headers };

static char *put(char *to, av_slice text)
{
    memcpy(to, text.at, text.len);
    return to + text.len;
}

static char *put_line(char *to, av_slice text)
{
    return put(put(to, text), AV_SLICE("\n"));
}

static bool restart_hash(av_aws4_stream *stream)
{
    return EVP_DigestInit_ex(stream->hash, stream->signer->crypto->sha256, NULL) == 1;
}

static bool put_hash(av_aws4_stream *stream, char *to)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(stream->hash, hash, &size) != 1) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        *to++ = digits[hash[i] >> 4];
        *to++ = digits[hash[i] & 15];
    }
    return true;
}

/* Is what was sent the signature of what was hashed? It becomes the one before the next. */
static bool check(av_aws4_stream *stream, bool is_trailer)
{
    const av_aws4_credential *credential = stream->signer->credential;
    char *to = put(stream->text, credential->is_ecdsa ? AV_SLICE(AV_AWS4_ECDSA) : AV_SLICE(AV_AWS4_HMAC));
    to = put_line(to, is_trailer ? AV_SLICE("-TRAILER") : AV_SLICE("-PAYLOAD"));
    to = put_line(to, av_slice_of(credential->timestamp));
    to = put_line(to, credential->scope);
    to = put_line(to, (av_slice){ stream->signature, stream->signature_len });
    to = is_trailer ? to : put_line(to, AV_SLICE(EMPTY_HASH));
    av_slice text = { stream->text, (apr_size_t)(to - stream->text) + HASH_TEXT };
    if (!put_hash(stream, to) ||
        !av_aws4_signer_check(stream->signer, text, (av_slice){ stream->sent, stream->sent_len })) {
        return false;
    }
    memcpy(stream->signature, stream->sent, stream->sent_len);
    stream->signature_len = stream->sent_len;
    return true;
}

/* Takes a signature as it is written in a chunk or trailer: HMAC 64 characters, ECDSA filled up with stars. */
static bool take_signature(av_aws4_stream *stream, av_slice text)
{
    bool is_ecdsa = stream->signer->credential->is_ecdsa;
    if (text.len != (is_ecdsa ? ECDSA_FIELD : HASH_TEXT)) {
        return false;
    }
    while (is_ecdsa && text.len && text.at[text.len - 1] == '*') {
        text.len--;
    }
    memcpy(stream->sent, text.at, text.len);
    stream->sent_len = text.len;
    return true;
}

static bool read_size(av_slice text, apr_int64_t *size)
{
    *size = 0;
    if (text.len < 1 || text.len > MOST_SIZE_DIGITS) {
        return false;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        char digit = text.at[i];
        int value = digit >= '0' && digit <= '9'   ? digit - '0'
                    : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                    : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                   : -1;
        if (value < 0) {
            return false;
        }
        *size = *size * 16 + value;
    }
    return true;
}

/* "10000;chunk-signature=…", or "10000" where chunks are not signed. Nothing else may stand there. */
static bool read_chunk_line(av_aws4_stream *stream, av_slice line)
{
    av_slice rest = line, size;
    av_slice_split(&rest, ';', &size);
    if (!read_size(size, &stream->left)) {
        return false;
    }
    av_slice name = AV_SLICE("chunk-signature=");
    return stream->signer ? av_slice_starts_with(rest, name) && take_signature(stream, av_slice_skip(rest, name.len))
                          : !rest.at;
}

/* The last chunk is empty; what was announced must have come, and neither less nor more. */
static av_reason end_chunks(av_aws4_stream *stream)
{
    apr_int64_t announced = stream->payload->decoded_length;
    if (announced >= 0 && stream->total != announced) {
        return AV_MALFORMED_CHUNKS;
    }
    if (stream->signer && !check(stream, false)) {
        return AV_WRONG_SIGNATURE;
    }
    stream->state = stream->payload->has_trailers ? AT_TRAILER : AT_END;
    return !stream->signer || restart_hash(stream) ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

static av_reason begin_chunk(av_aws4_stream *stream, av_slice line)
{
    apr_int64_t announced = stream->payload->decoded_length;
    if (!read_chunk_line(stream, line)) {
        return AV_MALFORMED_CHUNKS;
    }
    if (stream->signer && !restart_hash(stream)) {
        return AV_INTERNAL_ERROR;
    }
    if (!stream->left) {
        return end_chunks(stream);
    }
    stream->total += stream->left;
    stream->state = IN_CHUNK;
    return announced >= 0 && stream->total > announced ? AV_MALFORMED_CHUNKS : AV_ACCEPTED;
}

static av_reason end_chunk(av_aws4_stream *stream, av_slice line)
{
    if (line.len) {
        return AV_MALFORMED_CHUNKS;
    }
    stream->state = AT_CHUNK;
    return stream->signer && !check(stream, false) ? AV_WRONG_SIGNATURE : AV_ACCEPTED;
}

/* One that was announced, and has not been brought yet. */
static av_aws4_sum *find_trailer(av_aws4_stream *stream, av_slice name)
{
    for (apr_size_t i = 0; i < stream->payload->trailer_count; i++) {
        av_aws4_sum *sum = &stream->payload->sums[i];
        if (av_slice_equal_nocase(sum->name, name)) {
            return sum->value.at ? NULL : sum;
        }
    }
    return NULL;
}

static bool add_to_hash(av_aws4_stream *stream, av_slice text)
{
    return EVP_DigestUpdate(stream->hash, text.at, text.len) == 1;
}

static bool is_clean(av_slice value)
{
    for (apr_size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.at[i] < 0x20 || value.at[i] == 0x7f) {
            return false;
        }
    }
    return value.len > 0;
}

static av_reason take_trailer(av_aws4_stream *stream, av_slice name, av_slice value)
{
    av_aws4_sum *sum = find_trailer(stream, name);
    if (!sum || !is_clean(value)) {
        return AV_MALFORMED_CHUNKS;
    }
    sum->value = (av_slice){ av_slice_string(value, stream->pool), value.len };
    if (!stream->signer) {
        return AV_ACCEPTED;
    }
    char *lower = apr_pstrmemdup(stream->pool, name.at, name.len);
    for (apr_size_t i = 0; i < name.len; i++) {
        lower[i] = (char)apr_tolower(lower[i]);
    }
    bool done = add_to_hash(stream, (av_slice){ lower, name.len }) && add_to_hash(stream, AV_SLICE(":")) &&
                add_to_hash(stream, value) && add_to_hash(stream, AV_SLICE("\n"));
    return done ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

static av_reason read_trailer(av_aws4_stream *stream, av_slice line)
{
    av_slice value = line, name;
    av_slice_split(&value, ':', &name);
    if (stream->is_trailer_signed || !value.at) {
        return AV_MALFORMED_CHUNKS;
    }
    value = av_slice_trim(value);
    if (!stream->signer || !av_slice_equal_nocase(name, AV_SLICE("x-amz-trailer-signature"))) {
        return take_trailer(stream, name, value);
    }
    if (!take_signature(stream, value)) {
        return AV_MALFORMED_CHUNKS;
    }
    stream->is_trailer_signed = check(stream, true);
    return stream->is_trailer_signed ? AV_ACCEPTED : AV_WRONG_SIGNATURE;
}

/* The empty line: every trailer that was announced is here. */
static av_reason end_trailers(av_aws4_stream *stream)
{
    for (apr_size_t i = 0; i < stream->payload->trailer_count; i++) {
        if (!stream->payload->sums[i].value.at) {
            return AV_MALFORMED_CHUNKS;
        }
    }
    stream->state = ENDED;
    return stream->signer && !stream->is_trailer_signed ? AV_WRONG_SIGNATURE : AV_ACCEPTED;
}

static av_reason take_line(av_aws4_stream *stream, av_slice line)
{
    switch (stream->state) {
    case AT_CHUNK:
        return begin_chunk(stream, line);
    case BEHIND_CHUNK:
        return end_chunk(stream, line);
    case AT_TRAILER:
        return line.len ? read_trailer(stream, line) : end_trailers(stream);
    case AT_END:
        stream->state = ENDED;
        return line.len ? AV_MALFORMED_CHUNKS : AV_ACCEPTED;
    default:
        return AV_MALFORMED_CHUNKS;
    }
}

/* A line ends with CRLF, and neither of the two stands anywhere else in it. */
static av_reason take_line_byte(av_aws4_stream *stream, char byte)
{
    if (stream->state == ENDED || stream->line_len == LONGEST_LINE) {
        return AV_MALFORMED_CHUNKS;
    }
    stream->line[stream->line_len++] = byte;
    if (byte != '\n') {
        return AV_ACCEPTED;
    }
    apr_size_t len = stream->line_len;
    stream->line_len = 0;
    av_slice line = { stream->line, len - 2 };
    bool ends_well = len >= 2 && stream->line[len - 2] == '\r' && !av_slice_contains(line, '\r');
    return ends_well ? take_line(stream, line) : AV_MALFORMED_CHUNKS;
}

/* As much of the chunk as is here. */
static av_reason take_data(av_aws4_stream *stream, av_slice bytes)
{
    stream->left -= (apr_int64_t)bytes.len;
    stream->state = stream->left ? IN_CHUNK : BEHIND_CHUNK;
    bool done = (!stream->signer || add_to_hash(stream, bytes)) && av_aws4_payload_add(stream->payload, bytes);
    return done ? AV_ACCEPTED : AV_INTERNAL_ERROR;
}

static av_reason take(av_reader *reader, const char *bytes, apr_size_t *len, char *out)
{
    av_aws4_stream *stream = (av_aws4_stream *)reader;
    apr_size_t carried = 0;
    av_reason reason = AV_ACCEPTED;
    for (apr_size_t at = 0; at < *len && reason == AV_ACCEPTED;) {
        if (stream->state != IN_CHUNK) {
            reason = take_line_byte(stream, bytes[at++]);
            continue;
        }
        apr_size_t here = *len - at < (apr_size_t)stream->left ? *len - at : (apr_size_t)stream->left;
        reason = take_data(stream, (av_slice){ bytes + at, here });
        if (out) {
            memmove(out + carried, bytes + at, here);
        }
        carried += here;
        at += here;
    }
    *len = carried;
    return reason;
}

av_aws4_stream *av_aws4_stream_create(const av_claim *claim, av_aws4_payload *payload, av_aws4_signer *signer,
                                      apr_pool_t *pool)
{
    av_aws4_stream *stream = apr_pcalloc(pool, sizeof(*stream));
    av_slice seed = signer->credential->signature;
    stream->reader = (av_reader){ .claim = claim, .coding = &aws_chunked, .take = take };
    stream->pool = pool;
    stream->payload = payload;
    stream->signer = payload->kind == AV_AWS4_CHUNKS ? signer : NULL;
    stream->hash = av_digest_context(pool);
    memcpy(stream->signature, seed.at, seed.len);
    stream->signature_len = seed.len;
    stream->text = apr_palloc(pool, signer->credential->scope.len + 512);
    return stream->hash ? stream : NULL;
}

av_reader *av_aws4_stream_reader(av_aws4_stream *stream)
{
    return &stream->reader;
}

av_reason av_aws4_stream_finish(av_aws4_stream *stream)
{
    if (stream->state != ENDED) {
        return AV_MALFORMED_CHUNKS;
    }
    return av_aws4_payload_sums_agree(stream->payload) ? AV_ACCEPTED : AV_CHECKSUM_MISMATCH;
}
