"""Register the evaluated model, with what it was made from."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_file, digest_of
from mlops_core.domain.inputs import Inputs
from mlops_core.domain.profiles import FeatureProfile
from mlops_core.domain.receipts import ModelRegistryReceipt
from mlops_core.domain.registry import Lineage, Submission
from mlops_core.domain.release import Probes
from mlops_core.progress import tell
from mlops_core.promotion import enter
from mlops_core.provenance import git_commit, libraries
from mlops_core.stages.model_evaluation import DOCUMENTS, PROBES, PROFILE, REPORT
from mlops_core.stages.model_training import ENVIRONMENT

if TYPE_CHECKING:
    from mlops_core.domain.receipts import EvaluationReceipt, FeatureStoreReceipt, TrainingSetReceipt
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Engines

__all__ = ["STAGE", "model_registry", "model_registry_inputs"]

STAGE = "model_registry"


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
    inputs = model_registry_inputs(use_case, rows, evaluation)
    digest, begun = inputs.data["model"], time.perf_counter()
    tell("asking the registry", 0.0)
    known = {version.digest for version in engines.registry.versions(use_case.name)}
    tell("registering the model with its documents", 0.4)
    version = enter(engines, _submission(use_case, events, rows, evaluation, digest, engines))
    seconds = time.perf_counter() - begun
    engines.workspace.journal.note(inputs, executed=digest not in known, seconds=seconds)
    return ModelRegistryReceipt(
        name=use_case.name,
        version=version.number,
        digest=digest,
        run_id=version.run_id,
        report=f"{evaluation.ref.uri}/{REPORT}",
    )


def model_registry_inputs(
    use_case: UseCase, rows: TrainingSetReceipt, evaluation: EvaluationReceipt
) -> Inputs:
    """What decides whether there is such a version already: the model's digest."""
    candidate = next(one for one in use_case.candidates if one.name == evaluation.candidate)
    parts = [evaluation.model.digest, rows.ref.digest, candidate, use_case.training_digest]
    return Inputs(stage=STAGE, use_case=use_case.name, data={"model": digest_of(parts)})


def _submission(
    use_case: UseCase,
    events: FeatureStoreReceipt,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    digest: str,
    engines: Engines,
) -> Submission:
    candidate = next(one for one in use_case.candidates if one.name == evaluation.candidate)
    folder, model = (engines.workspace.path(ref.uri) for ref in (evaluation.ref, evaluation.model))
    return Submission(
        name=use_case.name,
        digest=digest,
        candidate=candidate.name,
        folder=str(model),
        documents=tuple(str(folder / name) for name in DOCUMENTS),
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
            code=engines.code.whole,
            git_commit=git_commit(),
            libraries=libraries(),
            as_of=events.as_of,
            as_known_at=events.as_known_at,
            model=evaluation.model.digest,
            report=digest_file(folder / REPORT),
            environment=json.loads((model.parent / ENVIRONMENT).read_bytes()),
        ),
        probes=Probes.model_validate_json((folder / PROBES).read_bytes()),
        profile=FeatureProfile.model_validate_json((folder / PROFILE).read_bytes()),
        code=dict(engines.code.all_parts),
    )


def _figures(evaluation: EvaluationReceipt) -> dict[str, float]:
    figures = {name: interval.value for name, interval in evaluation.metrics.items()}
    for name, interval in evaluation.metrics.items():
        figures |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    chosen = evaluation.validation[evaluation.candidate]
    return figures | {f"validation_{name}": value for name, value in chosen.items()}
