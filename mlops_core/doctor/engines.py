"""The outside world that the settings name: each is asked something that changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mlops_core.doctor.finding import Finding, note, ok, problem
from mlops_core.doctor.reach import PATIENCE, silence
from mlops_core.wiring import ConfiguredEngines

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.settings import Settings

__all__ = ["CHECKS"]

_NOBODY = "model-that-mlops-doctor-asks-for"  # no use case can be called that: it has dashes
_AHEAD = timedelta(minutes=1)


def _ledger(settings: Settings) -> list[Finding]:
    where = settings.ledger or "ledger.db in the state folder"
    why = silence(where)
    if why:
        return [problem("ledger", f"nothing at {where}: {why}", "start it, or mend MLOPS_LEDGER")]
    ledger = ConfiguredEngines(settings, reads_only=True).ledger
    names = ledger.names()
    newest = max((ledger.entries(name)[-1].at for name in names), default=None)
    if newest is not None and newest > datetime.now(UTC) + _AHEAD:
        says = f"{where}: its newest entry is of {newest:%Y-%m-%d %H:%M} UTC, which is later than now"
        return [problem("ledger", says, "set this machine's clock, or the one that wrote the entry")]
    return [ok("ledger", f"{where}: {_counted(len(names), 'model')}")]


def _online(settings: Settings) -> list[Finding]:
    why = silence(settings.online_store)
    if why:
        says = f"nothing at {settings.online_store}: {why}"
        return [problem("online store", says, "start it, or mend MLOPS_ONLINE_STORE")]
    store = ConfiguredEngines(settings, reads_only=True).online
    values = _counted(len(store.names()), "use case")
    return [ok("online store", f"{settings.online_store}: values of {values}")]


def _registry(settings: Settings) -> list[Finding]:
    uri = settings.tracking_uri
    if uri is None or uri.startswith("sqlite:"):
        ConfiguredEngines(settings, reads_only=True).registry.versions(_NOBODY)
        return [ok("registry", f"{uri or 'MLflow in the state folder'}: can be read")]
    if uri.startswith(("http://", "https://")):
        return [_mlflow_server(uri)]
    return [_database(uri)]


def _mlflow_server(uri: str) -> Finding:
    """By its own route for this: its client takes seconds to import."""
    import httpx

    try:
        answer = httpx.get(f"{uri.rstrip('/')}/health", timeout=PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return problem(
            "registry", f"no MLflow answers at {uri}: {error}", "start it, or mend MLOPS_TRACKING_URI"
        )
    if answer.status_code in (401, 403):  # who it lets in, MLflow's own variables say
        return note(
            "registry", f"MLflow at {uri} asks who comes ({answer.status_code})", "MLFLOW_TRACKING_USERNAME"
        )
    if answer.text.strip() != "OK":
        says = f"what answers at {uri} is no MLflow: {answer.status_code} to /health"
        return problem("registry", says, "mend MLOPS_TRACKING_URI")
    return ok("registry", f"MLflow at {uri} answers")


def _database(uri: str) -> Finding:
    """Whether the host of a database takes connections; who may log in, the first run says."""
    why = silence(uri)
    if why:
        return problem("registry", f"nothing at {uri}: {why}", "start it, or mend MLOPS_TRACKING_URI")
    return ok("registry", f"{uri} takes connections")


def _target(settings: Settings) -> list[Finding]:
    if settings.target == "local":
        return [_served_here(settings)]
    if settings.artifacts is None:
        says = f"MLOPS_TARGET is {settings.target}, and nothing says where releases lie for it"
        return [problem("target", says, "set MLOPS_ARTIFACTS to a URL such as s3://BUCKET/PREFIX")]
    asked = ConfiguredEngines(settings, reads_only=True).releases.current(_NOBODY)
    return [ok("target", f"{settings.target} answers{'' if asked is None else ', with a release'}")]


def _served_here(settings: Settings) -> Finding:
    """By the ledger of this machine: one that a team shares may know models that others serve."""
    engines = ConfiguredEngines(settings, reads_only=True)
    shared = settings.ledger or ""
    names = [] if silence(shared) else engines.ledger.names()
    served = [f"{one.name} {one.version}" for name in names if (one := engines.releases.current(name))]
    return ok("target", f"local: {', '.join(served) or 'nothing released yet'}")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


CHECKS: dict[str, Callable[[Settings], list[Finding]]] = {
    "ledger": _ledger,
    "online store": _online,
    "registry": _registry,
    "target": _target,
}
