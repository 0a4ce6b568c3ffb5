"""How patterns read: imperative, short, the same words for the same thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from math import log

from hippocortex_engine.compiler import labels
from hippocortex_engine.compiler.corpus import View
from hippocortex_engine.compiler.model import Run

REPLY = "reply to the user"
_MAX_WORDS = 24
_MAX_COMMON = 48
_TELLING_LIFT = 1.15
_DAY_MS = 86_400_000


def humanise(label: str) -> str:
    """`cancel_reservation` as `cancel reservation`; commands, edits and routes as they are."""
    if label.startswith("$ "):
        return f"run {label[2:]}"
    if " " in label or "/" in label:
        return label
    return " ".join(labels.words(label)) or label


def code(label: str) -> str:
    """A label within a sentence."""
    if label == REPLY:
        return label
    return f"`{label[2:]}`" if label.startswith("$ ") else f"`{label}`"


def title(text: str) -> str:
    """With a capital in front."""
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def plural(count: int, noun: str) -> str:
    """`1 run`, `7 runs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def times(count: int) -> str:
    """`once`, `twice`, `7 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def share(hits: float, total: float) -> str:
    """A proportion as a whole percentage."""
    return f"{100 * hits / total:.0f} %" if total else "0 %"


def day(millis: int) -> str:
    """The date of a time, UTC."""
    return _date(millis // _DAY_MS)


@lru_cache(maxsize=4_096)
def _date(days: int) -> str:
    return datetime.fromtimestamp(days * _DAY_MS / 1000, tz=timezone.utc).date().isoformat()


def support(runs: Iterable[Run]) -> dict[str, int]:
    """Distinct sessions, and how many of them passed and failed."""
    verdicts: dict[str, bool | None] = {}
    for run in runs:
        known = verdicts.get(run.session.id)
        verdicts[run.session.id] = run.success if known is None else known and run.success
    counted = Counter(verdicts.values())
    return {"sessions": len(verdicts), "passed": counted[True], "failed": counted[False]}


def supported(counts: dict[str, int]) -> str:
    """`(7 runs, 6 succeeded)`; `(seen once)` for a single session."""
    if counts["sessions"] == 1:
        return "(seen once, it succeeded)" if counts["passed"] else "(seen once)"
    judged = counts["passed"] + counts["failed"]
    told = f", {counts['passed']} succeeded" if judged else ""
    return f"({plural(counts['sessions'], 'run')}{told})"


def typical_words(runs: Sequence[Run], view: View) -> list[str]:
    """The words that requests of these runs have in common, most telling first.

    Words of at least two runs, as far as the pattern may show them, by frequency times the
    logarithm of their lift over all runs.  For a single run: its own words.
    """
    corpus = view.corpus
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run.words)
    least = 2 if len({run.session.id for run in runs}) > 1 else 1
    scored: list[tuple[float, str]] = []
    for word, hits in counts.items():
        if hits >= least and view.word(word):
            ratio = (hits / len(runs)) / (corpus.word_counts[word] / len(corpus.runs))
            if ratio >= _TELLING_LIFT or len(corpus.runs) == len(runs):
                scored.append((-(hits / len(runs)) * log(1.0 + ratio), word))
    return [word for _, word in sorted(scored)[:_MAX_WORDS]]


def common_words(runs: Sequence[Run], view: View) -> list[str]:
    """The words of at least two sessions' requests, most frequent first, telling or not.

    They show that a request belongs to this trade at all.
    """
    sessions: defaultdict[str, set[str]] = defaultdict(set)
    for run in runs:
        for word in run.words:
            sessions[word].add(run.session.id)
    counted = sorted(
        (-len(found), word)
        for word, found in sessions.items()
        if len(found) > 1 and view.word(word)
    )
    return [word for _, word in counted[:_MAX_COMMON]]


def indexed(*parts: str | Iterable[str]) -> str:
    """Index text: the distinct words of all parts in order."""
    seen: dict[str, None] = {}
    for part in parts:
        for word in part.split() if isinstance(part, str) else part:
            seen[word] = None
    return " ".join(seen)
