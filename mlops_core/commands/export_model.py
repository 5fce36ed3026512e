"""`mlops export USE_CASE --to kubernetes|argo-rollouts|kserve`: a version that was released, as manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.export_files import write_files
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.commands.export_told import Told
    from mlops_core.manifests import Workload

    Manifests = list[dict[str, Any]]

__all__ = ["MODELS", "export_model"]


def _kubernetes(of: Workload) -> Manifests:
    from mlops_core.manifests import model_objects

    return model_objects(of)


def _argo_rollouts(of: Workload) -> Manifests:
    from mlops_core.domain.traffic import Bounds
    from mlops_core.manifests import argo_objects

    return argo_objects(of, Bounds())


def _kserve(of: Workload) -> Manifests:
    from mlops_core.manifests import kserve_objects

    return kserve_objects(of)


MODELS: dict[str, Callable[[Workload], Manifests]] = {
    "kubernetes": _kubernetes,
    "argo-rollouts": _argo_rollouts,
    "kserve": _kserve,
}
"""What a version in Production can be exported to, and the function that makes its objects."""


def export_model(name: str, *, known_as: str, to: str, number: int | None, into: Path, out: Told) -> None:
    """Write the manifests of a version, by default that in Production, and the kustomization of them."""
    from mlops_core.manifests import to_files

    of = _workload(name, number)
    chosen = f" --version {number}" if number is not None else ""
    texts = to_files(MODELS[to](of), f"mlops export {known_as} --to {to}{chosen}")
    for written in write_files(into, texts):
        out.file(written)
    apply = f"kubectl apply --server-side --field-manager=mlops -k {into}"
    out.close(f"Version {of.version} of {name}. Next: {apply}")


def _workload(name: str, number: int | None) -> Workload:
    """The published release of a version. Raises `NotFound` where there is none."""
    from mlops_core.promotion.record import registered, standing_of
    from mlops_core.settings import Settings
    from mlops_core.wiring import ConfiguredEngines

    engines = ConfiguredEngines(Settings.load())
    wanted = standing_of(engines, name).production if number is None else number
    if wanted is None:
        raise NotFound(f"no version of {name} is in Production: promote one, or name one with --version N")
    version = registered(engines, name, wanted)
    found = engines.workload(name, wanted, version.digest)
    if found is None:
        raise NotFound(
            f"{name} version {wanted} was not released to MLOPS_ARTIFACTS yet, from where its servers read "
            "it: `mlops promote` and `mlops traffic` do so where MLOPS_TARGET is kubernetes"
        )
    return found
