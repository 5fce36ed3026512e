"""The use cases of the scenarios: churn of a small shop, which a version passes that is no worse.

`States` writes the purchases beside this file, in the copy of the checkout that act runs in.
"""

from __future__ import annotations

from pathlib import Path

from mlops_core.definitions import Approval, NonInferiority
from mlops_core.usecases.churn import CHURN

__all__ = ["HELD", "SHOP"]

FLOOR = 0.75  # a scenario raises it to have a version rejected

_SOURCE = CHURN.sources[0].model_copy(update={"path": Path(__file__).with_name("purchases.parquet")})
_GATE = CHURN.gate.model_copy(
    update={"floor": FLOOR, "comparison": NonInferiority(margin=0.02), "slices": ()}
)
SHOP = CHURN.model_copy(update={"name": "shop", "sources": (_SOURCE,), "gate": _GATE})
HELD = SHOP.model_copy(update={"gate": _GATE.model_copy(update={"approval": Approval()})})
