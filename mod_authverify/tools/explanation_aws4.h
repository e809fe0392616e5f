/* The part of an explanation that only AWS signatures need.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AVT_EXPLANATION_AWS4_H
#define AVT_EXPLANATION_AWS4_H

#include "explanation.h"

/* Tells the canonical request and the string to sign, and the signature that they come to. Sets
 * explanation->signed_text to the canonical request. `claim` is one of an aws4 rule. */
void avt_explain_aws4(avt_explanation *explanation, const av_claim *claim, av_slice body);

#endif
