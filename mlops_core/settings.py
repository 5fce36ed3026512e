"""Settings of a machine, as opposed to a run: where state lies and which engines are reached.

Each is an environment variable with the prefix `MLOPS_`, e.g. `MLOPS_HOME`.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlops_core.errors import DefinitionError

__all__ = ["Settings"]

_PREFIX = "MLOPS_"


class Settings(BaseSettings):
    """Frozen settings; see each field."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid")

    home: Path = Field(default=Path(".mlops"), description="The state folder; all state lies in it.")
    tracking_uri: str | None = Field(
        default=None,
        description="MLflow tracking URI (sqlite:///…, http://…, postgresql://…); "
        "by default a SQLite database in the state folder.",
    )

    @classmethod
    def load(cls) -> Settings:
        """The settings of this process's environment.

        Raises `DefinitionError` for a value that cannot be used and for a variable with our prefix that is
        no setting, which is most likely a misspelt one.
        """
        known = {f"{_PREFIX}{name}".upper() for name in cls.model_fields}
        for name in sorted(os.environ):
            if name.upper().startswith(_PREFIX) and name.upper() not in known:
                close = get_close_matches(name.upper(), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"settings are {', '.join(sorted(known))}."
                raise DefinitionError(f"the environment variable {name} is no setting: {hint}")
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = f"{_PREFIX}{first['loc'][0]}".upper()
            raise DefinitionError(f"the setting {name} cannot be used: {first['msg']}") from error
