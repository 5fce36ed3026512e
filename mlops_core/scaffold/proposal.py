"""From a look at the data to a proposal: what was found, what has to be said, and what would come of it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_core.domain.value import Value
from mlops_core.errors import BadInput
from mlops_core.scaffold.choices import Choice, created_of, key_of, predict_of, time_of
from mlops_core.scaffold.draft import Chosen, Draft, drafted
from mlops_core.scaffold.preview import Preview, horizons_that_fit, previewed, too_long

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.ports import OfflineStore
    from mlops_core.scaffold.look import Look

__all__ = ["Labels", "Proposal", "Told", "horizon_from", "propose"]


class Told(Value):
    """What the options said; None and False where they said nothing."""

    key: tuple[str, ...] | None = None
    time: str | None = None
    created: str | None = None
    no_created: bool = False
    predict: str | None = None
    horizon: int | None = None


class Labels(Value):
    """How the label comes out at the training snapshots; nothing of the evaluation's was looked at.

    `mean` is the share of positives for churn, else the mean of the sum, of which `zeros` is the share that
    is 0, and `deviation` the standard deviation. `rows` are entities at snapshots; `evaluation_rows` are
    those that the gate will judge on.
    """

    fit_snapshots: int
    validation: datetime
    evaluation: datetime
    rows: int
    mean: float
    zeros: float
    deviation: float
    evaluation_rows: int


class Proposal(Value):
    """A use case as it is proposed: sentences on the data, what was chosen and why, and the definitions.

    `command` says all of it, so that nothing is left to propose. `definitions` are the use case as JSON,
    `left_out` the columns that no feature reads, `warnings` what a person should look at.
    """

    name: str
    events: str
    facts: tuple[str, ...]
    choices: tuple[Choice, ...]
    labels: Labels
    definitions: dict[str, Any]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]
    command: str

    @property
    def open(self) -> tuple[Choice, ...]:
        """What nobody has said or agreed to yet."""
        return tuple(one for one in self.choices if not one.given)


def propose(
    name: str,
    look: Look,
    told: Told,
    offline: OfflineStore,
    folder: Path,
    *,
    agree: Callable[[Choice, Callable[[str], Choice]], Choice],
) -> tuple[Proposal, Draft]:
    """The proposal and its definitions. `agree` is asked about what was not told, and may say otherwise.

    The events are ingested into `folder` by the very definitions, and the label is read by the offline store,
    as a run will do both: what a run would refuse is refused here. Raises `BadInput` and `DataError`.
    """

    def settled(choice: Choice, again: Callable[[str], Choice]) -> Choice:
        return choice if choice.given else agree(choice, again)

    time = settled(time_of(look, told.time), lambda word: time_of(look, word))
    at = time.values[0]
    _check_span(look, at)
    key = settled(key_of(look, told.key, at), lambda words: key_of(look, _columns(look, words), at))
    _check_entities(look, key.values)
    created = created_of(look, told.created, at, none=told.no_created)
    if created is not None:
        created = settled(
            created, lambda word: created_of(look, word, at, none=word == "--no-created") or time
        )
    known = created.values[0] if created is not None and created.values else None
    used = (*key.values, at, *((known,) if known else ()))
    predict = settled(predict_of(look, told.predict, used), lambda word: predict_of(look, word, used))
    chosen = Chosen(key.values, at, known, predict.values[0], told.horizon or 1)
    trial = _Trial(name, look, chosen, offline, folder)
    horizon = settled(trial.horizon(told.horizon), lambda word: trial.horizon(horizon_from(word)))
    chosen, preview = trial.of(int(horizon.values[0]))
    choices = tuple(one for one in (key, time, created, predict, horizon) if one is not None)
    draft = drafted(name, look, chosen, preview)
    return _proposal(name, look, choices, draft, preview), draft


class _Trial:
    """Horizons tried on the events, which are ingested once: they are the same for all."""

    def __init__(self, name: str, look: Look, chosen: Chosen, offline: OfflineStore, folder: Path) -> None:
        self._name, self._look, self._chosen, self._offline = name, look, chosen, offline
        self._bounds = look.bounds(chosen.time)
        self._events = folder / "events.parquet"
        self._found: dict[int, Preview] = {}

    def of(self, horizon: int) -> tuple[Chosen, Preview]:
        """What the label is with this horizon."""
        chosen = Chosen(
            self._chosen.key, self._chosen.time, self._chosen.created, self._chosen.predict, horizon
        )
        if horizon not in self._found:
            use_case = drafted(self._name, self._look, chosen).use_case
            if not self._events.exists():
                self._offline.ingest(use_case, use_case.sources[0], self._look.path, self._events)
            self._found[horizon] = previewed(use_case, self._offline, self._events, self._bounds)
        return chosen, self._found[horizon]

    def horizon(self, given: int | None) -> Choice:
        """How far ahead: the longest that leaves snapshots enough, and both outcomes."""
        fit = horizons_that_fit(self._bounds)
        if given is not None:
            self._refuse_one_value(given, self.of(given)[1])
            return Choice(option="--horizon", values=(str(given),), why="as you said", given=True)
        if not fit:
            raise BadInput(too_long(1, self._bounds))
        enough = [one for one, count in fit.items() if count >= 3] or list(fit)
        best = next((one for one in enough if not self._is_one_value(one)), None)
        if best is None:
            self._refuse_one_value(enough[0], self.of(enough[0])[1])
        others = tuple(f"{one}: {count} snapshots to fit on" for one, count in fit.items() if one != best)
        why = (
            f"{fit[best or enough[0]]} snapshots to fit on, then one to choose and one to judge by; how far "
            "ahead you need to know is yours to say"
        )
        return Choice(option="--horizon", values=(str(best or enough[0]),), why=why, alternatives=others[:3])

    def _is_one_value(self, horizon: int) -> bool:
        preview = self.of(horizon)[1]
        return not preview.rows or preview.one_value

    def _refuse_one_value(self, horizon: int, preview: Preview) -> None:
        if not self._is_one_value(horizon):
            return
        what = "has no event" if preview.mean == 1 else "has an event"
        if self._chosen.summed is not None:
            what = f"has a sum of {self._chosen.summed} of {preview.mean:g}"
        raise BadInput(
            f"--horizon {horizon}: in all {preview.rows:,} training rows the entity {what} within {horizon} "
            "days: nothing can be learnt from one outcome: give another --horizon, --predict or --key"
        )


def horizon_from(word: str) -> int:
    """Days as they are typed. Raises `BadInput`."""
    if not (word.isascii() and word.isdecimal() and len(word) < 5 and 1 <= int(word) <= 3650):
        raise BadInput(f"--horizon {word}: expected whole days from 1 to 3650, such as 30")
    return int(word)


def _columns(look: Look, words: str) -> list[str]:
    """The columns of an answer: one as it is, several as in a shell."""
    if words in look.columns:
        return [words]
    try:
        return shlex.split(words)
    except ValueError:
        raise BadInput(f"--key {words}: a quotation mark is open: close it, as in 'Order No' shop") from None


def _check_span(look: Look, time: str) -> None:
    first, last = look.bounds(time)
    if first.date() == last.date():
        raise BadInput(
            f"--time {time}: all {look.rows:,} events lie on {first:%Y-%m-%d}: a model learns from what came "
            "after what: give a longer history, or another column of times"
        )


def _check_entities(look: Look, keys: tuple[str, ...]) -> None:
    if look.entities(keys) < 2:
        raise BadInput(
            f"--key {' '.join(keys)}: all {look.rows:,} events are of one entity: a model learns from many: "
            "name the columns that tell them apart"
        )


def _proposal(name: str, look: Look, choices: tuple[Choice, ...], draft: Draft, preview: Preview) -> Proposal:
    use_case, snapshots = draft.use_case, preview.snapshots
    said = [word for one in choices for word in one.words]
    labels = Labels(
        fit_snapshots=len(snapshots.fit),
        validation=snapshots.validation,
        evaluation=snapshots.evaluation,
        rows=preview.rows,
        mean=preview.mean,
        zeros=preview.zeros,
        deviation=preview.deviation,
        evaluation_rows=preview.evaluation_rows,
    )
    return Proposal(
        name=name,
        events=str(look.path),
        facts=tuple(_facts(look, use_case.sources[0].event_timestamp, use_case.entity.keys)),
        choices=choices,
        labels=labels,
        definitions=use_case.model_dump(mode="json"),
        left_out=draft.left_out,
        warnings=tuple(_warnings(look, draft, preview)),
        command=shlex.join(["mlops", "new", name, "--events", str(look.path), *said]),
    )


def _facts(look: Look, time: str, keys: tuple[str, ...]) -> list[str]:
    first, last = look.bounds(time)
    entities = look.entities(keys)
    return [
        f"{look.rows:,} events of {entities:,} entities, {look.rows / entities:.1f} each",
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, {(last - first).days:,} days",
        *(f"{one.name}: {one}" for one in look.columns.values()),
    ]


def _warnings(look: Look, draft: Draft, preview: Preview) -> list[str]:
    use_case = draft.use_case
    gate, time = use_case.gate, use_case.sources[0].event_timestamp
    found = []
    future, twice = look.after(time, datetime.now(UTC)), look.duplicates()
    if future:
        found.append(f"{future:,} events lie in the future by {time}: mend them, or run with --as-of")
    if twice:
        found.append(f"{twice:,} rows are there twice: each counts; remove them where they are no events")
    if preview.evaluation_rows < gate.minimum_rows:
        found.append(
            f"the evaluation has {preview.evaluation_rows:,} rows, and the gate wants {gate.minimum_rows:,}: "
            "it will say no until there are more; minimum_rows= is yours to lower, and then to answer for"
        )
    if use_case.label.task == "classification" and not 0.02 < preview.mean < 0.98:
        found.append(f"{preview.mean:.1%} of the training labels are positive: hardly two outcomes to learn")
    return found
