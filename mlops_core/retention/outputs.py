"""Outputs of stages that nobody refers to.

Referred to is what the last runs used, what versions were made from, and whatever a kept output names in its
receipt. `feature_store` and `feature_verification` are used outside of deliveries too, and for definitions
that serve, so their last use says too little: what was made of the same events, for the same day, as the
training set that was last used is kept, and what the last run refreshed the serving values with.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mlops_core.disk import translated
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.receipts import (
    EvaluationReceipt,
    FeatureStoreReceipt,
    GateReceipt,
    ModelTrainingReceipt,
    TrainingSetReceipt,
)
from mlops_core.retention.found import Found, Item, size_of
from mlops_core.retention.references import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_core.domain.journal import Use
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.retention.references import References
    from mlops_core.workspace import Workspace

__all__ = ["Output", "garbage", "kept_outputs", "outputs_in"]

_RECEIPTS: dict[str, type[Any]] = {
    "feature_store": FeatureStoreReceipt,
    "gate": GateReceipt,
    "model_evaluation": EvaluationReceipt,
    "model_training": ModelTrainingReceipt,
    "training_set": TrainingSetReceipt,
}
_REPORT = "report.html"


@dataclass(frozen=True)
class Output:
    """A folder `stages/<stage>/<key>` with what its receipt says; nothing of that where it cannot be read.

    `used_at` is when it was made or last reused, in nanoseconds of the system's clock.
    """

    folder: Path
    uri: str
    used_at: int
    inputs: Inputs | None = None
    receipt: Any = None
    files: tuple[tuple[str, str], ...] = ()
    uris: frozenset[str] = frozenset()

    @property
    def stage(self) -> str:
        """The stage's task: "model_training.logistic"."""
        return self.folder.parent.name

    @property
    def name(self) -> tuple[str, str]:
        """(stage, name of its folder)."""
        return self.stage, self.folder.name

    @property
    def use_case(self) -> str | None:
        """The use case that it was made for; others with the same inputs use it too."""
        return self.inputs.use_case if self.inputs else None

    @property
    def lock(self) -> str:
        """Held by whoever makes it."""
        return f"{self.stage}-{self.folder.name}"


def outputs_in(workspace: Workspace) -> list[Output]:
    """Every output there is."""
    found = []
    for folder in sorted(workspace.home.glob("stages/*/*")):
        if folder.name.startswith("."):
            continue
        try:
            if folder.is_dir():
                found.append(_read(workspace, folder))
        except FileNotFoundError:
            continue  # a run makes it anew, or another gc was faster
    return found


def _read(workspace: Workspace, folder: Path) -> Output:
    uri, used_at = workspace.uri(folder), folder.stat().st_mtime_ns
    try:
        record = json.loads((folder / "receipt.json").read_bytes())
        kind = _RECEIPTS.get(folder.parent.name.partition(".")[0])
        return Output(
            folder=folder,
            uri=uri,
            used_at=used_at,
            inputs=Inputs.model_validate(record["inputs"]) if "inputs" in record else None,
            receipt=kind.model_validate_json(json.dumps(record["receipt"])) if kind else None,
            files=tuple(record["files"].items()),
            uris=frozenset(_uris(record["receipt"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
        return Output(folder=folder, uri=uri, used_at=used_at)


def _uris(value: Any) -> Iterator[str]:
    """Every `uri` in a receipt, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "uri" and isinstance(inner, str):
                yield inner
            yield from _uris(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _uris(inner)


def kept_outputs(
    outputs: Sequence[Output],
    references: References,
    workspace: Workspace,
    *,
    now: int,
    older_than: timedelta,
) -> list[Output]:
    """Those that somebody refers to or works at, that were used lately, and those that these refer to."""
    young = now - int(older_than / timedelta(microseconds=1)) * 1000
    kept = [
        one
        for one in outputs
        if one.used_at > young or _is_referred_to(one, references) or workspace.is_held(one.lock)
    ]
    by_uri = {one.uri: one for one in outputs}
    names, waiting = {one.uri for one in kept}, list(kept)
    while waiting:
        for uri in waiting.pop().uris:
            other = by_uri.get("/".join(uri.split("/")[:3]))
            if other is not None and other.uri not in names:
                names.add(other.uri)
                kept.append(other)
                waiting.append(other)
    return kept


def _is_referred_to(output: Output, references: References) -> bool:
    if output.name in references.used:
        return True
    if any(report.startswith(f"{output.uri}/") for report in references.reports):
        return True
    match output.receipt:
        case TrainingSetReceipt(ref=ref):
            return ref.digest in references.training_sets
        case GateReceipt(decision=decision):
            return decision.digest in references.decisions
        case EvaluationReceipt():
            return any(_evaluates(output, version) for version in references.alive)
        case ModelTrainingReceipt(ref=ref):
            return any(_made(output, ref.digest, version) for version in references.alive)
        case FeatureStoreReceipt() as made:
            return any(
                _features(output, use, made.knowledge) or _serves(output, use, references)
                for use in references.uses
            )
    if output.stage == "feature_verification":
        return any(_features(output, use, use.inputs.parameters) for use in references.uses)
    return False


def _evaluates(output: Output, version: ModelVersion) -> bool:
    report = version.lineage.report
    made = _made(output, output.receipt.model.digest, version)
    return made and (report is None or (_REPORT, report) in output.files)


def _made(output: Output, model: str, version: ModelVersion) -> bool:
    """Whether it is about this version's model, as far as is known of versions and outputs of long ago."""
    lineage, inputs = version.lineage, output.inputs
    rows = inputs.data.get("training_set") if inputs else None
    return model == (lineage.model or model) and rows in (None, lineage.training_set)


def _features(output: Output, use: Use, knowledge: dict[str, Any]) -> bool:
    """Whether these features are of the same events, day and definitions as a training set in use."""
    rows, mine = use.inputs, output.inputs
    if rows.stage != "training_set" or mine is None:
        return False
    told = {name: value for name, value in mine.parameters.items() if name in rows.parameters}
    if output.stage == "feature_verification" and told != rows.parameters:
        return False
    same = all(rows.definitions.get(name) == part for name, part in mine.definitions.items())
    return same and (mine.data, knowledge) == (rows.data, rows.parameters)


def _serves(output: Output, use: Use, references: References) -> bool:
    """Whether the run that last used `feature_store` refreshed the values with it that a release reads."""
    mine, theirs, events = output.inputs, use.inputs, {log.ref.uri for log in output.receipt.events.values()}
    if mine is None or theirs.stage != output.stage or not events <= references.held:
        return False
    ways = [(one.parameters, one.code, one.libraries) for one in (mine, theirs)]
    return ways[0] == ways[1] and mine.definitions == references.refreshed(use)


def garbage(
    outputs: Sequence[Output], kept: Sequence[Output], workspace: Workspace, use_case: str | None, now: int
) -> Iterator[Found]:
    """The outputs that are not kept; of one use case, those that were made for it."""
    needed = {one.uri for one in kept}
    for one in outputs:
        if one.uri not in needed and use_case in (None, one.use_case):
            item = Item(
                kind="output",
                what=one.uri,
                use_case=one.use_case,
                why=_why(one),
                size=size_of(one.folder),
                age=max(0.0, (now - one.used_at) / 1e9),
            )
            yield Found(item, _Removal(workspace, one))


def _why(output: Output) -> str:
    if output.inputs is None and output.receipt is None:
        return "its receipt cannot be read, so no run takes it"
    match output.receipt:
        case TrainingSetReceipt():
            return "no version was trained on it, and the last run used another"
        case EvaluationReceipt() | ModelTrainingReceipt():
            return "of no version in Production or Staging, and the last run used another"
        case GateReceipt():
            return "no such decision stands, and the last run used another"
    return "the last run used another"


@dataclass(frozen=True)
class _Removal:
    """Renamed to a draft first: if this process is killed, the next run takes it for what it is."""

    workspace: Workspace
    output: Output

    def __call__(self) -> bool:
        output, home = self.output, self.workspace.home
        with self.workspace.lock_if_free(output.lock) as mine:
            if not mine or self._in_use_again():
                return False
            draft = output.folder.with_name(f".{output.folder.name}.draft")
            with translated(f"remove {output.uri}", home):
                if draft.exists():
                    shutil.rmtree(draft)
                if output.folder.exists():  # else another gc removed it meanwhile
                    output.folder.rename(draft)
                    shutil.rmtree(draft)
        return True

    def _in_use_again(self) -> bool:
        try:
            if self.output.folder.stat().st_mtime_ns != self.output.used_at:
                return True
        except FileNotFoundError:
            return False
        return self.output.name in keys_of(self.workspace.journal.all())
