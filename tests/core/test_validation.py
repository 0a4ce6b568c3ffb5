from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_core.errors import ValidationError
from hippocortex_core.types import CaptureEvent
from hippocortex_core.validation import MAX_DEPTH, check_event, format_time, parse_time

NOON = 1_767_355_200_000  # 2026-01-02T12:00:00Z


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-01-02T12:00:00Z", 0),
        (" 2026-01-02T12:00:00 ", 0),
        ("2026-01-02 12:00:00+00:00", 0),
        ("2026-01-02T14:00:00+02:00", 0),
        ("2026-01-02T12:00:00.5Z", 500),
        ("2026-01-02T12:00:00.678Z", 678),
        ("2026-01-02T12:00:00.678901Z", 678),
        ("2026-01-02T12:00:00.678901234Z", 678),
        ("2026-01-02T12:00:00.67+00:00", 670),
    ],
)
def test_times_are_read_as_services_write_them(text, offset):
    assert parse_time("at", text) == NOON + offset


@pytest.mark.parametrize("value", ["", "noon", "2026-13-01T00:00:00Z", 5, None, True])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ValidationError, match=r"^at: "):
        parse_time("at", value)


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_a_time_survives_to_the_millisecond(moment):
    read = datetime.fromisoformat(format_time(parse_time("at", moment)).replace("Z", "+00:00"))
    assert read == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_the_deepest_payload_that_is_taken_is_the_limit():
    def nested(levels):
        payload = {}
        for _ in range(levels - 1):
            payload = {"d": payload}
        return CaptureEvent("message", "s", payload)

    assert check_event(nested(MAX_DEPTH)).payload_json.count("{") == MAX_DEPTH
    with pytest.raises(ValidationError, match="nested deeper than 64 levels"):
        check_event(nested(MAX_DEPTH + 1))


def test_an_event_says_whose_it_is_in_either_spelling():
    for user, agent in [("user_id", "agent_id"), ("userId", "agentId")]:
        checked = check_event(CaptureEvent("message", "s", {}, {user: "u", agent: "a"}))
        assert (checked.user_id, checked.agent_id) == ("u", "a")
