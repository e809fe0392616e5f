/* Time as the witness: do two classes of secrets take the same time? The method of O. Reparaz, J. Balasch and
 * I. Verbauwhede, "Dude, is my code constant time?" (2016), in our own words: both classes in random order, cropped,
 * Welch's t-test.
 *
 *     timing [MEASUREMENTS]     of each function; default 2500000
 *
 * The machine may be busy with other things. A function passes with the first attempt whose |t| is below 4.5. It fails
 * where the second attempt, four times as long, and a third find something as well. The control, which compares as one
 * must not, has to be found out in its first attempt.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"
#include "core/codec.h"
#include "core/secret.h"
#include "issue/grant.h"
#include "leaky.h"
#include "schemes/token_pair/format.h"
#include "stores/client_packing.h"
#include "stores/clients_line.h"
#include "stores/clients_snapshot.h"
#include "welch.h"

#include <apr_general.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEFAULT_MEASUREMENTS 2500000
#define FEWEST_MEASUREMENTS 100000
#define BATCH 20000
#define LARGEST_INPUT 64
#define ATTEMPTS 3
#define NOTHING 4.5 /* |t| below it: no difference */
#define CERTAIN 10  /* |t| above it: a difference, whatever else the machine does */
#define LIST_WORDS 1024

#define SECRET "AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW0" /* 50 */
#define NAME "d3f269a9-932e-eeb0-05e7-14fdff86zzzz"                 /* which no input is */

static apr_pool_t *pool;
static const av_crypto *crypto;
static av_client_record record;
static _Atomic uint64_t list_words[LIST_WORDS];
static const av_slot list = { list_words, LIST_WORDS };

/* --- what is measured ----------------------------------------------------------------------------------------------- */

static bool equal(av_slice input)
{
    return av_secret_equal(input, (av_slice){ SECRET, input.len });
}

static bool equal_early(av_slice input)
{
    return leaky_equal(input, (av_slice){ SECRET, input.len });
}

static bool is_of_format(av_slice input)
{
    return av_token_format_is(&av_token_format_alphanumeric, input);
}

static bool decode_hex(av_slice input)
{
    unsigned char bytes[LARGEST_INPUT];
    apr_size_t len = 0;
    return av_decode(AV_HEX, input, bytes, sizeof(bytes), &len);
}

static bool decode_base64(av_slice input)
{
    unsigned char bytes[LARGEST_INPUT];
    apr_size_t len = 0;
    return av_decode(AV_BASE64, input, bytes, sizeof(bytes), &len);
}

static bool match_client(av_slice input)
{
    bool failed;
    const av_presented presented = { .secret = input };
    return av_client_match(&record, crypto, NULL, &presented, 0, &failed) != NULL;
}

static bool find_id(av_slice input)
{
    return av_snapshot_find_id(list, input, pool).len > 0;
}

/* The token endpoint, from a request that was read to the verdict. */
static av_issuer issuer;
static apr_pool_t *of_request;

static bool ask_for_token(av_slice input)
{
    static const av_request request = { .method = AV_SLICE("POST"), .path = AV_SLICE("/"), .place = AV_SLICE("/") };
    const av_token_request asked = { .client_id = AV_SLICE(NAME), .client_secret = input, .scope = AV_SLICE("") };
    bool is_granted = av_grant_decide(&issuer, &asked, &request, of_request).verdict.reason == AV_ACCEPTED;
    apr_pool_clear(of_request);
    return is_granted;
}

typedef struct function {
    const char *name;
    bool (*call)(av_slice input);
    const char *fixed;    /* class 0; of a question mark as class 1 */
    const char *alphabet; /* class 1: as many characters at random of these */
    apr_size_t calls;     /* for one measurement: the clock must see them */
    bool is_leaky;
} function;

#define HEX "0123456789abcdef"
#define ALPHANUMERIC "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const function functions[] = {
    { "control: comparison that ends early", equal_early, SECRET, ALPHANUMERIC, 8, true },
    { "comparison of 50 bytes, right or wrong", equal, SECRET, ALPHANUMERIC, 8, false },
    { "comparison of 32 bytes, right or wrong", equal, "AbcdefghijklmnopqrstuvwxyzABCDEF", ALPHANUMERIC, 8, false },
    { "format of a secret, one letter or any", is_of_format, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      ALPHANUMERIC, 1, false },
    { "hexadecimal, digits or any", decode_hex, "0000000000000000000000000000000000000000000000000000000000000000", HEX,
      1, false },
    { "base64, letters or any", decode_base64, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ALPHANUMERIC, 1, false },
    { "a client's secret, nearly right or wrong", match_client, "AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW1",
      ALPHANUMERIC, 1, false },
    { "the token endpoint, a secret that is nearly right or wrong", ask_for_token,
      "AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW1", ALPHANUMERIC, 1, false },
    { "look-up of nobody, nearly a client's id or any", find_id, "d3f269a9-932e-eeb0-05e7-14fdff86????", HEX, 1,
      false },
};

/* --- measuring ------------------------------------------------------------------------------------------------------ */

/* In the finest unit that there is. */
static uint64_t now(void)
{
#if defined(__x86_64__)
    unsigned aux;
    return __builtin_ia32_rdtscp(&aux);
#else
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
#endif
}

typedef struct batch {
    unsigned char inputs[BATCH][LARGEST_INPUT];
    unsigned char classes[BATCH];
    uint64_t measured[BATCH];
} batch;

static void fill(batch *made, const function *tried)
{
    size_t size = strlen(tried->fixed), letters = strlen(tried->alphabet);
    RAND_bytes((unsigned char *)made->inputs, sizeof(made->inputs));
    RAND_bytes(made->classes, sizeof(made->classes));
    for (size_t i = 0; i < BATCH; i++) {
        made->classes[i] &= 1;
        for (size_t j = 0; j < size; j++) {
            char random = tried->alphabet[made->inputs[i][j] % letters];
            bool is_random = made->classes[i] || tried->fixed[j] == '?';
            made->inputs[i][j] = (unsigned char)(is_random ? random : tried->fixed[j]);
        }
    }
}

/* Each input is copied to the same place first: which class it is of shows in no cache. */
static void measure(batch *made, const function *tried)
{
    unsigned char input[LARGEST_INPUT];
    av_slice slice = { (const char *)input, strlen(tried->fixed) };
    volatile bool verdict = false;
    for (size_t i = 0; i < BATCH; i++) {
        memcpy(input, made->inputs[i], sizeof(input));
        uint64_t begun = now();
        for (apr_size_t call = 0; call < tried->calls; call++) {
            verdict = tried->call(slice);
        }
        made->measured[i] = now() - begun;
    }
    (void)verdict;
    apr_pool_clear(pool);
}

static double t_of(const function *tried, size_t measurements)
{
    static batch made;
    cropped_welch test;
    fill(&made, tried);
    measure(&made, tried);
    welch_start(&test, made.measured, BATCH);
    for (size_t done = 0; done < measurements; done += BATCH) {
        fill(&made, tried);
        measure(&made, tried);
        for (size_t i = 0; i < BATCH; i++) {
            welch_add(&test, made.classes[i], made.measured[i]);
        }
    }
    return welch_largest(&test);
}

static bool passes(const function *tried, size_t measurements)
{
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        double t = t_of(tried, measurements);
        bool is_found = tried->is_leaky ? t >= CERTAIN : t >= NOTHING;
        printf("%s: |t| = %.2f of %zu measurements\n", tried->name, t, measurements);
        if (is_found == tried->is_leaky) {
            return true;
        }
        if (tried->is_leaky) {
            break;
        }
        measurements *= attempt == 1 ? 4 : 1;
    }
    printf("FAIL %s\n", tried->name);
    return false;
}

static av_reason find_client(const av_client_source *source, av_slice id, av_client_record *found, apr_pool_t *to)
{
    (void)source;
    av_slice packed = av_snapshot_find_id(list, id, to);
    return packed.len && av_client_unpack(packed, found, to) ? AV_ACCEPTED : AV_UNKNOWN_CLIENT;
}

static const char *open_list(void *baton, const char *location, const av_client_source **source)
{
    static const av_client_source made = { .find_by_id = find_client };
    (void)baton;
    (void)location;
    *source = &made;
    return NULL;
}

static bool prepare_endpoint(apr_pool_t *lasting)
{
    av_words words;
    av_compiler compiler = { .pool = lasting,
                             .crypto = crypto,
                             .access = { .base = "/" },
                             .warnings = apr_array_make(lasting, 1, sizeof(const char *)),
                             .open_clients = open_list,
                             .loaded = apr_hash_make(lasting) };
    setenv("SIGNING", "a secret that signs, of 32 bytes and more", 1);
    return apr_pool_create(&of_request, lasting) == APR_SUCCESS &&
           !av_words_split(
               "AuthVerifyToken clients=file:list key=env:SIGNING algorithm=HS256 issuer=https://id.example "
               "audience=https://api.example",
               &words, lasting) &&
           !av_issuer_compile(&words, &compiler, &issuer);
}

static bool prepare(apr_pool_t *lasting)
{
    av_snapshot_builder builder;
    apr_array_header_t *duplicates = apr_array_make(lasting, 1, sizeof(av_duplicate));
    crypto = av_crypto_create(lasting);
    if (!crypto || av_clients_line_parse(AV_SLICE(NAME " plain:" SECRET), &record, lasting)) {
        return false;
    }
    av_snapshot_start(&builder, list, crypto, NULL);
    return av_snapshot_add(&builder, &record, 1, lasting) == AV_BUILD_DONE &&
           av_snapshot_finish(&builder, duplicates, 1, lasting) == AV_BUILD_DONE && prepare_endpoint(lasting);
}

int main(int argc, char **argv)
{
    size_t measurements = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_MEASUREMENTS, failed = 0;
    apr_pool_t *lasting;
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&lasting, NULL);
    apr_pool_create(&pool, lasting);
    if (measurements < FEWEST_MEASUREMENTS || !prepare(lasting)) {
        fprintf(stderr, "timing: at least %d measurements, and a library that works\n", FEWEST_MEASUREMENTS);
        return 2;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        failed += !passes(&functions[i], measurements);
    }
    return failed > 0;
}
