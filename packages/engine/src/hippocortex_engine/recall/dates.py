"""Dates in a query, and how near an event is to them.

"on 8 May 2023", "in June", "last week", "three days ago": what a question says about time is
matched against when events happened.  Relative expressions are counted from the newest event,
which is the present of a memory whoever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.times import milliseconds, moment

MOST = 4
"""Dates of a query that are looked at."""

Span = tuple[datetime, datetime]
"""From a moment up to another, which is not part of it."""

Resolver = Callable[[datetime], Span | None]
"""The span of an expression, given the present."""

NEAREST_HALF = 86_400_000
"""Milliseconds from a span at which an event counts half; a quarter of a longer span."""

_LOOKALIKES = str.maketrans("\u0131\u0130\u017f\u212a", "iisk")
"""What `re.IGNORECASE` takes for ASCII letters and `str.lower` does not."""

_MONTHS = "january february march april may june july august september october november december"
_MONTH = {name[:3]: number for number, name in enumerate(_MONTHS.split(), 1)}
_WEEKDAY = {name: number for number, name in enumerate("mon tue wed thu fri sat sun".split())}
_COUNT = {
    name: number
    for number, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
} | {"a": 1, "an": 1, "couple of": 2, "few": 3}
_CALENDAR = frozenset({"week", "month", "year"})
_DAYS = {"day": 1, "night": 1, "week": 7, "weekend": 7, "month": 30, "year": 365}

_M = (
    r"(?P<month>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)|May|MAY)"
)
_D = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_Y = r"(?P<year>(?:19|20)\d\d)"
_N = (
    r"(?P<count>\d{1,3}|(?i:an?|one|two|three|four|five|six|seven|eight|nine|ten|(?:a )?few|"
    r"eleven|twelve|(?:a )?couple of))"
)
_IN = r"(?i:in|since|until|till|during|before|after|this|early|late|mid|end of)[ -]"
# What comes from April or is said by Jan may as well be somebody's.
_OF = r"(?i:of|by|from)[ -]"
_NAMES = r"(?i:jan|april|may|june|august)\b"


@dataclass(frozen=True, slots=True)
class Expression:
    """A date in a text: where it stands, whether it counts from the present, what it means."""

    start: int
    end: int
    relative: bool
    span: Resolver


def expressions(text: str) -> list[Expression]:
    """The dates in a text, in order; what overlaps an earlier one is part of that."""
    text = text.translate(_LOOKALIKES)
    if not _HINT.search(text):
        return []
    found: list[Expression] = []
    for expression in sorted(_all(text), key=lambda one: (one.start, one.start - one.end)):
        if not found or expression.start >= found[-1].end:
            found.append(expression)
    return found[:MOST]


def nearness(
    dates: tuple[Expression, ...], occurred_at: NDArray[np.int64], newest: int
) -> NDArray[np.float32]:
    """How near each event is to the dates, 0..1: 1 within one of them, half a day away from it."""
    near = np.zeros(len(occurred_at), np.float32)
    if not dates:
        return near
    for date in dates:
        span = date.span(moment(newest))
        if span is not None:
            start, end = milliseconds(span[0]), milliseconds(span[1])
            away = np.maximum(np.maximum(start - occurred_at, occurred_at - (end - 1)), 0)
            half = max(NEAREST_HALF, (end - start) // 4)
            near = np.maximum(near, (half / (half + away.astype(np.float64))).astype(np.float32))
    # What is far away is as far as anything.
    return np.where(near < np.float32(_FAR), np.float32(0), near)


_FAR = 0.1


def _all(text: str) -> Iterator[Expression]:
    for pattern, relative, resolver in _FORMS:
        for match in pattern.finditer(text):
            span = _in_calendar(resolver(match.groupdict("")))
            yield Expression(match.start(), match.end(), relative, span)


def _in_calendar(resolver: Resolver) -> Resolver:
    """The same, with None for a day that no calendar has and for what lies beyond its ends."""

    def span(now: datetime) -> Span | None:
        try:
            return resolver(now)
        except (ValueError, OverflowError):
            return None

    return span


def _day(groups: dict[str, str]) -> Resolver:
    number = _MONTH.get(groups["month"][:3].lower()) or int(groups["month"])

    def span(now: datetime) -> Span | None:
        first = datetime(
            int(groups["year"] or now.year), number, int(groups["day"]), tzinfo=timezone.utc
        )
        if not groups["year"] and first > now:
            first = first.replace(year=first.year - 1)
        return first, first + timedelta(days=1)

    return span


def _month(groups: dict[str, str]) -> Resolver:
    number = _MONTH[groups["month"][:3].lower()]

    def span(now: datetime) -> Span | None:
        year = int(groups.get("year") or now.year - (number > now.month))
        return _span_of_month(year, number)

    return span


def _span_of_month(year: int, number: int) -> Span:
    after = (year + 1, 1) if number == len(_MONTH) else (year, number + 1)
    return datetime(year, number, 1, tzinfo=timezone.utc), datetime(*after, 1, tzinfo=timezone.utc)


def _year(groups: dict[str, str]) -> Resolver:
    year = int(groups["year"])
    first = datetime(year, 1, 1, tzinfo=timezone.utc)
    return lambda _now: (first, first.replace(year=year + 1))


def _ago(groups: dict[str, str]) -> Resolver:
    said = groups["count"].lower()
    count = int(said) if said.isdigit() else _COUNT[said.removeprefix("a ") or said]
    unit = _DAYS[groups["unit"].lower()]

    def span(now: datetime) -> Span | None:
        middle = _midnight(now) - timedelta(days=count * unit)
        return middle - timedelta(days=unit // 2), middle + timedelta(days=unit // 2 + 1)

    return span


def _past(groups: dict[str, str]) -> Resolver:
    """The last so many days, weeks, months or years: up to now."""
    said = groups.get("count", "").lower()
    count = int(said) if said.isdigit() else _COUNT.get(said.removeprefix("a "), 1)
    unit = _DAYS[groups["unit"].lower()]

    def span(now: datetime) -> Span | None:
        return _midnight(now) - timedelta(days=count * unit), _midnight(now) + timedelta(1)

    return span


def _last(groups: dict[str, str]) -> Resolver:
    """The week, month or year of the calendar before this one; else the last of them up to now."""
    unit = groups["unit"].lower()
    if groups["count"] or unit not in _CALENDAR:
        return _past(groups)

    def span(now: datetime) -> Span | None:
        if unit == "week":
            monday = _midnight(now) - timedelta(days=now.weekday())
            return monday - timedelta(days=7), monday
        if unit == "year":
            return _span_of_month(now.year - 1, 1)[0], _span_of_month(now.year, 1)[0]
        first = _midnight(now).replace(day=1)
        return (first - timedelta(days=1)).replace(day=1), first

    return span


def _days_back(days: int) -> Callable[[dict[str, str]], Resolver]:
    def span(now: datetime) -> Span | None:
        first = _midnight(now) - timedelta(days=days)
        return first, first + timedelta(days=1)

    return lambda _groups: span


def _weekday(groups: dict[str, str]) -> Resolver:
    wanted = _WEEKDAY[groups["weekday"][:3].lower()]

    def span(now: datetime) -> Span | None:
        first = _midnight(now) - timedelta(days=(now.weekday() - wanted) % 7 or 7)
        return first, first + timedelta(days=1)

    return span


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


_HINT = re.compile(
    r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ago\b|last\b|past\b|previous\b|on\b|"
    r"yesterday\b|today\b|tonight\b|this\b)",
    re.IGNORECASE,
)
"""What every form holds: most queries have no date, and one look tells."""

_UNITS = r"(?P<unit>day|night|week|weekend|month|year)s?"
_FORMS: list[tuple[re.Pattern[str], bool, Callable[[dict[str, str]], Resolver]]] = [
    (re.compile(rf"\b{_Y}-(?P<month>[01]\d)-(?P<day>[0-3]\d)\b"), False, _day),
    (re.compile(rf"\b{_D}(?: of)? {_M},? {_Y}\b"), False, _day),
    (re.compile(rf"\b{_M} {_D},? {_Y}\b"), False, _day),
    (re.compile(rf"\b{_D}(?: of)? {_M}(?P<year>)\b"), False, _day),
    (re.compile(rf"\b{_M} {_D}(?P<year>)\b(?! ?(?:%|o'clock|[ap]\.?m))"), False, _day),
    (re.compile(rf"\b{_M},? {_Y}\b"), False, _month),
    (re.compile(rf"(?<!\w)(?:{_IN}|{_OF}(?!{_NAMES})){_M}\b(?!,? \d)"), False, _month),
    (re.compile(rf"(?<!\w)(?:{_IN}|{_OF}){_Y}\b"), False, _year),
    (re.compile(rf"\b{_N} {_UNITS} ago\b", re.IGNORECASE), True, _ago),
    (re.compile(rf"\b(?:last|previous) (?:{_N} )?{_UNITS}\b", re.IGNORECASE), True, _last),
    (re.compile(rf"\bpast (?:{_N} )?{_UNITS}\b", re.IGNORECASE), True, _past),
    (re.compile(r"\byesterday\b", re.IGNORECASE), True, _days_back(1)),
    (re.compile(r"\b(?:today|tonight|this morning)\b", re.IGNORECASE), True, _days_back(0)),
    (
        re.compile(
            r"\b(?:last|on|past) (?P<weekday>(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
            re.IGNORECASE,
        ),
        True,
        _weekday,
    ),
]
