"""`mlops gc`: what no version, release or run refers to, and the removal of it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlops_core.commands.output import print_json, print_table, say
from mlops_core.commands.subject import engines_for
from mlops_core.errors import BadInput, DefinitionError, MlopsError, NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from mlops_core.domain.usecase import UseCase
    from mlops_core.retention import Found, Item

__all__ = ["add"]

_NOTHING = "nothing to remove: all that is old enough is referred to"
_SPAN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("gc", help="list, and remove, what no version, release or run refers to")
    parser.add_argument(
        "use_case", nargs="?", metavar="USE_CASE", help="such as churn; by default all there is"
    )
    parser.add_argument(
        "--older-than",
        default="1d",
        metavar="AGE",
        help="leave what was of use within this time: 30m, 12h, 7d or 0 (default: 1d)",
    )
    parser.add_argument("--remove", action="store_true", help="remove it; otherwise it is listed only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_gc)


def span_of(word: str) -> timedelta:
    """An age: a number with m, h, d or w; or 0. Raises `BadInput`."""
    matched = _SPAN.fullmatch(word)
    if matched is None and word != "0":
        raise BadInput(f"{word!r} is no age: give 30m, 12h, 7d, 2w or 0")
    return timedelta(seconds=int(matched["count"]) * _SECONDS[matched["unit"]] if matched else 0)


def _gc(arguments: argparse.Namespace) -> int:
    from mlops_core.retention import Retention, names_known

    older_than = span_of(arguments.older_than)
    engines = engines_for(arguments)
    known = names_known(engines)
    name, definitions = _named(arguments.use_case, known)
    retention = Retention(
        engines=engines, releases=engines.releases, models=engines.model_files, definitions=definitions
    )
    found = retention.garbage(name, older_than=older_than)
    if not arguments.remove:
        _tell([one.item for one in found], arguments, removed=False)
        return 0
    return _removed(found, arguments)


def _named(word: str | None, known: Sequence[str]) -> tuple[str | None, list[UseCase]]:
    """The name that is meant, and every use case that can be found: the one named and the bundled ones.

    A name without definitions that can be imported will do: a model can outlive them.
    """
    from mlops_core.usecases import find

    found: dict[str, UseCase] = {}
    for name in (*known, *([word] if word else [])):
        with suppress(NotFound, DefinitionError):
            found[name] = find(name)
    own = found.get(word) if word else None
    if word is not None and own is None and word not in known:
        find(word)  # raises, saying what there is
    return (own.name if own and word not in known else word), list(found.values())


def _removed(found: Sequence[Found], arguments: argparse.Namespace) -> int:
    """Remove one thing after the other; what the disk refuses ends it, once it is said what went."""
    gone: list[Item] = []
    left: list[Item] = []
    try:
        for one in found:
            (gone if one.remove() else left).append(one.item)
    except MlopsError:
        _tell(gone, arguments, removed=True)
        raise
    _tell(gone, arguments, removed=True, left=left)
    return 0


def _tell(
    items: Sequence[Item], arguments: argparse.Namespace, *, removed: bool, left: Sequence[Item] = ()
) -> None:
    from mlops_core.retention import totals

    total = {kind: one.model_dump() for kind, one in totals(items).items()}
    size = sum(one.size or 0 for one in items)
    if arguments.json:
        print_json(
            {
                "removed": removed,
                "items": [one.model_dump(mode="json") for one in items],
                "in_use_again": [one.model_dump(mode="json") for one in left],
                "totals": total,
                "size": size,
            }
        )
        return
    if items:
        print_table(["kind", "what", "size", "age", "why"], [_row(one) for one in items])
        say("")
    for one in left:
        say(f"left, being in use again: {one.what}")
    say(_last_words(items, size, removed=removed))


def _last_words(items: Sequence[Item], size: int, *, removed: bool) -> str:
    if not items:
        return "nothing was removed" if removed else _NOTHING
    count = f"{len(items):,} thing{'' if len(items) == 1 else 's'}, {_size(size)}"
    kinds = _counted(one.kind for one in items)
    if removed:
        return f"removed: {count} ({kinds})"
    return f"{count} in all ({kinds}); nothing was removed: run with --remove"


def _counted(kinds: Iterable[str]) -> str:
    all_ = list(kinds)
    return ", ".join(f"{all_.count(kind)} {kind}" for kind in dict.fromkeys(all_))


def _row(item: Item) -> list[str]:
    size = "-" if item.size is None else _size(item.size)
    age = "-" if item.age is None else _age(item.age)
    return [item.kind, item.what, size, age, item.why]


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:,.1f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def _age(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "0 s"
