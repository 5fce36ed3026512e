"""`mlops evidence`: the pack of a release, or one made anew, the same to the byte."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.reporter import html
from mlops_core.domain.digest import digest_bytes, digest_of
from mlops_core.domain.evidence import Evidence
from mlops_core.domain.release import Release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Terminal
    from tests.promotion.desk import Desk


def folder_of(terminal: Terminal, version: int) -> Path:
    """Where the release of a version lies."""
    (found,) = (terminal.home / "releases" / "churn").glob(f"{version}-*")
    return found


def test_the_pack_of_what_serves_is_the_release_s(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    """Page and twin are copied, their digests told, and the verdict stands first."""
    desk.delivered(1, 2)
    said = fresh("evidence", "churn", "--out", str(tmp_path / "new" / "folder"))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].startswith(
        "churn version 2, logistic, passed the gate against version 1;"
    )
    assert "of the release in releases/churn/2-" in said.out
    documents = folder_of(fresh, 2) / "model" / "documents"
    for name in ("evidence.html", "evidence.json"):
        copy = tmp_path / "new" / "folder" / f"churn-2-{name}"
        assert copy.read_bytes() == (documents / name).read_bytes()
        assert f"{digest_bytes(copy.read_bytes())}  {copy}" in said.out
    said = fresh("evidence", "churn@production", "--json")
    assert said.out == (documents / "evidence.json").read_text() + "\n"


def test_a_release_that_is_gone_is_told_of_to_the_byte(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    """The same decision gives the same bytes: what an archived version was released with can be had again."""
    desk.delivered(1, 2)
    assert fresh("evidence", "churn@1", "--out", str(tmp_path / "before")).code == 0
    shutil.rmtree(folder_of(fresh, 1))
    said = fresh("evidence", "churn@archived", "--out", str(tmp_path / "after"))
    assert "made anew: no release of it lies here" in said.out
    for name in ("churn-1-evidence.html", "churn-1-evidence.json"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()
    assert not list((fresh.home / "releases" / "churn").glob("1-*"))


def test_a_version_in_staging_has_evidence_and_gets_no_release(fresh: Terminal, desk: Desk) -> None:
    """Before anybody promotes it: what a person wants to read then."""
    desk.delivered(1)
    desk.judged(2, "drift")
    before = desk.standing.head
    said = fresh("evidence", "churn@staging", "--json")
    evidence = Evidence.model_validate_json(said.out)
    assert evidence.verdict == "must not serve"
    assert evidence.decision == desk.standing.decisions[2]
    assert desk.standing.head == before
    assert not list((fresh.home / "releases" / "churn").glob("2-*"))


def test_what_is_not_what_served_is_refused(fresh: Terminal, desk: Desk) -> None:
    """A release whose files and manifest fit each other, but not the ledger."""
    desk.delivered(1, 2)
    manifest = folder_of(fresh, 1) / "release.json"
    release = Release.model_validate_json(manifest.read_bytes())
    manifest.write_text(release.model_copy(update={"threshold": 0.01}).model_dump_json(indent=1))
    said = fresh("evidence", "churn@1", "--json")
    assert (said.code, said.out) == (1, "")
    assert f"{manifest.parent.name}/release.json is not the manifest of what served by the ledger" in said.err


@pytest.mark.live
def test_a_pack_that_is_drawn_otherwise_by_now_keeps_nobody_from_going_back(
    fresh: Terminal, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release that served is gone, and a newer version of this software makes it again."""
    desk.delivered(1, 2)
    shutil.rmtree(folder_of(fresh, 1))
    monkeypatch.setattr(html, "render_evidence", lambda *_: "<p>as it will be drawn some day</p>")
    said = fresh("rollback", "churn", "--reason", "complaints")
    assert (said.code, said.err) == (0, "")
    assert desk.served == 1
    assert (folder_of(fresh, 1) / "model" / "documents" / "evidence.html").read_text().startswith("<p>as it")


def test_what_cannot_be_had_is_said(fresh: Terminal, desk: Desk, tmp_path: Path) -> None:
    desk.delivered(1)
    (tmp_path / "file").write_text("")
    for words, message in (
        (("churn@7",), "churn has no version @7: there are 1 (Production)"),
        (("churn", "--out", str(tmp_path / "file")), "is a file: name a folder"),
        (("chrun",), "churn"),
    ):
        said = fresh("evidence", *words)
        assert (said.code, said.out, message in said.err) == (2, "", True)


@pytest.mark.live
def test_the_page_s_lines_are_what_sha256sum_reads(site: Terminal, released: Path) -> None:
    page = (released / "model" / "documents" / "evidence.html").read_text()
    (lines,) = re.findall(r'<pre class="digest">\n(.*?)</pre>', page, re.DOTALL)
    done = subprocess.run(
        ["sha256sum", "-c", "-"],  # noqa: S607 - of coreutils, wherever that is
        input=lines,
        cwd=released / "model",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(lines.splitlines()) >= 7
    assert site("evidence", "churn", "--json").code == 0


@pytest.mark.live
def test_the_twin_agrees_with_what_lies_beside_it(released: Path) -> None:
    """Policy and decision by their canonical JSON, the report by its bytes."""
    documents = released / "model" / "documents"
    evidence = Evidence.model_validate_json((documents / "evidence.json").read_bytes())
    assert evidence.decision is not None
    assert evidence.digests.policy == digest_of(json.loads((documents / "policy.json").read_bytes()))
    assert json.loads((documents / "decision.json").read_bytes()) == evidence.decision.model_dump(mode="json")
    assert evidence.digests.decision == evidence.decision.digest
    assert evidence.digests.report == digest_bytes((documents / "report.html").read_bytes())
    assert evidence.verdict == ("may serve, by a waiver" if evidence.waived else "may serve")
