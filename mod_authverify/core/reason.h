/* Why a request was let in or refused: the enum, and what is known about each member, generated from reasons.def.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_REASON_H
#define AV_REASON_H

/* 0 is AV_UNDECIDED, which refuses: a zeroed or forgotten verdict lets nobody in. */
typedef enum av_reason {
#define AV_REASON(member, name, status, what, text) AV_##member,
#include "reasons.def"
#undef AV_REASON
    AV_REASON_COUNT
} av_reason;

/* All that a refused client learns, so that no answer tells an unknown key from a wrong proof. */
typedef enum av_class {
    AV_CLASS_ACCEPTED,
    AV_CLASS_NOT_PRESENTED, /* nothing that a rule looks at was sent */
    AV_CLASS_MALFORMED,     /* what was sent could never be right */
    AV_CLASS_AMBIGUOUS,     /* what was sent can be read in two ways */
    AV_CLASS_WRONG,         /* who sent it is not who, or not when, it says */
    AV_CLASS_LIMIT,         /* this is not for the sender, or not from there */
    AV_CLASS_THROTTLED,     /* this sender was here too often */
    AV_CLASS_METHOD,
    AV_CLASS_REQUEST, /* the request itself is broken, whoever sent it */
    AV_CLASS_BODY,    /* too large or too slow */
    AV_CLASS_BUSY,    /* come back later */
    AV_CLASS_OURS     /* the server's own fault */
} av_class;

/* The name in logs and in the environment: lower case, hyphens ("wrong-signature"). Static. */
const char *av_reason_name(av_reason reason);

/* The HTTP status of a refusal; 0 for AV_ACCEPTED and only for it. */
int av_reason_status(av_reason reason);

av_class av_reason_class(av_reason reason);

/* What is so, for the log and the manual. Static. */
const char *av_reason_text(av_reason reason);

/* What the client is told, the same for every reason of the class. Static. */
const char *av_class_text(av_class what);

#endif
