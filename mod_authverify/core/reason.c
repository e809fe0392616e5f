/* The table of reasons, made from reasons.def.
 * SPDX-License-Identifier: Apache-2.0 */
#include "reason.h"

static const struct {
    const char *name;
    int status;
    av_class what;
    const char *text;
} reasons[] = {
#define AV_REASON(member, name, status, what, text) { name, status, AV_CLASS_##what, text },
#include "reasons.def"
#undef AV_REASON
};

/* Malformed and wrong are one to the client: an answer that told them apart would tell what a right one looks like. */
static const char *const class_texts[] = {
    [AV_CLASS_ACCEPTED] = "The request was accepted.",
    [AV_CLASS_NOT_PRESENTED] = "This location needs a credential and none was sent.",
    [AV_CLASS_MALFORMED] = "The credential does not prove this request.",
    [AV_CLASS_AMBIGUOUS] = "The credential was sent more than once.",
    [AV_CLASS_WRONG] = "The credential does not prove this request.",
    [AV_CLASS_LIMIT] = "This request is not allowed here.",
    [AV_CLASS_THROTTLED] = "There were too many attempts. Come back later.",
    [AV_CLASS_METHOD] = "This method is not available here.",
    [AV_CLASS_REQUEST] = "The request is malformed or incomplete.",
    [AV_CLASS_BODY] = "The request's body is too large or took too long.",
    [AV_CLASS_BUSY] = "The request cannot be checked at the moment.",
    [AV_CLASS_OURS] = "The server could not check the request.",
};

static av_reason known(av_reason reason)
{
    return (unsigned)reason < AV_REASON_COUNT ? reason : AV_UNDECIDED;
}

const char *av_reason_name(av_reason reason)
{
    return reasons[known(reason)].name;
}

int av_reason_status(av_reason reason)
{
    return reasons[known(reason)].status;
}

av_class av_reason_class(av_reason reason)
{
    return reasons[known(reason)].what;
}

const char *av_reason_text(av_reason reason)
{
    return reasons[known(reason)].text;
}

const char *av_class_text(av_class what)
{
    return class_texts[what];
}
