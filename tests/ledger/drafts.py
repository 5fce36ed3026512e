"""What is appended in the tests, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_core.domain.gates import Check, GateDecision, GatePolicy
from mlops_core.domain.ledger import Decided, Draft, Promoted, Registered
from mlops_core.settings import Settings
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from mlops_core.ports import Ledger

__all__ = ["a_decision", "decided", "ledger_at", "promoted", "registered"]


def ledger_at(url: str) -> Ledger:
    """The ledger that this setting chooses."""
    return ConfiguredEngines(Settings(home=Path("nowhere"), ledger=url)).ledger


def registered(version: int = 1, reason: str = "trained") -> Draft:
    """Version `version` was registered."""
    event = Registered(run_id=f"run {version}", training_set="t", definitions="d", code="c")
    return Draft(version=version, model=f"model {version}", event=event, actor="Žofie", reason=reason)


def promoted(version: int = 1) -> Draft:
    """It went to Production."""
    return Draft(version=version, model=f"model {version}", event=Promoted(), actor="ci", reason="good")


def a_decision(version: int = 1, champion: int | None = None) -> GateDecision:
    """A decision of usual size: a dozen checks with their figures and sentences."""
    sentence = "roc_auc is better by 0.0123 (95 % sure of at least 0.0041), on 12345 rows that both scored"
    figures = {"gain": 0.0123456789, "bound": 0.0041 + version / 1e6, "rows": 12_345.0}
    checks = tuple(
        Check(name=f"check {number}", outcome="passed", sentence=sentence, figures=figures)
        for number in range(12)
    )
    return GateDecision(
        verdict="passed",
        version=version,
        model_digest=f"model {version}",
        champion=champion,
        champion_digest=f"model {champion}" if champion else None,
        checks=checks,
        policy=GatePolicy(floor=0.6),
        code="c",
    )


def decided(version: int = 1) -> Draft:
    """The gate decided on it."""
    event = Decided(decision=a_decision(version))
    return Draft(version=version, model=f"model {version}", event=event, actor="ci", reason="passed: all")
