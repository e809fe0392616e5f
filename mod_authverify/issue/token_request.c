/* Reads token requests.
 * SPDX-License-Identifier: Apache-2.0 */
#include "token_request.h"
#include "../core/authorization.h"
#include "../core/codec.h"
#include "../core/secret.h"
#include "../core/selector.h"
#include "../schemes/token_pair/format.h"

#include <openssl/crypto.h>

#define LONGEST_USER 256 /* bytes: the name goes into a list, a header, a log */

/* A parameter of the body, or of the query where there is no body to look at; the empty value where it is not there. */
static av_found read_parameter(av_slice name, const av_view *view, av_slice *value, apr_pool_t *pool)
{
    const av_selector selector = { view->body ? AV_SELECT_FORM : AV_SELECT_PARAMETER, name };
    av_found found = av_selector_read(&selector, view, value, pool);
    return found == AV_ABSENT || (found == AV_FOUND && !value->len) ? AV_ABSENT : found;
}

static bool is_in_query(const av_request *request, av_slice name, apr_pool_t *pool)
{
    const av_selector selector = { AV_SELECT_PARAMETER, name };
    const av_view view = { .request = request };
    av_slice value;
    return av_selector_read(&selector, &view, &value, pool) != AV_ABSENT;
}

static bool is_form(const av_request *request, apr_pool_t *pool)
{
    const av_selector selector = { AV_SELECT_HEADER, AV_SLICE("Content-Type") };
    const av_view view = { .request = request };
    av_slice rest, type;
    if (av_selector_read(&selector, &view, &rest, pool) != AV_FOUND) {
        return false;
    }
    av_slice_split(&rest, ';', &type);
    return av_slice_equal_nocase(av_slice_trim(type), AV_SLICE("application/x-www-form-urlencoded"));
}

/* What was decoded is a copy of its own. */
static av_slice keep_secret(av_slice secret, av_slice source, apr_pool_t *pool)
{
    if (secret.at >= source.at && secret.at <= source.at + source.len) {
        return secret;
    }
    av_slice kept = av_secret_keep(secret, pool);
    OPENSSL_cleanse((char *)secret.at, secret.len);
    return kept;
}

static av_reason read_header(const av_request *request, av_token_request *asked, apr_pool_t *pool)
{
    av_slice id, secret;
    av_reason reason = av_authorization_basic(request, &id, &secret, pool);
    if (reason != AV_ACCEPTED) {
        return reason;
    }
    if (!av_percent_decode(id, true, &asked->client_id, pool) ||
        !av_percent_decode(secret, true, &asked->client_secret, pool)) {
        return AV_MALFORMED_CREDENTIAL;
    }
    asked->client_secret = keep_secret(asked->client_secret, secret, pool);
    return AV_ACCEPTED;
}

static av_reason reason_of(av_found found)
{
    switch (found) {
    case AV_FOUND:
        return AV_ACCEPTED;
    case AV_ABSENT:
        return AV_NOT_PRESENTED;
    case AV_TWICE:
        return AV_AMBIGUOUS_CREDENTIAL;
    default:
        return AV_MALFORMED_CREDENTIAL;
    }
}

/* Both under the names that the form has for them. */
static av_reason read_names(const av_view *view, av_slice id, av_slice secret, av_token_request *asked,
                            apr_pool_t *pool)
{
    av_slice source = view->body ? *view->body : view->request->query;
    av_reason reason = reason_of(read_parameter(id, view, &asked->client_id, pool));
    if (reason == AV_ACCEPTED) {
        reason = reason_of(read_parameter(secret, view, &asked->client_secret, pool));
    }
    if (reason == AV_ACCEPTED) {
        asked->client_secret = keep_secret(asked->client_secret, source, pool);
    }
    return reason;
}

/* The header has named the client: the body names it once more or not at all, and brings no secret. */
static av_reason compare_body(const av_view *view, const av_token_request *asked, apr_pool_t *pool)
{
    av_slice id, secret;
    av_found named = read_parameter(AV_SLICE("client_id"), view, &id, pool);
    if (read_parameter(AV_SLICE("client_secret"), view, &secret, pool) != AV_ABSENT) {
        return AV_AMBIGUOUS_CREDENTIAL;
    }
    return named == AV_ABSENT || (named == AV_FOUND && av_slice_equal(id, asked->client_id)) ? AV_ACCEPTED
                                                                                             : AV_AMBIGUOUS_CREDENTIAL;
}

static av_reason read_credential(const av_view *view, av_token_request *asked, apr_pool_t *pool)
{
    av_reason reason = read_header(view->request, asked, pool);
    if (reason == AV_NOT_PRESENTED) {
        return read_names(view, AV_SLICE("client_id"), AV_SLICE("client_secret"), asked, pool);
    }
    return reason == AV_ACCEPTED ? compare_body(view, asked, pool) : reason;
}

av_reason av_token_request_read(const av_request *request, av_slice body, av_token_request *asked, apr_pool_t *pool)
{
    const av_view view = { .request = request, .body = &body };
    av_slice grant;
    *asked = (av_token_request){ .scope = { "", 0 } };
    /* nobody has a use for a client's secret in a URL, but every log on its way (RFC 6749 section 2.3.1) */
    if (is_in_query(request, AV_SLICE("client_secret"), pool) || !is_form(request, pool) ||
        read_parameter(AV_SLICE("grant_type"), &view, &grant, pool) != AV_FOUND) {
        return AV_MALFORMED_TOKEN_REQUEST;
    }
    av_found scoped = read_parameter(AV_SLICE("scope"), &view, &asked->scope, pool);
    if (scoped != AV_FOUND && scoped != AV_ABSENT) {
        return AV_MALFORMED_TOKEN_REQUEST;
    }
    return av_slice_equal(grant, AV_SLICE("client_credentials")) ? read_credential(&view, asked, pool)
                                                                 : AV_UNSUPPORTED_GRANT;
}

static bool is_get(const av_request *request)
{
    return av_slice_equal(request->method, AV_SLICE("GET"));
}

bool av_token_request_is_legacy_get(const av_request *request, apr_pool_t *pool)
{
    return is_get(request) &&
           (is_in_query(request, AV_SLICE("username"), pool) || is_in_query(request, AV_SLICE("secret"), pool));
}

bool av_token_request_is_legacy(const av_request *request, av_slice body, apr_pool_t *pool)
{
    const av_view view = { .request = request, .body = &body };
    av_slice grant;
    return is_get(request) || read_parameter(AV_SLICE("grant_type"), &view, &grant, pool) == AV_ABSENT;
}

av_reason av_token_request_read_legacy(const av_request *request, av_slice body, av_token_request *asked,
                                       apr_pool_t *pool)
{
    const av_view view = { .request = request, .body = is_get(request) ? NULL : &body };
    *asked = (av_token_request){ .form = AV_FORM_LEGACY, .scope = { "", 0 } };
    if (view.body && (is_in_query(request, AV_SLICE("secret"), pool) || !is_form(request, pool))) {
        return AV_MALFORMED_TOKEN_REQUEST;
    }
    return read_names(&view, AV_SLICE("username"), AV_SLICE("secret"), asked, pool);
}

static av_found read_application(const av_request *request, av_slice *application, apr_pool_t *pool)
{
    const av_selector selector = { AV_SELECT_HEADER, AV_SLICE("X-Auth-Application") };
    const av_view view = { .request = request };
    return av_selector_read(&selector, &view, application, pool);
}

bool av_token_request_is_login(const av_request *request, apr_pool_t *pool)
{
    av_slice application;
    return read_application(request, &application, pool) != AV_ABSENT;
}

/* RFC 7617 section 2 has none either; who compares strings would end at a NUL. */
static bool has_control_byte(av_slice text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

av_reason av_token_request_read_login(const av_request *request, av_slice body, av_token_request *asked,
                                      apr_pool_t *pool)
{
    const av_view view = { .request = request, .body = &body };
    *asked = (av_token_request){ .form = AV_FORM_LOGIN, .scope = { "", 0 } };
    if (is_in_query(request, AV_SLICE("password"), pool) || !is_form(request, pool)) {
        return AV_MALFORMED_TOKEN_REQUEST;
    }
    av_reason reason = reason_of(read_application(request, &asked->application, pool));
    if (reason == AV_ACCEPTED && av_value_is_merged(asked->application)) {
        reason = AV_AMBIGUOUS_CREDENTIAL;
    }
    if (reason == AV_ACCEPTED && !av_token_format_is(&av_token_format_hex, asked->application)) {
        reason = AV_MALFORMED_CREDENTIAL;
    }
    if (reason == AV_ACCEPTED) {
        reason = read_names(&view, AV_SLICE("username"), AV_SLICE("password"), asked, pool);
    }
    bool is_plain = !has_control_byte(asked->client_id) && !has_control_byte(asked->client_secret) &&
                    asked->client_id.len <= LONGEST_USER;
    return reason == AV_ACCEPTED && !is_plain ? AV_MALFORMED_CREDENTIAL : reason;
}
