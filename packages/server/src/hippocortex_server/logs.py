"""What the server says about itself: one line per record on stderr, and never a secret.

Whoever logs passes what it knows as `extra`; every field of it becomes a field of the line.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from hippocortex_server.settings import LogFormat

LOGGER = "hippocortex_server"
"""The logger of everything in this package."""

_SECRETS = (
    # A key, whoever wrote it into whatever; the prefix stays, so that one sees what was there.
    (re.compile(r"\b(hx_(?:live|test)_)[A-Za-z0-9_-]{5,}"), r"\1[redacted]"),
    # The user and the password of a database's URL.
    (re.compile(r"(?<=://)[^/\s@\"']+(?=@)"), "[redacted]"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"']{8,}"), r"\1[redacted]"),
)
# What a request says must neither begin a line of its own nor steer a terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "color_message", "taskName"),
}


def redacted(text: str) -> str:
    """The text without API keys and without the credentials of a URL."""
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    return text


class _Formatter(logging.Formatter):
    """Redacts last, so that nothing gets around it: message, fields and traceback alike."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return redacted(self.line(record, fields))

    def line(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        raise NotImplementedError


class JsonFormatter(_Formatter):
    """One JSON document a line: `time`, `level`, `message`, and the fields."""

    def line(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        """The record as JSON."""
        said = {"time": _time(record), "level": record.levelname.lower()}
        said |= {"message": record.getMessage(), **fields}
        return json.dumps(said, default=str, separators=(",", ":"))


class TextFormatter(_Formatter):
    """For people: time, level, message, and the fields as `name=value`."""

    def line(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        """The record as text; only a traceback has lines of its own."""
        more = dict(fields)
        traceback = more.pop("exception", None)
        said = [f"{name}={value}" for name, value in more.items() if value is not None]
        start = f"{_time(record)} {record.levelname.lower():<7} {record.getMessage()}"
        line = " ".join([start, *said]).translate(_CONTROLS)
        return f"{line}\n{traceback}" if traceback else line


FORMATTERS: Mapping[LogFormat, type[_Formatter]] = {"json": JsonFormatter, "text": TextFormatter}


def log_config(log_format: LogFormat) -> dict[str, Any]:
    """The configuration for `logging.config`, the same in every process of the server."""
    formatter = FORMATTERS[log_format]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            LOGGER: {"level": "INFO"},
            "uvicorn": {"level": "INFO"},
        },
    }


def configure(log_format: LogFormat) -> None:
    """Log in this format in this process."""
    logging.config.dictConfig(log_config(log_format))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
