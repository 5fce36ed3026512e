"""How often one caller may ask, as a token bucket.

Written here, because it is one number a caller: the instant at which the caller's bucket is full again (the
"generic cell rate algorithm", ITU-T I.371). A library of rate limits brings stores and strategies that one
process has no use for.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RateLimit", "caller_of"]

_CALLERS = 10_000


class RateLimit:
    """At most `rate` requests a second for each caller, of whom `callers` are remembered.

    A caller may ask for one second's worth at once, and one request at least. Beyond `callers` the one who
    asked longest ago is forgotten, so memory is bounded; who is forgotten begins anew. For one thread.
    """

    def __init__(
        self, rate: float, *, callers: int = _CALLERS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._each = 1 / rate  # seconds that one request costs
        self._most = max(1.0, rate) * self._each  # seconds that a full bucket is worth
        self._callers = callers
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Take one request of the caller's: 0, or the seconds until there is one to take."""
        now = self._clock()
        full_at = max(self._full_at.pop(caller, now), now) + self._each
        wait = full_at - now - self._most
        allowed = wait <= 1e-9  # rounding
        self._full_at[caller] = full_at if allowed else full_at - self._each
        if len(self._full_at) > self._callers:
            self._full_at.popitem(last=False)
        return 0.0 if allowed else wait


def caller_of(address: str) -> str:
    """Who an address stands for: in IPv6 the network of 64 bits, for one machine has all of it."""
    if ":" not in address:
        return address
    try:
        return IPv6Address(address.partition("%")[0]).exploded[:19]
    except ValueError:  # a name that a proxy's listener gave
        return address
