/* Replays files through a fuzz target, once each: what a fuzzer found stays tested where there is no libFuzzer.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void fail(const char *path, const char *reason)
{
    fprintf(stderr, "%s: %s\n", path, reason);
    exit(EXIT_FAILURE);
}

/* The input lies in memory of exactly its size, so that a sanitizer sees a read past its end. */
static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *input = malloc(size ? size : 1);
    if (!file || !input || fread(input, 1, size, file) != size) {
        fail(path, "could not be read");
    }
    fclose(file);
    LLVMFuzzerTestOneInput(input, size);
    free(input);
}

/* Replays each file of a folder; returns how many there were. */
static size_t replay_folder(const char *folder)
{
    size_t replayed = 0;
    DIR *entries = opendir(folder);
    if (!entries) {
        fail(folder, "there is no such corpus");
    }
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char path[PATH_MAX];
        struct stat status;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (stat(path, &status) != 0) {
            fail(path, "could not be read");
        }
        if (S_ISREG(status.st_mode)) {
            replay_file(path, (size_t)status.st_size);
            replayed++;
        }
    }
    closedir(entries);
    return replayed;
}

/* A program called fuzz_NAME replays the folder NAME of AUTHVERIFY_CORPUS; an argument is another folder to replay. */
int main(int count, char **arguments)
{
    char folder[PATH_MAX];
    const char *corpora = getenv("AUTHVERIFY_CORPUS");
    const char *program = strrchr(arguments[0], '/');
    const char *name = strstr(program ? program : arguments[0], "fuzz_");
    snprintf(folder, sizeof(folder), "%s/%s", corpora ? corpora : ".", name ? name + strlen("fuzz_") : "");
    size_t replayed = replay_folder(count > 1 ? arguments[1] : folder);
    if (replayed == 0) {
        fail(folder, "the corpus is empty");
    }
    printf("%s: %zu inputs replayed\n", arguments[0], replayed);
    return EXIT_SUCCESS;
}
