"""LoCoMo (Maharana et al., ACL 2024) as turns, questions and evidence.

Categories 1 to 4 are asked: multi-hop, temporal, open-domain, single-hop; 5 cannot be answered.
The data is CC BY-NC 4.0 and read from wherever the user keeps it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop"}


@dataclass(frozen=True)
class Turn:
    """One thing that one of the two said."""

    session: str
    speaker: str
    text: str
    when: datetime


@dataclass(frozen=True)
class Question:
    """What is asked, and the turns (by position) that hold the answer."""

    text: str
    category: int
    evidence: frozenset[int]


@dataclass(frozen=True)
class Conversation:
    """All sessions of two people, and the questions about them."""

    name: str
    turns: list[Turn]
    questions: list[Question]


def load(path: Path) -> list[Conversation]:
    """The conversations of a file in LoCoMo's format."""
    return [_conversation(raw) for raw in json.loads(path.read_text("utf-8"))]


def _conversation(raw: dict[str, Any]) -> Conversation:
    said, turns, places = raw["conversation"], [], {}
    number = 1
    while f"session_{number}" in said:
        when = _time(said[f"session_{number}_date_time"])
        for turn in said[f"session_{number}"]:
            caption = turn.get("blip_caption")
            text = turn["text"] + (f" [shared image: {caption}]" if caption else "")
            places[turn["dia_id"]] = len(turns)
            turns.append(Turn(f"session-{number}", turn["speaker"], text, when))
        number += 1
    questions = [
        Question(one["question"], one["category"], evidence)
        for one in raw["qa"]
        if one["category"] in CATEGORIES and (evidence := _evidence(one["evidence"], places))
    ]
    return Conversation(raw["sample_id"], turns, questions)


def _evidence(named: list[str], places: dict[str, int]) -> frozenset[int]:
    """Some strings name several turns, and a few name none that exists."""
    ids = [found for one in named for found in re.findall(r"D\d+:\d+", one)]
    return frozenset(places[one] for one in ids if one in places)


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%I:%M %p on %d %B, %Y").replace(tzinfo=timezone.utc)
