"""Random edits: what happens between two runs, to data, definitions, code, outputs and versions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from mlops_core.domain.candidates import GradientBoosting, LogisticRegression
from mlops_core.domain.features import Count, Since
from mlops_core.domain.gates import Approval
from mlops_core.domain.time import days
from mlops_core.promotion import answer, registered, roll_back
from mlops_core.provenance import STAGES
from tests.stages.shop import purchases

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.planning.bench import Bench

    Edit = Callable[[Bench], None]

__all__ = ["EDITS", "edits"]

_LOGISTIC, _BOOSTING = LogisticRegression(), GradientBoosting()
_TASKS = ("feature_store", "feature_verification", "training_set", "model_evaluation", "gate")
_BRANCHES = ("model_training.logistic", "model_training.boosting")
_DAYS = (date(2021, 6, 30), date(2021, 6, 12), date(2021, 6, 5), date(2021, 3, 31))


def _until(day: date) -> Edit:
    def edit(bench: Bench) -> None:
        table = purchases(40)
        bench.table = table.filter(pc.less_equal(table["bought_on"], pa.scalar(day)))

    return edit


def _corrected(bench: Bench) -> None:
    bought = bench.table["bought_on"].to_pylist()
    bought[0] += timedelta(days=1)
    bench.table = pa.table({"customer_id": bench.table["customer_id"], "bought_on": bought})


def _others(bench: Bench) -> None:
    bench.table = purchases(40, seed=1)


def _elsewhere(bench: Bench) -> None:
    bench.file = "other.parquet" if bench.file == "purchases.parquet" else "purchases.parquet"


def _same_rows_other_bytes(bench: Bench) -> None:
    bench.table = bench.table.replace_schema_metadata({"written": bench.file + str(len(bench.made))})


def _as_of(day: date | None) -> Edit:
    return lambda bench: setattr(bench, "as_of", day)


def _horizon(count: int) -> Edit:
    def edit(bench: Bench) -> None:
        label = bench.use_case.label.model_copy(update={"horizon": days(count)})
        bench.use_case = bench.use_case.model_copy(update={"label": label})

    return edit


def _features(*features: object) -> Edit:
    return lambda bench: bench.features(*features)


def _candidates(*candidates: object) -> Edit:
    def edit(bench: Bench) -> None:
        bench.use_case = bench.use_case.model_copy(update={"candidates": candidates})

    return edit


def _policy(**changed: object) -> Edit:
    return lambda bench: bench.policy(**changed)


def _code(name: str, version: str) -> Edit:
    return lambda bench: bench.code.update({name: version})


def _removed(stage: str) -> Edit:
    return lambda bench: bench.remove(stage)


def _damaged(stage: str) -> Edit:
    return lambda bench: bench.damage(stage)


def _answered(bench: Bench) -> None:
    """A person consents to whatever is asked."""
    standing = bench.standing
    for number, request in standing.requests.items():
        if request.answered is None and standing.production != number:
            version, decision = registered(bench.engines, "shop", number), standing.decisions[number]
            if decision.code == bench.engines.code.whole and decision.champion_digest == standing.champion:
                policy = decision.policy
                answer(bench.engines, version, policy, consent=True, actor="eva", reason="looks right")


def _rolled_back(bench: Bench) -> None:
    """Somebody goes back to the version before, where there is one."""
    standing = bench.standing
    archived = [number for number, stage in standing.stages.items() if stage == "Archived"]
    if archived:
        roll_back(bench.engines, "shop", to=archived[-1], actor="eva", reason="complaints")


_BASE = (Count("orders"), Count("orders_60d", window=days(60)), Since("recency_days"))
EDITS: dict[str, Edit] = {
    **{f"events until {day}": _until(day) for day in _DAYS},
    "an event corrected": _corrected,
    "other customers": _others,
    "the same data in another file": _elsewhere,
    "the same rows, other bytes": _same_rows_other_bytes,
    **{f"as of {day}": _as_of(day) for day in (None, date(2021, 3, 31), date(2021, 6, 8), date(2022, 6, 30))},
    **{f"horizon {count}": _horizon(count) for count in (45, 60)},
    "the features as they were": _features(*_BASE),
    "a feature more": _features(*_BASE, Count("orders_30d", window=days(30))),
    "a feature less": _features(_BASE[0], _BASE[2]),
    "another window": _features(_BASE[0], Count("orders_60d", window=days(50)), _BASE[2]),
    "both candidates": _candidates(_LOGISTIC, _BOOSTING),
    "a candidate less": _candidates(_LOGISTIC),
    "another parameter": _candidates(_LOGISTIC, GradientBoosting(seed=7)),
    "a high floor": _policy(floor=0.999),
    "a low floor": _policy(floor=0.0),
    "a middle floor": _policy(floor=0.55),
    "a person wanted": _policy(approval=Approval(expires=days(7))),
    "no person wanted": _policy(approval=None),
    **{
        f"{name} at version {version}": _code(name, version)
        for name in (*STAGES, "common")
        for version in "12"
    },
    **{f"{stage} removed": _removed(stage) for stage in (*_TASKS, *_BRANCHES)},
    **{f"{stage} damaged": _damaged(stage) for stage in (*_TASKS, *_BRANCHES)},
    "a person consents": _answered,
    "rolled back": _rolled_back,
}


def edits() -> st.SearchStrategy[list[list[str]]]:
    """A few runs, before each of which a few things happen, by their names in `EDITS`."""
    some = st.lists(st.sampled_from(sorted(EDITS)), max_size=3, unique=True)
    return st.lists(some, min_size=1, max_size=4)
