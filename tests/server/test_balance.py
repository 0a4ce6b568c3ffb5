"""Who takes the next connection."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

from hippocortex_server.balance import Acceptor, Crowd

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers share a socket on POSIX only")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "connections"


def test_alone_nobody_has_fewer(file):
    crowd = Crowd(file)
    crowd.enter()
    assert not crowd.is_fuller


def test_whoever_has_more_lets_the_others_go_first(file):
    one, other = Crowd(file), Crowd(file)
    one.enter()
    assert (one.is_fuller, other.is_fuller) == (True, False)
    other.enter()
    assert (one.is_fuller, other.is_fuller) == (False, False)
    one.leave()
    assert (one.is_fuller, other.is_fuller) == (False, True)


def test_a_worker_that_starts_anew_takes_the_place_of_a_dead_one(file):
    code = "import sys; from hippocortex_server.balance import Acceptor, Crowd; Crowd(sys.argv[1]).enter()"
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    alone = Crowd(file)
    alone.enter()
    assert not alone.is_fuller


async def until(happened):
    for _ in range(5_000):
        if happened():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not happen")


class Connection(asyncio.Protocol):
    when_lost = None

    def connection_lost(self, exc):
        self.when_lost()


def test_connections_are_shared_evenly(file):
    async def connect(count):
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            crowds = [Crowd(file) for _ in range(3)]
            acceptors = [Acceptor(loop, Connection, listening.dup(), one) for one in crowds]
            clients = [
                (await asyncio.open_connection(*listening.getsockname()))[1] for _ in range(count)
            ]
            await until(lambda: sum(one.own for one in crowds) == count)
            taken = [one.own for one in crowds]
            for client in clients:
                client.close()
            await until(lambda: not any(one.own for one in crowds))
            for one in acceptors:
                one.close()
                await one.wait_closed()
                one.sockets[0].close()
        return taken

    taken = asyncio.run(connect(12))
    assert sum(taken) == 12
    assert max(taken) - min(taken) <= 1
