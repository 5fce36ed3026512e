"""A release that is served aside and asked: what good and bad ones come to."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlops_core.canary import Limits
from mlops_core.canary.aside import HOST, serving_aside
from mlops_core.canary.judging import answers, latency, probes, shifted
from mlops_core.canary.rehearsal import asked_aside
from tests.canary.conftest import CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlops_core.adapters.online_store.memory import MemoryOnlineStore
    from mlops_core.canary.aside import Loaded
    from mlops_core.ports import FittedModel

    Floats = NDArray[np.float64]
    Make = Callable[..., Loaded]

live = pytest.mark.live  # half a second to two each

WITHOUT = "no version serves yet"


@dataclass
class Changed:
    """A model whose predictions are changed on the way out, as a fault of its code or libraries would."""

    model: Any
    change: Callable[[Floats], Floats]

    def predict(self, rows: Floats) -> Floats:
        return self.change(self.model.predict(rows))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def outcomes(
    store: MemoryOnlineStore, loaded: Loaded, beside: Loaded | None = None, **limits: Any
) -> dict[str, tuple[str, str]]:
    """Outcome and sentence of every check."""
    held = Limits(requests=CUSTOMERS, **limits)
    caller, other, scores = asked_aside(loaded, beside, store, range(CUSTOMERS), held.requests)
    checks = [
        answers(caller),
        probes(loaded.release, scores),
        latency(caller, other, held),
        shifted(caller, other, held, WITHOUT),
    ]
    return {check.name: (check.outcome, check.sentence) for check in checks}


def failing(found: dict[str, tuple[str, str]]) -> set[str]:
    return {name for name, (outcome, _) in found.items() if outcome == "failed"}


def changing(change: Callable[[Floats], Floats]) -> Callable[[FittedModel], FittedModel]:
    return lambda model: Changed(model, change)


def test_a_good_version_passes_beside_the_one_that_serves(store: MemoryOnlineStore, make: Make) -> None:
    found = outcomes(store, make(2), make(1))
    assert {name: outcome for name, (outcome, _) in found.items()} == dict.fromkeys(
        ("answers", "probes", "latency", "shift"), "passed"
    )
    assert "all of 131 requests were answered" in found["answers"][1]  # ten to warm up, and the probes
    assert "times what version 1 takes: at most 250 ms" in found["latency"][1]


def test_the_first_version_has_nothing_to_move_from(store: MemoryOnlineStore, make: Make) -> None:
    found = outcomes(store, make(1))
    assert failing(found) == set()
    assert found["shift"] == ("not applicable", WITHOUT)


@live
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_fail(store: MemoryOnlineStore, make: Make, bad: float) -> None:
    found = outcomes(store, make(2, changing(lambda scores: scores * bad)), make(1))
    assert failing(found) == {"answers", "probes", "latency", "shift"}
    assert "3 of 3 requests failed; no more were made. The first: POST /predict: 500" in found["answers"][1]


@live
def test_predictions_other_than_at_training_fail(store: MemoryOnlineStore, make: Make) -> None:
    found = outcomes(store, make(2, changing(lambda scores: scores + 1e-6)), make(1))
    assert failing(found) == {"probes"}
    assert "is 1e-06: not at most 1e-09" in found["probes"][1]


@live
def test_scores_that_lie_elsewhere_fail_unless_the_limit_is_lifted(
    store: MemoryOnlineStore, make: Make
) -> None:
    turned = make(2, changing(lambda scores: 1 - scores))
    assert failing(outcomes(store, turned, make(1))) == {"probes", "shift"}
    assert outcomes(store, turned, make(1), shift=None)["shift"][0] == "not applicable"


@live
def test_a_slow_version_fails_and_the_ratio_is_told(store: MemoryOnlineStore, make: Make) -> None:
    calls = count()

    def late(scores: Floats) -> Floats:
        if next(calls) % 20 == 0:  # one in twenty is more than one in a hundred
            time.sleep(0.03)
        return scores

    found = outcomes(store, make(2, changing(late)), make(1), latency_ms=25)
    assert failing(found) == {"latency"}
    assert "not at most 25 ms" in found["latency"][1]


@live
def test_what_serves_and_does_not_answer_blocks_no_better_version(
    store: MemoryOnlineStore, make: Make
) -> None:
    found = outcomes(store, make(2), make(1, changing(lambda scores: scores * np.nan)))
    assert failing(found) == set()
    assert found["shift"][0] == "not applicable"
    assert "version 1 does not answer itself (POST /predict: 500" in found["shift"][1]


@live
def test_few_entities_say_nothing_of_a_shift(store: MemoryOnlineStore, make: Make) -> None:
    held = Limits()
    caller, other, _ = asked_aside(make(2), make(1), store, range(49), 60)
    check = shifted(caller, other, held, WITHOUT)
    assert (check.outcome, "and it takes 50" in check.sentence) == ("not applicable", True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_listening_however_it_ends(
    store: MemoryOnlineStore, make: Make, error: type[BaseException]
) -> None:
    ports: list[int] = []

    def serve() -> None:
        with serving_aside(make(1), store) as port:
            ports.append(port)
            socket.create_connection((HOST, port)).close()
            raise error

    with pytest.raises(error):
        serve()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, ports[0]))
    assert not [thread for thread in threading.enumerate() if thread.name == "serving aside"]


@live
@pytest.mark.parametrize(
    ("change", "failed"),
    [(lambda amounts: amounts, set()), (lambda amounts: 100 * amounts, {"probes", "shift"})],
    ids=["as trained", "cents for dollars"],
)
def test_a_model_of_a_number_is_asked_for_it(
    make: Make, store: MemoryOnlineStore, change: Callable[[Floats], Floats], failed: set[str]
) -> None:
    """By id and by rows; of numbers no label changes, and none is spoken of."""
    loaded = make(2, wrap=lambda model: Changed(model, change), numbers=True)
    found = outcomes(store, loaded, make(1, numbers=True), latency_ms=None)
    assert failing(found) == failed
    assert "label" not in found["shift"][1]


@live
def test_a_number_is_not_compared_with_a_probability(make: Make, store: MemoryOnlineStore) -> None:
    found = outcomes(store, make(2, numbers=True), make(1), latency_ms=None)
    assert found["shift"][0] == "failed"
    assert "version 1" in found["shift"][1]
