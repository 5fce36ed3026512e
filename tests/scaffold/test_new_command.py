"""`mlops new`: what it proposes, writes and refuses, in this process."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from importlib import import_module, invalidate_caches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mlops_core.cli import main
from mlops_core.scaffold.draft import R2_FLOOR, ROC_AUC_FLOOR
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.scaffold.shapes import SHAPES, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SUMS = {"purchases": "usd", "visits": "Umsatz (€)", "sparse": "alarms", "few": "minutes"}
FAST = [("purchases", "churn"), ("visits", "sum"), ("sparse", "sum")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a person's own, in which commands are typed."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLOPS_HOME", str(tmp_path / "state"))
    before, path = set(sys.modules), list(sys.path)
    yield folder
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]
    sys.path[:] = path


@pytest.fixture
def mlops(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command: exit code, output, errors."""

    def run(words: str) -> tuple[int, str, str]:
        code = main([*shlex.split(words), "--quiet"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def _told(shape: str, predict: str = "churn") -> str:
    label = predict if predict == "churn" else shlex.quote(f"sum:{SUMS[shape]}")
    return f"{SHAPES[shape][2]} --predict {label} --horizon 30"


@pytest.mark.parametrize(
    ("shape", "predict"),
    [
        pytest.param(shape, predict, marks=() if (shape, predict) in FAST else pytest.mark.live)
        for shape in SHAPES
        for predict in ("churn", "sum")
    ],
)
def test_what_is_written_means_what_it_says(
    project: Path, mlops: Callable[..., Any], tmp_path: Path, shape: str, predict: str
) -> None:
    """Formatted, free of complaints, importable, and its features are those worked out in its own test."""
    name = f"{shape}_{predict}"
    events = write(shape, project)
    code, _, err = mlops(f"new {name} --events {shlex.quote(str(events))} {_told(shape, predict)}")
    assert (code, err) == (0, "")
    written = sorted(one.relative_to(project).as_posix() for one in project.rglob("*") if one.is_file())
    assert written == sorted(
        [events.name, f"{name}.py", f"{name}_flow.py", "prefect.yaml", f"tests/test_{name}.py"]
    )
    _check_style(project)
    invalidate_caches()
    module = _loaded(project / "tests" / f"test_{name}.py")
    module.test_features_at_a_moment_are_as_worked_out_by_hand(
        ConfiguredEngines(Settings(home=tmp_path / "state")), tmp_path
    )
    case = getattr(import_module(name), name.upper())
    floor = {"churn": ROC_AUC_FLOOR, "sum": R2_FLOOR}[predict]
    assert (case.gate.floor, case.label.horizon.days) == (floor, 30)
    assert f"calibration={case.gate.calibration}" in (project / f"{name}.py").read_text()


def _check_style(folder: Path, *files: str) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    rules = [] if (folder / "pyproject.toml").exists() else ["--config", str(ROOT / "pyproject.toml")]
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(  # noqa: S603 - our own words
            [ruff, *words, "--no-cache", *rules, *(files or (".",))],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def _loaded(file: Path) -> Any:
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("shape", ["visits", "few"])
def test_what_is_not_said_is_proposed_and_nothing_is_written(
    project: Path, mlops: Callable[..., Any], shape: str
) -> None:
    """Without a terminal: exit code 2, every reason, and a command that says all and then writes."""
    events = write(shape, project)
    code, out, err = mlops(f"new own_case --events {shlex.quote(events.name)}")
    assert code == 2
    assert "What has to be said" in out
    assert "UseCase(" in out
    assert [one.name for one in project.iterdir()] == [events.name]
    command = err.partition("where you agree: mlops ")[2].strip()
    assert mlops(command)[0] == 0
    assert (project / "own_case.py").is_file()


def test_the_proposal_is_json_too(project: Path, mlops: Callable[..., Any]) -> None:
    """What is open is not given; with --yes the paths of the files are in it."""
    write("visits", project)
    code, out, _ = mlops("new own_case --events visits.parquet --json --key Filiale 'Kunden Nr'")
    proposal = json.loads(out)
    assert code == 2
    given = {one["option"]: one["given"] for one in proposal["choices"]}
    assert given == {
        "--key": True, "--time": False, "--created": False, "--predict": False, "--horizon": False
    }  # fmt: skip
    code, out, _ = mlops("new own_case --events visits.parquet --json --yes")
    assert code == 0
    assert all(Path(one).is_file() for one in json.loads(out)["files"])


def test_nothing_that_is_there_is_overwritten(project: Path, mlops: Callable[..., Any]) -> None:
    """The list of what is in the way, and none of the other files."""
    write("purchases", project)
    (project / "tests").mkdir()
    (project / "tests" / "test_mine.py").write_text("mine")
    code, _, err = mlops(f"new mine --events purchases.parquet {_told('purchases')}")
    assert code == 2
    assert "tests/test_mine.py: there already" in err
    assert not (project / "mine.py").exists()


def test_a_deployment_is_added_to_those_that_are_there(project: Path, mlops: Callable[..., Any]) -> None:
    """The file's own words stay, and one entry more is read from it."""
    write("purchases", project)
    mlops(f"new first_case --events purchases.parquet {_told('purchases')}")
    before = (project / "prefect.yaml").read_text()
    assert mlops(f"new second_case --events purchases.parquet {_told('purchases')}")[0] == 0
    after = (project / "prefect.yaml").read_text()
    assert after.startswith(before)
    entries = [one["entrypoint"] for one in yaml.safe_load(after)["deployments"]]
    assert entries == ["first_case_flow.py:first_case", "second_case_flow.py:second_case"]


def test_a_file_of_deployments_that_cannot_have_one_more_stays(
    project: Path, mlops: Callable[..., Any]
) -> None:
    """The entry is printed instead."""
    write("purchases", project)
    mine = "deployments: []\nname: mine\n"
    (project / "prefect.yaml").write_text(mine)
    code, _, err = mlops(f"new own_case --events purchases.parquet {_told('purchases')}")
    assert code == 0
    assert "entrypoint: own_case_flow.py:own_case" in err
    assert (project / "prefect.yaml").read_text() == mine


def test_in_a_checkout_it_lies_beside_the_others(
    project: Path, mlops: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thin flow as theirs, and an entry of the same kind as theirs in their prefect.yaml."""
    checkout = project / "checkout"
    for one in ("mlops_core", "flows"):  # ruff looks for imported modules, so all of them
        shutil.copytree(ROOT / one, checkout / one, ignore=shutil.ignore_patterns("__pycache__"))
    for one in ("prefect.yaml", "pyproject.toml"):
        shutil.copy(ROOT / one, checkout / one)
    monkeypatch.chdir(checkout)
    write("purchases", checkout)
    assert mlops(f"new own_case --events purchases.parquet {_told('purchases')}")[0] == 0
    before = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    after = yaml.safe_load((checkout / "prefect.yaml").read_text())["deployments"]
    assert after[:-1] == before
    assert after[-1]["entrypoint"] == "flows.own_case.own_case"
    assert after[-1]["work_pool"] == before[0]["work_pool"]
    assert "from mlops_core.usecases.own_case import OWN_CASE" in (checkout / "flows/own_case.py").read_text()
    written = ("mlops_core/usecases/own_case.py", "flows/own_case.py", "tests/test_own_case.py")
    _check_style(checkout, *written)


REFUSED = {
    "new 2shop --events purchases.parquet": "cannot name a use case",
    "new class --events purchases.parquet": "cannot name a use case",
    "new json --events purchases.parquet": "'json' is taken",
    "new churn --events purchases.parquet": "'churn' is taken",
    "new shop --events absent.parquet": "there is no file absent.parquet",
    "new shop --events empty.parquet": "has no rows",
    "new shop --events broken.parquet": "cannot be read as Parquet",
    "new shop --events purchases.parquet --key customerid": "did you mean 'customer_id'",
    "new shop --events purchases.parquet --time cds": "expected timestamps, dates or ISO 8601",
    "new shop --events nulls.parquet --key who --time at": "1 of 3 have null",
    "new shop --events nulls.parquet --key other --time at": "all 3 events are of one entity",
    "new shop --events one_day.parquet --key who --time at": "all 3 events lie on 2024-05-01",
    "new shop --events brief.parquet --key who --time at": "no horizon fits",
    "new shop --events purchases.parquet --key customer_id --horizon 300": "--horizon 90 would fit",
    "new shop --events purchases.parquet --predict sum:usdd": "did you mean 'usd'",
    "new shop --events purchases.parquet --predict nothing": "expected churn, or sum:COLUMN",
    "new shop --events purchases.parquet --horizon soon": "expected whole days",
    "new shop --events purchases.parquet --created cds": "expected another column of times",
    "new shop --events quiet.parquet --key who --time at --horizon 7": "one outcome",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(
    project: Path, mlops: Callable[..., Any], words: str
) -> None:
    """Exit code 2, and nothing written."""
    write("purchases", project)
    tables = {
        "empty": {"who": pa.array([], pa.int64()), "at": pa.array([], pa.date32())},
        "nulls": _table([1, None, 2], [1, 2, 3], other=[5, 5, 5]),
        "one_day": _table([1, 2, 2], [1, 1, 1]),
        "brief": _table([1, 2, 2], [1, 2, 3]),
        "quiet": _table([1, 2, 2], [-200, -200, 3]),
    }
    for name, table in tables.items():
        pq.write_table(pa.table(table), f"{name}.parquet")
    Path("broken.parquet").write_bytes(b"PAR1 not at all")
    there = sorted(project.iterdir())
    code, _, err = mlops(words)
    assert (code, REFUSED[words] in err) == (2, True), err
    assert len(err.strip().splitlines()) == 1
    assert sorted(project.iterdir()) == there


def _table(who: list[int | None], day: list[int], **more: list[int]) -> dict[str, Any]:
    from datetime import date, timedelta

    days = [date(2024, 4, 30) + timedelta(days=one) for one in day]
    return {"who": pa.array(who, pa.int64()), "at": pa.array(days, pa.date32()), **more}
