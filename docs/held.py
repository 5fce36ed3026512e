"""What holds each block of the docs to the truth: `python -m docs.held` counts, and names what is not run.

A block is *run* (a test executes it), *compared* (a test finds it in what it quotes), *understood* (each
command is taken by the program's own parser, but not run), or *not run*, for a reason that stands here.
Output, drawings and trees of files are *shown*; where they follow a command, the test of their page compares
them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docs.blocks import SHELL, blocks_of, commands_of
from mlops_core.cli import _parser
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.blocks import Block

__all__ = ["BY_TEST", "NOT_RUN", "PROGRAMS", "ROOT", "Held", "Unheld", "held", "pages", "run_here"]

ROOT = Path(__file__).parents[1]

BY_TEST = {
    # page, language: how, and the test that does it
    ("airflow-and-prefect.md", "python"): ("compared", "tests/test_docs_airflow_and_prefect.py"),
    ("airflow-and-prefect.md", "yaml"): ("compared", "tests/test_docs_airflow_and_prefect.py"),
    ("evidence.md", "python"): ("run", "tests/evidence/test_docs_evidence.py"),
    ("exports.md", "python"): ("compared", "tests/test_docs_exports.py"),
    ("exports.md", "yaml"): ("compared", "tests/test_docs_exports.py"),
    ("exports.md", "console"): ("run", "tests/test_docs_exports.py"),
    ("feature-store.md", "python"): ("run", "tests/test_docs_feature_store.py"),
    ("gates.md", "python"): ("run", "tests/checks/test_docs_gates.py"),
    ("lineage.md", "json"): ("compared", "tests/test_docs_lineage.py"),
    ("notifications.md", "python"): ("run", "tests/flows/test_notices.py"),
    ("own-data.md", "bash"): ("understood", "tests/scaffold/test_docs_own_data.py"),
    ("point-in-time.md", "python"): ("run", "tests/test_docs_point_in_time.py"),
    ("promotion.md", "python"): ("run", "tests/test_docs_promotion.py"),
    ("reproduce.md", "python"): ("run", "tests/reproduction/test_docs_reproduce.py"),
    ("retention.md", "console"): ("run", "tests/test_docs_retention.py"),
    ("segments.md", "python"): ("run", "tests/test_docs_backfill.py"),
    ("serving.md", "json"): ("compared", "tests/test_docs_serving.py"),
    ("spark.md", "python"): ("run", "tests/feature_store/test_spark_store.py"),
    ("tasks.md", "python"): ("run", "tests/test_docs_tasks.py"),
    ("tutorial.md", "bash"): ("run", "tests/live/test_tutorial.py"),
    ("tutorial.md", "python"): ("run", "tests/live/test_tutorial.py"),
    ("tutorial.md", "yaml"): ("run", "tests/live/test_tutorial.py"),
}

NOT_RUN = {
    # page, first line: why
    ("promotion.md", "on:"): "a workflow of the reader's own: it wants an account at GitHub",
}

PROGRAMS = {
    # what is called: why it is not run
    "./config.sh": "registers a runner with GitHub: an account",
    ".": "the reader's own virtual environment",
    "cd": "a folder of the reader's",
    "createdb": "the reader's own PostgreSQL",
    "curl": "a server of the reader's own; tests/serving asks the same of ours",
    "docker": "needs Docker",
    "echo": "prints",
    "export": "a setting of the reader's own",
    "feast": "an environment of its own: tests/feature_store/feast runs it",
    "gh": "needs an account at GitHub",
    "jq": "a program of the reader's own",
    "pip": "installs: .ci/package and .ci/install do it from nothing",
    "prefect": "needs a server: tests/live/test_prefect_deployments.py and test_tutorial.py run the like",
    "pytest": "is what is running",
    "sudo": "the reader's own machine",
    "~/.cache/mlops/mlflow-3.17/bin/python": "an environment of its own: tests/registry runs MLflow's server",
}

_SHOWN = ("", "text", "mermaid", "http", "diff")


class Unheld(AssertionError):
    """A block that nothing holds; the message says what to do."""


class Held(NamedTuple):
    """How a block is held, and by what or why not."""

    block: Block
    how: str
    by: str


def pages() -> list[Path]:
    """Every page, README first."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def run_here(page: Path) -> list[Block]:
    """Python that no other test runs: tests/test_docs_blocks.py does, one namespace a page."""
    python = [block for block in blocks_of(page) if block.language == "python"]
    return [block for block in python if held(block).by == "tests/test_docs_blocks.py"]


def held(block: Block) -> Held:
    """What holds a block.

    Raises `Unheld` for a command that its program does not take, and for a block that nothing holds.
    """
    if reason := NOT_RUN.get((block.page, block.first)):
        return Held(block, "not run", reason)
    if known := BY_TEST.get((block.page, block.language)):
        return Held(block, *known)
    if block.language == "python":
        return Held(block, "run", "tests/test_docs_blocks.py")
    if block.language in SHELL:
        return _commands(block)
    if block.language in _SHOWN:
        return Held(block, "shown", "what is printed or drawn")
    raise Unheld(
        f"{block.where}: nothing holds this {block.language}: name its test in docs/held.py, or why none"
    )


def _commands(block: Block) -> Held:
    reasons = sorted({reason for words in commands_of(block) if (reason := _understood(words, block.where))})
    if reasons:
        return Held(block, "not run", "; ".join(reasons))
    return Held(block, "understood", "the parsers of its commands")


def _understood(words: list[str], where: str) -> str | None:
    """None when the command is one of ours and takes these words; else why it cannot be run here."""
    program, *rest = words
    match program:
        case "mlops":
            if wrong := _refusal(tuple(rest)):
                raise Unheld(f"{where}: mlops {' '.join(rest)}: {wrong}")
        case "python" | "python3":
            _module(rest, where)
        case "bash" | "nice":
            return _understood(rest, where)
        case _ if program.startswith(".ci/"):
            if not (ROOT / program).is_file():
                raise Unheld(f"{where}: there is no {program}")
        case _ if program in PROGRAMS:
            return PROGRAMS[program]
        case _:
            raise Unheld(f"{where}: {program} is no command of ours: say in docs/held.py why it is not run")
    return None


@cache
def _refusal(words: tuple[str, ...]) -> str | None:
    """What the command line says against these words: the parser is made for them, and follows them."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):  # after --help
            _parser(words).parse(words)
    except BadInput as error:
        return str(error)
    return None


def _module(words: list[str], where: str) -> None:
    there = (
        importlib.util.find_spec(words[1]) is not None if words[0] == "-m" else (ROOT / words[0]).is_file()
    )
    if not there:
        raise Unheld(f"{where}: there is no {' '.join(words[:2])}")


def _all() -> Iterator[Held]:
    for page in pages():
        for block in blocks_of(page):
            yield held(block)


def main() -> int:
    """Print the counts, and what is not run and why."""
    found = list(_all())
    for one in found:
        if one.how == "not run":
            sys.stdout.write(f"{one.block.where}: {one.by}\n")
    counts = Counter(one.how for one in found)
    sys.stdout.write(f"{len(found)} blocks: " + ", ".join(f"{n} {how}" for how, n in counts.items()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
