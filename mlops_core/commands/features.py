"""`mlops features …`: definitions, events, online values, and whether they agree."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_core.commands import feature_tables as tables
from mlops_core.commands.ids import add_ids, keys_of_words
from mlops_core.commands.output import print_json, say
from mlops_core.commands.times import day_of, instant_of
from mlops_core.domain.time import in_words
from mlops_core.errors import BadInput, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.sources import Data
    from mlops_core.feature_store import FeatureStore

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb and its sub-commands."""
    parser = verbs.add_parser("features", help="the feature store: definitions, events, online values")
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def action(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        aliases = ["materialize"] if name == "materialise" else []  # as the flow and Feast spell it
        made: argparse.ArgumentParser = actions.add_parser(name, help=text, aliases=aliases)
        made.add_argument("use_case", metavar="USE_CASE", help="such as churn, or module:ATTRIBUTE")
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(command=command)
        return made

    action("list", _list, "views, features and services")
    show = action("show", _show, "one feature, view, source or service")
    show.add_argument("name", metavar="NAME")
    validate = action("validate", _validate, "check events against contract and rules; stores nothing")
    materialise = action("materialise", _materialise, "bring events in and online values up to date")
    materialise.set_defaults(log=logging.INFO)
    materialise.add_argument("--as-of", metavar="YYYY-MM-DD", help="last day that may be known")
    materialise.add_argument("--anew", action="store_true", help="write all online values again")
    upsert = action("upsert", _upsert, "add rows to a source that appends; online values stay")
    for one in (validate, materialise, upsert):
        _add_data(one)
    get = action("get", _get, "an entity's online values, or with --at those of an earlier time")
    get.add_argument("--at", metavar="TIME", help="point-in-time read at this date or time")
    get.add_argument("--as-known-at", metavar="TIME", help="… by what was known then")
    add_ids(get)
    action("history", _history, "every version of the events that are stored")
    expire = action("expire", _expire, "let go of rows that no feature can see any more")
    expire.add_argument("--before", required=True, metavar="YYYY-MM-DD", help="the first day asked about")
    expire.add_argument("--compact", action="store_true", help="also remove the events of earlier versions")
    verify = action("verify", _verify, "compare online values with history")
    verify.add_argument("--sample", default="200", metavar="N", help="entities to look at (200)")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="[SOURCE=]PATH",
        help="events: a file, folder or glob; once a source. Default: what the use case names",
    )
    parser.add_argument(
        "--quarantine", type=Path, metavar="FOLDER", help="set broken rows aside in FOLDER/<source>.parquet"
    )


def _list(arguments: argparse.Namespace) -> int:
    use_case = _store(arguments).use_case
    if arguments.json:
        print_json(tables.listed(use_case))
    else:
        tables.print_list(use_case)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    print_json(tables.shown(_store(arguments).use_case, arguments.name))
    return 0


def _validate(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    found = store.validate(_data(arguments, store), quarantine=arguments.quarantine)
    if arguments.json:
        print_json({name: one.model_dump(mode="json") for name, one in found.items()})
        return 0
    for name, one in found.items():
        say(f"{name}: {one.rows:,} rows keep the contract and every rule{_aside(one.quarantined, arguments)}")
    return 0


def _materialise(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    as_of = day_of(arguments.as_of) if arguments.as_of else None
    data = _data(arguments, store)
    receipt = store.materialise(data, as_of=as_of, quarantine=arguments.quarantine, anew=arguments.anew)
    state = store.online_state()
    if arguments.json:
        print_json(receipt.model_dump(mode="json"))
        return 0
    for name, log in receipt.events.items():
        held = store.history()[name][-1]
        say(
            f"{name}: {log.rows:,} events of {log.entities:,} entities, {log.first:%Y-%m-%d} to "
            f"{log.last:%Y-%m-%d}{_aside(held.quarantined, arguments)}"
        )
        if held.late_by is not None:
            share, late_by = held.late / held.rows, in_words(held.late_by)
            say(f"  {share:.1%} of them were recorded after they happened, by {late_by} in the median")
    if state is not None:
        later = " (a later run's)" if state.as_of > receipt.as_of else ""
        say(f"online: {state.rows:,} entities as of {state.as_of:%Y-%m-%d %H:%M} UTC{later}")
    return 0


def _upsert(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    data = _data(arguments, store)
    if not data:
        raise BadInput("upsert needs rows to add: give them with --data [SOURCE=]PATH")
    versions = {
        name: store.upsert(name, one, quarantine=_of_source(arguments.quarantine, name))
        for name, one in data.items()
    }
    if arguments.json:
        print_json({name: one.model_dump(mode="json") for name, one in versions.items()})
        return 0
    for name, one in versions.items():
        say(f"{name}: version {one.number} holds, {one.rows:,} events{_aside(one.quarantined, arguments)}")
    return 0


def _get(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    keys = keys_of_words(arguments.ids, store.use_case.entity.keys)
    if arguments.at is None and arguments.as_known_at is not None:
        raise BadInput("--as-known-at says by what was known; give --at to say at what time")
    if arguments.at is None:
        found = tables.online_values(store, keys)
    else:
        known = instant_of(arguments.as_known_at) if arguments.as_known_at else None
        found = tables.values_at(store, keys, instant_of(arguments.at), known)
    if arguments.json:
        print_json(found)
    else:
        tables.print_values(found, store.use_case)
    unknown = sum(one["features"] is None for one in found["entities"])
    if unknown:
        raise NotFound(
            f"{unknown} of {len(keys)} ids have no features of {store.use_case.name}. "
            'Ids are typed, "1" is not 1'
        )
    return 0


def _history(arguments: argparse.Namespace) -> int:
    versions = _store(arguments).history()
    if arguments.json:
        print_json({name: [one.model_dump(mode="json") for one in all_] for name, all_ in versions.items()})
    else:
        tables.print_history(versions)
    return 0


def _expire(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    before = {name: versions[-1].rows for name, versions in store.history().items() if versions}
    held = store.expire(day_of(arguments.before), compact=arguments.compact)
    if arguments.json:
        print_json({name: one.model_dump(mode="json") for name, one in held.items()})
        return 0
    for name, one in held.items():
        say(f"{name}: {before[name] - one.rows:,} rows went, {one.rows:,} stay (version {one.number})")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    report = _store(arguments).verify(sample=_count(arguments.sample))
    if arguments.json:
        print_json(report.model_dump(mode="json") | {"equal": report.equal})
    else:
        tables.print_parity(report)
    return 0 if report.equal else 1


def _store(arguments: argparse.Namespace) -> FeatureStore:
    from mlops_core.feature_store import FeatureStore
    from mlops_core.settings import Settings
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    return FeatureStore(find(arguments.use_case), ConfiguredEngines(Settings.load()))


def _data(arguments: argparse.Namespace, store: FeatureStore) -> dict[str, Data]:
    """`PATH` is of the label's source, `SOURCE=PATH` of the one named."""
    found: dict[str, Data] = {}
    for word in arguments.data:
        name, equals, path = word.partition("=")
        if not equals or "/" in name:
            name, path = store.use_case.label.source, word
        if name in found:
            raise BadInput(f"--data gives events of source {name!r} twice: once is enough")
        found[name] = Path(path)
    return found


def _of_source(folder: Path | None, name: str) -> Path | None:
    return folder / f"{name}.parquet" if folder else None


def _aside(count: int, arguments: argparse.Namespace) -> str:
    return f"; {count:,} rows were set aside in {arguments.quarantine}" if count else ""


def _count(word: str) -> int:
    if not word.isdecimal() or int(word) == 0:
        raise BadInput(f"{word!r} is no number of entities: give 1 or more")
    return int(word)
