"""Looking for what nobody refers to, and removing it.

Looking changes nothing. All of it is found before anything is removed, and each thing is looked at once more,
under its lock, when its turn comes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mlops_core.disk import translated
from mlops_core.errors import BadInput, NotFound
from mlops_core.retention import debris, events, models, online, outputs, releases
from mlops_core.retention.references import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mlops_core.domain.inputs import Inputs
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines
    from mlops_core.retention.found import Found
    from mlops_core.retention.models import ModelFiles
    from mlops_core.retention.outputs import Output
    from mlops_core.retention.references import References
    from mlops_core.retention.releases import Releases

__all__ = ["Retention", "names_known"]

_LOOKS = 4  # and one more, whose error is told
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def names_known(engines: Engines) -> list[str]:
    """The use cases that ledger, runs, events, outputs or releases tell of, sorted."""
    workspace = engines.workspace
    made_for = {one.use_case for one in outputs.outputs_in(workspace) if one.use_case is not None}
    folders = {
        path.name
        for kind in ("features", "releases")
        for path in workspace.home.glob(f"{kind}/*")
        if path.is_dir() and _NAME.fullmatch(path.name)
    }
    noted = {use.inputs.use_case for use in workspace.journal.all()}
    return sorted({*engines.ledger.names(), *noted, *folders, *made_for})


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept and what may go, in one state folder.

    `releases` are those of a target that keeps folders and `models` the files of a registry on this machine;
    without them, none are looked at. `definitions` are the use cases that can be found, whose online values
    stay.
    """

    engines: Engines
    releases: Releases | None = None
    models: ModelFiles | None = None
    definitions: Sequence[UseCase] = ()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def garbage(self, use_case: str | None = None, *, older_than: timedelta = timedelta(0)) -> list[Found]:
        """Everything that nobody refers to and that has been so for `older_than`, of one use case or all.

        What is used or made after this call began is never among it. Raises `NotFound` for a use case that
        nothing tells of, and whatever registry, ledger and online store raise when they cannot be reached.
        """
        if older_than < timedelta(0):
            raise BadInput(f"an age is zero or more, got {older_than}")
        now = self.clock()
        names = {*names_known(self.engines), *(one.name for one in self.definitions)}
        if use_case is not None and use_case not in names:
            raise NotFound(
                f"there is nothing of {use_case!r} here: there is {', '.join(sorted(names)) or 'none'}"
            )
        workspace = self.engines.workspace
        references = gathered(self.engines, names, self.definitions)
        with translated("look for what nobody refers to", workspace.home):
            for _ in range(_LOOKS):
                with suppress(FileNotFoundError):  # something went while it was looked at: look again
                    return list(self._found(references, use_case, sorted(names), now, older_than))
            return list(self._found(references, use_case, sorted(names), now, older_than))

    def _found(
        self, references: References, use_case: str | None, names: list[str], now: datetime, older: timedelta
    ) -> Iterator[Found]:
        workspace, tick = self.engines.workspace, int(now.timestamp() * 1e6) * 1000
        all_ = outputs.outputs_in(workspace)
        kept = outputs.kept_outputs(all_, references, workspace, now=tick, older_than=older)
        yield from outputs.garbage(all_, kept, workspace, use_case, tick)
        uris = {uri for one in kept for uri in one.uris}
        yield from events.garbage(workspace, references, uris, use_case, now=now, older_than=older)
        looked_at = names if use_case is None else [use_case]
        yield from online.garbage(
            self.engines.online,
            references,
            looked_at,
            kept_by=self._inputs_of(kept),
            used=lambda: self._inputs_of(outputs.outputs_in(workspace)),
        )
        if self.releases is not None:
            for name in looked_at:
                yield from releases.garbage(
                    self.releases, references, name, workspace.home, now.timestamp(), older
                )
        if self.models is not None:
            yield from models.garbage(self.models, use_case, workspace.home, now.timestamp(), older)
        yield from debris.garbage(workspace, use_case, now=now, older_than=older)

    def _inputs_of(self, there: Iterable[Output]) -> list[Inputs]:
        """The inputs of these outputs and of the last uses."""
        last = [use.inputs for use in self.engines.workspace.journal.all()]
        return [*last, *(one.inputs for one in there if one.inputs is not None)]
