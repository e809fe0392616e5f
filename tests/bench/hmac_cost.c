/* hmac_cost SIZE...: CPU microseconds of one HMAC-SHA256 over SIZE bytes with a key prepared once: the least that any
 * verifier on this OpenSSL must spend. The minimum of several batches. First prints OpenSSL's version.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCHES 15
#define BATCH_BYTES (32u << 20) /* what a batch hashes, in as many messages as that makes */
#define BATCH_MESSAGES 10000    /* but no more than these */
#define BLOCK 64

static EVP_MD_CTX *inner, *outer, *context;

static void stop(const char *what)
{
    fprintf(stderr, "hmac_cost: %s\n", what);
    exit(1);
}

/* RFC 2104 section 2: the state after the key's block, for either pass. */
static EVP_MD_CTX *keyed(const EVP_MD *sha256, unsigned char pad)
{
    unsigned char block[BLOCK];
    EVP_MD_CTX *made = EVP_MD_CTX_new();
    memset(block, 'k' ^ pad, sizeof(block));
    if (!made || EVP_DigestInit_ex(made, sha256, NULL) != 1 || EVP_DigestUpdate(made, block, sizeof(block)) != 1) {
        stop("no SHA-256");
    }
    return made;
}

static void authenticate(const unsigned char *message, size_t size)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_MD_CTX_copy_ex(context, inner) != 1 || EVP_DigestUpdate(context, message, size) != 1 ||
        EVP_DigestFinal_ex(context, hash, &len) != 1 || EVP_MD_CTX_copy_ex(context, outer) != 1 ||
        EVP_DigestUpdate(context, hash, len) != 1 || EVP_DigestFinal_ex(context, hash, &len) != 1) {
        stop("HMAC failed");
    }
}

static double cpu_microseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double cost(const unsigned char *message, size_t size)
{
    size_t fitting = BATCH_BYTES / size, messages = fitting < BATCH_MESSAGES ? fitting + 1 : BATCH_MESSAGES;
    double least = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        double start = cpu_microseconds();
        for (size_t i = 0; i < messages; i++) {
            authenticate(message, size);
        }
        double taken = (cpu_microseconds() - start) / (double)messages;
        least = batch == 0 || taken < least ? taken : least;
    }
    return least;
}

int main(int count, char **arguments)
{
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    context = EVP_MD_CTX_new();
    if (!sha256 || !context) {
        stop("no SHA-256");
    }
    inner = keyed(sha256, 0x36);
    outer = keyed(sha256, 0x5c);
    puts(OpenSSL_version(OPENSSL_VERSION));
    for (int i = 1; i < count; i++) {
        size_t size = strtoul(arguments[i], NULL, 10);
        unsigned char *message = size ? malloc(size) : NULL;
        if (!message) {
            stop("a size must be a positive number of bytes");
        }
        memset(message, '.', size);
        printf("%zu %.3f\n", size, cost(message, size));
        free(message);
    }
    return 0;
}
