"""Example data: real trajectories of a tool-using agent (see the licence beside them)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from pathlib import Path


def tau_bench_sample() -> AbstractContextManager[Path]:
    """The file of 68 airline trajectories, in tau-bench's own format."""
    return as_file(files(__name__) / "tau_bench_airline_sample.json")
