"""`wrap(client)`: every call of this client remembers.

```python
from hippocortex import wrap
from openai import OpenAI

client = wrap(OpenAI())
```

Before each call of a model the memory that fits the user's last message goes into the request;
after it, what the user, the model and its tools said is recorded in the background.  Without a
memory, or with one that is down or slow, the client works as if it were not wrapped.
"""

from __future__ import annotations

import warnings
from typing import TypeVar

__all__ = ["unwrap", "wrap"]

T = TypeVar("T")


def wrap(
    client: T,
    api_key: str | None = None,
    base_url: str | None = None,
    session_id: str | None = None,
) -> T:
    """Give a client of an LLM a memory; returns the same client.

    Works with the clients of OpenAI and Anthropic, sync and async, on Azure, Bedrock and Vertex
    too, and with anything that has `chat.completions.create`, `responses.create` or
    `messages.create`.  Copies made by `with_options()` and `copy()` share the memory and session.
    Wrapping twice is wrapping once; options given the second time replace those of the first.

    Args:
        client: The client.  One of an unknown kind comes back unchanged, with a warning.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Where the memory lives; default: `HIPPOCORTEX_BASE_URL`, then the file.
        session_id: The session of all calls; default: that of the surrounding
            `hippocortex.session(...)`, else one for this client.
    """
    # Loaded when first needed, so that `import hippocortex` stays cheap.
    from hippocortex._instrument import wrapping  # noqa: PLC0415

    given = any(option is not None for option in (api_key, base_url, session_id))
    if wrapping.is_wrapped(client):
        if not given:
            return client
        wrapping.detach(client)
    settings = wrapping.settings_of(api_key, base_url)
    if settings is not None and not wrapping.attach(client, settings, session_id):
        warnings.warn(
            f"hippocortex.wrap() does not know {type(client).__name__!r}: it has no"
            " chat.completions.create, responses.create or messages.create that can be replaced;"
            " it is returned unchanged",
            stacklevel=2,
        )
    return client


def unwrap(client: T) -> T:
    """Take the memory from a wrapped client; returns the same client.

    Copies that were made of it keep theirs.
    """
    from hippocortex._instrument import wrapping  # noqa: PLC0415

    wrapping.detach(client)
    return client
