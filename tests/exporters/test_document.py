"""Pipelines as documents: what a DAG becomes, and what a use case takes over from a document."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from mlops_core.commands.export import exported
from mlops_core.commands.task_retry import policy_told
from mlops_core.dag import PipelineDAG, RetryPolicy, Task
from mlops_core.domain.gates import Approval
from mlops_core.domain.pipeline import Consent, Retry
from mlops_core.errors import BadInput, Conflict, Unavailable
from mlops_core.exporters import adopted, consent_of, dag_of, document_of
from mlops_core.exporters.command import command_of, retry_words
from mlops_core.exporters.document import policy_of
from mlops_core.usecases.churn import CHURN
from tests.exporters.pipelines import dags, nothing


class Elsewhere(Exception):
    """An error that another process can import."""


MADE = exported(CHURN)


def changed(place: int, **fields: Any) -> Any:
    """Churn's document with other fields for one task."""
    tasks = list(MADE.document.tasks)
    tasks[place] = tasks[place].model_copy(update=fields)
    return MADE.document.model_copy(update={"tasks": tuple(tasks)})


def test_errors_of_a_policy_are_found_by_their_names() -> None:
    kinds = (Unavailable, OSError, Elsewhere)
    dag = PipelineDAG([Task("a", nothing, retry=RetryPolicy(attempts=3, retry_on=kinds))])
    document = document_of(dag, name="it")
    assert document.tasks[0].retry.retry_on == ("Unavailable", "OSError", f"{__name__}:Elsewhere")
    assert dag_of(document, {"a": nothing})["a"].retry == dag["a"].retry


def test_an_error_that_no_other_process_can_import_is_refused() -> None:
    class Inside(Exception):
        pass

    dag = PipelineDAG([Task("a", nothing, retry=RetryPolicy(retry_on=(Inside,)))])
    with pytest.raises(BadInput, match=r"task 'a' is retried after .*Inside, which cannot be imported"):
        document_of(dag, name="it")


@pytest.mark.parametrize(
    "name", ["Unavailble", "len", "os:path", "no.such:Thing", ":", ".x:y", "KeyboardInterrupt"]
)
def test_what_names_no_error_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="retry_on: there is no error"):
        policy_of(Retry(retry_on=(name,)))


def test_a_task_without_a_function_is_refused() -> None:
    with pytest.raises(BadInput, match="task 'feature_store': churn has no such task, but a"):
        dag_of(MADE.document, {"a": nothing})


def test_a_use_case_takes_over_how_tasks_are_attempted_and_described() -> None:
    fields = {"retry": Retry(attempts=9, retry_on=("Conflict",)), "timeout_seconds": 5.0}
    document = changed(0, **fields, tags=("a",), description="b")
    first, *others = adopted(document, MADE.dag, None)
    assert first.retry == RetryPolicy(attempts=9, retry_on=(Conflict,))
    assert (first.timeout_seconds, first.tags, first.description) == (5.0, ("a",), "b")
    assert others == [*MADE.dag][1:]
    assert first.run == next(iter(MADE.dag)).run


def test_the_order_in_a_file_changes_nothing() -> None:
    """The order of the stages stands in pipeline.py alone."""
    document = MADE.document.model_copy(update={"tasks": MADE.document.tasks[::-1]})
    assert [*adopted(document, MADE.dag, None)] == [*MADE.dag]


FIRST, *_, LAST = MADE.document.tasks
DIFFERENT = {
    "another name": (changed(0, name="features"), "task 'features': churn has no such task, but feature_st"),
    "an edge more": (
        changed(0, upstream=("gate",)),
        "task 'feature_store' waits for gate, in churn for nothing: a file cannot change",
    ),
    "an edge less": (
        changed(1, upstream=()),
        "task 'training_set' waits for nothing, in churn for feature_st",
    ),
    "a task less": (
        MADE.document.model_copy(update={"tasks": MADE.document.tasks[:-1]}),
        "task 'deployment' of churn is missing: a file cannot change which stages there are; export it again",
    ),
    "a task twice": (
        MADE.document.model_copy(update={"tasks": (*MADE.document.tasks, LAST)}),
        "task 'deployment' is there twice",
    ),
    "a person": (
        MADE.document.model_copy(update={"consent": Consent(task="approval", expires=timedelta(days=2))}),
        "consent: the policy of churn asks nobody, the file's asks at approval, for 2 days",
    ),
}


@pytest.mark.parametrize(("document", "said"), DIFFERENT.values(), ids=DIFFERENT)
def test_another_pipeline_than_the_use_case_s_is_refused(document: Any, said: str) -> None:
    with pytest.raises(BadInput) as raised:
        adopted(document, MADE.dag, None)
    assert said in str(raised.value)
    assert "mlops export churn --to yaml" in str(raised.value)


def test_consent_is_what_the_policy_asks_for() -> None:
    asking = CHURN.gate.model_copy(update={"approval": Approval(expires=timedelta(days=2))})
    consent = Consent(task="approval", expires=timedelta(days=2))
    assert consent_of(CHURN) is None
    assert consent_of(CHURN.model_copy(update={"gate": asking})) == consent
    assert consent.task in MADE.dag
    with pytest.raises(BadInput, match="consent: the policy of churn asks at approval, for 2 days"):
        adopted(MADE.document, MADE.dag, consent)


def test_a_document_names_what_its_runs_are_told_otherwise() -> None:
    """What is told as it would be anyway is left out."""
    said = {"floor": 0.8, "as_of": "1998-05-31", "candidates": ("logistic", "boosting")}
    assert exported(CHURN, said).document.parameters == {"as_of": "1998-05-31", "floor": 0.8}


def test_the_form_is_what_each_run_may_be_told() -> None:
    """Not the candidates, which decide which tasks there are; defaults are what the document tells."""
    told = exported(CHURN, {"floor": 0.8, "candidates": ("boosting",)})
    form = {one.name: (one.kind, one.default) for one in told.form}
    assert form == {
        "data": ("path", None),
        "as_of": ("date", None),
        "floor": ("number", 0.8),
        "fail_on_rejection": ("flag", False),
        "actor": ("text", None),
    }
    assert all(one.description for one in told.form)


def test_a_stage_is_called_with_what_is_fixed_and_how_it_is_attempted() -> None:
    """Those that begin the pipeline are told what is fixed; one owner of retries."""
    made = exported(CHURN, {"floor": 0.8, "candidates": ("boosting",)}, known_as="shop:CHURN")
    first, second, *_ = made.document.tasks
    words = command_of(made.document, first, made.form, retries=True)
    assert words[:5] == ["mlops", "task", "run", "shop:CHURN", "feature_store"]
    assert words[5:] == ["--retry", "attempts=4,jitter=0.2", "--parameters", '{"candidates": ["boosting"]}']
    assert command_of(made.document, second, made.form, retries=False)[4:] == ["training_set"]
    slow = second.model_copy(update={"timeout_seconds": 1234567.0})
    assert command_of(made.document, slow, made.form, retries=False)[5:] == ["--timeout", "1234567"]


@pytest.mark.parametrize("name", ["-x", "a\nb", "\x1b[2J"])
def test_a_name_that_no_command_line_can_hold_is_refused(name: str) -> None:
    document = changed(0, name=name)
    with pytest.raises(BadInput, match="a command cannot be told a name that begins with a dash or has"):
        command_of(document, document.tasks[0], (), retries=False)


@settings(deadline=None, max_examples=30)
@given(dags())
def test_a_policy_on_a_command_line_is_the_task_s(dag: PipelineDAG) -> None:
    """As `mlops task run --retry` reads it."""
    for entry, task in zip(document_of(dag, name="it").tasks, dag, strict=True):
        told = retry_words(entry.retry)
        assert (policy_told(told) if told else RetryPolicy()) == task.retry
