"""Every exporter: the same pipeline gives the same text, in every process, and a refusal is a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from mlops_core.commands.export import TARGETS, Exported
from mlops_core.errors import BadInput
from mlops_core.exporters import dag_of
from tests.exporters.documents import documents
from tests.exporters.pipelines import forms, nothing

if TYPE_CHECKING:
    from mlops_core.domain.pipeline import Parameter, PipelineDocument

NAMES = [name for name in TARGETS if name != "feast"]  # a use case's features, which no pipeline has


def made(name: str, document: PipelineDocument, form: tuple[Parameter, ...]) -> tuple[str, ...] | str:
    """The texts, or the sentence of a refusal."""
    dag = dag_of(document, dict.fromkeys((one.name for one in document.tasks), nothing))
    try:
        return TARGETS[name].make(Exported(dag, document, form))
    except BadInput as refused:
        return str(refused)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=15)
@given(document=documents(), form=forms())
def test_the_same_pipeline_gives_the_same_text(
    name: str, document: PipelineDocument, form: tuple[Parameter, ...]
) -> None:
    """Or is refused, in one line, and by no other error than `BadInput`."""
    first = made(name, document, form)
    assert made(name, document.model_copy(deep=True), form) == first
    if isinstance(first, str):
        assert "\n" not in first
    else:
        assert len(first) == len(TARGETS[name].files)
        for text in first:
            assert text.endswith("\n")
            text.encode()


SCRIPT = """
import json
from datetime import timedelta
from mlops_core.commands.export import TARGETS, exported
from mlops_core.definitions import Approval
from mlops_core.usecases.churn import CHURN
gate = CHURN.gate.model_copy(update={"approval": Approval(expires=timedelta(days=3))})
told = {"floor": 0.8, "candidates": ("boosting",), "actor": "ana"}
held = CHURN.model_copy(update={"gate": gate})
made = [exported(CHURN), exported(held, told, known_as="shop:CHURN", cron="0 6 * * 1")]
print(json.dumps({name: [target.make(one) for one in made] for name, target in TARGETS.items()}))
"""


@pytest.mark.live
def test_no_text_depends_on_the_process() -> None:
    """Two processes that hash texts differently write the same."""
    told = [
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    texts = json.loads(told[0])
    assert [*texts] == [*TARGETS]
    assert os.getcwd() not in told[0]  # noqa: PTH109 - a text
