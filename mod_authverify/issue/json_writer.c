/* JSON texts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "json_writer.h"

av_slice av_json_write(json_t *json, bool sorted, apr_pool_t *pool)
{
    size_t flags = JSON_COMPACT | (sorted ? JSON_SORT_KEYS : 0);
    size_t size = json ? json_dumpb(json, NULL, 0, flags) : 0;
    char *text = apr_pcalloc(pool, size + 1);
    size_t len = size ? json_dumpb(json, text, size, flags) : 0;
    json_decref(json);
    return (av_slice){ text, len == size ? len : 0 };
}

bool av_json_set_text(json_t *object, const char *name, av_slice text)
{
    return json_object_set_new(object, name, json_stringn(text.len ? text.at : "", text.len)) == 0;
}

json_t *av_json_of_list(av_slice list)
{
    av_slice rest = list, word;
    json_t *array = json_array();
    while (array && list.len && av_slice_split(&rest, ',', &word)) {
        if (json_array_append_new(array, json_stringn(word.at, word.len)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}
