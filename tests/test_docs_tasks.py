"""docs/tasks.md: its commands do what it shows, one after the other in one place."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.cli import main
from mlops_core.domain.pipeline import Retry
from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[1] / "docs" / "tasks.md").read_text()


def commands() -> Iterator[tuple[list[str], int, str, str]]:
    """The words of each, its exit code, what it then says on standard error, and what it prints."""
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ mlops ", block, flags=re.MULTILINE)[1:]:
            line, _, printed = part.partition("\n")
            command, _, ending = line.partition("  # exit code ")
            code, _, said = ending.partition(": ")
            yield shlex.split(command), int(code or 0), said, printed


@pytest.mark.live
def test_the_page_s_commands_do_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (module,) = re.findall(r"^```python\n# asking\.py\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "asking.py").write_text(module)
    shop = write_purchases(tmp_path / "shop.parquet", 650)  # in place of the bundled ones: in little time
    for words, code, said, printed in commands():
        data = ["--data", str(shop)] if "feature_store" in words else []
        assert main([*words, *data]) == code, words
        out, err = capsys.readouterr()
        assert said in err
        if printed:
            assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "MOMENT", out) == printed
        if words[1] == "question" and not code:
            (told,) = re.findall(r"^- The question: (.*?)\. Exit code 99", PAGE, re.MULTILINE)
            assert list(json.loads(out)) == re.findall(r"`(\w+)`", told)


def test_the_page_names_what_a_policy_can_tell() -> None:
    (names, defaults) = re.findall(
        r"What a policy can tell: (.*?) \(.*What is not told is (.*?)\.$", PAGE, re.M
    )[0]
    assert re.findall(r"`(\w+)`", names) == list(Retry.model_fields)
    plain = [f"{value:g}" if isinstance(value, (int, float)) else f"`{value[0]}`" for _, value in Retry()]
    assert re.split(r", | and ", defaults) == plain


def test_the_page_s_debugger_is_started_with_words_that_there_are() -> None:
    (line,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    words = shlex.split(line)
    assert words[:4] == ["python", "-m", "pdb", "$(command -v mlops)"]
    assert words[4:] in [words for words, *_ in commands()]
