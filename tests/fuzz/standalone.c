/* Replays files through a fuzz target, once each: what a fuzzer found stays tested where there is no libFuzzer.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *name, const char *reason)
{
    fprintf(stderr, "%s: %s\n", name, reason);
    exit(EXIT_FAILURE);
}

/* The input lies in memory of exactly its size, so that a sanitizer sees a read past its end. */
static void replay_file(const char *name, size_t size)
{
    FILE *file = fopen(name, "rb");
    uint8_t *input = malloc(size ? size : 1);
    if (!file || !input || fread(input, 1, size, file) != size) {
        fail(name, "could not be read");
    }
    fclose(file);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
}

/* Replays each file of the current folder; returns how many there were. */
static size_t replay_folder(void)
{
    size_t replayed = 0;
    struct stat status;
    DIR *entries = opendir(".");
    if (!entries) {
        fail(".", "could not be read");
    }
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (stat(entry->d_name, &status) == 0 && S_ISREG(status.st_mode)) {
            replay_file(entry->d_name, (size_t)status.st_size);
            replayed++;
        }
    }
    closedir(entries);
    return replayed;
}

/* A program called fuzz_NAME replays the folder NAME of the folder that AUTHVERIFY_CORPUS names. */
int main(int count, char **arguments)
{
    const char *corpora = getenv("AUTHVERIFY_CORPUS");
    const char *program = count > 0 ? strrchr(arguments[0], '/') : NULL;
    const char *name = program ? strstr(program, "fuzz_") : NULL;
    if (!corpora || !name || chdir(corpora) != 0 || chdir(name + strlen("fuzz_")) != 0) {
        fail(arguments[0], "there is no corpus of this name in AUTHVERIFY_CORPUS");
    }
    size_t replayed = replay_folder();
    if (replayed == 0) {
        fail(arguments[0], "the corpus is empty");
    }
    printf("%s: %zu inputs replayed\n", arguments[0], replayed);
    return EXIT_SUCCESS;
}
