"""Pipelines as Prefect flows: all of a pipeline is found again in the text; Prefect is not needed."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_core.commands.export import exported
from mlops_core.domain.pipeline import Parameter, PipelineDocument, Schedule, TaskEntry
from mlops_core.errors import BadInput
from mlops_core.exporters.command import command_of
from mlops_core.exporters.document import document_of, policy_of
from mlops_core.exporters.prefect import to_prefect
from mlops_core.exporters.prefect.flow_file import TAKEN
from mlops_core.usecases.churn import CHURN
from tests.exporters.documents import documents
from tests.exporters.pipelines import dags, forms
from tests.exporters.test_text_export import ASKING

if TYPE_CHECKING:
    from mlops_core.dag import PipelineDAG
    from mlops_core.exporters.prefect import PrefectFiles

GOLDEN = Path(__file__).parent / "golden"
PLAIN = st.from_regex(r"[a-z][a-z0-9_ .é-]{0,20}", fullmatch=True)
many = settings(deadline=None, max_examples=25)


def held() -> PrefectFiles:
    """Churn with all that an export can be told."""
    made = exported(
        ASKING,
        {"candidates": ["logistic"], "as_of": "1998-06-30", "floor": "0.8", "fail_on_rejection": True},
        known_as="shop:CHURN",
        cron="0 6 * * MON",
        timezone="Europe/Berlin",
    )
    return to_prefect(made.document, made.form)


def test_churn_reads_as_the_golden_files_do() -> None:
    made = exported(CHURN)
    files = to_prefect(made.document, made.form)
    assert files.flow == (GOLDEN / "churn_flow.py").read_text()
    assert files.deployment == (GOLDEN / "churn_prefect.yaml").read_text()


def test_schedule_consent_and_parameters_read_as_the_golden_files_do() -> None:
    assert held().flow == (GOLDEN / "held_churn_flow.py").read_text()
    assert held().deployment == (GOLDEN / "held_churn_prefect.yaml").read_text()


class Read:
    """What Python reads in a flow's file."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        compile(text, "a_flow.py", "exec")
        functions = [one for one in self.tree.body if isinstance(one, ast.FunctionDef)]
        (self.flow,) = (
            one for one in functions if any("'flow'" in ast.dump(by) for by in one.decorator_list)
        )

    @property
    def flow_name(self) -> Any:
        """As Prefect gets it."""
        (decorator,) = self.flow.decorator_list
        assert isinstance(decorator, ast.Call)
        return values(decorator)["name"]

    @property
    def stages(self) -> list[dict[str, Any]]:
        """The arguments of each."""
        (listed,) = (one.value for one in self.tree.body if isinstance(one, ast.AnnAssign) and one.simple)
        assert isinstance(listed, ast.List)
        return [values(one) for one in listed.elts if isinstance(one, ast.Call)]

    @property
    def defaults(self) -> dict[str, Any]:
        """Of the flow's parameters."""
        arguments = self.flow.args
        assert len(arguments.args) == len(arguments.defaults)
        return {one.arg: value(given) for one, given in zip(arguments.args, arguments.defaults, strict=True)}


def values(call: ast.Call) -> dict[str, Any]:
    """The arguments of a call, with those of calls in it."""
    return {str(one.arg): value(one.value) for one in call.keywords}


def value(given: ast.expr) -> Any:
    """What a literal says; a date is told by its three numbers."""
    if isinstance(given, ast.Call) and given.args:
        return date(*(ast.literal_eval(one) for one in given.args)).isoformat()
    return values(given) if isinstance(given, ast.Call) else ast.literal_eval(given)


def tried(document: PipelineDocument, form: Sequence[Parameter]) -> PrefectFiles | None:
    """The files, twice the same; None where a `BadInput` says why there are none."""
    try:
        files = to_prefect(document, form)
    except BadInput:
        return None
    assert to_prefect(document, form) == files
    return files


@many
@given(dags(PLAIN), forms())
def test_every_task_and_option_is_found_again(dag: PipelineDAG, form: tuple[Parameter, ...]) -> None:
    document = document_of(dag, name="shop", use_case="churn")
    files = tried(document, form)
    if files is None:
        assert any(one.name in ("as", "if", "in", "is", "or") for one in form)
        return
    read = Read(files.flow)
    assert read.flow_name == "shop"
    assert read.defaults == {one.name: one.default for one in form}
    assert [found["name"] for found in read.stages] == dag.topological_order()
    for task, found in zip(document.tasks, read.stages, strict=True):
        assert found["command"] == command_of(document, task, form, retries=False)
        assert tuple(found.get("after", ())) == task.upstream
        assert tuple(found.get("tags", ())) == task.tags
        assert found.get("description", "") == task.description
        policy = task.retry.model_dump(exclude={"retry_on"})
        assert found.get("retry", {"attempts": 1}) == (policy if task.retry.attempts > 1 else {"attempts": 1})


@many
@given(documents(), forms())
def test_odd_names_are_either_kept_or_refused(
    document: PipelineDocument, form: tuple[Parameter, ...]
) -> None:
    files = tried(document, form)
    if files is not None:
        assert [found["name"] for found in Read(files.flow).stages] == [one.name for one in document.tasks]
        assert Read(files.flow).flow_name == document.name
        (entry,) = yaml.safe_load(files.deployment)["deployments"]
        assert entry.get("schedules", []) == (
            [{"slug": "exported", **document.schedule.model_dump()}] if document.schedule else []
        )


@many
@given(dags(PLAIN))
def test_waits_are_those_of_the_policy(dag: PipelineDAG) -> None:
    document = document_of(dag, name="shop", use_case="churn")
    made = retry_class(to_prefect(document, ()).flow)
    for entry in document.tasks:
        retry = made(**entry.retry.model_dump(exclude={"retry_on", "jitter"}))
        assert tuple(retry.waits()) == policy_of(entry.retry).delays()[:50]


def retry_class(text: str) -> Any:
    """The class that has the waits, taken out of the file."""
    (found,) = (one for one in ast.parse(text).body if isinstance(one, ast.ClassDef) and one.name == "Retry")
    scope: dict[str, Any] = {"dataclass": dataclass, "random": random, "Iterator": Iterator}
    exec(ast.unparse(found), scope)  # noqa: S102 - running the generated text is the point
    return scope["Retry"]


def test_jitter_shortens_waits_by_no_more_than_its_part() -> None:
    retry = retry_class(held().flow)(5, 10.0, 2.0, 40.0, 0.5)
    for wait, full in zip(retry.waits(), (10, 20, 40, 40), strict=True):
        assert full / 2 <= wait <= full


@pytest.mark.parametrize("name", ["class", "date", "flow", "list", "match", "1998", "straße nord", "_"])
def test_a_flows_function_hides_no_other_name(name: str) -> None:
    read = Read(to_prefect(document("shop").model_copy(update={"name": name}), ()).flow)
    assert read.flow.name not in {*TAKEN, *dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    assert read.flow_name == name


def test_nothing_but_prefect_has_to_be_installed_for_a_flow() -> None:
    nodes = list(ast.walk(ast.parse(held().flow)))
    found = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).partition(".")[0] for name in found} - sys.stdlib_module_names == {"prefect"}


def document(name: str, *tasks: TaskEntry) -> PipelineDocument:
    """A small one."""
    return PipelineDocument(name=name, use_case="shop", tasks=tasks or (TaskEntry(name="a"),))


def test_every_name_that_the_file_gives_is_known_as_taken() -> None:
    tree = ast.parse(held().flow)
    imports = [one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom)]
    given = {alias.name for one in imports for alias in one.names}
    given |= {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    assert {name for name in given if name.islower() and name[0] != "_"} - {"churn"} == TAKEN


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "a/b"}, "a/b"),
        ({"name": ""}, "''"),
        ({"name": "a\nb"}, "a\\nb"),
        ({"name": "{{ x }}"}, "template"),
        ({"tasks": (TaskEntry(name="--help"),)}, "--help"),
    ],
)
def test_what_prefect_cannot_be_told_is_refused_by_its_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(BadInput) as caught:
        to_prefect(document("shop").model_copy(update=changes), ())
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "parameter",
    [
        Parameter(name="wait_for", kind="text"),
        Parameter(name="class", kind="text"),
        Parameter(name="day", kind="date", default="noon"),
        Parameter(name="share", kind="number", default=True),
        Parameter(name="rows", kind="integer", default="many"),
    ],
    ids=lambda one: f"{one.name}-{one.default}",
)
def test_a_parameter_that_no_form_can_have_is_refused_by_its_name(parameter: Parameter) -> None:
    with pytest.raises(BadInput, match=parameter.name):
        to_prefect(document("shop"), (parameter,))


def test_values_that_prefect_would_take_for_templates_are_refused() -> None:
    form = (Parameter(name="data", kind="path"),)
    told = document("shop").model_copy(update={"parameters": {"data": "{{ x }}.csv"}})
    with pytest.raises(BadInput, match="data"):
        to_prefect(told, form)


def test_the_head_names_what_is_not_in_the_file() -> None:
    slow = TaskEntry(name="a", timeout_seconds=5.0)
    made = document("shop", slow).model_copy(
        update={"schedule": Schedule(cron="0 6 * * 1"), "parameters": {"candidates": ["x"]}}
    )
    head = " ".join((ast.get_docstring(ast.parse(to_prefect(made, ()).flow)) or "").split())
    for words in ('candidates is fixed to ["x"]', "--timeout", "0 6 * * 1 in UTC", "SIGKILL"):
        assert words in head


def test_texts_of_people_cannot_leave_their_place() -> None:
    quotes = 'a"""\nimport os\\'
    form = (Parameter(name="data", kind="text", default=quotes, description=quotes),)
    read = Read(to_prefect(document("shop", TaskEntry(name="a", description=quotes)), form).flow)
    assert read.defaults == {"data": quotes}
    assert read.stages[0]["description"] == quotes
    assert json.dumps(" ".join(quotes.split()))[1:-1] in json.dumps(ast.get_docstring(read.flow))
