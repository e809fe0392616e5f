/* A header of key=value fields, parsed in one pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

/* RFC 9110 section 5.6.2. */
static bool is_token_character(char byte)
{
    bool is_alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');

    return is_alphanumeric || av_slice_contains(AV_SLICE("!#$%&'*+-.^_`|~"), byte);
}

static bool is_bare_character(char byte)
{
    return byte > 0x20 && byte < 0x7f && byte != '"';
}

/* RFC 9110 section 5.6.4, without quoted-pair: qdtext, obs-text included. */
static bool is_quoted_character(char byte)
{
    return byte == '\t' || ((unsigned char)byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\');
}

/* Cuts the longest run of bytes that `belongs` takes and that are no separator off `rest`. */
static av_slice take_run(av_slice *rest, bool (*belongs)(char), av_slice separators)
{
    apr_size_t len = 0;

    while (len < rest->len && belongs(rest->at[len]) && !av_slice_contains(separators, rest->at[len])) {
        len++;
    }
    av_slice run = { rest->at, len };
    *rest = av_slice_skip(*rest, len);
    return run;
}

static bool take_byte(av_slice *rest, char byte)
{
    if (rest->len == 0 || rest->at[0] != byte) {
        return false;
    }
    *rest = av_slice_skip(*rest, 1);
    return true;
}

static bool take_field(av_slice *rest, av_slice separators, av_field *field)
{
    field->name = take_run(rest, is_token_character, separators);
    if (field->name.len == 0 || !take_byte(rest, '=')) {
        return false;
    }
    if (!take_byte(rest, '"')) {
        field->value = take_run(rest, is_bare_character, separators);
        return field->value.len > 0;
    }
    field->value = take_run(rest, is_quoted_character, AV_SLICE(""));
    return field->value.len > 0 && take_byte(rest, '"');
}

bool av_fields_parse(av_slice text, const char *separators, av_fields *fields)
{
    av_slice rest = av_slice_trim(text);

    for (fields->count = 0; fields->count < AV_MAX_FIELDS;) {
        if (!take_field(&rest, av_slice_of(separators), &fields->at[fields->count])) {
            return false;
        }
        fields->count++;
        rest = av_slice_trim(rest);
        if (rest.len == 0) {
            return true;
        }
        if (!av_slice_contains(av_slice_of(separators), rest.at[0])) {
            return false;
        }
        rest = av_slice_trim(av_slice_skip(rest, 1));
    }
    return false;
}

apr_size_t av_fields_get(const av_fields *fields, av_slice name, av_slice *value)
{
    apr_size_t count = 0;
    const av_field *found = NULL;

    for (apr_size_t i = 0; i < fields->count; i++) {
        if (av_slice_equal(fields->at[i].name, name)) {
            found = &fields->at[i];
            count++;
        }
    }
    if (count == 1) {
        *value = found->value;
    }
    return count;
}
