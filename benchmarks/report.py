"""Figures as a table for people and JSON for machines."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value beside what was aimed at (None: nothing)."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def report(
    name: str, figures: list[Figure], as_json: bool, more: dict[str, Any] | None = None
) -> None:
    """Print the figures and keep them in benchmarks/results, and `more` beside them."""
    found = {
        "benchmark": name,
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}",
        "figures": [{**asdict(one), "met": one.met} for one in figures],
        **(more or {}),
    }
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(f"{name} ({found['machine']}, {found['date']})")
    for one in figures:
        print(f"  {one.name:<52} {one.value:>12,.2f} {one.unit:<10}{_verdict(one)}")
    sys.stdout.flush()


def _verdict(one: Figure) -> str:
    if one.met is None:
        return ""
    sign = "<=" if one.at_most else ">="
    return f"{sign} {one.target:,g}: {'met' if one.met else 'MISSED'}"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
