"""Logs: a line per record, with what is known of the request, and never a secret."""

import json
import logging

import pytest

from hippocortex_server.logs import FORMATTERS, JsonFormatter, TextFormatter, redacted

KEY = "hx_live_" + "Ab3-_" * 8 + "xyz"


def record(message, *args, **extra):
    made = logging.LogRecord("hippocortex_server", logging.INFO, "app.py", 1, message, args, None)
    made.created = 1_780_000_000.5
    vars(made).update(extra)
    return made


def test_a_line_is_a_json_document_with_the_fields_of_the_request():
    line = JsonFormatter().format(
        record("request", request_id="req_1", tenant_id="acme", status=200, duration_ms=1.5)
    )
    assert json.loads(line) == {
        "time": "2026-05-28T20:26:40.500Z",
        "level": "info",
        "message": "request",
        "request_id": "req_1",
        "tenant_id": "acme",
        "status": 200,
        "duration_ms": 1.5,
    }


def test_text_leaves_out_what_is_not_known():
    line = TextFormatter().format(record("request", tenant_id=None, status=200))
    assert line == "2026-05-28T20:26:40.500Z info    request status=200"


@pytest.mark.parametrize("format_", FORMATTERS)
def test_what_a_request_says_cannot_begin_a_line_or_steer_a_terminal(format_):
    line = FORMATTERS[format_]().format(record("a\nb\r\x1b[2J", client="x\ny"))
    assert not {"\n", "\r", "\x1b"} & set(line)


@pytest.mark.parametrize("format_", FORMATTERS)
@pytest.mark.parametrize(
    "made",
    [
        record(f"key {KEY} is wrong"),
        record("key %s is wrong", KEY),
        record("refused", header=f"Bearer {KEY}"),
        record("refused", headers={"authorization": f"Bearer {KEY}"}),
        record("refused", raw=KEY.encode()),
    ],
    ids=["message", "argument", "field", "inside a field", "bytes"],
)
def test_a_key_reaches_no_log(format_, made):
    line = FORMATTERS[format_]().format(made)
    assert KEY not in line
    assert KEY[10:] not in line


@pytest.mark.parametrize("format_", FORMATTERS)
def test_a_key_in_a_traceback_is_redacted_too(format_):
    with pytest.raises(ValueError, match="hx_live_") as caught:
        int(KEY)
    made = record("failed")
    made.exc_info = (caught.type, caught.value, caught.tb)
    line = FORMATTERS[format_]().format(made)
    assert "ValueError: invalid literal" in line
    assert "hx_live_[redacted]" in line
    assert KEY[10:] not in line


def test_the_password_of_a_database_is_redacted():
    assert redacted("postgresql://me:s3cret@db:5432/x") == "postgresql://[redacted]@db:5432/x"
    assert redacted("see https://example.org/a@b") == "see https://example.org/a@b"
