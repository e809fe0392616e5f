"""Opaque tokens: whoever issued them is asked, once for all who come with one, and nobody is let in while it is silent.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import threading
import time
import urllib.parse

import pytest

from client import get
from clock import Clock
from configtest import in_location
from holder import Holder, shown
from issuer import Issuer
from server import Server, wait_until
from tokens import AUDIENCE, FAR, SAID as JWT_SAID, SECRET as JWT_SECRET, bearer, claims, hs256

SECRET = "a secret & more: 100% of it"
PATH = "/introspect"
RULE = f"AuthVerify introspection endpoint=${{ENDPOINT}}{PATH} endpoint-authorities=${{AUTHORITIES}} " \
       f"client-id=api&more secret=file:conf/endpoint.secret"
SAID = f"audience={AUDIENCE}"
TROUBLE = [r"authverify:(error|notice).* AuthVerify: https://127\.0\.0\.1:\d+/introspect"]


def active(**more):
    said = {"active": True, "aud": AUDIENCE, "sub": "alice", **more}
    return json.dumps({name: value for name, value in said.items() if value is not None})


def token_of(form):
    return dict(urllib.parse.parse_qsl(form, strict_parsing=True))["token"]


class Scene:
    """httpd, the endpoint that it asks, and the clock of httpd. `known` has the answer for each token."""

    def __init__(self, lines=f"{RULE} {SAID}", mpm="event", allow=TROUBLE, secrets=(), **more):
        self.known = {}
        self.now = int(time.time()) + 60  # the certificate that is made meanwhile holds by then
        self.clock = Clock(self.now)
        self.issuer = Issuer()
        self.issuer.documents[PATH] = self.answer
        config = lines if "<Location" in lines else in_location(lines, "/api/")
        self.server = Server(config, mpm=mpm, allow=list(allow), environment=self.clock.environment,
                             defines={"ENDPOINT": self.issuer.url, "AUTHORITIES": self.issuer.authorities}, **more)
        self.server.secret("endpoint.secret", SECRET)
        for name, text in {"token": "a.bearer.token.of.this.server", **dict(secrets)}.items():
            self.server.secret(name, text)
        self.server.write("api/x", "here")

    def answer(self, _, form):
        return self.known.get(token_of(form), '{"active":false}')

    @property
    def questions(self):
        return [token_of(form) for _, form in self.issuer.posted]

    def get(self, token, path="/api/x"):
        return get(self.server, path, bearer(token))

    def status(self, token, path="/api/x"):
        return self.get(token, path).status

    def later(self, seconds):
        self.now += seconds
        self.clock.stop_at(self.now)

    def together(self, token, times):
        """The statuses of that many requests at once."""
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.status(token))) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def __enter__(self):
        self.clock.__enter__()
        self.server.__enter__()
        return self

    def __exit__(self, *exception):
        self.server.__exit__(*exception)
        self.issuer.die()
        self.clock.__exit__(*exception)


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_token_is_good_as_long_as_its_issuer_says_so(mpm):
    with Scene(mpm=mpm) as scene:
        scene.known["good"] = active()
        assert scene.status("good") == 200
        scene.server.refusal("inactive-token", 1)
        refused = scene.get("unheard-of")
        assert refused.status == 401
        assert refused.get("WWW-Authenticate") == 'Bearer realm="introspection", error="invalid_token"'


def test_the_endpoint_is_asked_as_the_rfcs_say():
    with Scene() as scene:
        scene.known["a+b/c=="] = active()
        assert scene.status("a+b/c==") == 200
        (headers, form), = scene.issuer.posted
        assert form == "token=a%2Bb%2Fc%3D%3D&token_type_hint=access_token"
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert headers["Accept"] == "application/json"
        assert headers["Expect"] is None
        word, encoded = headers["Authorization"].split(" ")
        name, secret = base64.b64decode(encoded).decode().split(":")
        assert (word, name, secret) == ("Basic", "api%26more", "a%20secret%20%26%20more%3A%20100%25%20of%20it")


def test_the_secret_may_be_in_the_form_or_a_token():
    post = f"{RULE} {SAID} authentication=client_secret_post"
    token = f"{RULE} {SAID} authentication=bearer".replace("client-id=api&more ", "").replace("endpoint.secret", "token")
    with Scene(in_location(post, "/api/") + in_location(token, "/token/")) as scene:
        scene.server.write("token/x", "here")
        scene.known["good"] = active()
        assert scene.status("good") == 200
        headers, form = scene.issuer.posted[-1]
        assert headers["Authorization"] is None
        assert dict(urllib.parse.parse_qsl(form)) == {
            "token": "good", "token_type_hint": "access_token", "client_id": "api&more", "client_secret": SECRET}
        assert scene.status("good", "/token/x") == 200
        headers, form = scene.issuer.posted[-1]
        assert headers["Authorization"] == "Bearer a.bearer.token.of.this.server"
        assert form == "token=good&token_type_hint=access_token"


# --- what is remembered -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_an_answer_is_remembered_by_all_processes_for_a_minute(mpm):
    with Scene(mpm=mpm) as scene:
        scene.known["good"] = active()
        assert {scene.status("good") for _ in range(20)} == {200}
        assert scene.questions == ["good"]
        scene.known["good"] = '{"active":false}'
        scene.later(59)
        assert scene.status("good") == 200
        scene.later(1)
        scene.server.refusal("inactive-token", 1)
        assert scene.status("good") == 401
        assert scene.questions == ["good"] * 2


def test_an_answer_is_remembered_until_the_token_ends_at_most():
    with Scene(f"{RULE} {SAID} cache=600") as scene:
        scene.known["short"] = active(exp=scene.now + 20)
        assert scene.status("short") == 200
        scene.later(19)
        assert scene.status("short") == 200
        assert scene.questions == ["short"]
        scene.known["short"] = '{"active":false}'
        scene.later(1)
        scene.server.refusal("inactive-token", 1)
        assert scene.status("short") == 401


def test_a_token_that_is_over_is_over_whatever_the_endpoint_says():
    with Scene() as scene:
        scene.known["old"] = active(exp=scene.now - 30)
        scene.server.refusal("token-expired", 3)
        assert {scene.status("old") for _ in range(3)} == {401}
        assert scene.questions == ["old"]


def test_what_is_remembered_is_looked_at_again():
    with Scene(f"{RULE} {SAID} max-age=100 cache=600") as scene:
        scene.known["aging"] = active(iat=scene.now - 90, exp=FAR)
        assert scene.status("aging") == 200
        scene.later(40)
        assert scene.status("aging") == 200
        scene.later(1)
        scene.server.refusal("token-expired", 1)
        assert scene.status("aging") == 401
        assert scene.questions == ["aging"]


def test_a_token_that_nobody_knows_is_asked_about_once_in_a_while():
    with Scene() as scene:
        scene.server.allow_refusals("inactive-token")
        assert {scene.status("new") for _ in range(20)} == {401}
        assert scene.questions == ["new"]
        scene.known["new"] = active()
        scene.later(4)
        assert scene.status("new") == 401
        scene.later(1)
        assert scene.status("new") == 200
        assert scene.questions == ["new"] * 2


def test_a_token_that_does_not_do_is_asked_about_once_in_a_while():
    with Scene() as scene:
        scene.known["theirs"] = active(aud="https://other.example/")
        scene.server.refusal("wrong-audience", 5)
        assert {scene.status("theirs") for _ in range(5)} == {401}
        assert scene.questions == ["theirs"]


def test_nothing_is_remembered_where_that_is_switched_off():
    with Scene(f"{RULE} {SAID} cache=0") as scene:
        scene.known["good"] = active()
        assert [scene.status("good") for _ in range(3)] == [200] * 3
        assert scene.questions == ["good"] * 3
        scene.server.refusal("inactive-token", 3)
        assert [scene.status("bad") for _ in range(3)] == [401] * 3
        assert scene.questions == ["good"] * 3 + ["bad"] * 3


def test_what_is_refused_may_be_forgotten_at_once():
    with Scene(f"{RULE} {SAID} negative-cache=0") as scene:
        scene.server.refusal("inactive-token", 3)
        assert [scene.status("bad") for _ in range(3)] == [401] * 3
        assert scene.questions == ["bad"] * 3


def test_what_one_rule_was_told_is_not_known_to_another():
    lines = in_location(f"{RULE} {SAID}", "/api/") + in_location(f"{RULE} audience=https://other.example/", "/other/")
    with Scene(lines) as scene:
        scene.server.write("other/x", "here")
        scene.known["good"] = active()
        assert scene.status("good") == 200
        scene.server.refusal("wrong-audience", 1)
        assert scene.status("good", "/other/x") == 401


def test_what_was_answered_is_forgotten_at_a_restart():
    with Scene() as scene:
        scene.known["good"] = active()
        assert scene.status("good") == 200
        scene.server.graceful()
        assert {scene.status("good") for _ in range(3)} == {200}
        assert scene.questions == ["good"] * 2


def test_who_waits_for_an_answer_gets_it_in_spite_of_a_graceful_restart():
    with Scene() as scene:
        scene.known["good"] = active()
        scene.issuer.stall = 1
        statuses = []
        waiting = threading.Thread(target=lambda: statuses.append(scene.status("good")))
        waiting.start()
        wait_until(lambda: scene.questions, 5, "nobody asks")
        scene.server.graceful()
        waiting.join()
        assert statuses == [200]


def test_an_answer_that_is_too_long_to_be_remembered_is_good_all_the_same():
    with Scene() as scene:
        scene.known["long"] = active(note="x" * 20_000)
        assert [scene.status("long") for _ in range(2)] == [200] * 2
        assert scene.questions == ["long"] * 2


# --- many at once -----------------------------------------------------------------------------------------------------

def test_who_comes_at_the_same_time_with_one_token_waits_for_one_question():
    with Scene() as scene:
        scene.known["good"] = active()
        scene.issuer.stall = 0.5
        assert scene.together("good", 6) == [200] * 6
        assert scene.questions == ["good"]
        scene.server.refusal("inactive-token", 6)
        assert scene.together("bad", 6) == [401] * 6
        assert scene.questions == ["good", "bad"]


def test_a_connection_is_used_again():
    with Scene() as scene:
        for number in range(10):
            scene.known[f"t{number}"] = active()
            assert scene.status(f"t{number}") == 200
        assert len(scene.questions) == 10
        assert scene.issuer.connections == 1


# --- an endpoint that is not as it should be --------------------------------------------------------------------------

LIES = {
    "not JSON": "active: true",
    "nothing": "",
    "a list": '[{"active":true}]',
    "active in a string": '{"active":"true","aud":"https://api.example/"}',
    "active as a number": '{"active":1,"aud":"https://api.example/"}',
    "active is null": '{"active":null}',
    "no active": '{"aud":"https://api.example/","sub":"alice"}',
    "active twice": '{"active":false,"active":true,"aud":"https://api.example/"}',
    "a NUL": '{"active":true,"aud":"https://api.example/"}\0',
    "more behind it": '{"active":true,"aud":"https://api.example/"} {}',
    "too large": '{"active":true,"aud":"https://api.example/","note":"' + "x" * 70_000 + '"}',
    "an error of ours": (401, '{"error":"invalid_client"}', {}),
    "an error of theirs": (500, '{"active":true,"aud":"https://api.example/"}', {}),
    "created": (201, '{"active":true,"aud":"https://api.example/"}', {}),
    "a redirect": (307, "", {"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("name", LIES)
def test_what_is_no_answer_lets_nobody_in(name):
    with Scene() as scene:
        scene.issuer.documents["/elsewhere"] = active()
        scene.known["good"], scene.known["bad"] = active(), LIES[name]
        scene.server.refusal("introspection-malformed", 1)
        refused = scene.get("bad")
        assert (refused.status, refused.get("Retry-After")) == (503, "10")
        assert refused.get("WWW-Authenticate") is None
        assert scene.status("good") == 200
        assert "/elsewhere" not in scene.issuer.asked


def test_an_endpoint_that_does_not_take_our_secret_is_complained_of_once_a_minute():
    with Scene() as scene:
        scene.known["one"] = scene.known["other"] = LIES["an error of ours"]
        scene.server.refusal("introspection-malformed", 2)
        scene.server.expect(r"authverify:error.*: it answers with the status 401; the token is refused with 503", 1)
        assert [scene.status(name) for name in ("one", "other")] == [503] * 2


SILENCE = {
    "unavailable": (503, active(), {}),
    "a gateway": (502, active(), {}),
    "a slow gateway": (504, active(), {}),
    "too many": (429, active(), {}),
    "cut short": (200, "{", {"Content-Length": "100", "Connection": "close"}),
}


@pytest.mark.parametrize("name", SILENCE)
def test_an_endpoint_that_is_not_there_lets_nobody_in(name):
    with Scene() as scene:
        scene.known["good"], scene.known["bad"] = active(), SILENCE[name]
        scene.server.refusal("introspection-unavailable")
        refused = scene.get("bad")
        assert (refused.status, refused.get("Retry-After")) == (503, "10")
        wait_until(lambda: scene.status("good") == 200, 5, "it is not asked again")


def test_a_dead_endpoint_is_asked_once_a_second_and_then_again_when_it_lives():
    with Scene() as scene:
        scene.known["good"] = scene.known["later"] = active()
        assert scene.status("good") == 200
        scene.issuer.die()
        scene.server.refusal("introspection-unavailable")
        scene.server.expect(r"authverify:error.*tokens that it must be asked about are refused with 503", 1)
        scene.server.expect(r"authverify:notice.*answers again", 1)
        assert {scene.status("later") for _ in range(20)} == {503}
        assert scene.status("good") == 200  # what was answered before is known
        scene.issuer.rise()
        wait_until(lambda: scene.status("later") == 200, 5, "it is not asked again")


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_an_endpoint_that_stalls_holds_one_request_a_second(mpm):
    with Scene(f"{RULE} {SAID} timeout=1", mpm) as scene:
        scene.issuer.stall = 30
        scene.server.refusal("introspection-unavailable")
        began = time.monotonic()
        assert scene.status("first") == 503
        assert 0.9 < time.monotonic() - began < 2.5
        began = time.monotonic()
        assert {scene.status(f"next{number}") for number in range(20)} == {503}
        assert time.monotonic() - began < 2.5
        assert len(scene.questions) <= 3


def test_who_waits_for_a_question_that_stalls_is_refused_with_it():
    with Scene(f"{RULE} {SAID} timeout=1") as scene:
        scene.issuer.stall = 30
        scene.server.refusal("introspection-unavailable")
        began = time.monotonic()
        assert set(scene.together("good", 8)) == {503}
        assert time.monotonic() - began < 4


def test_a_certificate_of_nobody_is_not_believed():
    with Scene(f"{RULE} {SAID}".replace("endpoint-authorities=${AUTHORITIES} ", "")) as scene:
        scene.known["good"] = active()
        scene.server.refusal("introspection-unavailable", 1)
        assert scene.status("good") == 503
        assert scene.issuer.posted == []


def test_no_proxy_of_the_environment_hears_of_a_token(monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Scene() as scene:
        scene.known["good"] = active()
        assert scene.status("good") == 200


# --- claims -----------------------------------------------------------------------------------------------------------

TOLD = """
Require authverify claim tenant:acme
AuthVerifyHeader X-User %{client}
AuthVerifyHeader X-Email %{claim:email}
AuthVerifyHeader X-Scopes %{scopes}
Header always set X-Told "expr=%{HTTP:X-User} %{HTTP:X-Email} %{HTTP:X-Scopes}"
"""


def test_claims_scopes_and_names_are_known_on_every_sight():
    lines = f"{RULE} {SAID} scopes=read{TOLD}"
    with Scene(lines, modules=("headers",)) as scene:
        scene.known["acme"] = active(tenant="acme", email="a@example.com", scope="read write")
        scene.known["other"] = active(tenant="other", scope="read")
        scene.known["narrow"] = active(tenant="acme", scope="write")
        for _ in range(3):
            answer = scene.get("acme")
            assert answer.status == 200
            assert answer.get("X-Told") == "alice a@example.com read,write"
        scene.server.allow("AH01630")
        assert [scene.status("other") for _ in range(2)] == [403] * 2
        scene.server.refusal("client-not-allowed", 2)
        for _ in range(2):
            refused = scene.get("narrow")
            assert refused.status == 403
            assert 'error="insufficient_scope"' in refused.get("WWW-Authenticate")
        assert scene.questions == ["acme", "other", "narrow"]


UNFIT = {
    "wrong-audience": active(aud="https://other.example/"),
    "wrong-issuer": active(iss="https://other.example/"),
    "unfit-claim": active(sub=7),
    "wrong-token-type": active(token_type="refresh_token"),
    "unproven-binding": active(cnf={"x5t#S256": "A" * 43}),
    "too-early": active(nbf=FAR),
}


@pytest.mark.parametrize("reason", UNFIT)
def test_an_active_token_must_be_one_for_this_server(reason):
    with Scene(f"{RULE} {SAID} issuer=https://issuer.example/") as scene:
        said = json.loads(UNFIT[reason])
        scene.known["bad"] = json.dumps({"iss": "https://issuer.example/", **said})
        scene.server.refusal(reason, 2)
        assert [scene.status("bad") for _ in range(2)] == [401] * 2
        assert scene.questions == ["bad"]


def test_a_token_that_is_bound_to_a_key_needs_a_proof_each_time():
    ours, other = Holder(), Holder()
    url = "http://test.example/api/x"
    with Scene(f"{RULE} {SAID} dpop=optional") as scene:
        def call(token, holder):
            return get(scene.server, "/api/x", shown(token, holder.proof(token, url, iat=scene.now))).status

        scene.known["bound"] = active(token_type="DPoP", cnf={"jkt": ours.thumbprint})
        scene.known["free"] = active()
        assert [call("bound", ours) for _ in range(3)] == [200] * 3
        scene.server.refusal("unproven-binding", 2)
        assert call("bound", other) == 401
        assert scene.status("bound") == 401
        scene.server.refusal("unbound-token", 1)
        assert call("free", ours) == 401
        assert scene.status("free") == 200
        assert scene.questions == ["bound", "free"]


def test_who_guesses_too_often_asks_nobody_any_more():
    with Scene(f"{RULE} {SAID}\nAuthVerifyThrottle failures=5 network-failures=5 window=60") as scene:
        scene.known["good"] = active()
        scene.server.allow_refusals("inactive-token", "throttled")
        statuses = [scene.status(f"guess{number}") for number in range(20)]
        assert set(statuses) == {401, 429}
        assert len(scene.questions) == statuses.count(401) < 20


# --- beside others ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("swapped", [False, True])
def test_a_signed_token_is_for_jwt_and_any_other_for_introspection(swapped):
    rules = [f"{RULE} {SAID}", f"AuthVerify jwt secret=file:conf/shared algorithms=HS256 {JWT_SAID}"]
    with Scene("\n".join(reversed(rules) if swapped else rules), secrets={"shared": JWT_SECRET}) as scene:
        scene.known["opaque"] = active()
        assert scene.status("opaque") == 200
        assert scene.status(hs256(claims())) == 200
        scene.server.refusal("wrong-issuer", 1)
        assert scene.status(hs256(claims(iss="https://other.example/"))) == 401
        assert scene.questions == ["opaque"]


def test_a_rule_alone_asks_about_signed_tokens_too():
    with Scene() as scene:
        token = hs256(claims())
        scene.known[token] = active()
        assert scene.status(token) == 200


def test_nobody_learns_a_token_from_the_log():
    with Scene(log_level="trace8") as scene:
        scene.server.allow(".*")
        scene.server.allow_refusals("inactive-token", "introspection-malformed")
        scene.known["good-opaque-token"] = active()
        scene.known["lie-opaque-token"] = "x"
        assert [scene.status(f"{name}-opaque-token") for name in ("good", "bad", "lie")] == [200, 401, 503]
        said = "\n".join(line for line in scene.server.error_log.read_text().splitlines() if "authverify" in line)
        assert "opaque-token" not in said and base64.b64encode(SECRET.encode()).decode()[:20] not in said


# --- mistakes ---------------------------------------------------------------------------------------------------------

ENDPOINT = "endpoint=https://issuer.example/introspect"
WHO = "client-id=api secret=file:conf/endpoint.secret"
MISTAKES = [
    (f"{WHO} {SAID}", "endpoint= must say whom to ask"),
    (f"endpoint=http://issuer.example/ {WHO} {SAID}", "names no URL of the form https://host/path"),
    (f"endpoint=https://user@issuer.example/ {WHO} {SAID}", "names no URL of the form https://host/path"),
    (f"{ENDPOINT} {WHO}", "audience= must say what this server is called"),
    (f"{ENDPOINT} client-id=api {SAID}", "no secret= is given, which this server shows to the endpoint"),
    (f"{ENDPOINT} {WHO} secret=file:conf/token {SAID}", "keep one of them"),
    (f"{ENDPOINT} secret=file:conf/token {SAID}", "client-id= must say what the endpoint calls this server"),
    (f"{ENDPOINT} {WHO} authentication=bearer {SAID}", "client-id= has no place beside authentication=bearer"),
    (f"{ENDPOINT} {WHO} authentication=none {SAID}", "client_secret_basic"),
    (f"{ENDPOINT} {WHO} {SAID} timeout=0", "must be seconds, 1 at least"),
    (f"{ENDPOINT} {WHO} {SAID} timeout=31", "must be 30 seconds at most"),
    (f"{ENDPOINT} {WHO} {SAID} cache=3601", "must be seconds, 3600 at most, or 0"),
    (f"{ENDPOINT} {WHO} {SAID} negative-cache=-1", "must be seconds, 3600 at most, or 0"),
    (f"{ENDPOINT} {WHO} {SAID} endpoint-authorities=conf/none.pem", "names no file"),
    (f"{ENDPOINT} authentication=bearer secret=file:conf/blank {SAID}", "holds what no token may hold"),
]


@pytest.fixture(scope="module")
def unstarted():
    server = Server("")
    for name, text in {"endpoint.secret": SECRET, "token": "a.bearer.token.of.this.server", 
                       "blank": "a secret with blanks in it"}.items():
        server.secret(name, text)
    yield server
    server.close()


@pytest.mark.parametrize("words, sentence", MISTAKES)
def test_a_rule_that_cannot_ask_is_a_mistake(unstarted, words, sentence):
    status, said = unstarted.configtest(in_location(f"AuthVerify introspection {words}"))
    assert status != 0 and sentence in said and "line " in said


def test_a_rule_that_can_ask_is_none(unstarted):
    for words in (f"{ENDPOINT} {WHO} {SAID}", f"{ENDPOINT} authentication=bearer secret=file:conf/token {SAID}"):
        status, said = unstarted.configtest(in_location(f"AuthVerify introspection {words}"))
        assert status == 0, said


def test_bearer_beside_introspection_would_never_be_reached(unstarted):
    other = "AuthVerify bearer secret=file:conf/token"
    status, said = unstarted.configtest(in_location(f"AuthVerify introspection {ENDPOINT} {WHO} {SAID}\n{other}"))
    assert status != 0 and "looks for its credential where" in said
