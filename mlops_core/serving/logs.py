"""The server's log on standard error: text for a person, or one JSON object a line for a machine."""

from __future__ import annotations

import json
import logging
import sys
import time
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


class TextLines(logging.Formatter):
    """A record as a line for a person: local time, and the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s")
        self._second = (-1, "")

    def formatTime(  # noqa: N802 - so it is called there
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 - there is one
    ) -> str:
        """As the standard library has it, which asks the calendar for each line anew."""
        second = int(record.created)
        if self._second[0] != second:
            self._second = (second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second)))
        return f"{self._second[1]},{int(record.msecs):03d}"


def logging_as(form: Literal["text", "json"], stream: TextIO | None = None) -> None:
    """Have this process log to `stream`, by default standard error: everything of ours, others' warnings."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    # Who logs is found out for each record, and no line says it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler])  # a process that logs already goes on as it does
    logging.getLogger("mlops_core").setLevel(logging.INFO)
