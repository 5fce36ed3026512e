"""docs/exports.md: its commands do what it says, and what it shows of files is what the exporters write."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mlops_core.cli import main
from mlops_core.commands.export import TARGETS
from mlops_core.commands.export_model import MODELS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "exports.md").read_text()
GOLDEN = ROOT / "tests" / "exporters" / "golden"
BLOCKS = re.findall(r"(?:^<!-- from: (\S+) -->\n)?^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SESSIONS = [(kind, text) for _, kind, text in BLOCKS if kind in ("console", "sh")]
SHOWN = [
    (file, kind, text) for file, kind, text in BLOCKS if kind in ("yaml", "json", "python", "toml", "mermaid")
]


def commands() -> list[tuple[str, list[str]]]:
    """Each command of `mlops` in a session, and the lines that it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    for kind, session in SESSIONS:
        printed: list[str] | None = None
        for line in re.sub(r"\\\n\s*", "", session).splitlines():
            words = line.removeprefix("$ ")
            if words.startswith("mlops "):
                printed = []
                found.append((words.split(" && ")[0], printed))
            elif line.startswith("$ ") or kind == "sh":
                printed = None  # of another program
            elif printed is not None:
                printed.append(line)
    return found


def test_the_page_s_exports_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an empty folder, one after the other; lines after … are not shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_HOME", raising=False)
    exports = [(words, shown) for words, shown in commands() if words.startswith("mlops export")]
    assert len(exports) >= 3
    for words, shown in exports:
        assert main(shlex.split(words, comments=True)[1:]) == 0, words
        said = capsys.readouterr().out.splitlines()
        told = [line.strip() for line in shown]
        if "…" in told:
            told, said = told[: told.index("…")], said[: told.index("…")]
        if shown:
            assert [line.strip() for line in said] == told
    assert not (tmp_path / ".mlops").exists()


def test_the_page_s_other_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that the page names exists, with the options that it is shown with."""
    named = [words for words, _ in commands()] + re.findall(r"`(mlops [a-z][^`]*)`", PAGE)
    for command in named:
        words = shlex.split(command.replace("…", ""))[1:]
        verb = words[: 2 if words[0] in ("task", "features", "registry", "models") and len(words) > 1 else 1]
        with pytest.raises(SystemExit):  # argparse ends so after help
            main([*verb, "--help"])
        said = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in said] == []


@pytest.mark.parametrize(
    ("file", "kind", "text"), SHOWN, ids=[f"{kind}-{n}" for n, (_, kind, _) in enumerate(SHOWN)]
)
def test_what_the_page_shows_of_a_file_is_written_so(file: str, kind: str, text: str) -> None:
    """Found in a golden file, indented as there or less; … stands for lines that are not shown."""
    files = [ROOT / file] if file else sorted(GOLDEN.iterdir())
    parts = [part.strip("\n") for part in re.split(r"^\s*(?:# )?…\n", text, flags=re.MULTILINE)]
    wanted = [plain(part) for part in parts if part.strip()]
    assert wanted
    assert any(all(part in plain(one.read_text()) for part in wanted) for one in files), f"{kind}: {text}"


def plain(text: str) -> str:
    """Without what lines begin with."""
    return "\n".join(line.strip() for line in text.splitlines())


def test_every_target_is_told() -> None:
    table = re.findall(r"^\| (`[a-z][\w`, -]+`) \| (.+?) \|", PAGE, re.MULTILINE)
    told = {name: files for names, files in table for name in re.findall(r"`([\w-]+)`", names)}
    assert set(told) == set(TARGETS) | set(MODELS)
    for name, target in TARGETS.items():
        assert all(f"`{file.format('churn')}`" in told[name] for file in target.files)
