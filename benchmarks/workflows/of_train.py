"""Scenarios of train.yml, on pull requests; nightly.yml has it train for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workflows.edits import replaced
from benchmarks.workflows.scenario import Run, Scenario
from tests.github.fake import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.workflows.world import World

__all__ = ["scenarios"]

_PULL = 7
_SHOP = "benchmarks/workflows/shop.py"
_NEVER = frozenset({"shared", "attest"})  # on a pull request


def scenarios() -> Iterator[Scenario]:
    """All of them."""
    stays = {"the shared state folder is untouched": lambda world: not any(world.home.iterdir())}
    yield Scenario(
        "a pull request changes the features, then again",
        (
            _pull_request(lambda world: _without(world, 'Mean("basket", "usd")')),
            _pull_request(lambda world: _without(world, 'Sum("cds", "cds")')),
        ),
        {**stays, "one comment, written and then updated": _updated},
    )
    yield Scenario(
        "a pull request whose version the gate rejects",
        (_pull_request(_too_high_a_floor),),
        {**stays, "the comment says so": lambda world: "rejected" in _comments(world)[0]["body"]},
    )
    yield Scenario(
        "a pull request from a fork",
        (_pull_request(lambda world: _without(world, 'Mean("basket", "usd")'), fork=True),),
        {
            **stays,
            "the summary has the comparison": lambda world: (
                "Production" in world.ended[-1].summaries["scratch"] and not _comments(world)
            ),
        },
    )


def _pull_request(change: Callable[[World], object], *, fork: bool = False) -> Run:
    return Run(
        "train",
        event="pull_request",
        payload=lambda world: _event(world, fork=fork),
        skipped=_NEVER | ({"comment"} if fork else set()),
        before=change,
    )


def _event(world: World, *, fork: bool) -> Mapping[str, Any]:
    """What GitHub tells a workflow of a pull request, as far as it is looked at; the base is the checkout."""
    repository = {"full_name": REPOSITORY, "default_branch": "main", "private": False}
    head = {"ref": "change", "sha": "HEAD", "repo": {"full_name": "ben/churn"} if fork else repository}
    base = {"ref": "main", "sha": world.base_commit, "repo": repository}
    user = {"login": "ben"}
    pull = {"number": _PULL, "head": head, "base": base, "user": user}
    return {"action": "synchronize", "number": _PULL, "pull_request": pull, "repository": repository}


def _without(world: World, feature: str) -> str:
    return replaced(world, "mlops_core/usecases/churn.py", f"                {feature},\n", "")


def _too_high_a_floor(world: World) -> None:
    """And another model: the same one would be in Production already, whatever is wanted of the next."""
    _without(world, 'Mean("basket", "usd")')
    replaced(world, _SHOP, "FLOOR = 0.75", "FLOOR = 0.999")


def _comments(world: World) -> list[dict[str, Any]]:
    comments: list[dict[str, Any]] = world.github.state()["comments"].get(str(_PULL), [])
    return comments


def _updated(world: World) -> bool:
    requests = [one.partition(" ")[0] for one in world.github.state()["requests"] if "comments" in one]
    return len(_comments(world)) == 1 and requests.count("POST") == 1 and requests.count("PATCH") == 1
