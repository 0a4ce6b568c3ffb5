"""Dates in questions: what they mean, and how near events are to them."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.recall.dates import MOST, expressions, nearness
from hippocortex_engine.times import milliseconds

NOW = datetime(2023, 11, 20, 15, tzinfo=timezone.utc)  # a Monday


def spans(text):
    found = []
    for date in expressions(text):
        start, end = date.span(NOW)
        found.append((f"{start:%Y-%m-%d}", (end - start).days))
    return found


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("what happened on 8 May 2023?", ("2023-05-08", 1)),
        ("on the 8th of December, 2022", ("2022-12-08", 1)),
        ("May 25, 2023", ("2023-05-25", 1)),
        ("2023-05-08", ("2023-05-08", 1)),
        ("on March 3rd", ("2023-03-03", 1)),
        ("on 24 December", ("2022-12-24", 1)),  # this year's is still to come
        ("in June", ("2023-06-01", 30)),
        ("in December", ("2022-12-01", 31)),
        ("the end of May", ("2023-05-01", 31)),
        ("emails from October", ("2023-10-01", 31)),
        ("news from April 2022", ("2022-04-01", 30)),
        ("early December 2022", ("2022-12-01", 31)),
        ("since 2022", ("2022-01-01", 365)),
        ("three days ago", ("2023-11-17", 1)),
        ("a week ago", ("2023-11-10", 7)),
        ("yesterday", ("2023-11-19", 1)),
        ("last Friday", ("2023-11-17", 1)),
        ("the last 10 days", ("2023-11-10", 11)),
        ("last week", ("2023-11-13", 7)),
        ("last month", ("2023-10-01", 31)),
        ("the previous year", ("2022-01-01", 365)),
        ("the past year", ("2022-11-20", 366)),
        ("the last 2 months", ("2023-09-21", 61)),
    ],
)
def test_what_a_date_means(text, span):
    assert spans(text) == [span]


@pytest.mark.parametrize(
    "text",
    [
        "May I ask?",
        "order 2023 items",
        "the march of progress",
        "ticket 12-05",
        "second",
        "news from Jan",
        "a report by April",
        "the car of June",
    ],
)
def test_what_only_looks_like_a_date_is_none(text):
    assert expressions(text) == []


def test_a_day_that_no_calendar_has_is_near_to_nothing():
    dates = tuple(expressions("31 February 2023"))
    assert nearness(dates, np.array([milliseconds(NOW)]), milliseconds(NOW)).tolist() == [0.0]


def test_an_event_counts_the_less_the_further_it_is_from_the_date():
    days = [datetime(2023, 5, day, 12, tzinfo=timezone.utc) for day in (8, 9, 11, 30)]
    near = nearness(
        tuple(expressions("on 8 May 2023")),
        np.array([milliseconds(day) for day in days]),
        milliseconds(NOW),
    )
    assert near[0] == 1.0
    assert 1.0 > near[1] > near[2] > 0
    assert near[3] == 0


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("on Fr\u0131day", ("2023-11-17", 1)),
        ("5 \u017fept 2023", ("2023-09-05", 1)),
        ("\u017fix days ago", ("2023-11-14", 1)),
        ("on FR\u0130DAY", ("2023-11-17", 1)),
    ],
)
def test_letters_that_case_folding_takes_for_others_do_no_harm(text, span):
    assert spans(text) == [span]


ENDS = [datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)]
DATED = (
    "today",
    "yesterday",
    "in December",
    "on 31 December",
    "on 1 January",
    "in January",
    "last year",
    "last Sunday",
    "999 years ago",
    "the last 999 years",
    "29 February",
)


@given(
    st.one_of(st.sampled_from(DATED), st.lists(st.sampled_from(DATED)).map(" ".join)),
    st.one_of(st.sampled_from(ENDS), st.datetimes(timezones=st.just(timezone.utc))),
)
def test_dates_can_be_asked_for_at_any_time(text, now):
    dates = tuple(expressions(text))
    near = nearness(dates, np.array([0, milliseconds(now)]), milliseconds(now))
    assert ((near >= 0) & (near <= 1)).all()


@given(st.text(alphabet="\u0130\u0131\u017f\u212aonagfridymtwsx 12", max_size=40))
def test_letters_that_look_alike_raise_nothing(text):
    nearness(tuple(expressions(f"on {text} ago")), np.array([0]), milliseconds(NOW))


@given(st.text(max_size=200))
def test_any_text_can_be_looked_through(text):
    found = expressions(text)
    assert len(found) <= MOST
    assert all(one.start < one.end <= len(text) for one in found)
    nearness(tuple(found), np.array([0, milliseconds(NOW)]), milliseconds(NOW))
