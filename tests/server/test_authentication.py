"""Keys: who may call, what for, and for how long after a key was revoked."""

import asyncio
import time

import pytest

from hippocortex_server.authentication import FAILURES, Authenticator
from hippocortex_server.cells import OwnCells
from hippocortex_server.keys import ApiKey
from hippocortex_server.limits import Limiter

HEADERS = {
    "no header": {},
    "no scheme": {"Authorization": "hx_live_abc"},
    "another scheme": {"Authorization": "Basic aHg6aHg="},
    "no key": {"Authorization": "Bearer "},
    "an unknown key": {"Authorization": "Bearer hx_live_" + "x" * 43},
    "no such key can be": {"Authorization": "Bearer '; DROP TABLE api_keys; --"},
    "a key of a megabyte": {"Authorization": "Bearer " + "x" * 10_000},
    "bytes": {"Authorization": b"Bearer \xff\xfe"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_without_a_key_that_is_known_nothing_is_answered(anybody, headers):
    for reply in (
        anybody.post("/capture", {}, headers=headers),
        anybody.get("/artifacts", headers=headers),
    ):
        assert reply.status == 401
        assert reply.error["code"] == "unauthorized"
        assert reply.json["meta"]["tenantId"] is None
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert "x-ratelimit-limit" not in reply.headers


def test_the_scheme_is_written_as_one_likes(server, anybody):
    key = server.new_key()
    assert anybody.get("/artifacts", headers={"Authorization": f"bEARER   {key} "}).status == 200


def test_two_keys_in_one_request_are_none(server, raw):
    key = server.new_key()
    header = f"Authorization: Bearer {key}\r\n"
    answer = raw(
        server,
        f"GET /v1/artifacts HTTP/1.1\r\nHost: x\r\n{header}{header}Connection: close\r\n\r\n".encode(),
    )
    assert answer.startswith(b"HTTP/1.1 401 ")


NEEDED = {
    "read": [("GET", "/artifacts", None), ("POST", "/synthesize", {"query": "q"})],
    "write": [("POST", "/capture/batch", {"events": []}), ("POST", "/learn", {})],
    "admin": [("POST", "/forget", {"sessionId": "s1"})],
}


@pytest.mark.parametrize("scope", NEEDED)
def test_a_key_allows_what_its_scopes_say_and_nothing_else(server, caller_of, scope):
    caller = caller_of(server, scopes=[scope])
    for needed, requests in NEEDED.items():
        for method, path, body in requests:
            reply = caller.send(method, f"/v1{path}", body)
            if needed == scope:
                assert reply.data is not None
            else:
                assert reply.status == 403
                assert needed in reply.error["message"]


def test_a_revoked_key_opens_nothing_a_moment_later(server, caller):
    made = server.keys.create("default", ["read"])
    caller.key = made.secret
    assert caller.get("/artifacts").status == 200
    assert server.keys.revoke(made.info.key_id)
    deadline = time.monotonic() + 10
    while caller.get("/artifacts").status != 401:
        assert time.monotonic() < deadline


def find_in(known):
    async def find(secret):
        find.asked.append(secret)
        return known.get(secret)

    find.asked = []
    return find


def authenticate(authenticator, secret, address="192.0.2.1"):
    headers = [(b"authorization", f"Bearer {secret}".encode())]
    return asyncio.run(authenticator.authenticate(headers, address))


@pytest.fixture
def world():
    """A clock, keys, and an authenticator over them."""

    class World:
        now = 1_000.0

        def __init__(self):
            self.keys = {"good": ApiKey("key_1", "t1", frozenset({"read"}), None)}
            self.find = find_in(self.keys)
            limiter = Limiter(OwnCells(), lambda: int(self.now * 1000))
            self.authenticator = Authenticator(self.find, limiter, lambda: self.now)

        def attempt(self, secret, address="192.0.2.1"):
            try:
                return authenticate(self.authenticator, secret, address).tenant_id
            except Exception as error:  # noqa: BLE001
                return error.code

    return World()


def test_a_key_is_looked_up_once_a_second(world):
    for _ in range(5):
        assert world.attempt("good") == "t1"
    assert world.find.asked == ["good"]
    world.now += 1.0
    assert world.attempt("good") == "t1"
    assert world.find.asked == ["good"] * 2


def test_a_revoked_key_is_believed_for_a_second_at_most(world):
    assert world.attempt("good") == "t1"
    del world.keys["good"]
    world.now += 0.999
    assert world.attempt("good") == "t1"
    world.now += 0.001
    assert world.attempt("good") == "unauthorized"


def test_whoever_tries_keys_is_stopped_and_others_are_not(world):
    assert world.attempt("good") == "t1"
    codes = [world.attempt(f"guess-{n}") for n in range(FAILURES + 5)]
    assert codes == ["unauthorized"] * FAILURES + ["rate_limited"] * 5
    assert len(world.find.asked) == 1 + FAILURES
    assert world.attempt("guess", "192.0.2.2") == "unauthorized"
    # The same address, and a key that was good before: a proxy's other users go on.
    world.now += 2.0
    assert world.attempt("good") == "t1"


def test_the_addresses_of_one_ipv6_network_are_one(world):
    codes = [world.attempt(f"g{n}", f"2001:db8::{n:x}") for n in range(FAILURES + 1)]
    assert codes[-1] == "rate_limited"
    assert world.attempt("g", "2001:db8:0:1::1") == "unauthorized"


def test_keys_that_were_tried_do_not_pile_up(world):
    authenticator = world.authenticator
    for number in range(10_100):
        world.attempt(f"guess-{number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(authenticator._known) <= 10_000
    assert authenticator._asking == {}
