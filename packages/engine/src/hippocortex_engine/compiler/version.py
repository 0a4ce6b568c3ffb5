"""The version of what the miners make."""

from __future__ import annotations

miner_version: int = 6
"""To be raised whenever the miners make other candidates of the same digests.

Whoever stores candidates stores it with them, and mines anew when it has changed.
"""
