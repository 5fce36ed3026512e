"""Ids of entities as words on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.online import Key

__all__ = ["add_ids", "keys_of_words"]


def add_ids(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add `--id`, which may be given several times and takes several words each time."""
    parser.add_argument(
        "--id",
        dest="ids",
        nargs="+",
        action="extend",
        required=required,
        metavar="ID",
        help="ids of entities; whole numbers are integers, in double quotes of their own ('\"1\"') texts; "
        "the parts of a composite key are separated by commas (7,web)",
    )


def keys_of_words(words: Sequence[str], columns: Sequence[str]) -> list[Key]:
    """The ids as keys of an entity with these key columns. Raises `BadInput` for too few or many parts."""
    return [_key(word, columns) for word in words]


def _key(word: str, columns: Sequence[str]) -> Key:
    if len(columns) == 1:
        return _part(word)
    parts = word.split(",")
    if len(parts) != len(columns):
        raise BadInput(
            f"an id has {len(parts)} parts, the entity's key has {len(columns)} ({', '.join(columns)}): "
            "separate them by commas"
        )
    return tuple(_part(part) for part in parts)


def _part(word: str) -> int | str:
    if not word:
        raise BadInput("an id is empty: give ids after --id")
    if len(word) > 1 and word[0] == word[-1] == '"':
        return word[1:-1]
    try:
        return int(word)
    except ValueError:
        return word
