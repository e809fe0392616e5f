/* One line of a clients file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clients_line.h"
#include "../core/codec.h"
#include "../core/scheme.h"
#include "../core/secret.h"
#include "../core/timestamp.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <stddef.h>

#define LONGEST_LABEL 64
#define BCRYPT_SIZE 60
#define BCRYPT_MIN_COST 4
#define BCRYPT_MAX_COST 17 /* as htpasswd: beyond it one login keeps a processor busy for ten seconds and more */

static const char *find_forbidden(av_slice line)
{
    for (apr_size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.at[i];
        if (byte == '\r' && i == line.len - 1) {
            return "ends in CR LF; save the file with LF line ends";
        }
        if (byte == '\0') {
            return "holds a NUL byte; save the file as plain text";
        }
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return "holds a control byte; write it percent-encoded";
        }
        if (byte == '#' || byte == '"' || byte == '\'') {
            return "holds a hash sign or a quote; write %23, %22 or %27, and a comment on a line of its own";
        }
    }
    return NULL;
}

/* Cuts the next word off; false where none is left. */
static bool take_word(av_slice *line, av_slice *word)
{
    apr_size_t len = 0;
    *line = av_slice_trim(*line);
    while (len < line->len && line->at[len] != ' ' && line->at[len] != '\t') {
        len++;
    }
    *word = (av_slice){ line->at, len };
    *line = av_slice_skip(*line, len);
    return len > 0;
}

/* Undoes percent-encoding. What comes out ends in NUL, and is wiped with the pool. */
static const char *decode(av_slice text, av_slice *value, apr_pool_t *pool)
{
    av_slice decoded;
    if (!av_percent_decode(text, false, &decoded, pool)) {
        return "has a percent sign that begins no escape, or one of NUL; a percent sign is written %25";
    }
    if (!decoded.len) {
        return "is empty";
    }
    *value = av_secret_keep(decoded, pool);
    if (decoded.at != text.at) {
        OPENSSL_cleanse((char *)decoded.at, decoded.len);
    }
    return NULL;
}

static const char *read_date(av_slice text, apr_time_t *time, apr_pool_t *pool)
{
    bool has_clock = text.len > strlen("2027-01-01");
    av_slice full = has_clock ? text : av_slice_of(apr_pstrcat(pool, av_slice_string(text, pool), "T00:00:00Z", NULL));
    /* 0 stands for a time that is not said. */
    if (!av_timestamp_parse(full, AV_TIME_RFC3339, time) || *time <= 0) {
        *time = 0;
        return "is no date such as 2027-01-01 or 2027-01-01T12:00:00Z, later than 1970-01-01";
    }
    return NULL;
}

static const char *check_span(apr_time_t not_before, apr_time_t expires)
{
    return not_before && expires && expires <= not_before ? "expires= is not later than not-before=" : NULL;
}

/* Secrets. */

static const char *read_plain(av_slice text, av_slice *value, apr_pool_t *pool)
{
    const char *error = decode(text, value, pool);
    return error ? apr_pstrcat(pool, "the secret ", error, NULL) : NULL;
}

static bool is_digest_of_nothing(const unsigned char digest[AV_SHA256_SIZE])
{
    static const unsigned char nothing[AV_SHA256_SIZE] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                                           0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
                                                           0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
                                                           0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 };
    return CRYPTO_memcmp(digest, nothing, sizeof(nothing)) == 0;
}

static const char *read_sha256(av_slice text, av_slice *value, apr_pool_t *pool)
{
    unsigned char digest[AV_SHA256_SIZE];
    apr_size_t len;
    if (!av_decode(AV_BASE64, text, digest, sizeof(digest), &len) || len != sizeof(digest)) {
        return "what follows sha256: is not the base64 of 32 bytes";
    }
    if (is_digest_of_nothing(digest)) {
        return "what follows sha256: is the digest of an empty secret";
    }
    *value = av_secret_keep((av_slice){ (const char *)digest, len }, pool);
    OPENSSL_cleanse(digest, sizeof(digest));
    return NULL;
}

/* The six bits that a character of bcrypt's own base64 stands for, or -1. */
static int bcrypt_sextet(char character)
{
    static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const char *found = memchr(alphabet, character, sizeof(alphabet) - 1);
    return found ? (int)(found - alphabet) : -1;
}

/* "$2y$10$", 22 characters of 16 bytes of salt, 31 characters of 23 bytes of hash. Unused bits that are set would never
 * match what crypt(3) gives back. */
static bool is_bcrypt(av_slice text)
{
    if (text.len != BCRYPT_SIZE || !av_slice_starts_with(text, AV_SLICE("$2")) ||
        !av_slice_contains(AV_SLICE("aby"), text.at[2]) || text.at[3] != '$' || text.at[6] != '$' ||
        !av_slice_contains(AV_SLICE("01"), text.at[4]) || text.at[5] < '0' || text.at[5] > '9') {
        return false;
    }
    int cost = (text.at[4] - '0') * 10 + text.at[5] - '0';
    for (apr_size_t i = 7; i < BCRYPT_SIZE; i++) {
        if (bcrypt_sextet(text.at[i]) < 0) {
            return false;
        }
    }
    bool is_canonical = (bcrypt_sextet(text.at[28]) & 0xf) == 0 && (bcrypt_sextet(text.at[59]) & 0x3) == 0;
    return cost >= BCRYPT_MIN_COST && cost <= BCRYPT_MAX_COST && is_canonical;
}

static const char *read_bcrypt(av_slice text, av_slice *value, apr_pool_t *pool)
{
    if (!is_bcrypt(text)) {
        return "what follows bcrypt: is no bcrypt hash as htpasswd -B writes it, of cost 04 to 17";
    }
    *value = av_secret_keep(text, pool);
    return NULL;
}

static const struct kind {
    const char *name;
    av_secret_kind kind;
    const char *(*read)(av_slice text, av_slice *value, apr_pool_t *pool);
} kinds[] = {
    { "plain", AV_SECRET_PLAIN, read_plain },
    { "sha256", AV_SECRET_SHA256, read_sha256 },
    { "bcrypt", AV_SECRET_BCRYPT, read_bcrypt },
};

/* Cuts the kind and its colon off; NULL where the text begins with none. */
static const struct kind *take_kind(av_slice *text)
{
    av_slice rest = *text, name;
    av_slice_split(&rest, ':', &name);
    for (apr_size_t i = 0; rest.at && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (av_slice_equal(name, av_slice_of(kinds[i].name))) {
            *text = rest;
            return &kinds[i];
        }
    }
    return NULL;
}

/* It goes into logs and the environment as it is. */
static bool is_label(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        if (!is_letter && !av_slice_contains(AV_SLICE("-_."), byte)) {
            return false;
        }
    }
    return text.len > 0 && text.len <= LONGEST_LABEL;
}

static const char *read_secret_option(av_slice option, av_client_secret *secret, apr_pool_t *pool)
{
    av_slice value = option, name;
    av_slice_split(&value, '=', &name);
    bool is_end = av_slice_equal(name, AV_SLICE("expires"));
    apr_time_t *time = is_end ? &secret->expires : &secret->not_before;
    if (!value.at || (!is_end && !av_slice_equal(name, AV_SLICE("not-before")))) {
        return "behind a secret only ;not-before=DATE and ;expires=DATE may stand; a semicolon in it is written %3B";
    }
    if (*time) {
        return "the secret has not-before= or expires= twice";
    }
    const char *error = read_date(value, time, pool);
    return error ? apr_pstrcat(pool, is_end ? "expires= " : "not-before= ", error, NULL) : NULL;
}

/* [LABEL:]KIND:VALUE */
static const char *read_secret_value(av_slice text, av_client_secret *secret, apr_pool_t *pool)
{
    av_slice rest = text, label = { "", 0 };
    const struct kind *kind = take_kind(&rest);
    if (!kind) {
        av_slice_split(&rest, ':', &label);
        kind = rest.at ? take_kind(&rest) : NULL;
        if (!kind) {
            return "is neither a secret (plain:, sha256: or bcrypt:, with or without LABEL: before it) nor a limit";
        }
        if (!is_label(label)) {
            return "a secret's label is 1 to 64 letters, digits, and any of - _ .";
        }
    }
    secret->kind = kind->kind;
    secret->label = av_slice_string(label, pool);
    return rest.len ? kind->read(rest, &secret->value, pool) : "the secret is empty";
}

static const char *read_secret(av_slice word, av_client_record *record, apr_pool_t *pool)
{
    av_slice option;
    if (record->secret_count == AV_MAX_CLIENT_SECRETS) {
        return apr_psprintf(pool, "a client has at most %d secrets", AV_MAX_CLIENT_SECRETS);
    }
    av_client_secret *secret = &record->secrets[record->secret_count++];
    av_slice_split(&word, ';', &option);
    const char *error = read_secret_value(option, secret, pool);
    while (!error && av_slice_split(&word, ';', &option)) {
        error = read_secret_option(option, secret, pool);
    }
    return error ? error : check_span(secret->not_before, secret->expires);
}

/* What becomes a user, a header or a variable holds no line end and no other control byte, however it was written. */
static const char *decode_text(av_slice text, av_slice *value, apr_pool_t *pool)
{
    const char *error = decode(text, value, pool);
    for (apr_size_t i = 0; !error && i < value->len; i++) {
        unsigned char byte = (unsigned char)value->at[i];
        error = byte < ' ' || byte == 0x7f ? "holds a control byte" : NULL;
    }
    return error;
}

/* Limits. */

static const char *check_word(av_slice value)
{
    return av_slice_contains(value, ',') ? "is one word without a comma" : NULL;
}

static const char *check_text(av_slice value)
{
    (void)value;
    return NULL;
}

static const char *check_schemes(av_slice value)
{
    const char *error = av_list_check(value);
    av_slice name;
    while (!error && value.at && av_slice_split(&value, ',', &name)) {
        bool is_known = av_scheme_find(name) || av_slice_equal(name, AV_SLICE(AV_CLIENT_CREDENTIALS)) ||
                        av_slice_equal(name, AV_SLICE(AV_USER_CREDENTIALS));
        error = is_known ? NULL : "names a scheme that there is not";
    }
    return error;
}

/* A limit that is kept as its text: where, and what it must be. NULL: it is read by a function of its own. */
static const struct limit {
    const char *name;
    size_t offset;
    const char *(*check)(av_slice value);
} limits[] = {
    { "schemes", offsetof(av_client_record, schemes), check_schemes },
    { "methods", offsetof(av_client_record, limits.methods), av_list_check },
    { "paths", offsetof(av_client_record, limits.paths), av_paths_check },
    { "scopes", offsetof(av_client_record, scopes), av_list_check },
    { "org", offsetof(av_client_record, org), check_word },
    { "environment", offsetof(av_client_record, environment), check_word },
    { "application", offsetof(av_client_record, application), check_text },
    { "user", offsetof(av_client_record, user), check_text },
    { "from", offsetof(av_client_record, limits.from), NULL },
    { "not-before", offsetof(av_client_record, not_before), NULL },
    { "expires", offsetof(av_client_record, expires), NULL },
};

#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

static const char *read_networks(av_slice value, av_client_record *record, apr_pool_t *pool)
{
    av_networks *networks = av_networks_create(pool);
    const char *error = NULL;
    av_slice text;
    while (!error && av_slice_split(&value, ',', &text)) {
        error = av_networks_add(networks, text);
    }
    record->limits.from = networks;
    return error ? error : av_networks_finish(networks);
}

static const char *read_text(const struct limit *limit, av_slice value, av_client_record *record, apr_pool_t *pool)
{
    av_slice *text = (av_slice *)((char *)record + limit->offset);
    const char *error = decode_text(value, text, pool);
    return error ? error : limit->check(*text);
}

static const char *set_limit(const struct limit *limit, av_slice value, av_client_record *record, apr_pool_t *pool)
{
    if (limit->check) {
        return read_text(limit, value, record, pool);
    }
    return limit->offset == offsetof(av_client_record, limits.from)
               ? read_networks(value, record, pool)
               : read_date(value, (apr_time_t *)((char *)record + limit->offset), pool);
}

/* `seen` has one bit for each limit. The name of one that is not known is not repeated: it may be a secret gone astray.
 * */
static const char *read_limit(av_slice word, unsigned *seen, av_client_record *record, apr_pool_t *pool)
{
    av_slice value = word, name;
    size_t which = 0;
    av_slice_split(&value, '=', &name);
    while (which < LIMIT_COUNT && !av_slice_equal(name, av_slice_of(limits[which].name))) {
        which++;
    }
    if (which == LIMIT_COUNT) {
        return "is neither a secret nor one of the limits schemes= methods= paths= scopes= org= environment= application= "
               "user= from= not-before= expires=";
    }
    if (*seen & 1U << which) {
        return apr_pstrcat(pool, limits[which].name, "= is given twice", NULL);
    }
    *seen |= 1U << which;
    const char *error = value.len ? set_limit(&limits[which], value, record, pool) : "is empty";
    return error ? apr_pstrcat(pool, limits[which].name, "= ", error, NULL) : NULL;
}

/* "from=2001:db8::/32" is a limit, "plain:c2VjcmV0=" is not. */
static bool is_limit(av_slice word)
{
    av_slice before_equals;
    av_slice_split(&word, '=', &before_equals);
    return word.at && !av_slice_contains(before_equals, ':');
}

static const char *read_words(av_slice line, av_client_record *record, apr_pool_t *pool)
{
    const char *error = NULL;
    unsigned seen = 0;
    av_slice word;
    for (unsigned number = 2; !error && take_word(&line, &word); number++) {
        error = is_limit(word) ? read_limit(word, &seen, record, pool) : read_secret(word, record, pool);
        error = error ? apr_psprintf(pool, "word %u: %s", number, error) : NULL;
    }
    return error;
}

const char *av_clients_line_parse(av_slice line, av_client_record *record, apr_pool_t *pool)
{
    av_slice word, id = { NULL, 0 };
    memset(record, 0, sizeof(*record));
    const char *error = find_forbidden(line);
    if (error) {
        return error;
    }
    take_word(&line, &word);
    error = decode_text(word, &id, pool);
    if (error) {
        return apr_pstrcat(pool, "the id ", error, NULL);
    }
    record->id = id.at;
    error = read_words(line, record, pool);
    if (error) {
        return error;
    }
    return record->secret_count ? check_span(record->not_before, record->expires) : "has no secret behind its id";
}
