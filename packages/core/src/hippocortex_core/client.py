"""The two clients: the same calls, blocking and not."""

from hippocortex_core.async_client import Hippocortex
from hippocortex_core.sync_client import SyncHippocortex

__all__ = ["Hippocortex", "SyncHippocortex"]
