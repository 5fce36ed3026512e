"""The server's log on standard error: text for a person, or one JSON object a line for a machine."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["JsonLines", "logging_as"]


class JsonLines(logging.Formatter):
    """A record as one line of JSON: timestamp, level, logger, message, and the record's own `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """One object, without a line break."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "timestamp": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def logging_as(form: Literal["text", "json"], stream: TextIO | None = None) -> None:
    """Have this process log to `stream`, by default standard error: everything of ours, others' warnings."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(handlers=[handler])  # a process that logs already goes on as it does
    logging.getLogger("mlops_core").setLevel(logging.INFO)
