"""Registry and target against the ledger: what strayed, what is lost, and how both are mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.ledger.memory import MemoryLedger
from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.domain.standing import Standing
from mlops_core.errors import BadInput, NotFound
from mlops_core.promotion import adopt, lost, mirror, prepared, repair, strays
from tests.promotion.desk import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_core.domain.registry import ModelVersion
    from tests.promotion.desk import Desk


def astray(desk: Desk) -> None:
    """Let the registry show what was so before the last promotion."""
    entries = desk.standing.entries
    desk.engines.registry.follow(Standing.of(NAME, entries[:-3]))


def test_when_all_is_well_there_is_nothing_to_say(desk: Desk) -> None:
    desk.delivered(1, 2)
    assert strays(desk.engines, NAME) == []
    assert lost(desk.engines, NAME) == []


def test_a_name_without_anything_has_nothing_astray(desk: Desk) -> None:
    assert strays(desk.engines, "unheard_of") == []
    assert lost(desk.engines, "unheard_of") == []
    assert repair(desk.engines, "unheard_of") == []


def test_a_registry_that_shows_something_else_is_said_and_mended(desk: Desk) -> None:
    desk.delivered(1, 2)
    astray(desk)
    found = strays(desk.engines, NAME)
    assert "alias production points at version 1, by the ledger it is version 2" in found
    assert repair(desk.engines, NAME) == found
    assert strays(desk.engines, NAME) == []


def test_a_target_that_serves_something_else_is_said_and_mended(desk: Desk) -> None:
    first, _ = desk.delivered(1, 2)
    desk.engines.deployer.activate(prepared(desk.engines, first))
    assert repair(desk.engines, NAME) == ["version 2 is in Production, but version 1 is served"]
    assert desk.served == 2
    assert repair(desk.engines, NAME) == []


def test_after_a_rollback_that_told_the_registry_nothing_it_is_made_to_follow(desk: Desk) -> None:
    desk.delivered(1, 2)
    desk.roll_back()
    assert "alias production points at version 2, by the ledger it is version 1" in strays(desk.engines, NAME)
    repair(desk.engines, NAME)
    assert strays(desk.engines, NAME) == []


def test_somebody_who_appends_while_the_registry_is_written_to_is_not_forgotten(desk: Desk) -> None:
    """What was so when the writing began is not what is left there."""
    desk.delivered(1)
    second, registry = desk.judged(2), desk.engines.registry

    class Slow:
        versions, fetch, differences = registry.versions, registry.fetch, registry.differences

        def follow(self, standing: Standing, *, take_over: bool = False) -> list[str]:
            if standing.production == 1:
                desk.engines.registry = registry
                desk.promote(second)
            said: list[str] = registry.follow(standing, take_over=take_over)
            return said

    desk.engines.registry = Slow()
    mirror(desk.engines, NAME)
    assert strays(desk.engines, NAME) == []


def test_a_version_that_is_gone_from_the_registry_is_lost(desk: Desk) -> None:
    desk.delivered(1, 2)
    desk.engines.registry = registry_of(desk.engines.registry.versions(NAME)[:1])
    assert lost(desk.engines, NAME) == ["version 2 is in the ledger, but no longer in the registry"]


def test_a_version_that_is_another_model_is_lost(desk: Desk) -> None:
    desk.delivered(1)
    (version,) = desk.engines.registry.versions(NAME)
    desk.engines.registry = registry_of([version.model_copy(update={"digest": "0" * 64})])
    (sentence,) = lost(desk.engines, NAME)
    assert sentence == f"version 1 has digest {'0' * 12}, in the ledger {version.digest[:12]}"


def registry_of(there: Sequence[ModelVersion]) -> MemoryModelRegistry:
    """A registry in which somebody deleted or exchanged versions by hand."""

    class Changed(MemoryModelRegistry):
        def versions(self, name: str) -> list[ModelVersion]:  # noqa: ARG002 - the port's
            return list(there)

    return Changed()


def test_a_lost_ledger_is_begun_anew_from_what_is_registered_and_served(desk: Desk) -> None:
    """What serves is in Production, the others in Staging, and the registry follows the new ledger."""
    desk.delivered(1, 2)
    desk.engines.ledger = MemoryLedger()
    adopt(desk.engines, NAME, actor="eva", reason="the disk is gone")
    assert desk.stages == {1: "Staging", 2: "Production"}
    assert {(entry.actor, entry.reason) for entry in desk.standing.entries} == {("eva", "the disk is gone")}
    assert desk.kinds == [("adopted", 1), ("adopted", 2), ("deployed", 2)]
    assert strays(desk.engines, NAME) == []


def test_after_adopting_versions_are_promoted_as_before(desk: Desk) -> None:
    desk.delivered(1)
    desk.engines.ledger = MemoryLedger()
    adopt(desk.engines, NAME, actor="eva", reason="the disk is gone")
    desk.delivered(2)
    assert desk.stages == {1: "Archived", 2: "Production"}
    assert desk.roll_back().version == 1


def test_adopting_what_serves_nothing_puts_nothing_into_production(desk: Desk) -> None:
    desk.judged(1)
    desk.engines.ledger = MemoryLedger()
    adopt(desk.engines, NAME, actor="eva", reason="the disk is gone")
    assert desk.stages == {1: "Staging"}
    assert desk.served is None


def test_a_ledger_that_is_there_is_not_begun_anew(desk: Desk) -> None:
    desk.delivered(1)
    before = desk.standing.entries
    with pytest.raises(BadInput, match="has a ledger of 4 entries"):
        adopt(desk.engines, NAME, actor="eva", reason="for fun")
    assert desk.standing.entries == before


def test_without_a_version_there_is_nothing_to_adopt(desk: Desk) -> None:
    with pytest.raises(NotFound, match="nothing to adopt"):
        adopt(desk.engines, NAME, actor="eva", reason="for fun")


def test_another_ledger_is_not_followed_unless_it_takes_over(desk: Desk) -> None:
    """A wrong setting must not turn a shared registry upside down."""
    desk.delivered(1)
    desk.engines.ledger = MemoryLedger()
    with pytest.raises(BadInput, match="MLOPS_LEDGER"):
        desk.register(2)
