"""From ids and rows to predictions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.online_store.memory import MemoryOnlineStore
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.errors import BadInput, DefinitionError, IntegrityError, NotFound, Unavailable
from mlops_core.serving.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from mlops_core.adapters.deployer.local import LocalDeployer
    from mlops_core.domain.online import FeatureValue, Key
    from mlops_core.domain.release import Bundle, Release
    from mlops_core.domain.usecase import UseCase


@pytest.fixture
def release(deployer: LocalDeployer, make_bundle: Callable[..., Bundle]) -> Release:
    """Version 1."""
    return deployer.prepare(make_bundle())


@pytest.fixture
def predictor(deployer: LocalDeployer, release: Release, store: MemoryOnlineStore) -> Predictor:
    """Version 1 over the three customers."""
    return Predictor(release=release, model=deployer.load(release), store=store)


def test_predictions_come_in_the_order_asked_with_features_in_the_models_order(
    predictor: Predictor, deployer: LocalDeployer, release: Release, as_of: datetime
) -> None:
    """The store's columns lie otherwise, and a missing value is NaN to the model."""
    model = deployer.load(release)
    rows = np.array([[0.0, 20.0], [9.0, 80.0], [1.0, np.nan]])
    found = predictor.predict_ids([3, 1, 2])
    assert [one.id for one in found] == [3, 1, 2]
    assert [one.score for one in found] == model.predict(rows).tolist()
    assert {(one.version, one.features_as_of) for one in found} == {(1, as_of)}


def test_a_label_is_true_from_the_threshold_on(
    deployer: LocalDeployer, release: Release, store: MemoryOnlineStore
) -> None:
    """A probability that equals the threshold counts as positive."""
    model = deployer.load(release)
    probability = float(model.predict(np.array([[9.0, 80.0]]))[0])
    at = release.model_copy(update={"threshold": probability})
    above = release.model_copy(update={"threshold": np.nextafter(probability, 1.0)})
    labels = [
        Predictor(release=one, model=model, store=store).predict_ids([1])[0].label for one in (at, above)
    ]
    assert labels == [True, False]


def test_an_id_may_be_asked_twice_and_none_at_all(predictor: Predictor) -> None:
    """Each position gets its answer."""
    first, second = predictor.predict_ids([1, 1])
    assert first == second
    assert predictor.predict_ids([]) == []


def test_unknown_ids_are_counted_by_position_and_never_named(predictor: Predictor) -> None:
    """An id is personal data; "1" is not 1."""
    with pytest.raises(NotFound, match=r"2 of 3 ids .* \(positions from 0: 1, 2\)") as caught:
        predictor.predict_ids([1, "1", 4711])
    assert "4711" not in str(caught.value)
    assert "mlops run churn" in str(caught.value)


def test_a_long_list_of_unknown_ids_makes_a_short_message(predictor: Predictor) -> None:
    """Ten positions show the pattern."""
    with pytest.raises(NotFound, match=r"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …\)"):
        predictor.predict_ids(list(range(1000, 2000)))


def test_nothing_materialised_is_said_with_the_remedy(deployer: LocalDeployer, release: Release) -> None:
    """The caller cannot mend it, so it is not the caller's error."""
    predictor = Predictor(release=release, model=deployer.load(release), store=MemoryOnlineStore())
    with pytest.raises(Unavailable, match=r"definitions of version 1 .* run `mlops run churn`"):
        predictor.predict_ids([1])


def test_a_missing_feature_is_named(
    deployer: LocalDeployer, release: Release, use_case: UseCase, as_of: datetime
) -> None:
    """Never is a feature that is not there taken for a missing value."""
    store = MemoryOnlineStore()
    store.write(use_case.online_name, pa.table({"id": [1], "orders": [3]}), ["id"], as_of)
    predictor = Predictor(release=release, model=deployer.load(release), store=store)
    with pytest.raises(Unavailable, match=r"lack \['basket'\]"):
        predictor.predict_ids([1])


def test_values_made_by_other_definitions_are_not_read(
    deployer: LocalDeployer, make_bundle: Callable[..., Bundle], store: MemoryOnlineStore, use_case: UseCase
) -> None:
    """A release whose window was another finds nothing, though the names are the same."""
    features = use_case.views[0].model_copy(update={"visibility": "event"})
    other = use_case.model_copy(update={"views": (features,)})
    release = deployer.prepare(make_bundle(use_case=other.model_dump_json()))
    predictor = Predictor(release=release, model=deployer.load(release), store=store)
    with pytest.raises(Unavailable, match="no online features by the definitions"):
        predictor.predict_ids([1])


def test_definitions_that_cannot_be_read_are_refused_at_once(
    deployer: LocalDeployer, make_bundle: Callable[..., Bundle], store: MemoryOnlineStore
) -> None:
    """Not at the first request."""
    release = deployer.prepare(make_bundle(use_case='{"name": "of a later version"}'))
    with pytest.raises(DefinitionError, match="definitions in version 1 of 'churn' cannot be read"):
        Predictor(release=release, model=deployer.load(release), store=store)


class _Replaced(MemoryOnlineStore):
    """A store whose values are replaced during the first `times` reads, each time as of a day later."""

    def __init__(self, table: pa.Table, as_of: datetime, times: int) -> None:
        super().__init__()
        self._table = table
        self._as_of = as_of
        self._left = times

    def read(self, name: str, keys: Sequence[Key]) -> list[Mapping[str, FeatureValue] | None]:
        """As ever, and then comes a writer."""
        found = super().read(name, keys)
        if self._left:
            self._left -= 1
            self._as_of += timedelta(days=1)
            self.write(name, self._table, ["id"], self._as_of)
        return found


@pytest.mark.parametrize("times", [1, 2])
def test_features_and_their_instant_belong_together(
    deployer: LocalDeployer, release: Release, use_case: UseCase, as_of: datetime, times: int
) -> None:
    """Values replaced between two looks are read again, so the instant told is that of the values."""
    old = pa.table({"id": [1], "orders": [0], "basket": [20.0]})
    new = pa.table({"id": [1], "orders": [9], "basket": [80.0]})
    store = _Replaced(new, as_of, times)
    store.write(use_case.online_name, old, ["id"], as_of)
    model = deployer.load(release)
    found = Predictor(release=release, model=model, store=store).predict_ids([1])[0]
    assert found.features_as_of == as_of + timedelta(days=times)
    assert found.score == float(model.predict(np.array([[9.0, 80.0]]))[0])


def test_values_that_never_hold_still_are_given_up(
    deployer: LocalDeployer, release: Release, use_case: UseCase, as_of: datetime
) -> None:
    """Rather than answering with an instant that may be wrong."""
    table = pa.table({"id": [1], "orders": [0], "basket": [20.0]})
    store = _Replaced(table, as_of, 100)
    store.write(use_case.online_name, table, ["id"], as_of)
    with pytest.raises(Unavailable, match="being replaced"):
        Predictor(release=release, model=deployer.load(release), store=store).predict_ids([1])


def test_later_values_are_read_by_the_same_predictor(
    predictor: Predictor, store: MemoryOnlineStore, use_case: UseCase, as_of: datetime
) -> None:
    """Features change every day under a release that stays."""
    old = predictor.predict_ids([1])[0]
    later = as_of.replace(year=2027)
    store.write(use_case.online_name, pa.table({"id": [1], "orders": [0], "basket": [1.0]}), ["id"], later)
    new = predictor.predict_ids([1])[0]
    assert (old.features_as_of, new.features_as_of) == (as_of, later)
    assert old.score != new.score


def test_values_that_are_gone_are_not_the_callers_fault(
    deployer: LocalDeployer, release: Release, tmp_path: Path, use_case: UseCase, as_of: datetime
) -> None:
    """A store that was removed under the server is unavailable, its ids are not unknown."""
    store = SQLiteOnlineStore(tmp_path / "online.db")
    store.write(use_case.online_name, pa.table({"id": [1], "orders": [0], "basket": [1.0]}), ["id"], as_of)
    predictor = Predictor(release=release, model=deployer.load(release), store=store)
    assert predictor.predict_ids([1])[0].id == 1
    for file in tmp_path.glob("online.db*"):
        file.unlink()
    with pytest.raises(Unavailable, match="there are no online features"):
        predictor.predict_ids([1])


@pytest.mark.parametrize("shape", [(2,), (1, 3), (1, 1), (1, 2, 1)])
def test_rows_of_another_width_are_refused(predictor: Predictor, shape: tuple[int, ...]) -> None:
    """The message says which shape was expected."""
    with pytest.raises(BadInput, match=r"shape \(n, 2\)"):
        predictor.predict_rows(np.zeros(shape))


class _Broken:
    """A model that answers what it was told to."""

    def __init__(self, answer: list[float]) -> None:
        self._answer = answer

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The answer, whatever the rows."""
        return np.array(self._answer)[: max(len(rows), 0)]

    def save(self, folder: object) -> None:
        """Nothing to save."""

    def digest(self) -> str:
        """Nothing to compare."""
        return ""


@pytest.mark.parametrize("answer", [[float("nan")], [float("inf")], []])
def test_a_model_that_gives_no_probability_is_not_believed(
    release: Release, store: MemoryOnlineStore, answer: list[float]
) -> None:
    """A NaN would compare as negative and look like an answer."""
    predictor = Predictor(release=release, model=_Broken(answer), store=store)
    with pytest.raises(IntegrityError, match="mlops run churn"):
        predictor.predict_rows(np.zeros((1, 2)))
