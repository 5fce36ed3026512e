"""What every deployer does, whatever it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.domain.release import Bundle, Probes
from mlops_core.errors import BadInput, IntegrityError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.ports import Deployer

    MakeBundle = Callable[..., Bundle]


def test_nothing_is_current_before_the_first_release(deployer: Deployer) -> None:
    """Asking early is no error."""
    assert deployer.current("churn") is None


def test_a_prepared_release_is_not_served(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Preparing is unseen by callers, activating is not."""
    release = deployer.prepare(make_bundle())
    assert deployer.current("churn") is None
    deployer.activate(release)
    assert deployer.current("churn") == release


def test_a_release_says_everything_that_the_bundle_said(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Nothing needed for serving is lost on the way, and a release has digests of its files."""
    bundle = make_bundle()
    release = deployer.prepare(bundle)
    same = bundle.model_dump(exclude={"model_folder"})
    assert release.model_dump(include=set(same)) == same
    assert "model.json" in release.files


def test_the_same_bundle_gives_the_same_release(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Also its time is that of the first time."""
    first = deployer.prepare(make_bundle())
    assert deployer.prepare(make_bundle()) == first


def test_the_last_activated_release_is_current(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Forward and back: a rollback is an activation of what was there before."""
    first, second = deployer.prepare(make_bundle(1)), deployer.prepare(make_bundle(2))
    deployer.activate(first)
    deployer.activate(second)
    assert deployer.current("churn") == second
    deployer.activate(first)
    deployer.activate(first)
    assert deployer.current("churn") == first


def test_names_do_not_share_releases(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Activating one use case leaves the other alone."""
    deployer.activate(deployer.prepare(make_bundle(1)))
    other = deployer.prepare(make_bundle(2, name="returns"))
    deployer.activate(other)
    assert (deployer.current("churn") or other).version == 1
    assert deployer.current("returns") == other


@pytest.mark.parametrize("expected", [(0.5, 0.5), (0.0, 1.0)])
def test_a_model_that_predicts_otherwise_is_refused(
    deployer: Deployer, make_bundle: MakeBundle, expected: tuple[float, ...]
) -> None:
    """The message names the version and the largest difference; the version can be prepared rightly later."""
    good = make_bundle()
    bad = good.model_copy(update={"probes": Probes(rows=good.probes.rows, expected=expected)})
    difference = max(abs(a - b) for a, b in zip(expected, good.probes.expected, strict=True))
    with pytest.raises(IntegrityError, match=f"'churn' version 1 .* difference is {difference:.3g}"):
        deployer.prepare(bad)
    assert deployer.current("churn") is None
    assert deployer.prepare(good).probes == good.probes


def test_a_difference_within_the_tolerance_is_none(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Another processor may round the last bits otherwise."""
    probes = make_bundle().probes
    near = probes.model_copy(update={"expected": tuple(value + 5e-10 for value in probes.expected)})
    far = probes.model_copy(update={"expected": tuple(value + 5e-9 for value in probes.expected)})
    assert deployer.prepare(make_bundle(probes=near)).version == 1
    with pytest.raises(IntegrityError, match="does not predict"):
        deployer.prepare(make_bundle(2, probes=far))


def test_a_model_of_other_features_is_refused(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Three features cannot be read by a model of two."""
    probes = Probes(rows=((1.0, 2.0, 3.0),), expected=(0.5,))
    bundle = make_bundle(feature_names=("orders", "spend", "basket"), probes=probes)
    with pytest.raises(IntegrityError, match="cannot predict rows of 3 features"):
        deployer.prepare(bundle)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../churn"},
        {"name": ""},
        {"name": "a/b"},
        {"digest": "../../etc/passwd"},
        {"digest": "ABC"},
        {"probes": Probes(rows=(), expected=())},
        {"probes": Probes(rows=((1.0, 2.0),), expected=())},
        {"probes": Probes(rows=((1.0,),), expected=(0.5,))},
    ],
)
def test_a_bundle_that_cannot_be_meant_is_refused(
    deployer: Deployer, make_bundle: MakeBundle, changes: dict[str, Any], tmp_path: Path
) -> None:
    """Names that leave the folder, and models that nothing proves."""
    bundle = make_bundle(**changes)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput):
        deployer.prepare(bundle)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_that_leaves_the_folder_is_refused_when_asked_for(deployer: Deployer) -> None:
    """Reading is as strict as writing."""
    with pytest.raises(BadInput, match="cannot name a release"):
        deployer.current("../churn")


def test_a_missing_or_empty_model_folder_is_refused(
    deployer: Deployer, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    """The message names the folder."""
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        with pytest.raises(NotFound, match=folder):
            deployer.prepare(make_bundle(model_folder=str(tmp_path / folder)))
    assert deployer.current("churn") is None


def test_a_release_that_was_never_prepared_cannot_be_activated(
    deployer: Deployer, make_bundle: MakeBundle
) -> None:
    """What is not there is not served."""
    first = deployer.prepare(make_bundle(1))
    with pytest.raises(NotFound, match="version 7"):
        deployer.activate(first.model_copy(update={"version": 7, "uri": "releases/churn/7-000000000000"}))


def test_a_served_version_never_changes(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Another threshold under the same version and digest would serve something nobody decided on."""
    release = deployer.prepare(make_bundle())
    deployer.activate(release)
    with pytest.raises(IntegrityError, match="A version never changes"):
        deployer.prepare(make_bundle(threshold=0.9))
    assert deployer.current("churn") == release


def test_another_gate_makes_no_other_release(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """The definitions of the served version stay those it was released with."""
    release = deployer.prepare(make_bundle())
    deployer.activate(release)
    assert deployer.prepare(make_bundle(use_case='{"gate": "stricter"}')) == release


def test_a_release_that_was_prepared_is_found(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Served or not, and just as it was made."""
    first, second = deployer.prepare(make_bundle(1)), deployer.prepare(make_bundle(2))
    deployer.activate(first)
    for release in (first, second):
        assert deployer.find("churn", release.version, release.digest) == release


def test_what_was_never_prepared_is_not_found(deployer: Deployer, make_bundle: MakeBundle) -> None:
    """Another number, another model or another name is another release."""
    release = deployer.prepare(make_bundle())
    assert deployer.find("churn", 2, release.digest) is None
    assert deployer.find("churn", 1, "0" * 64) is None
    assert deployer.find("returns", 1, release.digest) is None


def test_a_name_that_leaves_the_folder_is_not_looked_for(deployer: Deployer) -> None:
    with pytest.raises(BadInput, match="cannot name a release"):
        deployer.find("../churn", 1, "0" * 64)
