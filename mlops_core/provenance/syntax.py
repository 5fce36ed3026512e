"""The canonical text of some statements, and the names they mention: both from one walk over their tree.

Two pieces of source have the same text when they differ in nothing that is run: comments, docstrings (any
constant that stands alone), blank lines, line breaks, quotes, brackets, the order of imports side by side.
The text is the tree's, written here and not by `ast.dump` or `ast.unparse`, so that it does not depend on the
version of Python: fields that are empty or that a later version added without a value are left out, and the
literal parts of an f-string, which versions cut differently, are joined.

**Mentions** are the names that are read, with the attributes read from them (`np.linalg.norm` is one mention
of three parts), wherever they stand: in code, decorators, defaults, annotations, and in strings where typing
takes a string for a type. No scope is looked at: a local variable called like something global counts as a
mention of that, so more may count as used than is, never less.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_core.provenance.imports import Import, imports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Chain", "Syntax", "is_idle", "name_chain"]

Chain = tuple[str, ...]
"""A name and the attributes that are read from it, in order."""

_BODIES = frozenset({"body", "orelse", "finalbody"})
_TYPES = frozenset({"annotation", "returns"})
# The context of a name (read, written) shows by where it stands; a string's prefix is no part of its value.
_LEFT_OUT = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_BINDING = frozenset({"name", "arg", "rest"})
_TAKE_STRINGS_FOR_TYPES = frozenset({"cast", "TypeVar"})


@dataclass(frozen=True)
class Syntax:
    """What some statements say.

    `mentions` has the line of the first mention of each chain, `local` the names that they bind themselves,
    `imports` those of the import statements inside them.
    """

    text: str
    mentions: dict[Chain, int]
    local: frozenset[str]
    imports: tuple[Import, ...]

    @classmethod
    def of(cls, nodes: Iterable[ast.AST], package: str) -> Syntax:
        """Of statements or parts of them, in a module of `package`. Raises `ValueError` for a star import."""
        walk = _Walk(package)
        for node in nodes:
            walk.node(node)
        return cls("".join(walk.parts), walk.mentions, frozenset(walk.local), tuple(walk.imports))


def is_idle(statement: ast.stmt) -> bool:
    """Whether a statement does nothing: a docstring, any other constant on its own, `pass`."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def name_chain(node: ast.AST) -> Chain | None:
    """`a.b.c` as its parts; None for what does not begin with a name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else None


@dataclass
class _Walk:
    package: str
    parts: list[str] = field(default_factory=list)
    mentions: dict[Chain, int] = field(default_factory=dict)
    local: set[str] = field(default_factory=set)
    imports: list[Import] = field(default_factory=list)
    _in_type: bool = False

    def node(self, node: ast.AST) -> None:
        special = _SPECIAL.get(type(node))
        if special is None:
            self._plain(node)
        else:
            special(self, node)

    def _plain(self, node: ast.AST) -> None:
        kind = type(node)
        self.parts.append(f"{kind.__name__}(")
        for name in kind._fields:
            value = None if name in _LEFT_OUT else getattr(node, name, None)
            if name in _BODIES and isinstance(value, list):
                value = _in_order(one for one in value if not is_idle(one))
            if value is None or value == []:
                continue
            self.parts.append(f"{name}=")
            if name in _TYPES:
                self._type(value)
            else:
                self._value(value)
            if name in _BINDING and isinstance(value, str) and kind is not ast.keyword:
                self.local.add(value)
        self.parts.append(")")

    def _value(self, value: object) -> None:
        if isinstance(value, ast.AST):
            self.node(value)
        elif isinstance(value, list):
            self.parts.append("[")
            for (
                one
            ) in value:  # None among them stands for a place: a default that is not there, `**` in a dict
                self._value(one)
                self.parts.append(",")
            self.parts.append("]")
        else:
            self.parts.append(repr(value))

    def _type(self, value: ast.AST) -> None:
        before, self._in_type = self._in_type, True
        self.node(value)
        self._in_type = before

    def _name(self, node: ast.Name) -> None:
        self.parts.append(f"Name({node.id})")
        if isinstance(node.ctx, ast.Load):
            self.mentions.setdefault((node.id,), node.lineno)
        else:
            self.local.add(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        chain = name_chain(node)
        if chain is None:
            self.node(node.value)
            self.parts.append(f".{node.attr}")
        else:
            self.mentions.setdefault(chain, node.lineno)
            self.parts.append(f"Name({'.'.join(chain)})")

    def _constant(self, node: ast.Constant) -> None:
        self.parts.append(f"{type(node.value).__name__}({node.value!r})")
        if self._in_type and isinstance(node.value, str):
            self._string_type(node.value, node.lineno)

    def _call(self, node: ast.Call) -> None:
        self._plain(node)
        called = name_chain(node.func)
        if called is not None and called[-1] in _TAKE_STRINGS_FOR_TYPES:
            for one in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    self._string_type(one.value, one.lineno)

    def _string_type(self, text: str, line: int) -> None:
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError):  # not a type: the text of a Literal, or of Annotated
            return
        inside = _Walk(self.package)
        inside.node(tree)
        for chain in inside.mentions:
            self.mentions.setdefault(chain, line)

    def _joined(self, node: ast.JoinedStr) -> None:
        self.parts.append("JoinedStr(")
        text = ""
        for one in node.values:
            if isinstance(one, ast.Constant):
                text += str(one.value)
            else:
                self.parts.append(repr(text))
                text = ""
                self.node(one)
        self.parts.append(f"{text!r})")

    def _formatted(self, node: ast.FormattedValue) -> None:
        self.parts.append(f"FormattedValue({node.conversion},")
        self.node(node.value)
        spec = node.format_spec
        if isinstance(spec, ast.JoinedStr) and any(
            not isinstance(one, ast.Constant) or one.value for one in spec.values
        ):
            self.node(spec)
        self.parts.append(")")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self._plain(node)
        self.imports.extend(imports_of(node, self.package))


def _in_order(statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Statements of a body, its imports that stand side by side cut into one name each and sorted."""
    ordered: list[ast.stmt] = []
    beside: list[ast.Import | ast.ImportFrom] = []
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            beside.extend(_cut(statement))
        else:
            ordered += [*sorted(beside, key=_sorted_by), statement]
            beside = []
    return [*ordered, *sorted(beside, key=_sorted_by)]


def _cut(statement: ast.Import | ast.ImportFrom) -> list[ast.Import | ast.ImportFrom]:
    if isinstance(statement, ast.Import):
        return [ast.copy_location(ast.Import(names=[one]), statement) for one in statement.names]
    module, level = statement.module, statement.level
    return [
        ast.copy_location(ast.ImportFrom(module=module, names=[one], level=level), statement)
        for one in statement.names
    ]


def _sorted_by(statement: ast.Import | ast.ImportFrom) -> tuple[str, ...]:
    module = statement.module if isinstance(statement, ast.ImportFrom) else None
    (one,) = statement.names
    return (type(statement).__name__, module or "", one.name, one.asname or "")


# Any: each takes its own kind of node.
_SPECIAL: dict[type[ast.AST], Callable[[_Walk, Any], None]] = {
    ast.Attribute: _Walk._attribute,
    ast.Call: _Walk._call,
    ast.Constant: _Walk._constant,
    ast.FormattedValue: _Walk._formatted,
    ast.Import: _Walk._import,
    ast.ImportFrom: _Walk._import,
    ast.JoinedStr: _Walk._joined,
    ast.Name: _Walk._name,
}
