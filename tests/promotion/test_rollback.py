"""Back to what really served, exactly as it was, whatever else is down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.domain.ledger import Promoted, RolledBack
from mlops_core.errors import BadInput, IntegrityError, NotFound, Superseded, Unavailable
from mlops_core.promotion import content_of, decide, prepared, promote, served_before
from tests.promotion.desk import NAME
from tests.promotion.test_promote import Crowded

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_core.domain.release import Release
    from tests.promotion.desk import Desk


class Down:
    """An engine that is out of reach, whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object, **__: object) -> None:
            raise Unavailable(f"no connection to {name}")

        return refuse


class Deaf:
    """A deployer that prepares and finds, but cannot be switched."""

    def __init__(self, deployer: Any) -> None:
        self.prepare, self.find, self.current = deployer.prepare, deployer.find, deployer.current

    def activate(self, release: Release) -> None:
        raise Unavailable(f"no connection to activate version {release.version}")


@pytest.fixture
def on_disk(desk: Desk) -> Desk:
    """A desk whose releases are folders."""
    engines = desk.engines
    engines.deployer = LocalDeployer(home=engines.workspace.home, trainer=engines.trainer)
    return desk


def folder(desk: Desk, version: int) -> Path:
    """Where a version's release lies."""
    release = desk.engines.deployer.find(NAME, version, desk.standing.models[version])
    assert release is not None
    path: Path = desk.engines.workspace.path(release.uri)
    return path


def test_it_goes_back_to_the_version_that_served_before(desk: Desk) -> None:
    """In one step of the ledger, with who and why; the one it left is archived."""
    desk.delivered(1, 2)
    assert desk.roll_back(actor="eva", reason="complaints").version == 1
    gone, back, archived, deployed = desk.standing.entries[-4:]
    assert [one.event.kind for one in (gone, back, archived, deployed)] == [
        "rolled back",
        "promoted",
        "archived",
        "deployed",
    ]
    assert gone.at == back.at == archived.at
    assert {(one.actor, one.reason) for one in (gone, back)} == {("eva", "complaints")}
    assert gone.event == RolledBack(to=1)
    assert back.event == Promoted(champion=2)
    assert desk.stages == {1: "Production", 2: "Archived"}
    assert desk.served == 1


def test_what_serves_is_what_served(desk: Desk) -> None:
    """The very release of then, not one like it."""
    desk.delivered(1)
    then = desk.engines.deployer.current(NAME)
    desk.delivered(2)
    assert desk.roll_back() == then
    assert desk.engines.deployer.current(NAME) == then


def test_twice_in_a_row_goes_further_back(desk: Desk) -> None:
    """What was rolled back from is passed over."""
    desk.delivered(1, 2, 3)
    assert [desk.roll_back().version for _ in range(2)] == [2, 1]
    with pytest.raises(NotFound, match=r"served before version 1 .*served have 1, 2, 3.*--to"):
        desk.roll_back()
    assert desk.served == 1


def test_a_named_version_is_gone_back_to(desk: Desk) -> None:
    desk.delivered(1, 2, 3)
    assert desk.roll_back(to=1).version == 1
    assert desk.stages == {1: "Production", 2: "Archived", 3: "Archived"}


def test_one_that_was_rolled_back_from_is_gone_back_to_when_named(desk: Desk) -> None:
    """It was the wrong one to blame."""
    desk.delivered(1, 2)
    desk.roll_back()
    assert desk.roll_back(to=2).version == 2
    assert set(desk.standing.withdrawn) == {1}


def test_back_to_what_is_in_production_changes_nothing(desk: Desk) -> None:
    desk.delivered(1, 2)
    before = desk.standing.head
    assert desk.roll_back(to=2).version == 2
    assert desk.standing.head == before


def test_a_version_that_never_served_is_refused(desk: Desk) -> None:
    """Naming those that did."""
    desk.delivered(1, 2)
    desk.judged(3)
    with pytest.raises(NotFound, match="churn version 3 never served: those that did are 1, 2"):
        desk.roll_back(to=3)
    assert desk.served == 2


def test_a_version_that_was_promoted_and_never_reached_the_target_is_passed_over(desk: Desk) -> None:
    """It cannot be gone back to: nobody ever saw it serve."""
    desk.delivered(1)
    second = desk.judged(2)
    promote(desk.engines, second, desk.policy, actor="ana", reason="better")
    third = desk.judged(3)
    desk.promote(third)
    assert served_before(desk.standing).version == 1


def test_without_anything_in_production_there_is_nothing_to_go_back_from(desk: Desk) -> None:
    desk.judged(1)
    with pytest.raises(NotFound, match="nothing to roll back from"):
        desk.roll_back()


@pytest.mark.parametrize(("actor", "reason"), [("ana", " "), ("", "complaints")])
def test_it_is_said_who_and_why(desk: Desk, actor: str, reason: str) -> None:
    desk.delivered(1, 2)
    before = desk.standing.head
    with pytest.raises(BadInput, match="kept in the ledger"):
        desk.roll_back(actor=actor, reason=reason)
    assert desk.standing.head == before


def test_no_gate_and_no_approval_is_asked(asking: Desk) -> None:
    """The version that is gone back to had both; the policy of today does not hinder."""
    for seed in (1, 2):
        version = asking.judged(seed)
        asking.ask(version)
        asking.answer(version)
        asking.promote(version)
    asking.policy = asking.policy.model_copy(update={"floor": 0.999})
    assert asking.roll_back().version == 1


def test_what_was_left_comes_back_only_when_it_is_named(desk: Desk) -> None:
    """The gate may pass it again as often as it likes."""
    _, second = desk.delivered(1, 2)
    desk.roll_back(reason="complaints")
    desk.judged(2)
    with pytest.raises(
        Superseded, match=r"version 2 was rolled back from by ana .* \(complaints\).*mlops prom"
    ):
        desk.promote(second)
    assert desk.served == 1
    desk.promote(second, named=True)
    assert desk.served == 2
    assert desk.standing.withdrawn == {}


def test_a_registry_that_is_down_does_not_hinder(desk: Desk) -> None:
    desk.delivered(1, 2)
    desk.engines.registry = Down()
    assert desk.roll_back().version == 1
    assert desk.served == 1


@pytest.mark.parametrize("damage", ["model", "manifest", "gone"])
def test_a_damaged_release_is_made_again_and_is_the_same(on_disk: Desk, damage: str) -> None:
    """From the registry's files, compared with the digest of what served."""
    on_disk.delivered(1)
    then = on_disk.engines.deployer.current(NAME)
    on_disk.delivered(2)
    _damage(folder(on_disk, 1), damage)
    release = on_disk.roll_back()
    assert release.model_dump(exclude={"released_at"}) == then.model_dump(exclude={"released_at"})
    assert on_disk.engines.deployer.current(NAME) == release
    assert on_disk.engines.deployer.load(release)


def _damage(path: Path, damage: str) -> None:
    model, manifest = path / "model" / "model.json", path / "release.json"
    match damage:
        case "model":
            model.write_text(model.read_text().replace("0", "1", 1))
        case "manifest":  # one that still fits its files
            manifest.write_text(manifest.read_text().replace('"threshold": 0.4', '"threshold": 0.01'))
        case _:
            manifest.unlink()


def test_a_release_that_cannot_be_mended_is_refused_and_nothing_changes(on_disk: Desk) -> None:
    """Its files are damaged, and the registry that has them is down."""
    on_disk.delivered(1, 2)
    _damage(folder(on_disk, 1), "model")
    before, on_disk.engines.registry = on_disk.standing.entries, Down()
    with pytest.raises(Unavailable):
        on_disk.roll_back()
    assert on_disk.standing.entries == before
    assert on_disk.served == 2


def test_a_release_that_comes_out_otherwise_is_refused_and_nothing_changes(on_disk: Desk) -> None:
    """Made again from a registry in which somebody changed it, it is not what served."""
    (first, _), registry = on_disk.delivered(1, 2), on_disk.engines.registry

    class Changed:
        fetch = registry.fetch

        def versions(self, name: str) -> list[Any]:
            changes = {"threshold": 0.01}
            return [
                one.model_copy(update=changes) if one.number == first.number else one
                for one in registry.versions(name)
            ]

    _damage(folder(on_disk, 1), "model")
    before, on_disk.engines.registry = on_disk.standing.entries, Changed()
    with pytest.raises(IntegrityError, match=r"version 1 is not what served at .* UTC: .*not served"):
        on_disk.roll_back()
    assert on_disk.standing.entries == before
    assert on_disk.served == 2


def test_somebody_who_promoted_meanwhile_is_not_undone(desk: Desk) -> None:
    """The operator meant the version that was there when looking."""
    desk.delivered(1, 2)
    third, ledger = desk.judged(3), desk.engines.ledger

    def somebody() -> None:
        desk.engines.ledger = ledger
        desk.promote(third)

    desk.engines.ledger = Crowded(ledger, somebody)
    with pytest.raises(Superseded, match=r"version 3 went to Production meanwhile: .*mlops history churn"):
        desk.roll_back()
    assert (desk.standing.production, desk.served) == (3, 3)


def test_two_operators_who_do_the_same_go_back_once(desk: Desk) -> None:
    """Both looked before either wrote: the second finds it done."""
    desk.delivered(1, 2, 3)
    ledger = desk.engines.ledger

    def somebody() -> None:
        desk.engines.ledger = ledger
        desk.roll_back(actor="eva")

    desk.engines.ledger = Crowded(ledger, somebody)
    assert desk.roll_back(actor="bo").version == 2
    assert desk.stages == {1: "Archived", 2: "Production", 3: "Archived"}
    assert [entry.actor for entry in desk.standing.withdrawn.values()] == ["eva"]


def test_operators_and_promoters_at_once_leave_one_that_serves(desk: Desk) -> None:
    desk.delivered(1, 2, 3)
    versions = [desk.judged(seed) for seed in range(4, 8)]

    def attempt(number: int) -> None:
        try:
            if number % 2:
                desk.promote(versions[number // 2])
            else:
                desk.roll_back(to=1)
        except Superseded:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    assert list(desk.stages.values()).count("Production") == 1
    assert desk.served == desk.standing.production


def test_a_rollback_that_was_interrupted_before_it_served_is_finished_by_the_next(desk: Desk) -> None:
    """Not gone further back: the version that it went to has not served since."""
    desk.delivered(1, 2, 3)
    deployer = desk.engines.deployer
    desk.engines.deployer = Deaf(deployer)
    with pytest.raises(Unavailable):
        desk.roll_back()
    assert (desk.standing.production, desk.served) == (2, 3)
    desk.engines.deployer = deployer
    before = [kind for kind, _ in desk.kinds]
    assert desk.roll_back().version == 2
    assert [kind for kind, _ in desk.kinds] == [*before, "deployed"]
    assert desk.served == 2
    assert desk.roll_back().version == 1


def test_what_was_decided_on_anew_and_tried_is_gone_back_to_as_it_served(desk: Desk) -> None:
    """A canary of an archived version makes its release anew, with the newer decision."""
    desk.engines.deployer = LocalDeployer(home=desk.engines.workspace.home, trainer=desk.engines.trainer)
    first, _ = desk.delivered(1, 2)
    served = desk.engines.deployer.find(NAME, 1, first.digest)
    decide(desk.engines, first, desk.decision(first))
    tried = prepared(desk.engines, first)
    assert served is not None
    assert tried.decision != served.decision
    assert content_of(desk.roll_back()) == content_of(served)
