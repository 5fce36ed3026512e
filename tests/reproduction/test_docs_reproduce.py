"""docs/reproduce.md: its session runs as it stands, its commands are ones there are."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_core.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reproduce.md").read_text()
SECONDS = 300  # more than any command takes on a busy machine
DIGITS = re.compile(r"\b[0-9a-f]{12}\b|\b0\.\d{6,}\b")  # digests, and thresholds: of one kind of processor


def session() -> list[tuple[str, list[str]]]:
    """Every command of the page with the lines that it shows of its output."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif line != "…":
                found[-1][1].append(line)
    return found


def git(folder: Path, *words: str) -> None:
    """A git command, signed by nobody in particular."""
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)  # noqa: S603, S607 - our own words; git of PATH


def committed(folder: Path) -> None:
    """Everything in `folder` as a commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "something")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout of this package."""
    shutil.copytree(
        ROOT / "mlops_core", tmp_path / "mlops_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / ".gitignore").write_text(".mlops/\n__pycache__/\n")
    git(tmp_path, "init", "--quiet")
    committed(tmp_path)
    return tmp_path


@pytest.mark.live
def test_the_page_s_session_says_what_the_page_shows(checkout: Path) -> None:
    """On the bundled data; the page's change is made where the page makes it, and its Python runs."""
    ours = ("MLOPS_", "MLFLOW_", "PREFECT_", "GIT_", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

    def run(*words: str) -> str:
        return subprocess.run(  # noqa: S603 - our own words
            [sys.executable, *words],
            cwd=checkout,
            env=environment | {"PYTHONPATH": "."},
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            check=False,
        ).stdout

    file = checkout / "mlops_core" / "stages" / "matrix.py"
    shown, said = session(), ""
    assert [command for command, _ in shown].count("mlops reproduce churn 1") == 2
    for command, lines in shown:
        if command == "mlops reproduce churn 1" and "different" in lines[0]:
            assert DIGITS.sub("#", run("-c", code)) == DIGITS.sub("#", said)
            gone, new = re.search(r"^```diff\n-(.*)\n\+(.*)\n```$", PAGE, re.MULTILINE).groups()  # type: ignore[union-attr] # it is there
            assert file.read_text().count(gone) == 1
            file.write_text(file.read_text().replace(gone, new))
            committed(checkout)
        said = run("-m", "mlops_core.cli", *shlex.split(command)[1:])
        if "run" in command:
            assert said.startswith(f"{lines[0]}\n")
        else:
            assert DIGITS.sub("#", said).splitlines() == DIGITS.sub("#", "\n".join(lines)).splitlines()


def test_the_page_s_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that the page shows exists, with the options that it is shown with."""
    commands = [shlex.split(command)[1:] for command, _ in session()]
    commands += [shlex.split(line) for line in re.findall(r"`mlops ([a-z].*?)`", PAGE)]
    for words in commands:
        verb = words[: 2 if words[0] in ("features", "models") else 1]
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([*verb, "--help"])
        said = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert option in said
    for option in re.findall(r"`(--[\w-]+)", PAGE):
        with pytest.raises(SystemExit):
            main(["reproduce", "--help"])
        assert option in capsys.readouterr().out
