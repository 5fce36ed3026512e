"""The settings, and the environment variables that mean none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlops_core.doctor.finding import Finding, ok, problem
from mlops_core.settings import Settings, unknown_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["settings_of"]


def settings_of(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """The settings, None when they cannot be used; and every variable that is wrong, not only the first.

    A variable with our prefix that is no setting stops every other command, and not this one.
    """
    wrong = [
        problem("settings", f"the environment variable {name} is no setting", hint)
        for name, hint in unknown_variables(environ).items()
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        for one in error.errors():
            name = f"MLOPS_{one['loc'][0]}".upper()
            says = one["msg"].removeprefix("Value error, ")
            wrong.append(problem("settings", f"{name} cannot be used: {says}", f"mend it, or unset {name}"))
        return None, wrong
    named = sorted(name for name in environ if name.upper().startswith("MLOPS_"))
    says = f"from the environment: {', '.join(named)}" if named else "none in the environment: all defaults"
    return settings, wrong or [ok("settings", says)]
