"""What `mlops features …` shows, as facts and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_table, say
from mlops_core.domain.time import in_words
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mlops_core.domain.history import HistoryVersion
    from mlops_core.domain.online import Key
    from mlops_core.domain.receipts import ParityReport
    from mlops_core.domain.usecase import UseCase
    from mlops_core.feature_store import FeatureStore

__all__ = [
    "listed",
    "online_values",
    "print_history",
    "print_list",
    "print_parity",
    "print_values",
    "shown",
    "values_at",
]


def listed(use_case: UseCase) -> list[dict[str, Any]]:
    """One entry a feature, those of views first."""
    found = [
        {
            "feature": feature.name,
            "kind": feature.kind,
            "view": view.name,
            "source": view.source,
            "entity": use_case.entity_of(view).name,
            "looks_at": _looks_at(feature, view.ttl),
        }
        for view in use_case.views
        for feature in view.features
    ]
    on_demand = [
        {
            "feature": one.name,
            "kind": "on_demand",
            "view": "",
            "source": "",
            "entity": "",
            "looks_at": one.formula,
        }
        for one in use_case.on_demand
    ]
    used = set(use_case.feature_names)
    return [{**one, "served": one["feature"] in used} for one in [*found, *on_demand]]


def print_list(use_case: UseCase) -> None:
    """The same as a table, and the services below it."""
    rows = [
        [
            one["feature"],
            one["kind"],
            one["view"],
            one["source"],
            one["looks_at"],
            "yes" if one["served"] else "",
        ]
        for one in listed(use_case)
    ]
    print_table(["feature", "kind", "view", "source", "looks at", "served"], rows)
    for service in use_case.services:
        chosen = " (the model's)" if service == use_case.served_by else ""
        say(f"service {service.label}{chosen}: {', '.join(service.features)}")


def shown(use_case: UseCase, name: str) -> dict[str, Any]:
    """The definition of whatever has the name. Raises `NotFound`, with the names there are."""
    parts: dict[str, dict[str, Any]] = {}
    for view in use_case.views:
        plain = view.model_dump(mode="json")
        parts[view.name] = {"is": "view", **plain}
        for feature in plain["features"]:
            parts[feature["name"]] = {"is": "feature", "view": view.name, **feature}
    for one in use_case.on_demand:
        parts[one.name] = {"is": "on-demand feature", "name": one.name, "formula": one.formula}
    for service in use_case.services:
        parts[service.label] = {"is": "service", **service.model_dump(mode="json")}
    for source in use_case.sources:
        parts.setdefault(source.name, {"is": "source", **source.model_dump(mode="json")})
    if name not in parts:
        raise NotFound(f"{use_case.name} defines no {name!r}: there are {', '.join(parts)}")
    return parts[name]


def online_values(store: FeatureStore, keys: Sequence[Key]) -> dict[str, Any]:
    """What is served for each key, and the instant it stands at."""
    found, state = store.online(keys), store.online_state()
    return {
        "as_of": state.as_of.isoformat() if state else None,
        "entities": [{"id": key, "features": one} for key, one in zip(keys, found, strict=True)],
    }


def values_at(
    store: FeatureStore, keys: Sequence[Key], at: datetime, as_known_at: datetime | None
) -> dict[str, Any]:
    """What was true of each key at a time, by what is known now or was known then."""
    import pyarrow as pa

    columns = store.use_case.entity.keys
    parts = [key if isinstance(key, tuple) else (key,) for key in keys]
    spine = {name: [part[number] for part in parts] for number, name in enumerate(columns)}
    table = store.historical(
        pa.table({**spine, "event_timestamp": pa.array([at] * len(keys), pa.timestamp("us", "UTC"))}),
        as_known_at=as_known_at,
    )
    rows = table.select(list(store.use_case.feature_names)).to_pylist()
    return {
        "as_of": at.isoformat(),
        "entities": [{"id": key, "features": row} for key, row in zip(keys, rows, strict=True)],
    }


def print_values(found: Mapping[str, Any], use_case: UseCase) -> None:
    """A row a feature, a column an entity."""
    known = [one for one in found["entities"] if one["features"] is not None]
    say(f"as of {found['as_of']}")
    heads = ["feature", *(_id(one["id"]) for one in known)]
    rows = [[name, *(_cell(one["features"][name]) for one in known)] for name in use_case.feature_names]
    print_table(heads, rows)


def print_history(versions: Mapping[str, Sequence[HistoryVersion]]) -> None:
    """A row a version, the newest last."""
    rows = [
        [
            name,
            str(one.number),
            one.how,
            f"{one.stored_at:%Y-%m-%d %H:%M}",
            f"{one.rows:,}",
            f"+{one.changed.added:,} -{one.changed.removed:,}",
            f"{one.first:%Y-%m-%d}",
            f"{one.last:%Y-%m-%d}",
            one.digest[:12] if one.present else "compacted away",
        ]
        for name, all_ in versions.items()
        for one in all_
    ]
    if rows:
        heads = ["source", "version", "how", "stored (UTC)", "events", "changed", "first", "last", "digest"]
        print_table(heads, rows)
    else:
        say("nothing is stored yet")


def print_parity(report: ParityReport) -> None:
    """One line, and one a feature that differs."""
    verdict = "equal" if report.equal else "NOT equal"
    say(
        f"online and offline are {verdict} at {report.as_of:%Y-%m-%d %H:%M} UTC: {report.compared:,} entities"
    )
    if report.missing:
        say(f"  {report.missing:,} are not online")
    for name, count in sorted(report.differing.items()):
        say(f"  {name} differs in {count:,}")


def _looks_at(feature: Any, ttl: Any) -> str:  # Any: aggregates and latest values have no common base
    if feature.kind == "latest":
        return f"the newest row{f', at most {in_words(ttl)} old' if ttl else ''}"
    parts = [f"last {in_words(feature.window)}" if feature.window else "all"]
    if feature.offset:
        parts.append(f"until {in_words(feature.offset)} ago")
    parts += [f"{one.column} {one.operator} {one.value!r}" for one in feature.conditions]
    return ", ".join(parts)


def _id(key: Key) -> str:
    return ",".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _cell(value: float | None) -> str:
    return "null" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
