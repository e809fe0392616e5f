/* What an AWS signature was made of.
 * SPDX-License-Identifier: Apache-2.0 */
#include "explanation_aws4.h"
#include "../schemes/aws4/request.h"

#include <apr_strings.h>

/* One sentence for each line, so that a difference meets the eye. */
static void say_lines(avt_explanation *explanation, const char *what, av_slice text)
{
    av_slice line;
    int number = 0;
    avt_say(explanation, "%s:", what);
    while (av_slice_split(&text, '\n', &line)) {
        avt_say(explanation, "  %2d  %s", ++number, avt_printable(line, explanation->pool));
    }
}

/* Where the text that the client says it has signed leaves ours. */
static void compare(avt_explanation *explanation, const char *what, av_slice ours)
{
    av_slice theirs = explanation->client_text, line, other;
    theirs.len -= theirs.at[theirs.len - 1] == '\n'; /* the editor's, not the signer's */
    for (int number = 1; ours.at || theirs.at; number++) {
        bool is_ours = av_slice_split(&ours, '\n', &line), is_theirs = av_slice_split(&theirs, '\n', &other);
        if (!is_ours || !is_theirs) {
            avt_say(explanation, "the client's %s has %s lines than this one", what, is_ours ? "fewer" : "more");
            return;
        }
        if (!av_slice_equal(line, other)) {
            avt_say(explanation, "the client's %s differs first in line %d: %s", what, number,
                    avt_printable(other, explanation->pool));
            return;
        }
    }
    avt_say(explanation, "the client's %s is the same", what);
}

static void explain_signature(avt_explanation *explanation, const av_claim *claim, const av_key *key,
                              const av_aws4_credential *credential, av_slice text)
{
    av_aws4_signer *signer = av_aws4_signer_create(claim->rule->crypto, credential, explanation->pool);
    if (!signer || !av_aws4_signer_derive(signer, key)) {
        return;
    }
    av_slice made = av_aws4_signer_sign(signer, text, explanation->pool);
    bool is_right = av_aws4_signer_check(signer, text, credential->signature);
    avt_say(explanation, "signature under the secret \"%s\": %s%s", key->label, made.len ? made.at : "ECDSA",
            is_right ? ", which was sent" : ", which was not sent");
}

static av_slice payload_line(const av_claim *claim, const av_aws4_request *request, av_slice body, apr_pool_t *pool)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (request->payload.line.len) {
        return request->payload.line;
    }
    av_digest(claim->rule->crypto->sha256, body, hash, &size);
    return av_encode(AV_HEX, (av_slice){ (const char *)hash, size }, pool);
}

static bool is_string_to_sign(av_slice text)
{
    return av_slice_starts_with(text, AV_SLICE("AWS4-"));
}

void avt_explain_aws4(avt_explanation *explanation, const av_claim *claim, av_slice body)
{
    const av_aws4_request *request = claim->parsed;
    apr_pool_t *pool = explanation->pool;
    if (!request || !request->canonical.text) {
        return; /* the head was refused before it came to that */
    }
    av_slice head = av_aws4_canonical_write(&request->canonical, 0), last = payload_line(claim, request, body, pool);
    av_slice canonical = av_slice_join(head, last, pool);
    av_slice hash = av_aws4_canonical_hash(claim->rule->crypto, head, last, pool);
    av_slice text = av_aws4_string_to_sign(&request->credential, hash, pool);
    explanation->signed_text = avt_printable(canonical, pool);
    say_lines(explanation, "canonical request", canonical);
    say_lines(explanation, "string to sign", text);
    if (explanation->client_text.len) {
        bool is_text = is_string_to_sign(explanation->client_text);
        compare(explanation, is_text ? "string to sign" : "canonical request", is_text ? text : canonical);
    }
    if (request->canonical.joints) {
        avt_say(explanation, "a comma and a blank may stand for two fields of one name, which the client signs with a "
                             "comma alone");
    }
    avt_say(explanation, "signature sent: %s", av_slice_string(request->credential.signature, pool));
    for (apr_size_t i = 0; claim->client && i < claim->client->key_count; i++) {
        explain_signature(explanation, claim, &claim->client->keys[i], &request->credential, text);
    }
}
