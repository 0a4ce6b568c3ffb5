"""Learning in a process of its own, of low priority: the requests of the server do not feel it.

Learning computes for seconds on a large memory.  In a thread it would hold the interpreter against
every request of its process, and what it needs of memory would stay.  The process is started when
there is something to learn, and ends when it has had nothing to do for a while.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from typing import IO, Any, cast

from hippocortex_core.errors import HippocortexError, UnavailableError
from hippocortex_core.types import LearnOptions
from hippocortex_engine import open_engine

_BEAT = 10.0
"""Seconds between two signs of life while it learns."""

_IDLE = 60.0
"""Seconds without work after which it ends."""

_NICENESS = 10


class LearningProcess:
    """Learns for tenants of one database, one after the other, in a child process.

    Args:
        store: the database's URL; not one in memory, which no other process sees.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._talking = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def __call__(self, tenant_id: str, renew: Callable[[], object]) -> None:
        """Learn what is new for a tenant; `renew` is called every ten seconds.

        Raises:
            UnavailableError: it failed.
        """
        answer = self._ask(tenant_id, renew)
        if answer is None:  # it ended, for want of work, just when there was some
            answer = self._ask(tenant_id, renew)
        if answer != {"ok": True}:
            said = (answer or {}).get("error", "the process that learns died")
            raise UnavailableError(str(said))

    def close(self) -> None:
        """End the process, in the middle of its work if need be; nothing stored is lost."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            with self._talking:  # whoever waits for its answer has heard that there is none
                _discard(process)

    def _ask(self, tenant_id: str, renew: Callable[[], object]) -> dict[str, Any] | None:
        """What it answers; None if it died."""
        with self._talking:
            return self._talk(self._running(), tenant_id, renew)

    def _talk(
        self, process: subprocess.Popen[str], tenant_id: str, renew: Callable[[], object]
    ) -> dict[str, Any] | None:
        try:
            _say(cast("IO[str]", process.stdin), tenant_id)
        except OSError:
            return None
        for line in cast("IO[str]", process.stdout):
            answer: dict[str, Any] = json.loads(line)
            if "alive" not in answer:
                return answer
            renew()
        return None

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._closed:
                raise UnavailableError("the server is stopping")
            if self._process is not None and self._process.poll() is not None:
                _discard(self._process)
                self._process = None
            if self._process is None:
                self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - this module, in this interpreter
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the server, which stops this one
        )
        # Not as an argument: arguments can be seen by everybody, and a URL may hold a password.
        _say(cast("IO[str]", process.stdin), self._store)
        return process


def _discard(process: subprocess.Popen[str]) -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # it may hold what the process never read
            cast("IO[str]", stream).close()


def learn_for(store: str, tenant_id: str) -> dict[str, Any]:
    """Learn; what to answer."""
    try:
        engine = open_engine(store, tenant_id=tenant_id)
        try:
            engine.learn(LearnOptions(scope="incremental"))
        finally:
            engine.close()
    except HippocortexError as failure:
        return {"ok": False, "error": failure.message}
    except Exception as failure:  # noqa: BLE001 - said to the server, which goes on
        return {"ok": False, "error": type(failure).__name__}
    return {"ok": True}


def main() -> None:
    """Read the store's URL, then the ids of tenants to learn for, until there are no more."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    work = _work()
    store = next(work)
    for tenant_id in work:
        with _beating():
            answer = learn_for(store, tenant_id)
        _say(sys.stdout, answer)


def _work() -> Generator[str]:
    """What is read, as it comes; the process ends when nothing has come for a while."""
    while True:
        end = threading.Timer(_IDLE, os._exit, [0])
        end.daemon = True
        end.start()
        line = sys.stdin.readline()
        end.cancel()
        if not line:  # the server is gone
            return
        yield json.loads(line)


@contextlib.contextmanager
def _beating() -> Generator[None]:
    """Give signs of life."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_BEAT):
            _say(sys.stdout, {"alive": True})

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _say(stream: IO[str], document: object) -> None:
    stream.write(json.dumps(document) + "\n")
    stream.flush()


if __name__ == "__main__":
    main()
