"""What every target does, as the conformance suite saw it: a table of tests by targets.

Run from the repository's root::

    python -m benchmarks.targets                          # prints the table; about two minutes
    python -m benchmarks.targets --into docs/targets.md   # puts it into the page
    python -m benchmarks.targets --junit report.xml       # of a run that somebody else made

The last is for an account of one's own: `pytest -m cloud --target kubernetes --junitxml report.xml`.
The exit code is 1 when a test failed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["main", "placed", "table"]

_SUITE = ("tests/deployer/test_deployer_conformance.py", "tests/deployer/test_target_conformance.py")
_MARKS = "<!-- python -m benchmarks.targets --into docs/targets.md -->", "<!-- end of the table -->"
_WORST = ("failed", "n/a", "passed")
_SHOWN = {"passed": "yes", "failed": "**no**", "n/a": "n/a"}


def main(words: list[str]) -> int:
    """Run the suite, or read the report of a run; the exit code says whether all of it passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.targets", description=__doc__)
    parser.add_argument("--into", type=Path, help="a page to put the table into")
    parser.add_argument("--junit", type=Path, help="pytest's report of a run that was made before")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        report = asked.junit or _run(Path(folder) / "report.xml")
        outcomes = _outcomes(report)
    found = table(outcomes)
    if asked.into:
        asked.into.write_text(placed(found, asked.into.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{found}\n")
    return int(any("failed" in row.values() for row in outcomes.values()))


def table(outcomes: dict[str, dict[str, str]]) -> str:
    """Markdown: a row a test, a column a target. What is n/a does not exist there, such as credentials."""
    targets = sorted({target for row in outcomes.values() for target in row}, key=_order)
    lines = [["", *targets], ["---", *("---" for _ in targets)]]
    lines += [
        [name, *(_SHOWN[row[target]] if target in row else "" for target in targets)]
        for name, row in outcomes.items()
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def placed(found: str, page: str) -> str:
    """The page with that table between the two marks."""
    begin, end = _MARKS
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{found}\n{end}{after}"


def _run(report: Path) -> Path:
    words = ["-m", "not cloud", "-n", "2", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *_SUITE]
    subprocess.run([sys.executable, "-m", "pytest", *words], check=False, stdout=sys.stderr)  # noqa: S603
    return report


def _outcomes(report: Path) -> dict[str, dict[str, str]]:
    """By test, as a sentence, and target: the worst of its examples."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        name, _, rest = case.attrib["name"].removesuffix("]").partition("[")
        target = _target(rest)
        if target is None:
            continue
        row = found[name.removeprefix("test_").replace("_", " ")]
        row[target] = min(row.get(target, "passed"), _outcome(case), key=_WORST.index)
    return dict(found)


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "n/a" if case.find("skipped") is not None else "passed"


def _target(examples: str) -> str | None:
    found = re.search(r"memory platform|memory|local|\w+ \((?:fake|real)\)", examples)
    return found[0] if found else None


def _order(target: str) -> tuple[int, str]:
    own = ("local", "memory", "memory platform")
    return (own.index(target), "") if target in own else (len(own), target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
