/* Readings: what a claim needs of the body, and that each text which a template can make is the one that is proven.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/reading.h"
#include "support/trial.h"

#include <apr_strings.h>
#include <openssl/hmac.h>

#define RULE "signature signature=%{header:X-S} secret=env:SECRET "
#define FOUR "secret=env:SECOND secret=env:SECOND secret=env:SECOND secret=env:SECOND "
#define SOME_MAC "00000000000000000000000000000000000000000000000000000000000000ff"
#define ED25519 "signature key-encoding=hex algorithm=ed25519 secret=env:ED25519 "

static void set_ed25519_key(void)
{
    setenv("ED25519", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 1);
}

/* X-S is well-formed for hmac-sha256, X-L for ed25519. */
#define REQUEST(body)              \
    "POST /p?q=1 HTTP/1.1\n"       \
    "Host: example.org\n"          \
    "X-S: " SOME_MAC "\n"          \
    "X-L: " SOME_MAC SOME_MAC "\n" \
    "X-T: 17\n"                    \
    "\n" body

static const struct {
    const char *rule;
    bool wants_body, keeps_body;
    int lanes;
    bool hashes;
    const char *lead; /* NULL: there is none */
} needs[] = {
    { RULE, true, false, 1, false, NULL },
    { RULE "signed=v0:%{header:X-T}:%{body}", true, false, 1, false, NULL },
    { RULE "signed=%{body}.%{header:X-T}", true, false, 1, false, NULL },
    { RULE "signed=%{header:X-T}", false, false, 0, false, NULL },
    { RULE "signed=%{body}%{body}", true, true, 0, false, NULL },
    { RULE "signed=%{body-sha256}", true, false, 0, true, NULL },
    { RULE "signed=%{body}%{body-sha256}", true, false, 1, true, NULL },
    { RULE "signed=%{body-sha256}%{body}", true, true, 0, true, NULL },
    { RULE "signed=%{json:/a}", true, true, 0, false, NULL },
    { RULE "signed=%{form:a}", true, true, 0, false, NULL },
    { RULE "signed=%{body}%{json:/a}", true, true, 1, false, NULL },
    { RULE "signed=%{json:/a}%{body}", true, true, 0, false, NULL },
    { RULE "expect=%{json:/a}:1", true, true, 1, false, NULL },
    { RULE "signed=%{header:X-T} expect=%{form:a}:1", true, true, 0, false, NULL },
    { RULE "expect=%{header:X-T}:17", true, false, 1, false, NULL },
    { RULE "secret=env:SECOND", true, false, 2, false, NULL },
    { RULE "secret=env:SECOND secret=env:SECOND secret=env:SECOND", true, false, 4, false, NULL },
    { RULE FOUR, true, true, 4, false, NULL },
    { RULE FOUR "signed=%{header:X-T}", false, false, 0, false, NULL },
    { RULE "algorithm=token", false, false, 0, false, NULL },
    { RULE "algorithm=token expect=%{json:/a}:1", true, true, 0, false, NULL },
    { ED25519 "signature=%{header:X-L}", true, true, 0, false, "" },
    { ED25519 "signature=%{header:X-L} signed=%{header:X-T}%{body}", true, true, 0, false, "17" },
    { ED25519 "signature=%{header:X-L} signed=v1.%{header:X-T}.%{body}", true, true, 0, false, "v1.17." },
    { ED25519 "signature=%{header:X-L} signed=%{body}%{header:X-T}", true, true, 0, false, NULL },
    { ED25519 "signature=%{header:X-L} signed=%{body}%{body}", true, true, 0, false, NULL },
    { ED25519 "signature=%{header:X-L} signed=%{json:/a}%{body}", true, true, 0, false, NULL },
    { ED25519 "signature=%{header:X-L} signed=%{header:X-T}", false, false, 0, false, NULL },
};

/* The claims of a request under a policy that finds them well-formed. */
static av_claim *claim_of(const av_policy *policy, const built_request *request)
{
    av_claim *claim;

    assert_reason(av_find(policy, &request->head, &claim, pool), AV_ACCEPTED, "find");
    return claim;
}

static void open_reading(av_claim *claim, av_reading *reading)
{
    memset(reading, 0xff, sizeof(*reading));
    assert_reason(av_open(claim, reading, pool), AV_ACCEPTED, "open");
}

START_TEST(a_reading_asks_for_what_its_claim_needs_and_no_more)
{
    built_request request = request_of(REQUEST("body"));
    av_claim *claim = claim_of(policy_of(needs[_i].rule), &request);
    av_reading reading;

    open_reading(claim, &reading);
    ck_assert_msg(reading.wants_body == needs[_i].wants_body, "%s: wants", needs[_i].rule);
    ck_assert_msg(reading.keeps_body == needs[_i].keeps_body, "%s: keeps", needs[_i].rule);
    ck_assert_msg(reading.lane_count == (apr_size_t)needs[_i].lanes, "%s: lanes", needs[_i].rule);
    ck_assert_msg((reading.hash != NULL) == needs[_i].hashes, "%s: hash", needs[_i].rule);
    ck_assert_msg((reading.lead_claim == claim) == (needs[_i].lead != NULL), "%s: lead", needs[_i].rule);
    assert_slice(reading.lead, av_slice_of(needs[_i].lead ? needs[_i].lead : ""), needs[_i].rule);
    ck_assert_int_eq(reading.refusal, AV_UNDECIDED);
    ck_assert_ptr_eq(claim->client, &claim->rule->sender);
}
END_TEST

#define JSON "{\"a\":\"x\",\"b\":2}"
#define FORM "a=x+y&b=%41"

/* MACs of `text` with SECRET: printf %s TEXT | openssl dgst -sha256 -hmac "$SECRET". */
static const struct {
    const char *text_of, *body, *text, *mac;
} texts[] = {
    { "%{body}", JSON, JSON, "ccf02f3834b4c4cd5d9495542b90a4b43747658d140bb2f6ff1ceeb35dd53eb1" },
    { "%{body}", "", "", "18a4f7b0351eb38aed1a9ade19b093ff82ac8d69befbe01303bd72e01905a92f" },
    { "v0:%{header:X-T}:%{body}", JSON, "v0:17:" JSON,
      "67d6be3331a542ceb191423742d82c1f3bce4cf7492d71c7dbece2a9d435f6fc" },
    { "v0:%{header:X-T}:%{body}", "", "v0:17:", "87c1b20368ecf1081da24293315c65dc886821c87fa2d40c8b44aee393f9f9e2" },
    { "%{body}.%{header:X-T}", JSON, JSON ".17", "223363d9b29c37dde79a7d26a7ce4e8fb55a62eda017c934e64101935e2a071f" },
    { "a%{body}b%{method}c", JSON, "a" JSON "bPOSTc",
      "766f5a2631d312d7d5d9129a5a7189dfb553bab12df19c8db462b630ced11daa" },
    { "%{body}%{body}", JSON, JSON JSON, "7546a0bd1587930997659b33b1ba05419caa732a0d3fa7a3ffff91b94b474cc2" },
    { "a%{body}b%{body}c", "-", "a-b-c", "cafc55842e9deda2408185a4504e3f74ec263ba62d8ae4dae40dcacc6626b203" },
    { "a%{body}b%{body}c", "", "abc", "135cc6a1616f35776e4394ab0d1d36a3f80c847f955c5f0c3fde99ad4ef40a2b" },
    { "%{method}%{lf}%{url}%{lf}%{body}", "-", "POST\nhttps://example.org/p?q=1\n-",
      "83ad0bf27af1bbb7fdf72a3c3c5d6e6e8f5a801a837726a039f84d7a0ce3b5b5" },
    { "%{path}.%{query}.%{query:q}.%{body}", "-", "/p.q=1.1.-",
      "debb0bba222d49d7a1b8f1f79ee3470449cf567813d479f5fd180be2c88f2b03" },
    { "%{body-sha256}", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "ae4d10d93c790cafa706de4d4b0262ff08470a932cca969fe8979028cf0f2dab" },
    { "%{body-sha256}", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6ac7d7c89fac3cf2cbbb666e8280df92acc93dfde2d652af761d51ff2bfaa1ae" },
    { "%{method}.%{body-sha256}.", "abc", "POST.ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.",
      "222d9bd612de9adcdba21f584bfbc3d094c86fb4d7f81f37b42d90f5361d34e7" },
    { "%{body-sha256}.%{body}", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.abc",
      "22209d0f13930304d6f4dd9aa6fdc8ea016f77e586fca10d531280a34c08c9e9" },
    { "%{body}.%{body-sha256}", "abc", "abc.ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "3782944c885af3cc809b55f952899abd5cb8d7e30bbb34b32333036fe67e236b" },
    { "%{json:/a}.%{json:/b}", JSON, "x.2", "898cd69eaebc15f67edadc8a3510e8a8ede13acaea401ef260626b2a1c06ec67" },
    { "%{json:/a}.%{body}", JSON, "x." JSON, "bd73b29d7c9a7bdfb3211a406c0a7292eb75fdb8ed05f095e9c2e13e02359693" },
    { "%{body}.%{json:/b}", JSON, JSON ".2", "e4e3fd54d354bd4d802bd570a9c22d4c3453a1c52ff23964bcb758bc9abc166a" },
    { "%{form:a}.%{form:b}", FORM, "x y.A", "1110de358dbf852563b6bc384891b1c41d5caa159b93e07b10336b335cc15031" },
    { "%{header:X-T}.%{form:b}.%{body}", FORM, "17.A." FORM,
      "354f8b180a862a33a7ebd2efd0f0354df3927c99af866dde2e9e1686b2dedd02" },
    { "%{header:X-T}", "unsigned", "17", "2e58f3f452f50e1c91a674110dfc70bbaa8dde93f31719039b08837323b0f2e9" },
};

static const char *request_with(const char *mac, const char *body)
{
    return apr_pstrcat(pool, "POST /p?q=1 HTTP/1.1\nHost: example.org\nX-T: 17\nX-S: ", mac, "\n\n", body, NULL);
}

static const char *rule_with(const char *text_of, const char *secrets)
{
    return apr_pstrcat(pool, "signature signature=%{header:X-S} signed=", text_of, " ", secrets, NULL);
}

static const char *with_bit_changed(const char *text)
{
    char *changed = apr_pstrdup(pool, text);

    changed[0] ^= 1;
    return changed;
}

static const char *with_digit_changed(const char *hex)
{
    char *changed = apr_pstrdup(pool, hex);

    changed[0] = changed[0] == '0' ? '1' : '0';
    return changed;
}

START_TEST(a_row_s_mac_is_that_of_its_text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    av_slice text = av_slice_of(texts[_i].text);

    ck_assert_ptr_nonnull(
        HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1, (const unsigned char *)text.at, text.len, mac, &size));
    assert_slice((av_slice){ (char *)mac, size }, from_hex(texts[_i].mac), texts[_i].text);
}
END_TEST

START_TEST(what_a_template_makes_is_what_is_proven)
{
    const char *rule = rule_with(texts[_i].text_of, "secret=env:SECRET");
    const char *other = rule_with(texts[_i].text_of, "secret=env:SECOND");
    const char *right = request_with(texts[_i].mac, texts[_i].body);

    assert_reason(reason_of(rule, right), AV_ACCEPTED, texts[_i].text_of);
    assert_reason(reason_of(other, right), AV_WRONG_SIGNATURE, "another secret");
    assert_reason(reason_of(rule, request_with(with_digit_changed(texts[_i].mac), texts[_i].body)), AV_WRONG_SIGNATURE,
                  "another signature");
}
END_TEST

START_TEST(a_body_with_a_bit_changed_is_another_text)
{
    const char *rule = rule_with(texts[_i].text_of, "secret=env:SECRET");
    const char *body = texts[_i].body;
    const char *changed = *body ? with_bit_changed(body) : "x";
    bool is_covered =
        strstr(texts[_i].text_of, "%{body") || strstr(texts[_i].text_of, "json") || strstr(texts[_i].text_of, "form");
    av_reason found = reason_of(rule, request_with(texts[_i].mac, changed));

    ck_assert_int_eq(found == AV_ACCEPTED, !is_covered);
    ck_assert(found == AV_ACCEPTED || found == AV_WRONG_SIGNATURE || found == AV_BODY_NOT_UNDERSTOOD);
}
END_TEST

START_TEST(keys_beyond_the_lanes_are_tried_from_the_kept_body)
{
    const char *right = request_with(texts[_i].mac, texts[_i].body);

    assert_reason(reason_of(rule_with(texts[_i].text_of, FOUR "secret=env:SECRET"), right), AV_ACCEPTED, "the fifth");
    assert_reason(reason_of(rule_with(texts[_i].text_of, FOUR "secret=env:SECOND secret=env:SECRET"), right),
                  AV_ACCEPTED, "the sixth");
    assert_reason(reason_of(rule_with(texts[_i].text_of, FOUR "secret=env:SECOND"), right), AV_WRONG_SIGNATURE, "none");
}
END_TEST

/* Made with the key of RFC 8032 section 7.1, TEST 1: openssl pkeyutl -sign -rawin. */
static const struct {
    const char *text_of, *body, *signature;
} signed_texts[] = {
    { "%{body}", JSON,
      "32cafb7ece21d85a80946a9372a6ef0a8d6b73c149149ed1903ae9b25ada3665"
      "c2a2aadf58f44ad3eea2f4f48a5b9c48f92d77948ca62d59040e677541102900" },
    { "%{header:X-T}%{body}", JSON,
      "a8e9d618c3928b77c0484f86311765ccb08530d6ea1c314da169040664877788"
      "594d6301d49531f97b20adc0e0ffe6bcb63b65302365f6e17cefb13585586503" },
    { "%{header:X-T}.%{body}", "",
      "7db971eda77afd65e0d8cf5440dbde835dace82f30958c4532b5a6f012f84b6d"
      "e32543cb43f55d7515b28b6c178a2d099eeb75974f7a322c9ea8ef9f22347f0f" },
    { "%{body}.%{header:X-T}", JSON,
      "75f9bf391d6235b9c178723fa333fbf3899172c97e9e4f593da17eca24e76c34"
      "33dd0b56904310fab4d41e9ccccc2ae5655794607c3a5d1827d243fd7376db0a" },
    { "%{body}%{body}", "-",
      "4561c9de190d4aff2426bbab862c8c85b1157a17f4f96cc7d2d012b65375aa21"
      "5628a3d95a38f16fd62bd64c1a412054726b3c7cf520f57f47eb65d2634a6f0f" },
    { "%{json:/a}.%{body}", JSON,
      "941503e8465ebdc3c253f75299409a4ea0670ebe20a0ba65f4d14f9cbf1877c2"
      "7e3363c2e4ab5dab1b611666e3681f4c30152f4ea09d8c526871c30ae04cbb02" },
    { "%{body-sha256}", "abc",
      "95e4d2cb630635bb26c7f76a1b0d058ad40ee46c484c4b1ce39bd8de9314d231"
      "e4e66b6c618a4fee7b597f73ea2a2bf0923845e08d644ebb62aa563433a32a0a" },
    { "%{header:X-T}", "unsigned",
      "97078230b1a3d66a24a9da62d0f2dc81b509e00018ec35a33414f29ac38d5934"
      "7d9869701763a3010b2c50ef5c57743c931d7e5ddb92d25236c0ca3e52bc2d0e" },
};

START_TEST(what_cannot_be_streamed_is_proven_in_one_piece)
{
    const char *rule = rule_with(signed_texts[_i].text_of, "algorithm=ed25519 key-encoding=hex secret=env:ED25519");
    const char *signature = signed_texts[_i].signature, *body = signed_texts[_i].body;
    bool is_covered = strcmp(body, "unsigned") != 0;

    assert_reason(reason_of(rule, request_with(signature, body)), AV_ACCEPTED, signed_texts[_i].text_of);
    assert_reason(reason_of(rule, request_with(with_digit_changed(signature), body)), AV_WRONG_SIGNATURE,
                  signed_texts[_i].text_of);
    assert_reason(reason_of(rule, request_with(signature, apr_pstrcat(pool, body, "\n", NULL))),
                  is_covered ? AV_WRONG_SIGNATURE : AV_ACCEPTED, "a longer body");
}
END_TEST

static const struct {
    const char *name, *text_of, *body;
    apr_size_t parse_limit;
} unreadable[] = {
    { "no JSON", "%{json:/a}", "a=1", 100 },
    { "an empty body", "%{json:/a}", "", 100 },
    { "no such member", "%{json:/c}", JSON, 100 },
    { "an object", "%{json:/a}", "{\"a\":{}}", 100 },
    { "a member twice", "%{json:/a}", "{\"a\":1,\"a\":1}", 100 },
    { "JSON longer than the limit", "%{json:/a}", JSON, sizeof(JSON) - 2 },
    { "no such parameter", "%{form:c}", FORM, 100 },
    { "a parameter twice", "%{form:a}", "a=1&a=1", 100 },
    { "a broken parameter", "%{form:a}", "a=%zz", 100 },
    { "a form longer than the limit", "%{form:a}", FORM, sizeof(FORM) - 2 },
    { "before the body", "%{json:/c}%{body}", JSON, 100 },
    { "after the body", "%{body}%{json:/c}", JSON, 100 },
};

START_TEST(a_signed_value_that_the_body_does_not_have_is_not_understood)
{
    built_request request = request_of(request_with(SOME_MAC, unreadable[_i].body));
    built_request large = request_of(apr_pstrcat(pool, "POST /p HTTP/1.1\nX-S: " SOME_MAC SOME_MAC "\n\n", NULL));
    const char *ed25519 = rule_with(unreadable[_i].text_of, "algorithm=ed25519 key-encoding=hex secret=env:ED25519");

    request.parse_limit = large.parse_limit = unreadable[_i].parse_limit;
    large.body = request.body;
    assert_reason(decide(policy_of(rule_with(unreadable[_i].text_of, "secret=env:SECRET")), &request).reason,
                  AV_BODY_NOT_UNDERSTOOD, unreadable[_i].name);
    assert_reason(decide(policy_of(ed25519), &large).reason, AV_BODY_NOT_UNDERSTOOD, unreadable[_i].name);
}
END_TEST

START_TEST(a_body_of_the_limit_is_looked_at)
{
    built_request request = request_of(request_with(texts[16].mac, JSON));

    request.parse_limit = sizeof(JSON) - 1;
    assert_reason(decide(policy_of(rule_with("%{json:/a}.%{json:/b}", "secret=env:SECRET")), &request).reason,
                  AV_ACCEPTED, "at the limit");
}
END_TEST

START_TEST(the_limit_is_not_about_what_is_signed_as_it_is)
{
    built_request request = request_of(request_with(texts[0].mac, JSON));

    request.parse_limit = 0;
    assert_reason(decide(policy_of(rule_with("%{body}", "secret=env:SECRET")), &request).reason, AV_ACCEPTED,
                  "streamed");
    assert_reason(decide(policy_of(rule_with("%{body}", FOUR "secret=env:SECRET")), &request).reason, AV_ACCEPTED,
                  "kept");
}
END_TEST

#define ALSO "signature signature=%{header:X-S} signed=%{header:X-T}%{body} "

START_TEST(the_claims_of_a_chain_share_the_lanes)
{
    av_policy *policy = policy_of(RULE "secret=env:SECOND secret=env:SECOND");
    built_request request = request_of(REQUEST("body"));
    av_reading reading;

    add_also(policy, ALSO "secret=env:SECRET secret=env:SECOND");
    av_claim *claim = claim_of(policy, &request);
    open_reading(claim, &reading);
    ck_assert_uint_eq(reading.lane_count, AV_MAX_LANES);
    ck_assert(reading.keeps_body);
    for (int i = 0; i < AV_MAX_LANES; i++) {
        const av_claim *owner = i < 3 ? claim : claim->also;
        ck_assert_ptr_eq(reading.lanes[i].claim, owner);
        ck_assert_ptr_eq(reading.lanes[i].key, &owner->client->keys[i % 3]);
    }
}
END_TEST

START_TEST(one_claim_of_a_chain_has_the_lead)
{
    av_policy *policy = policy_of(RULE);
    built_request request = request_of(REQUEST("body"));
    av_reading reading;

    add_also(policy, "signature algorithm=ed25519 key-encoding=hex secret=env:ED25519 signature=%{header:X-L} "
                     "signed=%{header:X-T}%{body}");
    add_also(policy, "signature algorithm=ed25519 key-encoding=hex secret=env:ED25519 signature=%{header:X-L2} "
                     "signed=%{method}%{body}");
    request = request_of("POST / HTTP/1.1\nX-T: 17\nX-S: " SOME_MAC "\nX-L: " SOME_MAC SOME_MAC
                         "\nX-L2: " SOME_MAC SOME_MAC "\n\nbody");
    av_claim *claim = claim_of(policy, &request);
    open_reading(claim, &reading);
    ck_assert_ptr_eq(reading.lead_claim, claim->also);
    assert_slice(reading.lead, AV_SLICE("17"), "lead");
    ck_assert_uint_eq(reading.lane_count, 1);
}
END_TEST

START_TEST(claims_of_a_chain_that_cannot_be_streamed_are_proven_each)
{
    av_policy *policy = policy_of(ED25519 "signature=%{header:X-L} signed=%{header:X-T}%{body}");
    built_request request = request_of("POST / HTTP/1.1\nX-T: 17\nX-L: "
                                       "00b4356ad9680b5fbe3799013cd0d7526dbe6a2649d69c791e80ef3da6513614"
                                       "32e92623830f7a4473d6932e41205eb7327de0f83038350cd3b24c4fbc04450b\n"
                                       "X-M: "
                                       "cb36d0c72ec62a1e4951586e85d63e47938a5f0ee63624b085fae7f1db6b1a75"
                                       "6947d81f578d9c95fe4f64cda2ec544da8bc6fd2a5d039b01fedf5b40d0e6601\n\nbody");

    add_also(policy, ED25519 "signature=%{header:X-M} signed=%{method}%{body}");
    assert_reason(decide(policy, &request).reason, AV_ACCEPTED, "both");
    request.head.method = AV_SLICE("PUT");
    assert_reason(decide(policy, &request).reason, AV_WRONG_SIGNATURE, "the second's lead");
}
END_TEST

static const char *const needy[] = { RULE, RULE "expect=%{json:/a}:x" };

START_TEST(a_claim_that_needs_no_body_leaves_the_need_of_another)
{
    av_policy *policy = policy_of(needy[_i]);
    built_request request = request_of(REQUEST(JSON));
    av_reading reading;

    add_also(policy, RULE "signed=%{header:X-T}");
    open_reading(claim_of(policy, &request), &reading);
    ck_assert(reading.wants_body);
    ck_assert_int_eq(reading.keeps_body, _i == 1);
}
END_TEST

START_TEST(a_view_shows_what_was_kept_and_hashed)
{
    built_request request = request_of(REQUEST(JSON));
    av_view view = { 0 };
    av_reading reading;

    open_reading(claim_of(policy_of(RULE "signed=%{body-sha256}"), &request), &reading);
    request_read_body(&request, &reading, pool);
    av_reading_view(&reading, true, &view, pool);
    ck_assert_ptr_null(view.body);
    ck_assert_ptr_null(view.json);
    assert_slice(view.body_sha256, AV_SLICE("768ca668c0f84dd39bf269e25c9a3f0af4812e41026b6fead9a2666078ef16f6"),
                 "hash");

    view = (av_view){ 0 };
    open_reading(claim_of(policy_of(RULE "expect=%{form:a}:x"), &request), &reading);
    request_read_body(&request, &reading, pool);
    av_reading_view(&reading, false, &view, pool);
    assert_slice(*view.body, AV_SLICE(JSON), "body");
    ck_assert_ptr_null(view.json);
    ck_assert_uint_eq(view.body_sha256.len, 0);
    av_reading_view(&reading, true, &view, pool);
    ck_assert_ptr_nonnull(view.json);
}
END_TEST

Suite *unit_suite(void)
{
    Suite *suite = suite_create("reading");
    TCase *tests = trial_case(suite, "reading");

    tcase_add_checked_fixture(tests, set_ed25519_key, NULL);
    tcase_add_loop_test(tests, a_reading_asks_for_what_its_claim_needs_and_no_more, 0, ROWS(needs));
    tcase_add_loop_test(tests, a_row_s_mac_is_that_of_its_text, 0, ROWS(texts));
    tcase_add_loop_test(tests, what_a_template_makes_is_what_is_proven, 0, ROWS(texts));
    tcase_add_loop_test(tests, a_body_with_a_bit_changed_is_another_text, 0, ROWS(texts));
    tcase_add_loop_test(tests, keys_beyond_the_lanes_are_tried_from_the_kept_body, 0, ROWS(texts));
    tcase_add_loop_test(tests, what_cannot_be_streamed_is_proven_in_one_piece, 0, ROWS(signed_texts));
    tcase_add_loop_test(tests, a_signed_value_that_the_body_does_not_have_is_not_understood, 0, ROWS(unreadable));
    tcase_add_test(tests, a_body_of_the_limit_is_looked_at);
    tcase_add_test(tests, the_limit_is_not_about_what_is_signed_as_it_is);
    tcase_add_test(tests, the_claims_of_a_chain_share_the_lanes);
    tcase_add_test(tests, one_claim_of_a_chain_has_the_lead);
    tcase_add_test(tests, claims_of_a_chain_that_cannot_be_streamed_are_proven_each);
    tcase_add_loop_test(tests, a_claim_that_needs_no_body_leaves_the_need_of_another, 0, ROWS(needy));
    tcase_add_test(tests, a_view_shows_what_was_kept_and_hashed);
    return suite;
}
