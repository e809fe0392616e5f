/* The hooks that decide before a handler runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"
#include "answer.h"
#include "verdicts.h"

/* A request that shows nothing goes on to Require in a section where that is its last word. */
static bool may_pass_unproven(const avh_section *section, av_reason reason)
{
    return section->mode == AVH_OPTIONAL && reason == AV_NOT_PRESENTED && section->protection == AVH_ON;
}

int avh_gate(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    if (!avh_is_protected(section)) {
        return DECLINED;
    }
    const avh_decision *decision = avh_decide(r, section);
    av_reason reason = decision->verdict.reason;
    bool is_observed = section->mode == AVH_OBSERVE && section->protection == AVH_ON;
    if (reason == AV_ACCEPTED || is_observed || may_pass_unproven(section, reason)) {
        return DECLINED;
    }
    return avh_refuse(r, section, decision);
}

int avh_check_authn(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    const char *type = ap_auth_type(r);
    if (!avh_is_protected(section) || section->mode == AVH_OBSERVE || (type && ap_cstr_casecmp(type, AVH_NAME) != 0)) {
        return DECLINED;
    }
    const avh_decision *decision = avh_decide(r, section);
    if (decision->verdict.reason != AV_ACCEPTED) {
        return avh_refuse(r, section, decision);
    }
    r->user = apr_pstrdup(r->pool, decision->verdict.client);
    r->ap_auth_type = AVH_NAME;
    return OK;
}

int avh_refuse_trace(request_rec *r)
{
    if (r->method_number != M_TRACE || r->proxyreq) {
        return DECLINED; /* a proxied one comes to the gate */
    }
    if (ap_directory_walk(r) != OK || ap_file_walk(r) != OK) {
        return DECLINED;
    }
    const avh_section *section = avh_section_of(r);
    if (!avh_is_protected(section) || section->mode == AVH_OBSERVE) {
        return DECLINED;
    }
    return avh_refuse(r, section, avh_decide(r, section));
}
