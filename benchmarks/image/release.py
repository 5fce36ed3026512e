"""A small release to try the server's image with: `python -m benchmarks.image.release FOLDER`.

It prints the digest that vouches for it, as MLOPS_RELEASE_MANIFEST.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.trainer.quick import QuickTrainer
from mlops_core.domain.candidates import GradientBoosting, LogisticRegression
from mlops_core.domain.features import Count, Mean
from mlops_core.domain.gates import GatePolicy
from mlops_core.domain.labels import NoEventWithin
from mlops_core.domain.release import Bundle, Probes, Release
from mlops_core.domain.sources import Entity, EventSource
from mlops_core.domain.time import days
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.views import FeatureView

__all__ = ["Published", "published", "use_case_of_two"]


class Published(NamedTuple):
    """A release, the folder that it lies in, and the digest of its manifest."""

    release: Release
    folder: Path
    manifest: str


def published(folder: Path) -> Published:
    """Version 1 of a boosted model of two features, made in `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        bundle = _bundle(Path(scratch) / "model")
        release, manifest = PublishedReleases(f"{scratch}/releases", QuickTrainer()).publish(bundle)
        shutil.copytree(release.uri, folder)
    return Published(release, folder, manifest)


def use_case_of_two() -> UseCase:
    """One of two features, `orders` and `basket`."""
    features = (Count("orders"), Mean("basket", "amount"))
    return UseCase(
        name="churn",
        entity=Entity(name="customer", key="customer_id"),
        sources=(EventSource(name="purchases", event_timestamp="at", path=Path("purchases.parquet")),),
        views=(FeatureView(name="history", source="purchases", features=features),),
        label=NoEventWithin(name="churned", source="purchases", horizon=days(90)),
        candidates=(LogisticRegression(),),
        gate=GatePolicy(floor=0.7),
    )


def _bundle(folder: Path) -> Bundle:
    use_case = use_case_of_two()
    rows = np.random.default_rng(1).normal(size=(2000, 2))
    model = QuickTrainer().fit(GradientBoosting(trees=20), rows, (rows[:, 0] > 0.1).astype(np.int8))
    folder.mkdir()
    model.save(folder)
    probes = rows[:4]
    return Bundle(
        name=use_case.name,
        version=1,
        digest=model.digest(),
        candidate="boosting",
        model_folder=str(folder),
        use_case=use_case.model_dump_json(),
        feature_names=use_case.feature_names,
        threshold=0.5,
        probes=Probes(
            rows=tuple(map(tuple, probes.tolist())), expected=tuple(model.predict(probes).tolist())
        ),
    )


if __name__ == "__main__":
    sys.stdout.write(f"{published(Path(sys.argv[1])).manifest}\n")
