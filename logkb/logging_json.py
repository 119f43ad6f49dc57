"""The server's own log: one JSON object a line on standard error. It names repositories and outcomes, never a build log's text."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from logkb.redact import redact

# The longest message and value that are logged: an exception may carry a whole response.
LONGEST = 500


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", ...}`: whatever was passed as `extra={"fields": {...}}` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. Secrets in the message and in the fields are masked, and both are cut at 500 characters."""
        row: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        message = record.getMessage()
        fields = getattr(record, "fields", None) or _facts(message)
        if not _facts(message):
            row["message"] = _clean(message)
        if isinstance(fields, Mapping):
            row |= {str(name): _clean(value) if isinstance(value, str) else value for name, value in fields.items()}
        if record.exc_info and record.exc_info[0] is not None:
            row["error"] = record.exc_info[0].__name__
            row["where"] = _where(record)
        return json.dumps(row, ensure_ascii=True, default=str)


def _facts(message: str) -> dict[str, object]:
    """The fields of a message that is a JSON object itself, as the web server's are; none of any other."""
    if not message.startswith("{"):
        return {}
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _clean(text: str) -> str:
    return redact(text)[:LONGEST]


def _where(record: logging.LogRecord) -> list[str]:
    """File, line and function of each frame: a traceback's source lines and values could hold what must not be logged."""
    frames: list[str] = []
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-12:]


def configure_logging(stream: TextIO | None = None) -> None:
    """Send every logger's records of level INFO and above to `stream` (default: standard error) as JSON."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # An HTTP client logs every request with its full address, which may hold a signed link to a log.
    for chatty in ("httpx", "httpcore", "urllib3", "githubkit", "gitlab", "hishel"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
