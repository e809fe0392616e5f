/* The hooks that look again right before a handler runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"
#include "answer.h"
#include "credential_strip.h"
#include "header_value.h"
#include "verdicts.h"

#define NOTE "authverify-proxied" /* in r->notes: the request was on its way to a backend when it was sealed */

static bool is_proxied(const request_rec *r)
{
    return r->filename && strncmp(r->filename, "proxy:", 6) == 0;
}

static void strip_exported_names(request_rec *r)
{
    const apr_array_header_t *names = avh_server_of(r->server)->exported;
    for (int i = 0; i < names->nelts; i++) {
        avh_strip_header(r, APR_ARRAY_IDX(names, i, avh_exported).name);
    }
}

int avh_begin(request_rec *r)
{
    if (r->prev) {
        avh_rewind_body(r);
    } else {
        strip_exported_names(r);
    }
    return DECLINED;
}

/* The headers of a section are its own and those of the sections around it; for one name the inner one counts, and in
 * one section the last. False: one of them has no value that may be handed on. */
static bool collect_headers(apr_table_t *headers, const avh_section *section, const av_verdict *verdict)
{
    apr_pool_t *pool = apr_table_elts(headers)->pool;
    bool done = !section->outer || (collect_headers(headers, section->outer, verdict) &&
                                    collect_headers(headers, section->inner, verdict));
    for (const avh_header *header = section->headers; done && header; header = header->next) {
        const char *value = avh_value_of(header->value, verdict, pool);
        if (value) {
            apr_table_setn(headers, header->name, value);
        }
        done = value != NULL;
    }
    return done;
}

static void hand_identity_on(request_rec *r, const avh_section *section, const av_verdict *verdict,
                             const apr_table_t *headers)
{
    avh_protect_headers(r, section->policy);
    avh_strip_credentials(r, section->policy);
    apr_table_overlap(r->headers_in, headers, APR_OVERLAP_TABLES_SET);
    if (!r->user && !verdict->rule->proves_nobody) {
        r->user = apr_pstrdup(r->pool, verdict->client);
        r->ap_auth_type = AVH_NAME;
    }
}

/* A preflight goes on without proof, and so without anything that could make another method of it. */
static void strip_overrides(request_rec *r)
{
    static const char *const overrides[] = { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" };
    for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
        avh_strip_header(r, overrides[i]);
    }
}

static int apply(request_rec *r, const avh_section *section, const avh_decision *decision)
{
    if (avh_is_observed(section)) {
        avh_export_environment(r, section, &decision->verdict);
        return DECLINED;
    }
    if (avh_is_unproven(section, &decision->verdict)) {
        avh_export_environment(r, section, &decision->verdict);
        if (avh_is_preflight(section, &decision->verdict)) {
            strip_overrides(r);
            return DECLINED;
        }
        return section->require_seen == AVH_SWITCH_ON ? DECLINED : avh_refuse_for(r, section, AV_MISCONFIGURED);
    }
    if (decision->verdict.reason != AV_ACCEPTED) {
        return avh_refuse(r, section, decision);
    }
    apr_table_t *headers = apr_table_make(r->pool, 4);
    if (!collect_headers(headers, section, &decision->verdict)) {
        return avh_refuse_for(r, section, AV_UNFIT_CLAIM);
    }
    decision = avh_claim(r, section, decision);
    if (decision->verdict.reason != AV_ACCEPTED) {
        return avh_refuse(r, section, decision);
    }
    avh_note_seal(r, section);
    avh_tell_nonce(r, &decision->verdict);
    avh_export_environment(r, section, &decision->verdict);
    hand_identity_on(r, section, &decision->verdict, headers);
    return DECLINED;
}

int avh_seal(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    strip_exported_names(r);
    if (r->prev || r->main) {
        avh_clear_environment(r); /* it came from the request before, and may be another section's */
    }
    if (avh_wants_plain_path(section) && !avh_path_is_plain(r)) {
        return avh_refuse_for(r, section, AV_MALFORMED_REQUEST);
    }
    if (is_proxied(r)) {
        apr_table_setn(r->notes, NOTE, "1");
    }
    if (!avh_is_protected(section)) {
        return DECLINED;
    }
    if (avh_server_of(r->server)->has_cache && !avh_is_observed(section)) {
        r->no_cache = 1; /* mod_cache would serve the answer before any hook of ours, to anybody */
    }
    return apply(r, section, avh_decide(r, section));
}

/* What mod_proxy will make of "proxy:unix:/run/app.sock|http://localhost/": sections of <Proxy> name the URL. */
static char *without_socket(apr_pool_t *pool, char *filename)
{
    const char *bar = ap_cstr_casecmpn(filename, "proxy:unix:", 11) == 0 ? strchr(filename, '|') : NULL;
    return bar ? apr_pstrcat(pool, "proxy:", bar + 1, NULL) : filename;
}

/* RewriteRule [P] in a folder, and SetHandler "proxy:...", send a request to a backend after httpd has looked up the
 * sections of <Proxy>. They are looked up now, for their rules alone. NULL: the request is none of these. */
static ap_conf_vector_t *late_proxy_sections(request_rec *r)
{
    bool by_handler = !is_proxied(r) && r->handler && strncmp(r->handler, "proxy:", 6) == 0;
    if ((!by_handler && !is_proxied(r)) || apr_table_get(r->notes, NOTE) || !avh_server_of(r->server)->lines->nelts) {
        return NULL;
    }
    ap_conf_vector_t *sections = r->per_dir_config;
    char *filename = r->filename;
    int proxyreq = r->proxyreq;
    r->filename = without_socket(r->pool, by_handler ? apr_pstrcat(r->pool, r->handler, filename, NULL) : filename);
    r->proxyreq = PROXYREQ_REVERSE;
    ap_conf_vector_t *found = ap_run_map_to_storage(r) == OK ? r->per_dir_config : NULL;
    r->per_dir_config = sections;
    r->filename = filename;
    r->proxyreq = proxyreq;
    return found;
}

/* Under the settings that stand in these sections: whoever is asked for a password finds his. */
static int apply_late(request_rec *r, ap_conf_vector_t *late)
{
    ap_conf_vector_t *sections = r->per_dir_config;
    int status = DECLINED;
    r->per_dir_config = late;
    const avh_section *section = avh_section_of(r);
    if (avh_is_protected(section)) {
        status = apply(r, section, avh_decide(r, section));
    }
    r->per_dir_config = sections;
    return status;
}

int avh_check_seal(request_rec *r)
{
    ap_conf_vector_t *late = late_proxy_sections(r);
    int status = late ? apply_late(r, late) : DECLINED;
    if (status != DECLINED) {
        return status;
    }
    const avh_section *section = avh_section_of(r);
    if (!avh_is_protected(section)) {
        return DECLINED;
    }
    const avh_decision *decision = avh_decided(r, section);
    bool is_sealed = decision && decision->verdict.reason == AV_ACCEPTED && (r->main || avh_is_sealed(r, section));
    return is_sealed ? DECLINED : apply(r, section, avh_decide(r, section));
}
