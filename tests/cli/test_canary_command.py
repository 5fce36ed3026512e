"""`mlops canary` on real deliveries: what it says, what it ends with, and that nothing changes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.digest import file_digests
from mlops_core.domain.registry import Submission
from mlops_core.promotion import enter
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines
from tests.cli.conftest import Terminal
from tests.cli.published import meets

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live  # models are trained first


@pytest.fixture(scope="module")
def two(delivered: Terminal, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Version 1 serves; version 2, which learnt from version 1's probes, is in Staging."""
    folder = tmp_path_factory.mktemp("two")
    home, files, fetched = folder / "home", folder / "model", folder / "first"
    shutil.copytree(delivered.home, home, symlinks=True)
    files.mkdir()
    fetched.mkdir()
    engines = ConfiguredEngines(Settings(home=home, actor="ana"))
    (first,) = engines.registry.versions("churn")
    engines.registry.fetch(first, fetched)
    documents = tuple(str(file) for file in sorted((fetched / "documents").iterdir()))
    rows, scores = (np.array(part, dtype=np.float64) for part in (first.probes.rows, first.probes.expected))
    model = engines.trainer.fit(LogisticRegression(), rows, (scores > np.median(scores)).astype(np.int8))
    model.save(files)
    same = {name: getattr(first, name) for name in Submission.model_fields if hasattr(first, name)}
    probes = first.probes.model_copy(update={"expected": tuple(model.predict(rows).tolist())})
    changes = {"digest": model.digest(), "folder": str(files), "documents": documents, "probes": probes}
    enter(engines, Submission(**(same | {"parameters": {}} | changes)))
    return Terminal(delivered.events, home)


def checks(out: str) -> dict[str, str]:
    """Outcome by check, of the JSON."""
    return {check["name"]: check["outcome"] for check in meets("canary", out)["checks"]}


def test_a_version_is_tried_out_and_nothing_else_changes(two: Terminal, tmp_path: Path) -> None:
    engines = ConfiguredEngines(Settings(home=two.home))
    entries, serving = engines.ledger.entries("churn"), engines.releases.signature("churn")
    file = tmp_path / "outputs"
    said = two("canary", "churn", "2", "--max-shift", "none", "--outputs", str(file))
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("churn 2 passed: served aside, beside version 1\n")
    for part in ("about 200 entities, features as of 2022-06-30", "answers  passed", "probes   passed"):
        assert part in said.out
    assert "verdict=passed\nfailed=\nrelease=releases/churn/2-" in file.read_text()
    assert engines.ledger.entries("churn") == entries
    assert engines.releases.signature("churn") == serving
    before = file_digests(two.home / "releases")
    said = two("canary", "churn", "2", "--max-shift", "0.0001", "--json")
    assert said.code == 3
    assert checks(said.out) | {"latency": ""} == {
        "answers": "passed",
        "probes": "passed",
        "latency": "",
        "shift": "failed",
    }
    assert file_digests(two.home / "releases") == before


def test_what_serves_must_be_the_version_that_is_named(two: Terminal) -> None:
    said = two("canary", "churn", "1", "--served", "--json", "--requests", "100")
    assert said.code == 0, said.err
    assert checks(said.out) == {
        "served": "passed",
        "target": "passed",
        "answers": "passed",
        "probes": "passed",
        "latency": "passed",
        "shift": "not applicable",
    }
    said = two("canary", "churn", "2", "--served", "--requests", "100")
    assert said.code == 3
    assert "and not version 2" in said.out


def test_without_online_features_there_is_nobody_to_ask(two: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(two.home, home, symlinks=True)
    for file in home.glob("online.db*"):
        file.unlink()
    said = Terminal(two.events, home)("canary", "churn", "1")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert "there are no online features by the definitions of version 1 of 'churn'" in said.err
    assert "`mlops features materialise churn` writes them" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("churn", "99"), "churn has no version 99: there are 1"),
        (("chrun", "1"), "did you mean 'churn'?"),
        (("churn", "one"), "'one' is no version"),
        (("churn", "1", "--requests", "9"), "--requests: give 100 to 100000, not '9'"),
        (("churn", "1", "--max-shift", "nan"), "--max-shift: give a number above zero, or none"),
        (("churn", "1", "--max-latency-ms", "0"), "--max-latency-ms: give a number above zero"),
        (("churn", "1", "--serve"), "did you mean --served?"),
    ],
)
def test_a_mistake_ends_in_one_sentence(delivered: Terminal, words: tuple[str, ...], message: str) -> None:
    said = delivered("canary", *words)
    assert message in said.err
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
