"""State folders that scenarios begin with, each made once by `mlops` itself, on the small shop."""

from __future__ import annotations

import shutil
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from benchmarks.parity.processes import environment, script, to_end
from benchmarks.workflows.checkout import commit
from tests.flows.purchases import write_purchases

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HELD", "SHOP", "States"]

SHOP, HELD = "benchmarks.workflows.shop:SHOP", "benchmarks.workflows.shop:HELD"
"""As commands find the use cases of `shop.py`; a person has to consent to the second."""

_NO_DEPLOYMENT = {"PARITY_FAULT": "deployment=MlopsError"}  # judged, and neither released nor handed over


class States:
    """The folders, made when one is first asked for; code is that of `checkout`."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self._folder, self._checkout = folder, checkout
        write_purchases(checkout / "benchmarks" / "workflows" / "purchases.parquet", 650)
        commit(checkout, "the purchases")
        self._lock = Lock()

    def copy(self, name: str, into: Path) -> Path:
        """A copy of the state folder of this name, or an empty folder without a name."""
        if not name:
            into.mkdir()
            return into
        with self._lock:
            made: Path = getattr(self, name)()
        return shutil.copytree(made, into)

    @cache  # noqa: B019 - as long as this object, which ends with the process
    def served(self) -> Path:
        """Version 1 is in Production."""
        home = self._folder / "served"
        self._mlops(home, "run", SHOP, *self._told("logistic"))
        return home

    @cache  # noqa: B019 - the same
    def passed(self) -> Path:
        """And version 2 passed the gate."""
        home = shutil.copytree(self.served(), self._folder / "passed")
        self._mlops(home, "run", SHOP, *self._told("boosting"), codes=(1,), **_NO_DEPLOYMENT)
        return home

    @cache  # noqa: B019 - the same
    def first(self) -> Path:
        """Version 1 passed the gate, and nothing serves."""
        home = self._folder / "first"
        self._mlops(home, "run", SHOP, *self._told("logistic"), codes=(1,), **_NO_DEPLOYMENT)
        return home

    @cache  # noqa: B019 - the same
    def rejected(self) -> Path:
        """Version 1 is in Production, and the gate rejected version 2."""
        home = shutil.copytree(self.served(), self._folder / "rejected")
        self._mlops(home, "run", SHOP, *self._told("boosting"), "--floor", "0.99")
        return home

    @cache  # noqa: B019 - the same
    def asked(self) -> Path:
        """Version 1 is in Production, and version 2 waits for a person's answer."""
        home = shutil.copytree(self.served(), self._folder / "asked")
        self._mlops(home, "run", HELD, *self._told("boosting"))
        return home

    @cache  # noqa: B019 - the same
    def replaced(self) -> Path:
        """Version 2 is in Production, and version 1 served before."""
        home = shutil.copytree(self.passed(), self._folder / "replaced")
        self._mlops(home, "promote", SHOP, "2", "--reason", "it passed")
        return home

    @staticmethod
    def _told(candidate: str) -> list[str]:
        return ["--candidates", candidate, "--quiet"]

    def _mlops(self, home: Path, *words: str, codes: tuple[int, ...] = (0,), **more: str) -> None:
        user = self._folder / "user"
        user.mkdir(exist_ok=True)
        told = environment(
            user,
            MLOPS_HOME=str(home),
            PYTHONPATH=f".:{self._checkout / 'benchmarks' / 'parity' / 'watch'}",
            PARITY_LOG=str(user / f"{home.name}.log"),
            **more,
        )
        done = to_end([script("mlops"), *words], told, self._checkout)
        if done.code not in codes:
            raise SystemExit(f"{home.name}: mlops {' '.join(words)}: {done.code}\n{done.said}{done.errors}")
