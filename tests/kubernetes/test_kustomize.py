"""Exported folders, read by `kubectl kustomize`."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mlops_core.domain.traffic import Bounds
from mlops_core.manifests import argo_objects, kserve_objects, model_objects, to_files
from tests.kubernetes.workloads import workload

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.manifests import Workload


@pytest.mark.live
@pytest.mark.parametrize("objects", [model_objects, lambda of: argo_objects(of, Bounds()), kserve_objects])
def test_kubectl_kustomize_gives_the_same_objects(
    objects: Callable[[Workload], list[dict[str, Any]]], tmp_path: Path
) -> None:
    kubectl = os.environ.get("KUBECTL") or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed; name it with KUBECTL (.ci/servers fetches one)")
    made = objects(workload())
    for name, text in to_files(made, "mlops export churn").items():
        (tmp_path / name).write_text(text)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [kubectl, "kustomize", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)  # noqa: S603 - ours
    assert (found.returncode, found.stderr) == (0, "")
    read = list(yaml.safe_load_all(found.stdout))

    def key(one: dict[str, Any]) -> tuple[str, str]:
        return one["kind"], one["metadata"]["name"]

    assert sorted(read, key=key) == sorted(made, key=key)
