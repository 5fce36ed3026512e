"""Deploy what passed the gate: release, prove, serve, and only then move Production."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.receipts import DeploymentReceipt
from mlops_core.domain.release import Bundle, Probes
from mlops_core.errors import NotFound, Unavailable
from mlops_core.stages.matrix import matrix, read_splits

if TYPE_CHECKING:
    from mlops_core.domain.gates import GateDecision
    from mlops_core.domain.receipts import (
        EvaluationReceipt,
        GateReceipt,
        ModelRegistryReceipt,
        TrainingSetReceipt,
    )
    from mlops_core.domain.registry import ModelVersion
    from mlops_core.domain.release import Release
    from mlops_core.domain.usecase import UseCase
    from mlops_core.ports import Deployer, ModelRegistry, Trainer
    from mlops_core.workspace import Workspace

__all__ = ["deployment"]

PROBES = 32


def deployment(
    use_case: UseCase,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    registered: ModelRegistryReceipt,
    gated: GateReceipt,
    *,
    workspace: Workspace,
    registry: ModelRegistry,
    trainer: Trainer,
    deployer: Deployer,
) -> DeploymentReceipt:
    """Serve a version that passed; leave everything as it is for one that was rejected.

    The order makes every interruption harmless: the release is proved before anyone follows it, and
    Production moves last, so that running again finishes what is missing.
    """
    decision = gated.decision
    version, champion = _standing(registry, registered)
    if decision.verdict == "rejected":
        return _receipt(version, decision, None)
    release = deployer.current(use_case.name)
    if release is not None and release.digest == version.digest and version.stage == "Production":
        return _receipt(registry.promote(use_case.name, version.number), decision, release)
    if champion is not None and champion.digest not in (decision.champion_digest, version.digest):
        raise Unavailable(
            f"{use_case.name} version {champion.number} went to Production after version {version.number} "
            f"was compared with {decision.champion or 'none'}: run again to compare with it"
        )
    with workspace.scratch() as folder:
        registry.fetch(version, folder)
        probes = _probes(rows, evaluation, trainer, workspace)
        release = deployer.prepare(
            Bundle(
                name=use_case.name,
                version=version.number,
                digest=version.digest,
                candidate=version.candidate,
                model_folder=str(folder),
                use_case=version.use_case,
                feature_names=rows.feature_names,
                threshold=evaluation.threshold,
                probes=probes,
            )
        )
    deployer.activate(release)
    return _receipt(registry.promote(use_case.name, version.number), decision, release)


def _standing(
    registry: ModelRegistry, registered: ModelRegistryReceipt
) -> tuple[ModelVersion, ModelVersion | None]:
    versions = registry.versions(registered.name)
    mine = next((one for one in versions if one.digest == registered.digest), None)
    if mine is None:
        raise NotFound(
            f"{registered.name} version {registered.version} is no longer in the registry: run again"
        )
    return mine, next((one for one in versions if one.stage == "Production"), None)


def _probes(
    rows: TrainingSetReceipt, evaluation: EvaluationReceipt, trainer: Trainer, workspace: Workspace
) -> Probes:
    """Rows spread over the evaluation snapshot, with what the model said when it was trained."""
    import numpy as np

    table = read_splits(workspace.path(rows.ref.uri), "evaluation")
    picked = np.unique(np.linspace(0, table.num_rows - 1, PROBES).astype(int))
    inputs = matrix(table.take(picked), rows.feature_names)
    expected = trainer.load(workspace.path(evaluation.model.uri)).predict(inputs)
    return Probes(
        rows=tuple(tuple(None if np.isnan(x) else float(x) for x in row) for row in inputs),
        expected=tuple(float(x) for x in expected),
    )


def _receipt(version: ModelVersion, decision: GateDecision, release: Release | None) -> DeploymentReceipt:
    previous = decision.champion if decision.champion != version.number else None
    return DeploymentReceipt(
        status="deployed" if release else "rejected",
        name=version.name,
        version=version.number,
        stage=version.stage,
        release=release.uri if release else None,
        released_at=release.released_at if release else None,
        previous=previous,
    )
