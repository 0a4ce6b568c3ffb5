"""How many requests a minute: of one process, and of several that share a file."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_server.authentication import FAILURES
from hippocortex_server.cells import SLOTS, OwnCells, SharedCells
from hippocortex_server.limits import PERIOD, Limiter


class Clock:
    now = 1_800_000_000_000

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += round(seconds * 1000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["own", "shared"])
def limiter(request, clock):
    cells = OwnCells() if request.param == "own" else SharedCells("limits")
    limiter = Limiter(cells, clock)
    yield limiter
    limiter.close()


def granted(limiter, name, limit, attempts):
    return sum(not limiter.take(name, limit).wait for _ in range(attempts))


def test_a_minutes_requests_may_come_at_once_and_no_more(limiter):
    assert granted(limiter, "a", 10, 15) == 10
    assert granted(limiter, "b", 10, 15) == 10


def test_what_is_used_comes_back_evenly(limiter, clock):
    assert granted(limiter, "a", 60, 100) == 60
    clock.wait(1)
    assert granted(limiter, "a", 60, 100) == 1
    clock.wait(30)
    assert granted(limiter, "a", 60, 100) == 30
    clock.wait(3_600)
    assert granted(limiter, "a", 60, 100) == 60


def test_an_answer_says_what_is_left_and_when_it_is_free_again(limiter, clock):
    first = limiter.take("a", 6)
    assert (first.limit, first.remaining, first.wait) == (6, 5, 0)
    assert first.reset == clock.now // 1000 + 10
    for _ in range(5):
        last = limiter.take("a", 6)
    assert (last.remaining, last.reset) == (0, clock.now // 1000 + 60)
    refused = limiter.take("a", 6)
    assert refused.headers == {
        "X-RateLimit-Limit": "6",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(clock.now // 1000 + 60),
        "Retry-After": "10",
    }
    clock.wait(refused.wait)
    assert not limiter.take("a", 6).wait


def test_a_refused_request_costs_nothing(limiter, clock):
    granted(limiter, "a", 10, 1_000)
    clock.wait(PERIOD / 10)
    assert granted(limiter, "a", 10, 1_000) == 1


def test_looking_costs_nothing(limiter):
    for _ in range(100):
        assert not limiter.look("a", 10).wait
    assert granted(limiter, "a", 10, 15) == 10
    assert limiter.look("a", 10).wait


def test_a_clock_that_is_set_back_locks_nobody_out_for_more_than_a_minute(limiter, clock):
    granted(limiter, "a", 10, 20)
    clock.wait(-86_400)
    assert limiter.take("a", 10).wait <= PERIOD
    clock.wait(PERIOD)
    assert granted(limiter, "a", 10, 20) == 10


@given(
    limit=st.integers(1, 1_000_000),
    steps=st.lists(st.integers(0, 30_000), min_size=1, max_size=60),
)
def test_in_no_minute_more_than_two_minutes_worth_is_granted(limit, steps):
    clock = Clock()
    limiter = Limiter(OwnCells(), clock)
    times = []
    for step in steps:
        clock.now += step
        allowance = limiter.take("a", limit)
        assert 0 <= allowance.remaining < limit
        if not allowance.wait:
            times.append(clock.now)
    for start in times:
        assert sum(start <= one < start + 60_000 for one in times) <= 2 * limit


def test_processes_that_share_a_file_share_the_limit(clock):
    script = (
        "from hippocortex_server.cells import SharedCells\n"
        "from hippocortex_server.limits import Limiter\n"
        f"limiter = Limiter(SharedCells('limits'), lambda: {clock.now})\n"
        "print(sum(not limiter.take('a', 1_000).wait for _ in range(500)))\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    counts = [int(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sum(counts) == 1_000


def test_a_worker_that_is_killed_holding_the_lock_does_not_stop_the_others(clock):
    script = (
        "import os\n"
        "from hippocortex_server.cells import SharedCells\n"
        "SharedCells('limits').update('a', lambda _: os._exit(9))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    limiter = Limiter(SharedCells("limits"), clock)
    assert granted(limiter, "a", 10, 15) == 10
    limiter.close()


def test_a_file_that_is_something_else_is_made_anew(tmp_path, clock):
    (tmp_path / "limits").write_bytes(b"something else" * 1_000)
    limiter = Limiter(SharedCells("limits"), clock)
    assert granted(limiter, "a", 10, 15) == 10
    limiter.close()


def test_more_names_than_there_is_room_for_forget_those_of_long_ago(clock):
    limiter = Limiter(SharedCells("limits"), clock)
    for number in range(SLOTS):
        limiter.take(f"old-{number}", 10)
    clock.wait(10)
    assert granted(limiter, "new", 10, 15) == 10
    for number in range(200):
        limiter.take(f"newer-{number}", 10)
    assert limiter.take("new", 10).wait
    limiter.close()


def test_every_answer_to_a_key_says_what_it_may_still_do(serve, caller_of):
    caller = caller_of(serve(rate_limit=60))
    for reply, left in (
        (caller.get("/artifacts"), "59"),
        (caller.get("/artifacts/none"), "58"),
        (caller.post("/capture", b"{"), "57"),
    ):
        assert reply.headers["x-ratelimit-limit"] == "60"
        assert reply.headers["x-ratelimit-remaining"] == left
        assert int(reply.headers["x-ratelimit-reset"]) > 1_700_000_000


def test_one_request_too_many_is_told_when_to_come_back(serve, caller_of):
    server = serve(rate_limit=3, clock=Clock())
    caller, other = caller_of(server), caller_of(server)
    assert [caller.get("/artifacts").status for _ in range(3)] == [200] * 3
    refused = caller.capture()
    assert refused.status == 429
    assert "3 requests a minute" in refused.error["message"]
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert other.get("/artifacts").status == 200


def test_a_keys_own_limit_goes_before_the_servers(serve, caller_of):
    server = serve(rate_limit=1, clock=Clock())
    caller = caller_of(server, rate_limit=5)
    assert [caller.get("/artifacts").status for _ in range(6)] == [200] * 5 + [429]


def test_a_server_without_a_limit_says_nothing_of_one(serve, caller_of):
    reply = caller_of(serve(rate_limit=0)).get("/artifacts")
    assert reply.status == 200
    assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


def test_the_workers_of_a_server_share_the_limit(serve, caller_of):
    first = serve(rate_limit=10, limits_file="limits", clock=Clock())
    second = serve(rate_limit=10, limits_file="limits", clock=Clock())
    caller = caller_of(first)
    statuses = []
    for server in [first, second] * 10:
        caller.server = server
        statuses.append(caller.get("/artifacts").status)
    assert statuses == [200] * 10 + [429] * 10


def test_whoever_tries_keys_over_http_is_stopped(serve, anybody, caller_of):
    wrong = {"Authorization": "Bearer hx_live_" + "x" * 43}
    reply = anybody.get("/artifacts", headers=wrong)
    assert reply.status == 401
    # Attempts are forgiven as time goes by, so how many it takes depends on the machine.
    for _ in range(5 * FAILURES):
        if reply.status != 401:
            break
        reply = anybody.get("/artifacts", headers=wrong)
    assert reply.status == 429
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.error["code"] == "rate_limited"
