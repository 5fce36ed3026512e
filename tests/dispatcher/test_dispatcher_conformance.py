"""What every dispatcher does with an order, whoever delivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mlops_core.adapters.dispatcher.memory import MemoryDispatcher
from mlops_core.domain.handover import Order
from tests.github.conftest import Scene
from tests.github.fake import FakeGitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_core.ports import Dispatcher

ORDER = Order(name="churn", version=3, digest="0123456789abcdef" * 4, actor="ana", reason="passed the gate")
OTHERS = [{"version": 4}, {"digest": "f" * 64}, {"name": "spend"}]


@dataclass
class Delivery:
    """A dispatcher, how many deliveries it began, and how the one of a number (from 0) is said to go."""

    dispatcher: Dispatcher
    begun: Callable[[], int]
    tell: Callable[[int, str], object]


@pytest.fixture(params=["memory", "GitHub"])
def delivery(request: pytest.FixtureRequest) -> Iterator[Delivery]:
    """Of every kind in turn."""
    if request.param == "memory":
        memory = MemoryDispatcher()
        yield Delivery(memory, lambda: len(memory.orders), memory.tell)  # type: ignore[arg-type]  # its words
        return
    states = {"in progress": "in_progress", "delivered": "success", "failed": "failure"}
    with FakeGitHub() as github:
        scene = Scene(github)
        deployer = scene.deployer()
        told = lambda number, state: deployer.tell(number + 1, states[state])  # noqa: E731 - beside its twin
        yield Delivery(deployer, lambda: len(scene.runs), told)
        assert github.complaints == []


def test_an_order_is_taken_and_can_be_looked_at(delivery: Delivery) -> None:
    handed = delivery.dispatcher.dispatch(ORDER)
    assert handed.state == "queued"
    assert handed.url
    assert delivery.begun() == 1


def test_the_same_order_again_begins_nothing(delivery: Delivery) -> None:
    """Whoever orders it, for whatever reason: it is the same version."""
    first = delivery.dispatcher.dispatch(ORDER)
    again = ORDER.model_copy(update={"actor": "bo", "reason": "to be sure"})
    assert delivery.dispatcher.dispatch(again) == first
    assert delivery.begun() == 1


@pytest.mark.parametrize("state", ["in progress", "delivered"])
def test_what_goes_on_or_is_done_is_said(delivery: Delivery, state: str) -> None:
    first = delivery.dispatcher.dispatch(ORDER)
    delivery.tell(0, state)
    again = delivery.dispatcher.dispatch(ORDER)
    assert (again.state, again.to) == (state, first.to)
    assert delivery.begun() == 1


def test_what_failed_is_begun_anew(delivery: Delivery) -> None:
    first = delivery.dispatcher.dispatch(ORDER)
    delivery.tell(0, "failed")
    again = delivery.dispatcher.dispatch(ORDER)
    assert again.state == "queued"
    assert again.url != first.url
    assert delivery.begun() == 2


@pytest.mark.parametrize("other", OTHERS)
def test_another_model_is_another_order(delivery: Delivery, other: dict[str, object]) -> None:
    urls = {delivery.dispatcher.dispatch(one).url for one in (ORDER, ORDER.model_copy(update=other))}
    assert len(urls) == delivery.begun() == 2
