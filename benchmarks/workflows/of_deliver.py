"""Scenarios of deliver.yml, for each target that it can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.workflows.checkout import ROOT
from benchmarks.workflows.of_kubernetes import on_kubernetes
from benchmarks.workflows.scenario import Run, Scenario
from benchmarks.workflows.states import HELD, SHOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.workflows.world import World

__all__ = ["scenarios"]

_AFTER_GATE = frozenset({"review", "approval", "canary", "promote", "watch", "roll_back", "attest", "report"})
_NOBODY_ASKED = frozenset({"review", "approval"})
_TOO_SLOW = "--max-latency-ms 0.001"  # no server answers in a microsecond


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deliver.yml").read_text())
    inputs = workflow[True]["workflow_dispatch"]["inputs"]  # YAML reads `on` as true
    yield from _of_target("local")
    for target in inputs["target"]["options"]:
        if target != "local":
            yield _without_settings(target)
    yield on_kubernetes()


def _without_settings(target: str) -> Scenario:
    """What another machine needs is not told: it ends before callers see anything of it."""
    told = {"use_case": SHOP, "version": "2", "target": target}
    return Scenario(
        f"its settings are missing (target {target})",
        (Run("deliver", told, failed=frozenset({"canary"}), skipped=_AFTER_GATE - {"canary"}),),
        {"version 1 serves on": _serves(1), "says which": _said("canary", "MLOPS_ARTIFACTS")},
        "passed",
    )


def _of_target(target: str) -> Iterator[Scenario]:
    def named(what: str) -> str:
        return f"{what} (target {target})"

    def told(version: int, use_case: str = SHOP, **more: str) -> Mapping[str, str]:
        return {"use_case": use_case, "version": str(version), "target": target, **more}

    yield Scenario(
        named("passed, dispatched for a GitHub deployment"),
        (Run("deliver", _dispatched(target), skipped=_NOBODY_ASKED | {"roll_back"}, before=_order(SHOP)),),
        {
            "version 2 in Production instead of 1": lambda world: world.in_production() == 2,
            "the deployment: in progress, then success": _statuses("in_progress", "success"),
            "the manifest is that of version 2": _manifest_kept,
        },
        "passed",
    )
    yield Scenario(
        named("the first version ever"),
        (Run("deliver", told(1), skipped=_NOBODY_ASKED | {"roll_back", "report"}),),
        {"version 1 in Production": lambda world: world.in_production() == 1},
        "first",
    )
    yield Scenario(
        named("the gate rejected it"),
        (
            Run(
                "deliver",
                _dispatched(target),
                failed=frozenset({"gate"}),
                skipped=_AFTER_GATE - {"report"},
                before=_order(SHOP),
            ),
        ),
        {"version 1 serves on": _serves(1), "the deployment: failure": _statuses("in_progress", "failure")},
        "rejected",
    )
    yield Scenario(
        named("decided by another policy"),
        (Run("deliver", told(2, HELD), failed=frozenset({"gate"}), skipped=_AFTER_GATE),),
        {"version 1 serves on": _serves(1), "says what changed": _said("gate", "policy")},
        "passed",
    )
    yield Scenario(
        named("another digest than was ordered"),
        (Run("deliver", told(2, digest="0" * 12), failed=frozenset({"gate"}), skipped=_AFTER_GATE),),
        {"version 1 serves on": _serves(1), "says which is there": _said("gate", "another registry")},
        "passed",
    )
    yield from _with_a_person(named, told)
    yield from _asked_by_requests(named, told)


def _with_a_person(named: Callable[[str], str], told: Callable[..., Mapping[str, str]]) -> Iterator[Scenario]:
    unanswered = frozenset({"canary", "promote", "watch", "roll_back", "attest", "report"})
    stays = {"version 1 serves on": _serves(1)}
    refused = Run("deliver", told(2, HELD), failed=frozenset({"approval"}), skipped=unanswered)
    goes = Run("deliver", told(2, HELD), skipped=frozenset({"roll_back", "report"}))
    yield Scenario(
        named("a person is asked, nobody answered"),
        (refused,),
        {**stays, "says how to answer": _said("approval", "mlops approve")},
        "asked",
    )
    yield Scenario(
        named("a person is asked, approved in GitHub's review"),
        (_with(goes, before=_reviewed("approved")),),
        {
            "version 2 in Production instead of 1": lambda world: world.in_production() == 2,
            "approved by github:ann in the ledger": lambda world: _answered_by(world) == "github:ann",
        },
        "asked",
    )
    yield Scenario(
        named("a person is asked, approved in our ledger"),
        (_with(goes, before=_answered("approve", "--hold")),),
        {
            "version 2 in Production instead of 1": lambda world: world.in_production() == 2,
            "approved by ann in the ledger": lambda world: _answered_by(world) == "ann",
        },
        "asked",
    )
    yield Scenario(
        named("a person is asked, rejected in GitHub's review"),
        (_with(refused, before=_reviewed("rejected")),),
        {**stays, "refused by github:ann in the ledger": lambda world: _answered_by(world) == "github:ann"},
        "asked",
    )
    yield Scenario(
        named("a person is asked, refused in our ledger"),
        (
            Run(
                "deliver",
                told(2, HELD),
                failed=frozenset({"gate"}),
                skipped=_AFTER_GATE,
                before=_answered("reject"),
            ),
        ),
        stays,
        "asked",
    )


def _asked_by_requests(
    named: Callable[[str], str], told: Callable[..., Mapping[str, str]]
) -> Iterator[Scenario]:
    yield Scenario(
        named("the canary fails"),
        (
            Run(
                "deliver",
                told(2),
                failed=frozenset({"canary"}),
                skipped=_NOBODY_ASKED | {"promote", "watch", "roll_back", "attest", "report"},
                disturbing={"canary*": _TOO_SLOW},
            ),
        ),
        {"version 1 serves on": _serves(1), "nothing was promoted": lambda world: world.promotions() == 1},
        "passed",
    )
    watched = Run(
        "deliver",
        told(2),
        failed=frozenset({"watch"}),
        skipped=_NOBODY_ASKED | {"attest", "report"},
        disturbing={"canary*--served*": _TOO_SLOW},
    )
    yield Scenario(
        named("the watch fails"),
        (watched,),
        {
            "rolled back to version 1": lambda world: world.in_production() == 1,
            "version 2 comes back only when it is named": lambda world: 2 in world.standing.withdrawn,
        },
        "passed",
    )
    yield Scenario(
        named("the watch fails, and nothing served before"),
        (_with(watched, inputs=told(1), failed=frozenset({"watch", "roll_back"})),),
        {
            "version 1 serves on": _serves(1),
            "says that nothing is rolled back": _said("roll_back", "nothing is rolled back"),
        },
        "first",
    )
    yield Scenario(
        named("again for the version in Production"),
        (Run("deliver", told(2), skipped=_NOBODY_ASKED | {"roll_back", "report"}),),
        {"version 2 serves on": _serves(2), "promoted once": lambda world: world.promotions() == 2},
        "replaced",
    )


def _with(run: Run, **changed: Any) -> Run:
    from dataclasses import replace

    return replace(run, **changed)


def _order(use_case: str) -> Callable[[World], None]:
    """The deployment is made as a run with MLOPS_DELIVERY=github makes it."""

    def order(world: World) -> None:
        world.mlops("github", "dispatch", use_case, "2")

    return order


def _dispatched(target: str) -> Callable[[World], Mapping[str, str]]:
    return lambda world: world.dispatched() | {"target": target}


def _reviewed(state: str) -> Callable[[World], None]:
    review = {"state": state, "login": "ann", "comment": "I looked at it", "environments": ["production"]}
    return lambda world: world.github.told("/_reviews/*", [review])


def _answered(*words: str) -> Callable[[World], None]:
    def answer(world: World) -> None:
        world.mlops(words[0], HELD, "2", "--reason", "I looked at it", "--actor", "ann", *words[1:])

    return answer


def _answered_by(world: World) -> str | None:
    entry = world.standing.requests[2].answered
    return entry.actor if entry is not None else None


def _serves(version: int) -> Callable[[World], bool]:
    return lambda world: world.in_production() == version


def _statuses(*states: str) -> Callable[[World], bool]:
    return lambda world: tuple(world.statuses()[-len(states) :]) == states


def _said(job: str, words: str) -> Callable[[World], bool]:
    return lambda world: words in world.said(job)


def _manifest_kept(world: World) -> bool:
    kept = world.ended[-1].artifacts / "release" / "release.json"
    (served,) = (world.home / "releases" / "shop").glob("2-*/release.json")
    return kept.read_bytes() == served.read_bytes()
