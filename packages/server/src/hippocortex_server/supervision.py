"""Processes that stop when told to: requests finish, and nothing hangs beyond a deadline."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

import uvicorn
from prometheus_client.multiprocess import (
    mark_process_dead,  # pyright: ignore[reportUnknownVariableType]
)
from uvicorn.supervisors.multiprocess import Multiprocess

from hippocortex_server.logs import LOGGER

_log = logging.getLogger(LOGGER)

_STARTUP_FAILURE = 3  # how a process of uvicorn ends that could not start
_GRACE = 5.0
"""Seconds beyond the deadline of requests for closing what is open."""


class OneProcess(uvicorn.Server):
    """A server in this process."""

    def __init__(self, config: uvicorn.Config, patience: float) -> None:
        super().__init__(config)
        self._patience = patience + _GRACE

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; whatever hangs is left behind in the end."""
        if not self.should_exit:
            _log.info("stopping", extra={"signal": signal.Signals(sig).name})
            last = threading.Timer(self._patience, _give_up)
            last.daemon = True
            last.start()
        super().handle_exit(sig, frame)

    def until_stopped(self, listening: socket.socket) -> int:
        """Serve; the exit code: 0 when it was told to stop, 1 when it could not start."""
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, self._before_and_after)
        try:
            self.run(sockets=[listening])
        except SystemExit as end:
            return 1 if end.code else 0
        return 0

    def _before_and_after(self, _signal: int, _frame: FrameType | None) -> None:
        """While it is not listening to signals itself: it has not begun, or it has finished.

        When it has finished it raises the signal again, for whoever listened before.
        """
        if not self.should_exit:
            sys.exit(0)


class ManyProcesses(Multiprocess):
    """Processes that share a socket, and are started anew when they die."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, patience: float) -> None:
        super().__init__(config, [listening])
        self._patience = patience + _GRACE
        self._killed = False
        self._known: set[int] = set()

    def until_stopped(self) -> int:
        """Serve; the exit code: 0 when all stopped in time, 1 when not, or none could start."""
        self.run()
        failed = any(process.exitcode == _STARTUP_FAILURE for process in self.processes)
        return 1 if failed or self._killed else 0

    def keep_subprocess_alive(self) -> None:
        """Start anew what has died; what is gone is counted no more among the living."""
        super().keep_subprocess_alive()
        living = {worker.pid for worker in self.processes if worker.pid is not None}
        for pid in self._known - living:
            mark_process_dead(pid)
        self._known = living

    def join_all(self) -> None:
        """Wait for the workers to finish, but not for ever."""
        deadline = time.monotonic() + self._patience
        for worker in self.processes:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                _log.error("a worker did not stop in time", extra={"pid": worker.pid})
                self._killed = True
                worker.process.kill()
                worker.process.join()


def leave_with_parent() -> None:
    """Stop this worker, in good order, when its supervisor is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        multiprocessing.connection.wait([sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="hippocortex-parent", daemon=True).start()


def _give_up() -> None:
    _log.error("not all requests finished in time; leaving")
    logging.shutdown()
    os._exit(1)
