"""What versions, runs and definitions refer to: everything that says that something is still needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_core.domain.usecase import UseCase
from mlops_core.errors import DefinitionError, IntegrityError, Unavailable
from mlops_core.history import stored_versions
from mlops_core.promotion import standing_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from mlops_core.domain.journal import Use
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.standing import Standing
    from mlops_core.ports import Engines
    from mlops_core.workspace import Workspace

__all__ = ["References", "gathered"]

_KEY = 16  # characters of a key that name its folder
_REGISTERED = "model_registry"


@dataclass(frozen=True)
class References:
    """All registered versions, where they stand, what each stage last used, definitions that can be found.

    `held` are the files of events that hold now.
    """

    versions: tuple[ModelVersion, ...]
    standings: dict[str, Standing]
    uses: tuple[Use, ...]
    definitions: tuple[UseCase, ...] = ()
    held: frozenset[str] = frozenset()

    @cached_property
    def used(self) -> set[tuple[str, str]]:
        """(stage, name of its folder) of every output that a last run used."""
        return keys_of(self.uses)

    @cached_property
    def events(self) -> set[str]:
        """Digests of events that a version was trained on, whichever stage it is in, or a last run read."""
        trained = {digest for version in self.versions for digest in version.lineage.data.values()}
        return trained | {digest for use in self.uses for digest in use.inputs.data.values()}

    @cached_property
    def training_sets(self) -> set[str]:
        """Digests of the training sets of all versions."""
        return {version.lineage.training_set for version in self.versions}

    @cached_property
    def alive(self) -> tuple[ModelVersion, ...]:
        """Versions in Production or in Staging: those that may yet be judged, asked about and promoted.

        One that the ledger does not have counts as one in Staging.
        """
        return tuple(one for one in self.versions if self._stage(one) != "Archived")

    @cached_property
    def decisions(self) -> set[str]:
        """Digests of the newest decisions on versions that are alive."""
        return {
            standing.decisions[version.number].digest
            for version in self.alive
            if version.number in (standing := self.standings[version.name]).decisions
        }

    @cached_property
    def reports(self) -> set[str]:
        """Where the reports lie that a person was asked to read, on versions that are alive."""
        return {
            standing.requests[version.number].what.report_path
            for version in self.alive
            if version.number in (standing := self.standings[version.name]).requests
        }

    def refreshed(self, use: Use) -> dict[str, Any] | None:
        """The definitions that a run refreshes besides its own: those that serve, see `feature_store`."""
        standing = self.standings.get(use.inputs.use_case)
        for version in self.versions:
            if standing and (version.name, version.number) == (standing.name, standing.production):
                try:
                    return UseCase.stored(version.use_case, f"version {version.number}").training_parts
                except DefinitionError:
                    return None
        return None

    def online_names(self, use_case: str) -> set[str] | None:
        """Sets of online values that versions and definitions of a use case read.

        None when a version's definitions cannot be read: nobody knows then which set is its own.
        """
        found = {one.online_name for one in self.definitions if one.name == use_case}
        for version in self.versions:
            if version.name == use_case:
                try:
                    stored = UseCase.stored(version.use_case, f"version {version.number} of {use_case}")
                except DefinitionError:
                    return None
                found.add(stored.online_name)
        return found

    def releases(self, use_case: str) -> set[tuple[int, str]]:
        """(number, digest) of every version that registry or ledger knows."""
        known = {(one.number, one.digest) for one in self.versions if one.name == use_case}
        return known | set(self.standings[use_case].models.items())

    def _stage(self, version: ModelVersion) -> str:
        return self.standings[version.name].stages.get(version.number, "Staging")


def keys_of(uses: Iterable[Use]) -> set[tuple[str, str]]:
    """(stage, name of its folder) of each use."""
    return {(use.inputs.stage, use.inputs.key[:_KEY]) for use in uses}


def gathered(engines: Engines, names: Collection[str], definitions: Sequence[UseCase]) -> References:
    """What the versions of `names`, all last runs and `definitions` refer to.

    Raises `Unavailable` when registry or ledger cannot be reached, or are not those of this state folder.
    """
    uses = tuple(engines.workspace.journal.all())
    standings, versions = {}, []
    for name in sorted(names):
        served = _served(engines, name)  # first: what goes on meanwhile is in ledger and registry by then
        standings[name] = standing_of(engines, name)
        found = engines.registry.versions(name)
        _check(standings[name], found, uses, served)
        versions += found
    return References(
        versions=tuple(versions),
        standings=standings,
        uses=uses,
        definitions=tuple(definitions),
        held=frozenset(_held(engines.workspace)),
    )


def _held(workspace: Workspace) -> Iterator[str]:
    for folder in workspace.home.glob("features/*/*"):
        yield from (one.uri for one in stored_versions(workspace, folder)[-1:])


def _served(engines: Engines, name: str) -> Release | None:
    try:
        return engines.deployer.current(name)
    except IntegrityError:
        return None  # damaged, which `mlops run` mends: it says nothing of who knows what


def _check(
    standing: Standing, found: Sequence[ModelVersion], uses: Sequence[Use], current: Release | None
) -> None:
    """Refuse a registry and a ledger by which everything here would look like garbage.

    A version that never served can have been deleted by hand; what served, serves or was just registered
    is known to the registry that belongs to this folder.
    """
    name, there = standing.name, {version.number: version.digest for version in found}
    lost = {number for number, digest in standing.models.items() if there.get(number) != digest}
    served = {entry.version for entry in standing.served} | {standing.production}
    if lost & (served | there.keys()) or (lost and not there):
        numbers = ", ".join(str(number) for number in sorted(lost))
        raise _refused(name, f"it does not have version {numbers} as the ledger does")
    known = {*there.values(), *standing.models.values()}
    last = {use.inputs.data.get("model") for use in uses if _of(use, name)}
    if last - known - {None}:
        raise _refused(name, "the last run registered a version that it does not have")
    if current is not None and current.digest not in known:
        raise _refused(name, f"version {current.version} is served here, and it does not have it")


def _of(use: Use, name: str) -> bool:
    return use.inputs.use_case == name and use.inputs.stage == _REGISTERED


def _refused(name: str, why: str) -> Unavailable:
    return Unavailable(
        f"the registry cannot say what {name} needs: {why}. Nothing was removed. "
        "See whether MLOPS_TRACKING_URI and MLOPS_LEDGER are those of this state folder, and "
        f"`mlops registry verify {name} --check`"
    )
