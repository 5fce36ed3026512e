"""docs/tutorial.ipynb: what is stored is what a run shows, by public names, and it tells of no machine."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "tutorial.ipynb"
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
MARKUP = re.compile(r"<[^>]*>")

Shown = list[tuple[str, str]]


def cells(file: Path, kind: str) -> list[dict[str, Any]]:
    """The cells of a kind, in order."""
    found: list[dict[str, Any]] = json.loads(file.read_text())["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


def shown(cell: dict[str, Any]) -> Shown:
    """What a cell shows, as kinds and texts; of pictures that they are there."""
    found: Shown = []
    for output in cell["outputs"]:
        data = output.get("data", {output.get("name", output["output_type"]): output.get("text", "")})
        for kind, text in data.items():
            found.append((kind, "" if kind == "image/png" else "".join(text)))
    return found


def alike(one: str, other: str) -> bool:
    """The same words, and numbers that are near: another processor's fit differs in the last digits."""
    if NUMBER.sub("#", one).split() != NUMBER.sub("#", other).split():
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(
        float(a.replace(",", "")) == pytest.approx(float(b.replace(",", "")), rel=0.05, abs=0.005)
        for a, b in pairs
    )


def test_what_is_stored_comes_from_one_run_from_first_to_last() -> None:
    """Every cell was run, in order; none failed or warned, and the figures are there."""
    code = cells(FILE, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    kinds = [kind for cell in code for kind, _ in shown(cell)]
    assert {"error", "stderr"}.isdisjoint(kinds)
    assert kinds.count("image/png") >= 8


def test_each_cell_is_led_up_to_and_short() -> None:
    """Words before code, unless the code goes on with what stands before it."""
    assert all(len("".join(cell["source"]).splitlines()) <= 40 for cell in cells(FILE, "code"))
    assert len(cells(FILE, "markdown")) >= len(cells(FILE, "code")) - 2


def test_only_public_names_are_used() -> None:
    """Of ours: modules without an underscore, and what their `__all__` names."""
    used = 0
    for cell in cells(FILE, "code"):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlops_core"):
                assert "._" not in (node.module or "")
                public = importlib.import_module(node.module or "").__all__
                assert {alias.name for alias in node.names} <= set(public)
                used += 1
            assert not (isinstance(node, ast.Attribute) and node.attr.startswith("_"))
    assert used > 15


def test_nothing_of_a_machine_or_a_moment_is_stored() -> None:
    """Neither paths, nor digests, nor times of a run; and it is small enough for GitHub to show."""
    text = "\n".join(text for cell in cells(FILE, "code") for _, text in shown(cell))
    assert not re.findall(r"(?<![\w<])/[a-z]+/\S+", text)  # but a tag that closes
    assert not re.findall(r"\b(?=\w*\d)(?=\w*[a-f])[0-9a-f]{10,}\b", text)
    assert not re.findall(r"\b20\d\d-\d\d|\d\d:\d\d:\d\d|\b\d+(?:\.\d+)? m?s\b", text)
    stored = json.loads(FILE.read_text())
    assert stored["metadata"]["language_info"] == {"name": "python"}
    assert not any(cell["metadata"] for cell in stored["cells"])
    assert FILE.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ROC AUC 0.8414 of 23,570", "ROC AUC 0.8412 of 23,570", True),
        ("ROC AUC 0.8414", "ROC AUC 0.7414", False),
        ("passed", "rejected", False),
        ("1 2", "1 2 3", False),
    ],
)
def test_outputs_are_compared_by_words_and_near_numbers(one: str, other: str, same: bool) -> None:
    """The comparison below would notice."""
    assert alike(one, other) is same


@pytest.mark.live
def test_run_again_it_shows_the_same_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """By the command that writes it, in another file: no process, nothing in a home or temporary folder."""
    home, temporary, again = tmp_path / "home", tmp_path / "t", tmp_path / "again.ipynb"
    home.mkdir()
    temporary.mkdir()
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "docs.notebook", str(again)],
        cwd=ROOT,
        env=os.environ | {"HOME": str(home), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for number, (before, after) in enumerate(zip(cells(FILE, "code"), cells(again, "code"), strict=True)):
        pairs = list(zip(shown(before), shown(after), strict=True))
        for (kind, old), (other_kind, new) in pairs:
            assert kind == other_kind
            assert alike(MARKUP.sub(" ", old), MARKUP.sub(" ", new)), f"cell {number}:\n{old}\n{new}"
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []
    if sys.platform == "linux":
        assert not processes_that_name(tmp_path)


def processes_that_name(folder: Path) -> list[str]:
    """Command lines in which a folder is."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile
        if f"{folder}/t" in line:
            found.append(line)
    return found
