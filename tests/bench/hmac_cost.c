/* hmac_cost SECONDS SIZE: the HMAC-SHA256 of SIZE bytes, again and again, with a key prepared once: the least that any
 * verifier must spend with this OpenSSL. Prints how often it was done and the CPU seconds that it took, then OpenSSL's
 * version.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The clock is asked after so many bytes, not after each message. */
#define BETWEEN_LOOKS (256u * 1024)

static void repeat(const unsigned char *message, size_t size, double seconds)
{
    double start = cpu_seconds(), taken = 0;
    unsigned long done = 0;
    while (taken < seconds) {
        for (size_t bytes = 0; bytes < BETWEEN_LOOKS; bytes += size) {
            authenticate(message, size);
            done++;
        }
        taken = cpu_seconds() - start;
    }
    printf("%lu %.9f\n%s\n", done, taken, OpenSSL_version(OPENSSL_VERSION));
}

int main(int count, char **arguments)
{
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    double seconds = count == 3 ? strtod(arguments[1], NULL) : 0;
    size_t size = count == 3 ? strtoul(arguments[2], NULL, 10) : 0;
    unsigned char *message = size ? malloc(size) : NULL;
    context = EVP_MD_CTX_new();
    if (!sha256 || !context || !message || seconds <= 0) {
        stop("usage: hmac_cost SECONDS SIZE");
    }
    memset(message, '.', size);
    inner = keyed(sha256, 0x36);
    outer = keyed(sha256, 0x5c);
    repeat(message, size, seconds);
    return 0;
}
