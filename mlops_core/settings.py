"""Settings of a machine, as opposed to a run: where state lies and which engines are reached.

Each is an environment variable with the prefix `MLOPS_`, e.g. `MLOPS_HOME`.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from mlops_core.errors import DefinitionError
from mlops_core.target_settings import ServerSettings, TargetSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings", "unknown_variables"]

_PREFIX = "MLOPS_"
_SHARED = ("postgresql://", "postgresql+psycopg://")


class Settings(ServerSettings, TargetSettings):
    """Frozen settings; see each field."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: Path = Field(default=Path(".mlops"), description="The state folder; all state lies in it.")
    tracking_uri: str | None = Field(
        default=None,
        description="MLflow tracking URI (sqlite:///…, http://…, postgresql://…); "
        "by default a SQLite database in the state folder.",
    )
    ledger: str | None = Field(
        default=None,
        description="Where the ledger of promotions is: sqlite:///PATH or postgresql://…; "
        "by default a SQLite database in the state folder. A team shares one.",
    )
    actor: str | None = Field(
        default=None,
        description="Who is at work, as the ledger keeps it; by default the user of the process.",
    )

    delivery: Literal["here", "github"] = Field(
        default="here",
        description="Who delivers what passed the gate: this machine, or the workflow deliver.yml of a "
        "repository on GitHub; see docs/delivery.md.",
    )
    github_repository: str | None = Field(
        default=None, description="OWNER/NAME on GitHub; by default GITHUB_REPOSITORY."
    )
    github_api: str | None = Field(
        default=None,
        description="Where GitHub's REST API is; by default GITHUB_API_URL, or https://api.github.com.",
    )
    github_ref: str = Field(default="main", description="The branch whose deliver.yml is dispatched.")
    github_environment: str = Field(
        default="production", description="The environment of GitHub that is delivered to."
    )
    github_target: str = Field(default="local", description="The target that deliver.yml is told.")

    offline_store: Literal["duckdb", "spark", "feast"] = Field(
        default="duckdb",
        description="What reads history: DuckDB in this process, Spark, or the Feast of `feast_python`.",
    )
    online_store: str = Field(
        default="sqlite",
        description="Where online values are: sqlite (in the state folder), redis://HOST:PORT/N, or feast.",
    )
    memory_limit: str | None = Field(
        default=None, description="Memory that DuckDB may use, such as 4GB; by default 80 % of the machine's."
    )
    threads: int | None = Field(
        default=None, ge=1, description="Threads that DuckDB may use; by default all cores."
    )
    spark_master: str = Field(
        default="local[*]", description="Where Spark runs, such as local[4] or spark://HOST:PORT."
    )
    feast_python: Path | None = Field(
        default=None, description="The Python of an environment with Feast; see docs/feast.md."
    )

    dask_address: str | None = Field(
        default=None,
        description="Dask's scheduler, such as tcp://HOST:8786; "
        "by default a cluster on this machine for the length of a run.",
    )
    ray_address: str | None = Field(
        default=None,
        description="Ray's head, such as ray://HOST:10001; "
        "by default one on this machine for the length of a run.",
    )
    notify: str | None = Field(
        default=None,
        description="Prefect notification blocks to tell of failures, rejections and pending approvals, "
        "as TYPE/NAME, several with commas between them; by default none.",
    )

    @field_validator("online_store")
    @classmethod
    def _known(cls, store: str) -> str:
        if store not in ("sqlite", "feast") and not store.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError(f"give sqlite, feast or a URL such as redis://HOST:PORT/N, got {store!r}")
        return store

    @field_validator("github_repository")
    @classmethod
    def _named(cls, repository: str | None) -> str | None:
        if repository is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", repository):
            raise ValueError(f"give OWNER/NAME, got {repository!r}")
        return repository

    @field_validator("github_api")
    @classmethod
    def _reached(cls, api: str | None) -> str | None:
        if api is not None and not re.match(r"https?://[^/@?#]+(/|$)", api):  # and no password
            raise ValueError("give a URL such as https://api.github.com")
        return api

    @field_validator("ledger")
    @classmethod
    def _kept(cls, ledger: str | None) -> str | None:
        if ledger is None or ledger.startswith(_SHARED):
            return ledger
        if ledger.removeprefix("sqlite:///") in ("", ":memory:", ledger):  # and it may hold a password
            raise ValueError("give sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        return ledger

    @classmethod
    def load(cls) -> Settings:
        """The settings of this process's environment.

        Raises `DefinitionError` for a value that cannot be used and for a variable with our prefix that is
        no setting, which is most likely a misspelt one.
        """
        for name, hint in unknown_variables(os.environ).items():
            raise DefinitionError(f"the environment variable {name} is no setting: {hint}")
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = f"{_PREFIX}{first['loc'][0]}".upper()
            raise DefinitionError(
                f"the setting {name} cannot be used: {first['msg'].removeprefix('Value error, ')}"
            ) from error


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables with our prefix that are no setting, sorted, each with what may have been meant."""
    known = {f"{_PREFIX}{name}".upper() for name in Settings.model_fields}
    found = {}
    for name in sorted(environ):
        if name.upper().startswith(_PREFIX) and name.upper() not in known:
            close = get_close_matches(name.upper(), known, n=1)
            found[name] = (
                f"did you mean {close[0]}?" if close else f"settings are {', '.join(sorted(known))}."
            )
    return found
