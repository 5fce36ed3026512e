"""Threads, Dask or Ray by a parameter; a cluster that cannot be used is one sentence, soon."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows import cluster
from flows.parameters import RunnerParameters
from flows.runners import runner_of
from mlops_core.errors import BadInput, Unavailable
from mlops_core.settings import Settings
from tests.flows.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _same_environment_afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Dask and Ray are told by variables to be quiet."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        monkeypatch.delenv(name)


def test_threads_by_default() -> None:
    runner = runner_of(RunnerParameters(workers=3), Settings())
    assert isinstance(runner, ThreadPoolTaskRunner)
    assert runner == ThreadPoolTaskRunner(max_workers=3)


@pytest.mark.parametrize(("kind", "package"), [("dask", "prefect_dask"), ("ray", "prefect_ray")])
def test_a_missing_package_is_named_with_what_installs_it(
    kind: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, f"flows.{kind}_runner", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadInput) as raised:
        runner_of(RunnerParameters(task_runner=kind), Settings())
    assert str(raised.value) == (
        f"--task-runner {kind}: {package} is not installed: pip install 'mlops-core[{kind}]'"
    )


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:8786"])
def test_what_is_no_address_of_dask_is_refused(address: str, tmp_path: Path) -> None:
    runner = runner_of(_on("dask"), Settings(home=tmp_path, dask_address=address))
    with pytest.raises(BadInput, match=r"MLOPS_DASK_ADDRESS: .*give one such as tcp://HOST:8786"), runner:
        pass


@pytest.mark.parametrize("address", ["nonsense", "ray://127.0.0.1", "ray://127.0.0.1:port"])
def test_what_is_no_address_of_ray_is_refused(address: str, tmp_path: Path) -> None:
    pytest.importorskip("prefect_ray", reason="Ray is not installed")
    runner = runner_of(_on("ray"), Settings(home=tmp_path, ray_address=address))
    with pytest.raises(BadInput, match=r"MLOPS_RAY_ADDRESS: .*give one such as ray://HOST:10001"), runner:
        pass


def test_a_dask_that_does_not_answer_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import dask_runner

    monkeypatch.setattr(dask_runner, "ANSWER_SECONDS", 0.2)
    address = f"tcp://127.0.0.1:{free_port()}"
    runner = runner_of(_on("dask"), Settings(home=tmp_path, dask_address=address))
    with pytest.raises(Unavailable, match=f"Dask at {address} does not answer .*dask scheduler"), runner:
        pass


@pytest.mark.live  # it waits for nobody, fifteen seconds
def test_no_client_of_dask_is_made_for_an_address_where_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails while it is made would be closed some time later, and might wait for itself for ever."""
    import distributed

    made: list[object] = []
    monkeypatch.setattr(distributed.Client, "__init__", lambda self, *_, **__: made.append(self))
    for address in (f"tcp://127.0.0.1:{free_port()}", "nonsense"):
        runner = runner_of(_on("dask"), Settings(home=tmp_path, dask_address=address))
        with pytest.raises((Unavailable, BadInput)), runner:
            pass
    assert not made


def test_a_ray_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    pytest.importorskip("prefect_ray", reason="Ray is not installed")
    address = f"ray://127.0.0.1:{free_port()}"
    runner = runner_of(_on("ray"), Settings(home=tmp_path, ray_address=address))
    with pytest.raises(Unavailable, match=f"Ray at {address} does not answer .*ray start --head"), runner:
        pass


def test_workers_that_see_the_state_folder_are_taken(tmp_path: Path) -> None:
    """And what they were asked with is gone afterwards."""
    home = tmp_path / "home"
    cluster.workers_checked("Dask at tcp://a:1", home, lambda file: {"tcp://b:2": cluster.sees(file)})
    assert list(home.iterdir()) == []


def test_a_worker_on_another_disk_is_refused(tmp_path: Path) -> None:
    """Else it would fill a state folder of its own."""
    with pytest.raises(BadInput) as raised:
        cluster.workers_checked(
            "Dask at tcp://a:1", tmp_path, lambda _: {"tcp://b:2": True, "tcp://c:3": False}
        )
    assert str(raised.value) == (
        f"Dask at tcp://a:1: worker tcp://c:3 does not see the state folder {tmp_path}: put it on a disk "
        "that all workers have under the same path, and name it with MLOPS_HOME"
    )


def test_a_worker_without_this_code_is_refused(tmp_path: Path) -> None:
    missing = ModuleNotFoundError("No module named 'flows'")
    with pytest.raises(
        BadInput, match=r"worker tcp://b:2 cannot run this code \(ModuleNotFoundError: No mod"
    ):
        cluster.workers_checked("Dask at tcp://a:1", tmp_path, lambda _: {"tcp://b:2": missing})


@pytest.mark.parametrize(("workers", "threads"), [(1, "8"), (2, "4"), (3, "2"), (8, "1"), (50, "1")])
def test_workers_share_the_processors(workers: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert set(cluster.threads_each(workers).values()) == {threads}


def _on(kind: Any) -> RunnerParameters:
    return RunnerParameters(task_runner=kind)
