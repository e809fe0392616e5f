/* Headers of key=value fields: what is found lies in the text, in order, and says all that the text says.
 * Input: one byte that chooses the separators, then the header.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/fields.h"
#include "fuzz.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Walks over the text from one field to the next: between them stand blanks, quotes, "=" and separators, no more. */
static void require_whole_text(av_slice text, const char *separators, const av_fields *fields)
{
    const char *at = text.at;
    const char *end = text.at + text.len;

    for (apr_size_t i = 0; i < fields->count; i++) {
        const av_field *field = &fields->at[i];
        apr_size_t seen = 0;
        for (; at < field->name.at; at++) {
            bool is_separator = strchr(separators, *at) != NULL;
            REQUIRE(is_separator || is_blank(*at));
            seen += is_separator;
        }
        REQUIRE(seen == (i > 0));
        REQUIRE(at == field->name.at && field->name.len > 0 && field->name.at + field->name.len < end);
        at = field->name.at + field->name.len;
        REQUIRE(*at == '=');
        bool is_quoted = at[1] == '"';
        REQUIRE(field->value.at == at + 1 + is_quoted && field->value.len > 0);
        at = field->value.at + field->value.len;
        REQUIRE(at <= end && (!is_quoted || (at < end && *at == '"')));
        at += is_quoted;
    }
    for (; at < end; at++) {
        REQUIRE(is_blank(*at));
    }
}

static void require_names_counted(const av_fields *fields)
{
    for (apr_size_t i = 0; i < fields->count; i++) {
        av_slice value = { NULL, 0 };
        apr_size_t count = av_fields_get(fields, fields->at[i].name, &value);
        REQUIRE(count >= 1 && count <= fields->count);
        REQUIRE((count == 1) == (value.at == fields->at[i].value.at));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const separators[] = { ",", ";", ",;", "&" };
    av_fields fields;

    if (size == 0) {
        return 0;
    }
    av_slice text = tight_copy(data + 1, size - 1);
    const char *chosen = separators[data[0] % 4];
    if (av_fields_parse(text, chosen, &fields)) {
        REQUIRE(fields.count >= 1 && fields.count <= AV_MAX_FIELDS);
        require_whole_text(text, chosen, &fields);
        require_names_counted(&fields);
    }
    free((char *)text.at);
    return 0;
}
