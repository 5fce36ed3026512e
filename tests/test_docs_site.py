"""The docs as a site: where links lead there, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from docs.build_site import ROOT, broken_menu, laid_out

if TYPE_CHECKING:
    from pathlib import Path

MENU = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    assert laid_out(folder) == []
    return folder


def test_every_page_stands_in_the_menu_once(pages: Path) -> None:
    assert broken_menu(pages, MENU) == []


def test_a_page_that_no_menu_names_is_refused(pages: Path) -> None:
    assert broken_menu(pages, ["index.md", *MENU[1:-1]]) != []
    assert broken_menu(pages, [*MENU, {"Again": [{"Gates": "gates.md"}]}]) == [
        "mkdocs.yml, nav: gates.md must stand there once"
    ]


def test_links_lead_to_where_things_are_in_the_site(pages: Path) -> None:
    first = (pages / "index.md").read_text()
    assert "](gates.md)" in first
    assert "](docs/" not in first
    assert "](files/flows/churn.py.txt)" in first
    assert (pages / "files/flows/churn.py.txt").read_text() == (ROOT / "flows/churn.py").read_text()
    assert (pages / "files/github/workflows/ci.yml.txt").is_file()
    assert "](index.md#two-commands)" in "".join(page.read_text() for page in pages.glob("*.md"))


def test_the_notebook_is_a_page_with_its_pictures(pages: Path) -> None:
    page = (pages / "notebook.md").read_text()
    drawn = re.findall(r"!\[What the cell draws\]\((.*?)\)", page)
    assert len(drawn) >= 8
    assert all((pages / name).read_bytes().startswith(b"\x89PNG") for name in drawn)
    assert "<style" not in page
    assert "](files/mlops_core/usecases/churn.py.txt)" in page
