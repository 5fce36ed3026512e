"""The fast tests of Prefect's flows run in one process: each process with some of them starts a server.

That takes ten seconds of a processor. The live ones stay apart: each takes longer than that.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # it has no types

__all__ = ["OneServer"]

FLOWS = "tests/flows/"


class OneServer(LoadFileScheduling):  # type: ignore[misc]  # as above
    """A file's tests run in one process, and all those of FLOWS."""

    def _split_scope(self, nodeid: str) -> str:
        return FLOWS if nodeid.startswith(FLOWS) else str(super()._split_scope(nodeid))
