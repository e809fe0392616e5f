/* The hooks that decide before a handler runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"
#include "answer.h"
#include "verdicts.h"

int avh_gate(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    if (avh_wants_plain_path(section) && !avh_path_is_plain(r)) {
        return avh_refuse_for(r, section, AV_MALFORMED_REQUEST);
    }
    if (!avh_is_protected(section)) {
        return DECLINED;
    }
    const avh_decision *decision = avh_decide(r, section);
    bool goes_on = decision->verdict.reason == AV_ACCEPTED || avh_is_observed(section) ||
                   avh_is_unproven(section, &decision->verdict);
    return goes_on ? DECLINED : avh_refuse(r, section, decision);
}

int avh_check_authn(request_rec *r)
{
    const avh_section *section = avh_section_of(r);
    const char *type = ap_auth_type(r);
    if (!avh_is_protected(section) || avh_is_observed(section) || (type && ap_cstr_casecmp(type, AVH_NAME) != 0)) {
        return DECLINED;
    }
    const avh_decision *decision = avh_decide(r, section);
    if (decision->verdict.reason != AV_ACCEPTED) {
        return avh_refuse(r, section, decision);
    }
    if (decision->verdict.rule->proves_nobody) {
        /* a user is asked for, and there is none: a credential may help, unless no rule takes one */
        return avh_refuse_for(r, section, av_policy_proves_somebody(section->policy) ? AV_NOT_PRESENTED : AV_NO_USER);
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
    /* httpd walks the folders in this phase and the locations once more after it; here that happens ahead of time. */
    if (ap_directory_walk(r) != OK || ap_file_walk(r) != OK || ap_location_walk(r) != OK || ap_if_walk(r) != OK) {
        return DECLINED;
    }
    const avh_section *section = avh_section_of(r);
    if (!avh_is_protected(section) || avh_is_observed(section)) {
        return DECLINED;
    }
    return avh_refuse(r, section, avh_decide(r, section));
}
