"""Times in words, in UTC, whatever the machine's locale."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def moment(milliseconds: int) -> datetime:
    """The datetime of milliseconds since the epoch; times out of a calendar's range are clipped."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return _EPOCH


def milliseconds(when: datetime) -> int:
    """Milliseconds since the epoch."""
    return (when - _EPOCH) // timedelta(milliseconds=1)


def day(milliseconds: int) -> str:
    """A date as people write it: "8 May 2023"."""
    return _day(milliseconds // 86_400_000)


@lru_cache(maxsize=4_096)
def _day(number: int) -> str:
    when = moment(number * 86_400_000)
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def month(milliseconds: int) -> str:
    """The words under which a date is found: "May 2023"."""
    when = moment(milliseconds)
    return f"{_MONTHS[when.month - 1]} {when.year}"


def month_number(milliseconds: int) -> int:
    """A number for the calendar month of a time: one more for each month."""
    when = moment(milliseconds)
    return when.year * 12 + when.month - 1
