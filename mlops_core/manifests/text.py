"""Manifests as files of YAML, one an object, and the kustomization that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["to_files"]


def to_files(objects: Sequence[dict[str, Any]], made_by: str) -> dict[str, str]:
    """The text of each file by its name; each says which command made it. The same objects, the same text."""
    head = f"# made by: {made_by}\n"
    files: dict[str, str] = {}
    for one in objects:  # called by their kind, so that another release's are written over them
        same = sum(name.startswith(f"{one['kind'].lower()}.") for name in files)
        same += sum(name.startswith(f"{one['kind'].lower()}-") for name in files)
        files[f"{one['kind'].lower()}{f'-{same + 1}' if same else ''}.yaml"] = head + _text(one)
    listing = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return {"kustomization.yaml": head + _text(listing), **files}


def _text(one: dict[str, Any]) -> str:
    return yaml.dump(one, Dumper=_Whole, sort_keys=False, width=110, allow_unicode=True)


class _Whole(yaml.SafeDumper):
    """Without anchors: what stands in two places is written in both."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
