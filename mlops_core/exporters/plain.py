"""The plain values (dicts, lists, texts, numbers) of a text in YAML or JSON, and nothing else.

YAML is read by its 1.2 core schema, as editors do: `on` and `1998-06-30` are texts. No tag makes an object;
aliases are followed, but what they stand for counts each time, so that a few lines cannot become gigabytes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RESOLVED", "plain_of"]

_CHARACTERS, _VALUES, _DEPTH = 1_000_000, 100_000, 30
_TAG = "tag:yaml.org,2002:"
RESOLVED = {  # what a plain scalar is read as; anything else is a text
    "null": (r"^(?:null|Null|NULL|~|)$", [*"nN~", ""]),
    "bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", [*"tTfF"]),
    "int": (r"^-?(?:0|[1-9][0-9]{0,308})$", [*"-0123456789"]),
    "float": (r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", [*"-0123456789"]),
}
"""By the tag's last word: its pattern, and the characters that it may begin with, as PyYAML wants them."""
_READ: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    "str": str,
}


def plain_of(text: str, where: str) -> Any:
    """The value that `text` says; `where` names it in messages.

    Raises `BadInput`, with line and column, for what is neither YAML nor JSON, for a key that is there
    twice or is no text, for tags, and for what is too large or too deep.
    """
    if len(text) > _CHARACTERS:
        raise BadInput(f"{where}: expected at most {_CHARACTERS:,} characters, got {len(text):,}")
    try:
        found = json.loads(
            text, object_pairs_hook=lambda pairs: _unique(pairs, where), parse_constant=_refuse
        )
        return _shallow(found, where)
    except (json.JSONDecodeError, _NotPlain, RecursionError):
        pass  # YAML's reader says what is wrong, and where
    try:
        node = yaml.compose(text, Loader=_Loader)
        return _Reader(where).value(node, 0) if node is not None else None
    except yaml.MarkedYAMLError as error:
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise BadInput(f"{where}{_at(error.problem_mark or error.context_mark)}: no YAML: {said}") from error
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"{where}: no YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise _too_deep(where) from error


def _too_deep(where: str) -> BadInput:
    return BadInput(f"{where}: expected at most {_DEPTH} levels, got more")


def _shallow(value: Any, where: str, depth: int = 0) -> Any:
    """The value itself. Raises `BadInput` where it is too deep."""
    if depth > _DEPTH:
        raise _too_deep(where)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _shallow(one, where, depth + 1)
    return value


class _NotPlain(Exception):
    pass


def _refuse(name: str) -> Any:
    raise _NotPlain(name)


def _unique(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(f"{where}: the key {key!r} is there twice: keep one of them")
        found[key] = value
    return found


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own name and way


for _tag, (_pattern, _first) in RESOLVED.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_tag}", re.compile(_pattern), _first)


class _Reader:
    """Walks the nodes; each visit counts, also of a node that was seen before."""

    def __init__(self, where: str) -> None:
        self._where, self._left = where, _VALUES

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            limit = f"{_DEPTH} levels" if depth > _DEPTH else f"{_VALUES:,} values, aliases followed"
            raise self._fault(node, f"expected at most {limit}, got more")
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.value(one, depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.ScalarNode) and kind in _READ:
            if kind in RESOLVED and not re.match(RESOLVED[kind][0], node.value):  # a tag says that it is
                raise self._fault(node, f"{node.value!r} is no {kind}")
            return _READ[kind](node.value)
        raise self._fault(node, f"expected no tag, got {node.tag!r}: leave it away")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, one in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_TAG}str":
                shown = repr(key.value) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise self._fault(key, f"expected a text as key, got {shown}: put it in quotes")
            if key.value in found:
                raise self._fault(key, f"the key {key.value!r} is there twice: keep one of them")
            found[key.value] = self.value(one, depth + 1)
        return found

    def _fault(self, node: yaml.Node, said: str) -> BadInput:
        return BadInput(f"{self._where}{_at(node.start_mark)}: {said}")


def _at(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
