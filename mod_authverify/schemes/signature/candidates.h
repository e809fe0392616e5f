/* The signatures that a request offers, decoded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AV_SIGNATURE_CANDIDATES_H
#define AV_SIGNATURE_CANDIDATES_H

#include "settings.h"

/* Reads every place of the rule into claim->proofs. Returns AV_ACCEPTED with at least one proof, or
 * AV_MALFORMED_CREDENTIAL (none that is written as the options say, more than AV_MAX_PROOFS), AV_AMBIGUOUS_CREDENTIAL.
 * */
av_reason av_signature_candidates(const av_signature_settings *settings, const av_view *view, av_claim *claim,
                                  apr_pool_t *pool);

#endif
