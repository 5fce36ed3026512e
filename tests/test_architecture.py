"""The pages that describe the project say what it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mlops_core.dag import PipelineDAG, Task
from mlops_core.exporters import to_mermaid
from mlops_core.pipeline import build_pipeline
from mlops_core.settings import Settings
from mlops_core.usecases.churn import CHURN
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from mlops_core.ports import Engines

ROOT = Path(__file__).parents[1]


def test_the_diagram_is_the_dag_s() -> None:
    """docs/architecture.md shows what `to_mermaid` makes of the churn pipeline."""
    engines = cast("Engines", ConfiguredEngines(Settings()))
    drawn = to_mermaid(build_pipeline(CHURN, engines, data={}))
    assert f"```mermaid\n{drawn}```" in (ROOT / "docs/architecture.md").read_text()


def test_the_layout_names_every_folder_of_the_package() -> None:
    """A folder that is added is described."""
    page = (ROOT / "docs/architecture.md").read_text()
    folders = {path.parent.name for path in (ROOT / "mlops_core").glob("*/__init__.py")}
    assert [name for name in sorted(folders) if f"  {name}/" not in page] == []


def test_odd_names_do_not_break_a_diagram() -> None:
    """Quotes and brackets become entities; two tasks never become one node."""
    drawn = to_mermaid(PipelineDAG([Task('a "b"]', print), Task("c", print, ('a "b"]',))]))
    assert drawn == 'flowchart LR\n    t0["a #34;b#34;#93;"]\n    t1["c"]\n    t0 --> t1\n'


def test_links_between_pages_lead_somewhere() -> None:
    """Every relative link in the README and docs names a file that exists."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
