"""Make a registered version again from its lineage alone, and compare.

What a run left in the workspace is not used: the same stage functions run again, in a folder of their own,
on the events by their digests. Nothing but scratch is written to the state folder, and registry, ledger and
target are only read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_core.disk import translated
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import BadInput, DefinitionError, MlopsError
from mlops_core.provenance import git_commit
from mlops_core.reproduction.again import Again
from mlops_core.reproduction.apart import Apart
from mlops_core.reproduction.differences import differences, since_then
from mlops_core.reproduction.events import PastEvents
from mlops_core.reproduction.predictions import moved, probes_missed_by, scale_of
from mlops_core.reproduction.reproduction import TOLERANCE, Digest, Moved, Reproduction
from mlops_core.reproduction.training_rows import changed_rows, stored_rows
from mlops_core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.ports import Engines, FittedModel
    from mlops_core.reproduction.predictions import Thresholds
    from mlops_core.reproduction.reproduction import ChangedRows, Verdict

__all__ = ["reproduce"]

_REGISTERED = "registered"  # folder of the registry's own copy of the model


def reproduce(
    version: ModelVersion, engines: Engines, *, today: UseCase | None = None, keep: Path | None = None
) -> Reproduction:
    """Read the data as it was known then, make the training set and fit the chosen candidate again.

    `today` are the use case's definitions as they are now, for comparison alone. What is made lies in `keep`
    afterwards, a new or empty folder; without it, it goes. Raises `NotFound` when the events are not there
    any more and what is left does not do, `IntegrityError` when what is there is not what was stored,
    `DefinitionError` for definitions that this code cannot read.
    """
    use_case, candidate = _definitions(version)
    past = PastEvents(version, use_case, engines)
    with _space(engines.workspace, keep) as folder:
        again = Again.of(version, use_case, candidate, past, Apart(engines, Workspace(folder)))
        return _compared(version, engines, past, again, today)


def _definitions(version: ModelVersion) -> tuple[UseCase, AnyCandidate]:
    of = f"version {version.number} of {version.name}"
    try:
        use_case = UseCase.stored(version.use_case, of)
    except DefinitionError as error:
        raise DefinitionError(
            f"{str(error).partition(': ')[0]}: reproduce it by the code that made it, with --at-commit"
        ) from error
    for candidate in use_case.candidates:
        if candidate.name == version.candidate:
            return use_case, candidate
    there = ", ".join(one.name for one in use_case.candidates)
    raise DefinitionError(
        f"{of} is a {version.candidate!r}, which is no candidate of the definitions kept with it ({there}): "
        "the registry's entry of that version was changed"
    )


@contextmanager
def _space(workspace: Workspace, keep: Path | None) -> Iterator[Path]:
    """An empty folder: one to keep, or scratch of the state folder, which the next run removes if we die."""
    if keep is None:
        with workspace.scratch() as folder:
            yield folder
        return
    with translated("keep the reproduction", keep):
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise BadInput(
                f"{keep} is not empty: give --keep a new folder, so that nothing old is found there"
            )
    yield keep


def _compared(
    version: ModelVersion, engines: Engines, past: PastEvents, again: Again, today: UseCase | None
) -> Reproduction:
    lineage, model = version.lineage, again.model
    thresholds = (version.threshold, again.trained.threshold)
    registered, unreadable = _registered(version, engines, again.engines.workspace.home)
    digests = _digests(version, registered, again)
    evaluation = None
    if registered is not None:
        evaluation = moved(registered, model, thresholds, again.file, again.rows.feature_names)
    probes, scale = probes_missed_by(model, version.probes), scale_of(version.probes, thresholds)
    found = differences(
        version, again.use_case, again.candidate, past.read, engines.code, again.environment, today
    )
    return Reproduction(
        model=version.name,
        version=version.number,
        candidate=version.candidate,
        verdict=_verdict(digests, thresholds, probes, evaluation, scale),
        as_of=lineage.as_of,
        as_known_at=past.as_known_at,
        sources=tuple(past.read),
        digests=digests,
        threshold_then=thresholds[0],
        threshold_now=thresholds[1],
        probes=probes,
        scale=scale,
        evaluation=evaluation,
        unreadable=unreadable,
        rows=None if digests[0].equal else _difference_of_rows(version, engines, again),
        definitions_in_code=len(version.code),
        differences=tuple(found),
        today=tuple(since_then(again.use_case, today, again.candidate)),
        notes=(*past.notes, *_notes(version)),
    )


def _digests(version: ModelVersion, registered: FittedModel | None, again: Again) -> tuple[Digest, ...]:
    lineage = version.lineage
    state = lineage.model or (registered.digest() if registered else "not recorded")
    return (
        Digest(name="training set", then=lineage.training_set, now=again.rows.ref.digest),
        Digest(name="fitted state", then=state, now=again.trained.ref.digest),
        Digest(name="version", then=version.digest, now=again.version_digest),
    )


def _verdict(
    digests: tuple[Digest, ...], thresholds: Thresholds, probes: float, evaluation: Moved | None, scale: float
) -> Verdict:
    tolerance = TOLERANCE * scale
    far = evaluation is not None and (evaluation.largest > tolerance or bool(evaluation.calls_changed))
    if far or probes > tolerance or _thresholds_apart(thresholds):
        return "different"
    if all(one.equal for one in digests) and thresholds[0] == thresholds[1]:
        return "identical"
    return "different" if evaluation is None else "equivalent"


def _thresholds_apart(thresholds: Thresholds) -> bool:
    then, now = thresholds
    return (then is None) != (now is None) or (
        then is not None and now is not None and abs(then - now) > TOLERANCE
    )


def _registered(
    version: ModelVersion, engines: Engines, folder: Path
) -> tuple[FittedModel | None, str | None]:
    """The model as the registry has it; or why it cannot be loaded here. Damaged files raise."""
    kept = folder / _REGISTERED
    kept.mkdir()
    engines.registry.fetch(version, kept)
    try:
        return engines.trainer.load(kept), None
    except MlopsError as error:  # the files are those registered: other libraries, most likely
        return None, str(error)


def _difference_of_rows(version: ModelVersion, engines: Engines, again: Again) -> ChangedRows | None:
    import pyarrow.parquet as pq

    then = stored_rows(engines.workspace, version.lineage.training_set)
    if then is None:
        return None
    return changed_rows(then, pq.read_table(again.file), again.use_case.entity.keys)


def _notes(version: ModelVersion) -> tuple[str, ...]:
    """What the lineage does not tell."""
    lineage = version.lineage
    silent = {
        "the git commit": lineage.git_commit is None and git_commit() is not None,
        "the definitions in its code": not version.code,
        "the environment of its fit": not lineage.environment,
    }
    missing = [what for what, unknown in silent.items() if unknown]
    notes = [f"its lineage does not say {' and '.join(missing)}"] if missing else []
    if lineage.git_commit is not None and lineage.git_commit.endswith("-dirty"):
        notes.append("there were uncommitted changes in the working directory when it was trained")
    return tuple(notes)
