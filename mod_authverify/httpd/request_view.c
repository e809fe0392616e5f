/* What the client sent, as the core sees it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "request_view.h"

#include <http_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static void take_headers(request_rec *r, av_request *view)
{
    const apr_array_header_t *table = apr_table_elts(r->headers_in);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)table->elts;
    av_header *headers = apr_palloc(r->pool, (apr_size_t)(table->nelts + 1) * sizeof(*headers));
    apr_size_t count = 0;
    for (int i = 0; i < table->nelts; i++) {
        if (entries[i].key) {
            headers[count++] = (av_header){ av_slice_of(entries[i].key), av_slice_of(entries[i].val) };
        }
    }
    view->headers = headers;
    view->header_count = count;
}

/* The target of the request line. An absolute URL (RFC 9112 section 3.2.2) counts from the end of its authority on, as
 * for httpd: there may be a query and no path. */
static av_slice target_of(const request_rec *r)
{
    const char *target = r->unparsed_uri ? r->unparsed_uri : "";
    const char *authority = *target == '/' ? NULL : strstr(target, "://");
    return av_slice_of(authority ? authority + 3 + strcspn(authority + 3, "/?#") : target);
}

/* Of the client, or of whom mod_remoteip says it is. */
static av_address address_of(const apr_sockaddr_t *from)
{
#if APR_HAVE_IPV6
    if (from->family == APR_INET6) {
        return av_address_of_ipv6((const unsigned char *)&from->sa.sin6.sin6_addr);
    }
#endif
    return av_address_of_ipv4((const unsigned char *)&from->sa.sin.sin_addr);
}

av_slice avh_view_place(const av_request *view, apr_pool_t *pool)
{
    char *place = av_slice_string(view->path, pool);
    bool is_clean = ap_unescape_url(place) == OK && ap_normalize_path(place, AP_NORMALIZE_MERGE_SLASHES);
    return av_slice_of(is_clean ? place : "");
}

void avh_view_take(request_rec *r, av_request *view)
{
    memset(view, 0, sizeof(*view));
    view->method = av_slice_of(r->method);
    view->target = target_of(r);
    view->query = view->target;
    av_slice_split(&view->query, '?', &view->path);
    if (!view->query.at) {
        view->query = (av_slice){ "", 0 };
    }
    view->received_at = r->request_time;
    view->address = address_of(r->useragent_addr);
    take_headers(r, view);
}

/* One of the virtual host's own names, without a port. "ServerAlias *" takes any. */
static bool is_our_name(const char *host, const server_rec *s)
{
    if (!host || (s->server_hostname && ap_cstr_casecmp(host, s->server_hostname) == 0)) {
        return host != NULL;
    }
    for (int i = 0; s->names && i < s->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(s->names, i, const char *);
        if (name && ap_cstr_casecmp(host, name) == 0) {
            return true;
        }
    }
    for (int i = 0; s->wild_names && i < s->wild_names->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(s->wild_names, i, const char *);
        if (pattern && ap_strcasecmp_match(host, pattern) == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 8705 section 3.1: the SHA-256 of the DER of what the client has shown, and has proven to hold the key of. */
static av_slice certificate_of(request_rec *r)
{
    const char *pem = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_CERT");
    unsigned char *digest = apr_palloc(r->pool, EVP_MAX_MD_SIZE);
    unsigned size = 0;
    BIO *bio = pem && *pem ? BIO_new_mem_buf(pem, -1) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool done = certificate && X509_digest(certificate, EVP_sha256(), digest, &size) == 1;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return done ? (av_slice){ (const char *)digest, size } : (av_slice){ NULL, 0 };
}

av_request avh_view_for(const av_request *view, const avh_section *section, request_rec *r)
{
    av_request seen = *view;
    seen.host_is_ours = true;
    if (section->policy->has_paths) {
        seen.place = avh_view_place(&seen, r->pool);
    }
    if (section->policy->asks_certificate) {
        seen.certificate = certificate_of(r);
    }
    if (!section->policy->covers_host) {
        return seen;
    }
    if (section->origin) {
        seen.origin = av_slice_of(section->origin);
        return seen;
    }
    const char *host = apr_table_get(r->headers_in, "Host");
    seen.host_is_ours = section->registered == AVH_SWITCH_ON || is_our_name(r->hostname, r->server);
    seen.origin = av_slice_of(apr_pstrcat(r->pool, ap_http_scheme(r), "://", host ? host : "", NULL));
    return seen;
}
