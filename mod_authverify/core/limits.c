/* What a sender may do.
 * SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"
#include "strict_path.h"

bool av_list_has(av_slice list, av_slice word)
{
    av_slice part;
    while (list.len && av_slice_split(&list, ',', &part)) {
        if (av_slice_equal(part, word)) {
            return true;
        }
        if (!list.at) {
            return false;
        }
    }
    return false;
}

/* "/reports/" and a star take all below the folder, but not "/reports2". */
static bool path_matches(av_slice pattern, av_slice path)
{
    if (pattern.at[pattern.len - 1] != '*') {
        return av_slice_equal(pattern, path);
    }
    return av_slice_starts_with(path, (av_slice){ pattern.at, pattern.len - 1 });
}

static bool path_is_listed(av_slice list, av_slice path)
{
    av_slice pattern;
    while (list.at && av_slice_split(&list, ',', &pattern)) {
        if (path_matches(pattern, path)) {
            return true;
        }
    }
    return false;
}

static av_reason check_network(const av_limits *limits, const av_address *address)
{
    if (limits->from_file) {
        return limits->from_file->check(limits->from_file, address);
    }
    return !limits->from || av_networks_contain(limits->from, address) ? AV_ACCEPTED : AV_NETWORK_REFUSED;
}

av_reason av_limits_check(const av_limits *limits, const av_request *request)
{
    av_reason reason = check_network(limits, &request->address);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (limits->methods.len && !av_list_has(limits->methods, request->method)) {
        return AV_METHOD_NOT_ALLOWED;
    }
    if (limits->paths.len && (!av_path_is_plain(request->path) || !path_is_listed(limits->paths, request->place))) {
        return AV_PATH_NOT_ALLOWED; /* also a path that somebody behind us may read as another one */
    }
    return limits->besides ? av_limits_check(limits->besides, request) : AV_ACCEPTED;
}

bool av_limits_have_paths(const av_limits *limits)
{
    return limits->paths.len || (limits->besides && av_limits_have_paths(limits->besides));
}

const char *av_list_check(av_slice list)
{
    av_slice word;
    while (list.at && av_slice_split(&list, ',', &word)) {
        if (!av_slice_is_visible(word)) {
            return "is a comma list without blanks and without an empty word";
        }
    }
    return NULL;
}

const char *av_paths_check(av_slice list)
{
    av_slice path;
    while (list.at && av_slice_split(&list, ',', &path)) {
        const char *star = path.len ? memchr(path.at, '*', path.len) : NULL;
        if (!av_slice_is_visible(path) || path.at[0] != '/') {
            return "is a comma list of paths, each beginning with a slash";
        }
        if (star && (star != path.at + path.len - 1 || star[-1] != '/')) {
            return "takes a star at the end of a path only, behind a slash: /reports/*";
        }
    }
    return NULL;
}
