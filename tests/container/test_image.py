"""The image of the server, by the steps of its Dockerfile: what is in it, and what a container of it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from benchmarks.image.container import free_port, running

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from benchmarks.image.built import Image
    from benchmarks.image.release import Published
    from mlops_core.domain.release import Release

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("image")]  # it is built once

MODEL = "/opt/ml/model"
ABOUT = """
import importlib.metadata, json, os, pathlib, sys

def writable(folder):
    try:
        (pathlib.Path(folder) / "written").write_text("")
    except OSError:
        return False
    return True

status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "ids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
    "privileges": {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")},
    "no new ones": status["NoNewPrivs"].strip(),
    "writable": [one for one, *_ in os.walk("/") if not one.startswith("/proc") and writable(one)],
    "read only": {one: bool(os.statvfs(one).f_flag & os.ST_RDONLY) for one in ("/", "/opt", "/usr/local")},
    "installed": sorted(one.name for one in importlib.metadata.distributions()),
}))
"""


def test_a_container_is_nobody_and_writes_nowhere_but_to_temporary_files(image: Image) -> None:
    found = _about(image)
    assert found["ids"] == [10001] * 6
    assert (set(found["privileges"].values()), found["no new ones"]) == ({0}, "1")
    assert found["read only"] == {"/": True, "/opt": True, "/usr/local": True}
    assert set(found["writable"]) == {"/tmp", "/dev/shm"}  # noqa: S108 - what an engine gives it, too


def test_only_what_the_server_needs_is_installed(image: Image) -> None:
    installed = set(_about(image)["installed"])
    assert {"mlops-core", "scikit-learn", "s3fs", "gcsfs", "redis"} <= installed
    absent = {"pip", "setuptools", "hatchling", "mlflow-skinny", "prefect", "duckdb", "pandas", "pyarrow"}
    assert installed & absent == set()


def test_it_serves_the_release_of_its_folder_and_stops_when_told(image: Image, release: Published) -> None:
    """As SageMaker starts it: the release in /opt/ml/model, and one variable for what vouches for it."""
    environment = {"MLOPS_RELEASE_MANIFEST": release.manifest}
    with running(image, environment, bind=(release.folder, MODEL)) as container:
        with container.wait() as client:
            assert client.get("/v2/health/ready").status_code == 200
            assert _probed(client, release.release) == pytest.approx(release.release.probes.expected)
            by_id = client.post("/predict", json={"ids": [1]})
            assert (by_id.status_code, "MLOPS_ONLINE_STORE" in by_id.json()["error"]) == (503, True)
        port = container.url.rpartition(":")[2]
        assert _health(image, port) == 0
        code, log = container.stop()
    assert code == 0, log
    assert "Traceback" not in log
    assert _health(image, port) == 1
    assert all(json.loads(line) for line in log.splitlines())


def test_another_manifest_is_never_ready(image: Image, release: Published) -> None:
    environment = {"MLOPS_RELEASE_MANIFEST": "0" * 64}
    with running(image, environment, bind=(release.folder, MODEL)) as container:
        _, log = container.process.communicate(timeout=60)
    assert container.process.returncode == 1
    assert "not the manifest that MLOPS_RELEASE_MANIFEST vouches for" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_it_stops_when_told_while_its_release_is_out_of_reach(image: Image) -> None:
    """The first process of a container, which SIGTERM alone does not end."""
    gone = f"http://127.0.0.1:{free_port()}"
    environment = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": gone}
    with running(image, {**environment, "MLOPS_RELEASE": "s3://of-the-image/churn/1-a"}) as container:
        assert container.process.stderr is not None
        while "trying again" not in (line := container.process.stderr.readline()):
            assert line, "it ended"
        assert container.stop()[0] == 0


def test_it_fetches_its_release_from_s3_and_features_from_redis(
    image: Image, release: Published, s3: dict[str, str], redis_url: Callable[[], str]
) -> None:
    """Also under Vertex AI's variable for the port."""
    store, port = redis_url(), free_port()
    _fill(store, release.release)
    environment = {
        **s3,
        "MLOPS_RELEASE": "s3://of-the-image/churn/1",
        "MLOPS_RELEASE_MANIFEST": release.manifest,
        "MLOPS_ONLINE_STORE": store,
        "AIP_HTTP_PORT": str(port),
    }
    with running(image, environment) as container:
        container.url = f"http://127.0.0.1:{port}"
        with container.wait() as client:
            answer = client.post("/predict", json={"ids": [7]})
            rows = client.post("/instances", json={"instances": [{"orders": 3, "basket": 20.0}]})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"][0]["probability"] == rows.json()["predictions"][0]["probability"]


def _about(image: Image) -> dict[str, Any]:
    process = image.do("python", "-c", ABOUT, environment={})
    output, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    found: dict[str, Any] = json.loads(output)
    return found


def _health(image: Image, port: str) -> int:
    process = image.do(*image.health, environment={"MLOPS_HTTP_PORT": port})
    process.communicate(timeout=60)
    return process.returncode


def _probed(client: httpx.Client, release: Release) -> list[float]:
    rows = [dict(zip(release.feature_names, row, strict=True)) for row in release.probes.rows]
    predictions = client.post("/invocations", json={"instances": rows}).json()["predictions"]
    return [one["probability"] for one in predictions]


def _fill(store: str, release: Release) -> None:
    from mlops_core.adapters.online_store.redis import RedisOnlineStore
    from mlops_core.domain.usecase import UseCase

    use_case = UseCase.stored(release.use_case, "the release")
    table = pa.table({"customer_id": [7], "orders": [3], "basket": [20.0]})
    RedisOnlineStore(store).write(use_case.online_name, table, ["customer_id"], datetime.now(UTC))
