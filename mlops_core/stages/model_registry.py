"""Register the evaluated model, with what it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.domain.profiles import FeatureProfile
from mlops_core.domain.receipts import ModelRegistryReceipt
from mlops_core.domain.registry import Lineage, Submission
from mlops_core.domain.release import Probes
from mlops_core.promotion import enter
from mlops_core.provenance import code_digest, git_commit, libraries
from mlops_core.stages.model_evaluation import PROBES, PROFILE, REPORT

if TYPE_CHECKING:
    from mlops_core.domain.candidates import AnyCandidate
    from mlops_core.domain.receipts import EvaluationReceipt, FeatureStoreReceipt, TrainingSetReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines
    from mlops_core.workspace import Workspace

__all__ = ["model_registry"]


def model_registry(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    *,
    engines: Engines,
) -> ModelRegistryReceipt:
    """Make the model a version in Staging; a model that is registered already keeps its version.

    A model's digest names its fitted state together with the training set and the definitions it serves by.
    """
    candidate = next(one for one in use_case.candidates if one.name == evaluation.candidate)
    digest = digest_of([evaluation.model.digest, rows.ref.digest, candidate, use_case.training_digest])
    version = enter(
        engines, _submission(use_case, events, rows, evaluation, candidate, digest, engines.workspace)
    )
    return ModelRegistryReceipt(
        name=use_case.name,
        version=version.number,
        digest=digest,
        run_id=version.run_id,
        report=f"{evaluation.ref.uri}/{REPORT}",
    )


def _submission(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    candidate: AnyCandidate,
    digest: str,
    workspace: Workspace,
) -> Submission:
    folder = workspace.path(evaluation.ref.uri)
    return Submission(
        name=use_case.name,
        digest=digest,
        candidate=candidate.name,
        folder=str(workspace.path(evaluation.model.uri)),
        attachments=tuple(str(folder / name) for name in (REPORT, "evaluation.json")),
        feature_names=rows.feature_names,
        threshold=evaluation.threshold,
        metrics=_figures(evaluation),
        parameters={
            name: str(value) for name, value in candidate.model_dump(mode="json").items() if name != "name"
        },
        use_case=use_case.model_dump_json(),
        lineage=Lineage(
            use_case=use_case.name,
            data={name: log.ref.digest for name, log in events.events.items()},
            definitions=use_case.training_digest,
            training_set=rows.ref.digest,
            candidate=digest_of(candidate),
            code=code_digest(),
            git_commit=git_commit(),
            libraries=libraries(),
            as_of=events.as_of,
        ),
        probes=Probes.model_validate_json((folder / PROBES).read_bytes()),
        profile=FeatureProfile.model_validate_json((folder / PROFILE).read_bytes()),
    )


def _figures(evaluation: EvaluationReceipt) -> dict[str, float]:
    figures = {name: interval.value for name, interval in evaluation.metrics.items()}
    for name, interval in evaluation.metrics.items():
        figures |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    chosen = evaluation.validation[evaluation.candidate]
    return figures | {f"validation_{name}": value for name, value in chosen.items()}
