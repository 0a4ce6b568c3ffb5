"""A real server on this machine, in a thread: for tests, here and elsewhere.

```python
with LiveServer(ServerSettings(store="sqlite:///memory.db")) as server:
    memory = SyncHippocortex(base_url=server.url, api_key=server.new_key("acme"))
```
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

import uvicorn

from hippocortex_core.operations import Scope
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.storage.database import Database
from hippocortex_server.app import create_app
from hippocortex_server.keys import SCOPES, Keyring
from hippocortex_server.protocol import Protocol
from hippocortex_server.routes import PREFIX
from hippocortex_server.settings import ServerSettings

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on

_PATIENCE = 30.0  # seconds to start


class LiveServer:
    """Serves the settings' store under `url` while the context lasts.

    Args:
        settings: host and port are not looked at: it is some port of the loopback interface.
        clock: milliseconds since the epoch.

    Attributes:
        origin: Scheme, host and port.
        url: The base URL for a client.
        database: What it serves.
        keys: Its keys.
    """

    def __init__(self, settings: ServerSettings, *, clock: Clock = system_clock) -> None:
        self.database = Database(settings.store)
        self.keys = Keyring(self.database, clock=clock)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.url = self.origin + PREFIX
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(settings, database=self.database, clock=clock),
                http=Protocol,
                lifespan="on",
                ws="none",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=10,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def new_key(self, tenant_id: str = "default", scopes: Iterable[Scope] = SCOPES) -> str:
        """A key for a tenant."""
        return self.keys.create(tenant_id, scopes).secret

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.database.close()
