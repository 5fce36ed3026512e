"""The test of a new use case: its features at a moment, worked out by hand, and a delivery of a sample."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

from mlops_core.definitions import Count, CountDistinct, Mean, Since, Span, Sum
from mlops_core.exporters.python_source import literal

if TYPE_CHECKING:
    from mlops_core.domain.features import AnyFeature
    from mlops_core.domain.usecase import UseCase
    from mlops_core.scaffold.look import Look

__all__ = ["test_text"]

_NUMBERS = (10, 30, 50)
_TEXTS = ("a", "b", "c")


def test_text(use_case: UseCase, look: Look, known_as: str) -> str:
    """The test's source. Of one entity there are three events, of which the moment is to see two."""
    horizon = use_case.label.horizon.days
    source = use_case.sources[0]
    long_ago = 3 * horizon
    columns = "\n".join(f"{literal(name)}: {code}," for name, code in _columns(use_case, look).items())
    expected = "\n".join(
        f"{literal(one.name)}: {_expected(one, long_ago)},  # {_why(one, long_ago)}"
        for one in use_case.views[0].features
    )
    churn = use_case.label.kind == "no_event_within"
    label, why = (0, "the third event came in time") if churn else (float(_NUMBERS[2]), "the third event's")
    keys = "\n".join(f"{literal(key)}: {_cells(look, key, 1)}," for key in use_case.entity.keys)
    when = (
        "(MOMENT + timedelta(days=days)).date()"
        if look.columns[source.event_timestamp].kind == "date"
        else ("MOMENT + timedelta(days=days)")
    )
    return f'''"""What the definitions of {use_case.name} mean, and that it comes to a verdict."""

from __future__ import annotations

from datetime import UTC, {"date, " if "date()" in when else ""}datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
{"" if ":" in known_as else chr(10)}from mlops_core.delivery import Delivery
from mlops_core.parameters import parameters_of
from mlops_core.point_in_time import historical_features
from mlops_core.settings import Settings
from mlops_core.usecases import find
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from pathlib import Path

CASE = find("{known_as}")
MOMENT = datetime(2024, 3, 31, 23, 59, 59, 999999, UTC)  # the close of a month: a snapshot
SOURCE = CASE.source({literal(source.name)})
SAMPLE = 2_000  # entities


def at(days: int) -> {"date" if "date()" in when else "datetime"}:
    """When an event was, that many days from the moment."""
    return {when}


# Of one entity: an event long before the moment, one at it, and one that nobody could know of then.
EVENTS = pa.table(
    {{
{indent(columns, " " * 8)}
    }}
)
SEEN = {{
{indent(expected, " " * 4)}
}}
LABEL = {label!r}  # {why}


@pytest.fixture
def engines(tmp_path: Path) -> ConfiguredEngines:
    """The engines that deliver, on a state folder that goes with the test."""
    return ConfiguredEngines(Settings(home=tmp_path / "state"))


def test_features_at_a_moment_are_as_worked_out_by_hand(engines: ConfiguredEngines, tmp_path: Path) -> None:
    """Of what came by the moment, and of nothing later; the label, of what came after it alone."""
    events = tmp_path / "events.parquet"
    engines.offline.ingest(CASE, SOURCE, EVENTS, events)
    spine = pa.table(
        {{
{indent(keys, " " * 12)}
            "event_timestamp": pa.array([MOMENT], pa.timestamp("us", "UTC")),
        }}
    )
    (row,) = historical_features(CASE, engines.offline, {{SOURCE.name: events}}, spine).to_pylist()
    assert {{name: row[name] for name in SEEN}} == pytest.approx(SEEN)
    assert engines.offline.labels(CASE, events, spine)[CASE.label.name].to_pylist() == [LABEL]


def test_a_delivery_of_a_sample_comes_to_a_verdict(tmp_path: Path) -> None:
    """Events in, a version registered and judged; whether so few rows pass the gate is not asked."""
    given = parameters_of(CASE)(data=sample(tmp_path / "sample.parquet"))
    delivery = Delivery(CASE, given, Settings(home=tmp_path / "state"))
    outcome = delivery.outcome(delivery.dag.execute())
    assert outcome.version == 1
    assert outcome.reasons
    assert outcome.status in ("delivered", "rejected", "awaiting approval")


def sample(into: Path) -> Path:
    """All events of the first entities, in a file."""
    assert SOURCE.path is not None
    table, kinds = ConfiguredEngines(Settings(home=into.parent)).first_look(SOURCE.path, SOURCE.name)
    keys = list(CASE.entity.keys)
    few = table.select(keys).group_by(keys).aggregate([]).slice(0, SAMPLE)
    pq.write_table(table.select(list(kinds)).join(few, keys, join_type="left semi"), into)
    return into
'''


def _columns(use_case: UseCase, look: Look) -> dict[str, str]:
    """Every column that the use case may read, as the source of its three values."""
    source = use_case.sources[0]
    times = [one for one in (source.event_timestamp, source.created_timestamp) if one]
    found = {name: _cells(look, name, 3, same=True) for name in use_case.entity.keys}
    for name in times:
        date = look.columns[name].kind == "date"
        same = date == (look.columns[source.event_timestamp].kind == "date")
        whole = "" if same or not date else ".date()"
        found[name] = f"[at(-{3 * use_case.label.horizon.days}){whole}, at(0){whole}, at(1){whole}]"
    for name, column in look.columns.items():
        if name not in found and column.kind and not column.is_time:
            found[name] = _cells(look, name, 3)
    return found


def _cells(look: Look, name: str, count: int, *, same: bool = False) -> str:
    """As many values of a column; `same`: one value again and again."""
    column = look.columns[name]
    many: tuple[Any, ...]
    if column.kind == "text":
        many = _TEXTS
    elif column.kind == "boolean":
        many = (True, False, True)
    else:
        many = _NUMBERS if column.is_number else (1, 2, 3)
    if same or count == 1:
        many = many[:1] * 3
    return literal(list(many[:count]))


def _expected(one: AnyFeature, long_ago: int) -> Any:
    """The value at the moment, when the first two events are seen, the first only without a window."""
    numbers = _NUMBERS[1:2] if getattr(one, "window", None) else _NUMBERS[:2]
    match one:
        case Count() if one.conditions:
            return 1
        case Count() | CountDistinct():
            return len(numbers)
        case Sum():
            return float(sum(numbers))
        case Mean():
            return sum(numbers) / len(numbers)
        case Since(event="last"):
            return 0.0
        case Since() | Span():
            return float(long_ago)
    raise AssertionError(one)


def _why(one: AnyFeature, long_ago: int) -> str:
    if getattr(one, "window", None):
        return "the second event alone"
    match one:
        case Since(event="last"):
            return "the second event is at the moment"
        case Since():
            return f"the first event is {long_ago} days before the moment"
        case Span():
            return "from the first to the second"
        case Count() if one.conditions:
            return "the first event"
    return "the first two events"
