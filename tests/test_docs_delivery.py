"""docs/delivery.md: what it names is there, what there is it names, and its loop runs in a shell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mlops_core.cli import main
from mlops_core.promotion import standing_of
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "delivery.md").read_text()
TEXTS = {path.name: path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
LOOP = next(block for block in BLOCKS if block.startswith("mlops gate"))
ON = True  # how YAML 1.1 reads the key `on`
SHOP = "tests.flows.shop:ELSEWHERE"  # a small shop's model, which a person has to consent to


def mlops_commands() -> list[list[str]]:
    """The words of each `mlops …` that the page shows, without what a shell makes of the rest of its line."""
    shown = [*"".join(BLOCKS).splitlines(), *re.findall(r"`([^`\n]+)`", PAGE)]
    found = (re.search(r"(?:^|\s)mlops ([a-z][^#]*)", line) for line in shown)
    return [shlex.split(one[1].replace("…", "")) for one in found if one]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table whose first column has that heading."""
    table, *_ = re.findall(rf"^\| {heading} \|.*\n\|[- |]*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def names(cells: list[str]) -> set[str]:
    """What stands in backticks in the first cells of rows."""
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_command_is_one_there_is_with_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    commands = mlops_commands()
    assert len(commands) > 10
    for words in commands:
        verb = words[: 2 if words[0] in ("models", "registry", "github") else 1]
        with pytest.raises(SystemExit) as ended:  # argparse ends so after help
            main([*verb, "--help"])
        said = capsys.readouterr().out
        assert ended.value.code == 0, words
        for option in (word for word in words if word.startswith("--")):
            assert option in said, words


def test_every_workflow_is_in_the_table_and_there_are_no_others() -> None:
    assert names([row[0] for row in rows("workflow")]) == set(TEXTS)


def test_variables_and_secrets_are_those_that_the_workflows_read() -> None:
    for kind, heading in (("vars", "variable"), ("secrets", "secret")):
        read = {name for text in TEXTS.values() for name in re.findall(rf"\b{kind}\.(\w+)", text)}
        assert names([row[0] for row in rows(heading)]) == read - {"GITHUB_TOKEN"}


def permissions() -> Iterator[tuple[str, str, str]]:
    """What each job may do, but read what is checked out: permission, workflow, job."""
    for file, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {}
        for job, one in workflow["jobs"].items():
            if "uses" in one:  # it hands down what the called jobs ask for
                continue
            for name, level in one["permissions"].items():
                yield f"{name}: {level}", file.removesuffix(".yml"), job


def test_each_permission_stands_beside_the_jobs_that_have_it() -> None:
    shown = {next(iter(names([row[0]]))): row[1] for row in rows("permission")}
    asked = [one for one in permissions() if one[0] != "contents: read"]
    assert {name for name, _, _ in asked} | {"contents: read"} == shown.keys()
    for name, file, job in asked:
        assert f"`{job}`" in shown[name], (name, file)
    for name, cell in shown.items():
        jobs = {job for one, _, job in permissions() if one == name}
        assert names([cell]) <= jobs, name


def test_inputs_are_those_of_the_workflows() -> None:
    """All of them are named, and a command line gives none that is not there."""
    inputs = {
        name: set((workflow[ON].get("workflow_dispatch") or {}).get("inputs", {}))
        for name, workflow in WORKFLOWS.items()
    }
    for name in set().union(*inputs.values()):
        assert f"`{name}`" in PAGE or f"-f {name}=" in PAGE, name
    for file, given in re.findall(r"gh workflow run (\w+\.yml)([^`\n]*)", PAGE):
        assert set(re.findall(r"-f (\w+)=", given)) <= inputs[file]


def test_the_settings_it_names_are_settings() -> None:
    read = {name for text in TEXTS.values() for name in re.findall(r"\bvars\.(\w+)", text)}
    known = {f"MLOPS_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bMLOPS_[A-Z_]+", PAGE)) <= read | known


def test_the_scripts_are_those_of_the_folder() -> None:
    """But those that others begin with."""
    there = {path.name for path in (ROOT / ".ci").iterdir() if path.stat().st_mode & 0o100}
    assert set(re.findall(r"\.ci/(\w+)", PAGE)) == there


@pytest.mark.live
def test_the_loop_runs_in_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's commands in their order: version 2 is held, rehearsed, promoted, watched, and goes back."""
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path))
    engines = ConfiguredEngines(Settings(home=tmp_path))

    def mlops(actor: str, *words: str) -> str:
        monkeypatch.setenv("MLOPS_ACTOR", actor)
        code = main(words)
        said = capsys.readouterr()
        assert code == 0, (words, said)
        return said.out

    for version, customers in ((1, 650), (2, 800)):
        data = write_purchases(tmp_path / f"{customers}.parquet", customers)
        mlops("ann", "run", SHOP, "--data", str(data), "--quiet")
        if version == 1:
            mlops("bob", "approve", SHOP, "1", "--reason", "the first one")
    standing = standing_of(engines, "elsewhere")
    given = {"churn": SHOP, "3": "2", "2": "1", "985d4f4a0686": standing.models[2][:12]}
    given["a6249943eb4d"] = standing.requests[2].digest[:12]
    lines = [shlex.split(line)[1:] for line in LOOP.splitlines()]
    served = []
    for line in lines:
        mlops("bob", *(given.get(word, word) for word in line))
        served.append(standing_of(engines, "elsewhere").production)
    promoted = next(place for place, line in enumerate(lines) if line[0] == "promote")
    assert served == [1] * promoted + [2] * (len(lines) - promoted - 1) + [1]
