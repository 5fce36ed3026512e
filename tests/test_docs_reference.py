"""The reference that the site makes from docstrings has what a user imports and sets."""

from __future__ import annotations

import pytest

from docs.reference import PAGES, page_of, undocumented
from mlops_core import dag, definitions, errors
from mlops_core.settings import Settings


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference-definitions.md", definitions.__all__),
        ("reference-errors.md", errors.__all__),
        ("reference-notebook.md", [*dag.__all__, "FeatureStore"]),
    ],
)
def test_every_exported_name_has_a_section(page: str, names: list[str]) -> None:
    """What can be imported can be looked up."""
    text = page_of(page)
    assert [name for name in names if f"### {name}\n" not in text] == []


def test_every_setting_stands_in_the_table() -> None:
    """By the name of its environment variable, with its default and what it means."""
    text = page_of("reference-settings.md")
    assert [name for name in Settings.model_fields if f"| `MLOPS_{name.upper()}` |" not in text] == []


def test_everything_on_the_reference_says_what_it_means() -> None:
    """By a docstring of its own, or a setting's description."""
    assert undocumented() == []


def test_a_field_is_shown_with_its_default_and_its_limits() -> None:
    """Units and limits are what a reader looks up."""
    text = page_of("reference-definitions.md")
    assert "| `expires` | `timedelta` | 7 days |" in text
    assert "| `confidence` | `float` | `0.95` | (more than `0.5`, less than `1`) |" in text


def test_a_table_has_as_many_cells_in_every_row() -> None:
    """A type such as `str | None` does not break a row in two."""
    for page in PAGES:
        for table in page_of(page).split("\n\n"):
            rows = [line.replace("\\|", "") for line in table.splitlines() if line.startswith("| ")]
            assert len({row.count("|") for row in rows}) <= 1, rows
