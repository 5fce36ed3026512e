"""The code behind each stage's result, by what the stage uses: what else changes, changes no result."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mlops_core.disk import replace_file
from mlops_core.domain.digest import digest_file, digest_of
from mlops_core.errors import NotFound
from mlops_core.provenance.closure import SourceTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["STAGES", "Code", "changed"]

STAGES: Mapping[str, tuple[str, ...]] = {
    "feature_store": ("offline",),
    "feature_verification": ("offline",),
    "training_set": ("offline",),
    "model_training": ("trainer",),
    "model_evaluation": ("trainer",),
    "gate": ("offline", "trainer"),
}
"""The stages whose results are kept, and the ports by whose engines each computes."""

_PACKAGE = "mlops_core"

# How results are named, kept, noted and promoted, and how what failed is told: no figure comes from there.
# The ports are the same for every engine; the engines themselves are roots.
_ASIDE = (
    "mlops_core.disk",
    "mlops_core.domain.inputs",
    "mlops_core.domain.journal",
    "mlops_core.errors",
    "mlops_core.journal",
    "mlops_core.ports",
    "mlops_core.progress",
    "mlops_core.promotion",
    "mlops_core.provenance",
    "mlops_core.workspace",
)

# Module state on purpose: equal sources give equal answers, and a process may ask for several state folders.
_found_before: dict[str, dict[str, dict[str, str]]] = {}


class Code:
    """The code behind each stage, by what it uses.

    `adapters` are the roots of each port's engine ("offline", "trainer"), as "module:Class", or a module that
    is run as a program; a port that is left out adds nothing. `tree` are the sources (default: this
    package's, without what only keeps results). `cache` is a file that holds what was found for the newest
    sources: whatever happens to it, answers are the same; without `keep` it is only read. Safe for several
    threads. What cannot be told is a `DefinitionError` that names file and line.
    """

    def __init__(
        self,
        adapters: Mapping[str, Sequence[str]],
        *,
        tree: SourceTree | None = None,
        cache: Path | None = None,
        keep: bool = True,
    ) -> None:
        self._tree = tree or SourceTree(Path(__file__).parents[1], _PACKAGE, aside=_ASIDE)
        self._roots = {
            stage: [
                f"{self._tree.package}.stages.{stage}:{stage}",
                *(root for port in ports for root in adapters.get(port, ())),
            ]
            for stage, ports in STAGES.items()
        }
        self._cache, self._keeps = cache, keep
        self._reading = Lock()
        self._known: dict[str, dict[str, str]] | None = None
        self._digests: dict[str, str] = {}

    def parts(self, stage: str) -> Mapping[str, str]:
        """The definitions that a stage uses, as "module:name", and the digest of each (16 hex digits).

        Of a branch, such as "model_training.logistic", those of the stage before the dot. Raises `NotFound`
        for a stage that is none of `STAGES`.
        """
        name = stage.partition(".")[0]
        if name not in STAGES:
            raise NotFound(f"no code is kept of a stage {stage!r}: there are {', '.join(STAGES)}")
        return self._by_stage[name]

    def of(self, stage: str) -> str:
        """Digest of what a stage uses (64 hex digits). Raises as `parts` does."""
        name = stage.partition(".")[0]
        if name not in self._digests:
            self._digests[name] = digest_of(self.parts(stage))
        return self._digests[name]

    @cached_property
    def whole(self) -> str:
        """Digest over all stages: names the code of a delivery."""
        return digest_of({stage: self.of(stage) for stage in STAGES})

    @cached_property
    def all_parts(self) -> Mapping[str, str]:
        """The definitions that any stage uses, sorted, and their digests."""
        return dict(sorted({one for parts in self._by_stage.values() for one in parts.items()}))

    @property
    def _by_stage(self) -> dict[str, dict[str, str]]:
        with self._reading:
            if self._known is None:
                self._known = self._found()
            return self._known

    def _found(self) -> dict[str, dict[str, str]]:
        key = self._sources()
        known = _found_before.get(key) or (_cached(self._cache, key) if self._cache else None)
        if known is not None:
            return known
        found = self._computed()
        if self._sources() == key:  # else somebody is editing: this is neither of before nor of after
            _found_before[key] = found
            if self._cache and self._keeps:
                _keep(self._cache, key, found)
        return found

    def _computed(self) -> dict[str, dict[str, str]]:
        return {stage: self._tree.used_by(*roots) for stage, roots in self._roots.items()}

    def _sources(self) -> str:
        """Names all sources of the package and what is asked of them."""
        root = self._tree.root
        files = {path.relative_to(root).as_posix(): digest_file(path) for path in root.rglob("*.py")}
        return digest_of([self._tree.package, sorted(self._tree.aside), self._roots, files])


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """A sentence for each definition that differs: those that changed, then the new, then those gone."""
    both = sorted(before.keys() & now.keys())
    return [
        *(f"{one} changed" for one in both if before[one] != now[one]),
        *(f"{one} is new" for one in sorted(now.keys() - before.keys())),
        *(f"{one} is gone" for one in sorted(before.keys() - now.keys())),
    ]


def _cached(file: Path, key: str) -> dict[str, dict[str, str]] | None:
    """What was kept for these sources, as it was kept; None otherwise."""
    try:
        entry = json.loads(file.read_bytes())
        digests, stages = entry["definitions"], entry["stages"]
        if entry["key"] == key and entry["digest"] == digest_of([key, digests, stages]):
            return {stage: {one: digests[one] for one in names} for stage, names in stages.items()}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # not there, or damaged: it can be found again
    return None


def _keep(file: Path, key: str, found: Mapping[str, Mapping[str, str]]) -> None:
    digests = {one: digest for parts in found.values() for one, digest in parts.items()}
    stages = {stage: list(parts) for stage, parts in found.items()}
    entry = {
        "key": key,
        "digest": digest_of([key, digests, stages]),
        "definitions": digests,
        "stages": stages,
    }
    with suppress(OSError):  # it saves time, and nothing depends on it
        replace_file(file, json.dumps(entry).encode())
