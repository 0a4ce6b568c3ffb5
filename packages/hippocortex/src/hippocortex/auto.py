"""Import once, and every call of the OpenAI and Anthropic SDKs remembers.

```python
import hippocortex.auto
from openai import OpenAI

client = OpenAI()
```

The order of the imports does not matter, and no SDK is imported from here.  The memory is found as
everywhere (`HIPPOCORTEX_API_KEY`, `HIPPOCORTEX_BASE_URL`, `.hippocortex.json`, else the embedded
engine), at the first call.  Clients that were given to `wrap()` keep their own.
`hippocortex.session(...)` says whose calls they are; without it each client is a session.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from hippocortex._instrument.import_hook import ImportHook
from hippocortex._instrument.interceptor import Interceptor, new_session
from hippocortex._instrument.patching import patch_class, restore_class
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import shared_recorder

__all__ = ["install", "uninstall"]

_MODULES = ("openai._base_client", "anthropic._base_client")
_CLASSES = ("SyncAPIClient", "AsyncAPIClient")
_OWN_POOLS = frozenset({"SyncHttpxClientWrapper", "AsyncHttpxClientWrapper"})


class _Installation:
    """What `install` did."""

    def __init__(self) -> None:
        self.memory = Interceptor(shared_recorder)
        self.hook = ImportHook(_MODULES, self.patch)
        self._sessions: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    def patch(self, module: ModuleType) -> None:
        with fail_open("patching an SDK"):
            for name in _CLASSES:
                patch_class(getattr(module, name), self.session_of, self.memory)

    def session_of(self, client: Any) -> str:
        with fail_open("telling clients apart"):
            # A client and its copies share the connection pool that the SDK made for it.
            pool = getattr(client, "_client", None)
            owner = pool if type(pool).__name__ in _OWN_POOLS else client
            return self._sessions.get(owner) or self._sessions.setdefault(owner, new_session())
        return "auto"

    def undo(self) -> None:
        self.memory.active = False
        self.hook.remove()
        for module in filter(None, map(sys.modules.get, _MODULES)):
            for name in _CLASSES:
                restore_class(getattr(module, name))


_installed: _Installation | None = None


def install() -> None:
    """Give the SDKs memory; importing this module does it."""
    global _installed  # noqa: PLW0603 - one per process, like the SDKs
    if _installed is None:
        _installed = _Installation()
        _installed.hook.install()


def uninstall() -> None:
    """Leave the SDKs as they were, also those that are imported later."""
    global _installed  # noqa: PLW0603
    if _installed is not None:
        _installed.undo()
        _installed = None


install()
