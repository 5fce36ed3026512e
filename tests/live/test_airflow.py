"""Exported DAG files in a real Airflow: all load, stages run and are tried again, and a person is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import Phase, given, seed, settings

from benchmarks.airflow_environment import AIRFLOW
from mlops_core.commands.export import exported
from mlops_core.domain.ledger import Approved, Promoted, Refused
from mlops_core.errors import BadInput, NotFound
from mlops_core.exporters.airflow import to_airflow
from mlops_core.promotion import standing_of
from mlops_core.run_folder import RunFolder
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.exporters.documents import documents
from tests.exporters.pipelines import forms
from tests.live.airflow_server import USER, AirflowServer
from tests.live.airflow_shop import HELD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.domain.pipeline import Parameter, PipelineDocument
    from tests.live.conftest import Environment

pytestmark = pytest.mark.live

LOADING = Path(__file__).with_name("airflow_loading.py")
SHOP = Path(__file__).with_name("airflow_shop.py")
# The first attempt at the gate does not reach the ledger; everything else is the command itself.
MLOPS = """\
#!/bin/bash
if [[ " $* " == *" gate "* ]] && mkdir "$MLOPS_HOME/tried" 2>/dev/null; then
    export MLOPS_LEDGER=postgresql://127.0.0.1:1/nobody
fi
exec "{python}" -c 'import sys; from mlops_core.cli import main; sys.exit(main())' "$@"
"""
STAGES = (
    *("feature_store", "feature_verification", "training_set", "model_training.logistic"),
    *("model_evaluation", "model_registry", "gate", "approval", "deployment"),
)
ASKING = ("approval.question", "approval.person", "approval.answer")


@pytest.fixture(scope="module")
def airflow_python() -> Path:
    """The interpreter of Airflow's environment; CI names it, elsewhere there may be none."""
    try:
        return AIRFLOW.default_python()
    except NotFound as error:
        if AIRFLOW.variable in os.environ:
            raise
        pytest.skip(str(error))


def test_every_file_loads_and_says_what_the_pipeline_says(airflow_python: Path, tmp_path: Path) -> None:
    """Random pipelines, with names of all kinds, as they come back from the scheduler's database."""
    (folder := tmp_path / "dags").mkdir()
    written = random_files(folder)
    assert len(written) > 30
    loaded = loaded_by(airflow_python, folder, tmp_path)
    assert loaded["errors"] == {}
    assert len(loaded["dags"]) == len(written)
    found = {one["shown"]: one for one in loaded["dags"].values()}
    for document, form in written:
        dag = found[document.name]
        tasks = {one["name"]: one for one in dag["tasks"].values()}
        names = {one["name"]: task for task, one in dag["tasks"].items()}
        for task in document.tasks:
            one = tasks[task.name]
            above = [names[name] for name in task.upstream]
            if document.consent and document.consent.task in task.upstream:
                (answer,) = set(one["upstream"]) - set(above)
                above.append(answer)
                assert one["trigger_rule"] == "none_failed"
            assert one["upstream"] == sorted(above)
            assert (one["retries"], one["has_retry_policy"]) == (
                task.retry.attempts - 1,
                task.retry.attempts > 1,
            )
            assert one["description"] == (task.description or None)
        assert dag["params"] == {one.name: one.default for one in form}
        assert (document.schedule is None) == (dag["timetable"] == "None")
        if document.schedule is not None:
            assert document.schedule.cron in dag["timetable"]
        assert (dag["max_active_runs"], dag["catchup"]) == (1, False)


def random_files(folder: Path) -> list[tuple[PipelineDocument, tuple[Parameter, ...]]]:
    """Write DAG files of random pipelines, always the same; not those of names that no command takes."""
    written: list[tuple[PipelineDocument, tuple[Parameter, ...]]] = []

    @seed(7)
    @settings(max_examples=80, database=None, deadline=None, phases=[Phase.generate])
    @given(documents(), forms())
    def write(document: PipelineDocument, form: tuple[Parameter, ...]) -> None:
        numbered = document.model_copy(update={"name": f"{len(written)} {document.name}"})
        try:
            text = to_airflow(numbered, form)
        except BadInput:
            return
        (folder / f"dag_{len(written)}.py").write_text(text)
        written.append((numbered, form))

    write()
    return written


def loaded_by(python: Path, folder: Path, home: Path) -> Any:
    """What Airflow makes of a folder's files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MLOPS"))}
    done = subprocess.run(  # noqa: S603 - our own words
        [python, LOADING, folder],
        env={**kept, "AIRFLOW_HOME": str(home), "HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOADED ")]
    assert lines, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(lines[0].removeprefix("LOADED "))


class Site:
    """Airflow with the exported pipeline of a use case that wants consent, and that use case's ledger."""

    def __init__(self, server: AirflowServer, home: Path, purchases: Path) -> None:
        self.server, self.home, self.purchases = server, home, str(purchases)
        self.engines = ConfiguredEngines(Settings(home=home))

    def happened(self, kind: type[Any]) -> list[Any]:
        """The ledger's entries of one kind."""
        return [one for one in standing_of(self.engines, "held").entries if isinstance(one.event, kind)]

    def asked(self, run: str) -> dict[str, Any]:
        """Wait until a person is asked, and return the question as Airflow shows it."""
        path = f"dags/held/dagRuns/{run}/taskInstances/approval.person"
        self.server.until(
            lambda: (
                self.server.get(path)["state"] == "awaiting_input"
                or self.server.get(f"dags/held/dagRuns/{run}")["state"] == "failed"
            ),
            f"the question of run {run}",
        )
        assert self.server.get(path)["state"] == "awaiting_input", self.states(run)
        # Airflow 3.3.2 fails a task whose answer comes before its scheduler has heard that it is parked
        heard = f"task_id='approval.person', run_id='{run}'"
        self.server.until(lambda: self.server.says("Received executor event", heard), "the scheduler to hear")
        found: dict[str, Any] = self.server.get(f"{path}/-1/hitlDetails")
        return found

    def answer(self, run: str, option: str, reason: str) -> int:
        """Answer it over REST, and return the status code."""
        path = f"dags/held/dagRuns/{run}/taskInstances/approval.person/-1/hitlDetails"
        told = {"chosen_options": [option], "params_input": {"reason": reason}}
        return self.server.ask("PATCH", path, json=told).status_code

    def states(self, run: str) -> dict[str, str]:
        """The states of a run's tasks."""
        return {task: one["state"] for task, one in self.server.tasks("held", run).items()}


@pytest.fixture(scope="module")
def site(
    airflow_python: Path,
    tmp_path_factory: pytest.TempPathFactory,
    purchases: Path,
    environment: type[Environment],
    until: Callable[..., Any],
) -> Iterator[Site]:
    """A server, and a worker on whose PATH there is an `mlops`."""
    home = tmp_path_factory.mktemp("airflow")
    (programs := home / "bin").mkdir()
    (programs / "mlops").write_text(MLOPS.format(python=sys.executable))
    (programs / "mlops").chmod(0o755)
    (modules := home / "modules").mkdir()
    shutil.copy(SHOP, modules)
    (state := home / "state").mkdir()
    # `airflow standalone` starts others by the name of `airflow`
    path = f"{programs}:{os.environ['PATH']}:{airflow_python.parent}"
    variables = environment(state, home, PATH=path, PYTHONPATH=str(modules))
    server = AirflowServer(airflow_python, home / "airflow", variables, until)
    made = exported(HELD, {}, known_as="airflow_shop:HELD")
    (server.dags / "held_dag.py").write_text(to_airflow(made.document, made.form))
    try:
        server.start()
        server.knows("held")
        yield Site(server, state, purchases)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def approved(site: Site) -> str:
    """A run that asked, was answered with yes, and ended; returns its id."""
    run = site.server.trigger("held", data=site.purchases, as_of="2021-05-31", actor="ann")
    question = site.asked(run)
    assert question["subject"].startswith("May held version 1")
    assert "roc_auc" in question["body"]
    assert standing_of(site.engines, "held").production is None
    assert site.answer(run, "Approve", "looks right") == httpx.codes.OK
    assert site.answer(run, "Reject", "too late") == httpx.codes.CONFLICT
    assert site.server.ended("held", run) == "success"
    return run


def test_what_the_person_says_goes_into_the_ledger_and_the_version_to_production(
    site: Site, approved: str
) -> None:
    """By the name of Airflow's user, with their reason; who began the run is who promotes."""
    assert site.states(approved) == dict.fromkeys((*STAGES, *ASKING), "success")
    (entry,), (promoted,) = site.happened(Approved), site.happened(Promoted)
    assert (entry.actor, entry.reason, entry.version) == (USER, "looks right", 1)
    assert (promoted.actor, promoted.version) == ("ann", 1)
    assert standing_of(site.engines, "held").production == 1


def test_receipts_are_in_the_run_folder_and_in_airflow(site: Site, approved: str) -> None:
    folder = RunFolder(str(site.home / "airflow" / "held" / approved))
    for stage in STAGES:
        kept = folder.kept(stage)
        assert kept is not None
        told = site.server.receipt("held", approved, stage)
        if stage == "approval":  # the answer had the stage look again
            assert (told["status"], kept.receipt["status"]) == ("waiting", "approved")
        else:
            assert told == kept.receipt
    begun = folder.begun()
    assert begun is not None
    assert begun.parameters == {"data": site.purchases, "as_of": "2021-05-31", "actor": "ann"}


def test_a_stage_that_could_not_reach_something_is_tried_again(site: Site, approved: str) -> None:
    """The gate alone, whose first attempt did not reach the ledger."""
    tries = {task: one["try_number"] for task, one in site.server.tasks("held", approved).items()}
    assert {task for task, tried in tries.items() if tried != 1} == {"gate"}
    assert tries["gate"] == 2


def test_a_refusal_is_written_down_and_the_run_completes(site: Site, approved: str) -> None:
    """The answer is entered, though Airflow's own ApprovalOperator forgets it, and nothing is deployed."""
    assert approved
    run = site.server.trigger("held", data=site.purchases)
    site.asked(run)
    begun = RunFolder(str(site.home / "airflow" / "held" / run)).begun()
    assert begun is not None
    assert begun.parameters["actor"] == USER  # who triggered it, where nobody is named
    assert site.answer(run, "Reject", "too early") == httpx.codes.OK
    assert site.server.ended("held", run) == "success"
    states = site.states(run)
    assert set(states.values()) == {"success"}
    (entry,) = site.happened(Refused)
    assert (entry.actor, entry.reason, entry.version) == (USER, "too early", 2)
    assert site.server.receipt("held", run, "deployment")["status"] == "refused"
    assert standing_of(site.engines, "held").production == 1


def test_nobody_is_asked_about_what_was_answered(site: Site, approved: str) -> None:
    """The same again: the question is skipped, and what waits for it runs."""
    run = site.server.trigger("held", data=site.purchases, as_of="2021-05-31", actor="ann")
    assert site.server.ended("held", run) == "success"
    states = site.states(run)
    assert {states.pop(task) for task in ASKING} == {"skipped"}
    assert set(states.values()) == {"success"}
    again = site.server.receipt("held", run, "deployment")
    assert again["release"] == site.server.receipt("held", approved, "deployment")["release"]


def test_bad_input_is_not_tried_again_and_what_depends_on_it_does_not_run(site: Site) -> None:
    """The question neither, whose trigger rules are of another kind."""
    run = site.server.trigger("held", data=str(site.home / "nowhere.parquet"))
    assert site.server.ended("held", run) == "failed"
    tasks = site.server.tasks("held", run)
    first = tasks.pop("feature_store")
    assert (first["state"], first["try_number"], first["max_tries"]) == ("failed", 1, 3)
    assert {one["state"] for one in tasks.values()} == {"upstream_failed"}
