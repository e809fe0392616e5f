/* The published suites of AWS signatures, each text on the way: with what no client can send (blanks in a target, folded
 * headers). They are data kept beside the source tree, in $AUTHVERIFY_SHARED; where they are not, nothing is tried here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "schemes/aws4/request.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define SUITES "vectors/sigv4/suite/"

/* What a case says of its request. A text that is not said is NULL. */
typedef struct vector {
    const char *name;
    built_request request;
    const char *canonical, *string_to_sign;
    bool is_accepted;
} vector;

static const char *shared_path(const char *name)
{
    const char *shared = getenv("AUTHVERIFY_SHARED"), *source = getenv("AUTHVERIFY_SOURCE");

    return shared ? apr_pstrcat(pool, shared, "/" SUITES, name, NULL)
                  : apr_pstrcat(pool, source ? source : ".", "/../shared/" SUITES, name, NULL);
}

/* --- a case, stage by stage ----------------------------------------------------------------------------------------- */

static av_slice body_hash(av_slice body)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    ck_assert(av_digest(compiler.crypto->sha256, body, hash, &size));
    return av_encode(AV_HEX, (av_slice){ (const char *)hash, size }, pool);
}

/* As it stands, or with every joint closed: no case has another choice. */
static av_slice canonical_of(const av_aws4_request *notes, av_slice payload_line, const char *wanted)
{
    av_slice open = av_slice_join(av_aws4_canonical_write(&notes->canonical, 0), payload_line, pool);
    av_slice closed = av_slice_join(av_aws4_canonical_write(&notes->canonical, AV_AWS4_ALL_JOINED), payload_line, pool);

    return av_slice_equal(closed, av_slice_of(wanted)) ? closed : open;
}

/* A request that was altered on its way has other texts than its signer's. */
static void assert_stages(const vector *read, const av_policy *policy)
{
    av_claim *claim;

    if (!read->canonical || !read->is_accepted) {
        return;
    }
    assert_reason(av_find(policy, &read->request.head, &claim, pool), AV_ACCEPTED, read->name);
    const av_aws4_request *notes = claim->parsed;
    bool is_computed = notes->payload.kind == AV_AWS4_COMPUTED;
    av_slice line = is_computed ? body_hash(read->request.body) : notes->payload.line;
    av_slice canonical = canonical_of(notes, line, read->canonical);
    assert_slice(canonical, av_slice_of(read->canonical), apr_pstrcat(pool, read->name, ": canonical request", NULL));
    assert_slice(av_aws4_string_to_sign(&notes->credential, body_hash(canonical), pool),
                 av_slice_of(read->string_to_sign), apr_pstrcat(pool, read->name, ": string to sign", NULL));
}

static void assert_verdict(const vector *read, const av_policy *policy)
{
    av_verdict verdict = decide(policy, &read->request);

    ck_assert_msg((verdict.reason == AV_ACCEPTED) == read->is_accepted, "%s: %s", read->name,
                  av_reason_name(verdict.reason));
}

/* --- the published suites ------------------------------------------------------------------------------------------- */

static const char *const suites[] = { "v4.json", "v4a.json", "botocore.json", "chunked.json" };

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* RFC 9112 section 5.2: a line end and the blanks behind it are one space. */
static av_slice unfold(const char *value)
{
    char *flat = apr_pstrdup(pool, value);

    for (char *at = flat; *at; at++) {
        *at = *at == '\r' || *at == '\n' ? ' ' : *at;
    }
    return av_slice_trim(av_slice_of(flat));
}

/* As httpd does: the fields of one name are one. */
static void add_field(av_request *head, const char *name, const char *value)
{
    av_header *headers = (av_header *)head->headers;

    for (apr_size_t i = 0; i < head->header_count; i++) {
        if (av_slice_equal_nocase(headers[i].name, av_slice_of(name))) {
            av_slice joined = av_slice_join(headers[i].value, AV_SLICE(", "), pool);
            headers[i].value = av_slice_join(joined, unfold(value), pool);
            return;
        }
    }
    headers[head->header_count++] = (av_header){ av_slice_of(name), unfold(value) };
}

static void build(const json_t *object, built_request *request)
{
    const json_t *fields = json_object_get(object, "headers"), *field;
    const char *body = text(object, "body_base64"), *host = "";
    size_t index;

    *request = (built_request){ .head = { .method = av_slice_of(text(object, "method")),
                                          .target = av_slice_of(text(object, "raw_target")),
                                          .host_is_ours = true,
                                          .headers = apr_pcalloc(pool, 64 * sizeof(av_header)),
                                          .received_at = apr_time_from_sec(
                                              json_integer_value(json_object_get(object, "verify_time"))) },
                                .parse_limit = 1024 };
    request->head.query = request->head.target;
    av_slice_split(&request->head.query, '?', &request->head.path);
    json_array_foreach(fields, index, field)
    {
        const char *name = json_string_value(json_array_get(field, 0)),
                   *value = json_string_value(json_array_get(field, 1));
        add_field(&request->head, name, value);
        host = strcasecmp(name, "host") == 0 ? value : host;
    }
    request->head.origin = av_slice_of(apr_pstrcat(pool, "http://", host, NULL));
    apr_size_t len = 0;
    unsigned char *bytes = apr_palloc(pool, strlen(body) + 1);
    ck_assert(av_decode(AV_BASE64, av_slice_of(body), bytes, strlen(body) + 1, &len));
    request->body = (av_slice){ (const char *)bytes, len };
    request->step = 4096;
}

static const char *rule_for(const json_t *object)
{
    const json_t *options = json_object_get(object, "options");
    const char *token = text(object, "session_token"), *mode = text(object, "path_mode");
    bool may_be_unsigned = json_is_true(json_object_get(options, "token_may_be_unsigned")) ||
                           json_is_true(json_object_get(options, "token_after_signing"));

    setenv("SUITE_SECRET", text(object, "secret"), 1);
    setenv("SUITE_TOKEN", token ? token : "", 1);
    return apr_pstrcat(pool, "aws4 secret=env:SUITE_SECRET unsigned-payload=on access-key=", text(object, "access_key"),
                       " region=", text(object, "region"), " service=", text(object, "service"),
                       token ? " session-token=env:SUITE_TOKEN" : "", may_be_unsigned ? " token=unsigned" : "",
                       strcmp(mode, "s3") == 0       ? " s3=on"
                       : strcmp(mode, "double") == 0 ? " s3=off"
                                                     : " path=raw",
                       NULL);
}

START_TEST(a_published_suite_is_right_at_every_stage)
{
    const char *path = shared_path(suites[_i]);
    json_t *suite = json_load_file(path, 0, NULL), *object;
    size_t index;

    if (!suite) {
        ck_assert_msg(access(path, R_OK) != 0, "%s is not JSON", path);
        return;
    }
    ck_assert_uint_gt(json_array_size(json_object_get(suite, "cases")), 0);
    json_array_foreach(json_object_get(suite, "cases"), index, object)
    {
        vector read = { .name = text(object, "name"),
                        .canonical = text(object, "expected_canonical_request"),
                        .string_to_sign = text(object, "expected_string_to_sign"),
                        .is_accepted = strcmp(text(object, "expect"), "accept") == 0 };
        build(object, &read.request);
        av_policy *policy = policy_of(rule_for(object));
        assert_stages(&read, policy);
        assert_verdict(&read, policy);
    }
    json_decref(suite);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("aws4 suites");
    TCase *tests = trial_case(suite, "suites");

    tcase_add_loop_test(tests, a_published_suite_is_right_at_every_stage, 0, ROWS(suites));
    return suite;
}
