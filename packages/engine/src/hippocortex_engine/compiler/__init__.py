"""The Memory Compiler: what happened, to what an agent should know next time.

Two pure functions.  `digest_session` maps the events of one session to a small digest;
`mine` reduces the digests of all sessions to candidates.  Since `mine` looks at the set of
digests and nothing else, compiling in increments ends where compiling everything does.
"""

from __future__ import annotations

from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.digest import digest_session, digest_version
from hippocortex_engine.compiler.version import miner_version

__all__ = ["digest_session", "digest_version", "mine", "miner_version"]
