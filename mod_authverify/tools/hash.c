/* authverify hash: a secret as a clients file keeps it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "secret_input.h"
#include "secret_word.h"
#include "tool.h"

#include <stdio.h>

typedef struct hash_options {
    bool bcrypt, sha256;
    const char *secret, *cost;
} hash_options;

static const avt_option rows[] = {
    { "--bcrypt", AVT_SWITCH, offsetof(hash_options, bcrypt) },
    { "--sha256", AVT_SWITCH, offsetof(hash_options, sha256) },
    { "--secret", AVT_TEXT, offsetof(hash_options, secret) },
    { "--cost", AVT_TEXT, offsetof(hash_options, cost) },
    { NULL, AVT_SWITCH, 0 },
};

static avt_status hash(int count, const char *const *arguments, apr_pool_t *pool)
{
    hash_options options = { 0 };
    apr_array_header_t *operands;
    av_slice secret = { "", 0 };
    const char *word = NULL;
    int cost = AVT_DEFAULT_COST;
    const char *error = avt_arguments_read(count, arguments, rows, &options, &operands, pool);
    error = !error && operands->nelts ? "a secret is never an argument; name where it is with --secret SOURCE" : error;
    error = !error && options.bcrypt && options.sha256 ? "--bcrypt or --sha256, not both" : error;
    error = error || !options.cost ? error : avt_cost_read(options.cost, &cost);
    error = error ? error : avt_secret_read(options.secret, true, &secret, pool);
    error = error ? error
                  : avt_secret_word(options.bcrypt ? AV_SECRET_BCRYPT : AV_SECRET_SHA256, secret, cost, &word, pool);
    if (error) {
        return avt_fail(AVT_USAGE, "%s", error);
    }
    puts(word);
    return avt_printed();
}

const avt_command avt_hash = {
    .name = "hash",
    .brief = "hash a secret as a clients file keeps it",
    .help =
        "usage: authverify hash [--sha256 | --bcrypt [--cost N]] [--secret SOURCE]\n\n"
        "Prints sha256:... for a random token (the default) or bcrypt:... for a password, as it stands in a clients file.\n\n"
        "  --secret SOURCE        - (standard input), prompt, file:PATH, env:NAME, exec:PROGRAM, credential:NAME;\n"
        "                         by default the terminal is asked, or standard input read where it is none\n"
        "  --cost N               of bcrypt, 4 to 17 (10)\n\n"
        "Status: 0 done, 2 usage or a secret that cannot be kept so, 3 standard output cannot be written.\n",
    .run = hash,
};
