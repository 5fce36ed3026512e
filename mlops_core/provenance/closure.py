"""What a definition uses, transitively: itself, what it names, what that names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.domain.digest import digest_of
from mlops_core.errors import DefinitionError
from mlops_core.provenance.definitions import AT_IMPORT
from mlops_core.provenance.names import Names, is_foreign

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from mlops_core.provenance.definitions import SourceFile

__all__ = ["SourceTree"]

_DIGITS = 16


class SourceTree:
    """The sources of `package` in the folder `root`, read as text: nothing of them is imported.

    A definition uses whatever it mentions (`mlops_core.provenance.syntax`), wherever in the package that is
    defined; what its module, and the packages that hold it, run when they are imported; and what its module
    gives to a decorator of the package, which may enter it into a table. Modules in `aside`, and all below
    them, are not entered. What no name leads to is not seen: what is found by a string (`import_module`,
    `getattr` on a module), what a value's class is where no annotation says it, and what a module that is
    imported by `from` for its effects alone does. Give such things as roots.

    The digest of a definition covers its own text and, of the names in it that were imported, what they stand
    for. So a helper that moves is a change; whoever imports it from another place that hands it on is none.
    """

    def __init__(self, root: Path, package: str, *, aside: Collection[str] = ()) -> None:
        self.root = root
        self.package = package
        self.aside = frozenset(aside)
        self._names = Names(root, package, aside)
        self._digests: dict[str, str] = {}
        self._uses: dict[str, frozenset[str]] = {}
        self._always: dict[str, frozenset[str]] = {}

    def used_by(self, *roots: str) -> dict[str, str]:
        """Every definition that the roots use, sorted, as "module:name", and its digest (16 hex digits).

        A root is "module:name", or a module alone for all its definitions. Raises `DefinitionError` for a
        root that is not there, and, naming file and line, where it cannot be told what is used.
        """
        open_ends = [one for root in roots for one in self._rooted(root)]
        seen: set[str] = set()
        while open_ends:
            one = open_ends.pop()
            if one not in seen:
                seen.add(one)
                open_ends.extend(self._used(one) - seen)
        return {one: self._digests[one] for one in sorted(seen)}

    def _rooted(self, root: str) -> frozenset[str]:
        module, _, name = root.partition(":")
        found = self._names.of_module(module, name) if name else None
        if not name and self._names.file(module) is not None:
            found = frozenset({module})
        if found is None:
            raise DefinitionError(
                f"{root} is not in {self.root}: name a definition of {self.package} as module:name, "
                "or a module that is not set aside"
            )
        return self._entered(found)

    def _used(self, definition: str) -> frozenset[str]:
        """What one definition uses directly; its digest is known afterwards."""
        if definition not in self._uses:
            module, _, name = definition.partition(":")
            self._uses[definition] = self._read(self._file(module), name) | self._always_used(module)
        return self._uses[definition]

    def _read(self, file: SourceFile, name: str) -> frozenset[str]:
        syntax = file.syntax(name)
        found = self._names.loaded(syntax.imports, file)
        bound: dict[str, list[str]] = {}
        for chain, line in syntax.mentions.items():
            targets = self._names.of_chain(file, syntax, chain, line)
            found |= targets
            if targets - {f"{file.name}:{chain[0]}"}:
                bound[".".join(chain)] = sorted(targets)
        self._digests[f"{file.name}:{name}"] = digest_of([syntax.text, bound])[:_DIGITS]
        return self._entered(frozenset(found))

    def _always_used(self, module: str) -> frozenset[str]:
        """What each definition of a module uses because it is there."""
        if module not in self._always:
            file = self._file(module)
            found = self._names.loaded(file.loads, file) | self._entered_in_tables(file)
            found |= {f"{one}:{AT_IMPORT}" for one in _with_packages(module) if self._runs(one)}
            self._always[module] = frozenset(found)
        return self._always[module]

    def _entered_in_tables(self, file: SourceFile) -> set[str]:
        """Definitions with a decorator of the package."""
        found = set()
        for name, syntax in file.decorated.items():
            for chain, line in syntax.mentions.items():
                targets = self._names.of_chain(file, syntax, chain, line)
                if any(not is_foreign(one) for one in targets):
                    found.add(f"{file.name}:{name}")
        return found

    def _entered(self, targets: frozenset[str]) -> frozenset[str]:
        """Targets as definitions: of a module used as a whole, all."""
        return frozenset(inner for one in targets for inner in self._definitions(one))

    def _definitions(self, target: str) -> Iterator[str]:
        if ":" in target and not is_foreign(target):
            yield target
        elif not is_foreign(target):
            file = self._file(target)
            for name in file.names:
                yield f"{target}:{name}"

    def _file(self, module: str) -> SourceFile:
        file = self._names.file(module)
        if file is None:
            raise DefinitionError(f"{self.root} has no module {module}")
        return file

    def _runs(self, module: str) -> bool:
        file = self._names.file(module)
        return file is not None and file.runs


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
