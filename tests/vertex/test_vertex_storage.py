"""Releases in Google Cloud Storage: by gcsfs, at PyPI's `gcp-storage-emulator`, which is no Google either."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.domain.release import Bundle
    from tests.deployer.vertex_rig import FakeVertexRig

pytestmark = pytest.mark.live


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty one, to which nobody has to sign in."""
    program = shutil.which("gcp-storage-emulator")
    if program is None:
        pytest.skip("no emulator: pip install gcp-storage-emulator")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    words = f"start --host 127.0.0.1 --port {port} --default-bucket shop-models --in-memory --quiet"
    process = subprocess.Popen([program, *words.split()])  # noqa: S603 - our own words
    try:
        _wait(port)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # kinds of buckets it does not know
        yield "gs://shop-models"
    finally:
        process.terminate()
        process.wait(30)


def test_releases_are_served_from_a_bucket(
    vertex: FakeVertexRig, make_bundle: Callable[..., Bundle], bucket: str
) -> None:
    """Published, verified and served from there, and named as the model's artifacts."""
    vertex.settings = vertex.settings.model_copy(update={"artifacts": f"{bucket}/releases"})
    first, second = (vertex.deployer.prepare(make_bundle(version)) for version in (1, 2))
    vertex.deployer.activate(first)
    (model,) = vertex.vertex.models["mlops-churn"]
    assert model.artifact_uri == first.uri
    assert first.uri.startswith("gs://shop-models/releases/churn/1-")
    assert vertex.deployer.current("churn") == first
    assert vertex.call("churn", 3) == {1: 3}
    vertex.tamper(second)
    with pytest.raises(IntegrityError, match=r"gs://shop-models/releases/churn/2-.*model\.json"):
        vertex.deployer.activate(second)
    assert vertex.call("churn", 3) == {1: 3}


def _wait(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
