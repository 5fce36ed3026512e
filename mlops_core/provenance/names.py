"""What the names in a package's sources stand for, found in the sources alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_core.provenance.definitions import AT_IMPORT, SourceFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from mlops_core.errors import DefinitionError
    from mlops_core.provenance.imports import Import
    from mlops_core.provenance.syntax import Chain, Syntax

__all__ = ["Names", "is_foreign"]

_FOREIGN = "="
_OF_EVERY_MODULE = frozenset(
    {"__builtins__", "__cached__", "__dict__", "__doc__", "__file__", "__loader__", "__name__"}
    | {"__package__", "__path__", "__spec__"}
)


def is_foreign(target: str) -> bool:
    """Whether a target is something that is not entered: of another package, or set aside."""
    return target.startswith(_FOREIGN)


class Names:
    """The names of the package `package`, whose folder is `root`.

    What a name stands for is a set of targets, since a name may be given in several places: definitions
    ("module:name"), modules ("module") and what is not entered ("=" and how it was imported), which is what
    other packages and the modules in `aside`, with all below them, have. Files are read when they are needed.
    """

    def __init__(self, root: Path, package: str, aside: Collection[str]) -> None:
        self._root = root
        self._package = package
        self._aside = tuple(sorted(aside))
        self._files: dict[str, SourceFile | None] = {}
        self._found: dict[tuple[str, str], frozenset[str] | None] = {}

    def enters(self, module: str) -> bool:
        """Whether a module is of the package and not set aside."""
        return _is_below(module, self._package) and not any(_is_below(module, one) for one in self._aside)

    def file(self, module: str) -> SourceFile | None:
        """The source of a module; None when there is none."""
        if module not in self._files:
            self._files[module] = self._opened(module)
        return self._files[module]

    def of_module(self, module: str, name: str) -> frozenset[str] | None:
        """What `name` stands for in a module; None when it has no such name."""
        asked = (module, name)
        if asked not in self._found:
            self._found[asked] = self._looked_up(module, name, ())
        return self._found[asked]

    def of_chain(self, file: SourceFile, syntax: Syntax, chain: Chain, line: int) -> frozenset[str]:
        """What a chain stands for in a definition of a file; nothing for builtins and local variables.

        Raises `DefinitionError` when it asks a module of the package for what that has not.
        """
        name, *attributes = chain
        found = set(self.of_module(file.name, name) or ()) if self._is_known(file, name) else set()
        for one in syntax.imports:
            if one.name == name:
                found |= self._imported(one, file, ())
        for attribute in attributes:
            modules = {one for one in found if ":" not in one and not is_foreign(one)}
            for module in modules:
                inner = self.of_module(module, attribute)
                if (
                    inner is None and name not in syntax.local
                ):  # else the variable may be meant, not the module
                    raise self._missing(file, line, module, attribute)
                if inner is not None:
                    found.discard(module)
                    found |= inner
            if not modules:
                break
        return frozenset(found)

    def loaded(self, imports: Iterable[Import], file: SourceFile) -> set[str]:
        """What runs when the modules of these imports are loaded."""
        found = set()
        for one in imports:
            if self.enters(one.loads):
                there = self.file(one.loads)
                if there is None:
                    raise self._missing(file, one.line, *_parted(one.loads))
                if there.runs:
                    found.add(f"{one.loads}:{AT_IMPORT}")
        return found

    def _is_known(self, file: SourceFile, name: str) -> bool:
        return file.defining(name) is not None or name in file.imports

    def _looked_up(self, module: str, name: str, asked: tuple[tuple[str, str], ...]) -> frozenset[str] | None:
        """`asked` are the names that this one was asked for, so that imports in a circle end."""
        file = self.file(module)
        if file is None:
            return None
        found = set()
        defining = file.defining(name)
        if defining is not None:
            found.add(f"{module}:{defining}")
        for one in file.imports.get(name, ()):
            if (one.module, one.attribute) not in asked:
                found |= self._imported(one, file, (*asked, (module, name)))
            if file.runs:
                found.add(f"{module}:{AT_IMPORT}")
        if found:
            return frozenset(found)
        below = f"{module}.{name}"
        if not self.enters(below):
            return frozenset({f"{_FOREIGN}{below}"})
        if self.file(below) is not None:
            return frozenset({below})
        if name in _OF_EVERY_MODULE:
            return frozenset()
        return frozenset({f"{module}:__getattr__"}) if "__getattr__" in file.names else None

    def _imported(self, one: Import, file: SourceFile, asked: tuple[tuple[str, str], ...]) -> frozenset[str]:
        """What an import in a file stands for."""
        whole = one.module if one.attribute is None else f"{one.module}.{one.attribute}"
        if not self.enters(one.module) or not self.enters(whole):
            said = one.module if one.attribute is None else f"{one.module}:{one.attribute}"
            return frozenset({f"{_FOREIGN}{said}"})
        if one.attribute is None:
            if self.file(one.module) is None:
                raise self._missing(file, one.line, *_parted(one.module))
            return frozenset({one.module})
        found = self._looked_up(one.module, one.attribute, asked)
        if found is None:
            raise self._missing(file, one.line, one.module, one.attribute)
        return found

    def _missing(self, file: SourceFile, line: int, module: str, name: str) -> DefinitionError:
        return file.refusal(
            line,
            f"{module} has no {name!r}: it neither defines nor imports that, and there is no module "
            f"{module}.{name}. What a stage uses cannot be told; correct the name or the import",
        )

    def _opened(self, module: str) -> SourceFile | None:
        if not self.enters(module):
            return None
        place = self._root.joinpath(*module.split(".")[self._package.count(".") + 1 :])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                return SourceFile(module, path)
        return SourceFile(module, None) if place.is_dir() else None


def _is_below(module: str, above: str) -> bool:
    return module == above or module.startswith(f"{above}.")


def _parted(module: str) -> tuple[str, str]:
    above, _, name = module.rpartition(".")
    return above, name
