"""One source file as its top-level definitions; nothing of it is imported or run."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_core.errors import DefinitionError
from mlops_core.provenance.imports import Import, imports_of
from mlops_core.provenance.syntax import Syntax, is_idle, name_chain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["AT_IMPORT", "SourceFile"]

AT_IMPORT = "<module>"
"""The name under which all that a module runs when it is imported counts, but for its definitions."""

_DEFINE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ASSIGN = (ast.Assign, ast.AnnAssign, ast.AugAssign)
_TYPE_ALIAS: type[ast.AST] | tuple[()] = getattr(ast, "TypeAlias", ())  # `type X = …`, from Python 3.12 on
_EXPORTS = "__all__"  # only a star import and readers look at it


class SourceFile:
    """The definitions of the module `name` in a file: functions, classes, assignments and type aliases.

    What is defined twice is one definition of both. `__all__` is none. All else that runs at import (a bare
    call, if, for, try, `table["key"] = …`) is together the definition `AT_IMPORT`, and what is given a name
    there is called that. A block `if TYPE_CHECKING:` gives names only, no code. Raises `DefinitionError`,
    naming file and line, for what is no Python and for a star import.
    """

    def __init__(self, name: str, path: Path | None) -> None:
        self.name = name
        self.path = path
        self.is_package = path is None or path.name == "__init__.py"
        self.package = name if self.is_package else name.rpartition(".")[0]
        self.imports: dict[str, list[Import]] = {}
        """What names of the module stand for, by name."""
        self.loads: list[Import] = []
        """The modules it imports whole, perhaps for what they do when they are imported."""
        self._run: dict[str, list[ast.stmt]] = {}
        self._named: dict[str, list[ast.stmt]] = {}  # in a block for type checkers
        self._at_import: set[str] = set()
        self._syntax: dict[str, Syntax] = {}
        for statement in self._parsed():
            self._take(statement)

    @property
    def names(self) -> set[str]:
        """All definitions."""
        return {*self._run, *self._named}

    @property
    def runs(self) -> bool:
        """Whether it does anything at import beside defining."""
        return AT_IMPORT in self._run

    def defining(self, name: str) -> str | None:
        """The definition that gives `name` its meaning, which is `AT_IMPORT` for what is named there."""
        if name in self._run or name in self._named:
            return name
        return AT_IMPORT if name in self._at_import else None

    @cached_property
    def decorated(self) -> dict[str, Syntax]:
        """What the decorators of its functions and classes say, by the name of what they decorate."""
        return {
            name: Syntax.of(decorators, self.package)
            for name, statements in self._run.items()
            if (decorators := [one for each in statements for one in getattr(each, "decorator_list", ())])
        }

    def syntax(self, name: str) -> Syntax:
        """What a definition says; its text is that of the code that runs."""
        if name not in self._syntax:
            self._syntax[name] = self._of(name)
        return self._syntax[name]

    def refusal(self, line: int, problem: str) -> DefinitionError:
        """An error about a line of the file."""
        return DefinitionError(f"{self.path}:{line}: {problem}")

    def _of(self, name: str) -> Syntax:
        runs = self._read(self._run.get(name, ()))
        names = self._read(self._named.get(name, ()))
        mentions = {**names.mentions, **runs.mentions}
        return Syntax(runs.text, mentions, runs.local | names.local, runs.imports)

    def _read(self, statements: Iterable[ast.stmt]) -> Syntax:
        statements = list(statements)
        try:
            return Syntax.of(statements, self.package)
        except ValueError as error:
            raise self.refusal(statements[0].lineno, str(error)) from error

    def _parsed(self) -> list[ast.stmt]:
        if self.path is None:
            return []
        try:
            return ast.parse(self.path.read_bytes(), self.path).body
        except SyntaxError as error:
            raise self.refusal(error.lineno or 0, f"this Python cannot read it: {error.msg}") from error
        except (OSError, ValueError) as error:
            raise DefinitionError(f"{self.path} cannot be read: {error}") from error

    def _take(self, statement: ast.stmt, *, runs: bool = True) -> None:
        """File a statement of the module, or of its block for type checkers (which does not run)."""
        if is_idle(statement):
            return
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._bind(statement)
            if runs and isinstance(statement, ast.Import):
                self.loads.extend(imports_of(statement, self.package))
        elif isinstance(statement, ast.If) and _for_type_checkers(statement.test):
            for inner in statement.body:
                self._take(inner, runs=False)
            for inner in statement.orelse:
                self._take(inner, runs=runs)
        else:
            self._define(statement, self._run if runs else self._named)

    def _define(self, statement: ast.stmt, into: dict[str, list[ast.stmt]]) -> None:
        if isinstance(statement, _DEFINE):
            names = {statement.name}
        elif isinstance(statement, _ASSIGN) or (_TYPE_ALIAS and isinstance(statement, _TYPE_ALIAS)):
            names = _written(statement)
        else:
            names = set()
        for name in names - {_EXPORTS}:
            into.setdefault(name, []).append(statement)
        if not names or _changes_something(statement):
            into.setdefault(AT_IMPORT, []).append(statement)
            self._bind_within(statement)

    def _bind(self, statement: ast.Import | ast.ImportFrom) -> None:
        try:
            for one in imports_of(statement, self.package):
                self.imports.setdefault(one.name, []).append(one)
        except ValueError as error:
            raise self.refusal(statement.lineno, str(error)) from error

    def _bind_within(self, statement: ast.AST) -> None:
        """The names that a compound statement gives to things of the module, not of a function in it."""
        self._at_import |= _written(statement, within=False)
        for inner in ast.iter_child_nodes(statement):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                self._bind(inner)
            elif isinstance(inner, _DEFINE):
                self._at_import.add(inner.name)
            else:
                self._bind_within(inner)


def _written(node: ast.AST, *, within: bool = True) -> set[str]:
    """Names that are assigned to in a node, or by the node itself."""
    found = set()
    for one in ast.walk(node) if within else [node]:
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
        elif isinstance(one, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and one.name:
            found.add(one.name)
        elif isinstance(one, ast.MatchMapping) and one.rest:
            found.add(one.rest)
    return found


def _changes_something(statement: ast.stmt) -> bool:
    """Whether an assignment is also one to an attribute or an item of something."""
    return isinstance(statement, _ASSIGN) and any(
        isinstance(one, ast.Attribute | ast.Subscript) and isinstance(one.ctx, ast.Store)
        for one in ast.walk(statement)
    )


def _for_type_checkers(test: ast.expr) -> bool:
    chain = name_chain(test)
    return chain is not None and chain[-1] == "TYPE_CHECKING"
