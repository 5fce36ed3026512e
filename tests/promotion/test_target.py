"""The target serves what is in Production, whoever is interrupted and whoever meddled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.domain.ledger import Deployed
from mlops_core.errors import NotFound
from mlops_core.promotion import content_of, prepared, promote, serve
from tests.promotion.desk import NAME

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from tests.promotion.desk import Desk


def made_to_serve(desk: Desk) -> Release:
    """Let the target follow the ledger."""
    return serve(desk.engines, NAME, actor="ana", reason="mended")


def test_a_target_that_serves_another_version_is_brought_back(desk: Desk) -> None:
    """It was moved by hand; that it serves what the ledger says needs no new entry."""
    first, _ = desk.delivered(1, 2)
    desk.engines.deployer.activate(prepared(desk.engines, first))
    before = desk.standing.head
    assert made_to_serve(desk).version == 2
    assert desk.served == 2
    assert desk.standing.head == before


def test_a_target_that_serves_nothing_is_made_to(desk: Desk) -> None:
    """A promotion was interrupted before anything served."""
    promote(desk.engines, desk.judged(1), desk.policy, actor="ana", reason="first")
    assert desk.served is None
    assert made_to_serve(desk).version == 1
    assert desk.served == 1
    assert desk.kinds[-1] == ("deployed", 1)


def test_a_target_with_a_damaged_pointer_is_mended(desk: Desk) -> None:
    home = desk.engines.workspace.home
    desk.engines.deployer = LocalDeployer(home=home, trainer=desk.engines.trainer)
    desk.delivered(1)
    (home / "releases" / NAME / "current.json").write_text("{}")
    assert made_to_serve(desk) == desk.engines.deployer.current(NAME)


def test_nothing_in_production_is_nothing_to_serve(desk: Desk) -> None:
    desk.judged(1)
    with pytest.raises(NotFound, match=r"no version of churn is in Production: `mlops run churn` delivers"):
        made_to_serve(desk)


def test_the_ledger_has_the_content_of_what_served_and_not_its_place(desk: Desk) -> None:
    """So that it can be compared wherever it is made again."""
    desk.delivered(1)
    event, release = desk.standing.served[-1].event, desk.engines.deployer.current(NAME)
    assert isinstance(event, Deployed)
    assert release is not None
    elsewhere = release.model_copy(update={"uri": "somewhere/else"})
    assert event.content == content_of(release) == content_of(elsewhere)
    assert event.content != content_of(release.model_copy(update={"threshold": 0.9}))
    assert event.content != content_of(release.model_copy(update={"files": {"model.json": "0" * 64}}))


def test_serving_looks_again_when_somebody_promoted_meanwhile(desk: Desk) -> None:
    """The one who is slow does not leave the target at what was right before."""
    desk.delivered(1)
    second, deployer = desk.judged(2), desk.engines.deployer
    desk.engines.deployer.activate(prepared(desk.engines, second))  # so that there is something to mend

    class Slow:
        find, prepare, current = deployer.find, deployer.prepare, deployer.current

        def activate(self, release: Release) -> None:
            if release.version == 1:
                promote(desk.engines, second, desk.policy, actor="eva", reason="meanwhile")
            deployer.activate(release)

    desk.engines.deployer = Slow()
    assert made_to_serve(desk).version == 2
    assert desk.served == 2
    assert desk.standing.last_served is not None
    assert desk.standing.last_served.version == 2
