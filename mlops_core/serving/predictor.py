"""From ids, or rows of features, to predictions: what the server and `mlops predict` have in common.

No table library is on this path: values go from the online store into one NumPy matrix.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from mlops_core.domain.online import Key
from mlops_core.domain.outputs import score_name
from mlops_core.domain.time import in_words
from mlops_core.domain.usecase import UseCase
from mlops_core.domain.value import Value
from mlops_core.errors import BadInput, IntegrityError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mlops_core.domain.online import FeatureValue, OnlineState
    from mlops_core.domain.outputs import OutputName
    from mlops_core.domain.release import Release
    from mlops_core.ports import FittedModel, OnlineStore

__all__ = ["Prediction", "Predictor"]

_SHOWN = 10
_READS = 5
_QUICK = 0.002  # seconds
_TRIES = 3


def _now() -> datetime:
    return datetime.now(UTC)


class Prediction(Value):
    """What a release predicts of one entity.

    `score` is its probability, and `label` whether that reaches the release's threshold; of a model of a
    number `score` is that number, and there is no `label`. `features_as_of` is the instant its features stand
    at, `version` the model version that was asked.
    """

    id: Key
    score: float
    label: bool | None
    version: int
    features_as_of: datetime

    @property
    def outputs(self) -> dict[str, float | bool]:
        """Its values by the names that they have outside: probability and label, or prediction."""
        if self.label is None:
            return {"prediction": self.score}
        return {"probability": self.score, "label": self.label}


class Predictor:
    """A release's model, asked about entities of the online store or about rows that the caller has.

    Features are read as the release's own definitions made them. Messages name positions, never ids or
    values, which are personal data. Raises `DefinitionError` when the release's definitions cannot be read.
    `clock` says when it is, for features that must not be too old.
    """

    def __init__(
        self,
        *,
        release: Release,
        model: FittedModel,
        store: OnlineStore,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.release = release
        self._model = model
        self._store = store
        self._clock = clock
        self._state: OnlineState | None = None
        use_case = UseCase.stored(release.use_case, f"version {release.version} of {release.name!r}")
        self._online_name, self._staleness = use_case.online_name, use_case.staleness

    def is_quick(self, *, online: bool = False) -> bool:
        """Whether one row is predicted in less than 2 ms; with `online`, its features read without a network.

        A store says of itself, by `near`, that its reads wait for none: one that does not is taken for far.
        """
        return self._quick and (not online or getattr(self._store, "near", False) is True)

    @cached_property
    def _quick(self) -> bool:
        nothing = np.full((1, len(self.release.feature_names)), np.nan)
        for _ in range(_TRIES):  # the first has something to load, and something else may be running
            began = perf_counter()
            try:
                self._model.predict(nothing)
            except Exception:  # an engine's own; the request that meets it says it
                return False
            if perf_counter() - began < _QUICK:
                return True
        return False

    @property
    def features_as_of(self) -> datetime | None:
        """The instant that the features stand at that were read last; None before the first read."""
        return self._state.as_of if self._state is not None else None

    def predict_ids(self, ids: Sequence[Key]) -> list[Prediction]:
        """Predictions in the order of `ids`, which are typed: "1" is not 1.

        Raises `NotFound` for ids that have no features, and `Unavailable` while the online store holds
        nothing, not the features of this release, or values older than a view of them allows.
        """
        if not ids:
            return []
        features, as_of = self._read(ids)
        scores = self.predict_rows(self._matrix(features))
        labels = self.labels(scores)
        told = labels.tolist() if labels is not None else [None] * len(ids)
        version = self.release.version
        return [
            Prediction(id=key, score=score, label=label, version=version, features_as_of=as_of)
            for key, score, label in zip(ids, scores.tolist(), told, strict=True)
        ]

    def predict_rows(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score per row; `rows` is (n, features) in the release's order, NaN where missing."""
        width = len(self.release.feature_names)
        if rows.ndim != 2 or rows.shape[1] != width:
            raise BadInput(f"rows must have shape (n, {width}), one column a feature, not {rows.shape}")
        scores = self._model.predict(rows)
        if scores.shape != (len(rows),) or not np.isfinite(scores).all():
            raise IntegrityError(
                f"version {self.release.version} of {self.release.name!r} gave something else than one "
                f"finite {self.output} a row; it must not serve: `mlops run {self.release.name}` delivers "
                "anew"
            )
        return scores

    @property
    def output(self) -> OutputName:
        """What its scores are called outside: "probability", or "prediction" for a model of a number."""
        return score_name(self.release.threshold)

    def labels(self, scores: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Whether each score counts as positive: from the threshold on; None for a model of a number."""
        threshold = self.release.threshold
        return None if threshold is None else scores >= threshold

    def _read(self, ids: Sequence[Key]) -> tuple[list[Mapping[str, FeatureValue]], datetime]:
        """Features of all ids and the one instant they stand at, though they may be replaced meanwhile.

        The same state before and after a read is the state of what was read. The one before may be from long
        ago, so a request asks for the state once.
        """
        before = self._state or self._store.state(self._online_name)
        for _ in range(_READS):
            if before is None:
                raise self._nothing()
            try:
                found = self._store.read(self._online_name, ids)
            except NotFound as error:
                raise self._nothing() from error
            self._state = self._store.state(self._online_name)
            if self._state == before:
                self._check_age(before.as_of)
                return _known(found, self.release.name), before.as_of
            before = self._state
        raise Unavailable(
            f"the online features of {self.release.name!r} are being replaced all the time; try again later"
        )

    def _check_age(self, as_of: datetime) -> None:
        age = self._clock() - as_of
        if self._staleness is not None and age > self._staleness:
            raise Unavailable(
                f"the online features of {self.release.name!r} stand as of {as_of:%Y-%m-%d %H:%M} UTC and "
                f"may be {in_words(self._staleness)} old at most: refresh them with `mlops features "
                f"materialise {self.release.name}`"
            )

    def _nothing(self) -> Unavailable:
        return Unavailable(
            f"there are no online features by the definitions of version {self.release.version} of "
            f"{self.release.name!r}: run `mlops run {self.release.name}`"
        )

    def _matrix(self, features: Sequence[Mapping[str, FeatureValue]]) -> NDArray[np.float64]:
        names = self.release.feature_names
        try:
            rows = [[row[name] for name in names] for row in features]
        except KeyError:
            missing = sorted({name for row in features for name in names if name not in row})
            raise Unavailable(
                f"the online features of {self.release.name!r} lack {missing}, which version "
                f"{self.release.version} reads: run `mlops run {self.release.name}` with the definitions of "
                "that version"
            ) from None
        return np.array(rows, dtype=np.float64)  # None becomes NaN


def _known(found: Sequence[Mapping[str, FeatureValue] | None], name: str) -> list[Mapping[str, FeatureValue]]:
    known = [row for row in found if row is not None]
    if len(known) == len(found):
        return known
    unknown = [position for position, row in enumerate(found) if row is None]
    shown = ", ".join(map(str, unknown[:_SHOWN])) + (", …" if len(unknown) > _SHOWN else "")
    raise NotFound(
        f"{len(unknown)} of {len(found)} ids have no features of {name!r} (positions from 0: {shown}). "
        f'Ids are typed, "1" is not 1; a new entity has features after the next `mlops run {name}`'
    )
