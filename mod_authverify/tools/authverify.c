/* The program authverify: a table of sub-commands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static const avt_command *const commands[] = {
    &avt_client_add, &avt_client_rotate, &avt_client_revoke, &avt_client_list,
    &avt_hash,       &avt_sign,          &avt_check,         &avt_presets,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

avt_status avt_fail(avt_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("authverify: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

avt_status avt_printed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? AVT_OK : avt_fail(AVT_FILE, "standard output cannot be written");
}

/* Commands whose name begins with `group`, or all. */
static void print_overview(FILE *to, const char *group)
{
    fputs("usage: authverify COMMAND ...\n\n", to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (av_slice_starts_with(av_slice_of(commands[i]->name), av_slice_of(group))) {
            fprintf(to, "  %-14s %s\n", commands[i]->name, commands[i]->brief);
        }
    }
    fputs("\nauthverify COMMAND --help tells more. authverify --version tells the version.\n", to);
}

static bool wants_help(int count, const char *const *arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* The command whose name the arguments begin with; *words is how many of them that takes. */
static const avt_command *find_command(int count, const char *const *arguments, int *words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        av_slice rest = av_slice_of(commands[i]->name), word;
        int taken = 0;
        while (taken < count && av_slice_split(&rest, ' ', &word) &&
               av_slice_equal(word, av_slice_of(arguments[taken]))) {
            taken++;
            if (!rest.at) {
                *words = taken;
                return commands[i];
            }
        }
    }
    return NULL;
}

static avt_status run(int count, const char *const *arguments, apr_pool_t *pool)
{
    int words = 0;
    const avt_command *command = find_command(count, arguments, &words);
    if (command && !wants_help(count, arguments)) {
        return command->run(count - words, arguments + words, pool);
    }
    if (command) {
        fputs(command->help, stdout);
        return avt_printed();
    }
    if (count && strcmp(arguments[0], "--version") == 0) {
        puts("authverify " AV_VERSION);
        return avt_printed();
    }
    bool is_group = count && strcmp(arguments[0], "client") == 0;
    print_overview(wants_help(count, arguments) ? stdout : stderr, is_group ? "client" : "");
    return wants_help(count, arguments) ? avt_printed() : AVT_USAGE;
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *pool;
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none); /* memory holds secrets */
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return (int)avt_fail(AVT_FILE, "APR cannot be initialized");
    }
    avt_status status = run(argc - 1, argv + 1, pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return (int)status;
}
