"""Connections spread evenly over the workers of one machine.

Workers share a listening socket, and the kernel wakes them all: whoever is quickest takes the
connection.  Clients keep connections open, so a burst of them that one worker took stays there
while another has nothing to do.  Here a worker that has more connections than another lets the
others go first for a moment; if nobody comes, it takes the connection after all.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hippocortex_server.cells import locked
from hippocortex_server.settings import ServerSettings

PAUSE = 0.025
"""Seconds for which a worker lets others go first."""

_RECOVERY = 0.5  # seconds until accepting is tried again where the system has no more handles
_SLOTS = 1_024
_SLOT = struct.Struct("<II")  # a process, and how many connections it has


class Crowd:
    """How many connections each worker has, in a file that they share.

    Args:
        path: The file; made if it is not there.

    Attributes:
        own: Connections of this worker.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with locked(file):
                os.ftruncate(file, _SLOTS * _SLOT.size)
                self._map = mmap.mmap(file, _SLOTS * _SLOT.size)
                self._mine = self._claim()
        finally:
            os.close(file)
        self.own = 0

    def enter(self) -> None:
        """This worker has one connection more."""
        self.own += 1
        self._write()

    def leave(self) -> None:
        """This worker has one connection less."""
        self.own -= 1
        self._write()

    @property
    def is_fuller(self) -> bool:
        """Whether another worker has fewer connections than this one."""
        for slot in range(_SLOTS):
            pid, count = _SLOT.unpack_from(self._map, slot * _SLOT.size)
            if not pid:
                break
            if slot != self._mine and count < self.own:
                return True
        return False

    def _claim(self) -> int:
        """A slot that nobody has, or whose worker is gone; the first ones are in use."""
        for slot in range(_SLOTS):
            pid, _ = _SLOT.unpack_from(self._map, slot * _SLOT.size)
            if not pid or not _lives(pid):
                _SLOT.pack_into(self._map, slot * _SLOT.size, os.getpid(), 0)
                return slot
        return _SLOTS - 1

    def _write(self) -> None:
        _SLOT.pack_into(self._map, self._mine * _SLOT.size, os.getpid(), max(0, self.own))


class Acceptor:
    """Takes connections of a listening socket: what `create_server` returns.

    Args:
        loop: Where the connections live.
        protocol: Makes the protocol of a connection, which calls `when_lost` at its end.
        listening: The socket, shared with other workers.
        crowd: How many connections this worker and the others have.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: Callable[[], asyncio.Protocol],
        listening: socket.socket,
        crowd: Crowd,
    ) -> None:
        self._loop = loop
        self._protocol = protocol
        self._listening = listening
        self._crowd = crowd
        self._timer: asyncio.TimerHandle | None = None
        self._connecting: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        self.sockets = (listening,)
        self._listen()

    def close(self) -> None:
        """Take no more connections."""
        self._loop.remove_reader(self._listening)
        if self._timer is not None:
            self._timer.cancel()

    async def wait_closed(self) -> None:
        """Until connections that were being set up are."""
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _listen(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listening, self._ready)

    def _ready(self) -> None:
        """Somebody wants to connect."""
        if self._crowd.is_fuller:
            self._rest(PAUSE, self._take_what_is_left)
        else:
            self._take()

    def _take_what_is_left(self) -> None:
        self._listen()
        self._take()

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listening)
        self._timer = self._loop.call_later(seconds, then)

    def _take(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker has taken it, or it has gone
        except OSError:
            self._rest(_RECOVERY, self._listen)
            return
        self._crowd.enter()
        task = self._loop.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError):  # a Unix socket has no such option
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(self._counted, connection)
        except BaseException:
            self._crowd.leave()
            connection.close()
            raise

    def _counted(self) -> asyncio.Protocol:
        protocol: Any = self._protocol()
        protocol.when_lost = self._crowd.leave
        return protocol


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a worker that shares its socket; its settings are in the environment."""
    crowd = Crowd(str(ServerSettings.from_environ().connections_file))

    class Loop(_fastest()):
        """Takes connections when it is this worker's turn."""

        async def create_server(
            self, protocol: Callable[[], asyncio.Protocol], *, sock: socket.socket, **_: object
        ) -> Acceptor:
            """Accept connections of a socket that others share."""
            return Acceptor(self, protocol, sock, crowd)

    return Loop()


def _fastest() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - not to be had everywhere
    except ImportError:
        return asyncio.SelectorEventLoop
    return uvloop.Loop


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
