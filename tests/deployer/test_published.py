"""Releases at a URL, where what lies there is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile

from mlops_core.adapters.deployer.published import PublishedReleases
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.errors import BadInput, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.domain.release import Bundle

URL = "memory://bucket/models"


@pytest.fixture
def published() -> Iterator[PublishedReleases]:
    """An object store in this process, empty."""
    yield PublishedReleases(URL, MemoryTrainer())
    fsspec.filesystem("memory").store.clear()


def test_a_release_is_the_same_wherever_it_is_read(
    published: PublishedReleases, make_bundle: Callable[..., Bundle]
) -> None:
    """Published again it is found, and its manifest is what vouches for it."""
    release, manifest = published.publish(make_bundle())
    assert published.publish(make_bundle()) == (release, manifest)
    assert published.verified(release.uri, manifest) == release
    with pytest.raises(IntegrityError, match=r"release\.json is not the manifest"):
        published.verified(release.uri, "0" * 64)


@pytest.mark.parametrize("name", ["../../../evil", "model/../../evil"])
def test_a_key_that_leads_out_of_the_folder_is_refused(
    published: PublishedReleases, make_bundle: Callable[..., Bundle], tmp_path: Path, name: str
) -> None:
    """Nothing is written where it leads."""
    release, manifest = published.publish(make_bundle())
    store = fsspec.filesystem("memory")
    store.store[f"{release.uri.removeprefix('memory:/')}/{name}"] = MemoryFile(store, name, b"evil")
    before = sorted(tmp_path.parent.rglob("evil"))
    with pytest.raises(IntegrityError, match="is not part of the release"):
        published.verified(release.uri, manifest)
    assert sorted(tmp_path.parent.rglob("evil")) == before == []


def test_a_place_that_nobody_can_open_is_said() -> None:
    with pytest.raises(BadInput, match=r"nowhere://bucket.* cannot be opened"):
        PublishedReleases("nowhere://bucket", MemoryTrainer()).find("churn", 1, "0" * 64)
