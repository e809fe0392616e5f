/* A folder of files for the tests of a case.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/folder.h"

#include <apr_strings.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE "/tmp/authverify-test-XXXXXX"

char folder[] = TEMPLATE;

void make_folder(void)
{
    memcpy(folder, TEMPLATE, sizeof(folder));
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

void remove_folder(void)
{
    DIR *entries = opendir(folder);

    ck_assert_ptr_nonnull(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        unlinkat(dirfd(entries), entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    }
    closedir(entries);
    ck_assert_int_eq(rmdir(folder), 0);
}

const char *path_of(const char *name)
{
    return apr_pstrcat(pool, folder, "/", name, NULL);
}

void make_file(const char *name, av_slice content, mode_t mode)
{
    const char *path = path_of(name);
    int file;

    unlink(path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, content.at, content.len), (ssize_t)content.len);
    ck_assert_int_eq(fchmod(file, mode), 0);
    ck_assert_int_eq(close(file), 0);
}
