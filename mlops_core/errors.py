"""The errors of this project, and what each one means to a caller.

::

    MlopsError                      every error we raise on purpose
    ├── BadInput (ValueError)       the caller can mend it; exit code 2, never retried
    │   ├── DefinitionError         a use case, feature, policy or setting that cannot be meant
    │   ├── DataError               rows that break the source's contract
    │   └── GraphError              a DAG that cannot be walked
    ├── NotFound (LookupError)      something named does not exist; exit code 2
    ├── IntegrityError              bytes that no longer match their digest; never retried
    ├── Superseded                  a decision or consent that no longer fits what is there; decide again
    ├── Unavailable                 an engine is busy or out of reach; worth a retry
    │   └── Conflict                … somebody else wrote first: look again, and write what fits then
    └── TaskFailed                  a task of a DAG failed; its cause is chained
        ├── RunFailed               … as `PipelineDAG.execute` raises it, with the run's report
        └── TaskTimedOut            … because it took longer than its policy allows
            └── RunTimedOut         … (both of them) as `PipelineDAG.execute` raises it

A message names the offender, what was expected, what came, and what to do about it. Errors of engines
are translated at the adapter's edge, with the engine's own error chained.
"""

from __future__ import annotations

__all__ = [
    "BadInput",
    "Conflict",
    "DataError",
    "DefinitionError",
    "GraphError",
    "IntegrityError",
    "MlopsError",
    "NotFound",
    "Superseded",
    "TaskFailed",
    "TaskTimedOut",
    "Unavailable",
]


class MlopsError(Exception):
    """Root of every error this project raises on purpose."""

    exit_code = 1


class BadInput(MlopsError, ValueError):
    """Something the caller gave cannot be used; trying again will not help."""

    exit_code = 2


class DefinitionError(BadInput):
    """A definition (use case, feature, policy, setting) that cannot be meant."""


class DataError(BadInput):
    """Rows that break the contract of their source."""


class GraphError(BadInput):
    """A graph with a duplicate name, an unknown dependency or a cycle."""


class NotFound(MlopsError, LookupError):
    """Something that was named does not exist."""

    exit_code = 2


class IntegrityError(MlopsError):
    """Bytes that no longer match the digest they were stored under."""


class Superseded(MlopsError):
    """What was decided or consented to is not what is there now; it has to be decided anew."""


class Unavailable(MlopsError):
    """An engine is busy, locked or out of reach; the same call may succeed later."""


class Conflict(Unavailable):
    """Somebody else appended to a ledger first; what was to be written may not fit any more."""


class TaskFailed(MlopsError):
    """A task of a DAG failed. `task` is its name; the original error is `__cause__`."""

    def __init__(self, message: str, task: str = "") -> None:
        super().__init__(message)
        self.task = task


class TaskTimedOut(TaskFailed):
    """A task took longer than its policy allows."""
