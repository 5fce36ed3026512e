"""What goes to another process and back arrives as it was: pipelines and engines there, errors back."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core import errors
from mlops_core.adapters.github.errors import AnswerLost
from mlops_core.dag import PipelineDAG, RunFailed, RunTimedOut, Task
from mlops_core.errors import MlopsError, TaskFailed, TaskTimedOut, Unavailable
from mlops_core.pipeline import build_backfill, build_pipeline, build_refresh
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = [kind for name in errors.__all__ if issubclass(kind := getattr(errors, name), MlopsError)]
KINDS.append(AnswerLost)


def copied(one: Any) -> Any:
    return pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes


def family(kind: type[MlopsError]) -> Iterator[type[MlopsError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from family(one)


def test_every_kind_of_error_is_tried_here() -> None:
    """One that is added elsewhere has to be added here."""
    ours = {kind for kind in family(MlopsError) if kind.__module__.startswith("mlops_core.")}
    assert ours == {*KINDS, RunFailed, RunTimedOut}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_kind_sentence_notes_and_exit_code(kind: type[MlopsError]) -> None:
    error = kind("purchases: there is no file no-such.csv")
    error.add_note("in task 'feature_store', attempt 1")
    back = copied(error)
    assert type(back) is kind
    assert (str(back), back.exit_code, back.__notes__) == (str(error), error.exit_code, error.__notes__)


@pytest.mark.parametrize("kind", [TaskFailed, TaskTimedOut])
def test_a_failed_task_keeps_its_name(kind: type[TaskFailed]) -> None:
    assert copied(kind("it failed", "gate")).task == "gate"


@pytest.mark.parametrize("cause", [Unavailable("locked"), TaskTimedOut("too long", "first")])
def test_a_failed_run_keeps_its_report(cause: MlopsError) -> None:
    """Whose errors are what the tasks raised."""

    def fail(context: object) -> None:  # noqa: ARG001 - a task's function takes the context
        raise cause

    dag = PipelineDAG([Task("first", fail), Task("second", dict, ("first",))])
    with pytest.raises(RunFailed) as raised:
        dag.execute()
    back = copied(raised.value)
    assert type(back) is type(raised.value)
    assert (str(back), back.task) == (str(raised.value), "first")
    assert back.report.skipped == ("second",)
    (error,) = back.report.errors.values()
    assert (type(error), str(error)) == (type(cause), str(cause))


def test_pipelines_go_to_another_process(tmp_path: Path) -> None:
    """With everything that their tasks are bound to; nobody opens anything for that."""
    engines = ConfiguredEngines(Settings(home=tmp_path / "home"))
    data = {"purchases": tmp_path / "purchases.parquet"}
    for dag in (
        build_pipeline(CHURN, engines, data=data, as_of=date(1998, 6, 30)),
        build_refresh(CHURN, engines, data=data),
        build_backfill(CHURN, engines, data=data, as_of=[date(1998, 5, 31), date(1998, 6, 30)]),
    ):
        assert copied(dag).topological_order() == dag.topological_order()
    assert not (tmp_path / "home").exists()


def test_a_relative_state_folder_is_the_same_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker is started somewhere else."""
    monkeypatch.chdir(tmp_path)
    engines = ConfiguredEngines(Settings(home=Path("state"), ledger="sqlite:///shared/ledger.db"))
    sent = pickle.dumps(engines)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    there = pickle.loads(sent)  # noqa: S301 - our own bytes
    assert there.workspace.home == tmp_path / "state"
