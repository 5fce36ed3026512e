"""DAG files for Airflow as text: what they say is what the pipeline says, whatever its names are.

`tests/live/test_airflow.py` has a real Airflow load and run them.
"""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from jinja2 import Environment, StrictUndefined

from benchmarks.airflow_environment import AIRFLOW
from mlops_core.commands.export import exported
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.gates import Approval
from mlops_core.domain.pipeline import Consent, PipelineDocument
from mlops_core.errors import BadInput
from mlops_core.exporters import document_of
from mlops_core.exporters.airflow import to_airflow
from mlops_core.exporters.airflow.names import LONGEST_ID, named
from mlops_core.exporters.command import command_of
from mlops_core.usecases.churn import CHURN
from tests.exporters.documents import documents
from tests.exporters.pipelines import forms, nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.pipeline import Parameter

GOLDEN = Path(__file__).parent / "golden"
ASKING = CHURN.model_copy(
    update={"gate": CHURN.gate.model_copy(update={"approval": Approval(expires=timedelta(days=3))})}
)
PLAIN = exported(CHURN)
HELD = exported(
    ASKING,
    {"candidates": ["logistic"], "floor": "0.8", "fail_on_rejection": True},
    known_as="shop:CHURN",
    cron="0 6 * * MON",
    timezone="Europe/Berlin",
)


def test_churn_reads_as_the_golden_file_does() -> None:
    assert to_airflow(PLAIN.document, PLAIN.form) == (GOLDEN / "churn_dag.py").read_text()


def test_schedule_consent_and_parameters_read_as_the_golden_file_does() -> None:
    assert to_airflow(HELD.document, HELD.form) == (GOLDEN / "held_churn_dag.py").read_text()


@dataclass
class Read:
    """A DAG file as its syntax tree has it: operators by their ids, and the edges between ids."""

    operators: dict[str, dict[str, ast.expr]]
    kinds: dict[str, str]
    edges: set[tuple[str, str]]
    dag: dict[str, ast.expr]

    def value(self, task: str, argument: str) -> Any:
        """An argument that is a constant; None when it is not there."""
        found = self.operators[task].get(argument)
        return None if found is None else ast.literal_eval(found)


def read(text: str) -> Read:
    """What a DAG file says."""
    *_, block = ast.parse(text).body
    assert isinstance(block, ast.With)
    (context,) = block.items
    assert isinstance(context.context_expr, ast.Call)
    found = Read({}, {}, set(), arguments_of(context.context_expr))
    ids: dict[str, str] = {}
    for line in block.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
            arguments = arguments_of(line.value)
            one = ast.literal_eval(arguments["task_id"])
            assert one not in found.operators
            assert ast.unparse(line.targets[0]) not in ids
            ids[ast.unparse(line.targets[0])] = one
            found.operators[one] = arguments
            found.kinds[one] = ast.unparse(line.value.func)
        elif isinstance(line, ast.Expr):
            found.edges |= {(ids[above], ids[below]) for above, below in edges_of(line.value)}
        else:
            assert isinstance(line, ast.Pass)
    return found


def arguments_of(call: ast.Call) -> dict[str, ast.expr]:
    return {one.arg: one.value for one in call.keywords if one.arg}


def edges_of(chain: ast.expr) -> set[tuple[str, str]]:
    """The edges of `a >> b >> c` and of `[a, b] >> c`, as variables."""
    assert isinstance(chain, ast.BinOp)
    assert isinstance(chain.op, ast.RShift)
    before = edges_of(chain.left) if isinstance(chain.left, ast.BinOp) else set()
    left = chain.left.right if isinstance(chain.left, ast.BinOp) else chain.left
    above = left.elts if isinstance(left, ast.List) else [left]
    return before | {(ast.unparse(one), ast.unparse(chain.right)) for one in above}


@settings(deadline=None, max_examples=150)
@given(documents(), forms())
def test_every_task_edge_and_option_is_found_again(
    document: PipelineDocument, form: tuple[Parameter, ...]
) -> None:
    """By what Python and Jinja make of the text, not by the text."""
    if unspeakable(document):
        with pytest.raises(BadInput, match="a name that begins with a dash or has control characters"):
            to_airflow(document, form)
        return
    text = to_airflow(document, form)
    assert text == to_airflow(document, form)
    found = read(text)
    asks = document.consent
    shown = {found.value(one, "task_display_name") or one: one for one in found.operators}
    assert all(len(one) <= LONGEST_ID and set(one) <= PLAIN_SIGNS for one in found.operators)
    own = {task.name: shown[task.name] for task in document.tasks}
    assert len(found.operators) == len(own) + (3 if asks else 0)
    ours = {(above, below) for above, below in found.edges if {above, below} <= set(own.values())}
    assert ours == {(own[name], own[task.name]) for task in document.tasks for name in task.upstream}
    for task in document.tasks:
        one = own[task.name]
        assert found.kinds[one] == "BashOperator"
        assert found.value(one, "doc_md") == (task.description or None)
        assert (found.value(one, "retries") or 0) == task.retry.attempts - 1
        assert (
            delays_of(found, one, task.retry.attempts)
            == RetryPolicy(**dict(task.retry) | {"retry_on": ()}).delays()
        )
        assert rendered(found, one).endswith(words_of(document, task.name, form))
        waits = asks is not None and asks.task in task.upstream
        assert found.value(one, "trigger_rule") == ("none_failed" if waits else None)
    assert found.dag.keys() >= {"dag_id", "schedule", "catchup", "max_active_runs"}
    assert ("params" in found.dag) == bool(form)


def unspeakable(document: PipelineDocument) -> bool:
    """Whether a name of it cannot stand on a command line."""
    used = [document.use_case, *(task.name for task in document.tasks)] if document.tasks else []
    return any(name.startswith("-") or not name.isprintable() for name in used)


PLAIN_SIGNS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")


def delays_of(found: Read, task: str, attempts: int) -> tuple[float, ...]:
    """The waits that the file's own policy makes, without the part that is random."""
    policy = found.operators[task].get("retry_policy")
    if policy is None:
        return ()
    assert isinstance(policy, ast.Call)
    told = ast.literal_eval(arguments_of(policy)["delays"])
    return tuple(told[min(failed, len(told)) - 1] for failed in range(1, attempts))


def rendered(found: Read, task: str) -> str:
    """The command as Airflow's templates leave it: with `StrictUndefined`, as Airflow has it."""
    command = found.operators[task]["bash_command"]
    assert isinstance(command, ast.BinOp)
    text = ast.literal_eval(command.right)
    assert not text.endswith((".sh", ".bash")), "Airflow would look for a file of that name"
    return Environment(undefined=StrictUndefined, autoescape=False).from_string(text).render()  # noqa: S701 - as Airflow


def words_of(document: PipelineDocument, name: str, form: Sequence[Parameter]) -> str:
    """What a shell has to see, which is asked by printing it in one."""

    task = next(one for one in document.tasks if one.name == name)
    told = ' --parameters "$PARAMETERS"' if form and not task.upstream else ""
    return f'{shlex.join(command_of(document, task, form, retries=False))} --run "$RUN"{told} --json'


def test_a_name_that_is_a_template_reaches_the_command_as_it_is() -> None:
    """Braces, quotes and dollars: nothing is rendered, and a shell takes it for one word."""
    name = "{{ 1 + 1 }}{% raw %}{# no #} $HOME `id` 'x' \"y\""
    document = document_of(PipelineDAG([Task(name, nothing)]), name="odd")
    found = read(to_airflow(document, ()))
    (task,) = found.operators
    said = subprocess.run(  # noqa: S603 - a shell is what is asked
        ["bash", "-c", rendered(found, task).replace("mlops", "printf '%s\\n'", 1)],  # noqa: S607 - PATH
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[3] == name
    assert found.value(task, "task_display_name") == name


@pytest.mark.parametrize(("named", "by"), [(None, "bob"), ("ann", "ann")])
def test_a_run_is_of_who_triggered_it_unless_somebody_is_named(named: str | None, by: str) -> None:
    """Or whoever triggers it could approve it, as another person than the worker's user."""
    tree = ast.parse(to_airflow(PLAIN.document, PLAIN.form))
    (environment,) = (
        ast.literal_eval(one.value)
        for one in tree.body
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "ENV"
    )
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(environment["PARAMETERS"])  # noqa: S701 - as Airflow
    run = SimpleNamespace(triggering_user_name="bob")
    told = json.loads(template.render(params={"actor": named, "floor": 0.8}, dag_run=run))
    assert told == {"actor": by, "floor": 0.8}


def test_names_that_are_alike_get_ids_and_variables_of_their_own() -> None:
    names = ["a b", "a_b", "a-b", "A_B", "json", "dag", "class", "1", "é", "x" * 300, "BEGIN"]
    found = named(names).values()
    assert len({one.id for one in found}) == len({one.variable for one in found}) == len(names)
    assert {one.id for one in found} >= {"a_b", "a-b", "A_B", "json", "dag", "class", "1", "BEGIN"}
    assert all(one.variable.isidentifier() for one in found)
    assert not {one.variable for one in found} & {"json", "dag", "class", "BEGIN"}


def test_a_pipeline_that_asks_by_the_names_of_the_question_has_both() -> None:
    tasks = [Task("ask", nothing), Task("ask.question", nothing, ("ask",))]
    consent = Consent(task="ask", expires=timedelta(hours=1))
    found = read(to_airflow(document_of(PipelineDAG(tasks), name="both", consent=consent), ()))
    assert set(found.operators) == {
        *("ask", "ask.question"),
        *("ask_.question", "ask_.person", "ask_.answer"),
    }
    assert found.edges >= {("ask", "ask_.question"), ("ask", "ask.question"), ("ask_.answer", "ask.question")}


def test_consent_that_no_task_asks_for_is_refused() -> None:
    document = document_of(
        PipelineDAG([Task("gate", nothing)]),
        name="shop",
        consent=Consent(task="approval", expires=timedelta(days=1)),
    )
    with pytest.raises(BadInput, match=r"consent: shop has no task 'approval' to ask, but gate"):
        to_airflow(document, ())


def test_what_airflow_cannot_say_is_named_at_the_head() -> None:
    tasks = [Task("gate", nothing, tags=("slow", "gpu"), timeout_seconds=90)]
    document = document_of(PipelineDAG(tasks), name="shop", parameters={"candidates": ["one"]})
    head = " ".join((ast.get_docstring(ast.parse(to_airflow(document, ()))) or "").split())
    assert '- Tags of tasks, which Airflow does not have: "gate" ("slow", "gpu").' in head
    assert "- A form for candidates: fixed when this was exported." in head
    assert "- Time-outs are the commands' own" in head


def test_every_version_of_airflows_environment_is_pinned() -> None:
    head, *lines = AIRFLOW.constraints.read_text().splitlines()
    assert head.endswith(f"of: {' '.join(AIRFLOW.requirements)}")
    pins = dict(line.split("==") for line in lines)
    assert {pins["apache-airflow"], pins["apache-airflow-core"]} == {"3.3.2"}
