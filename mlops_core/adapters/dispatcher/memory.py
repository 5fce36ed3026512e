"""Orders in memory: who takes them delivers when told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mlops_core.domain.handover import Handover

if TYPE_CHECKING:
    from mlops_core.domain.handover import Order

__all__ = ["MemoryDispatcher"]


class MemoryDispatcher:
    """The `Dispatcher` of tests. `orders` are those taken, one for each attempt at a delivery."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._states: list[Literal["queued", "in progress", "delivered", "failed"]] = []

    def dispatch(self, order: Order) -> Handover:
        """See `Dispatcher.dispatch`."""
        wanted = (order.name, order.version, order.digest)
        for number, (taken, state) in enumerate(zip(self.orders, self._states, strict=True)):
            if (taken.name, taken.version, taken.digest) == wanted and state != "failed":
                return Handover(to="memory", state=state, url=f"memory:{number}")
        self.orders.append(order)
        self._states.append("queued")
        return Handover(to="memory", state="queued", url=f"memory:{len(self.orders) - 1}")

    def tell(self, number: int, state: Literal["in progress", "delivered", "failed"]) -> None:
        """How the attempt of this number, from 0, goes."""
        self._states[number] = state
