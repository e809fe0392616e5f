/* Reads the options of rules for tokens, and finds the token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "terms.h"
#include "../../core/authorization.h"

#include <apr_strings.h>

#define DEFAULT_LEEWAY 30 /* seconds */
#define MOST_SECONDS (100 * 366 * 86400LL)

static const char *add_place(av_jwt_terms *terms, av_slice text, apr_pool_t *pool)
{
    unsigned allowed = AV_SELECTS(HEADER) | AV_SELECTS(PARAMETER);
    if (av_slice_equal(text, AV_SLICE("header"))) {
        terms->in_authorization = true;
        return NULL;
    }
    if (terms->place_count == AV_MAX_PLACES) {
        return "names more than 8 places";
    }
    av_selector *selector = &terms->places[terms->place_count++];
    bool is_place = !av_selector_parse(text, selector, pool) && (allowed & (1u << selector->kind));
    return is_place
               ? NULL
               : "must be header (Authorization), header:NAME or query:NAME, or several of them separated by commas";
}

const char *av_jwt_set_in(void *settings, const char *value, const av_compiler *compiler)
{
    const char *error = NULL;
    av_slice rest = av_slice_of(value), text;
    while (!error && av_slice_split(&rest, ',', &text)) {
        error = add_place(settings, text, compiler->pool);
    }
    return error;
}

const char *av_jwt_set_prefix(void *settings, const char *value, const av_compiler *compiler)
{
    av_jwt_terms *terms = settings;
    av_slice rest = av_slice_of(apr_pstrdup(compiler->pool, value)), word;
    while (av_slice_split(&rest, ',', &word)) {
        if (terms->word_count == AV_MAX_PLACES || !av_is_token68(word)) {
            return "must be up to 8 words separated by commas, such as Bearer or EN,none";
        }
        if (av_slice_equal_nocase(word, AV_JWT_DPOP)) {
            return "takes no DPoP: what stands behind that word is bound to a key, and dpop= takes it";
        }
        terms->words[terms->word_count++] = av_slice_equal(word, AV_SLICE("none")) ? AV_SLICE("") : word;
    }
    return NULL;
}

/* A list, or a word that says aloud that there is none. */
static const char *set_text(av_slice *to, const char *value, const char *nothing, const av_compiler *compiler)
{
    *to = strcmp(value, nothing) == 0 ? AV_SLICE("") : av_slice_of(apr_pstrdup(compiler->pool, value));
    return to->len ? av_list_check(*to) : NULL;
}

/* Whoever vouches for two issuers could speak for one in the name of the other (RFC 8725 section 3.8). */
const char *av_jwt_set_issuer(void *settings, const char *value, const av_compiler *compiler)
{
    av_slice *issuer = &((av_jwt_terms *)settings)->issuer;
    const char *error = set_text(issuer, value, "off", compiler);
    return error || !av_slice_contains(*issuer, ',') ? error
                                                     : "must be one issuer: its keys vouch for nobody else's tokens";
}

const char *av_jwt_set_audience(void *settings, const char *value, const av_compiler *compiler)
{
    return set_text(&((av_jwt_terms *)settings)->audience, value, "off", compiler);
}

const char *av_jwt_set_type(void *settings, const char *value, const av_compiler *compiler)
{
    av_slice *types = &((av_jwt_terms *)settings)->types, rest = av_slice_of(value), type;
    while (av_slice_split(&rest, ',', &type)) {
        if (av_slice_starts_with(type, AV_SLICE("application/"))) {
            return "is written without \"application/\", such as at+jwt";
        }
    }
    return set_text(types, value, "", compiler);
}

const char *av_jwt_set_require(void *settings, const char *value, const av_compiler *compiler)
{
    return set_text(&((av_jwt_terms *)settings)->required, value, "none", compiler);
}

const char *av_jwt_read_seconds(apr_int64_t *to, const char *value)
{
    char *end = NULL;
    bool is_number = *value >= '0' && *value <= '9';
    *to = is_number ? apr_strtoi64(value, &end, 10) : 0;
    return *to > 0 && *to <= MOST_SECONDS && !*end ? NULL : "must be seconds, 1 at least";
}

const char *av_jwt_set_max_age(void *settings, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_jwt_read_seconds(&((av_jwt_terms *)settings)->max_age, value);
}

const char *av_jwt_set_max_lifetime(void *settings, const char *value, const av_compiler *compiler)
{
    (void)compiler;
    return av_jwt_read_seconds(&((av_jwt_terms *)settings)->max_lifetime, value);
}

static const char *add_places(av_rule *rule, av_jwt_terms *terms, const av_compiler *compiler)
{
    const char *error = NULL;
    terms->in_authorization |= !terms->place_count;
    if (terms->word_count && !terms->in_authorization) {
        return "prefix= is about Authorization, which in= leaves out; write in=header besides";
    }
    if (!terms->word_count) {
        terms->words[terms->word_count++] = AV_SLICE("Bearer");
    }
    if (terms->possession.dpop) {
        terms->words[terms->word_count++] = AV_JWT_DPOP;
    }
    for (apr_size_t i = 0; !error && terms->in_authorization && i < terms->word_count; i++) {
        av_slice name = av_slice_of(av_slice_string(terms->words[i], compiler->pool));
        error = av_rule_add_place(rule, (av_place){ AV_PLACE_AUTHORIZATION, name });
    }
    for (apr_size_t i = 0; !error && i < terms->place_count; i++) {
        const av_selector *place = &terms->places[i];
        bool is_header = place->kind == AV_SELECT_HEADER;
        error = av_rule_add_place(rule, (av_place){ is_header ? AV_PLACE_HEADER : AV_PLACE_PARAMETER, place->name });
        av_rule_rely_on(rule, place);
    }
    return error;
}

const char *av_jwt_terms_finish(av_rule *rule, av_jwt_terms *terms, const av_compiler *compiler)
{
    const char *error = add_places(rule, terms, compiler);
    rule->has_time = true;
    rule->default_tolerance = DEFAULT_LEEWAY;
    rule->tells_scopes = true;
    rule->asks_certificate = true;
    if (!error && rule->clients) {
        return "clients= is not for tokens: who issues them says who the clients are; limit them by scopes= or by "
               "Require authverify";
    }
    if (!error && !terms->audience.at) {
        return "audience= must say what this server is called in \"aud\"; audience=off takes tokens that are for "
               "others";
    }
    return error;
}

/* A header's or parameter's whole value. */
static av_reason find_in_place(const av_selector *place, const av_view *view, av_slice *token, apr_pool_t *pool)
{
    switch (av_selector_read(place, view, token, pool)) {
    case AV_ABSENT:
        return AV_NOT_PRESENTED;
    case AV_FOUND:
        return av_value_is_merged(*token) ? AV_AMBIGUOUS_CREDENTIAL : AV_ACCEPTED;
    case AV_TWICE:
        return AV_AMBIGUOUS_CREDENTIAL;
    default:
        return AV_MALFORMED_CREDENTIAL;
    }
}

static av_reason find_in_authorization(const av_jwt_terms *terms, const av_request *request, av_slice *token,
                                       bool *is_bound)
{
    av_reason reason = AV_NOT_PRESENTED;
    for (apr_size_t i = 0; terms->in_authorization && i < terms->word_count && reason == AV_NOT_PRESENTED; i++) {
        reason = av_authorization_find(request, terms->words[i], token);
        *is_bound = reason != AV_NOT_PRESENTED && av_slice_equal(terms->words[i], AV_JWT_DPOP);
    }
    return reason;
}

/* A token in two places may be read as one by us and as the other behind us (RFC 6750 section 2). */
av_reason av_jwt_terms_find(const av_jwt_terms *terms, const av_request *request, av_slice *token, bool *is_bound,
                            apr_pool_t *pool)
{
    av_view view = { .request = request };
    av_reason reason = find_in_authorization(terms, request, token, is_bound);
    for (apr_size_t i = 0; i < terms->place_count; i++) {
        av_slice other;
        av_reason found = find_in_place(&terms->places[i], &view, &other, pool);
        if (found != AV_NOT_PRESENTED && reason != AV_NOT_PRESENTED) {
            return AV_AMBIGUOUS_CREDENTIAL;
        }
        if (found != AV_NOT_PRESENTED) {
            reason = found;
            *token = other;
        }
    }
    return reason;
}

bool av_jwt_terms_take_type(const av_jwt_terms *terms, av_slice usual, av_slice type)
{
    av_slice rest = terms->types.at ? terms->types : usual, each;
    while (type.at && av_slice_split(&rest, ',', &each)) {
        if (av_slice_equal_nocase(each, type)) {
            return true;
        }
    }
    return !type.at && !terms->types.at;
}
