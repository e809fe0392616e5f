/* One client request and its verdicts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verdicts.h"
#include "answer.h"
#include "request_view.h"

#include "../core/strict_path.h"
#include "../core/throttle.h"
#include "../stores/replay_shm.h"

/* Something that this request was to be the first to use. */
typedef struct used {
    const av_once *once;
    av_replay_answer answer;
    struct used *before;
} used;

typedef struct request_memory {
    av_request view;
    bool body_is_read, body_is_dropped;
    avh_spool *spool; /* NULL: there is no body, or it is unread */
    avh_read_result read;
    avh_decision *decisions; /* the latest first */
    const av_policy *sealed; /* under which the main request was made ready for its handler; NULL: it was not */
    avh_decision *looked_up; /* the latest refusal that was logged as a lookup's */
    const av_throttle *told; /* who has counted a failed proof of this request */
    used *used;              /* the latest first */
} request_memory;

/* The request that the client sent: no subrequest of it, no redirect. */
static request_rec *client_request(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

/* The request whose filters the body comes through. */
static request_rec *main_request(request_rec *r)
{
    while (r->main) {
        r = r->main;
    }
    return r;
}

static request_memory *memory_of(request_rec *r)
{
    request_rec *root = client_request(r);
    request_memory *memory = ap_get_module_config(root->request_config, &authverify_module);
    if (!memory) {
        memory = apr_pcalloc(root->pool, sizeof(*memory));
        avh_view_take(root, &memory->view);
        ap_set_module_config(root->request_config, &authverify_module, memory);
    }
    return memory;
}

static avh_decision *find_decision(const request_memory *memory, const av_policy *policy)
{
    avh_decision *decision = memory->decisions;
    while (decision && decision->policy != policy) {
        decision = decision->before;
    }
    return decision;
}

/* Reads the body through the main request's filters. A subrequest has copies of where they began; where mod_dir or
 * mod_negotiation makes it the main request's successor, its handler must find the body, too. */
static void read_first(request_rec *r, request_memory *memory, const avh_section *section, av_reading *reading)
{
    request_rec *main = main_request(r);
    const ap_filter_t *before = main->input_filters, *before_protocol = main->proto_input_filters;
    memory->body_is_read = true;
    memory->read = avh_spool_read(main, section, avh_is_observed(section), reading, &memory->spool);
    for (; r->main; r = r->main) {
        if (r->input_filters == before) {
            r->input_filters = main->input_filters;
        }
        if (r->proto_input_filters == before_protocol) {
            r->proto_input_filters = main->proto_input_filters;
        }
    }
}

/* Brings the body to the reading: from the network the first time, from where it is kept afterwards. */
static av_reason read_body(request_rec *r, request_memory *memory, const avh_section *section, av_reading *reading)
{
    if (!memory->body_is_read) {
        read_first(r, memory, section, reading);
    } else if (memory->read.reason == AV_ACCEPTED && reading->coding && !reading->keeps_coding) {
        return AV_BODY_NOT_UNDERSTOOD; /* it was kept for another policy, in another form */
    } else if (memory->read.reason == AV_ACCEPTED && memory->spool && !avh_spool_feed(memory->spool, reading)) {
        return AV_INTERNAL_ERROR;
    }
    if (memory->read.reason != AV_ACCEPTED || !reading->keeps_body || !memory->spool) {
        return memory->read.reason;
    }
    return avh_spool_keep(memory->spool, section, reading) ? AV_ACCEPTED : AV_NO_ROOM;
}

static av_verdict prove(request_rec *r, request_memory *memory, const avh_section *section)
{
    apr_pool_t *pool = client_request(r)->pool;
    av_request *request = apr_pmemdup(pool, &memory->view, sizeof(*request));
    av_claim *claim = NULL;
    *request = avh_view_for(&memory->view, section, client_request(r));
    request->server = r;
    request->throttle = avh_is_observed(section) ? NULL : avh_counts_of(section);

    if (section->preflight == AVH_SWITCH_ON && av_is_preflight(section->policy, request, pool)) {
        return (av_verdict){ .reason = AV_NOT_PRESENTED, .is_preflight = true };
    }
    av_reason reason = av_find(section->policy, request, &claim, pool);
    if (reason != AV_ACCEPTED) {
        return av_refusal(reason, claim);
    }
    av_reading *reading = apr_palloc(pool, sizeof(*reading));
    reason = av_open(claim, reading, pool);
    reading->parse_limit = avh_body_parse(section);
    reading->body = (av_slice){ reading->lead.at ? reading->lead.at + reading->lead.len : "", 0 };
    if (reason == AV_ACCEPTED && reading->wants_body) {
        reason = read_body(r, memory, section, reading);
    }
    return reason == AV_ACCEPTED ? av_prove(claim, reading, request, pool)
                                 : av_refusal(reason, reading->refused ? reading->refused : claim);
}

/* Once for one request of the client's, however many sections it is led through. */
static void tell_throttle(request_memory *memory, const avh_decision *decision)
{
    if (decision->throttle != memory->told &&
        av_throttle_tell(decision->throttle, &memory->view.address, &decision->verdict, apr_time_now())) {
        memory->told = decision->throttle;
    }
}

const avh_decision *avh_decided(request_rec *r, const avh_section *section)
{
    return find_decision(memory_of(r), section->policy);
}

static void remember(const request_rec *r, request_memory *memory, avh_decision *decision)
{
    if (r->main && decision->policy && decision->policy->is_passing) {
        return; /* the policy ends with this lookup, and the next one may have its address */
    }
    decision->before = memory->decisions;
    memory->decisions = decision;
    if (r->main && decision->verdict.reason != AV_ACCEPTED) {
        memory->looked_up = decision;
    }
}

const avh_decision *avh_decide(request_rec *r, const avh_section *section)
{
    request_memory *memory = memory_of(r);
    avh_decision *decision = find_decision(memory, section->policy);
    if (decision) {
        return decision;
    }
    decision = apr_pcalloc(client_request(r)->pool, sizeof(*decision));
    decision->policy = section->policy;
    if (section->protection == AVH_CONTRADICTED || av_policy_check(section->policy)) {
        decision->verdict = av_refusal(AV_MISCONFIGURED, NULL);
    } else if (r->method_number == M_TRACE) {
        decision->verdict = av_refusal(AV_METHOD_REFUSED, NULL);
    } else {
        decision->verdict = prove(r, memory, section);
        decision->throttle = avh_is_observed(section) ? NULL : avh_counts_of(section);
    }
    if (!r->main) { /* what httpd looks up by itself is nobody's attempt, unless it becomes the answer */
        tell_throttle(memory, decision);
    }
    decision->status = decision->verdict.reason == memory->read.reason ? memory->read.status : 0;
    avh_log_verdict(r, section, &decision->verdict);
    remember(r, memory, decision);
    return decision;
}

/* Asked for once: a lookup or a redirect of the same request must not meet what the request itself has claimed. */
static av_replay_answer use(request_rec *r, request_memory *memory, const av_once *once)
{
    av_replay_shm *replays = avh_server_of(r->server)->replays;
    for (const used *each = memory->used; each; each = each->before) {
        if (memcmp(each->once->key, once->key, sizeof(once->key)) == 0) {
            return each->answer;
        }
    }
    used *made = apr_palloc(client_request(r)->pool, sizeof(*made));
    *made = (used){ once, AV_REPLAY_FULL, memory->used };
    if (replays) {
        made->answer = av_replay_shm_claim(replays, once->key, apr_time_now(), once->until);
    }
    memory->used = made;
    return made->answer;
}

static av_reason use_all(request_rec *r, request_memory *memory, const av_once *once)
{
    for (; once; once = once->next) {
        switch (use(r, memory, once)) {
        case AV_REPLAY_CLAIMED:
            break;
        case AV_REPLAY_SEEN:
            return once->reason;
        default:
            return AV_REPLAY_MEMORY_FULL;
        }
    }
    return AV_ACCEPTED;
}

const avh_decision *avh_claim(request_rec *r, const avh_section *section, const avh_decision *decision)
{
    request_memory *memory = memory_of(r);
    av_reason reason = use_all(r, memory, decision->verdict.once);
    if (reason == AV_ACCEPTED) {
        return decision;
    }
    avh_decision *refusal = apr_pmemdup(client_request(r)->pool, decision, sizeof(*decision));
    refusal->verdict = (av_verdict){ .reason = reason,
                                     .rule = decision->verdict.rule,
                                     .in_query = decision->verdict.in_query,
                                     .is_bound = decision->verdict.is_bound,
                                     .nonce = decision->verdict.nonce,
                                     .id = decision->verdict.id };
    avh_log_verdict(r, section, &refusal->verdict);
    remember(r, memory, refusal);
    return refusal;
}

const av_request *avh_request_of(request_rec *r)
{
    return &memory_of(r)->view;
}

bool avh_path_is_plain(request_rec *r)
{
    return av_path_is_plain(memory_of(r)->view.path);
}

void avh_note_seal(request_rec *r, const avh_section *section)
{
    if (!r->main) {
        memory_of(r)->sealed = section->policy;
    }
}

bool avh_is_sealed(request_rec *r, const avh_section *section)
{
    return memory_of(r)->sealed == section->policy;
}

const avh_decision *avh_passed_on(request_rec *r)
{
    const request_memory *memory = ap_get_module_config(client_request(r)->request_config, &authverify_module);
    const avh_decision *decision = memory ? memory->looked_up : NULL;
    return decision && r->status == avh_status_of(avh_section_of(r), &decision->verdict) ? decision : NULL;
}

int avh_log_passed_on(request_rec *r)
{
    request_rec *last = r;
    while (last->next) {
        last = last->next;
    }
    const avh_decision *decision = avh_passed_on(last);
    if (decision) {
        tell_throttle(memory_of(r), decision);
        avh_log_refusal(r, &decision->verdict);
    }
    return DECLINED;
}

void avh_rewind_body(request_rec *r)
{
    request_memory *memory = ap_get_module_config(client_request(r)->request_config, &authverify_module);
    if (memory && memory->spool) {
        avh_spool_rewind(memory->spool);
    }
}

void avh_drop_body(request_rec *r)
{
    request_memory *memory = memory_of(r);
    if (!memory->body_is_dropped) {
        memory->body_is_dropped = true;
        if (!memory->body_is_read) {
            memory->body_is_read = true;
            memory->read.reason = AV_BODY_INCOMPLETE; /* for another policy that may want it now */
        }
        avh_spool_drop(main_request(r), memory->spool);
    }
}
