"""What a process reads back from a run's folder is what the stages return."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.receipts import RECEIPTS
from mlops_core.pipeline import build_pipeline
from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MemoryEngines

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("stage", RECEIPTS)
def test_a_receipt_is_read_as_what_its_stage_returns(stage: str) -> None:
    function = getattr(import_module(f"mlops_core.stages.{stage}"), stage)
    assert function.__annotations__["return"] == RECEIPTS[stage].__name__


def test_every_task_of_a_pipeline_has_a_receipt_that_can_be_read(tmp_path: Path) -> None:
    dag = build_pipeline(SHOP, MemoryEngines(Workspace(tmp_path)), data={})
    assert {task.name.partition(".")[0] for task in dag} == RECEIPTS.keys()
