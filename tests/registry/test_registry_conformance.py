"""What every registry does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.digest import digest_file, file_digests
from mlops_core.domain.ledger import Promoted, RolledBack
from mlops_core.domain.registry import ModelVersion, Submission
from mlops_core.domain.release import Probes
from mlops_core.domain.standing import Standing
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from mlops_core.ports import ModelRegistry

Submit = Callable[..., Submission]
SHOWN = ("stage", "verdict", "reasons", "approval")


def stages(registry: ModelRegistry) -> dict[int, str]:
    return {version.number: version.tags["stage"] for version in registry.versions("churn")}


def shown(registry: ModelRegistry, number: int) -> dict[str, str]:
    tags = registry.versions("churn")[number - 1].tags
    return {tag: tags[tag] for tag in SHOWN if tag in tags}


def test_a_name_that_was_never_registered_has_no_versions(registry: ModelRegistry) -> None:
    """Asking for a name that nobody registered gives an empty list."""
    assert registry.versions("churn") == []


def test_a_registered_model_is_a_version_with_all_that_it_was_submitted_with(
    registry: ModelRegistry, submit: Submit
) -> None:
    """The first submission becomes version 1, from which everything that was submitted can be read."""
    before = datetime.now(UTC).replace(microsecond=0)
    submission = submit()
    version = registry.register(submission)
    assert (version.name, version.number, version.digest) == ("churn", 1, "first")
    same = set(Submission.model_fields) & set(ModelVersion.model_fields)
    assert same == set(Submission.model_fields) - {"folder", "documents", "parameters"}
    assert {name: getattr(version, name) for name in same} == {
        name: getattr(submission, name) for name in same
    }
    assert version.run_id
    assert before <= version.created_at <= datetime.now(UTC)
    assert registry.versions("churn") == [version]


def test_the_same_digest_again_gives_the_same_version(registry: ModelRegistry, submit: Submit) -> None:
    """Registering is idempotent by digest."""
    first = registry.register(submit())
    assert registry.register(submit()) == first
    assert registry.versions("churn") == [first]


def test_versions_count_from_one_within_a_name(registry: ModelRegistry, submit: Submit) -> None:
    """Each name has numbers of its own, given in ascending order."""
    registry.register(submit("first"))
    registry.register(submit("second"))
    registry.register(submit("first", name="upsell"))
    assert [(one.number, one.digest) for one in registry.versions("churn")] == [(1, "first"), (2, "second")]
    assert [one.number for one in registry.versions("upsell")] == [1]


def test_registering_again_leaves_what_is_shown_alone(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """A model that is in Production or Archived is still shown there when it is submitted again."""
    for digest in ("first", "second"):
        life.promoted(registry.register(submit(digest)))
    registry.follow(life.standing)
    for digest in ("first", "second"):
        registry.register(submit(digest))
    assert stages(registry) == {1: "Archived", 2: "Production"}
    assert registry.differences(life.standing) == []


def test_fetch_gives_exactly_the_submitted_files(
    registry: ModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """The model's folder comes back byte for byte with its documents, and nothing beside it."""
    submission = submit()
    into = tmp_path / "into"
    into.mkdir()
    registry.fetch(registry.register(submission), into)
    documents = {f"documents/{Path(one).name}": digest_file(Path(one)) for one in submission.documents}
    assert file_digests(into) == file_digests(Path(submission.folder)) | documents


def test_fetch_wants_an_empty_folder(registry: ModelRegistry, submit: Submit, tmp_path: Path) -> None:
    """A folder that is missing or holds something is refused and left as it is."""
    version = registry.register(submit())
    with pytest.raises(BadInput, match="existing empty folder"):
        registry.fetch(version, tmp_path / "missing")
    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "mine").write_text("keep")
    with pytest.raises(BadInput, match="existing empty folder"):
        registry.fetch(version, occupied)
    assert [path.name for path in occupied.iterdir()] == ["mine"]


def test_an_unknown_version_is_named_beside_the_known_ones(
    registry: ModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """Asking for a version that does not exist says which do."""
    known = registry.register(submit("first"))
    registry.register(submit("second"))
    with pytest.raises(NotFound, match=r"no version 7 of model 'churn': there are 1, 2\."):
        registry.fetch(known.model_copy(update={"number": 7}), tmp_path)
    with pytest.raises(NotFound, match="nothing is registered under that name"):
        registry.fetch(known.model_copy(update={"name": "upsell"}), tmp_path)


def test_a_submission_without_its_files_is_refused(
    registry: ModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """A model folder or an attachment that is not there is named, and no version is made."""
    with pytest.raises(NotFound, match=r"there is no .*nowhere"):
        registry.register(submit(folder=str(tmp_path / "nowhere")))
    with pytest.raises(NotFound, match=r"there is no .*lost\.html"):
        registry.register(submit(documents=(str(tmp_path / "lost.html"),)))
    assert registry.versions("churn") == []


def test_a_model_of_many_features_keeps_its_probes(registry: ModelRegistry, submit: Submit) -> None:
    """What is too long for one tag is kept whole."""
    generator = random.Random(7)  # noqa: S311 - numbers that cannot be packed well, no secret
    names = tuple(f"feature_{number}" for number in range(400))
    rows = tuple(tuple(generator.random() for _ in names) for _ in range(32))
    probes = Probes(rows=rows, expected=tuple(generator.random() for _ in rows))
    version = registry.register(submit(feature_names=names, probes=probes))
    assert (version.feature_names, version.probes) == (names, probes)
    assert registry.versions("churn") == [version]
    assert max(len(value) for value in version.tags.values()) == 60_000


def test_definitions_too_large_to_tag_are_refused(registry: ModelRegistry, submit: Submit) -> None:
    """A use case that no registry would keep whole is refused before anything is written."""
    with pytest.raises(BadInput, match=r"mlops\.use_case .* 60,002 bytes"):
        registry.register(submit(use_case='"' + "ü" * 30_000 + '"'))
    assert registry.versions("churn") == []


def test_an_empty_ledger_has_nothing_to_show(registry: ModelRegistry, submit: Submit) -> None:
    """Before the first entry nothing differs and nothing is changed."""
    before = registry.register(submit())
    for name in ("churn", "upsell"):
        assert registry.differences(Standing(name=name)) == []
        assert registry.follow(Standing(name=name)) == []
    assert registry.versions("churn") == [before]


def test_a_ledger_of_versions_that_are_not_here_changes_nothing(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """Where the registry lost a name there is nothing to show it on."""
    life.promoted(registry.register(submit(name="upsell")))
    assert registry.differences(life.standing) == []
    assert registry.follow(life.standing) == []
    assert registry.versions("churn") == []


def test_what_the_ledger_says_is_shown(registry: ModelRegistry, submit: Submit, life: Any) -> None:
    """Stages, the gate's newest decision and a person's answer are found in the tags of each version."""
    first, second, third = (registry.register(submit(digest)) for digest in ("first", "second", "third"))
    life.promoted(first)
    life.decided(second, passed=False, sentence="roc_auc is 0.61")
    life.decided(second)
    life.asked(second)
    life.answered(second, consent=True)
    life.promoted(second)
    life.decided(third, passed=False, sentence="brier is above 0.2")
    registry.follow(life.asked(third))
    assert shown(registry, 1) == {"stage": "Archived"}
    passed = {"verdict": "passed", "reasons": "roc_auc is 0.81", "approval": "approved by bea"}
    assert shown(registry, 2) == {"stage": "Production", **passed}
    rejected = {"verdict": "rejected", "reasons": "brier is above 0.2"}
    waiting = {"approval": "waiting until 2024-06-07 12:30 UTC"}
    assert shown(registry, 3) == {"stage": "Staging", **rejected, **waiting}
    kept = registry.versions("churn")[2].tags["mlops.decision"]
    assert json.loads(kept) == life.standing.decisions[3].model_dump(mode="json")
    registry.follow(life.answered(third, consent=False))
    assert shown(registry, 3)["approval"] == "refused by bea"


def test_a_rollback_is_shown(registry: ModelRegistry, submit: Submit, life: Any) -> None:
    """The version that came back is in Production, the one that it replaced is Archived."""
    first, second = (registry.register(submit(digest)) for digest in ("first", "second"))
    life.promoted(first)
    registry.follow(life.promoted(second))
    life.add(second, RolledBack(to=1))
    registry.follow(life.promoted(first))
    assert stages(registry) == {1: "Production", 2: "Archived"}


def test_differences_are_said_and_following_ends_them(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """Whatever is not shown as the ledger has it is a sentence; following says the same, and then none."""
    first, second = (registry.register(submit(digest)) for digest in ("first", "second"))
    registry.follow(life.promoted(first))
    life.decided(second)
    standing = life.promoted(second)
    found = registry.differences(standing)
    assert found == [
        "alias production points at version 1, by the ledger it is version 2",
        "version 1 is tagged Production, by the ledger it is Archived",
        "version 2 is tagged Staging, by the ledger it is Production",
        "version 2 shows no mlops.decision, by the ledger there is one",
        "version 2 shows verdict none, by the ledger it is passed",
        "version 2 shows no reasons, by the ledger there is one",
        "alias archived is missing, by the ledger it is version 1",
        "alias staging points at version 2, by the ledger no version has it",
    ]
    assert registry.follow(standing) == found
    assert registry.differences(standing) == []
    assert registry.follow(standing) == []


def test_a_version_that_the_ledger_does_not_know_yet_is_in_staging(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """Somebody registers while the ledger is followed: nothing of the new version is missing."""
    registry.follow(life.promoted(registry.register(submit("first"))))
    registry.register(submit("second"))
    registry.follow(life.standing)
    assert stages(registry) == {1: "Production", 2: "Staging"}
    assert registry.differences(life.standing) == []


def test_a_version_of_another_digest_is_not_the_one_in_the_ledger(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """After a registry was emptied its version 1 is not taken for the version 1 of the ledger."""
    version = registry.register(submit("second"))
    life.promoted(version.model_copy(update={"digest": "first"}))
    registry.follow(life.standing)
    assert stages(registry) == {1: "Staging"}


def test_a_registry_follows_one_ledger(registry: ModelRegistry, submit: Submit, life: Any) -> None:
    """Another ledger, and one that was lost and begins anew, are refused until one is to take over."""
    version = registry.register(submit())
    followed = life.promoted(version)
    registry.follow(followed)
    life = type(life)()
    ours, empty = str(followed.origin)[:12], life.standing
    assert registry.differences(empty) == [f"the registry follows the ledger {ours}, this one has no entries"]
    with pytest.raises(BadInput, match=f"follows the ledger {ours}, and the one given here has no entries"):
        registry.follow(empty)
    other = life.registered(version)
    theirs = str(other.origin)[:12]
    sentence = f"the registry follows the ledger {ours}, this one is {theirs}"
    assert registry.differences(other)[0] == sentence
    with pytest.raises(BadInput, match=f"{ours}.*{theirs}: set MLOPS_LEDGER .*--adopt --reason"):
        registry.follow(other)
    assert stages(registry) == {1: "Production"}
    assert registry.follow(other, take_over=True)[0] == sentence
    assert stages(registry) == {1: "Staging"}
    assert registry.differences(other) == []
    with pytest.raises(BadInput, match=theirs):
        registry.follow(followed)


def test_a_decision_too_large_to_tag_is_shown_by_its_digest(
    registry: ModelRegistry, submit: Submit, life: Any
) -> None:
    """The ledger has it whole: that it does not fit into a tag stops nobody."""
    version = registry.register(submit())
    standing = life.decided(version, passed=False, sentence="ü" * 40_000)
    registry.follow(standing)
    tags = registry.versions("churn")[0].tags
    assert json.loads(tags["mlops.decision"]) == {"digest": standing.decisions[1].digest}
    assert tags["reasons"] == "ü" * 14_999 + "…"
    assert registry.differences(standing) == []


def test_following_one_name_leaves_others_alone(registry: ModelRegistry, submit: Submit, life: Any) -> None:
    """Each name has a ledger of its own."""
    other = registry.register(submit(name="upsell"))
    registry.follow(life.add(registry.register(submit()), Promoted()))
    assert registry.versions("upsell") == [other]
