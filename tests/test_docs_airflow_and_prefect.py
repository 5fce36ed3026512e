"""docs/airflow-and-prefect.md: what it shows of exported files stands in them."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "airflow-and-prefect.md").read_text()
EXCERPTS = re.findall(r"<!-- from: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("file", "code"), EXCERPTS)
def test_an_excerpt_stands_in_the_file_that_it_is_from(file: str, code: str) -> None:
    """As whole lines, however far to the right."""
    wanted = code.rstrip("\n").split("\n")
    lines = (ROOT / file).read_text().split("\n")
    blocks = ("\n".join(lines[at : at + len(wanted)]) for at in range(len(lines)))
    assert dedent(code).rstrip("\n") in {dedent(block) for block in blocks}


def test_every_piece_of_code_says_where_it_is_from() -> None:
    """Both orchestrators are shown."""
    assert len(EXCERPTS) == len(re.findall(r"^```\w+$", PAGE, re.MULTILINE))
    assert {Path(file).name.rpartition("_")[2] for file, _ in EXCERPTS} == {
        "dag.py",
        "flow.py",
        "prefect.yaml",
    }


def test_what_the_page_points_to_is_there() -> None:
    """Pages and files of this project."""
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).is_file(), link
