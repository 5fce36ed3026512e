"""All checks side by side, each by itself: one that fails or hangs is a finding and no more."""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from mlops_core.doctor import engines, installation, machine, prefect, state, variables
from mlops_core.doctor.finding import Finding, note, problem
from mlops_core.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_core.settings import Settings

    Check = Callable[[], list[Finding]]

__all__ = ["SECONDS", "examine"]

SECONDS = 10.0  # each check has less patience by itself: this is for one that hangs


def examine(
    environ: Mapping[str, str] | None = None,
    *,
    seconds: float = SECONDS,
    more: Mapping[str, Check] | None = None,
) -> list[Finding]:
    """What the checks of this machine find, in the order in which they are worth reading.

    A check that has not ended after `seconds` is told as such; its thread is a daemon that ends with the
    process. `more` are further checks by their names. Nothing is written that is not removed again.
    """
    environ = os.environ if environ is None else environ
    settings, wrong = variables.settings_of(environ)
    checks: dict[str, Check] = {
        "python": installation.python,
        "packages": installation.packages,
        "extras": partial(installation.extras, settings),
        "settings": lambda: wrong,
        "state folder": partial(state.folder, settings),
        **{name: partial(_with_settings, name, settings, check) for name, check in engines.CHECKS.items()},
        "prefect": partial(prefect.server, environ),
        "clock": machine.clock,
        "threads": partial(machine.threads, settings, environ),
        "ports": partial(machine.ports, settings),
        **(more or {}),
    }
    begun = time.monotonic()
    running = {name: _Running(name, check) for name, check in checks.items()}
    return [
        found
        for one in running.values()
        for found in one.findings(begun + seconds - time.monotonic(), seconds)
    ]


def _with_settings(
    name: str, settings: Settings | None, check: Callable[[Settings], list[Finding]]
) -> list[Finding]:
    if settings is None:
        return [note(name, "not looked at, because the settings cannot be used")]
    return check(settings)


class _Running:
    """A check in a thread of its own."""

    def __init__(self, name: str, check: Check) -> None:
        self._name, self._check = name, check
        self._found: list[Finding] | None = None
        # By this name `mlops` knows that it must not wait for it, nor take it down inside an engine
        self._thread = threading.Thread(target=self._look, name=f"task doctor {name}", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self._found = self._check()
        except MlopsError as error:
            self._found = [problem(self._name, str(error).removesuffix("."))]
        except Exception as error:  # whatever a broken installation throws: the other checks go on
            text = " ".join(f"{type(error).__name__}: {error}".split())
            self._found = [
                problem(self._name, f"the check itself failed: {text}", "see the first problem above")
            ]

    def findings(self, seconds: float, limit: float) -> list[Finding]:
        self._thread.join(max(0.0, seconds))
        if self._found is None:
            return [
                problem(
                    self._name,
                    f"no answer within {limit:g} s",
                    "look whether the address is right, and whether anything listens there",
                )
            ]
        return self._found
