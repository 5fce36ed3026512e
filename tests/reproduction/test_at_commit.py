"""`mlops reproduce … --at-commit`: the code of then, in a git worktree that is gone afterwards."""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.errors import BadInput, MlopsError, NotFound
from mlops_core.reproduction import reproduce_at_commit
from mlops_core.reproduction.worktree import Repository
from tests.reproduction.checkout import SECONDS, committed, git, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reproduction.checkout import Checkout
    from tests.reproduction.shop import Store


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one file in one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "notes.txt").write_text("of then")
    committed(folder, "notes")
    return folder


def test_a_worktree_has_the_files_of_its_commit_and_goes(repository: Path, tmp_path: Path) -> None:
    """Hooks are not run, and what is checked out stays as it is."""
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "notes.txt").write_text("of now")
    committed(repository, "later")
    with Repository(repository).worktree(commit, tmp_path / "code") as at:
        assert sorted(path.name for path in at.iterdir()) == [".git", "notes.txt"]
        assert (at / "notes.txt").read_text() == "of then"
    assert not (tmp_path / "code").exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert (repository / "notes.txt").read_text() == "of now"


def test_a_worktree_that_a_killed_process_left_is_replaced(repository: Path, tmp_path: Path) -> None:
    """Its folder goes with the scratch; git still has an entry of it. Others' entries stay."""
    commit = git(repository, "rev-parse", "HEAD")
    for name in ("code", "on-a-disk-that-is-away"):
        git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / name), commit)
        shutil.rmtree(tmp_path / name)
    with Repository(repository).worktree(commit, tmp_path / "code") as at:
        assert (at / "notes.txt").is_file()
    listed = git(repository, "worktree", "list")
    assert "on-a-disk-that-is-away" in listed
    assert str(tmp_path / "code") not in listed


def test_a_subfolder_of_the_repository_is_found_in_the_worktree(repository: Path, tmp_path: Path) -> None:
    """Where the commit has it; else it is the root."""
    old = git(repository, "rev-parse", "HEAD")
    (repository / "project").mkdir()
    (repository / "project" / "file").touch()
    new = committed(repository, "project")
    inside = Repository(repository / "project")
    with inside.worktree(new, tmp_path / "code") as at:
        assert at == tmp_path / "code" / "project"
    with inside.worktree(old, tmp_path / "code") as at:
        assert at == tmp_path / "code"


def test_a_commit_that_is_not_there_has_to_be_fetched(repository: Path) -> None:
    """And what is no commit's id is given to git under no circumstances."""
    with pytest.raises(NotFound, match=r"no commit 012345012345: bring it in with `git fetch`"):
        Repository(repository).check("012345" * 6 + "0123")
    for word in ("--help", "HEAD", "main"):
        with pytest.raises(BadInput, match="is no commit"):
            Repository(repository).check(word)


def test_without_a_repository_or_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do instead."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NotFound, match="is in no git repository"):
        Repository(tmp_path)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NotFound, match="git is not installed"):
        Repository(tmp_path)


@pytest.fixture
def trained_at(
    told_late: Store, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str | None], Any]:
    """Reproduces the shop's version as if it had been trained at this commit of the repository."""
    monkeypatch.chdir(repository)
    version = told_late.versions[0]

    def reproduced(commit: str | None) -> Any:
        lineage = version.lineage.model_copy(update={"git_commit": commit})
        return reproduce_at_commit(
            version.model_copy(update={"lineage": lineage}),
            told_late.engines.workspace,
            known_as="nowhere:SHOP",
            settings={"MLOPS_HOME": str(told_late.home)},
        )

    return reproduced


def test_a_commit_that_cannot_reproduce_is_refused(
    trained_at: Callable[[str | None], Any], repository: Path, told_late: Store
) -> None:
    """None recorded; or one from before there was `mlops reproduce`."""
    with pytest.raises(NotFound, match="its lineage names no commit"):
        trained_at(None)
    (repository / "mlops_core").mkdir()
    (repository / "mlops_core" / "__init__.py").touch()
    commit = committed(repository, "an old mlops_core")
    with pytest.raises(NotFound, match=f"the code of commit {commit[:12]} has no `mlops reproduce` yet"):
        trained_at(f"{commit}-dirty")
    assert not list(told_late.home.glob(".scratch-*"))


@pytest.mark.live
def test_what_the_other_process_says_comes_through(
    trained_at: Callable[[str | None], Any], repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A commit without mlops_core is reproduced by the installed one, which here cannot find the use case."""
    with pytest.raises(MlopsError, match=r"could not reproduce it \(exit code 2\)"):
        trained_at(git(repository, "rev-parse", "HEAD"))
    assert "no use case nowhere:SHOP" in capfd.readouterr().err


@pytest.mark.live
def test_code_that_moved_on_is_named_and_the_code_of_then_reproduces(checkout: Checkout) -> None:
    """By today's code it is different, by that of its commit identical."""
    code, out, err = checkout.mlops("reproduce", "churn", "1")
    assert code == 1, err
    assert "made again: different." in out
    assert "mlops_core.stages.matrix:matrix changed" in out
    assert f"git: then {checkout.then[:12]}, now " in out
    assert "By the code that made it: mlops reproduce churn 1 --at-commit" in out

    words = ("reproduce", "churn@1", "--at-commit", "--json", "--keep", "state/../kept")
    code, out, err = checkout.mlops(*words)
    assert code == 0, err
    found = json.loads(out)
    assert (found["verdict"], found["commit"]) == ("identical", checkout.then)
    assert [one for one in found["differences"] if one["part"] in ("code", "commit")] == []
    assert (checkout.worktrees(), checkout.scratch()) == (1, [])
    kept = checkout.folder / "kept"
    assert list(kept.glob("stages/model_training.logistic/*/model/model.skops"))
    shutil.rmtree(kept)


@pytest.mark.live
@pytest.mark.parametrize(("number", "ends_with"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_ended_by_a_signal_nothing_is_left(checkout: Checkout, number: int, ends_with: int) -> None:
    """No worktree, no scratch, no process."""
    process = checkout.start("reproduce", "churn", "1", "--at-commit")
    until(lambda: len(checkout.scratch()) == 2, process)  # that of the worktree, and that of the child in it
    process.send_signal(number)
    process.communicate(timeout=SECONDS)
    assert process.returncode == ends_with
    assert (checkout.worktrees(), checkout.scratch()) == (1, [])


@pytest.mark.live
def test_killed_it_leaves_scratch_that_the_next_one_removes(checkout: Checkout) -> None:
    """The next one at the commit clears git's entry away as well."""
    process = checkout.start("reproduce", "churn", "1", "--at-commit")
    until(lambda: len(checkout.scratch()) == 2, process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + SECONDS
    while checkout.processes():  # the child, which goes on to its end
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert checkout.scratch()
    code, _, err = checkout.mlops("reproduce", "churn", "1", "--at-commit")
    assert code == 0, err
    assert (checkout.worktrees(), checkout.scratch()) == (1, [])
