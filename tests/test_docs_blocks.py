"""Every block of every page is run, compared, understood, or has a reason why not: docs/held.py."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from docs.blocks import SHELL, Block, blocks_of, commands_of
from docs.held import BY_TEST, NOT_RUN, PROGRAMS, ROOT, Unheld, held, pages, run_here
from docs.session import missing

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [block for page in pages() for block in blocks_of(page)]
PYTHON = [page for page in pages() if run_here(page)]


@pytest.mark.parametrize("page", [page.name for page in pages()])
def test_every_block_of_a_page_is_held(page: str) -> None:
    for block in BLOCKS:
        if block.page == page:
            held(block)


def test_most_blocks_of_code_are_not_excused() -> None:
    """The counts are printed by `python -m docs.held`."""
    counts = Counter(held(block).how for block in BLOCKS)
    assert counts["run"] + counts["compared"] + counts["understood"] > 2 * counts["not run"]


def test_what_names_a_test_or_a_reason_is_of_use() -> None:
    """A test that no longer reads the page, and a reason for a block that is gone, are errors."""
    there = {(block.page, block.language) for block in BLOCKS}
    assert set(BY_TEST) <= there
    for (page, _), (_, test) in BY_TEST.items():
        assert page.removesuffix(".md") in (ROOT / test).read_text(), f"{test} does not read {page}"
    assert set(NOT_RUN) <= {(block.page, block.first) for block in BLOCKS}
    shells = [block for block in BLOCKS if block.language in SHELL]
    called = {words[0] for block in shells for words in commands_of(block)}
    assert set(PROGRAMS) <= called


@pytest.mark.parametrize("page", PYTHON, ids=[page.name for page in PYTHON])
def test_a_page_s_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks share their names, as in one session."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for block in run_here(page):
        exec(compile(block.code, block.where, "exec"), names)  # noqa: S102 - our own page


@pytest.mark.parametrize(
    ("language", "code", "wrong"),
    [
        ("bash", "mlops runn churn\n", "did you mean 'run'"),
        ("bash", "mlops predict churn --id 1 --idd 2\n", "unknown argument '--idd'"),
        ("console", "$ mlops rollback\nit went back\n", "USE_CASE"),
        ("bash", "cd there && python -m benchmarks.nothing\n", "there is no -m benchmarks.nothing"),
        ("bash", "python flows/churm.py\n", "there is no flows/churm.py"),
        ("bash", "rm -rf it\n", "rm is no command of ours"),
        ("toml", "a = 1\n", "nothing holds this toml"),
    ],
)
def test_a_block_that_nothing_holds_is_refused(language: str, code: str, wrong: str) -> None:
    with pytest.raises(Unheld, match=r"^new\.md:7: ") as refused:
        held(Block("new.md", 7, "", language, code))
    assert wrong in str(refused.value)


def test_commands_of_a_line_are_told_apart() -> None:
    """Continued lines are joined; comments, assignments and what was printed are left out."""
    code = "$ A=1 mlops run \\\n  churn && cd x  # why\n| printed |\n$ echo 'a # b'\n"
    assert commands_of(Block("new.md", 1, "", "console", code)) == [
        ["mlops", "run", "churn"],
        ["cd", "x"],
        ["echo", "a # b"],
    ]


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("version 1 is delivered", None),
        ("version 4 is delivered", None),
        ("one 0.9\n…\nthree", None),
        ("…two…", None),
        ("three\none 1", "one 1"),
        ("one", "one"),
        ("version 1 is rejected", "version 1 is rejected"),
    ],
)
def test_what_is_printed_is_compared_by_its_words_and_their_order(expected: str, line: str | None) -> None:
    """Figures, dates and digests are of their run."""
    assert missing(expected, "version 1 is delivered\none 0.9\nand two 3d33e9e777c4 of\nthree\n") == line
