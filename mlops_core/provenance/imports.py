"""Import statements as bindings: which name stands for what."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Import", "imports_of"]


@dataclass(frozen=True, kw_only=True)
class Import:
    """`name` stands for the module `module`, or for `attribute` of it; `line` is where that is said.

    `loads` is the module that is run for it, unless another name of the statement says so.
    """

    name: str
    module: str
    attribute: str | None
    loads: str
    line: int


def imports_of(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[Import]:
    """The bindings of one statement in a module of `package` (of a package's `__init__`: itself).

    Raises `ValueError` for a star, which does not say what it binds.
    """
    line = statement.lineno
    if isinstance(statement, ast.ImportFrom):
        module = _absolute(statement, package)
        for one in statement.names:
            if one.name == "*":
                raise ValueError(f"`from {module} import *` does not say what it binds: name what is used")
            name = one.asname or one.name
            yield Import(name=name, module=module, attribute=one.name, loads=module, line=line)
        return
    for one in statement.names:
        # `import a.b` binds `a`, `import a.b as c` binds `c` to a.b
        name, module = (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
        yield Import(name=name, module=module, attribute=None, loads=one.name, line=line)


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base)
