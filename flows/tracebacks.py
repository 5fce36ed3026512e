"""An error of ours is one sentence in the log: no traceback of Prefect's under it."""

from __future__ import annotations

import logging

from mlops_core.errors import MlopsError

__all__ = ["spare_tracebacks"]


class _OfOurErrors(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], MlopsError))


_FILTER = _OfOurErrors()  # one, so that adding it again changes nothing


def spare_tracebacks() -> None:
    """Say no more of a flow run that failed with an error of ours than its state, which has the sentence.

    On a worker Prefect raises the error of a flow that returned `Failed`, and logs that as unexpected. Errors
    that are not ours keep their traceback.
    """
    logging.getLogger("prefect.flow_runs").addFilter(_FILTER)
