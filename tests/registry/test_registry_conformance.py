"""What every registry does."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlops_core.domain.digest import file_digests
from mlops_core.domain.gates import GateDecision
from mlops_core.domain.registry import Lineage, ModelVersion, Submission
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from mlops_core.ports import ModelRegistry

Submit = Callable[..., Submission]
Decision = Callable[..., GateDecision]


def stages(registry: ModelRegistry) -> dict[int, str]:
    return {version.number: version.stage for version in registry.versions("churn")}


def test_a_name_that_was_never_registered_has_no_versions(registry: ModelRegistry) -> None:
    """Asking for a name that nobody registered gives an empty list."""
    assert registry.versions("churn") == []


def test_a_registered_model_is_a_version_in_staging(registry: ModelRegistry, submit: Submit) -> None:
    """The first submission becomes version 1, in Staging, with everything that it was submitted with."""
    before = datetime.now(UTC).replace(microsecond=0)
    submission = submit()
    version = registry.register(submission)
    assert (version.name, version.number, version.stage) == ("churn", 1, "Staging")
    assert (version.digest, version.candidate) == ("first", "logistic")
    assert version.metrics == submission.metrics
    assert version.use_case == submission.use_case
    assert version.decision is None
    assert version.run_id
    assert before <= version.created_at <= datetime.now(UTC)
    assert registry.versions("churn") == [version]


def test_tags_give_what_serving_needs(registry: ModelRegistry, submit: Submit) -> None:
    """Lineage, use case, feature names and threshold can be read back from a version's tags."""
    submission = submit()
    tags = registry.register(submission).tags
    assert Lineage.model_validate_json(tags["mlops.lineage"]) == submission.lineage
    assert tags["mlops.use_case"] == submission.use_case
    assert tuple(json.loads(tags["mlops.feature_names"])) == submission.feature_names
    assert json.loads(tags["mlops.threshold"]) == submission.threshold


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


def test_registering_again_leaves_the_stage_alone(registry: ModelRegistry, submit: Submit) -> None:
    """A model that is in Production or Archived stays there when its digest is submitted again."""
    for digest in ("first", "second"):
        registry.promote("churn", registry.register(submit(digest)).number)
    assert registry.register(submit("first")).stage == "Archived"
    assert registry.register(submit("second")).stage == "Production"


def test_fetch_gives_exactly_the_submitted_files(
    registry: ModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """The model's folder comes back byte for byte, folders inside it too, and nothing beside it."""
    submission = submit()
    into = tmp_path / "into"
    into.mkdir()
    registry.fetch(registry.register(submission), into)
    assert file_digests(into) == file_digests(Path(submission.folder))


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


def test_a_decision_is_kept_with_its_version(
    registry: ModelRegistry, submit: Submit, decision: Decision
) -> None:
    """The gate's decision is part of the version from then on, and its stage does not move."""
    registry.register(submit())
    decided = decision(1)
    version = registry.decide("churn", decided)
    assert version.decision == decided
    assert (version.tags["verdict"], version.tags["reasons"]) == ("passed", "roc_auc is 0.81")
    assert version.stage == "Staging"
    assert registry.versions("churn") == [version]


def test_the_newest_decision_counts(registry: ModelRegistry, submit: Submit, decision: Decision) -> None:
    """Deciding again replaces what was decided before."""
    registry.register(submit())
    registry.decide("churn", decision(1))
    rejected = decision(1, passed=False, sentence="brier is above 0.2")
    version = registry.decide("churn", rejected)
    assert version.decision == rejected
    assert (version.tags["verdict"], version.tags["reasons"]) == ("rejected", "brier is above 0.2")


def test_promotion_archives_the_version_before(registry: ModelRegistry, submit: Submit) -> None:
    """One version of a name is in Production; the one that was there is Archived."""
    for digest in ("first", "second", "third"):
        registry.register(submit(digest))
    assert registry.promote("churn", 1).stage == "Production"
    assert registry.promote("churn", 2).stage == "Production"
    assert stages(registry) == {1: "Archived", 2: "Production", 3: "Staging"}


def test_promotion_is_idempotent(registry: ModelRegistry, submit: Submit) -> None:
    """Promoting the version that is in Production changes nothing."""
    registry.register(submit())
    promoted = registry.promote("churn", 1)
    assert registry.promote("churn", 1) == promoted
    assert registry.versions("churn") == [promoted]


def test_an_archived_version_can_come_back(registry: ModelRegistry, submit: Submit) -> None:
    """Rolling back is promoting an Archived version."""
    for digest in ("first", "second"):
        registry.promote("churn", registry.register(submit(digest)).number)
    assert registry.promote("churn", 1).stage == "Production"
    assert stages(registry) == {1: "Production", 2: "Archived"}


def test_an_unknown_version_is_named_beside_the_known_ones(
    registry: ModelRegistry, submit: Submit, decision: Decision, tmp_path: Path
) -> None:
    """Asking for a version that does not exist says which do."""
    with pytest.raises(NotFound, match="nothing is registered under that name"):
        registry.promote("churn", 1)
    known = registry.register(submit("first"))
    registry.register(submit("second"))
    with pytest.raises(NotFound, match=r"no version 7 of model 'churn': there are 1, 2\."):
        registry.promote("churn", 7)
    with pytest.raises(NotFound, match="no version 7"):
        registry.decide("churn", decision(7))
    gone = ModelVersion(**{**known.model_dump(), "number": 7})
    with pytest.raises(NotFound, match="no version 7"):
        registry.fetch(gone, tmp_path)
    assert stages(registry) == {1: "Staging", 2: "Staging"}


def test_a_submission_without_its_files_is_refused(
    registry: ModelRegistry, submit: Submit, tmp_path: Path
) -> None:
    """A model folder or an attachment that is not there is named, and no version is made."""
    with pytest.raises(NotFound, match=r"there is no .*nowhere"):
        registry.register(submit(folder=str(tmp_path / "nowhere")))
    with pytest.raises(NotFound, match=r"there is no .*lost\.html"):
        registry.register(submit(attachments=(str(tmp_path / "lost.html"),)))
    assert registry.versions("churn") == []


def test_definitions_too_large_to_tag_are_refused(registry: ModelRegistry, submit: Submit) -> None:
    """A use case that no registry would keep whole is refused before anything is written."""
    with pytest.raises(BadInput, match=r"mlops\.use_case .* 60,002 bytes"):
        registry.register(submit(use_case='"' + "ü" * 30_000 + '"'))
    assert registry.versions("churn") == []
