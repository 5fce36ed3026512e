"""The code behind each stage, and the file that remembers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mlops_core.errors import DefinitionError, NotFound
from mlops_core.provenance import STAGES, Code, SourceTree, changed, code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Write = Callable[[Mapping[str, str]], Path]

ADAPTERS = {"offline": ("pkg.engines:Store",), "trainer": ("pkg.engines:Trainer",)}
ENTRIES = ("digit", "definition", "stage", "key")
FILES = {
    "stages/__init__.py": "",
    **{f"stages/{stage}.py": f"from pkg.rows import rows\ndef {stage}(): ...\n" for stage in STAGES},
    "stages/gate.py": "from pkg.rows import rows\ndef gate(): return rows()\n",
    "rows.py": "def rows(): return 1\n",
    "engines.py": "class Store: ...\nclass Trainer: ...\n",
}


def _code(root: Path, cache: Path | None = None) -> Code:
    code._found_before.clear()  # as in another process
    return Code(ADAPTERS, tree=SourceTree(root, "pkg"), cache=cache)


def test_each_stage_has_its_own_code_and_that_of_its_engines(write: Write) -> None:
    """The union of all is that of a delivery."""
    code = _code(write(FILES))
    assert list(code.parts("training_set")) == ["pkg.engines:Store", "pkg.stages.training_set:training_set"]
    assert list(code.parts("gate")) == [
        "pkg.engines:Store",
        "pkg.engines:Trainer",
        "pkg.rows:rows",
        "pkg.stages.gate:gate",
    ]
    assert set(code.all_parts.items()) == {one for stage in STAGES for one in code.parts(stage).items()}
    assert len({code.whole, *(code.of(stage) for stage in STAGES)}) == len(STAGES) + 1


def test_a_branch_has_the_code_of_its_stage(write: Write) -> None:
    """Whatever the candidate is called."""
    code = _code(write(FILES))
    assert code.of("model_training.logistic") == code.of("model_training")
    assert code.parts("model_training.a.b") == code.parts("model_training")


@pytest.mark.parametrize("ask", [Code.of, Code.parts])
def test_an_unknown_stage_is_an_error(write: Write, ask: Callable[[Code, str], object]) -> None:
    """It is named, and so are those there are."""
    with pytest.raises(NotFound, match=r"'training'.*training_set"):
        ask(_code(write(FILES)), "training")


def test_a_change_is_of_the_stages_that_use_it_and_of_the_whole(write: Write) -> None:
    """The others keep their digest."""
    before = _code(write(FILES))
    known = {stage: before.of(stage) for stage in STAGES} | {"whole": before.whole}
    now = _code(write({"rows.py": "def rows(): return 2\n"}))
    found = {stage: now.of(stage) for stage in STAGES} | {"whole": now.whole}
    assert {name for name in known if known[name] != found[name]} == {"gate", "whole"}


def test_the_cache_says_the_same(write: Write, tmp_path: Path) -> None:
    """What is read from the file is what was found, and what the sources say after a change."""
    root, cache = write(FILES), tmp_path / "code.json"
    plain, first = _code(root), _code(root, cache)
    assert first.whole == plain.whole
    kept = cache.read_bytes()
    second = _code(root, cache)
    assert second.whole == plain.whole
    assert {stage: second.parts(stage) for stage in STAGES} == {stage: plain.parts(stage) for stage in STAGES}
    assert cache.read_bytes() == kept
    write({"rows.py": "def rows(): return 2\n"})
    assert _code(root, cache).whole == _code(root).whole != plain.whole
    assert json.loads(cache.read_bytes())["key"] != json.loads(kept)["key"]


def test_the_cache_is_read(write: Write, tmp_path: Path) -> None:
    """Sources whose bytes it knows are not parsed again: by this tree they could not be."""
    root, cache = write(FILES), tmp_path / "code.json"
    whole = _code(root, cache).whole
    tree = SourceTree(tmp_path / "nothing is here", "pkg")
    with pytest.raises(DefinitionError):
        tree.used_by("pkg.rows:rows")
    tree.root = root
    assert Code(ADAPTERS, tree=tree, cache=cache).whole == whole


def test_the_cache_knows_which_engines_were_asked_for(write: Write, tmp_path: Path) -> None:
    """Other roots are other answers."""
    root, cache = write(FILES), tmp_path / "code.json"
    whole = _code(root, cache).whole
    other = Code({**ADAPTERS, "trainer": ()}, tree=SourceTree(root, "pkg"), cache=cache)
    assert other.whole != whole
    assert "pkg.engines:Trainer" not in other.all_parts


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", "7", pytest.param("[" * 100_000, id="deep"), *ENTRIES]
)
def test_a_damaged_cache_is_made_again(write: Write, tmp_path: Path, damage: str) -> None:
    """Whether it is no JSON, other JSON, or the right one with something changed."""
    root, cache = write(FILES), tmp_path / "code.json"
    whole = _code(root, cache).whole
    kept = cache.read_text()
    entry = json.loads(kept)
    match damage:
        case "digit":
            entry["definitions"]["pkg.rows:rows"] = "0" * 16
        case "definition":
            del entry["definitions"]["pkg.rows:rows"]
        case "stage":
            del entry["stages"]["gate"]
        case "key":
            del entry["key"]
    cache.write_text(json.dumps(entry) if damage in ENTRIES else damage)
    assert cache.read_text() != kept
    again = _code(root, cache)
    assert again.whole == whole
    assert "pkg.rows:rows" in again.parts("gate")
    assert cache.read_text() == kept


def test_a_cache_that_cannot_be_written_is_harmless(write: Write, tmp_path: Path) -> None:
    """There is no folder for it, or a folder in its place."""
    root = write(FILES)
    whole = _code(root).whole
    assert _code(root, tmp_path / "none" / "code.json").whole == whole
    (tmp_path / "taken").mkdir()
    assert _code(root, tmp_path / "taken").whole == whole
    assert not (tmp_path / "none").exists()


def test_sources_that_cannot_be_read_are_no_cache_s_matter(write: Write, tmp_path: Path) -> None:
    """The error comes every time, and nothing is kept."""
    cache = tmp_path / "code.json"
    root = write(FILES | {"rows.py": "def ("})
    for _ in range(2):
        with pytest.raises(DefinitionError, match=r"rows\.py:1"):
            _ = _code(root, cache).whole
    assert not cache.exists()


def test_differences_are_sentences() -> None:
    """What changed first, then what is new, then what is gone."""
    before = {"m:a": "1", "m:b": "1", "m:c": "1"}
    now = {"m:a": "1", "m:b": "2", "m:d": "1"}
    assert changed(before, now) == ["m:b changed", "m:d is new", "m:c is gone"]
    assert changed(now, now) == []
