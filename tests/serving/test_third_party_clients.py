"""What others think of the server: NVIDIA's client of its protocol, and Schemathesis."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import uvicorn

from mlops_core.adapters.deployer.memory import MemoryDeployer
from mlops_core.adapters.trainer.memory import MemoryTrainer
from mlops_core.serving.app import create_app
from mlops_core.serving.guard import Admission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_core.domain.release import Bundle
    from mlops_core.serving.follower import ReleaseFollower

pytestmark = pytest.mark.live

TOKEN = "a-token-of-the-tests"  # noqa: S105 - a test's own
# What no JSON Schema says, and is refused all the same: which rows fit a release (so many tensors of one
# length, each by a feature's name), and that 1.0 is no id, though JSON Schema takes it for an integer.
UNSAID = """
[[operations]]
include-method = "POST"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "404"]
[warnings]
enabled = false
"""


@pytest.fixture
def deployer() -> MemoryDeployer:
    """Nothing here is about files."""
    return MemoryDeployer(MemoryTrainer())


@pytest.fixture
def address(follower: ReleaseFollower, deploy: Callable[..., Bundle]) -> Iterator[str]:
    """HOST:PORT of a server of version 1 that wants a token."""
    deploy(1)
    app = create_app(follower=follower, admission=Admission(token=TOKEN))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none", server_header=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "it never started"
        time.sleep(0.01)
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_nvidias_client_finds_a_server_of_the_protocol(address: str, deployer: MemoryDeployer) -> None:
    """Live, ready, metadata, inference by version, and an error that it understands."""
    from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
    from tritonclient.utils import InferenceServerException

    headers = {"Authorization": f"Bearer {TOKEN}"}
    rows = np.array([[9.0, 80.0], [1.0, 20.0]])
    inputs = []
    for name, column in zip(("orders", "basket"), rows.T, strict=True):
        tensor = InferInput(name, [2], "FP64")
        tensor.set_data_from_numpy(column, binary_data=False)
        inputs.append(tensor)
    wanted = [InferRequestedOutput(name, binary_data=False) for name in ("label", "probability")]
    with InferenceServerClient(address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("churn", "1", headers=headers)
        assert not client.is_model_ready("churn", "2", headers=headers)
        assert client.get_server_metadata(headers=headers)["name"] == "mlops"
        told = client.get_model_metadata("churn", headers=headers)
        assert [one["name"] for one in told["inputs"]] == ["orders", "basket"]
        result = client.infer("churn", inputs, outputs=wanted, headers=headers, request_id="a")
        with pytest.raises(InferenceServerException, match="inputs lack basket"):
            client.infer("churn", inputs[:1], outputs=wanted, headers=headers)
        with pytest.raises(InferenceServerException, match="Authorization: Bearer"):
            client.infer("churn", inputs, outputs=wanted)
    release = deployer.current("churn")
    assert release is not None
    probabilities = deployer.load(release).predict(rows)
    assert result.get_response()["id"] == "a"
    assert result.as_numpy("probability").tolist() == probabilities.tolist()
    assert result.as_numpy("label").tolist() == (probabilities >= 0.5).tolist()


def test_schemathesis_finds_nothing(address: str, tmp_path: Path) -> None:
    """All of its checks, with data that fits the description and data that does not."""
    command = [sys.executable, "-m", "schemathesis.cli"]
    options = [
        *("--config-file", str(tmp_path / "schemathesis.toml")),
        *("run", f"http://{address}/openapi.json", "--checks", "all", "--mode", "all", "--seed", "9"),
        *("--max-examples", "15", "-H", f"Authorization: Bearer {TOKEN}", "--no-color"),
    ]
    (tmp_path / "schemathesis.toml").write_text(UNSAID)
    done = subprocess.run(  # noqa: S603 - no shell
        [*command, *options],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
