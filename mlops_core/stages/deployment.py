"""Deploy what passed the gate: release, prove, serve, and only then move Production."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlops_core.domain.receipts import DeploymentReceipt
from mlops_core.domain.release import Bundle, Probes
from mlops_core.errors import IntegrityError, NotFound, Unavailable
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
    from mlops_core.ports import Deployer, Engines, ModelRegistry

__all__ = ["deployment"]

PROBES = 32
_LOG = logging.getLogger(__name__)


def deployment(
    use_case: UseCase,
    rows: TrainingSetReceipt,
    evaluation: EvaluationReceipt,
    registered: ModelRegistryReceipt,
    gated: GateReceipt,
    *,
    engines: Engines,
) -> DeploymentReceipt:
    """Serve a version that passed; leave everything as it is for one that was rejected.

    The order makes every interruption harmless: the release is proved before anyone follows it, and
    Production moves last, so that running again finishes what is missing.
    """
    decision, registry, deployer = gated.decision, engines.registry, engines.deployer
    version, champion = _standing(registry, registered)
    if decision.verdict == "rejected":
        return _receipt(version, decision, None)
    release = _served(deployer, use_case.name)
    if release is not None and release.digest == version.digest and version.stage == "Production":
        return _receipt(registry.promote(use_case.name, version.number), decision, release)
    if champion is not None and champion.digest not in (decision.champion_digest, version.digest):
        raise Unavailable(
            f"{use_case.name} version {champion.number} went to Production after version {version.number} "
            f"was compared with {decision.champion or 'none'}: run again to compare with it"
        )
    with engines.workspace.scratch() as folder:
        registry.fetch(version, folder)
        probes = _probes(rows, evaluation, engines)
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


def _served(deployer: Deployer, name: str) -> Release | None:
    try:
        return deployer.current(name)
    except IntegrityError as error:
        _LOG.warning("deployment: %s; releasing it anew", error)
        return None


def _probes(rows: TrainingSetReceipt, evaluation: EvaluationReceipt, engines: Engines) -> Probes:
    """Rows spread over the evaluation snapshot, with what the model said when it was trained."""
    import numpy as np

    table = read_splits(engines.workspace.path(rows.ref.uri), "evaluation")
    picked = np.unique(np.linspace(0, table.num_rows - 1, PROBES).astype(int))
    inputs = matrix(table.take(picked), rows.feature_names)
    expected = engines.trainer.load(engines.workspace.path(evaluation.model.uri)).predict(inputs)
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
